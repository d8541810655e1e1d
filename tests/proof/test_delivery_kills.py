"""Agent, server and PostgreSQL are killed between any two steps of a delivery, and nothing is lost.

What comes twice comes with the same SIF_MsgId and the same bytes, and everything in the order in which it was queued.
"""

import hashlib
import os
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from lxml import etree
from proof_actors import Cluster, Server
from push_agent import Place, ack_of, an_event, fast, new_id, push_agent, quiet_port
from sif_server import wait_until

from sif_pipeline.exceptions import DatabaseUnreachable
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.messages import read_message

S = f"{{{NAMESPACE}}}"
MESSAGES = 24

KILL = """
import os, signal
from pathlib import Path
from sif_pipeline.zone import control, delivery, handover, pushing, queue, receive
died = Path({died!r})  # one line for each death: the step at which it came
def dying(number, owner, name, when):
    inner, calls = getattr(owner, name), 0
    def die(side):
        if side == when and calls >= 2 and len(died.read_text().splitlines()) == number:
            with died.open("a") as lines:
                lines.write(f"{{name}} {{when}}\\n")
            {death}
    async def act(*arguments, **options):
        nonlocal calls
        calls += len(died.read_text().splitlines()) == number
        die("before")
        result = await inner(*arguments, **options)
        die("after")
        return result
    setattr(owner, name, act)
for number, (owner, name, when) in enumerate({steps!r}):
    dying(number, eval(owner), name, when)
"""
"""Has the process, or PostgreSQL, die at one step after the other, each time when it is there for the second time."""

OWN_DEATH = "os.kill(os.getpid(), signal.SIGKILL)"
POSTGRES_DEATH = """
            import psutil
            postmaster = psutil.Process(int(Path({pidfile!r}).read_text().split()[0]))
            for process in [postmaster, *postmaster.children(recursive=True)]:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    pass"""

STEPS = [
    ("handover", "take_next", "before"),  # before the message is chosen
    ("queue", "hand_out", "after"),  # marked, not committed
    ("handover", "take_next", "after"),  # committed, not sent
    ("pushing", "push", "after"),  # answered, the answer not read
    ("handover", "settle", "after"),  # settled, not committed
    ("delivery._Deliveries", "_settle", "after"),  # settled
]
"""The steps of a delivery by push: function, and on which side of it death comes."""

PULL_STEPS = [
    ("queue", "hand_out", "after"),  # marked, not committed
    ("handover", "take_next", "after"),  # committed, not answered
    ("handover", "take_ack", "before"),  # before the ack is looked at
    ("handover", "settle", "after"),  # settled, not committed
    ("handover", "take_ack", "after"),  # settled, not answered
]


def told(steps):
    return [f"{name} {when}" for _, name, when in steps]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("cluster") / "home")
    yield cluster
    cluster.stop()


@contextmanager
def serving(cluster, tmp_path, change=""):
    """Run a zone server, and start it again whenever it died."""
    server = Server(cluster.url, tmp_path / "server.log", fast() + change)
    try:
        yield server
    finally:
        server.kill()


def assert_came(deliveries, sent, *, deaths=1):
    """Hold what an agent saw against what was queued: each in its turn, none missing, repetitions the same."""
    assert list(dict.fromkeys(deliveries)) == [(m.msg_id, hashlib.sha256(m.body).hexdigest()) for m in sent]
    assert len(deliveries) <= len(sent) + deaths


def seen_by(agent):
    return [(msg_id, hashlib.sha256(body).hexdigest()) for msg_id, body, _ in agent.seen]


def is_settled(place):
    with suppress(psycopg.OperationalError):
        return {state for _, state in place.states()} == {"done"}
    return False


@pytest.fixture
def died(tmp_path):
    path = tmp_path / "died"
    path.touch()
    return path


@pytest.mark.slow
def test_the_server_is_killed_at_each_step_of_a_delivery(cluster, tmp_path, died):
    change = KILL.format(died=str(died), death=OWN_DEATH, steps=STEPS)
    with push_agent() as agent, serving(cluster, tmp_path, change) as server:
        place = Place(cluster.url, agent.url)
        sent = [an_event() for _ in range(MESSAGES)]
        place.put(*sent)
        for deaths in range(1, len(STEPS) + 1):
            wait_until(lambda: server.process.poll() is not None, seconds=120)
            assert len(died.read_text().splitlines()) == deaths
            assert not is_settled(place)
            server.start()
        wait_until(lambda: is_settled(place), seconds=120)
        assert died.read_text().splitlines() == told(STEPS)
        assert_came(seen_by(agent), sent, deaths=len(STEPS))


@pytest.mark.slow
def test_postgresql_is_killed_at_each_step_of_a_delivery(cluster, tmp_path, died):
    pidfile = cluster.settings.home / "postgres" / "data" / "postmaster.pid"
    change = KILL.format(died=str(died), death=POSTGRES_DEATH.format(pidfile=str(pidfile)), steps=STEPS)
    with push_agent() as agent, serving(cluster, tmp_path, change) as server:
        place = Place(cluster.url, agent.url)
        sent = [an_event() for _ in range(MESSAGES)]
        place.put(*sent)
        for deaths in range(1, len(STEPS) + 1):
            wait_until(lambda n=deaths: len(died.read_text().splitlines()) >= n, seconds=120)
            wait_until(lambda: not is_up(pidfile))
            with suppress(DatabaseUnreachable):  # killed again before it was seen to be up
                cluster.restart()
        wait_until(lambda: is_settled(place), seconds=120)
        assert server.process.poll() is None, "the server sits an outage out"
        assert died.read_text().splitlines() == told(STEPS)
        assert_came(seen_by(agent), sent, deaths=len(STEPS))


def is_up(pidfile):
    return pidfile.exists() and psutil.pid_exists(int(pidfile.read_text().split()[0]))


@pytest.mark.slow
def test_the_agent_is_killed_at_each_step_of_taking_a_message(cluster, tmp_path):
    port, journal, died = quiet_port(), tmp_path / "journal", tmp_path / "died"
    journal.touch()
    died.touch()
    program = Path(__file__).parent / "proof_push_agent.py"
    command = [sys.executable, program, str(port), journal, died]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    place = Place(cluster.url, f"http://127.0.0.1:{port}/agent")
    sent = [an_event() for _ in range(MESSAGES)]
    place.put(*sent)
    with serving(cluster, tmp_path):
        for deaths in (1, 2, 3):
            agent = subprocess.Popen(command, env=environment)
            agent.wait(120)
            assert len(died.read_text().splitlines()) == deaths
        agent = subprocess.Popen(command, env=environment)
        try:
            wait_until(lambda: is_settled(place), seconds=120)
        finally:
            agent.kill()
            agent.wait(60)
    assert died.read_text().splitlines() == ["read", "kept", "answered"]
    assert_came([tuple(line.split()) for line in journal.read_text().splitlines()], sent, deaths=3)


@pytest.mark.slow
def test_the_server_is_killed_at_each_step_of_a_pull(cluster, tmp_path, died):
    change = KILL.format(died=str(died), death=OWN_DEATH, steps=PULL_STEPS)
    with serving(cluster, tmp_path, change) as server:
        place = Place(cluster.url, None, mode="Pull")
        sent = [an_event() for _ in range(MESSAGES)]
        place.put(*sent)
        puller = Puller(server, place.token)
        while (found := puller.pull()) is not None:
            assert puller.ack(found) == "0"
        assert died.read_text().splitlines() == told(PULL_STEPS)
        assert puller.lost == len(PULL_STEPS)
        assert is_settled(place)
        assert list(dict.fromkeys(puller.seen)) == [m.msg_id for m in sent]
        assert len(puller.seen) == MESSAGES, "what was not answered was not seen"


class Puller:
    """A pull agent that repeats what was not answered, as every kit does."""

    def __init__(self, server, token):
        self.server, self.url = server, f"http://127.0.0.1:{server.port}/zone/{token}"
        self.seen, self.lost = [], 0
        server.wait_until_ready()

    def post(self, body):
        with httpx.Client(verify=False) as client:  # noqa: S501 -- no HTTPS here, and certificates take long to load
            while True:
                try:
                    response = client.post(self.url, content=body, timeout=60)
                except httpx.TransportError:
                    self.server.process.wait(60)
                    self.lost += 1
                    self.server.start()
                    self.server.wait_until_ready()
                else:
                    assert response.status_code == 200
                    return open_message(response.content)

    def pull(self):
        root = self.post(
            f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6"><SIF_SystemControl><SIF_Header><SIF_MsgId>{new_id()}'
            "</SIF_MsgId><SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>SIS</SIF_SourceId>"
            "</SIF_Header><SIF_SystemControlData><SIF_GetMessage/></SIF_SystemControlData></SIF_SystemControl>"
            "</SIF_Message>".encode()
        )
        inner = root.find(f".//{S}SIF_Data/{S}SIF_Message")
        if inner is None:
            return None
        found = read_message(open_message(etree.tostring(inner)))
        self.seen.append(found.msg_id)
        return found.msg_id

    def ack(self, msg_id):
        return self.post(ack_of(msg_id)).findtext(f".//{S}SIF_Status/{S}SIF_Code")
