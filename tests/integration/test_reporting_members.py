"""Who counts as a member on which day, in every report alike."""

from zoneinfo import ZoneInfo

import pytest
import sif_text as sif

from sif_pipeline import database


@pytest.fixture
def connection(database_url):
    with sif.connected(database_url) as connection:
        yield connection


def is_member(zone, at):
    ask = "SELECT is_member FROM reporting.fct_enrollment_as_of(%(at)s) WHERE zone_id = %(zone)s"
    return zone.all(ask, at=at)


def loaded(connection, *objects):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", *objects, at=sif.minute(1)))
    zone.drain()
    connection.execute("UPDATE sif.student_school_enrollment SET recorded_from = '2020-01-01'")
    connection.execute("UPDATE sif.student_personal SET recorded_from = '2020-01-01'")
    return zone


@pytest.mark.parametrize("session", ["UTC", "America/New_York", "Asia/Tokyo", "Pacific/Honolulu"])
def test_a_day_is_the_states_whatever_the_sessions_time_zone(connection, session):
    connection.execute("SELECT set_config('timezone', %s, false)", [session])
    zone = loaded(connection, sif.student("A"), sif.school("S"), sif.enrollment("E", "A", "S", "2026-09-01"))
    assert is_member(zone, "2026-09-01 03:59+00") == [(False,)]
    assert is_member(zone, "2026-09-01 04:00+00") == [(True,)]


def test_another_time_zone_makes_the_reports_anew(connection):
    day = "SELECT reporting.day_of('2026-09-01 03:00+00')::text"
    assert connection.execute(day).fetchone() == ("2026-08-31",)
    database.publish(connection, ZoneInfo("UTC"))
    assert connection.execute(day).fetchone() == ("2026-09-01",)
