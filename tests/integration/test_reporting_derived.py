"""Declared extended elements and state codes are typed columns of the views of versions; what does not fit is NULL."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import sif_text as sif
from lxml import etree

from sif_pipeline.database import Connection, queries
from sif_pipeline.reading import mapping
from sif_pipeline.sif.elements import SIF
from sif_pipeline.sif.gate import open_message
from warehouse.base import objects

EXAMPLES = Path(__file__).parents[1] / "examples"


def with_parents(element: etree._Element) -> Iterator[str]:
    """Yield the smallest objects that an object refers to, theirs first, then itself."""
    for name, key in mapping.references(objects()[etree.QName(element).localname], element):
        parent = open_message((EXAMPLES / name / "valid/minimal.xml").read_bytes())
        parent.set("RefId", str(key).replace("-", "").upper())
        yield from with_parents(parent)
    yield etree.tostring(element, encoding="unicode")


def marks(text: str | None) -> etree._Element:
    element = open_message((EXAMPLES / "StudentSectionMarks/valid/minimal.xml").read_bytes())
    if text is not None:
        holder = etree.SubElement(element, SIF + "SIF_ExtendedElements")
        etree.SubElement(holder, SIF + "SIF_ExtendedElement", Name="MACreditsEarned").text = text
    return element


@pytest.mark.parametrize(
    ("text", "earned"),
    [
        *(("1.5", Decimal("1.5")), (" .25\n", Decimal("0.25")), ("-0", Decimal(0)), ("many", None), ("", None)),
        *((None, None), ("1e3", None), ("٣", None), ("9" * 41, None), ("NaN", None)),
    ],
)
def test_number_reads_as_a_number_or_as_nothing(connection, text, earned):
    zone = sif.Inbox.new(connection)
    zone.put(*(sif.response(one, at=sif.minute(n)) for n, one in enumerate(with_parents(marks(text)))))
    assert set(zone.drain().outcomes()) == {"applied"}
    statement = "SELECT credits_earned FROM reporting.student_section_marks_versions WHERE zone_id = %(zone)s"
    assert connection.execute(statement, {"zone": zone.zone_id}).fetchall() == [(earned,)]


def test_state_codes_are_those_of_their_codeset(connection):
    zone = sif.Inbox.new(connection)
    other = "<GradeLevel><Code>KG</Code><OtherCodeList>{}</OtherCodeList></GradeLevel>".format(
        "".join(
            f'<OtherCode Codeset="{codeset}">{code}</OtherCode>'
            for codeset, code in (("Local", "K1"), ("StateProvince", "KF"), ("StateProvince", "KT"))
        )
    )
    zone.put(sif.response(sif.lea(), sif.school(), sif.student(), sif.enrollment(more=other)))
    assert set(zone.drain().outcomes()) == {"applied"}
    statement = (
        "SELECT state_grade_code, state_exit_code, grade_code FROM reporting.student_school_enrollment_versions "
        "WHERE zone_id = %(zone)s"
    )
    assert connection.execute(statement, {"zone": zone.zone_id}).fetchall() == [("KF", None, "KG")]


def test_every_state_code_of_a_list(connection):
    zone = sif.Inbox.new(connection)
    races = "".join(
        f'<Race><Code>{code}</Code><OtherCodeList><OtherCode Codeset="StateProvince">{state}</OtherCode>'
        "</OtherCodeList></Race>"
        for code, state in (("1000", "02"), ("1002", "05"))
    )
    more = f"<Demographics><RaceList>{races}</RaceList></Demographics>"
    zone.put(sif.response(sif.student("A", more=more), sif.student("B", local="2")))
    assert set(zone.drain().outcomes()) == {"applied"}
    statement = (
        "SELECT state_race_codes FROM reporting.student_personal_versions WHERE zone_id = %(zone)s ORDER BY local_id"
    )
    assert connection.execute(statement, {"zone": zone.zone_id}).fetchall() == [(["02", "05"],), ([],)]


@pytest.mark.parametrize(
    ("text", "day"),
    [("2024-02-29", date(2024, 2, 29)), (" 2026-11-30Z ", date(2026, 11, 30)), ("2026-12-31-05:00", date(2026, 12, 31))]
    + [(text, None) for text in ("2026-02-29", "2026-13-01", "2026-04-31", "0000-01-01", "2026-1-1", "today", "")],
)
def test_date_reads_as_a_day_or_as_nothing(connection: Connection, text, day):
    assert connection.execute("SELECT reporting.as_date(%s)", [text]).fetchone() == (day,)


@pytest.mark.parametrize(
    ("text", "number"), [("12", 12), (" -7 ", -7), ("1.0", None), ("9999999999", None), ("", None)]
)
def test_whole_number_reads_as_one_or_as_nothing(connection: Connection, text, number):
    assert connection.execute("SELECT reporting.as_integer(%s)", [text]).fetchone() == (number,)


def test_views_with_readings_may_be_read_in_parallel(connection: Connection):
    statement = (
        "SELECT proname, proparallel FROM pg_proc WHERE pronamespace = 'reporting'::regnamespace AND proname ~ '^as_'"
    )
    assert dict(connection.execute(statement).fetchall()) == {f"as_{name}": "s" for name in queries("readings")}
    assert any(cls.derived for cls in objects().values())
