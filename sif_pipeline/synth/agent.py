"""An agent that plays a district against a zone over HTTP: it registers, provisions, and sends its events.

One message at a time over one kept connection, as real agents do. A message without an ack is sent again, the
same bytes with the same MsgId, until the zone answers: at least once is the sender's part, exactly once the
zone's. `http.client` and not a richer client: a fifth of the CPU time per message, and load tests share the
machine with what they test.
"""

import re
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from itertools import chain
from typing import NamedTuple
from urllib.parse import urlsplit

from sif_pipeline.agent.client import TRY_AGAIN, ZoneRefuses, ZoneSilent, is_passing, waits
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.synth import messages
from sif_pipeline.synth.state import District, Outgoing, add_events, introduction, later_events

Progress = Callable[[int, int], None]
"""Called after each message with messages acknowledged so far and messages in all."""


class Line(NamedTuple):
    """How to reach a zone, and how long to try."""

    url: str  #: of the zone, http or https
    headers: Mapping[str, str] = {}  #: sent with every message, for example Authorization
    timeout: float = 30.0  #: seconds to wait for one reply
    patience: float = 300.0  #: seconds to go on without an ack before ZoneSilent
    rate: float | None = None  #: messages per second at most
    tls: ssl.SSLContext | None = None  #: for https; the system's authorities by default


def play(
    district: District,
    line: Line,
    *,
    start: datetime | None = None,
    leave: bool = False,
    progress: Progress | None = None,
) -> Counter[str]:
    """Enter the zone, send the first load as Add events, then Changes and Deletes; with `leave`, unregister.

    Return how often each answer came: "status 0" (taken), "status 7" (had it), "error 1/4" (SIF_Error,
    category and code), "http 413", and "resent" for messages sent again. Raise ZoneRefuses when
    registering fails, ZoneSilent when no ack comes within the line's patience.
    """
    stamps = district.stamps(start)
    answers: Counter[str] = Counter()
    for message, answer in send(introduction(district, stamps), line, answers):
        if not answer.startswith("status"):
            raise ZoneRefuses(message.action, answer)
    events: Iterable[Outgoing] = chain(add_events(district, stamps), later_events(district, stamps))
    total = _total(district) if progress else 0
    for number, _ in enumerate(send(events, line, answers), 1):
        if progress:
            progress(number, total)
    if leave:
        stamp = next(stamps)
        farewell = Outgoing("", "SIF_Unregister", stamp, messages.unregister(district.source_id, stamp))
        _exhaust(send([farewell], line, answers))
    return answers


def _total(district: District) -> int:
    return sum(district.counts().values()) + sum(1 for _ in district.happenings())


def _exhaust(answered: Iterable[object]) -> None:
    for _ in answered:
        pass


def send(
    outgoing: Iterable[Outgoing], line: Line, answers: Counter[str] | None = None
) -> Iterator[tuple[Outgoing, str]]:
    """Send messages in order and yield each with its answer once it has one; count answers in `answers`.

    Answers are spelled as `play` returns them. Raise ZoneSilent when the line's patience ends.
    """
    counted: Counter[str] = Counter() if answers is None else answers
    target = urlsplit(line.url)
    with closing(_connection(line)) as connection:
        path = f"{target.path or '/'}{f'?{target.query}' if target.query else ''}"
        begun = time.monotonic()
        for number, message in enumerate(outgoing):
            if line.rate:
                time.sleep(max(0.0, begun + number / line.rate - time.monotonic()))
            answer = _answer(connection, path, message.body, line, counted)
            counted[answer] += 1
            yield message, answer


def _connection(line: Line) -> HTTPConnection:
    target = urlsplit(line.url)
    if target.scheme not in {"http", "https"} or not target.hostname:
        raise ConfigurationError("A zone's URL starts with http:// or https:// and names a host.")
    if target.scheme == "https":
        return HTTPSConnection(target.hostname, target.port, timeout=line.timeout, context=line.tls)
    return HTTPConnection(target.hostname, target.port, timeout=line.timeout)


def _answer(connection: HTTPConnection, path: str, body: bytes, line: Line, counted: Counter[str]) -> str:
    """Send one message until it is answered for good."""
    headers = {"Content-Type": 'application/xml;charset="utf-8"', **line.headers}
    for wait in waits(line.patience):
        try:
            connection.request("POST", path, body, headers)
            reply = connection.getresponse()
            answer = _read(reply.status, reply.read())
        except (OSError, HTTPException):
            # Broken, refused or timed out: whether the zone has the message is unknown, so it gets it again.
            connection.close()
            answer = None
        if answer is not None:
            return answer
        counted["resent"] += 1
        time.sleep(wait)
    raise ZoneSilent


_ACK = re.compile(
    rb"SIF_(?:Status>\s*<(?:\w+:)?SIF_Code>\s*(\d+)"
    rb"|Error>\s*<(?:\w+:)?SIF_Category>\s*(\d+)\s*</[^>]+>\s*<(?:\w+:)?SIF_Code>\s*(\d+))"
)


def _read(status: int, body: bytes) -> str | None:
    """Return the answer's name; None when the message must be sent again."""
    if status >= 500 or status in TRY_AGAIN:
        return None
    ack = _ACK.search(body)
    if ack is None:
        # A 200 without an ack comes from something in between, not from the zone.
        return None if status < 300 else f"http {status}"
    code, category, error = ack.groups()
    if is_passing(int(code or 0), int(category or 0)):
        return None
    return f"status {code.decode()}" if code else f"error {category.decode()}/{error.decode()}"
