"""The agent gets every message through, whatever the zone and the network do, and never changes a MsgId."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from time import monotonic
from types import SimpleNamespace
from typing import ClassVar

import pytest

from sif_pipeline.agent import client
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.synth import Line, agent, districts, play, send
from sif_pipeline.synth.agent import ZoneRefuses, ZoneSilent
from sif_pipeline.synth.state import District, Outgoing, add_events

ACK = (
    b'<SIF_Message xmlns="http://www.sifinfo.org/infrastructure/2.x" Version="2.7"><SIF_Ack><SIF_Status>'
    b"<SIF_Code>%d</SIF_Code></SIF_Status></SIF_Ack></SIF_Message>"
)
ERROR = (
    b'<SIF_Message xmlns="http://www.sifinfo.org/infrastructure/2.x" Version="2.7"><SIF_Ack><SIF_Error>\n'
    b" <SIF_Category>%d</SIF_Category>\n <SIF_Code>%d</SIF_Code></SIF_Error></SIF_Ack></SIF_Message>"
)
DROP = "drop"

Reply = tuple[int, bytes] | str


@contextmanager
def zone(answer: Callable[[int, bytes], Reply]) -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """Run a real HTTP server: `answer` gets (number of the request, body); yield its URL and what it saw."""
    seen: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version: ClassVar[str] = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((f"{self.path} {self.headers}", body))
            reply = answer(len(seen), body)
            if isinstance(reply, str):
                self.close_connection = True
                return
            self.send_response(reply[0])
            self.send_header("Content-Length", str(len(reply[1])))
            self.end_headers()
            self.wfile.write(reply[1])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/zone/x?y=1", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def district() -> District:
    (found,) = districts(1, 12, 5, varied=False)
    return found


def three(district: District) -> list[Outgoing]:
    return list(islice(add_events(district, district.stamps()), 3))


def test_a_district_is_played_in_order(district: District) -> None:
    progress: list[tuple[int, int]] = []
    with zone(lambda _, __: (200, ACK % 0)) as (url, seen):
        answers = play(district, Line(url), leave=True, progress=lambda sent, total: progress.append((sent, total)))
    kinds = [re.findall(rb"<SIF_(Register|Provision|Event|Unregister)>", body)[0].decode() for _, body in seen]
    events = sum(district.counts().values()) + len(list(district.happenings()))
    assert kinds == ["Register", "Provision", *["Event"] * events, "Unregister"]
    assert answers == {"status 0": events + 3}
    assert progress[-1] == (events, events)
    moments = [re.findall(rb"<SIF_Timestamp>([^<]+)", body)[0] for _, body in seen]
    assert moments == sorted(set(moments))
    assert seen[0][0].startswith("/zone/x?y=1 ")
    assert 'Content-Type: application/xml;charset="utf-8"' in seen[0][0]


@pytest.mark.parametrize(
    "trouble",
    [
        DROP,  # the connection breaks after the message was read
        (503, b"busy"),
        (429, b"slow down"),
        (200, b"<html>a proxy's page</html>"),
        (200, ACK % 8),  # the zone sleeps
        (200, ERROR % (11, 1)),  # the zone's own system error
    ],
)
def test_a_message_without_an_ack_is_sent_again_unchanged(district: District, trouble: Reply) -> None:
    def answer(number: int, _: bytes) -> Reply:
        return trouble if number == 2 else (200, ACK % (7 if number == 3 else 0))

    with zone(answer) as (url, seen):
        answers: Counter[str] = Counter()
        names = [reply for _, reply in send(three(district), Line(url), answers)]
    bodies = [body for _, body in seen]
    assert names == ["status 0", "status 7", "status 0"]
    assert answers == {"status 0": 2, "status 7": 1, "resent": 1}
    assert bodies[1] == bodies[2]
    assert len(set(bodies)) == 3


def test_a_zone_that_takes_too_long_gets_the_message_again(district: District) -> None:
    late = threading.Event()

    def answer(number: int, _: bytes) -> Reply:
        if number == 1:
            late.wait(60)
        return 200, ACK % 0

    with zone(answer) as (url, seen):
        answers: Counter[str] = Counter()
        list(send(three(district)[:1], Line(url, timeout=1), answers))
        late.set()
    assert (answers["status 0"], answers["resent"] >= 1) == (1, True)
    assert len({body for _, body in seen}) == 1


def test_refusals_of_a_message_are_counted_and_the_rest_goes_on(district: District) -> None:
    replies = {1: (200, ERROR % (1, 4)), 2: (413, b""), 3: (200, ACK % 0)}
    with zone(lambda number, _: replies[number]) as (url, _):
        assert [reply for _, reply in send(three(district), Line(url))] == ["error 1/4", "http 413", "status 0"]


def test_a_zone_that_refuses_to_register_ends_it(district: District) -> None:
    with zone(lambda _, __: (200, ERROR % (4, 2))) as (url, seen):
        with pytest.raises(ZoneRefuses, match=r"SIF_Register with error 4/2"):
            play(district, Line(url))
        assert len(seen) == 1


def test_patience_ends(district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    with zone(lambda _, __: (503, b"")) as (url, seen), monkeypatch.context() as patch:
        for module in (client, agent):
            patch.setattr(module, "time", SimpleNamespace(monotonic=lambda: sum(waited), sleep=waited.append))
        with pytest.raises(ZoneSilent):
            play(district, Line(url, patience=0.2))
        assert waited == [0.0, 0.1, 0.2]
        assert len({body for _, body in seen}) == 1
        assert len(seen) == 3


def test_no_server_at_all_is_told(district: District) -> None:
    with zone(lambda _, __: (200, b"")) as (url, _):
        pass
    with pytest.raises(ZoneSilent):
        play(district, Line(url, patience=0.1))


def test_headers_are_sent_with_every_message(district: District) -> None:
    with zone(lambda _, __: (200, ACK % 0)) as (url, seen):
        list(send(three(district), Line(url, headers={"Authorization": "Bearer zone-token"})))
    assert all("Authorization: Bearer zone-token" in headers for headers, _ in seen)


def test_rate_is_a_limit(district: District) -> None:
    with zone(lambda _, __: (200, ACK % 0)) as (url, _):
        begun = monotonic()
        list(send(three(district), Line(url, rate=20)))
        assert monotonic() - begun >= 0.1


@pytest.mark.parametrize("url", ["ftp://host/zone", "http:///zone", "zone"])
def test_a_url_that_is_none_is_refused(district: District, url: str) -> None:
    with pytest.raises(ConfigurationError, match="http"):
        list(send(three(district), Line(url)))
