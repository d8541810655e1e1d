"""Known flaws put into good objects on purpose, each with what the pipeline is expected to make of it.

`FLAWS` is the one table. Whether an object is flawed, and how, follows from its RefId alone: any stream knows
the fate of any object without having seen it.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from sif_pipeline.synth.parts import SynthObject


class Fate(StrEnum):
    """What becomes of an object in the warehouse."""

    LOADED = "loaded"  #: it is there
    REJECTED = "rejected"  #: its message is kept, it is not loaded
    HELD = "held"  #: it waits for an object that does not come
    UNKNOWN = "unknown"  #: the state does not collect this kind of object


class Flaw(NamedTuple):
    """One way to spoil an object."""

    name: str
    objects: tuple[str, ...]  #: SIF objects it can be put into
    fate: Fate
    code: str  #: of the notice expected (`sif_pipeline/notices.py`)
    spoil: Callable[[SynthObject], SynthObject]


PARENT_MISSING = "parent_missing"
"""Notice code of an object that is held."""

_STUDENT, _ENROLLMENT, _SUMMARY = "StudentPersonal", "StudentSchoolEnrollment", "StudentAttendanceSummary"
_SECTION = "SectionInfo"

_REQUIRED = {
    _STUDENT: "LastName",
    _ENROLLMENT: "EntryDate",
    _SUMMARY: "DaysInMembership",
    _SECTION: "LocalId",
}
_CODED = {
    _STUDENT: (b"<EnglishProficiency><Code>", b"0000"),
    _ENROLLMENT: (b"<ResidencyStatus><Code>", b"0000"),
    _SUMMARY: (b"<Resident>", b"Perhaps"),
    _SECTION: (b"<MediumOfInstruction><Code>", b"0000"),
}
_DATED = {_STUDENT: b"<BirthDate>", _ENROLLMENT: b"<EntryDate>", _SUMMARY: b"<StartDate>"}
# Optional elements: moved to the end they are out of place, and nothing required is missing where they were.
_MOVABLE = {_STUDENT: "StateProvinceId", _ENROLLMENT: "FTE", _SUMMARY: "FTE", _SECTION: "MediumOfInstruction"}


def _without(found: SynthObject) -> SynthObject:
    name = _REQUIRED[found.name]
    return found._replace(xml=re.sub(rf"<{name}>[^<]*</{name}>".encode(), b"", found.xml, count=1))


def _miscoded(found: SynthObject) -> SynthObject:
    return _with_value(found, *_CODED[found.name])


def _misdated(found: SynthObject) -> SynthObject:
    return _with_value(found, _DATED[found.name], b"2026-02-30")


def _with_value(found: SynthObject, before: bytes, value: bytes) -> SynthObject:
    head, _, tail = found.xml.partition(before)
    return found._replace(xml=head + before + value + tail[tail.index(b"<") :])


def _reordered(found: SynthObject) -> SynthObject:
    name = _MOVABLE[found.name].encode()
    start, end = found.xml.index(b"<%s>" % name), found.xml.index(b"</%s>" % name) + len(name) + 3
    return _with_last_child(found._replace(xml=found.xml[:start] + found.xml[end:]), found.xml[start:end])


def _extended(found: SynthObject) -> SynthObject:
    return _with_last_child(found, b"<ShoeColor>green</ShoeColor>")


def _with_last_child(found: SynthObject, child: bytes) -> SynthObject:
    end = b"</%s>" % found.name.encode()
    return found._replace(xml=found.xml.removesuffix(end) + child + end)


def _lower_case(found: SynthObject) -> SynthObject:
    ref = found.ref_id.encode()
    return found._replace(xml=found.xml.replace(b'RefId="%s"' % ref, b'RefId="%s"' % ref.lower(), 1))


def _orphaned(found: SynthObject) -> SynthObject:
    # A student who is never sent: the enrollment's own RefId is certainly nobody's.
    return found._replace(xml=found.xml.replace(found.student.encode(), found.ref_id.encode()), student=found.ref_id)


def _uncollected(found: SynthObject) -> SynthObject:
    xml = f'<StudentPicture RefId="{found.ref_id}" StudentPersonalRefId="{found.student}" SchoolYear="2027"/>'
    return SynthObject("StudentPicture", found.ref_id, xml.encode())


FLAWS = (
    Flaw("required_missing", tuple(_REQUIRED), Fate.REJECTED, "element_missing", _without),
    Flaw("code_unknown", tuple(_CODED), Fate.REJECTED, "value_not_in_code_set", _miscoded),
    Flaw("date_impossible", tuple(_DATED), Fate.REJECTED, "value_malformed", _misdated),
    Flaw("order_wrong", tuple(_MOVABLE), Fate.REJECTED, "element_out_of_place", _reordered),
    Flaw("element_foreign", (*_MOVABLE, "StaffPersonal"), Fate.LOADED, "element_unknown", _extended),
    Flaw("refid_lower_case", (_STUDENT, _ENROLLMENT, _SUMMARY), Fate.REJECTED, "ref_id_malformed", _lower_case),
    Flaw("student_absent", (_ENROLLMENT,), Fate.HELD, PARENT_MISSING, _orphaned),
    Flaw("object_uncollected", (_SUMMARY,), Fate.UNKNOWN, "object_unknown", _uncollected),
)
"""Every flaw there is. Of the objects that others refer to, only students and sections are ever rejected."""

_BY_OBJECT = {name: tuple(flaw for flaw in FLAWS if name in flaw.objects) for flaw in FLAWS for name in flaw.objects}


def flaw_of(object_name: str, ref_id: str, bad: float) -> Flaw | None:
    """Return the flaw of an object, None for a good one; `bad` is the share (0 to 1) of flawed objects."""
    if int(ref_id[-8:], 16) >= bad * 4_294_967_296:
        return None
    possible = _BY_OBJECT.get(object_name, ())
    return possible[int(ref_id[:8], 16) % len(possible)] if possible else None


class Sent(NamedTuple):
    """One object as it goes out, with what is expected of it."""

    object: SynthObject
    flaw: Flaw | None
    fate: Fate
    codes: tuple[str, ...]  #: of the notices expected


def spoiled(good: SynthObject, bad: float) -> Sent:
    """Put into an object the flaw that is its own, if any, and say what will become of it.

    What refers to a student or a section that is rejected is held, even if it has a harmless flaw itself.
    """
    flaw = flaw_of(good.name, good.ref_id, bad)
    sent = good if flaw is None else flaw.spoil(good)
    fate, codes = (Fate.LOADED, ()) if flaw is None else (flaw.fate, (flaw.code,))
    if fate is Fate.LOADED and not _parents_arrive(good, bad):
        fate, codes = Fate.HELD, (*codes, PARENT_MISSING)
    return Sent(sent, flaw, fate, codes)


def _parents_arrive(found: SynthObject, bad: float) -> bool:
    parents = (("StudentPersonal", found.student), ("SectionInfo", found.section))
    return all(_arrives(name, ref_id, bad) for name, ref_id in parents if ref_id)


def student_arrives(ref_id: str, bad: float) -> bool:
    """Tell whether a student's own object is loaded, so that others may refer to it."""
    return _arrives("StudentPersonal", ref_id, bad)


def _arrives(object_name: str, ref_id: str, bad: float) -> bool:
    flaw = flaw_of(object_name, ref_id, bad)
    return flaw is None or flaw.fate is Fate.LOADED
