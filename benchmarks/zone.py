"""`python -m benchmarks.zone`: a state's worth of agents against one zone server, and whether every ack was kept.

Registers the zones' agents, lets the busy ones send events as they come about (Poisson, one connection each, the next
message after the last one's ack), and holds the inbox against the acks. Latency counts from the moment a message was
due, so that waiting behind one's own earlier message counts too.
"""

import argparse
import asyncio
import json
import os
import random
import re
import secrets
import signal
import ssl
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count, cycle, islice
from pathlib import Path
from threading import Thread

import psutil
import psycopg
import uvloop

from benchmarks import databases, environment, reports
from benchmarks.__main__ import say
from benchmarks.meter import server_seconds
from sif_pipeline import database, zones
from sif_pipeline.synth import districts, messages

SOURCE = "SIS"
SEED = 20261122
STORED = b"<SIF_Code>0</SIF_Code>"


@dataclass(slots=True)
class Load:
    """What was asked for, and what happened."""

    zones: int
    busy: int
    rate: float  #: events a second, all zones together
    seconds: float
    idle: int  #: connections that say nothing after one request
    drained: bool  #: whether the drain loads meanwhile
    tls: bool
    sent: int = 0
    acked: int = 0
    other_answers: int = 0
    errors: int = 0  #: connections that broke; the message was sent again
    missing: int = 0  #: acked and not in the inbox
    p50_ms: float = 0
    p99_ms: float = 0
    worst_ms: float = 0
    per_second: float = 0
    server_cpu: float = 0  #: cores
    postgres_cpu: float = 0
    agents_cpu: float = 0  #: the measuring side, which shares the machine
    memory_mb: list[float] = field(default_factory=list)  #: of the server, in tenths of the time


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zone", description=__doc__)
    parser.add_argument("--zones", type=int, default=400, help="registered (default 400)")
    parser.add_argument("--busy", type=int, default=65, help="zones that send (default 65)")
    parser.add_argument("--rate", type=float, default=520, help="events a second in all (default 520)")
    parser.add_argument("--seconds", type=float, default=300, help="how long (default 300)")
    parser.add_argument("--idle", type=int, default=0, help="idle connections beside (default none)")
    parser.add_argument("--drain", action="store_true", help="load into the warehouse meanwhile")
    parser.add_argument("--tls", action="store_true", help="by HTTPS with client certificates (needs trustme)")
    reports.add_out(parser, "zone-")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the load on SIF_DATABASE_URL's server or an embedded one of its own; exit 1 when an ack was not kept."""
    chosen = options(arguments)
    load = Load(chosen.zones, chosen.busy, chosen.rate, chosen.seconds, chosen.idle, chosen.drain, chosen.tls)
    with ExitStack() as stack:
        folder, server = stack.enter_context(databases.serving())
        url = stack.enter_context(databases.clone(server))
        database.upgrade(url)
        described = environment.describe(server)
        tokens = _zones(url, load.zones)
        say(f"{load.zones} zones; making messages")
        bodies = _bodies(round(load.rate * load.seconds / load.busy * 1.5) + 50)
        papers = _papers(folder) if load.tls else Papers()
        pid, port = stack.enter_context(_serving(url, papers.serve))
        if load.drained:
            stack.enter_context(_running(url, "drain", "--forever"))
        say(f"{load.rate:g} events a second for {load.seconds:g} s")
        acked = _measure(
            load, Target(port, tokens, bodies, papers.agent), psutil.Process(pid), databases.postmaster_of(server)
        )
        load.missing = _missing(url, acked)
    reports.write(chosen.out, {"where": described, "load": asdict(load)})
    for name, value in asdict(load).items():
        print(f"{name:14}{value}")
    sys.exit(load.missing > 0)


def _zones(url: str, number: int) -> list[str]:
    with database.session(url) as connection:
        return [zones.add(connection, f"zone-{place:03}", f"{place:08}") for place in range(1, number + 1)]


def _bodies(number: int) -> list[bytes]:
    """Make events about a synthetic district's objects; every zone gets the same, for each knows only its own."""
    stamps = messages.stamps(SEED, "load", datetime.now(UTC) - timedelta(minutes=5))
    found = (sent for district in districts(1, number // 3 + 10, SEED) for sent in district.objects())
    return [messages.event(one.name, "Add", one.xml, SOURCE, next(stamps)) for one in islice(cycle(found), number)]


@dataclass(frozen=True, slots=True)
class Papers:
    """What the server and the agents need for HTTPS; nothing for plain HTTP."""

    serve: tuple[str, ...] = ()  #: options of `sif-pipeline serve`
    agent: ssl.SSLContext | None = None


def _papers(folder: Path) -> Papers:
    """Make a CA, the server's certificate and one for the agents."""
    import trustme  # noqa: PLC0415 -- for this option only

    ca = trustme.CA()
    context = ssl.create_default_context()
    ca.configure_trust(context)
    ca.issue_cert("sis.example", common_name="sis.example").configure_cert(context)
    server = ca.issue_cert("127.0.0.1")
    files = {"certificate": server.cert_chain_pems[0], "key": server.private_key_pem, "client-ca": ca.cert_pem}
    for name, pem in files.items():
        pem.write_to_path(str(folder / name))
    return Papers(tuple(word for name in files for word in (f"--{name}", str(folder / name))), context)


@contextmanager
def _running(url: str, *command: str) -> Iterator[subprocess.Popen[str]]:
    line = [sys.executable, "-m", "sif_pipeline", *command]
    process = subprocess.Popen(
        line, env=os.environ | {"SIF_DATABASE_URL": url}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def _serving(url: str, more: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Start the zone server and give its process id and port."""
    with _running(url, "serve", "--port", "0", *more) as process:
        said = process.stderr or sys.stdin  # never None: it is a pipe
        port = json.loads(said.readline())["port"]
        Thread(target=deque, args=(said, 0), daemon=True).start()
        yield process.pid, port


@dataclass(frozen=True, slots=True)
class Target:
    """Where the agents send, and what."""

    port: int
    tokens: list[str]
    bodies: list[bytes]
    tls: ssl.SSLContext | None

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to the server."""
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.tls)


def _measure(load: Load, target: Target, server: psutil.Process, postmaster: int) -> set[tuple[str, str]]:
    """Run the load, note costs in it, and give what was acked: (zone's token, MsgId)."""
    random.seed(SEED)
    before = _cores(server, postmaster)
    begun = time.monotonic()
    acked = uvloop.run(_send_all(load, target, server))
    lasted = time.monotonic() - begun
    spent = [
        round((after - first) / lasted, 3) for after, first in zip(_cores(server, postmaster), before, strict=True)
    ]
    load.server_cpu, load.postgres_cpu, load.agents_cpu = spent
    return acked


def _cores(server: psutil.Process, postmaster: int) -> tuple[float, float, float]:
    family = [server, *server.children(recursive=True)]
    mine = os.times()
    return sum(sum(one.cpu_times()[:2]) for one in family), server_seconds(postmaster), mine.user + mine.system


async def _send_all(load: Load, target: Target, server: psutil.Process) -> set[tuple[str, str]]:
    for token in target.tokens:
        await _register(target, token)
    idle = [await target.connect() for _ in range(load.idle)]
    for reader, writer in idle:
        writer.write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"alive\n")
    watch = asyncio.create_task(_watch(load, server))
    start = time.perf_counter() + 1
    agents = [Agent(load, target, token, start) for token in target.tokens[: load.busy]]
    await asyncio.gather(*(agent.run() for agent in agents))
    watch.cancel()
    _sum_up(load, [taken for agent in agents for taken in agent.taken])
    return {(agent.token, msg_id) for agent in agents for msg_id in agent.acked}


async def _watch(load: Load, server: psutil.Process) -> None:
    for _ in count():
        await asyncio.sleep(load.seconds / 10)
        family = [server, *server.children(recursive=True)]
        load.memory_mb.append(round(sum(one.memory_info().rss for one in family) / 1e6, 1))


def _sum_up(load: Load, taken: list[float]) -> None:
    cuts = statistics.quantiles(taken, n=100)
    load.p50_ms, load.p99_ms, load.worst_ms = (round(cut * 1000, 2) for cut in (cuts[49], cuts[98], max(taken)))
    load.per_second = round(load.acked / load.seconds, 1)


async def _register(target: Target, token: str) -> None:
    stamp = messages.Stamp(secrets.token_hex(16).upper(), datetime.now(UTC).isoformat())
    reader, writer = await target.connect()
    if STORED not in await _post(reader, writer, token, messages.register(SOURCE, stamp)):
        sys.exit("an agent could not register")
    writer.close()


async def _post(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, body: bytes) -> bytes:
    head = f"POST /zone/{token} HTTP/1.1\r\nHost: zone\r\nContent-Type: application/xml\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    answered = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", answered, re.IGNORECASE)
    return await reader.readexactly(int(length[1]) if length else 0)


_MSG_ID = re.compile(rb"<SIF_MsgId>([0-9A-F]{32})")


class Agent:
    """One busy zone's agent."""

    def __init__(self, load: Load, target: Target, token: str, start: float) -> None:
        self.load, self.target, self.token, self.start = load, target, token, start
        self.acked: list[str] = []
        self.taken: list[float] = []
        self.line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self) -> None:
        """Send each message when it is due, or as soon after as the one before is acked."""
        due, end = self.start, self.start + self.load.seconds
        for body in self.target.bodies:
            due += random.expovariate(self.load.rate / self.load.busy)
            if due > end:
                break
            await asyncio.sleep(max(0, due - time.perf_counter()))
            await self._until_acked(body)
            self.taken.append(time.perf_counter() - due)

    async def _until_acked(self, body: bytes) -> None:
        self.load.sent += 1
        for _ in range(20):
            with suppress(OSError, asyncio.IncompleteReadError):
                self.line = self.line or await self.target.connect()
                self._note(body, await _post(*self.line, self.token, body))
                return
            self.line = None
            self.load.errors += 1
            await asyncio.sleep(0.5)

    def _note(self, body: bytes, answer: bytes) -> None:
        found = _MSG_ID.search(body)
        if STORED in answer and found:
            self.load.acked += 1
            self.acked.append(found[1].decode())
        else:
            self.load.other_answers += 1


def _missing(url: str, acked: set[tuple[str, str]]) -> int:
    """Count acked messages that are not in the inbox; that none is there twice, its unique key sees to."""
    with psycopg.connect(url) as connection:
        query = "SELECT token_sha256, msg_id FROM inbox.message JOIN inbox.zone USING (zone_id)"
        held = {(bytes(digest), msg_id) for digest, msg_id in connection.execute(query)}
    digests = {token: zones.token_hash(token) for token, _ in acked}
    return sum((digests[token], msg_id) not in held for token, msg_id in acked)


if __name__ == "__main__":
    main()
