"""Our own agents against our own zone server, over real HTTP and a real database."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import httpx
import pytest

from sif_pipeline.agent import Line, ZoneRefuses, ZoneSilent, client
from sif_pipeline.agent.listener import Address, listening
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif.carried import objects
from sif_pipeline.sif.gate import open_message
from sif_pipeline.testing import KITS, flawed, key_of, pulling, sample_objects, zone_server


@pytest.fixture(scope="module")
def server(module_database_url):
    with zone_server(module_database_url) as found:
        yield found


@pytest.fixture
def zone(server):
    return server.zone()


@pytest.mark.parametrize("kit", sorted(KITS))
def test_an_agent_of_any_kit_joins_publishes_and_leaves(zone, kit):
    school, student = sample_objects("SchoolInfo")[0], sample_objects("StudentPersonal")[0]
    with pulling(zone.url, kit=KITS[kit], holds={"StudentPersonal": [student]}) as agent:
        joined = agent.join()
        assert [a.words for a in joined] == ["status 0"] * len(joined)
        assert agent.wire.compress is KITS[kit].compresses
        assert agent.ping().code == 0
        assert agent.event("Add", "SchoolInfo", school).code == 0
        assert agent.event("Add", "StudentPersonal", student, *sample_objects("StudentPersonal", 3)[1:]).code == 0
        assert agent.event("Change", "StudentPersonal", student).code == 0
        assert agent.event("Delete", "StudentPersonal", key_of(student)).code == 0
        assert agent.pull_all() == []
        left = agent.unregister()
        assert (left.code, left.version) == (0, KITS[kit].version)
    stored = zone.rows(
        "SELECT message_type, sif_version FROM inbox.message JOIN inbox.zone USING (zone_id)"
        " WHERE name = %(zone)s AND message_type = 'SIF_Event'"
    )
    assert stored == [("SIF_Event", KITS[kit].version)] * 4


def test_a_message_that_is_sent_again_is_known(zone):
    with pulling(zone.url) as agent:
        agent.register()
        written = agent.write("SIF_Event", b"")
        assert agent.send(written).error == (9, 3)
        event = agent.write("SIF_Response", b"<SIF_RequestMsgId>" + b"0" * 32 + b"</SIF_RequestMsgId>"
                            b"<SIF_PacketNumber>1</SIF_PacketNumber><SIF_MorePackets>No</SIF_MorePackets><SIF_ObjectData>"
                            + flawed(sample_objects("LEAInfo")[0]) + b"</SIF_ObjectData>")  # fmt: skip
        assert [agent.send(event).code, agent.send(event).code] == [0, 7]


def test_a_bundle_of_events_is_one_message(zone):
    student = sample_objects("StudentPersonal")[0]
    with pulling(zone.url) as agent:
        agent.register()
        events = [("Add", "StudentPersonal", student), ("Delete", "StudentPersonal", key_of(student))]
        assert agent.bundle(*events).code == 0
    ((kind, body),) = zone.rows(
        "SELECT message_type, body FROM inbox.message JOIN inbox.zone USING (zone_id)"
        " WHERE name = %(zone)s AND state = 'pending'"
    )
    assert (kind, [o.action for o in objects(open_message(body))]) == ("SIF_BundledEvents", ["Add", "Delete"])


def test_who_did_not_register_is_refused(zone):
    with pulling(zone.url, "STRANGER") as agent:
        assert agent.event("Add", "LEAInfo", *sample_objects("LEAInfo")).error == (4, 9)
        with pytest.raises(ZoneRefuses, match="error 4/9"):
            agent.fetch()


def test_a_zone_that_is_none_is_told_at_once(zone):
    with pulling(zone.url + "x") as agent, pytest.raises(ZoneRefuses, match="HTTP 404"):
        agent.register()


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/zone", "127.0.0.1:80", "http:///zone"])
def test_a_url_that_is_none_is_refused(url):
    with pytest.raises(ConfigurationError):
        pulling(url).__enter__()


def test_a_restart_of_the_server_is_ridden_out(module_database_url):
    with zone_server(module_database_url) as server:
        zone = server.zone()
        with pulling(zone.url) as agent:
            agent.register()
            server.stop()
            later = threading.Thread(target=lambda: (until(lambda: agent.wire.resent), server.start()))
            later.start()
            assert agent.event("Add", "LEAInfo", *sample_objects("LEAInfo")).code == 0
            later.join()


def until(condition):
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)


@contextmanager
def answering(*replies):
    """Give the URL of a server that answers with these statuses and bodies, the last one for ever."""
    seen, left = [], list(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{found.server_port}/", seen
    finally:
        found.shutdown()
        found.server_close()
        thread.join()


def ack(content):
    return (
        '<SIF_Message xmlns="http://www.sifinfo.org/infrastructure/2.x" Version="2.6"><SIF_Ack>'
        f"{content}</SIF_Ack></SIF_Message>"
    ).encode()


STATUS = "<SIF_Status><SIF_Code>{}</SIF_Code></SIF_Status>"
TROUBLE = [
    (503, b"busy"),
    (429, b"slow down"),
    (200, b"<html>a proxy's page</html>"),
    (200, ack(STATUS.format(8))),
    (200, ack("<SIF_Error><SIF_Category>11</SIF_Category><SIF_Code>1</SIF_Code></SIF_Error>")),
]


@pytest.mark.parametrize("trouble", TROUBLE)
def test_the_same_bytes_are_sent_until_an_ack_comes(trouble):
    with answering(trouble, trouble, (200, ack(STATUS.format(0)))) as (url, seen), pulling(url) as agent:
        assert agent.ping().code == 0
        assert agent.wire.resent == 2
    assert len(seen) == 3
    assert len(set(seen)) == 1


def test_patience_ends(monkeypatch):
    waited = []
    clock = SimpleNamespace(monotonic=lambda: sum(waited), sleep=waited.append)
    with (
        answering((503, b"")) as (url, seen),
        pulling(Line(url, patience=0.3)) as agent,
        monkeypatch.context() as patch,
    ):
        patch.setattr(client, "time", clock)
        with pytest.raises(ZoneSilent):
            agent.ping()
        assert waited == [0.0, 0.1, 0.2]
        assert len(seen) == 3
    with pulling(Line("http://127.0.0.1:9/", patience=0.1)) as agent, pytest.raises(ZoneSilent):
        agent.ping()


def test_a_listener_answers_what_it_is_told_and_inflates():
    import gzip  # noqa: PLC0415

    got = []
    with listening(Address(size=1000), lambda body: got.append(body) or (None if body == b"no" else b"<ack/>")) as url:
        assert httpx.post(url, content=b"<a/>", timeout=60).content == b"<ack/>"
        zipped = {"headers": {"Content-Encoding": "gzip"}, "timeout": 60}
        packed = httpx.post(url, content=gzip.compress(b"<b/>"), **zipped)
        assert (packed.status_code, packed.headers["content-type"]) == (200, "application/xml;charset=utf-8")
        assert httpx.post(url, content=b"no", timeout=60).status_code == 503
        assert httpx.post(url, content=b"x" * 1001, timeout=60).status_code == 413
        bomb = httpx.post(url, content=gzip.compress(b"x" * 1001), **zipped)
        broken = httpx.post(url, content=b"none", **zipped)
        assert [bomb.status_code, broken.status_code] == [413, 413]
        assert httpx.get(url, timeout=60).status_code == 405
    assert got == [b"<a/>", b"<b/>", b"no"]
    with pytest.raises(httpx.ConnectError):
        httpx.post(url, content=b"<a/>", timeout=60)


def test_a_port_that_is_taken_is_said_in_a_sentence():
    with listening(Address(), lambda _: b"") as url:
        taken = Address(port=httpx.URL(url).port)
        with pytest.raises(ConfigurationError, match="listen on another"), listening(taken, lambda _: b""):
            pass
