"""Upgrading a database that others use or upgrade too."""

import os
import subprocess
import sys
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sif_text as sif
from alembic import command
from alembic.config import Config

from sif_pipeline import database, status, zones
from sif_pipeline.exceptions import ConfigurationError

UPGRADE = "import sys; from sif_pipeline import database; database.upgrade(sys.argv[1])"


def test_four_processes_at_once_upgrade_an_empty_database(empty_database_url):
    command = [sys.executable, "-c", UPGRADE, empty_database_url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, env=dict(os.environ)) for _ in range(4)]
    errors = [process.communicate(timeout=300)[1].decode() for process in processes]
    assert (errors, [process.returncode for process in processes]) == ([""] * 4, [0] * 4)
    with database.session(empty_database_url) as connection:
        assert connection.execute("SELECT count(*) FROM reporting.dim_district").fetchone() == (0,)


READER = "pg_monitor"
"""A role that is there everywhere."""


@pytest.fixture
def readable_database_url(database_url):
    """Let the reader read one report, one column, no function that all may call, and what is new in the schema."""
    with psycopg.connect(database_url) as admin:
        admin.execute("GRANT USAGE ON SCHEMA reporting TO pg_monitor")
        admin.execute("GRANT SELECT ON reporting.rpt_attendance TO pg_monitor")
        admin.execute("GRANT SELECT (grade_code) ON reporting.rpt_enrollment_by_grade TO pg_monitor")
        admin.execute("REVOKE ALL ON FUNCTION reporting.day_of FROM PUBLIC")
        admin.execute("ALTER DEFAULT PRIVILEGES IN SCHEMA reporting GRANT SELECT ON TABLES TO pg_monitor")
    return database_url


def rights(url):
    ask = (
        "SELECT has_schema_privilege(%(role)s, 'reporting', 'USAGE'),"
        " has_table_privilege(%(role)s, 'reporting.rpt_attendance', 'SELECT'),"
        " has_column_privilege(%(role)s, 'reporting.rpt_enrollment_by_grade', 'grade_code', 'SELECT'),"
        " has_function_privilege(%(role)s, 'reporting.day_of(timestamptz)', 'EXECUTE'),"
        " (SELECT count(*) FROM pg_default_acl)"
    )
    with psycopg.connect(url) as connection:
        return connection.execute(ask, {"role": READER}).fetchone()


def test_publishing_keeps_everybodys_rights(readable_database_url):
    before = rights(readable_database_url)
    assert before == (True, True, True, False, 1)
    with database.session(readable_database_url) as connection:
        database.publish(connection, ZoneInfo("Asia/Tokyo"))
    assert rights(readable_database_url) == before


def test_migrating_keeps_everybodys_rights(empty_database_url):
    migrate(empty_database_url, command.upgrade, "0001")
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE SCHEMA reporting; GRANT USAGE ON SCHEMA reporting TO pg_monitor")
        connection.execute("CREATE VIEW reporting.rpt_attendance AS SELECT zone_id FROM inbox.zone")
        connection.execute("GRANT SELECT ON reporting.rpt_attendance TO pg_monitor")
    database.upgrade(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("SELECT attendance_rate FROM reporting.rpt_attendance")
        ask = (
            "SELECT has_schema_privilege('pg_monitor', 'reporting', 'USAGE'),"
            " has_table_privilege('pg_monitor', 'reporting.rpt_attendance', 'SELECT')"
        )
        assert connection.execute(ask).fetchone() == (True, True)


def test_what_was_drained_before_repeated_images_were_known_keeps_its_place(database_url):
    with sif.connected(database_url) as connection:
        zone = sif.Inbox.new(connection)
        zone.put(sif.response(sif.student("A"), sif.student("B"), at=sif.minute(5)))
        zone.put(sif.event("Change", sif.sparse("StudentPersonal", "B", "<LocalId>9</LocalId>"), at=sif.minute(3)))
        zone.drain()
        places = "SELECT message_id, ordered_at FROM inbox.message WHERE zone_id = %(zone)s ORDER BY 1"
        newest = "SELECT last_ordered_at, last_ordered_id FROM inbox.zone WHERE zone_id = %(zone)s"
        before = zone.all(places), zone.all(newest)
        migrate(database_url, command.downgrade, "0013")
        database.upgrade(database_url)
        assert (zone.all(places), zone.all(newest)) == before
        for minute in (6, 7):
            zone.put(sif.response(sif.student("A"), sif.student("B"), at=sif.minute(minute)))
            zone.drain()
        found = zone.all("SELECT unchanged FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id")
        assert found == [(0,), (0,), (0,), (2,)]


def test_refusals_from_before_they_were_kept_by_sentence_are_counted_on(database_url):
    fill = (
        "INSERT INTO inbox.refusal (zone_id, source_id, category, code, fault, sentence, times, last_at)"
        " SELECT zone_id, 'SIS', 1, 2, %(fault)s, %(sentence)s, 2, %(at)s FROM inbox.zone"
    )
    found = "SELECT fault, sentence, times FROM inbox.refusal"
    with psycopg.connect(database_url, autocommit=True) as connection:
        zones.add(connection, "north", "01010000")
        for fault, sentence, at in (("At line #", "At line 7", "2026-11-22"), ("Older", "Older", "2026-11-21")):
            connection.execute(fill, {"fault": fault, "sentence": sentence, "at": at})
    migrate(database_url, command.downgrade, "0014")
    database.upgrade(database_url)
    with psycopg.connect(database_url) as connection:
        assert connection.execute(found).fetchall() == [("At line #", "At line 7", 2)]


def test_objects_drained_before_they_were_counted_are_counted(database_url):
    with sif.connected(database_url) as connection:
        zone = sif.Inbox.new(connection)
        foreign, wrong = sif.sparse("LibraryPatronStatus", "P"), "<SchoolInfo RefId='x'/>"
        zone.put(sif.response(sif.student("A"), foreign, wrong, at=sif.minute(1)))
        zone.put(sif.event("Add", sif.enrollment("E", "A", "S"), at=sif.minute(2)))
        zone.put(sif.event("Add", foreign, at=sif.minute(3)))
        zone.drain()
    before = status.zones(database_url)
    (found,) = before
    counts = (found.objects_loaded, found.objects_held, found.objects_rejected, found.objects_not_collected)
    assert counts == (1, 1, 1, 2)
    migrate(database_url, command.downgrade, "0015")
    database.upgrade(database_url)
    assert status.zones(database_url) == before


def migrate(url, direction, revision):
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    with database.engine(url).begin() as connection:
        config.attributes["connection"] = connection
        direction(config, revision)


def test_a_foreign_view_is_named_and_kept(database_url):
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE VIEW public.of_the_state AS SELECT * FROM reporting.dim_school")
    with (
        pytest.raises(ConfigurationError, match=r"of_the_state depends on view reporting\.dim_school"),
        database.session(database_url) as connection,
    ):
        database.publish(connection, ZoneInfo("Asia/Tokyo"))
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM public.of_the_state").fetchone() == (0,)
