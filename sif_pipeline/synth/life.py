"""A district's life after the first load: sparse Changes and a few Deletes of objects that were loaded.

Each change is one of a few kinds an agent really sends; with it comes what the element must say afterwards.
"""

from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple

from sif_pipeline.synth.attending import enrollment_attributes
from sif_pipeline.synth.flaws import Fate, flaw_of, student_arrives
from sif_pipeline.synth.names import FAMILY_NAMES, STREETS, TOWNS
from sif_pipeline.synth.parts import GRADE_CODES, Draw, address, one_of, phone
from sif_pipeline.synth.plan import GRADES, Plan, Spell

_STUDENT, _ENROLLMENT = "StudentPersonal", "StudentSchoolEnrollment"


class Happening(NamedTuple):
    """One Change or Delete event and its lasting effect."""

    action: str  #: Change or Delete
    kind: str  #: which sort of change, or "delete"
    object_name: str
    ref_id: str
    xml: bytes
    path: str = ""  #: the element that changed, from the object's root
    value: str | None = None  #: what it says afterwards, None for nothing


def happenings(plan: Plan, *, bad: float = 0.0, changes: float = 0.05, deletes: float = 0.003) -> Iterator[Happening]:
    """Yield Changes of the share `changes` of students and of enrollments, then Deletes of enrollments.

    Only objects that a first load with the share `bad` of flaws loads are touched, and none twice.
    """
    draw = plan.random("life").random
    for seat in plan.seats():
        ref = plan.ref_id(_STUDENT, seat.number)
        if _lot(ref) < changes and student_arrives(ref, bad):
            yield _STUDENT_CHANGES[seat.number % len(_STUDENT_CHANGES)](plan, ref, draw)
    for ref, spell in _loaded_spells(plan, bad):
        if deletes <= _lot(ref) < deletes + changes:
            yield _promoted(plan, ref, spell)
    for ref, spell in _loaded_spells(plan, bad):
        if _lot(ref) < deletes:
            yield _withdrawn(plan, ref, spell)


def _lot(ref_id: str) -> float:
    """Return a number from 0 to below 1 for an object, independent of the one that decides on its flaw."""
    return int(ref_id[8:16], 16) / 4_294_967_296


def _loaded_spells(plan: Plan, bad: float) -> Iterator[tuple[str, Spell]]:
    for spell in plan.spells():
        ref = plan.ref_id(_ENROLLMENT, spell.number)
        flaw = flaw_of(_ENROLLMENT, ref, bad)
        loaded = flaw is None or flaw.fate is Fate.LOADED
        if loaded and student_arrives(plan.ref_id(_STUDENT, spell.student), bad):
            yield ref, spell


def _student(ref: str, kind: str, inner: str, path: str, value: str | None) -> Happening:
    xml = f'<StudentPersonal RefId="{ref}">{inner}</StudentPersonal>'
    return Happening("Change", kind, _STUDENT, ref, xml.encode(), path, value and unescape(value))


def _renamed(_: Plan, ref: str, draw: Draw) -> Happening:
    name = one_of(draw, FAMILY_NAMES)
    inner = f'<Name Type="04"><LastName>{name}</LastName></Name>'
    return _student(ref, "name_changed", inner, "Name/LastName", name)


def _moved(plan: Plan, ref: str, draw: Draw) -> Happening:
    line = f"500 {one_of(draw, STREETS)}"
    inner = address(line, TOWNS[plan.number - 1], plan.number)
    return _student(ref, "address_changed", inner, "AddressList/Address[@Type='0765']/Street/Line1", line)


def _cleared(_: Plan, ref: str, __: Draw) -> Happening:
    return _student(ref, "element_cleared", '<Homeless xsi:nil="true"/>', "Homeless", None)


def _phone_added(_: Plan, ref: str, __: Draw) -> Happening:
    path = "PhoneNumberList/PhoneNumber[@Type='0350']/Number"
    return _student(ref, "item_added", phone(98, "0350"), path, "555-0198")


def _phone_changed(_: Plan, ref: str, __: Draw) -> Happening:
    path = "PhoneNumberList/PhoneNumber[@Type='0096']/Number"
    return _student(ref, "item_changed", phone(99), path, "555-0199")


def _email_deleted(_: Plan, ref: str, __: Draw) -> Happening:
    inner = '<EmailList><Email Type="Primary" SIF_Action="Delete"/></EmailList>'
    return _student(ref, "item_deleted", inner, "EmailList/Email[@Type='Primary']", None)


_STUDENT_CHANGES: tuple[Callable[[Plan, str, Draw], Happening], ...] = (
    _renamed,
    _moved,
    _cleared,
    _phone_added,
    _phone_changed,
    _email_deleted,
)


def _promoted(plan: Plan, ref: str, spell: Spell) -> Happening:
    place = GRADES.index(spell.grade)
    grade = GRADES[place + 1 if place < GRADES.index("12") else place - 1]
    codes = GRADE_CODES[grade]
    if "OtherCodeList" in GRADE_CODES[spell.grade] and "OtherCodeList" not in codes:
        codes += '<OtherCodeList xsi:nil="true"/>'  # the state's code for the old grade must not stay
    xml = (
        f"<StudentSchoolEnrollment {_key(plan, ref, spell)}><GradeLevel>{codes}</GradeLevel></StudentSchoolEnrollment>"
    )
    value = "Other" if grade == "SP" else grade
    return Happening("Change", "grade_changed", _ENROLLMENT, ref, xml.encode(), "GradeLevel/Code", value)


def _withdrawn(plan: Plan, ref: str, spell: Spell) -> Happening:
    xml = f"<StudentSchoolEnrollment {_key(plan, ref, spell)}/>"
    return Happening("Delete", "delete", _ENROLLMENT, ref, xml.encode())


def _key(plan: Plan, ref: str, spell: Spell) -> str:
    return enrollment_attributes(plan, spell, plan.ref_id(_STUDENT, spell.student), ref)
