"""The zone server over real sockets and a real database: conversations, abuse, outages and sudden death."""

import gzip
import json
import os
import re
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from lxml import etree
from sif_server import HURRIED, IMPATIENT, REGISTER, answer, event, message, running, started, wait_until

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif.gate import open_message
from sif_pipeline.zone import server as zone_server

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CAPTURES = SHARED / "interop" / "captures"
SCHEMA = SHARED / "spec" / "sif-us-2.6" / "SIF_Message.xsd"


@pytest.fixture(scope="module")
def server(module_database_url):
    with running(module_database_url) as found:
        found.post(message(REGISTER))
        yield found


@pytest.fixture(scope="module")
def impatient(module_database_url):
    with running(module_database_url, IMPATIENT) as found:
        yield found


# Conversations


ACKS = ("SIF_Ack", "pushreply-to-SIF_Event", "pushreply-to-SIF_Request", "pushreply-to-SIF_Response")
EXPECTED = {"SIF_GetMessage": {0, 9}} | {kind: {0, (12, 6)} for kind in ACKS}
"""What is answered to the messages of the captures, 0 but for these: some acks name another zone server's messages."""

INCOMPLETE = {
    "legacy": {"SIF_Request": {(8, 4)}, "SIF_Response": {(8, 10)}},  # not every SIF_Provide was captured
}


def conversations():
    """Group the captured messages by conversation, each in the order in which its messages were sent."""
    found = {}
    for path in sorted(CAPTURES.glob("*.xml")):
        body = path.read_bytes()
        sent = re.search(rb"<SIF_Timestamp>([^<]+)", body)[1]
        first = 0 if "SIF_Register" in path.name else 2 if "SIF_Unregister" in path.name else 1
        found.setdefault(path.name.split("--")[0], []).append((first, sent, path, body))
    return {name: sorted(messages) for name, messages in found.items()}


@pytest.mark.parametrize("conversation", conversations() or ["none"])
def test_every_captured_conversation_is_answered_as_its_agent_expects(server, conversation):
    if conversation == "none":
        pytest.skip("needs the captured conversations, which are not part of the project")
    official = etree.XMLSchema(etree.parse(SCHEMA))
    found = server.zone()
    found.allow("STATE-COLLECTOR", "SIF_SubscribeAccess", "SIF_RequestAccess")
    with httpx.Client(timeout=60) as agent:
        for _, _, path, body in conversations()[conversation]:
            sent = dict(
                line.split(": ", 1)
                for line in path.with_suffix(".headers.txt").read_text().splitlines()
                if ": " in line
            )
            headers = {
                k: v for k, v in sent.items() if k in ("Content-Type", "Accept", "User-Agent", "Accept-Encoding")
            }
            response = agent.post(found.url, content=body, headers=headers)
            kind = path.name.split("--")[1].split(".")
            kind = kind[1] if kind[0] == "SIF_SystemControl" else kind[0]
            expected = (EXPECTED | INCOMPLETE.get(conversation, {})).get(kind, {0})
            assert (path.name, answer(response)) in {(path.name, good) for good in expected}
            root = open_message(response.content)
            official.assertValid(root)
            assert root.get("Version") == etree.fromstring(body).get("Version")
            if kind in ("SIF_Event", "SIF_Response") and 0 in expected:
                assert answer(agent.post(found.url, content=body, headers=headers)) == 7


def test_an_agent_learns_what_it_may_send_and_that_gzip_is_taken(server):
    acl = server.post(message(REGISTER, source="NEW")).text
    assert '<SIF_Object ObjectName="StudentPersonal"><SIF_Contexts><SIF_Context>SIF_Default' in acl
    ask = message(
        "<SIF_SystemControl>|<SIF_SystemControlData><SIF_GetZoneStatus/></SIF_SystemControlData></SIF_SystemControl>"
    )
    status = server.post(ask).text
    assert "<SIF_Name>Accept-Encoding</SIF_Name><SIF_Value>gzip</SIF_Value>" in status
    assert server.token not in status


@pytest.mark.parametrize(
    "content_type", ['application/xml;charset="utf-8"', "application/xml", "text/xml", "text/plain", None]
)
def test_any_content_type_will_do(server, content_type):
    response = server.post(event(), headers={"content-type": content_type} if content_type else {})
    assert answer(response) == 0
    assert response.headers["content-type"] == "application/xml;charset=utf-8"


def test_what_is_stored_is_what_was_sent(server):
    bodies = {uuid4().hex.upper(): None for _ in range(3)}
    bodies = {i: event(i, pad) for i, pad in zip(bodies, ["", "Zo\xeb \U0001f600", "x" * 300_000], strict=True)}
    for body in bodies.values():
        assert answer(server.post(body)) == 0
    stored = dict(server.rows("SELECT msg_id, body FROM inbox.message"))
    assert {i: stored[i] for i in bodies} == bodies


def test_a_trailing_slash_is_the_same_zone_and_a_body_may_come_in_chunks(server):
    assert answer(httpx.post(server.url + "/", content=iter([event()[:50], event()[50:]]), timeout=60)) in (0, (1, 2))
    body = event()
    assert answer(httpx.post(server.url + "/", content=iter([body[:50], body[50:]]), timeout=60)) == 0


def test_the_drain_is_told_of_what_comes_in_but_not_of_every_message(server):
    own = server.registered()
    with psycopg.connect(server.database_url, autocommit=True) as listener, httpx.Client(timeout=60) as agent:
        listener.execute("LISTEN sif_inbox")
        start = time.monotonic()
        for _ in range(100):
            agent.post(own.url, content=event())
        lasted = time.monotonic() - start
        told = [n.channel for n in listener.notifies(timeout=0.5)]
    assert set(told) == {"sif_inbox"}
    assert len(told) <= lasted / 0.1 + 2


def test_health_ready_and_methods(server):
    base = f"http://127.0.0.1:{server.port}"
    assert httpx.get(base + "/health", timeout=60).status_code == 200
    assert httpx.get(base + "/ready", timeout=60).status_code == 200
    refused = httpx.get(server.url, timeout=60)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    for method in ("PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"):
        assert httpx.request(method, server.url, timeout=60).status_code == 405


def test_unknown_tokens_and_paths_look_alike_and_are_audited(module_database_url):
    with running(module_database_url) as found:
        base = f"http://127.0.0.1:{found.port}"
        wrong = [
            "/zone/" + "A" * 43, "/zone/" + found.token[:-1] + "_", "/zone/", "/zone", "/", "/" + found.token, "/admin",
            "/zone/../zone/x", "/zone/%2e%2e/health", f"/zone//{found.token}", f"/zone/{found.token}/x",
            "/zone/%00", "/zone/" + "x" * 4000,
        ]  # fmt: skip
        shapes = set()
        for path in wrong:
            response = httpx.post(base + path, content=event(), timeout=60)
            headers = {k: v for k, v in response.headers.items() if k != "date"}
            shapes.add((response.status_code, response.text, tuple(sorted(headers.items()))))
        assert len(shapes) == 1
        assert shapes.pop()[0] == 404
        assert ("unknown_url", None, "1 request since the last such entry") in found.rows(
            "SELECT event, zone_id, detail FROM inbox.audit"
        )


# Bodies


def test_gzip_is_taken_and_stored_inflated(server):
    msg_id = uuid4().hex.upper()
    body = event(msg_id)
    for packed in (gzip.compress(body), gzip.compress(body)):
        assert answer(server.post(packed, headers={"content-encoding": "gzip"})) in (0, 7)
    assert server.rows("SELECT body FROM inbox.message WHERE msg_id = '" + msg_id + "'") == [(body,)]


def test_bombs_and_broken_compression_are_refused(server):
    packed = {"content-encoding": "gzip"}
    body = gzip.compress(event())
    assert answer(server.post(gzip.compress(b"<r>" + b" " * 50_000_000 + b"</r>"), headers=packed)) == (12, 1)
    assert answer(
        server.post(gzip.compress(b"<r>" + os.urandom(700_000).hex().encode() + b"</r>"), headers=packed)
    ) == (12, 1)
    for broken in (
        body[:-1],
        body[:20],
        body + b"x",
        body + body,
        body[:30] + b"\xff" + body[31:],
        b"",
        b"<SIF_Message/>",
    ):
        assert server.post(broken, headers=packed).status_code == 400
    nested = gzip.compress(gzip.compress(event()))
    assert answer(server.post(nested, headers=packed)) == (1, 2)
    for encoding in ("deflate", "br", "compress", "gzip, gzip", "x"):
        assert server.post(body, headers={"content-encoding": encoding}).status_code == 415


def test_a_message_beyond_the_limit_is_answered_before_it_is_read(server):
    assert answer(server.post(event(pad="x" * 1_100_000))) == (12, 1)
    assert answer(httpx.post(server.url, content=(b"x" * 10_000 for _ in range(120)), timeout=60)) == (12, 1)
    with connected(server) as link:
        link.sendall(head(server, "Content-Length: 900000000000"))
        assert b"<SIF_Category>12</SIF_Category><SIF_Code>1</SIF_Code>" in ack(link)
    assert answer(server.post(event())) == 0


# Abuse of HTTP


@contextmanager
def connected(server):
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as link:
        yield link


def head(server, *headers, method="POST", path=None):
    lines = [f"{method} {path or '/zone/' + server.token} HTTP/1.1", "Host: x", *headers, "", ""]
    return "\r\n".join(lines).encode()


def ack(link):
    """Read to the end of a SIF_Ack; the connection may stay."""
    got = b""
    while b"</SIF_Message>" not in got:
        part = link.recv(65536)
        assert part, "the server hung up"
        got += part
    return got


def reply(link):
    """Read until the server closes; a reset counts as closing."""
    got = b""
    try:
        while part := link.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got


def test_slow_and_silent_senders_are_cut(impatient):
    """Each goes on in its way for a minute if it is let, and a busy machine may take most of it."""
    cases = {
        "silent": (b"", b""),
        "headers byte by byte": (head(impatient)[:-2] + b"X: ", b"y"),
        "empty lines": (b"", b"\r\n"),
        "half a body, then nothing": (head(impatient, "Content-Length: 5000") + b"<r>" * 100, b""),
        "body byte by byte": (head(impatient, "Content-Length: 5000"), b"<"),
        "chunk size, then nothing": (head(impatient, "Transfer-Encoding: chunked") + b"ff\r\n", b""),
    }
    with ThreadPoolExecutor(len(cases)) as threads:
        is_cut = dict(zip(cases, threads.map(lambda case: dribble(impatient, *case), cases.values()), strict=True))
    assert {case for case, cut in is_cut.items() if not cut} == set()


def dribble(server, sent, more):
    """Begin a request, go on with a little of it again and again, and tell whether the server hung up in a minute."""
    end = time.monotonic() + 60
    with connected(server) as link:
        link.settimeout(0.05)
        link.sendall(sent)
        while time.monotonic() < end:
            try:
                if link.recv(65536) == b"":
                    return True
            except TimeoutError:
                with suppress(OSError):  # hung up: the next look says so
                    link.sendall(more)
            except ConnectionResetError:
                return True
    return False


ENDLESS = """
patient = Bounds
Bounds = lambda **given: patient(**given | {"body_seconds": 2.5})
"""


def test_a_steady_but_endless_body_is_cut_at_its_deadline(module_database_url):
    with running(module_database_url, ENDLESS) as found, connected(found) as link:
        start = time.monotonic()
        link.sendall(head(found, "Content-Length: 900000"))
        with pytest.raises((BrokenPipeError, ConnectionResetError)):  # noqa: PT012 -- the sending is what fails
            while time.monotonic() - start < 60:
                link.sendall(b"x" * 200)
                time.sleep(0.05)
        assert time.monotonic() - start > 2.4


REPEATED = """
patient = Bounds
Bounds = lambda **given: patient(**given | {"header_seconds": 3, "idle_seconds": 4})
"""


def test_an_idle_connection_is_closed_and_a_second_request_on_it_has_its_own_deadlines(module_database_url):
    with running(module_database_url, REPEATED) as found, connected(found) as link:
        for _ in range(3):
            start = time.monotonic()
            body = event()
            link.sendall(head(found, f"Content-Length: {len(body)}") + body)
            assert ack(link).startswith(b"HTTP/1.1 200")
            time.sleep(1.2)  # three of these are more than the headers of one request may take
        assert reply(link) == b""
        assert time.monotonic() - start > 3.9


ABUSE = {
    "both lengths": ["Content-Length: 4", "Transfer-Encoding: chunked"],
    "length twice": ["Content-Length: 4", "Content-Length: 5"],
    "negative length": ["Content-Length: -1"],
    "signed length": ["Content-Length: +3"],
    "length as list": ["Content-Length: 3, 3"],
    "length in hexadecimal": ["Content-Length: 0x3"],
    "length beyond 64 bits": ["Content-Length: 99999999999999999999999"],
    "unknown transfer coding": ["Transfer-Encoding: xchunked"],
    "chunked and more": ["Transfer-Encoding: chunked, identity"],
    "chunked twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "chunked after a blank": ["Transfer-Encoding:\x0bchunked", "Content-Length: 4"],
    "chunked in disguise": ["Transfer_Encoding: chunked", "Content-Length: 4", "Transfer-Encoding: identity"],
    "length twice the same": ["Content-Length: 5", "Content-Length: 5"],
    "length with a blank inside": ["Content-Length: 1 0"],
    "header without colon": ["Nonsense"],
    "blank before the colon": ["Content-Length : 3"],
    "folded header": ["X: a\r\n b"],
    "NUL in a header": ["X: a\0b"],
    "header of 100 KB": ["X: " + "y" * 100_000],
    "many headers": [f"X{i}: y" for i in range(1000)],
    "many small headers": [f"X{i}:y" for i in range(65)],
}


@pytest.mark.parametrize("case", ABUSE)
def test_requests_that_are_not_proper_http_end_the_connection(server, case):
    with connected(server) as link:
        link.sendall(head(server, *ABUSE[case]) + b"abcd")
        assert reply(link).split(b"\r\n")[0] in (
            b"HTTP/1.1 400 Bad Request",
            b"HTTP/1.1 431 Request Header Fields Too Large",
            b"",
        )


RAW = {
    "bare line feeds": "POST /zone/{} HTTP/1.1\nHost: x\nContent-Length: 0\n\n",
    "long path": "POST /" + "x" * 100_000 + " HTTP/1.1\r\n\r\n",
    "no version": "POST /zone/{}\r\n\r\n",
    "HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "bad chunk size": "POST /zone/{} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "chunk longer than told": (
        "POST /zone/{} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcdef\r\n0\r\n\r\n"
    ),
    "huge chunk size": "POST /zone/{} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    "method unknown": "SPY /zone/{} HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("case", RAW)
def test_bytes_that_are_not_http_end_the_connection(server, case):
    with connected(server) as link:
        link.sendall(RAW[case].format(server.token).encode("latin-1"))
        assert reply(link).split(b"\r\n")[0] in (
            b"HTTP/1.1 400 Bad Request",
            b"HTTP/1.1 431 Request Header Fields Too Large",
        )


def test_a_flood_of_refusals_does_not_fill_the_log(server):
    before, start = len(server.lines), time.monotonic()
    for _ in range(200):
        with connected(server) as link:
            link.sendall(b"nonsense\r\n\r\n")
            reply(link)
    lines = [json.loads(line) for line in server.lines[before:]]
    refused = [line["connections"] for line in lines if line.get("reason") == "not_http"]
    assert len(refused) <= time.monotonic() - start + 2


def test_a_chunk_extension_flood_ends_the_connection(impatient):
    with connected(impatient) as link:
        try:
            link.sendall(head(impatient, "Transfer-Encoding: chunked"))
            for _ in range(64):
                link.sendall(b"1;" + b"a" * 65_536)
        except (BrokenPipeError, ConnectionResetError):
            return
        assert b"200 OK" not in reply(link)


def test_websocket_upgrade_is_not_offered(server):
    with connected(server) as link:
        body = event()
        link.sendall(head(server, "Connection: Upgrade", "Upgrade: websocket", f"Content-Length: {len(body)}") + body)
        assert ack(link).startswith(b"HTTP/1.1 200")


def test_pipelined_requests_are_answered_in_order(server):
    ids = [uuid4().hex.upper() for _ in range(5)]
    bodies = [event(i) for i in ids]
    with connected(server) as link:
        *first, last = bodies
        link.sendall(b"".join(head(server, f"Content-Length: {len(b)}") + b for b in first))
        link.sendall(head(server, f"Content-Length: {len(last)}", "Connection: close") + last)
        answered = re.findall(rb"<SIF_OriginalMsgId>([^<]+)", reply(link))
    assert [i.decode() for i in answered] == ids


def test_senders_that_close_their_side_first_are_answered_all_the_same(server):
    ids = [uuid4().hex.upper() for _ in range(3)]
    with connected(server) as link:
        for body in map(event, ids):
            link.sendall(head(server, f"Content-Length: {len(body)}") + body)
        link.shutdown(socket.SHUT_WR)
        answered = re.findall(rb"<SIF_OriginalMsgId>([^<]+)", reply(link))
    assert [i.decode() for i in answered] == ids


def test_expecting_agents_are_told_to_continue(server):
    body = event()
    with connected(server) as link:
        link.sendall(head(server, f"Content-Length: {len(body)}", "Expect: 100-continue", "Connection: close"))
        assert link.recv(100).startswith(b"HTTP/1.1 100 Continue")
        link.sendall(body)
        assert b"<SIF_Code>0</SIF_Code>" in reply(link)


def test_senders_that_hang_up_do_no_harm(server):
    body = event()
    whole = head(server, f"Content-Length: {len(body)}") + body
    for place in range(0, len(whole), 40):
        with connected(server) as link:
            link.sendall(whole[:place])
            if place % 80:
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # closes with a reset
    assert answer(server.post(body)) in (0, 7)


def test_good_senders_are_served_beside_two_hundred_bad_ones(server):
    """None of the bad ones is cut meanwhile, so that whatever held the good ones up would still do so."""
    before = memory(server)
    bad = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(150)]
    try:
        for place, link in enumerate(bad):
            link.sendall(head(server, "Content-Length: 900000")[: 20 + 3 * place])
        with httpx.Client(timeout=60) as agent:
            for _ in range(50):
                assert answer(agent.post(server.url, content=event())) == 0
        assert {is_open(link) for link in bad} == {True}
        assert memory(server) - before < 16
    finally:
        for link in bad:
            link.close()


def is_open(link):
    link.setblocking(False)  # noqa: FBT003
    try:
        link.recv(1)
    except BlockingIOError:
        return True
    except ConnectionResetError:
        pass
    return False


def under_way(server, link, size):
    """Begin a request with a body of so many bytes; the server has seen its headers when this returns."""
    link.sendall(head(server, f"Content-Length: {size}", "Expect: 100-continue", "Connection: close"))
    assert link.recv(100).startswith(b"HTTP/1.1 100")


def memory(server):
    """Give the megabytes the server holds."""
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def test_for_one_connection_too_many_the_one_that_was_quiet_the_longest_is_closed(module_database_url):
    body = event()
    with (
        running(module_database_url) as found,  # where no connection of another test is still being closed
        connected(found) as busy,
        ExitStack() as opened,
    ):
        assert answer(found.post(message(REGISTER))) == 0
        under_way(found, busy, len(body))
        busy.sendall(body[:-1])
        quiet = [opened.enter_context(connected(found)) for _ in range(199)]
        time.sleep(0.2)
        assert is_open(quiet[0])
        with connected(found) as one_more:
            one_more.sendall(head(found, f"Content-Length: {len(body)}", "Connection: close") + body)
            assert b"<SIF_Code>0</SIF_Code>" in reply(one_more)
        assert (is_open(quiet[0]), is_open(quiet[1])) == (False, True)
        busy.sendall(body[-1:])
        assert b"<SIF_Code>7</SIF_Code>" in reply(busy)


def test_more_requests_at_once_than_connections_allowed_are_told_to_come_back(module_database_url):
    with running(module_database_url) as found:
        with ExitStack() as opened:
            for _ in range(200):
                under_way(found, opened.enter_context(connected(found)), 5000)
            with connected(found) as one_more:
                assert one_more.recv(1000).startswith(b"HTTP/1.1 503")
        wait_until(lambda: found.post(message(REGISTER)).status_code == 200)


# Outages and sudden death


def test_a_server_killed_between_storing_and_answering_recognises_the_message(server):
    change = """
stored = server.receive
async def receive_and_die(*args):
    await stored(*args)
    os.kill(os.getpid(), signal.SIGKILL)
server.receive = receive_and_die
"""
    body, other, found = event(), event(), server.registered()
    with started(found.database_url, found.token, change) as dying:
        with pytest.raises(httpx.TransportError):
            dying.post(body)
        assert dying.process.wait(60) == -signal.SIGKILL
    assert answer(found.post(body)) == 7
    assert answer(found.post(other)) == 0


def test_a_server_killed_before_storing_has_acknowledged_nothing(server):
    change = """
def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)
server.receive = die
"""
    body, found = event(), server.registered()
    with started(found.database_url, found.token, change) as dying, pytest.raises(httpx.TransportError):
        dying.post(body)
    assert answer(found.post(body)) == 0


def test_without_a_database_senders_are_told_to_come_back_and_the_server_lives(module_database_url):
    name = psycopg.conninfo.conninfo_to_dict(module_database_url)["dbname"]
    admin = psycopg.conninfo.make_conninfo(module_database_url, dbname="postgres")
    with running(module_database_url, HURRIED) as found, psycopg.connect(admin, autocommit=True) as connection:
        assert answer(found.post(message(REGISTER))) == 0
        quoted = psycopg.sql.Identifier(name)
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(quoted))
        try:
            connection.execute(
                "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = %s", [name]
            )
            refused = found.post(event())
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            start = time.monotonic()
            assert found.post(event()).status_code == 503
            assert time.monotonic() - start < 25
            base = f"http://127.0.0.1:{found.port}"
            assert httpx.get(base + "/ready", timeout=60).status_code == 503
            assert httpx.get(base + "/health", timeout=60).status_code == 200
        finally:
            connection.execute(psycopg.sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(quoted))
        wait_until(lambda: found.post(event()).status_code == 200)
        assert answer(found.post(event())) == 0


def test_lost_connections_cost_at_most_one_answer(server):
    wait_until(lambda: server.get("/ready").status_code == 200)
    found = server.registered()
    for _ in range(3):
        found.rows(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        statuses = [found.post(event()).status_code for _ in range(4)]
        assert statuses[1:] == [200] * 3


def test_senders_that_would_have_to_wait_are_told_to_come_back_quickly(module_database_url):
    with running(module_database_url, HURRIED) as server:
        found = server.registered()
        with psycopg.connect(found.database_url) as blocker:
            blocker.execute("LOCK TABLE inbox.message IN ACCESS EXCLUSIVE MODE")
            with ThreadPoolExecutor(40) as threads:
                start = time.monotonic()
                codes = list(threads.map(lambda _: found.post(event()).status_code, range(40)))
            assert set(codes) == {503}
            assert time.monotonic() - start < 60, "one after the other they would be two minutes"
        wait_until(lambda: found.post(event()).status_code == 200)


def test_a_full_disk_means_no_ack_and_heals_by_itself(server):
    found, body = server.registered(), event()
    full = "RAISE EXCEPTION 'could not extend file: Canary Amelia' USING ERRCODE = 'disk_full'"
    with psycopg.connect(found.database_url, autocommit=True) as admin:
        admin.execute(f"CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {full}; END $$")
        admin.execute("CREATE TRIGGER full_disk BEFORE INSERT ON inbox.message EXECUTE FUNCTION full_disk()")
        try:
            assert found.post(body).status_code == 503
        finally:
            admin.execute("DROP FUNCTION full_disk CASCADE")
    assert answer(found.post(body)) == 0
    assert not any("Canary" in line for line in found.lines)


def test_a_stopped_server_finishes_what_it_has_in_hand(module_database_url):
    change = """
import asyncio
stored = server.receive
async def slowly(*args):
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0.7)
    return await stored(*args)
server.receive = slowly
"""
    with running(module_database_url, change) as found:
        register = message(REGISTER)
        assert answer(found.post(register)) == 0
        assert found.process.wait(60) == 0
        with pytest.raises(httpx.TransportError):
            found.post(register)
    assert [line["event"] for line in found.log()][-1] == "stopped"


def test_a_port_that_is_taken_is_said_in_a_sentence(module_database_url):
    sentence = r"Port \d+ on 127.0.0.1 cannot be used \(.*\); choose another"
    with closing(socket.create_server(("127.0.0.1", 0))) as holder, pytest.raises(ConfigurationError, match=sentence):
        zone_server.serve(module_database_url, "127.0.0.1", holder.getsockname()[1])


def test_logs_are_json_lines_without_tokens_or_values(module_database_url):
    with running(module_database_url) as found:
        bad = httpx.post(found.url + "X", content=event(), timeout=60)
        assert bad.status_code == 404
        found.post(event())
        found.post(event().replace(b"</LEAName>", b"</LEANam>"))
        found.post(message(REGISTER, source="A\nB"))
        with connected(found) as link:
            link.sendall(b"GET /zone/" + found.token.encode() + b" Canary\r\n\r\n")
            reply(link)
    text = "".join(found.lines)
    assert {"listening", "unknown_url", "message_refused", "http_refused", "stopped"} <= {
        line["event"] for line in found.log()
    }
    assert not re.search(rf"{re.escape(found.token)}|Canary|Amelia|LEANam|Traceback", text)


def test_a_bug_is_answered_with_500_and_logged_without_its_text(module_database_url):
    change = """
def broken(*args):
    raise KeyError("Canary Amelia O'Brien")
server.read = broken
"""
    with running(module_database_url, change) as found:
        assert found.post(event()).status_code == 500
    assert not re.search("Canary|Amelia|Traceback", "".join(found.lines))
    failures = [line for line in found.log() if line["event"] == "failed"]
    assert [line["error"] for line in failures] == ["KeyError"]
