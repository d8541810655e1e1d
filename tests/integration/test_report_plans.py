"""How the reports are answered: from the covering indexes, each once, at a cost that grows as the state does."""

from datetime import datetime, timedelta

import psycopg
import pytest
import sif_text as sif
from sif_server import wait_until

from sif_pipeline.config import Settings
from sif_pipeline.loading import bulk

TODAY = datetime.now(Settings.from_environment().timezone)
YEAR = (TODAY + timedelta(days=184)).year
"""The school year of today, in which the students are members."""

ENROLLMENT = sif.enrollment("E", "A", "S", f"{YEAR - 1}-07-01").replace('"2027"', f'"{YEAR}"')
ATTENDANCE = (
    f'<StudentAttendanceSummary StudentPersonalRefId="{sif.ref("A")}" SchoolInfoRefId="{sif.ref("S")}"'
    f' SchoolYear="{YEAR}"><StartDate>{YEAR - 1}-09-01</StartDate><StartDay>1</StartDay>'
    f"<EndDate>{YEAR - 1}-11-01</EndDate>"
    "<EndDay>40</EndDay><Resident>Yes</Resident><DaysAttended>38</DaysAttended><ExcusedAbsences>1</ExcusedAbsences>"
    "<UnexcusedAbsences>1</UnexcusedAbsences><DaysInMembership>40</DaysInMembership></StudentAttendanceSummary>"
)

COPIES = """
INSERT INTO {table}
SELECT r.*
FROM {table} AS t
CROSS JOIN generate_series(1, %(zones)s) AS z
CROSS JOIN generate_series(1, %(each)s) AS n
CROSS JOIN LATERAL jsonb_populate_record(
    t, jsonb_build_object(
        'zone_id', t.zone_id + z, 'row_key', md5('{kind}' || n)::uuid, 'student_ref_id', md5('student' || n)::uuid
    )
) AS r
WHERE t.zone_id = %(zone)s
"""
"""As many objects in as many zones as wanted, all like the one that was loaded."""

CLOSED = """
INSERT INTO {past}
SELECT r.*
FROM {current} AS t
CROSS JOIN LATERAL jsonb_populate_record(
    NULL::{past}, to_jsonb(t) || '{{"recorded_from": "{began}", "recorded_to": "{ended}"}}'
) AS r
WHERE hashtext(t.row_key::text) % 4 = 0
"""
"""An earlier version of every fourth object."""

TABLES = {
    "student_personal": "student", "student_school_enrollment": "enrollment", "student_attendance_summary": "summary",
}  # fmt: skip

ZONES = 8


def filled(connection, each):
    """Make a state of `each` students in each of a few districts, with some history; return a moment in it."""
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.school("S"), sif.student("A"), ENROLLMENT, ATTENDANCE))
    zone.drain()
    for number in range(ZONES):
        sif.Inbox.new(connection).put(sif.event("Add", sif.lea(f"L{number}")))
    zone.drain()
    for table, kind in TABLES.items():
        name = f"sif.{table}"
        numbers = {"zones": ZONES, "each": each, "zone": zone.zone_id}
        assert connection.execute(COPIES.format(table=name, kind=kind), numbers).rowcount == ZONES * each
        began, ended = (TODAY - timedelta(days=days) for days in (60, 2))
        connection.execute(CLOSED.format(current=name, past=f"sif_history.{table}", began=began, ended=ended))
        wait_until(lambda name=name: is_visible(connection, name))
        connection.execute(f"VACUUM (ANALYZE) sif_history.{table}")
    return TODAY - timedelta(days=5)


def is_visible(connection, table):
    """Vacuum a table, and tell whether all rows are known to be visible: autovacuum may look at an older state yet."""
    connection.execute(f"VACUUM (ANALYZE) {table}")
    seen = "SELECT relpages = relallvisible FROM pg_class WHERE oid = %s::regclass"
    return connection.execute(seen, [table]).fetchone()[0]


def plan(connection, report, as_of):
    """Run a report; give all nodes of its plan."""
    ask = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM reporting.{report}_as_of(%(at)s)"
    (((top,),),) = connection.execute(ask, {"at": as_of}).fetchall()
    return list(_nodes(top["Plan"]))


def _nodes(node):
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def rows_handled(nodes):
    """Count the rows that all scans and joins read or threw away, over all their loops."""
    counted = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter")
    steps = [node for node in nodes if "Relation Name" in node or "Join Type" in node]
    return sum(node["Actual Loops"] * node.get(count, 0) for node in steps for count in counted)


def of_objects(nodes):
    """Give the scans of the tables with an object for every student."""
    return [node for node in nodes if node.get("Relation Name") in TABLES]


@pytest.fixture(scope="module")
def small(module_database_url):
    with psycopg.connect(module_database_url, autocommit=True) as connection:
        yield connection, filled(connection, 300)


@pytest.fixture
def large(database_url):
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection, filled(connection, 1200)


REPORTS = ["rpt_enrollment_by_grade", "rpt_enrollment_by_subgroup", "rpt_attendance", "fct_membership"]


@pytest.mark.parametrize("report", REPORTS)
def test_a_report_reads_each_covering_index_once_and_no_row(small, report):
    connection, _ = small
    scans = of_objects(plan(connection, report, None))
    assert {node["Index Name"] for node in scans if "Index Name" in node} <= {
        *(f"ix_{table}_covering" for table in TABLES), "pk_student_personal",
    }  # fmt: skip
    assert [node["Node Type"] for node in scans] == ["Index Only Scan"] * len(scans)
    assert [node["Actual Loops"] for node in scans] == [1] * len(scans)
    assert [node["Heap Fetches"] for node in scans] == [0] * len(scans)


def test_reports_of_a_state_four_times_as_large_handle_four_times_as_many_rows(small, large):
    for report in REPORTS:
        for past in (False, True):
            little, much = (rows_handled(plan(c, report, at if past else None)) for c, at in (small, large))
            assert much < 6 * little, (report, past)


@pytest.mark.parametrize("report", REPORTS)
def test_as_of_a_date_no_table_is_read_more_than_once(large, report):
    """Single rows may be looked up by key; a scan of all of them happens once."""
    connection, at = large
    scans = of_objects(plan(connection, report, at))
    assert scans
    assert [node for node in scans if node["Actual Loops"] > 1 and node["Actual Rows"] > 1] == []
    assert [node for node in scans if node["Actual Loops"] > 1 and node["Node Type"] == "Seq Scan"] == []
    # What ended before that day is left out by a range of the index on recorded_to, which an OR would not be.
    assert not [node for node in scans if "recorded_to IS NULL" in str(node)]


def test_a_bulk_load_leaves_no_row_to_be_looked_up(database_url, tmp_path):
    """An index alone answers only where all rows of a page are known to be visible to everybody."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        zone = sif.Inbox.new(connection)
        (tmp_path / "all.xml").write_bytes(
            sif.response(sif.school("S"), *(sif.student(str(number)) for number in range(50)))
        )
        bulk.load(database_url, bulk.plan(database_url, zone.name, [tmp_path]))
        found = connection.execute(
            "SELECT relpages, relallvisible FROM pg_class WHERE oid = 'sif.student_personal'::regclass"
        ).fetchone()
        assert found[0] == found[1] > 0
