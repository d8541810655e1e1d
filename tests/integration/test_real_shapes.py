"""Shapes that real agents send arrive as they were meant, whichever way they are spelled, through the whole drain."""

import re
from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sif_text as sif
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy.dialects.postgresql import JSONB

from sif_pipeline.reading import mapping
from sif_pipeline.sif import inspection, schema
from sif_pipeline.sif.elements import SIF
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.merging import merged
from sif_pipeline.sif.schema import Profile
from warehouse.base import elements, objects

EXAMPLES = Path(__file__).parents[1] / "examples"
NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
FEW = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def full(name: str) -> etree._Element:
    return open_message((EXAMPLES / name / "valid/full.xml").read_bytes())


# -- text, however it is spelled

# Any letter, mark, digit and sign of Unicode; `|` is what sif_text puts a header in the place of.
LETTERS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co", "Zl", "Zp", "Zs"))
LETTERS = LETTERS.filter(lambda letter: letter != "|")
WORDS = st.lists(st.text(LETTERS, min_size=1, max_size=12), min_size=1, max_size=3).map(" ".join)


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def with_comment(text: str) -> str:
    middle = len(text) // 2
    return f"{escaped(text[:middle])}<!-- <LastName>nobody</LastName> -->{escaped(text[middle:])}<?agent off?>"


SPELLINGS = {
    "escaped": escaped,
    "CDATA": lambda text: "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>",
    "decimal references": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "hexadecimal references": lambda text: "".join(f"&#x{ord(c):X};" for c in text),
    "a comment and an instruction within": with_comment,
    "half CDATA, half escaped": lambda text: f"<![CDATA[{text[:1]}]]>{escaped(text[1:])}",
}


@FEW
@given(st.lists(WORDS, min_size=12, max_size=12))
def test_any_letter_arrives_however_it_is_spelled(connection, texts):
    zone = sif.Inbox.new(connection)
    spelled = [(text, spell(text)) for text, spell in zip(texts, [*SPELLINGS.values()] * 2, strict=True)]
    people = [sif.student(f"P{n}", local=str(n), first=text) for n, (_, text) in enumerate(spelled)]
    zone.put(sif.response(*people))
    assert set(zone.drain().outcomes()) == {"applied"}
    rows = zone.all("SELECT first_name FROM sif.student_personal WHERE zone_id = %(zone)s ORDER BY local_id::int")
    assert [name for (name,) in rows] == texts


@FEW
@given(st.lists(WORDS, min_size=6, max_size=6))
def test_two_spellings_of_one_object_are_one_version(connection, texts):
    zone = sif.Inbox.new(connection)
    for number, spell in enumerate(SPELLINGS.values()):
        people = [sif.student(f"P{n}", local=str(n), first=spell(text)) for n, text in enumerate(texts)]
        zone.put(sif.response(*people, at=sif.minute(number)))
    assert set(zone.drain().outcomes()) <= {"applied", "unchanged"}
    assert (len(zone.rows("sif", "student_personal")), len(zone.rows("sif_history", "student_personal"))) == (6, 0)


# -- nil, wherever it may stand


def nillable(known: schema.Shape, above: tuple[str, ...] = ()):
    for child in known.children.values():
        if child.name not in {"SIF_Metadata", "SIF_ExtendedElement"}:
            yield (*above, child.name), child
            yield from nillable(child, (*above, child.name))


def made_nil(element: etree._Element, path: tuple[str, ...]) -> etree._Element | None:
    element = deepcopy(element)
    found = element.find("/".join(SIF + step for step in path))
    if found is None:
        return None
    for child in list(found):
        found.remove(child)
    found.text = None
    found.set(NIL, "true")
    return element


@pytest.mark.parametrize("name", schema.object_names())
def test_what_is_optional_may_be_nil_and_what_is_mandatory_may_not(name):
    whole, cls = full(name), objects()[name]
    plain = [(c, line) for c, line in elements(cls) if c.type.python_type is not list and not isinstance(c.type, JSONB)]
    columns = {line.path: column.name for column, line in plain}
    names = mapping.plan(cls).columns
    for path, known in nillable(schema.shape(name)):
        element = made_nil(whole, path)
        if element is None:
            continue
        element = open_message(etree.tostring(element))
        missing = [n.code for n in inspection.findings(element, Profile.WHOLE)]
        assert missing == (["element_missing"] if known.required or known.repeats else []), path
        if column := columns.get("/".join(path)):
            assert mapping.row(cls, element)[0][names.index(column)] is None or known.required, path


# -- numbers


DECIMALS = st.from_regex(r"\A[+-]?([0-9]{1,12}(\.[0-9]{0,8})?|\.[0-9]{1,8})\Z")


@FEW
@given(st.lists(DECIMALS, min_size=30, max_size=60))
def test_every_spelling_of_a_decimal_is_the_number_it_spells(connection, texts):
    judge = full("StudentAttendanceSummary")
    place = judge.find(f"{SIF}DaysTardy")
    taken = []
    for text in texts:
        place.text = f" {text}\n"
        assert schema.is_valid(judge, Profile.WHOLE), text
        taken.append(mapping.to_number(place.text))
    rows = connection.execute("SELECT unnest(%s::text[])::numeric", [taken]).fetchall()
    assert [number for (number,) in rows] == [Decimal(text) for text in texts]


@pytest.mark.parametrize("text", ["1e3", "NaN", "INF", "1,5", "", "٣", "1_000", "0x1"])
def test_what_is_no_decimal_to_the_standard_is_none_here(text):
    element = full("StudentAttendanceSummary")
    element.find(f"{SIF}DaysTardy").text = text
    assert [n.code for n in inspection.findings(element, Profile.WHOLE)] == ["value_malformed"]


# -- dates, whole and partial, times, moments, years


ZONES = st.sampled_from(["", "Z", "-05:00", "+14:00"])


@FEW
@given(st.lists(st.tuples(st.dates(), ZONES), min_size=20, max_size=40))
def test_every_day_with_or_without_time_zone_is_that_day(connection, days):
    judge = full("TermInfo")
    place, taken = judge.find(f"{SIF}StartDate"), []
    for day, zone in days:
        place.text = f"\n {day.isoformat()}{zone} "
        assert schema.is_valid(judge, Profile.WHOLE)
        taken.append(mapping.to_date(place.text))
    rows = connection.execute("SELECT unnest(%s::text[])::date", [taken]).fetchall()
    assert [day for (day,) in rows] == [day for day, _ in days]


@pytest.mark.parametrize("text", ["10000-01-01", "12025-06-01Z", "-0001-01-01"])
def test_a_day_postgresql_or_people_do_not_count_to_is_found_and_not_loaded(text):
    element = full("TermInfo")
    element.find(f"{SIF}StartDate").text = text
    assert schema.is_valid(element, Profile.WHOLE)
    cells, unfit = mapping.row(objects()["TermInfo"], element)
    assert "value_out_of_range" in [notice.code for notice in unfit]
    assert text not in cells


#: object, path, values that are valid and kept as they are, values that are refused
FORMS = [
    (
        *("StudentPersonal", "GraduationDate"),
        ("2030", "2030-06", "2030-06-15", "2030Z", "2030-06-05:00", "2030-06-15+01:00"),
        ("30", "2030-13", "2030-06-31", "June 2030", ""),
    ),
    (
        *("DisciplineIncident", "IncidentTime"),
        ("08:15:00", "08:15:00.5", "24:00:00", "08:15:00Z", "08:15:00-05:00", ""),
        ("8:15", "08:15", "25:00:00", "noon", "08:60:00"),
    ),
    (
        *("AssessmentAdministration", "AdministrationDateTime"),
        ("2026-05-19T08:30:00", "2026-05-19T08:30:00.123456789Z", "2026-05-19T24:00:00", "2026-05-19T08:30:00-04:00"),
        ("2026-05-19", "2026-05-19 08:30:00", "2026-02-30T00:00:00", "2026-05-19T08:30"),
    ),
    (*("StudentPersonal", "OnTimeGraduationYear"), ("2030", "2030Z", "2030-05:00", "0009"), ("30", "2030-06", "MMXXX")),
    (*("TermInfo", "RelativeDuration"), ("0.5", ".25", "1", "1.0", "00.10"), ("P1Y", "half", "1/2")),
]


@pytest.mark.parametrize(("name", "path", "good", "bad"), FORMS, ids=lambda value: value if type(value) is str else "")
def test_form_of_a_value_is_judged_as_the_standard_does(name, path, good, bad):
    element, cls = full(name), objects()[name]
    place = element.find(SIF + path)
    (column,) = [column for column, line in elements(cls) if line.path == path]
    at = mapping.plan(cls).columns.index(column.name)
    for text in good:
        place.text = f"\n{text} " if text else ""
        assert inspection.findings(element, Profile.WHOLE) == [], text
        assert fits(column.type.python_type, text, mapping.row(cls, element)[0][at]), text
    for text in bad:
        place.text = text
        assert [n.code for n in inspection.findings(element, Profile.WHOLE)] == ["value_malformed"], text


def fits(kind: type, text: str, cell: str | None) -> bool:
    if kind is date:
        return cell == text[:10]
    if kind is int:
        return cell == text[:4]
    return cell == text


# -- deep lists

CODES = st.sampled_from(["3102", "3100", "3084"])
ACTIONS = st.lists(st.tuples(CODES, st.dates(date(2026, 9, 1), date(2027, 6, 1)), st.integers(0, 90)), max_size=6)
OFFENDERS = st.lists(st.tuples(WORDS, ACTIONS), min_size=1, max_size=12)
FLAGS = ("ZeroTolerance", "FullYearExpulsion", "ShortenedExpulsion", "PoliceNotification", "Arrest")


def offender(name: str, actions: list[tuple[str, date, int]]) -> str:
    done = "".join(
        f"<Action><Code>{code}</Code><StartDate>{day}</StartDate><EndDate>{day}</EndDate><Duration>{days}.5</Duration>"
        + "".join(f"<{flag}>No</{flag}>" for flag in FLAGS)
        + "<AlternativeEducation>Yes</AlternativeEducation></Action>"
        for code, day, days in actions
    )
    return (
        f'<Offender Type="3168"><Name Type="04"><LastName>{escaped(name)}</LastName><FirstName>A</FirstName></Name>'
        f"<Injury>3064</Injury>{f'<ActionList>{done}</ActionList>' if actions else ''}</Offender>"
    )


def incident(offenders: list[tuple[str, list[tuple[str, date, int]]]]) -> str:
    text = (EXAMPLES / "DisciplineIncident/valid/minimal.xml").read_text(encoding="utf-8")
    listed = "".join(offender(*one) for one in offenders)
    text = re.sub(
        "<OffenderList>.*</OffenderList>", lambda _: f"<OffenderList>{listed}</OffenderList>", text, flags=re.DOTALL
    )
    return text.replace("66ED5FCAF39B2FA003968F9477204AE4", sif.ref("S")).replace(f' xmlns="{SIF[1:-1]}"', "")


def listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


@FEW
@given(OFFENDERS)
def test_deep_lists_of_an_incident_arrive_whole_and_in_order(connection, offenders):
    zone = sif.Inbox.new(connection)
    zone.put(sif.response(sif.lea(), sif.school()), sif.response(incident(offenders)))
    assert set(zone.drain().outcomes()) == {"applied"}
    (found,) = zone.one("SELECT offenders FROM sif.discipline_incident WHERE zone_id = %(zone)s")
    assert [(one["Name"]["LastName"], actions_of(one)) for one in found] == [
        (name, [(code, str(day), f"{days}.5") for code, day, days in actions]) for name, actions in offenders
    ]


def actions_of(found: dict) -> list[tuple[str, str, str]]:
    actions = listed(found["ActionList"]["Action"]) if "ActionList" in found else []
    return [(action["Code"], action["StartDate"], action["Duration"]) for action in actions]


KEYED = st.dictionaries(st.sampled_from(["0096", "0350", "0400", "0426", "0437"]), st.integers(0, 99), max_size=5)


@FEW
@given(st.lists(st.tuples(KEYED, st.sets(st.sampled_from(["0096", "0350", "0400"]))), min_size=1, max_size=5))
def test_changes_of_a_keyed_list_come_to_what_a_dictionary_would(changes):
    """The model is a dictionary by Type: a Change sets items and takes items out."""
    base = open_message((EXAMPLES / "StudentPersonal/valid/minimal.xml").read_bytes())
    expected: dict[str, str] = {}
    for numbers, gone in changes:
        items = "".join(
            f'<PhoneNumber Type="{kind}"><Number>555-01{number:02d}</Number></PhoneNumber>'
            for kind, number in numbers.items()
            if kind not in gone
        ) + "".join(f'<PhoneNumber Type="{kind}" SIF_Action="Delete"/>' for kind in gone)
        if not items:
            continue
        head = f'<StudentPersonal xmlns="{SIF[1:-1]}" RefId="{base.get("RefId")}">'
        change = open_message(f"{head}<PhoneNumberList>{items}</PhoneNumberList></StudentPersonal>".encode())
        assert inspection.findings(change, Profile.SPARSE) == []
        base = merged(base, change)
        expected |= {kind: f"555-01{number:02d}" for kind, number in numbers.items() if kind not in gone}
        expected = {kind: number for kind, number in expected.items() if kind not in gone}
        found = base.findall(f"{SIF}PhoneNumberList/{SIF}PhoneNumber")
        assert {phone.get("Type"): phone.findtext(f"{SIF}Number") for phone in found} == expected
        assert schema.is_valid(base, Profile.WHOLE)
