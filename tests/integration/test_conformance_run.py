"""A conformance run from beginning to end: a good agent and a bad one in a sandbox, watched and judged afterwards."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time

import httpx
import psycopg
import pytest

from sif_pipeline.agent import writing
from sif_pipeline.agent.kit import PLAIN
from sif_pipeline.conformance.script import STEPS, Outcome
from sif_pipeline.conformance.watching import EVER, AnotherThere, NobodyThere, after_the_fact, begin, watch
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.files import receiving
from sif_pipeline.loading import drain
from sif_pipeline.testing import KITS, flawed, key_of, pulling, pushing, sample_objects, zone_server
from warehouse.base import objects


@pytest.fixture(scope="module")
def server(module_database_url):
    with zone_server(module_database_url) as found:
        yield found


@pytest.fixture
def sandbox(server):
    return server.zone(is_sandbox=True)


STUDENTS = sample_objects("StudentPersonal", 120)


def go_through(agent, zone, *, take):
    """Do everything the script asks for."""
    assert agent.ping().is_good
    agent.join(subscribes=["SIF_LogEntry"])
    agent.event("Add", "StudentPersonal", STUDENTS[0])
    agent.event("Change", "StudentPersonal", STUDENTS[0])
    agent.event("Delete", "StudentPersonal", key_of(STUDENTS[0]))
    agent.event("Add", "StudentPersonal", flawed(STUDENTS[1]))
    take(agent)
    assert agent.event("Add", "StudentPersonal", STUDENTS[1]).is_good
    deadline = time.monotonic() + 60
    while not agent.wire.resent and time.monotonic() < deadline:  # the zone holds one answer back
        agent.event("Change", "StudentPersonal", STUDENTS[1])
    assert agent.wire.resent == 1
    assert agent.sleep().is_good
    assert agent.wakeup().is_good


def outcomes(report):
    return {r.step.name: r.verdict.outcome.value for r in report.results}


def watched(zone, **more):
    """Watch in a thread; give the list of looks."""
    looks, shown, since = [], [], begin(zone.database_url, zone.name)
    seen = threading.Thread(
        target=lambda: looks.extend(
            watch(zone.database_url, zone.name, since=since, seconds=300, period=0.05, changed=shown.append, **more)
        )
    )
    seen.start()
    return looks, shown, seen


def pull_until_answered(agent):
    """Pull until both requests are answered, and the log entry is taken."""
    end = time.monotonic() + 60
    while time.monotonic() < end and len(agent.received) < 3:
        agent.pull_all()
        time.sleep(0.05)
    assert {d.message.message_type for d in agent.received} == {"SIF_Request", "SIF_Event"}


def wait_until_pushed(agent):
    agent.wait_for(3)
    end = time.monotonic() + 60
    while time.monotonic() < end and len(agent.answered) < 3:
        time.sleep(0.02)


@pytest.mark.parametrize("kit", ["plain", "openadk", "openadk-acks-outer", "first-release"])
def test_an_agent_that_does_everything_conforms(sandbox, kit):
    looks, shown, thread = watched(sandbox)
    with pulling(sandbox.url, kit=KITS[kit], holds={"StudentPersonal": STUDENTS}) as agent:
        go_through(agent, sandbox, take=pull_until_answered)
        agent.unregister()
    thread.join(120)
    report = looks[-1]
    assert {n: o for n, o in outcomes(report).items() if o != "passed"} in ({}, {"zone_status": "not seen"})
    assert report.is_complete
    assert {r.step.name for r in shown} == {step.name for step in STEPS}
    again = after_the_fact(sandbox.database_url, sandbox.name)
    assert outcomes(again) == outcomes(report)


def test_a_push_agent_is_watched_too(sandbox):
    looks, _, thread = watched(sandbox)
    with pushing(sandbox.url, holds={"StudentPersonal": STUDENTS}) as agent:
        go_through(agent, sandbox, take=wait_until_pushed)
        agent.unregister()
    thread.join(120)
    found = outcomes(looks[-1])
    assert {found[name] for name in ("delivery", "ack", "response", "packets", "big_response")} == {"passed"}


def test_who_did_not_subscribe_to_log_entries_is_sent_none(sandbox):
    with pulling(sandbox.url) as agent:
        agent.register()
        agent.event("Add", "StudentPersonal", flawed(STUDENTS[0]))
        (report,) = watch(sandbox.database_url, sandbox.name, since=EVER, seconds=0)
        assert outcomes(report)["log_entry"] == "not seen"
        assert agent.fetch() is None


def test_a_log_entry_says_which_message_and_object_it_is_about(sandbox):
    with pulling(sandbox.url) as agent:
        agent.join(subscribes=["SIF_LogEntry"])
        bad = agent.write("SIF_Event", writing.event("Add", "StudentPersonal", flawed(STUDENTS[0])))
        agent.send(bad)
        list(watch(sandbox.database_url, sandbox.name, since=EVER, seconds=0))
        (entry,) = [d.body for d in agent.pull_all() if b"<SIF_LogEntry" in d.body]
    ref_id = re.search(rb'RefId="([0-9A-F]{32})"', STUDENTS[0])[1]
    named = re.search(rb"<SIF_LogObject .*?</SIF_LogObject>", entry)[0]
    assert b"<StudentPersonal" in named
    assert b'RefId="' + ref_id in named, named
    original = entry.partition(b"<SIF_OriginalHeader>")[2].partition(b"</SIF_OriginalHeader>")[0]
    assert bad.msg_id.encode() in original


def test_an_agent_that_forgets_what_was_not_answered_fails(sandbox):
    looks, _, thread = watched(sandbox)
    with pulling(sandbox.url, holds={"StudentPersonal": STUDENTS[:1]}) as agent:
        agent.join()
        status = 200
        while status == 200:
            written = agent.write("SIF_Event", writing.event("Add", "StudentPersonal", STUDENTS[0]))
            status = agent.wire.post(written.body).status_code
            time.sleep(0.05)
        assert status == 503
        agent.event("Add", "StudentPersonal", STUDENTS[0])
        agent.unregister()
    thread.join(120)
    assert outcomes(looks[-1])["resend"] == "failed"


def test_an_answer_is_held_back_only_while_somebody_watches(sandbox):
    with pulling(sandbox.url) as agent:
        agent.register()
        agent.event("Add", "StudentPersonal", STUDENTS[0])
        looks = watch(sandbox.database_url, sandbox.name, since=EVER, seconds=0)
        assert outcomes(list(looks)[-1])["resend"] == "not seen"
        assert agent.event("Add", "StudentPersonal", STUDENTS[0]).code == 0
        assert agent.wire.resent == 0


def test_nothing_of_a_sandbox_reaches_the_warehouse(sandbox, tmp_path):
    with pulling(sandbox.url, holds={"StudentPersonal": STUDENTS[:3]}) as agent:
        agent.join()
        for student in STUDENTS[:3]:
            assert agent.event("Add", "StudentPersonal", student).code == 0
        assert agent.say("SIF_Response", writing.response("0" * 32, 1, STUDENTS[4], more=False)).code == 0
    file = tmp_path / "students.xml"
    file.write_bytes(STUDENTS[5])
    assert receiving.receive(sandbox.database_url, sandbox.name, [file]).messages == 1
    summary = drain.drain(sandbox.database_url)
    assert summary.messages == 0
    assert {state for (state,) in sandbox.rows(
        "SELECT state FROM inbox.message JOIN inbox.zone USING (zone_id) WHERE name = %(zone)s"
        " AND message_type IN ('SIF_Event', 'SIF_Response', 'Objects')"
    )} == {"kept"}  # fmt: skip
    with psycopg.connect(sandbox.database_url) as connection:
        for cls in objects().values():
            for table in (cls.__table__, cls.history):
                assert connection.execute(f"SELECT count(*) FROM {table.schema}.{table.name}").fetchone() == (0,)
        (events,) = connection.execute("SELECT count(*) FROM inbox.object_event").fetchone()
        (notices,) = connection.execute("SELECT count(*) FROM inbox.notice").fetchone()
    assert (events, notices) == (0, 0)


def test_what_is_wrong_is_said_with_the_way_out(sandbox):
    with pulling(sandbox.url, holds={"StudentPersonal": STUDENTS[:1]}) as agent:
        agent.event("Add", "StudentPersonal", STUDENTS[0])  # before it registered: 4/9
        agent.join()
        first = agent.write("SIF_Event", writing.event("Add", "StudentPersonal", flawed(STUDENTS[2])))
        agent.send(first)
        agent.send(
            writing.write(
                PLAIN,
                "SIF_Event",
                "SIS",
                writing.event("Delete", "StudentPersonal", key_of(STUDENTS[3])),
                msg_id=first.msg_id,
            )
        )
        agent.event("Add", "StudentPersonal", *STUDENTS[5:7])
        httpx.post(sandbox.url, content=b"<SIF_Message><SIF_SourceId> SIS </SIF_SourceId>", timeout=60)
    report = after_the_fact(sandbox.database_url, sandbox.name)
    found = {r.step.name: r.verdict for r in report.results}
    failed = {name for name, verdict in found.items() if verdict.outcome is Outcome.FAILED}
    assert failed == {"envelope", "msg_id", "objects", "one_object"}
    assert f"StudentPersonal, message {first.msg_id}, line 1:" in found["objects"].reason
    assert "1/2" in found["envelope"].reason
    assert found["unregister"].outcome is Outcome.NOT_SEEN
    assert not report.is_complete


def test_no_value_of_an_object_is_in_a_report(sandbox):
    from sif_pipeline.conformance.report import FORMATS  # noqa: PLC0415

    secret = STUDENTS[2].replace(b"<LocalId>", b"<LocalId>CANARY").replace(b'RefId="', b'RefId="canary')
    with pulling(sandbox.url, holds={"StudentPersonal": []}) as agent:
        agent.join()
        agent.event("Add", "StudentPersonal", secret)
        agent.event("CANARY", "StudentPersonal", STUDENTS[2])
    report = after_the_fact(sandbox.database_url, sandbox.name)
    for write in FORMATS.values():
        assert "canary" not in write(report).lower()


def test_only_a_sandbox_is_judged_and_only_where_somebody_spoke(server, sandbox):
    url = sandbox.database_url
    with pytest.raises(UnknownZone, match="--sandbox"):
        after_the_fact(url, "nowhere")
    with pytest.raises(ConfigurationError, match="no sandbox"):
        after_the_fact(url, server.zone().name)
    with pytest.raises(NobodyThere):
        after_the_fact(url, sandbox.name)
    with pytest.raises(NobodyThere):
        list(watch(url, sandbox.name, since=EVER, seconds=0.1))


def test_who_joined_before_the_run_is_asked_too(sandbox):
    with pulling(sandbox.url, holds={"StudentPersonal": STUDENTS[:3]}) as agent:
        agent.join()
        since = begin(sandbox.database_url, sandbox.name)
        agent.ping()
        list(watch(sandbox.database_url, sandbox.name, since=since, seconds=0))
        assert [d.message.message_type for d in agent.pull_all()] == ["SIF_Request"] * 2
        (report,) = watch(sandbox.database_url, sandbox.name, since=since, seconds=0)
    found = outcomes(report)
    assert (found["provision"], found["delivery"], found["response"]) == ("not seen", "passed", "passed")


def test_what_nobody_signed_is_held_against_nobody(sandbox):
    with pulling(sandbox.url, "ONE") as one, pulling(sandbox.url, "TWO") as two:
        one.ping()
        two.ping()
        httpx.post(sandbox.url, content=b"<SIF_Message>", timeout=60)
        httpx.post(sandbox.url, content=b"<SIF_Message><SIF_SourceId>TWO</SIF_SourceId>", timeout=60)
        two.ping()
    verdicts = {
        name: next(r.verdict for r in found.results if r.step.name == "envelope")
        for name in ("ONE", "TWO")
        for found in [after_the_fact(sandbox.database_url, sandbox.name, name)]
    }
    assert (verdicts["ONE"].outcome, verdicts["TWO"].outcome) == (Outcome.PASSED, Outcome.FAILED)
    assert "Besides, 1 message came without a readable SIF_SourceId" in verdicts["ONE"].reason


@pytest.mark.parametrize(("offset", "outcome"), [(b"", "failed"), (b"Z", "passed"), (b"-05:00", "passed")])
def test_a_timestamp_without_an_offset_fails(sandbox, offset, outcome):
    with pulling(sandbox.url) as agent:
        ping = agent.write("SIF_SystemControl", "<SIF_SystemControlData><SIF_Ping/></SIF_SystemControlData>").body
        stamp = b"<SIF_Timestamp>2026-11-22T08:00:00" + offset + b"</SIF_Timestamp>"
        agent.wire.post(re.sub(rb"<SIF_Timestamp>.*?</SIF_Timestamp>", stamp, ping))
    assert outcomes(after_the_fact(sandbox.database_url, sandbox.name))["timestamp"] == outcome


def test_agents_are_told_apart(sandbox):
    with pulling(sandbox.url, "ONE") as one, pulling(sandbox.url, "TWO") as two:
        one.register()
        two.ping()
    with pytest.raises(AnotherThere, match=r"THREE has said nothing.* heard were: TWO, ONE"):
        after_the_fact(sandbox.database_url, sandbox.name, "THREE")
    assert outcomes(after_the_fact(sandbox.database_url, sandbox.name))["register"] == "not seen"
    assert outcomes(after_the_fact(sandbox.database_url, sandbox.name, "ONE"))["register"] == "passed"


AT_A_TERMINAL = """
import signal
from sif_pipeline.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""
"""The command line, with SIGINT as at a terminal: a shell's background job hands on that it is ignored."""


def command(sandbox, *arguments):
    return subprocess.Popen(
        [sys.executable, "-c", AT_A_TERMINAL, "conformance", "--zone", sandbox.name, *arguments],
        env={**os.environ, "SIF_DATABASE_URL": sandbox.database_url},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_command_writes_its_report_when_it_is_interrupted(sandbox, tmp_path):
    running = command(sandbox, "--format", "html", "--out", str(tmp_path / "report.html"))
    assert running.stderr.readline().startswith("Opening")
    assert running.stderr.readline().startswith(f"Watching {sandbox.name}")
    with pulling(sandbox.url) as agent:
        agent.register()
        assert "Registers" in running.stderr.readline()
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=120)
    assert running.returncode == 1
    assert out.startswith("Does not conform yet: ")
    page = (tmp_path / "report.html").read_text()
    assert '<tr class="PASSED"><td>PASSED</td><td>Registers</td>' in page


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_reports_and_holds_no_answer_back_any_more(sandbox, ending):
    armed = "SELECT withhold_answer FROM inbox.agent JOIN inbox.zone USING (zone_id) WHERE zone.name = %(zone)s"
    running = command(sandbox)
    assert running.stderr.readline().startswith("Opening")
    assert running.stderr.readline().startswith("Watching")
    with pulling(sandbox.url) as agent:
        agent.register()
        agent.event("Add", "StudentPersonal", STUDENTS[0])
        end = time.monotonic() + 60
        while sandbox.rows(armed) != [(True,)] and time.monotonic() < end:
            time.sleep(0.05)
        running.send_signal(ending)
        out, _ = running.communicate(timeout=120)
        assert (running.returncode, out.startswith("Conformance report")) == (1, True)
        assert sandbox.rows(armed) == [(False,)]
        assert agent.event("Add", "StudentPersonal", STUDENTS[1]).code == 0


@pytest.mark.parametrize("format_", ["text", "markdown", "json"])
def test_the_command_judges_after_the_fact(sandbox, format_):
    with pulling(sandbox.url) as agent:
        agent.register()
    running = command(sandbox, "--once", "--format", format_)
    out, err = running.communicate(timeout=120)
    assert (running.returncode, err) == (1, "")
    if format_ == "json":
        steps = {s["step"]: s["result"] for s in json.loads(out)["steps"]}
        assert (steps["register"], steps["ping"]) == ("passed", "not seen")
    else:
        assert "Registers" in out
        assert "SIF_Register at " in out
