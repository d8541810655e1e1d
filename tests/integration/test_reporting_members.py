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


AT = "2026-11-01"
BY_GRADE = "SELECT lea_code, grade_code, students FROM reporting.rpt_enrollment_by_grade_as_of(%(at)s)"
EVERYBODY = (
    "SELECT lea_code, students FROM reporting.rpt_enrollment_by_subgroup_as_of(%(at)s) WHERE subgroup_type = 'All'"
)


def test_a_student_counts_once_in_the_grade_entered_last_and_in_no_report_when_deleted(connection):
    grade = "<GradeLevel><Code>{0}</Code></GradeLevel>".format
    zone = loaded(
        connection,
        *(sif.student(word, word) for word in "AB"),
        sif.school("S"),
        sif.enrollment("E1", "A", "S", "2026-09-01", grade("07")),
        sif.enrollment("E2", "A", "S", "2026-10-01", grade("08")),
        sif.enrollment("E3", "B", "S", "2026-09-01", grade("09")),
    )
    assert zone.all(BY_GRADE, at=AT) == [("00350000", "08", 1), ("00350000", "09", 1)]
    assert zone.all(EVERYBODY, at=AT) == [("00350000", 2)]
    zone.put(sif.event("Delete", sif.sparse("StudentPersonal", "B"), at=sif.minute(2)))
    zone.drain()
    connection.execute("UPDATE sif.student_personal SET recorded_from = '2020-01-01'")
    connection.execute("DELETE FROM sif_history.student_personal")
    assert zone.all(BY_GRADE, at=AT) == [("00350000", "08", 1)]
    assert zone.all(EVERYBODY, at=AT) == [("00350000", 1)]


def test_two_zones_of_one_district_are_two_lines_in_both_reports(connection):
    for word in "AB":
        zone = loaded(
            connection, sif.student(word), sif.school(f"S{word}"), sif.enrollment(f"E{word}", word, f"S{word}")
        )
    connection.execute("UPDATE inbox.zone SET name = 'same' || zone_id")
    assert zone.all(BY_GRADE, at=AT) == [("00350000", "Unknown", 1)] * 2
    assert zone.all(EVERYBODY, at=AT) == [("00350000", 1)] * 2


@pytest.mark.parametrize(
    ("day", "member"), [("2026-06-30", False), ("2026-07-01", True), ("2027-06-30", True), ("2027-07-01", False)]
)
def test_an_enrolment_without_exit_covers_days_of_its_own_school_year_only(connection, day, member):
    zone = loaded(connection, sif.student("A"), sif.school("S"), sif.enrollment("E", "A", "S", "2026-01-01"))
    assert is_member(zone, f"{day} 12:00-04") == [(member,)]
