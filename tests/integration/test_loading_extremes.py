"""Whatever the schema lets through, the warehouse takes or finds fault with; no value stops a drain."""

from copy import deepcopy
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
import sif_text as sif
from lxml import etree

from sif_pipeline.loading import drain
from sif_pipeline.loading.drain import Limits
from sif_pipeline.reading.mapping import LONGEST_LIST
from sif_pipeline.sif import schema
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.schema import Profile
from warehouse.base import elements, objects

EXAMPLES = Path(__file__).parents[1] / "examples"

EXTREMES = [
    "", " ", "0", "-0", "00", "+1", "-1", "1.", ".5", "-.5", "1e5", "INF", "-INF", "NaN", "9" * 39, "9" * 41, "9" * 400,
    "0." + "1" * 60, "2147483647", "2147483648", "-2147483648", "-2147483649", " 7 ", "0001", "9999", "10000", "-0044",
    "2026Z", "2026+14:00", "0001-01-01", "9999-12-31", "10000-01-01", "-0044-03-15", "2026-02-28Z", "2026-02-28-14:00",
    "2024-02-29", " 2024-02-29 ", "2026-06", "2026-06Z", "24:00:00", "2026-02-28T24:00:00", "true", "1", "Yes", "NULL",
    "null", "\\N", "\\.", "\\", "{}", "{,}", "[]", '"', "'", "';--", "%s", "a\tb\nc", "\x85", "\u2028", "\ufffd",
    "\U0001f600", "e\u0301", "\u0664", "x" * 20_000, "A" * 32, "a" * 32, f" {'A' * 32} ", "http://x/?a=b&c",
]  # fmt: skip


def places(full, cls):
    """Find what an object's columns are read from, in a full example: elements and, by name, attributes."""
    for _, line in elements(cls):
        path, is_attribute, attribute = line.path.rpartition("@")
        if path == "" and is_attribute:
            yield full, attribute
            continue
        node = full.find("/".join(f"{{{sif.NAMESPACE}}}{step}" for step in (path or line.path).strip("/").split("/")))
        while len(node):  # a column of JSON takes all below: its first value stands for the others
            node = node[0]
        yield node, attribute if is_attribute else None


def variants(name):
    """Give every valid object that differs from the full example in one extreme value."""
    full = open_message((EXAMPLES / name / "valid" / "full.xml").read_bytes())
    tree, found = etree.ElementTree(full), []
    for node, attribute in places(full, objects()[name]):
        for extreme in EXTREMES:
            copy = deepcopy(full)
            other = copy if node is full else copy.find(tree.getelementpath(node))
            if attribute is None:
                other.text = extreme
            else:
                other.set(attribute, extreme)
            if schema.is_valid(copy, Profile.WHOLE):
                found.append(copy)
    return found


@pytest.mark.parametrize("name", sorted(objects()))
def test_every_valid_extreme_is_loaded_or_found_fault_with(connection, name):
    zone, copies = sif.Inbox.new(connection), variants(name)
    assert len(copies) > 5  # an object of little but references has few
    for number, copy in enumerate(copies):
        if "RefId" in copy.attrib:
            copy.set("RefId", sif.ref(f"{name} {number}"))
    for start in range(0, len(copies), 50):
        texts = [etree.tostring(copy, encoding="unicode") for copy in copies[start : start + 50]]
        zone.put(sif.response(*texts, at=sif.minute(1)))
    while drain.drain_batch(connection, Limits()) is not None:
        pass
    assert set(zone.states()) == {"done"}
    assert set(zone.outcomes()) <= {"applied", "held", "unfit", "superseded"}
    unfit = zone.all(
        "SELECT DISTINCT code FROM inbox.notice WHERE zone_id = %(zone)s AND severity = 'error' ORDER BY 1"
    )
    assert {code for (code,) in unfit} <= {"value_out_of_range", "element_missing"}


STAMPS = ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T14:00:00+14:00", "9999-12-31T09:59:59-14:00"]


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York", "Pacific/Kiritimati"])
def test_timestamps_at_the_ends_of_time_are_implausible_in_every_time_zone(database_url, timezone):
    """A server whose time zone is not UTC gives such a time in a year that Python does not have."""
    with sif.operator(database_url) as operator:
        operator.execute(f"ALTER ROLE CURRENT_USER IN DATABASE {operator.info.dbname} SET timezone = '{timezone}'")
    with sif.connected(database_url) as connection:
        zone = sif.Inbox.new(connection)
        for number, stamp in enumerate(STAMPS):
            body = sif.event("Add", sif.student(str(number)), at=sif.minute(1))
            zone.put(body.replace(sif.minute(1).isoformat().encode(), stamp.encode()))
        zone.drain()
        assert zone.states() == ["done"] * 4
        assert zone.outcomes() == ["applied"] * 4
        assert [code for code, _ in zone.open_findings()] == ["timestamp_implausible"] * 4
    drain.drain(database_url)
    with psycopg.connect(database_url) as plain:
        assert plain.execute("SHOW timezone").fetchone() == (timezone,)


def test_absent_nil_and_empty_are_three_different_things(connection):
    zone = sif.Inbox.new(connection)
    middle = "<FirstName>Ada</FirstName><MiddleName{}</MiddleName>"
    texts = [sif.student(word).replace("<FirstName>Ada</FirstName>", middle.format(said)) for word, said in
             (("nil", ' xsi:nil="true">'), ("empty", ">"), ("named", ">Eve"))]  # fmt: skip
    mandatory = sif.student("mandatory").replace("<LocalId>1</LocalId>", '<LocalId xsi:nil="true"/>')
    zone.put(sif.event("Add", sif.student("absent"), *texts, mandatory, at=sif.minute(1)))
    zone.drain()
    assert zone.outcomes() == ["applied"] * 4 + ["rejected"]
    assert zone.open_findings() == [("element_missing", "StudentPersonal/LocalId")]
    rows = dict(zone.all("SELECT row_key, middle_name FROM sif.student_personal WHERE zone_id = %(zone)s"))
    found = {word: rows[sif.ref(word).lower()] for word in ("absent", "nil", "empty", "named")}
    assert found == {"absent": None, "nil": None, "empty": "", "named": "Eve"}


def test_every_kind_of_column_takes_what_was_sent(connection):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A"), sif.school("S"), at=sif.minute(1)))
    more = "<FTE>0.50</FTE>"
    extended = (
        '<SIF_ExtendedElements><SIF_ExtendedElement Name="bus">7 &amp; 8</SIF_ExtendedElement></SIF_ExtendedElements>'
    )
    zone.put(sif.event("Add", sif.enrollment("E", "A", "S", more=more + extended), at=sif.minute(2)))
    zone.drain()
    row = zone.one(
        "SELECT student_ref_id, school_year, entry_date, exit_date, fte, exit_type_other_codes, extended"
        " FROM sif.student_school_enrollment WHERE zone_id = %(zone)s"
    )
    assert row == (sif.ref("A").lower(), 2027, date(2026, 9, 1), None, Decimal("0.50"), [], {"bus": "7 & 8"})


@pytest.mark.parametrize("count", [LONGEST_LIST, LONGEST_LIST + 1, 2000])
def test_a_list_that_stands_in_an_index_is_taken_up_to_its_bound(connection, count):
    """PostgreSQL refuses index entries of more than 2,700 bytes: no district may stop its zone by such a list."""
    zone = sif.Inbox.new(connection)
    codes = ("0998", "0999", "1000", "1001", "1002")
    races = "".join(f"<Race><Code>{codes[n * n % 5]}</Code></Race>" for n in range(count))
    demographics = f"<Demographics><RaceList>{races}</RaceList></Demographics>"
    zone.put(sif.response(sif.student("A", more=demographics), sif.student("B"), at=sif.minute(1)))
    zone.drain()
    too_long = [("value_out_of_range", "StudentPersonal/Demographics/RaceList/Race/Code")]
    assert zone.open_findings() == (too_long if count > LONGEST_LIST else [])
    assert zone.outcomes() == ["unfit" if count > LONGEST_LIST else "applied", "applied"]
