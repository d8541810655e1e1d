"""A thousand idle connections and five hundred slow senders beside good ones, with and without TLS; unread answers."""

import re
import socket
import ssl
import statistics
import threading
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import httpx
import pytest
import trustme
from sif_server import REGISTER, answer, event, message, running

BOUNDS = """
bounds = Bounds
Bounds = lambda **_: bounds(
    header_seconds=8, body_seconds=8, progress_seconds=3, idle_seconds=900)
"""

IDLE, SLOW = 1000, 500


@pytest.fixture(scope="module")
def server(module_database_url):
    with running(module_database_url, BOUNDS) as found:
        found.post(message(REGISTER))
        yield found


@pytest.fixture(scope="module")
def elsewhere(module_database_url):
    """Give a server where no crowd is."""
    with running(module_database_url, BOUNDS) as found:
        yield found


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    folder, ca = tmp_path_factory.mktemp("ca"), trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    made = ca.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(folder / "server.key")
    made.cert_chain_pems[0].write_to_path(folder / "server.pem")
    return folder


def secured(ca):
    files = f"tls.Files(Path({str(ca / 'server.pem')!r}), Path({str(ca / 'server.key')!r}))"
    return f"{BOUNDS}\nfrom pathlib import Path\ntls.HANDSHAKE_SECONDS = 8\nway = server.Way(tls.ServerTls({files}))"


@pytest.fixture(scope="module")
def secure_server(module_database_url, ca):
    with running(module_database_url, secured(ca), scheme="https") as found:
        yield found


@pytest.fixture(scope="module")
def secure_elsewhere(module_database_url, ca):
    with running(module_database_url, secured(ca), scheme="https") as found:
        yield found


def p99s(servers, context, count=250):
    """Give the seconds in which all but one in a hundred good messages were answered, for each server: sent in turns.

    So whatever else the machine does falls upon all of them.
    """
    taken = [[] for _ in servers]
    with httpx.Client(verify=context or False, timeout=60) as agent:
        for found in servers:
            agent.post(found.url, content=message(REGISTER))
        for _ in range(count):
            for found, seconds in zip(servers, taken, strict=True):
                start = time.perf_counter()
                assert answer(agent.post(found.url, content=event())) == 0
                seconds.append(time.perf_counter() - start)
    return [statistics.quantiles(seconds, n=100)[98] for seconds in taken]


def connected(found):
    return socket.create_connection(("127.0.0.1", found.port), timeout=30)


@contextmanager
def idle(found, context):
    """Hold connections on which one request was sent and answered."""
    with ExitStack() as stack:
        links = []
        for _ in range(IDLE):
            link = stack.enter_context(closing(connected(found)))
            if context is not None:
                link = stack.enter_context(context.wrap_socket(link, server_hostname="127.0.0.1"))
            link.sendall(HEALTH)
            links.append(link)
        assert {is_alive(link) for link in links} == {True}
        yield links


HEALTH = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"


def is_alive(link):
    got = b""
    while not got.endswith(b"\r\n\r\nalive\n"):
        part = link.recv(1000)
        if not part:
            return False
        got += part
    return got.startswith(b"HTTP/1.1 200")


class Slow:
    """Senders that say nothing, dribble headers or dribble a body, and when each was cut."""

    def __init__(self, found):
        half = b"POST /zone/x HTTP/1.1\r\nHost: x\r\nX: "
        body = f"POST /zone/{found.token} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n".encode()
        self.links = {connected(found): kind for kind in (b"", half, body) for _ in range(SLOW // 3 + 1)}
        self.began, self.cut, self.stopping = time.monotonic(), {}, False
        for link, start in self.links.items():
            link.sendall(start)
            link.setblocking(False)  # noqa: FBT003
        self.thread = threading.Thread(target=self.dribble)
        self.thread.start()

    def dribble(self):
        while not self.stopping and len(self.cut) < len(self.links):
            for link in self.links.keys() - self.cut.keys():
                if self.is_cut(link):
                    self.cut[link] = time.monotonic() - self.began
            time.sleep(0.3)

    def is_cut(self, link):
        try:
            if self.links[link]:
                link.send(b"y")
            return link.recv(1000) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def stop(self):
        self.stopping = True
        self.thread.join()
        for link in self.links:
            link.close()


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_a_crowd_leaves_good_senders_their_time_and_slow_ones_are_cut(request, secure, ca):
    found = request.getfixturevalue("secure_server" if secure else "server").zone()
    quiet_one = request.getfixturevalue("secure_elsewhere" if secure else "elsewhere").zone()
    context = ssl.create_default_context(cafile=ca / "ca.pem") if secure else None
    p99s([found, quiet_one], context)
    for _ in range(TRIES):
        before = memory(found)
        with idle(found, context) as links:
            crowded, quiet, grown = in_a_crowd(found, quiet_one, context, before)
            for link in links:
                link.sendall(HEALTH)
            assert {is_alive(link) for link in links} == {True}
        print(f"p99 {quiet * 1000:.1f} ms elsewhere, {crowded * 1000:.1f} ms in the crowd; {grown:.0f} MB more")
        assert grown < (150 if secure else 60)
        if crowded <= max(2 * quiet, 0.01):
            return
    pytest.fail(f"each of {TRIES} times the crowd cost the others more than twice their time")


TRIES = 5
"""So often the two may be held against each other: a pause of the machine may fall upon one of them alone."""


def in_a_crowd(found, quiet_one, context, before):
    """Give the p99 of good messages beside many slow ones, and elsewhere at the same time, and the memory it took."""
    slow = Slow(found)
    try:
        crowded, quiet = p99s([found, quiet_one], context)
        grown = memory(found) - before
        slow.thread.join(120)
        assert len(slow.cut) == len(slow.links)
        assert max(slow.cut.values()) < 8 + 60, "the bounds are 8 seconds; the rest is for a busy machine"
        return crowded, quiet, grown
    finally:
        slow.stop()


def memory(found):
    status = Path(f"/proc/{found.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def test_answers_that_nobody_reads_are_given_up(server):
    ask = HEALTH * 50_000
    with closing(socket.socket()) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", server.port))
        link.settimeout(1)
        start = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT012 -- the sending is what fails
            while time.monotonic() - start < 120:
                try:
                    link.sendall(ask)
                except TimeoutError:
                    time.sleep(0.2)
        assert time.monotonic() - start < 100
    assert answer(server.post(event())) == 0


LISTED = '<SIF_Object ObjectName="LEAInfo"/>'
GET = "<SIF_SystemControl>|<SIF_SystemControlData><SIF_GetMessage/></SIF_SystemControlData></SIF_SystemControl>"


@pytest.mark.parametrize("ending", ["keep-alive", "close"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_an_answer_that_is_read_slowly_but_steadily_arrives_whole(request, secure, ca, ending):
    found = request.getfixturevalue("secure_server" if secure else "server").zone()
    found.allow("LIB", "SIF_SubscribeAccess")
    with httpx.Client(verify=False, timeout=60) as agent:  # noqa: S501
        for body in (
            message(REGISTER),
            message(REGISTER, source="LIB"),
            message(f"<SIF_Subscribe>|{LISTED}</SIF_Subscribe>", source="LIB"),
            event(pad="x" * 800_000),
        ):
            assert answer(agent.post(found.url, content=body)) == 0
    context = ssl.create_default_context(cafile=ca / "ca.pem") if secure else None
    got = next(filter(None, (slowly(found, context, ending) for _ in range(TRIES))))
    assert b"x" * 800_000 in got
    assert got.endswith(b"</SIF_Message>")


def slowly(found, context, ending):
    """Fetch the message that waits for LIB, a tenth of it at a time, in about five seconds.

    Give None where the server hung up because this machine stood still: then it was not read steadily.
    """
    with ExitStack() as stack:
        link = stack.enter_context(closing(socket.socket()))
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.connect(("127.0.0.1", found.port))
        link.settimeout(60)
        if context is not None:
            link = stack.enter_context(context.wrap_socket(link, server_hostname="127.0.0.1"))
        body = message(GET, source="LIB")
        head = f"POST /zone/{found.token} HTTP/1.1\r\nHost: x\r\nConnection: {ending}\r\n"
        link.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        got, longest, last = b"", 0.0, time.monotonic()
        while not got.endswith(b"</SIF_Message>"):
            wanted = len(got) + 80_000
            while len(got) < wanted and not got.endswith(b"</SIF_Message>"):
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
                part = received(link)
                if not part:
                    assert longest > 2, "the server hung up"
                    return None
                got += part
            time.sleep(0.5)
    return got


def received(link):
    try:
        return link.recv(80_000)
    except ConnectionResetError:
        return b""
