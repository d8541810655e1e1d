"""Deadlines and size limits of HTTP connections, which uvicorn has none of: slow and oversized senders are cut.

It knows HTTP only; what a request asks for is the business of `server`.
"""

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from sif_pipeline.zone.refusals import tell


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long and how large the parts of a connection may be."""

    header_seconds: float = 15  #: from the first byte, or the connection, to the end of the headers
    body_seconds: float = 60  #: from the end of the headers to the end of the body
    progress_seconds: float = 10  #: within which a body must bring, or an answer be read by, `progress_bytes`
    progress_bytes: int = 1024
    idle_seconds: float = 75  #: between requests; agents that poll do so every 30 seconds
    header_bytes: int = 16 * 1024  #: request line and headers
    header_count: int = 64
    connections: int = 2000  #: at once; for one more, the one that has been quiet the longest is closed


class NotServed(Exception):
    """A request line or headers beyond the bounds; httptools turns it into its own parser error."""


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's HTTP protocol with deadlines, header limits and a cap on connections."""

    bounds: ClassVar[Bounds] = Bounds()
    quiet: "ClassVar[OrderedDict[BoundedHttp, None]]" = OrderedDict()
    """Connections without a request under way, the one that has been so the longest first."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection that says nothing is cut as one that never ends its headers."""
        super().connection_made(transport)
        self._peer = getattr(transport.get_extra_info("ssl_object"), "peer", None)
        self._head_bytes = 0
        self._body_bytes = 0
        self._in_body = False
        self._timers: list[asyncio.TimerHandle] = []
        self._unread: asyncio.TimerHandle | None = None
        self._unanswered: deque[RequestResponseCycle] = deque()
        if len(self.connections) > self.bounds.connections and not self._make_room():
            self._refuse(b"503 Service Unavailable", "too_many_connections")
        else:
            self.quiet[self] = None
            self._within(self.bounds.header_seconds, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        self.resume_writing()
        self.quiet.pop(self, None)
        self._give_up_answering()
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn gives none, ever
        """Still answer a sender that says that it has said everything; some do, and wait."""
        if not self._unanswered or self._in_body:
            return False
        self.cycle.keep_alive = False  # the latest one's
        return self.scheme == "http"  # TLS cannot be half open

    def data_received(self, data: bytes) -> None:
        """Count before parsing; headers that have not ended within the limit never will."""
        if self._in_body:
            self._body_bytes += len(data)
        elif not self._timers:
            self._within(self.bounds.header_seconds, self._too_slow)
        in_head = not self._in_body
        super().data_received(data)
        if in_head and not self._in_body and self._timers:
            self._head_bytes += len(data)
            if self._head_bytes > self.bounds.header_bytes:
                self._refuse(b"431 Request Header Fields Too Large", "headers_too_large")

    def on_message_begin(self) -> None:
        """Begin to count a request's headers."""
        super().on_message_begin()
        self.scope["state"]["peer"] = self._peer
        self._head_size = 0

    def on_url(self, url: bytes) -> None:
        """Bound the request line."""
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Bound the headers, in bytes and in number."""
        self._count_head(len(name) + len(value))
        if len(self.headers) >= self.bounds.header_count:
            raise NotServed
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Turn from the deadline of the headers to those of the body; HTTP/0.9 has neither."""
        if self.parser.get_http_version() not in ("1.0", "1.1"):
            raise NotServed
        self._stop_clock()
        self.quiet.pop(self, None)
        self._head_bytes = self._body_bytes = 0
        self._in_body = True
        self._within(self.bounds.body_seconds, self._too_slow)
        self._within(self.bounds.progress_seconds, self._check_progress)
        super().on_headers_complete()
        self._unanswered.append(self.cycle)

    def on_message_complete(self) -> None:
        """End the deadlines: the rest is our own time."""
        self._stop_clock()
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go quiet, or have the rest of the answer read in time."""
        self._unanswered.popleft()
        super().on_response_complete()
        if self.transport.is_closing():
            self._hang_up()
        elif not self.pipeline:
            self.quiet[self] = None

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, whether or not its last answer was read."""
        self._hang_up()

    def pause_writing(self) -> None:
        """See to it that an answer is read that no longer fits the buffers."""
        super().pause_writing()
        self._await_reading()

    def resume_writing(self) -> None:
        """Go on: it is being read."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP request, and log only that."""
        tell("http_refused", "not_http")
        self._stop_clock()
        if not self.transport.is_closing():
            super().send_400_response(msg)
        self._give_up_answering()

    def _give_up_answering(self) -> None:
        """Tell every request under way that nobody listens any more; uvicorn tells the latest one only."""
        for cycle in self._unanswered:
            cycle.disconnected = True
            cycle.message_event.set()

    def _make_room(self) -> bool:
        """Close the connection that has been quiet the longest; False when every one has a request under way."""
        while self.quiet:
            longest, _ = self.quiet.popitem(last=False)
            if not longest.transport.is_closing():
                tell("http_refused", "made_room")
                longest._hang_up()  # noqa: SLF001 -- it is one of us
                return True
        return False

    def _hang_up(self) -> None:
        """Close; what is left of an answer must be read meanwhile: closing alone waits for ever."""
        self.transport.close()
        self._await_reading()

    def _await_reading(self) -> None:
        if self._unread is None:
            left = self.transport.get_write_buffer_size()
            self._unread = self.loop.call_later(self.bounds.progress_seconds, self._check_reading, left)

    def _check_reading(self, before: int) -> None:
        """Break off when hardly anything was read since."""
        self._unread = None
        if self.transport.get_write_buffer_size() > before - self.bounds.progress_bytes:
            self.transport.abort()
        else:
            self._await_reading()

    def _within(self, seconds: float, act: Any) -> None:
        self._timers.append(self.loop.call_later(seconds, act))

    def _stop_clock(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _count_head(self, size: int) -> None:
        self._head_size += size
        if self._head_size > self.bounds.header_bytes:
            raise NotServed

    def _check_progress(self) -> None:
        if self._body_bytes < self.bounds.progress_bytes:
            self._too_slow()
            return
        self._body_bytes = 0
        self._within(self.bounds.progress_seconds, self._check_progress)

    def _too_slow(self) -> None:
        self._refuse(b"408 Request Timeout", "too_slow")

    def _refuse(self, status: bytes, reason: str) -> None:
        """Say why in one line and close, whatever else was going on."""
        tell("http_refused", reason)
        self._stop_clock()
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self._hang_up()
        self._give_up_answering()


def bounded(bounds: Bounds) -> type[BoundedHttp]:
    """Make the protocol class for these bounds; uvicorn takes a class, not an instance."""
    return type("BoundedHttp", (BoundedHttp,), {"bounds": bounds, "quiet": OrderedDict()})
