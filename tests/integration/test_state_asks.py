"""The state asks over real HTTP: agents that pull or listen answer; what comes back is compared and loaded."""

import json
import os
import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sif_sync import always_pulling
from typer.testing import CliRunner

from sif_pipeline import cli
from sif_pipeline.agent.writing import response
from sif_pipeline.cli import request as request_commands
from sif_pipeline.cli import sync as sync_commands
from sif_pipeline.config import PROJECT, Settings
from sif_pipeline.database import session
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.loading import drain
from sif_pipeline.sif.query import EVERYTHING, read_where
from sif_pipeline.state import reconciliation, requests, syncs
from sif_pipeline.state.requests import NobodyProvides, Question
from sif_pipeline.testing import flawed, key_of, pulling, pushing, sample_objects, zone_server
from sif_pipeline.zone import log_entries

COMMANDS = request_commands, sync_commands
"""Modules whose import adds their commands to the command line."""


@pytest.fixture(scope="module")
def server(module_database_url):
    with zone_server(module_database_url) as found:
        yield found


@pytest.fixture
def zone(server):
    return server.zone(change_limit=0.5)


STUDENTS = sample_objects("StudentPersonal", 30)


@contextmanager
def joined(zone, agent=pulling, holds=None, subscribes=()):
    with agent(zone.url, holds={"StudentPersonal": STUDENTS} if holds is None else holds) as found:
        assert all(answer.is_good for answer in found.join(subscribes=subscribes))
        yield found


def ask(zone, object_name="StudentPersonal", where=EVERYTHING, lifetime=timedelta(hours=1)):
    with session(zone.database_url) as connection:
        return requests.ask(connection, zone.name, Question(object_name, where, lifetime))


def loaded(zone, table="student_personal"):
    drain.drain(zone.database_url)
    query = f"SELECT row_key FROM sif.{table} JOIN inbox.zone USING (zone_id) WHERE name = %(zone)s"
    return {row_key for (row_key,) in zone.rows(query)}


def ref_ids(objects):
    return {key_of(one).split(b'"')[1].decode().lower() for one in objects}


def command(zone, *arguments):
    environment = {**os.environ, "SIF_DATABASE_URL": zone.database_url}
    words = [sys.executable, "-m", "sif_pipeline", *arguments]
    return subprocess.run(words, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)


def said(zone, *arguments):
    """Run a command in this process, which is quicker, and give what it printed."""
    done = CliRunner().invoke(cli.app, arguments, env={"SIF_DATABASE_URL": zone.database_url}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_pull_agent_answers_a_full_sync_in_packets(zone, monkeypatch):
    monkeypatch.setattr(requests, "MAX_BUFFER", 8_000)
    with joined(zone) as agent:
        for one in (*STUDENTS[:28], *sample_objects("StudentPersonal", 31)[30:]):
            agent.event("Add", "StudentPersonal", one)
        before = loaded(zone)
        sync = syncs.ask(zone.database_url, zone.name, "StudentPersonal")
        assert loaded(zone) == before
        (request,) = agent.pull_all()
        assert request.message.source_id == "SIF-PIPELINE"
        assert {answer.words for answer in agent.answered} == {"status 0"}
    reconciliation.advance(zone.database_url)
    found = syncs.show(zone.database_url, sync.sync_id)
    assert found.packets > 2
    assert (found.state, found.there, found.here) == ("applied", 30, 29)
    assert (found.missing_here, found.missing_there, found.different) == (2, 1, 0)
    assert loaded(zone) == ref_ids(STUDENTS)


def test_a_push_agent_answers_a_request(zone):
    with joined(zone, pushing) as agent:
        msg_id = ask(zone, where=read_where("LocalId GE 1"))
        (request,) = agent.wait_for(1)
        assert b"<SIF_Element>LocalId</SIF_Element>" in request.body
        wait_for_end(zone, msg_id)
    (asked,) = requests.listed(zone.database_url, msg_ids=[msg_id])
    assert (asked.state, asked.packets, asked.purpose) == ("complete", 1, None)
    assert loaded(zone) == ref_ids(STUDENTS)


def wait_for_end(zone, msg_id):
    ended = threading.Event()
    for _ in range(600):
        if requests.listed(zone.database_url, msg_ids=[msg_id])[0].state != "open":
            return
        ended.wait(0.1)
    pytest.fail("the request did not end")


def test_attributes_are_asked_for_as_attributes(zone):
    with joined(zone, holds={"StudentSchoolEnrollment": []}) as agent:
        ask(zone, "StudentSchoolEnrollment", read_where("SchoolYear EQ 2027"))
        assert b"<SIF_Element>@SchoolYear</SIF_Element>" in agent.fetch().body


def test_what_the_object_does_not_have_is_not_asked(zone):
    with joined(zone), pytest.raises(ConfigurationError, match="SIF's StudentPersonal has no Nonsense"):
        ask(zone, where=read_where("Nonsense GE 100"))
    assert requests.listed(zone.database_url, zone=zone.name) == []


def test_the_command_asks_for_summaries_as_of_a_day(zone):
    asks = ("request", "StudentAttendanceSummary", "--zone", zone.name)
    with joined(zone, holds={"StudentAttendanceSummary": []}) as agent:
        said(zone, *asks, "--end-date", "2026-10-01", "--where", "SchoolYear EQ 2027")
        body = agent.fetch().body
    conditions = re.findall(
        rb"<SIF_Element>(.*?)</SIF_Element><SIF_Operator>(.*?)</SIF_Operator><SIF_Value>(.*?)<", body
    )
    assert conditions == [(b"@SchoolYear", b"EQ", b"2027"), (b"EndDate", b"EQ", b"2026-10-01")]
    assert b'Type="And"' in body


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--sync", "--end-date", "2026-10-01"), "--sync asks for everything"),
        (("--sync", "--where", "LocalId EQ 1"), "--sync asks for everything"),
        (("--where", "LocalId EQ 1 OR LocalId EQ 2", "--end-date", "2026-10-01"), "joined by OR"),
    ],
)
def test_conditions_that_cannot_be_are_said_in_a_sentence(zone, options, words):
    asks = ["request", "StudentPersonal", "--zone", zone.name, *options]
    done = CliRunner().invoke(cli.app, asks, env={"SIF_DATABASE_URL": zone.database_url, "COLUMNS": "200"})
    assert (done.exit_code, words in done.output) == (2, True)


def test_what_cannot_be_asked_is_said_in_a_sentence(zone):
    with joined(zone):
        with pytest.raises(NobodyProvides, match=f"No registered agent of zone {zone.name} provides SchoolInfo"):
            ask(zone, "SchoolInfo")
        with pytest.raises(ConfigurationError, match="does not collect 'Unicorn'"):
            ask(zone, "Unicorn")
        with pytest.raises(ConfigurationError, match="has no events"):
            syncs.ask(zone.database_url, zone.name, "StudentAttendanceSummary")
        sync = syncs.ask(zone.database_url, zone.name, "StudentPersonal")
        with pytest.raises(ConfigurationError, match=f"Sync {sync.sync_id} of StudentPersonal"):
            syncs.ask(zone.database_url, zone.name, "StudentPersonal")
    with session(zone.database_url) as connection, pytest.raises(UnknownZone):
        requests.ask(connection, "nowhere", Question("SchoolInfo"))
    with pytest.raises(UnknownZone):
        syncs.schedule(zone.database_url, "nowhere", None)
    with pytest.raises(ConfigurationError, match="`sif-pipeline request list` shows them"):
        said(zone, "request", "show", "A" * 32)
    with pytest.raises(ConfigurationError, match="`sif-pipeline sync list` shows them"):
        said(zone, "sync", "show", "999999")


def test_a_cancelled_request_is_not_delivered_and_its_packets_are_refused(zone):
    with joined(zone) as agent:
        first, second = ask(zone), ask(zone)
        request = agent.fetch()
        assert request.message.msg_id == first
        assert requests.cancel(zone.database_url, first)
        assert not requests.cancel(zone.database_url, first)
        assert [answer.error for answer in agent.respond(request, STUDENTS)] == [(8, 18)]
        agent.ack(request)
        assert agent.fetch().message.msg_id == second
        assert [one.error for one in requests.listed(zone.database_url, msg_ids=[first])] == ["8/18"]


def test_an_error_of_the_agent_is_told_in_the_standards_words(zone):
    with joined(zone) as agent:
        msg_id = ask(zone)
        agent.ack(agent.fetch())
        error = b"<SIF_Error><SIF_Category>8</SIF_Category><SIF_Code>9</SIF_Code><SIF_Desc>Ann</SIF_Desc></SIF_Error>"
        assert agent.say("SIF_Response", response(msg_id, 1, error, more=False), destination_id="SIF-PIPELINE").is_good
    (listed,) = json.loads(said(zone, "request", "list", "--zone", zone.name, "--format", "json"))
    for one in (listed, json.loads(said(zone, "request", "show", msg_id, "--format", "json"))):
        assert (one["error"], one["meaning"]) == ("8/9", "Unsupported query in request")
        assert "Ann" not in str(one)
    assert "meaning" in said(zone, "request", "list")


def test_what_is_late_is_given_up(zone):
    with joined(zone) as agent:
        sync = syncs.ask(zone.database_url, zone.name, "StudentPersonal", timedelta(0))
        reconciliation.advance(zone.database_url)
        found = syncs.show(zone.database_url, sync.sync_id)
        assert (found.state, found.reason) == ("failed", "The answer did not come in time.")
        assert agent.fetch() is None
        (given_up,) = requests.listed(zone.database_url, msg_ids=[found.request_msg_id])
        assert (given_up.state, given_up.error) == ("timed_out", "8/16")


def test_who_only_responds_is_asked_by_name(zone):
    with joined(zone, holds={}) as agent:
        (zone_id,) = zone.rows("SELECT zone_id FROM inbox.zone WHERE name = %(zone)s")[0]
        declare = "INSERT INTO inbox.provision VALUES (%(id)s, %(agent)s, %(kind)s, 'StudentPersonal') RETURNING 1"
        zone.rows(declare, id=zone_id, agent=agent.source_id, kind="SIF_RespondObjects")
        ask(zone)
        assert agent.fetch().message.destination_id == agent.source_id


def test_a_district_is_asked_for_summaries_and_what_was_not_synced_this_year(zone):
    objects = {"StudentPersonal": [], "StudentAttendanceSummary": [], "SchoolInfo": []}
    with joined(zone, holds=objects) as agent:
        asked = syncs.ask_district(zone.database_url, zone.name)
        assert syncs.ask_district(zone.database_url, zone.name) == asked[2:]  # it is still being answered
        assert [one.root[0].find(".//{*}SIF_QueryObject").get("ObjectName") for one in agent.pull_all()] == [
            "SchoolInfo", "StudentPersonal", "StudentAttendanceSummary",
        ]  # fmt: skip
        assert [one.object_name for one in requests.listed(zone.database_url, msg_ids=asked, state="complete")] == [
            "StudentAttendanceSummary", "StudentPersonal", "SchoolInfo",
        ]  # fmt: skip
        (again,) = syncs.ask_district(zone.database_url, zone.name)
        assert again not in asked
        assert syncs.ask_district(zone.database_url, zone.name, everything=True) == [*asked[:2], again]
        drain.drain(zone.database_url)
        reconciliation.advance(zone.database_url)
        assert syncs.ask_district(zone.database_url, zone.name) == [again]
        anew = syncs.ask_district(zone.database_url, zone.name, everything=True)
        assert (len(anew), set(anew) & set(asked)) == (3, set())


def test_an_agent_that_subscribes_is_told_of_its_flawed_object(zone):
    with joined(zone, subscribes=("SIF_LogEntry",)) as agent:
        agent.event("Add", "StudentPersonal", flawed(STUDENTS[0]))
        drain.drain(zone.database_url)
        log_entries.tell(zone.database_url, after=timedelta(0))
        (entry,) = agent.pull_all()
        assert entry.message.message_type == "SIF_Event"
        assert b"<SIF_ApplicationCode>element_out_of_place</SIF_ApplicationCode>" in entry.body
        assert agent.pull_all() == []


def test_the_command_waits_for_a_sync_and_says_what_it_found(zone):
    with joined(zone) as agent, always_pulling(agent):
        for one in STUDENTS[:10]:
            agent.event("Add", "StudentPersonal", one)
        drain.drain(zone.database_url)
        done = command(zone, "request", "StudentPersonal", "--zone", zone.name, "--sync", "--wait")
    assert done.returncode == 0, done.stderr
    assert "The request is complete after 1 packet." in done.stdout
    assert "is applied: 30 there and 10 here, 20 missing here, 0 missing there, 0 different." in done.stdout
    assert loaded(zone) == ref_ids(STUDENTS)


def test_the_command_that_waits_for_a_sync_fails_with_it(zone, monkeypatch):
    monkeypatch.setattr(reconciliation, "_read_answer", lambda *_: 1 / 0)
    arguments = ["request", "StudentPersonal", "--zone", zone.name, "--sync", "--wait"]
    with joined(zone) as agent, always_pulling(agent):
        done = CliRunner().invoke(cli.app, arguments, env={"SIF_DATABASE_URL": zone.database_url})
    assert done.exit_code == 1
    assert "The request is complete after 1 packet." in done.stdout
    assert f"in zone {zone.name} is failed. It could not be compared (ZeroDivisionError)" in done.stdout


def test_commands_show_requests_and_syncs_and_take_decisions(zone):
    with joined(zone, holds={"StudentPersonal": STUDENTS[:3]}) as agent:
        for one in STUDENTS[:10]:
            agent.event("Add", "StudentPersonal", one)
        drain.drain(zone.database_url)
        asked = said(zone, "request", "StudentPersonal", "--zone", zone.name, "--sync")
        agent.pull_all()
    number = asked.split("Full sync ")[1].split(":")[0]
    msg_id = asked.split()[-1].rstrip(".")
    assert "1 waiting for a decision" in said(zone, "sync", "advance")
    assert "complete" in said(zone, "request", "show", msg_id)
    assert msg_id in said(zone, "request", "list", "--zone", zone.name, "--format", "csv")
    listed = said(zone, "sync", "list", "--zone", zone.name, "--state", "waiting", "--format", "json")
    assert '"missing_there": 7' in listed
    assert "It would delete 7 and change 0: 70.0 % of 10 objects (50.0 % may)." in said(zone, "sync", "show", number)
    with pytest.raises(ConfigurationError, match=f"Request {msg_id} is over already: it is complete"):
        said(zone, "request", "cancel", msg_id)
    accepted = said(zone, "sync", "accept", number, "--by", "pat")
    assert f"Sync {number} of StudentPersonal in zone {zone.name} is applied" in accepted
    assert loaded(zone) == ref_ids(STUDENTS[:3])
    with pytest.raises(ConfigurationError, match="does not wait for a decision"):
        said(zone, "sync", "refuse", number)


@pytest.mark.parametrize("wrong", [("25:00",), ("02:00", "--limit", "2"), ("02:00", "--limit", "much")])
def test_a_schedule_that_is_none_is_refused(zone, wrong):
    arguments = ["sync", "schedule", zone.name, *wrong]
    assert CliRunner().invoke(cli.app, arguments, env={"SIF_DATABASE_URL": zone.database_url}).exit_code == 2


def test_a_zone_is_due_at_its_time_of_day_until_it_was_asked(zone):
    said(zone, "sync", "schedule", zone.name, "02:00", "--limit", "0.2")
    assert zone.rows("SELECT sync_at::text, change_limit::text FROM inbox.zone WHERE name = %(zone)s") == [
        ("02:00:00", "0.2")
    ]
    east = ZoneInfo("America/New_York")
    before, after = datetime(2027, 3, 14, 1, 59, tzinfo=east), datetime(2027, 3, 14, 3, 1, tzinfo=east)  # clocks change
    assert zone.name not in syncs.due(zone.database_url, east, before)
    assert zone.name in syncs.due(zone.database_url, east, after)
    with joined(zone):
        assert syncs.ask_district(zone.database_url, zone.name)
    now = datetime.now(UTC)
    noon = datetime.combine(now.astimezone(east) + timedelta(days=1), time(12), east)
    assert zone.name not in syncs.due(zone.database_url, east, now)
    assert zone.name in syncs.due(zone.database_url, east, noon)
    said(zone, "sync", "schedule", zone.name, "never")
    assert zone.name not in syncs.due(zone.database_url, east, now + timedelta(days=2))


def test_without_airflow_a_command_asks_who_is_due(zone):
    timezone = Settings.from_environment().timezone
    said(zone, "sync", "schedule", zone.name, "00:00")
    with joined(zone):
        assert f"Zone {zone.name}: 1 request." in said(zone, "sync", "advance", "--ask-due")
        day = datetime.now(timezone).date()
        again = said(zone, "sync", "advance", "--ask-due")
        assert zone.name not in again or datetime.now(timezone).date() > day, "it is due again at midnight"
    said(zone, "sync", "schedule", zone.name, "never")


@pytest.mark.parametrize(
    ("day", "began"), [("2026-08-31", "2025-09-01"), ("2026-09-01", "2026-09-01"), ("2027-06-30", "2026-09-01")]
)
def test_a_school_year_begins_in_september(day, began):
    assert syncs.year_began(date.fromisoformat(day)) == date.fromisoformat(began)


def test_a_suspended_zone_is_not_asked(zone):
    with joined(zone):
        with psycopg.connect(zone.database_url) as connection:
            connection.execute("UPDATE inbox.zone SET suspended_at = now() WHERE name = %s", [zone.name])
        with pytest.raises(ConfigurationError, match="is suspended"):
            ask(zone)
