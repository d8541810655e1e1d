"""The pipeline as an agent of a zone that somebody else runs: what comes is stored before it is acknowledged."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import psycopg
import pytest
from lxml import etree
from psycopg_pool import PoolTimeout
from push_agent import quiet_port
from typer.testing import CliRunner

from sif_pipeline import zones
from sif_pipeline.agent import joining, writing
from sif_pipeline.agent.answers import read_delivered
from sif_pipeline.agent.client import Line
from sif_pipeline.agent.joining import Joining, run
from sif_pipeline.agent.kit import PLAIN
from sif_pipeline.agent.listener import Address
from sif_pipeline.cli import agent_run, app
from sif_pipeline.exceptions import UnknownZone
from sif_pipeline.sif import acks
from sif_pipeline.sif.acks import write_error
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.messages import Original
from sif_pipeline.testing import KITS, sample_objects


class ForeignZone:
    """A zone server of another make, as small as can be: what it was told, and a queue for one agent."""

    def __init__(self):
        self.said, self.queue, self.registered, self.settled = [], [], False, []
        self.carriers, self.given = {}, []
        self.access = acks.agent_acl({"SIF_SubscribeAccess": ["StudentPersonal"], "SIF_RequestAccess": ["SchoolInfo"]})

    def answer(self, body):
        found = read_delivered(body)
        message = found.message
        self.said.append(found)
        if message.message_type == "SIF_Register":
            self.registered = True
            return acks.Status(0, self.access)
        if not self.registered and message.command != "SIF_Ping":
            return Refused(4, 9, "Register.")
        if message.message_type == "SIF_Ack":
            self._settle(message.answer.original_msg_id, message.answer)
        return acks.STORED if message.command != "SIF_GetMessage" else self._next()

    def _next(self):
        if not self.queue:
            return acks.NO_MESSAGES
        self.given.append(self.queue[0].msg_id)
        return acks.Status(0, self.queue[0].body.decode())

    def _settle(self, msg_id, answer):
        waiting = [w for w in self.queue if msg_id in (w.msg_id, self.carriers.get(w.msg_id))]
        for written in waiting:
            self.queue.remove(written)
            self.settled.append((written.msg_id, answer.status if answer.error is None else answer.error))

    def post(self, body):
        answered = acks.write_ack(read_delivered(body).original, self.answer(body))
        if self.queue and b"<SIF_Data><SIF_Message" in answered:
            self.carriers[self.queue[0].msg_id] = re.search(rb"<SIF_MsgId>(\w+)", answered)[1].decode()
        return answered

    def kinds(self):
        return [found.message.command or found.message.message_type for found in self.said]

    def queue_up(self, kind, content, **more):
        self.queue.append(writing.write(PLAIN, kind, "SIS", content, **more))
        return self.queue[-1]


@contextmanager
def served(zone, port=0):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            reply = zone.post(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads, block_on_close = True, False

    found = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{found.server_port}/"
    finally:
        found.shutdown()
        found.server_close()
        thread.join()


@pytest.fixture
def inbox(module_database_url):
    """Make a zone of ours for the test, and give a function that lists what it holds."""
    name = f"zone-{os.urandom(4).hex()}"
    with psycopg.connect(module_database_url) as connection:
        zones.add(connection, name, "01010000")
    return Inbox(module_database_url, name)


class Inbox:
    def __init__(self, url, name):
        self.url, self.name = url, name

    def rows(self, columns="msg_id, state", table="inbox.message", order="message_id"):
        with psycopg.connect(self.url) as connection:
            query = f"SELECT {columns} FROM {table} JOIN inbox.zone USING (zone_id) WHERE name = %s ORDER BY {order}"
            return connection.execute(query, [self.name]).fetchall()

    def change(self, what):
        with psycopg.connect(self.url) as connection:
            connection.execute(f"UPDATE inbox.zone SET {what} WHERE name = %s", [self.name])


@contextmanager
def joined(inbox, url, **more):
    """Run the pipeline as an agent in a thread."""
    stop, ended = threading.Event(), []
    more = {"source_id": "STATE", "objects": ("StudentPersonal", "LEAInfo"), "period": 0.05} | more
    wanted = Joining(inbox.name, Line(url, patience=0.5), **more)
    thread = threading.Thread(target=lambda: ended.append(run(inbox.url, wanted, stop)))
    thread.start()
    try:
        yield ended
    finally:
        stop.set()
        thread.join(120)


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            pytest.fail("waited in vain")
        time.sleep(0.02)


def event(zone, number=0):
    return zone.queue_up(
        "SIF_Event", writing.event("Add", "StudentPersonal", sample_objects("StudentPersonal", 9)[number])
    )


@pytest.mark.parametrize("kit", ["plain", "openadk-acks-outer"])
def test_what_is_pulled_is_stored_and_then_acknowledged(inbox, kit):
    zone = ForeignZone()
    first, second = event(zone), event(zone, 1)
    with served(zone) as url, joined(inbox, url, kit=KITS[kit]) as ended:
        wait_until(lambda: len(zone.settled) == 2)
    assert ended == [2]
    assert zone.settled == [(first.msg_id, 1), (second.msg_id, 1)]
    assert inbox.rows("msg_id, state, origin, source_id, message_type") == [
        (w.msg_id, "pending", "agent", "SIS", "SIF_Event") for w in (first, second)
    ]
    assert zone.kinds()[:3] == ["SIF_Register", "SIF_GetZoneStatus", "SIF_Provision"]
    subscribed = [p.object_name for p in zone.said[2].message.provided if p.kind == "SIF_SubscribeObjects"]
    assert subscribed == ["StudentPersonal"]  # LEAInfo is not in the zone's access list


def pushed(push_url, body):
    return read_delivered(httpx.post(push_url, content=body, timeout=60).content).message.answer


def test_what_is_pushed_is_stored_and_then_acknowledged(inbox):
    zone = ForeignZone()
    with served(zone) as url, joined(inbox, url, address=Address()):
        wait_until(lambda: "SIF_Wakeup" in zone.kinds())
        push_url = zone.said[0].message.registration.push_url
        elsewhere = [
            httpx.post(push_url + "x", content=b"<a/>", timeout=60),
            httpx.post(push_url.rpartition("/")[0], content=b"<a/>", timeout=60),
        ]
        assert [reply.status_code for reply in elsewhere] == [404, 404]
        written = event(zone)
        answers = [pushed(push_url, written.body) for _ in range(2)]
        assert [a.status for a in answers] == [1, 7]
        assert answers[0].original_msg_id == written.msg_id
        assert inbox.rows("msg_id, state, duplicates") == [(written.msg_id, "pending", 1)]
        inbox.change("suspended_at = now()")
        assert httpx.post(push_url, content=event(zone, 1).body, timeout=60).status_code == 503
        inbox.change("suspended_at = NULL")
        assert pushed(push_url, b"<no SIF>").error == (1, 2)
        ping = writing.write(PLAIN, "SIF_SystemControl", "ZIS", writing.control("SIF_Ping"))
        assert pushed(push_url, ping.body).status == 1
    assert [e for (e,) in inbox.rows("event", "inbox.audit", "audit_id")] == ["message_refused"]


def test_a_push_url_of_another_address_has_the_secret_path_too(inbox):
    zone = ForeignZone()
    with served(zone) as url, joined(inbox, url, address=Address(), push_url="http://sif.example.org:7081/"):
        wait_until(lambda: zone.said)
    assert re.fullmatch(r"http://sif\.example\.org:7081/[\w-]{43}", zone.said[0].message.registration.push_url)


def test_a_suspended_zone_leaves_messages_where_they_are_and_a_sandbox_keeps_them(inbox):
    zone = ForeignZone()
    written = event(zone)
    inbox.change("suspended_at = now()")
    with served(zone) as url, joined(inbox, url):
        wait_until(lambda: zone.given.count(written.msg_id) > 1)
        assert (zone.settled, inbox.rows()) == ([], [])
        inbox.change("suspended_at = NULL, is_sandbox = true")
        wait_until(lambda: zone.settled)
    assert inbox.rows() == [(written.msg_id, "kept")]


def test_full_sets_are_asked_for_once_and_their_packets_counted(inbox):
    zone = ForeignZone()
    with served(zone) as url:
        with joined(inbox, url, requests=("SchoolInfo",)):
            wait_until(lambda: "SIF_Request" in zone.kinds())
            (asked,) = [found for found in zone.said if found.message.message_type == "SIF_Request"]
            assert asked.message.request.object_names == ("SchoolInfo",)
            schools = sample_objects("SchoolInfo", 2)
            zone.queue_up("SIF_Response", writing.response(asked.message.msg_id, 1, schools[0], more=True))
            wait_until(lambda: len(zone.settled) == 1)
        assert inbox.rows("state, next_packet", "outbox.request", "request.created_at") == [("open", 2)]
        zone.said.clear()
        with joined(inbox, url, requests=("SchoolInfo",)):  # the rest is on its way: nobody asks again
            zone.queue_up("SIF_Response", writing.response(asked.message.msg_id, 2, b"", more=False))
            wait_until(lambda: len(zone.settled) == 2)
        assert "SIF_Request" not in zone.kinds()
        with joined(inbox, url, requests=("SchoolInfo",)):  # a restart, and a zone that forgets us: it is answered
            for times in (2, 3):
                wait_until(lambda times=times: zone.kinds().count("SIF_Register") == times)
                looks = zone.kinds().count("SIF_GetMessage")
                wait_until(lambda looks=looks: zone.kinds().count("SIF_GetMessage") > looks)
                zone.registered = False
        assert "SIF_Request" not in zone.kinds()
    assert inbox.rows("state, next_packet", "outbox.request", "request.created_at") == [("complete", 3)]
    assert inbox.rows("packet_number, more_packets, request_msg_id") == [
        (1, True, asked.message.msg_id), (2, False, asked.message.msg_id),
    ]  # fmt: skip


def test_what_was_answered_is_asked_for_again_when_told_so_once_a_run(inbox):
    zone = ForeignZone()
    with served(zone) as url:
        for run_again in (False, True):
            zone.said.clear()
            with joined(inbox, url, requests=("SchoolInfo",), again=run_again):
                wait_until(lambda: "SIF_Request" in zone.kinds())
                (asked,) = [found for found in zone.said if found.message.message_type == "SIF_Request"]
                zone.queue_up("SIF_Response", writing.response(asked.message.msg_id, 1, b"", more=False))
                wait_until(lambda: not zone.queue)
                zone.registered = False
                wait_until(lambda: zone.kinds().count("SIF_Register") == 2)
                looks = zone.kinds().count("SIF_GetMessage")
                wait_until(lambda looks=looks: zone.kinds().count("SIF_GetMessage") > looks)
            assert zone.kinds().count("SIF_Request") == 1
    assert inbox.rows("state", "outbox.request", "request.created_at") == [("complete",), ("complete",)]


def test_a_database_that_is_away_when_we_ask_is_waited_for(inbox, monkeypatch, caplog):
    zone, real, failures = ForeignZone(), joining.zone_facts, [PoolTimeout, psycopg.OperationalError]

    def away(connection, name):
        if failures and threading.current_thread() is not threading.main_thread() and "SIF_Register" in zone.kinds():
            raise failures.pop(0)("no connection")
        return real(connection, name)

    monkeypatch.setattr(joining, "zone_facts", away)
    with served(zone) as url, joined(inbox, url, requests=("SchoolInfo",)) as ended:
        wait_until(lambda: "SIF_Request" in zone.kinds())
        assert ended == []
    assert [record.message for record in caplog.records if record.name == joining.__name__].count("database_away") == 2


class UnwillingZone(ForeignZone):
    """A zone that takes no agent, and says why in words of its own."""

    def answer(self, _):
        return Refused(5, 2, "Amelia may not register.")


def refusals(caplog):
    return [record.facts for record in caplog.records if record.message == "zone_refuses"]


def test_why_a_zone_refuses_us_is_logged_in_codes_and_the_standards_words(inbox, caplog):
    with served(UnwillingZone()) as url, joined(inbox, url):
        wait_until(lambda: refusals(caplog))
    assert refusals(caplog)[0] == {"message": "SIF_Register", "answer": "error 5/2", "about": "Registration"}
    assert "Amelia" not in caplog.text


def test_a_zone_that_is_not_at_its_url_is_logged_with_the_http_status(inbox, caplog):
    class Nowhere(BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_error(404)

        def log_message(self, *_):
            pass

    found = ThreadingHTTPServer(("127.0.0.1", 0), Nowhere)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        with joined(inbox, f"http://127.0.0.1:{found.server_port}/"):
            wait_until(lambda: refusals(caplog))
    finally:
        found.shutdown()
        found.server_close()
        thread.join()
    assert refusals(caplog)[0] == {"message": "a message", "answer": "HTTP 404"}


def test_a_request_that_nothing_came_of_is_called_off_and_asked_anew(inbox):
    zone = ForeignZone()
    with served(zone) as url:
        for _ in range(2):
            zone.said.clear()
            with joined(inbox, url, requests=("SchoolInfo",)):
                wait_until(lambda: "SIF_GetMessage" in zone.kinds())
    kinds = zone.kinds()
    assert kinds.index("SIF_CancelRequests") < kinds.index("SIF_Request")
    assert inbox.rows("state", "outbox.request", "request.created_at") == [("cancelled",), ("open",)]


def test_a_response_that_is_an_error_ends_the_request(inbox):
    zone = ForeignZone()
    with served(zone) as url, joined(inbox, url, requests=("SchoolInfo",)):
        wait_until(lambda: "SIF_Request" in zone.kinds())
        (asked,) = [found for found in zone.said if found.message.message_type == "SIF_Request"]
        error = write_error(Refused(8, 8, "The buffer is too small.")).encode()
        zone.queue_up("SIF_Response", writing.response(asked.message.msg_id, 1, error, more=False))
        wait_until(lambda: zone.settled)
    assert inbox.rows("state, error", "outbox.request", "request.created_at") == [("failed", "8/8")]


def test_what_an_agent_of_ours_cannot_do_is_refused_and_off_the_queue(inbox):
    zone = ForeignZone()
    zone.queue_up("SIF_Request", writing.request("StudentPersonal", 4096))
    with served(zone) as url, joined(inbox, url):
        wait_until(lambda: zone.settled)
    assert [outcome for _, outcome in zone.settled] == [(12, 2)]


def test_a_zone_that_forgot_us_is_joined_again_and_one_that_is_away_waited_for(inbox):
    zone, port = ForeignZone(), quiet_port()
    with served(zone, port) as url, joined(inbox, url):
        wait_until(lambda: "SIF_GetMessage" in zone.kinds())
        zone.registered = False
        wait_until(lambda: zone.kinds().count("SIF_Register") == 2)
    with joined(inbox, url):
        time.sleep(0.6)
        written = event(zone)
        with served(zone, port):
            wait_until(lambda: zone.settled)
    assert inbox.rows() == [(written.msg_id, "pending")]


def test_other_content_under_the_same_msg_id_is_refused_and_audited(inbox):
    zone = ForeignZone()
    first = event(zone)
    with served(zone) as url, joined(inbox, url):
        wait_until(lambda: zone.settled)
        content = writing.event("Add", "StudentPersonal", sample_objects("StudentPersonal", 2)[1])
        zone.queue.append(writing.write(PLAIN, "SIF_Event", "SIS", content, msg_id=first.msg_id))
        wait_until(lambda: len(zone.settled) == 2)
    assert [outcome for _, outcome in zone.settled] == [1, (12, 5)]
    assert [e for (e,) in inbox.rows("event", "inbox.audit", "audit_id")] == ["msg_id_conflict"]


def test_a_zone_we_do_not_have_is_told(module_database_url):
    with pytest.raises(UnknownZone, match="zone add"):
        run(module_database_url, Joining("nowhere", Line("http://127.0.0.1:9/")), threading.Event())


KILLED = """
import os, signal, sys
from sif_pipeline.agent import intake, joining
from sif_pipeline.cli import main
real = joining.take
def take(*args):
    {before}
    outcome = real(*args)
    {after}
    return outcome
joining.take = take
main()
"""
DIE = "os.kill(os.getpid(), signal.SIGKILL)"


def command(inbox, url, code):
    return subprocess.Popen(
        [sys.executable, "-c", code, "agent", "run", "--zone", inbox.name, "--url", url, "--source-id", "STATE",
         "--objects", "StudentPersonal", "--every", "0.1"],
        env={**os.environ, "SIF_DATABASE_URL": inbox.url}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("place", "held", "said"),
    [({"before": DIE, "after": ""}, 0, "2 messages"), ({"before": "", "after": DIE}, 1, "1 message")],
    ids=["before", "after"],
)
def test_killed_around_storing_nothing_is_lost_and_nothing_twice(inbox, place, held, said):
    zone = ForeignZone()
    first, second = event(zone), event(zone, 1)
    with served(zone) as url:
        killed = command(inbox, url, KILLED.format(**place))
        killed.communicate(timeout=120)
        assert killed.returncode == -signal.SIGKILL
        assert (len(inbox.rows()), zone.settled) == (held, [])
        again = command(inbox, url, KILLED.format(before="", after=""))
        wait_until(lambda: len(zone.settled) == 2)
        again.terminate()
        out, log = again.communicate(timeout=120)
    assert again.returncode == 0
    assert out == f"{said} taken in.\n"
    assert inbox.rows() == [(first.msg_id, "pending"), (second.msg_id, "pending")]
    assert zone.settled == [(first.msg_id, 7 if held else 1), (second.msg_id, 1)]
    assert url not in log


def test_a_database_that_is_away_is_waited_for(inbox):
    zone = ForeignZone()
    with served(zone) as url, joined(inbox, url):
        wait_until(lambda: "SIF_GetMessage" in zone.kinds())
        with psycopg.connect(inbox.url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        written = event(zone)
        wait_until(lambda: zone.settled)
    assert inbox.rows() == [(written.msg_id, "pending")]


def test_canonical_form_is_what_is_kept_of_a_pulled_message(inbox):
    zone = ForeignZone()
    event(zone)
    with served(zone) as url, joined(inbox, url):
        wait_until(lambda: zone.settled)
    ((body,),) = inbox.rows("body")
    assert etree.tostring(etree.fromstring(body), method="c14n", exclusive=True) == body
    assert read_delivered(body).original == Original("2.6", "SIS", zone.settled[0][0])


assert agent_run  # its import makes the command

AGENT_RUN = ["agent", "run", "--zone", "nowhere", "--url", "https://127.0.0.1:9/"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--objects", "StudentPersonal,BusInfo"], "not declared: BusInfo"),
        (["--request", "BusInfo"], "not declared: BusInfo"),
        (["--push", "--listen", "7081"], "give host:port"),
        (["--push", "--listen", "127.0.0.1:http"], "give host:port"),
        (["--push", "--listen-ca", __file__], "give --client-cert too"),
    ],
)
def test_options_that_cannot_be_are_said_at_once(arguments, words):
    ran = CliRunner().invoke(app, [*AGENT_RUN, *arguments], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert (ran.exit_code, words in ran.stderr) == (2, True), ran.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--url", "ftp://zis.example.org"], "starts with http:// or https://"),
        (["--client-cert", __file__], "cannot be read as PEM"),
        ([], "There is no zone 'nowhere'"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(module_database_url, arguments, words):
    ran = subprocess.run(
        [sys.executable, "-m", "sif_pipeline", *AGENT_RUN, *arguments],
        env={**os.environ, "SIF_DATABASE_URL": module_database_url},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (ran.returncode, words in ran.stderr) == (2, True), ran.stderr
    assert "Traceback" not in ran.stderr
