"""The zone server: takes SIF messages by HTTP POST on secret URLs and answers each with a SIF_Ack.

It knows HTTP; what becomes of a message is the business of `receive`. An answer other than 200 means that no ack was
given and the agent keeps its message. Neither tokens nor anything of a message is ever logged.
"""

import asyncio
import gc
import gzip
import json
import logging
import math
import re
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, MutableMapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import psycopg
import uvicorn
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from sif_pipeline import zones
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif.gate import Limits, Refused, check_parser, too_large
from sif_pipeline.sif.messages import Original
from sif_pipeline.sif.naming import counted
from sif_pipeline.zone import delivery, identity, log_entries
from sif_pipeline.zone.http_limits import Bounds, bounded
from sif_pipeline.zone.inflating import Inflater, NotGzip
from sif_pipeline.zone.receive import Incoming, audit, read, receive
from sif_pipeline.zone.recording import Withheld
from sif_pipeline.zone.storing import SQL
from sif_pipeline.zone.threads import THREAD_FROM, off_the_loop
from sif_pipeline.zone.tls import Peer, ServerTls, ssl_context_for
from sif_pipeline.zones import Zone

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CONNECTIONS: Final = 16
"""Database connections of one server: commits that wait for the disk at the same time share one flush of it."""

ZONE_AT_ONCE: Final = CONNECTIONS // 2
"""Messages of one zone that are being stored at once; an agent sends one at a time, so that many more are a flood."""

IN_FLIGHT: Final = 256 * 1024 * 1024
"""Bytes of bodies the server holds at once; beyond, senders are told to come back."""

ZONE_REMEMBERED: Final = 5.0
"""Seconds for which a token or certificate that was good is good without asking the database."""

DOORS_REMEMBERED: Final = 10_000
"""Pairs of zone and certificate remembered at most: anybody can make certificates."""

WAIT: Final = 2.0
"""Seconds to wait for a database connection before the sender is told to come back."""

DATABASE_SECONDS: Final = 10.0
"""Seconds the database may take for one message."""

ANNOUNCED: Final = 0.1
"""Seconds at least between two announcements to the drain that something came in."""

UNAVAILABLE: Final = (psycopg.Error, PoolTimeout, TooManyRequests, TimeoutError)
"""How a database that is away, or slow, shows."""

FILES: Final = 65_536
"""Files the process opens at most; a third of them is for TLS handshakes, which count as connections when done."""

LISTEN_OUT: Final = 2.0
"""Seconds for which the rest of a refused request is read and thrown away."""

UNKNOWN_URLS_SECONDS: Final = 10.0
"""Seconds between two audit entries about requests for no zone."""

PACKED_FROM: Final = 1400
"""Bytes of an answer from which gzip is worth its while: fewer go into one packet as they are."""

INFLATION: Final = 100
"""How many times its size a compressed body may grow; XML compresses ten- to thirtyfold."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response."""

    status: int
    body: bytes = b""
    content_type: bytes = b"text/plain; charset=utf-8"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    close: bool = False  #: the rest of the request was not read; close after a short while of listening


def _xml(ack: bytes, *, close: bool = False) -> Answer:
    return Answer(200, ack, b"application/xml;charset=utf-8", close=close)


NOT_FOUND = Answer(404, b"Not found.\n", close=True)
NOT_ALLOWED = Answer(405, b"Send SIF messages with POST.\n", headers=((b"allow", b"POST"),), close=True)
UNREADABLE = Answer(400, b"The body ended early, or is not what its Content-Encoding says.\n", close=True)
UNKNOWN_ENCODING = Answer(415, b"Send the message plain or with Content-Encoding: gzip.\n", close=True)
COME_BACK = Answer(503, b"Not now; send the message again.\n", headers=((b"retry-after", b"5"),), close=True)
FAILED = Answer(500, b"The server failed; send the message again.\n", close=True)


class Ended(Exception):
    """The request ends here, with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Way:
    """How agents reach the server."""

    tls: ServerTls | None = None  #: plain HTTP without
    behind_tls: bool = False  #: only a proxy reaches the port, and agents reach the proxy by HTTPS
    only_here: bool = False  #: only this machine reaches the port, so that agents on it are called too


PLAIN: Final = Way()
"""HTTP, by whoever reaches the port."""


def serve(  # noqa: PLR0913 -- what may be left out has a name
    url: str, host: str, port: int, *, limits: Limits | None = None, bounds: Bounds | None = None, way: Way = PLAIN
) -> None:
    """Serve zones at `http(s)://host:port/zone/TOKEN` until SIGTERM or SIGINT; finish what is at hand, and return.

    Raise ConfigurationError when the port is taken or the XML parser is unsafe. A database that is away is no
    reason not to start: senders are told to come back until it is there.
    """
    check_parser()
    listener = _listen(host, port)
    log_to_stderr()
    only_here = ip_address(listener.getsockname()[0]).is_loopback and not way.behind_tls
    application = ZoneServer(url, limits or Limits(), replace(way, only_here=only_here))
    server = uvicorn.Server(_configuration(application, _affordable(bounds or Bounds(), way), way))
    facts = {"host": host, "port": listener.getsockname()[1], "tls": way.tls is not None}
    log.info("listening", extra={"facts": facts})
    gc.freeze()  # what is there now stays; going through it for garbage would hold every answer for 70 ms at times
    with listener, _signals_left_to_uvicorn():
        server.run(sockets=[listener])
    log.info("stopped")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise ConfigurationError(
            f"Port {port} on {host} cannot be used ({error.strerror}); choose another with --port or --host."
        ) from None


def _affordable(bounds: Bounds, way: Way) -> Bounds:
    """Allow the process all the files it may open, and no more connections than that, with room for other files."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = FILES if most == resource.RLIM_INFINITY else min(most, FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))
    if way.tls is not None:
        way.tls.most_handshakes = files // 3
    return replace(bounds, connections=max(16, min(bounds.connections, files * 2 // 3 - 100)))


def _configuration(application: "ZoneServer", bounds: Bounds, way: Way) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=bounded(bounds),
        loop="sif_pipeline.zone.tls:Loop",
        ssl_context_factory=way.tls and (lambda *_: way.tls),  # type: ignore[arg-type]
        ws="none",
        interface="asgi3",
        lifespan="on",
        access_log=False,  # its lines would hold the tokens
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=bounds.idle_seconds,  # type: ignore[arg-type]  # a fraction is as good
        timeout_graceful_shutdown=30,
    )


@contextmanager
def _signals_left_to_uvicorn() -> Iterator[None]:
    """Ignore what stops us outside uvicorn, which raises it once more when it has finished in good order."""
    before = {stop: signal.signal(stop, signal.SIG_IGN) for stop in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for stop, act in before.items():
            signal.signal(stop, act)


class JsonLines(logging.Formatter):
    """One JSON object per line: time, event, and facts that hold no personal data. Exceptions are left out."""

    def format(self, record: logging.LogRecord) -> str:
        """Write the record; JSON escapes what could break a line or a terminal."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname.lower(), "event": record.getMessage()}
        return json.dumps(line | getattr(record, "facts", {}))


def log_to_stderr() -> None:
    """Send our own lines to standard error, and of others' only what uvicorn calls an error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    levels = {"sif_pipeline": logging.INFO, "uvicorn": logging.ERROR, "psycopg": logging.CRITICAL}
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.setLevel(level)
        logger.handlers, logger.propagate = [handler], False


_SESSION: Final = (
    "-c synchronous_commit=on"  # an ack promises that the bytes survive a power cut
    " -c statement_timeout=10s -c lock_timeout=3s -c idle_in_transaction_session_timeout=10s"
    " -c client_connection_check_interval=500 -c timezone=UTC"
)


class ZoneServer:
    """The ASGI application: zone URLs, /health and /ready."""

    def __init__(self, url: str, limits: Limits, way: Way = PLAIN) -> None:
        self.url = url
        self.limits = limits
        self.way = way
        self.pool: AsyncConnectionPool[psycopg.AsyncConnection[Any]] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=CONNECTIONS,
            max_waiting=CONNECTIONS * 8,
            timeout=WAIT,
            reconnect_timeout=WAIT,  # a back-off that grows would outlast the outage
            open=False,
            kwargs={"autocommit": True, "connect_timeout": 3, "options": _SESSION},
        )
        self.known: dict[bytes, tuple[Zone, float]] = {}
        self.doors: dict[tuple[int, bytes | None], tuple[identity.Door, float]] = {}
        self.turns: dict[int, asyncio.Semaphore] = {}
        self.news = asyncio.Event()
        self.in_flight = 0
        self.unknown_urls = 0
        self.unknown_audited = -math.inf
        self.checking: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or open and close the pool with the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await _send(await _packed(scope, await self._answer(scope, receive)), receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self.pool.open(wait=False)
        beside = [asyncio.create_task(act()) for act in self._beside()]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await self.pool.close(timeout=5)
        await send({"type": "lifespan.shutdown.complete"})

    def _beside(self) -> Iterator[Callable[[], Coroutine[Any, Any, None]]]:
        """Give what runs beside the answering of requests, until the server stops."""
        yield self._deliver
        yield self._announce
        yield self._tell
        if self.way.tls is not None:
            yield self.way.tls.watch

    async def _deliver(self) -> None:
        await delivery.deliver(
            self.url, lambda level: ssl_context_for(level, self.way.tls), loopback=self.way.only_here
        )

    async def _tell(self) -> None:
        await log_entries.keep_telling(self.url)

    async def _announce(self) -> None:
        """Wake the drain for what came in, a few times a second at most: NOTIFY has all commits wait in line."""
        while True:
            await self.news.wait()
            self.news.clear()
            with suppress(*UNAVAILABLE):  # the drain looks by itself as well, a little later
                async with self._database() as connection:
                    await connection.execute(SQL["announce"])
            await asyncio.sleep(ANNOUNCED)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        """Answer whatever happens: this is the boundary beyond which no exception's text goes."""
        try:
            return await self._route(scope, receive)
        except Ended as ended:
            return ended.answer
        except Withheld:
            return COME_BACK
        except UNAVAILABLE as error:
            log.warning("database_unavailable", extra={"facts": _what(error)})
            self._check_pool()
            return COME_BACK
        except Exception as error:  # noqa: BLE001
            log.error("failed", extra={"facts": _what(error)})  # noqa: TRY400
            return FAILED

    def _check_pool(self) -> None:
        """Sort out dead connections, once at a time, so that one restart of the database costs one answer."""
        if self.checking is None or self.checking.done():
            self.checking = asyncio.create_task(self.pool.check())

    async def _route(self, scope: Scope, receive: Receive) -> Answer:
        path: str = scope["path"]
        if path == "/health":
            return Answer(200, b"alive\n")
        if path == "/ready":
            return await self._ready()
        zone = await self._zone(path)
        if zone is None:
            return NOT_FOUND
        if scope["method"] != "POST":
            return NOT_ALLOWED
        return await self._take_in(zone, scope, receive)

    async def _ready(self) -> Answer:
        async with self._database() as connection:
            await connection.execute("SELECT 1")
        return Answer(200, b"ready\n")

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        """Give a connection, and the time there is for using it: a server that hangs must not hold senders."""
        async with self.pool.connection() as connection, asyncio.timeout(DATABASE_SECONDS):
            yield connection

    async def _zone(self, path: str) -> Zone | None:
        """Find the zone of a URL; any other path costs as much as a wrong token, and looks the same."""
        digest = zones.token_hash(path.removeprefix("/zone/").removesuffix("/"))
        zone, until = self.known.get(digest, (None, 0.0))
        if zone is not None and time.monotonic() < until:
            return zone
        async with self._database() as connection:
            zone = await zones.find(connection, digest)
            if zone is None or not path.startswith("/zone/"):
                self.known.pop(digest, None)
                await self._audit_unknown_url(connection)
                return None
        self.known[digest] = zone, time.monotonic() + ZONE_REMEMBERED
        return zone

    async def _audit_unknown_url(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Audit requests for no zone at most once in ten seconds: a flood of them must not fill the disk."""
        self.unknown_urls += 1
        if time.monotonic() - self.unknown_audited < UNKNOWN_URLS_SECONDS:
            return
        count, self.unknown_urls, self.unknown_audited = self.unknown_urls, 0, time.monotonic()
        log.warning("unknown_url", extra={"facts": {"requests": count}})
        await audit(connection, "unknown_url", detail=f"{counted(count, 'request')} since the last such entry")

    async def _take_in(self, zone: Zone, scope: Scope, receive_part: Receive) -> Answer:
        body = bytearray()
        try:
            peer = self._peer(scope)
            door = await self._door(zone, peer)
            unwanted = await identity.refusal(door, peer, _address(scope))
            incoming = replace(await self._incoming(scope, receive_part, body), channel=identity.channel(peer))
            if unwanted := unwanted or identity.source_refusal(door, incoming.original.source_id):
                incoming = replace(incoming, content=unwanted)
            async with self._turn(zone), self._database() as connection:
                ack = await receive(connection, zone, incoming)
            self.news.set()
            return _xml(ack, close=not incoming.body)
        finally:
            self.in_flight -= len(body)

    @asynccontextmanager
    async def _turn(self, zone: Zone) -> AsyncIterator[None]:
        """Let a zone use some of the database connections at once: a flood from one leaves room for the others."""
        turns = self.turns.setdefault(zone.zone_id, asyncio.Semaphore(ZONE_AT_ONCE))
        try:
            async with asyncio.timeout(WAIT):
                await turns.acquire()
        except TimeoutError:
            log.warning("zone_too_busy", extra={"facts": {"zone": zone.name}})
            raise Ended(COME_BACK) from None
        try:
            yield
        finally:
            turns.release()

    def _peer(self, scope: Scope) -> Peer | None:
        """Tell what is known of the client: by TLS of our own, or what a proxy vouches for by being the only way."""
        return scope["state"].get("peer") or (_BEHIND_TLS if self.way.behind_tls else None)

    async def _door(self, zone: Zone, peer: Peer | None) -> identity.Door:
        key = zone.zone_id, peer.fingerprint if peer else None
        known = self.doors.get(key)
        if known is not None and time.monotonic() < known[1]:
            return known[0]
        async with self._database() as connection:
            door = await identity.door(connection, zone.zone_id, peer)
        if len(self.doors) >= DOORS_REMEMBERED:
            self.doors.clear()
        self.doors[key] = door, time.monotonic() + ZONE_REMEMBERED
        return door

    async def _incoming(self, scope: Scope, receive_part: Receive, body: bytearray) -> Incoming:
        """Read a request's body into `body`, and the message in it; a body beyond the limit is not read on."""
        try:
            if _content_length(scope) > self.limits.size:
                raise too_large(self.limits)
            async for part in _inflated(_parts(receive_part), _encoding(scope)):
                body += part
                self.in_flight += len(part)
                self._check_room(len(body))
        except Refused as refused:
            return Incoming(b"", Original(), refused)
        return await off_the_loop(len(body), read, bytes(body), self.limits)

    def _check_room(self, size: int) -> None:
        if size > self.limits.size:
            raise too_large(self.limits)
        if self.in_flight > IN_FLIGHT:
            log.warning("too_much_in_flight", extra={"facts": {"bytes": self.in_flight}})
            raise Ended(COME_BACK)


_BEHIND_TLS: Final = Peer(encryption_level=4)
"""What is known of a client that came by a proxy's TLS: every cipher of today has 128 bits or more."""


def _address(scope: Scope) -> str | None:
    """Give the client's IP address; a scope of its own would be trusted wherever a proxy stands, so no header is."""
    client = scope.get("client")
    return str(client[0]) if client else None


def _header(scope: Scope, name: bytes) -> bytes:
    return next((value for key, value in scope["headers"] if key == name), b"")


def _content_length(scope: Scope) -> int:
    length = _header(scope, b"content-length")
    return int(length) if length.isdigit() else 0


def _encoding(scope: Scope) -> bytes:
    encoding = _header(scope, b"content-encoding").strip().lower() or b"identity"
    if encoding not in (b"identity", b"gzip", b"x-gzip"):
        raise Ended(UNKNOWN_ENCODING)
    return encoding


async def _parts(receive_part: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive_part()
        if message["type"] == "http.disconnect":
            raise Ended(UNREADABLE)  # nobody is left to read it
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _inflated(parts: AsyncIterator[bytes], encoding: bytes) -> AsyncIterator[bytes]:
    """Undo gzip as the parts come, never more than a piece ahead of what the limits have seen."""
    if encoding == b"identity":
        async for part in parts:
            yield part
        return
    inflater, taken, given = Inflater(), 0, 0
    try:
        async for part in parts:
            taken += len(part)
            for piece in inflater.pieces(part):
                given += len(piece)
                if given > max(THREAD_FROM, INFLATION * taken):
                    raise Refused(12, 1, "The compressed message grows beyond all measure; send it uncompressed.")
                yield piece
        inflater.end()
    except NotGzip:
        raise Ended(UNREADABLE) from None


async def _packed(scope: Scope, answer: Answer) -> Answer:
    """Compress an answer that is worth it for a client that says it takes gzip."""
    if len(answer.body) < PACKED_FROM or not _takes_gzip(_header(scope, b"accept-encoding")):
        return answer
    headers = (*answer.headers, (b"content-encoding", b"gzip"), (b"vary", b"accept-encoding"))
    packed = await off_the_loop(len(answer.body), gzip.compress, answer.body, compresslevel=5, mtime=0)
    return replace(answer, body=packed, headers=headers)


_GZIP: Final = re.compile(rb"(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q\s*=\s*(?P<q>[0-9.]+)\s*)?(?:$|,)", re.IGNORECASE)


def _takes_gzip(accepted: bytes) -> bool:
    """Read Accept-Encoding; gzip must be named, for a mere * or nothing at all often comes without being meant."""
    named = _GZIP.search(accepted)
    return named is not None and (named["q"] is None or named["q"].strip(b"0.") != b"")


async def _send(answer: Answer, receive: Receive, send: Send) -> None:
    headers = [(b"content-type", answer.content_type), (b"content-length", b"%d" % len(answer.body)), *answer.headers]
    if answer.close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": answer.close})
    if answer.close:
        await _listen_out(receive)
        await send({"type": "http.response.body"})


async def _listen_out(receive: Receive) -> None:
    """Read on for a moment: closing on a sender in full flow would reset the connection and lose the answer."""
    with suppress(TimeoutError):
        async with asyncio.timeout(LISTEN_OUT):
            while (await receive()).get("more_body", False):
                pass


def _what(error: BaseException) -> dict[str, Any]:
    """Tell of an exception what holds no value: its class, SQLSTATE and place in our code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = next((f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames) if "sif_pipeline" in f.filename), "")
    return {"error": type(error).__name__, "sqlstate": getattr(error, "sqlstate", None), "where": place}
