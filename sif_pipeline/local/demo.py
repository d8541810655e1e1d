"""The demonstration: five synthetic districts send, Airflow loads, and what was sent is held against the warehouse.

Three districts play agents over HTTP, one sends its full synchronisation in SIF_Response packets, one drops files.
Everything is real: HTTP, PostgreSQL, Airflow; only the districts are not.
"""

import os
import shutil
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx
from psycopg.sql import SQL, Identifier

from sif_pipeline import database, status, zones
from sif_pipeline.config import Settings
from sif_pipeline.exceptions import ConfigurationError, SifPipelineError
from sif_pipeline.loading.standby import LEADER_LOCK
from sif_pipeline.local import airflow, kept, postgres
from sif_pipeline.local.airflow import Airflow
from sif_pipeline.local.supervision import child, wait_until
from sif_pipeline.synth import agent, folder, messages
from sif_pipeline.synth.agent import Line
from sif_pipeline.synth.objects import OBJECTS
from sif_pipeline.synth.state import (
    District,
    Expected,
    Outgoing,
    day_for_reports_of,
    districts,
    expectations,
    introduction,
)
from warehouse.base import CURRENT, objects

SEED, FLAWED = 2026, 0.01
RATE = 65.0
"""Messages a second of each of the three agents: 195 in all, as a state's busy hour."""

QUERIES = database.queries("demo")
INGESTION_SECONDS = 120
"""How long Airflow may take from healthy to the first ingest task at work."""

PACKETS, FILES = 3, 4
"""Which of the five sends packets, and which drops files; the others send events."""


class DemoFailed(SifPipelineError):
    """The demonstration did not finish; the logs below SIF_HOME say why."""


@dataclass(frozen=True, slots=True)
class Running:
    """The pipeline, up on this machine."""

    settings: Settings
    url: str  #: of the database
    server: str  #: base address of the zone server
    airflow: Airflow


@dataclass(frozen=True, slots=True)
class Sender:
    """One district of the demonstration and how it sends."""

    district: District
    way: str  #: agent, packets or files
    zone_url: str

    @property
    def zone(self) -> str:
        """Name of its zone."""
        return self.district.code


@dataclass(frozen=True, slots=True)
class Difference:
    """What was sent of one kind of object, what the warehouse holds, and what explains the difference."""

    object_name: str
    sent: int
    in_warehouse: int
    rejected: int
    held: int
    unknown: int
    deleted: int

    @property
    def unexplained(self) -> int:
        """Objects sent that are neither in the warehouse nor explained by a finding or a deletion."""
        return self.sent - self.in_warehouse - self.rejected - self.held - self.unknown - self.deleted


@contextmanager
def pipeline(settings: Settings, say: Callable[[str], None]) -> Iterator[Running]:
    """Run database, zone server and Airflow for as long as the block lasts; nothing of them is left running."""
    with ExitStack() as stack:
        say("Starting PostgreSQL")
        url = stack.enter_context(postgres.running(settings))
        database.upgrade(url)
        server = stack.enter_context(_server(settings, url))
        say("Starting Airflow (half a minute the first time)")
        running = Running(settings, url, server, stack.enter_context(airflow.running(settings)))
        _await_ingestion(url)
        yield running


def _await_ingestion(url: str) -> None:
    """Wait until Airflow's ingest task leads; what agents send before would only wait in the inbox."""
    deadline = time.monotonic() + INGESTION_SECONDS
    with database.connect(url, autocommit=True) as connection:
        while connection.execute(QUERIES["leader"], {"lock": LEADER_LOCK}).fetchone() is None:
            if time.monotonic() > deadline:
                raise DemoFailed("Airflow's DAG ingest did not start; its logs are below SIF_HOME.")
            time.sleep(0.2)


@contextmanager
def _server(settings: Settings, url: str) -> Iterator[str]:
    port = kept.port(settings.home / "server-port", 7080)
    command = [sys.executable, "-P", "-m", "sif_pipeline", "serve", "--port", str(port)]
    environment = {**os.environ, "SIF_DATABASE_URL": url, "SIF_HOME": str(settings.home)}
    address = f"http://127.0.0.1:{port}"
    with child("The zone server", command, log=settings.home / "server.log", environment=environment) as process:
        wait_until(lambda: _answers(address), process, 30)
        yield address


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/ready", timeout=2).is_success
    except httpx.TransportError:
        return False


def fresh(settings: Settings) -> Settings:
    """Give the demonstration a home of its own below SIF_HOME, emptied, so that it touches nobody's data.

    Raise ConfigurationError when SIF_DATABASE_URL is set: that database is somebody's.
    """
    if settings.database_url:
        raise ConfigurationError("The demonstration writes synthetic districts; unset SIF_DATABASE_URL to run it.")
    home = settings.home / "demo"
    postgres.stop(replace(settings, home=home))
    shutil.rmtree(home, ignore_errors=True)
    return replace(settings, home=home)


def enrol(running: Running, students: int) -> list[Sender]:
    """Make the five districts and a zone for each; raise ConfigurationError when the zones are there already."""
    senders = []
    today = day_for_reports_of(datetime.now(running.settings.timezone).date())
    made = districts(5, students // 5, SEED, bad=FLAWED, varied=False, today=today)
    with database.session(running.url) as connection:
        for number, district in enumerate(made):
            token = zones.add(connection, district.code, district.code)
            way = {PACKETS: "packets", FILES: "files"}.get(number, "agent")
            senders.append(Sender(district, way, f"{running.server}/zone/{token}"))
    return senders


def play(running: Running, senders: list[Sender], watch: Callable[[list[status.ZoneStatus]], None]) -> None:
    """Let all districts send at once, and wait until everything they sent is drained.

    `watch` sees every zone's status about twice a second. Raise DemoFailed after five silent minutes.
    """
    sending = [_start(WAYS[sender.way], running, sender) for sender in senders]
    _wait(running, sending, watch)


def _start(way: Callable[[Running, Sender], None], running: Running, sender: Sender) -> Future[None]:
    """Send in a thread that does not outlive an interrupted demonstration, as a pool's would."""
    future: Future[None] = Future()

    def work() -> None:
        try:
            way(running, sender)
            future.set_result(None)
        except BaseException as error:  # noqa: BLE001 -- whatever ends this thread has to end the wait for it
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def _play_agent(_: Running, sender: Sender) -> None:
    answers = agent.play(sender.district, Line(sender.zone_url, rate=RATE), start=datetime.now(UTC))
    _check(sender, answers)


def _send_packets(_: Running, sender: Sender) -> None:
    stamps = sender.district.stamps(datetime.now(UTC))
    answers: Counter[str] = Counter()
    outgoing = [*introduction(sender.district, stamps), *_packets(sender, stamps)]
    deque(agent.send(outgoing, Line(sender.zone_url), answers), maxlen=0)
    _check(sender, answers)


def _packets(sender: Sender, stamps: Iterator[messages.Stamp]) -> Iterator[Outgoing]:
    for name in OBJECTS:
        request = next(stamps)
        found = (sent.object.xml for sent in sender.district.adds([name]))
        for packet in messages.response_packets(
            found, sender.district.source_id, "SIF-PIPELINE", request.msg_id, stamps
        ):
            yield Outgoing(name, "Response", request, packet)


def _drop_files(running: Running, sender: Sender) -> None:
    """Write the district's files beside the drop folder, then move each in under its final name."""
    written = running.settings.home / "outgoing" / sender.zone
    folder.write_district(written, sender.district, start=datetime.now(UTC), buffer_size=300_000)
    drop = running.settings.home / "drop" / sender.zone
    drop.mkdir(parents=True, exist_ok=True)
    for number, file in enumerate(sorted(written.rglob("*.xml"))):
        file.rename(drop / f"{number:06d}-{file.name}")


WAYS: dict[str, Callable[[Running, Sender], None]] = {
    "agent": _play_agent,
    "packets": _send_packets,
    "files": _drop_files,
}


def _check(sender: Sender, answers: Counter[str]) -> None:
    refused = {answer: times for answer, times in answers.items() if answer not in {"status 0", "status 7", "resent"}}
    if refused:
        raise DemoFailed(f"The zone refused messages of district {sender.zone}: {refused}.")


def _wait(running: Running, sending: list[Future[None]], watch: Callable[[list[status.ZoneStatus]], None]) -> None:
    pause, last, since = threading.Event(), (-1, -1), time.monotonic()
    while True:
        sent = all(future.done() for future in sending)
        for future in sending:
            if future.done():
                future.result()
        found = status.zones(running.url)
        watch(found)
        if sent and not _files_left(running) and sum(zone.pending for zone in found) == 0:
            return
        now = (sum(zone.received for zone in found), sum(zone.pending for zone in found))
        last, since = (last, since) if now == last else (now, time.monotonic())
        if time.monotonic() - since > 300:
            raise DemoFailed("Nothing has moved for five minutes; the logs below SIF_HOME say why.")
        pause.wait(0.5)


def _files_left(running: Running) -> bool:
    drop = running.settings.home / "drop"
    return any(file.is_file() for zone in drop.glob("*") for file in zone.glob("*.xml"))


def differences(running: Running, senders: list[Sender]) -> dict[str, list[Difference]]:
    """Hold what each district sent against what the warehouse has, by zone and kind of object."""
    with database.session(running.url) as connection:
        explained = {(zone, name): rest for zone, name, *rest in connection.execute(QUERIES["difference"])}
        present = _present(connection)
    return {
        sender.zone: [
            _difference(name, number, explained.get((sender.zone, name)), present.get((sender.zone, name), 0))
            for name, number in sorted(_sent(sender).sent.items())
        ]
        for sender in senders
    }


def _sent(sender: Sender) -> Expected:
    expected = expectations(sender.district)
    if sender.way == "packets":
        expected.deleted.clear()  # a full synchronisation has no later life
    return expected


def _difference(name: str, sent: int, explained: list[int] | None, present: int) -> Difference:
    _, rejected, held, unknown, deleted = explained or (0, 0, 0, 0, 0)
    return Difference(name, sent, present, rejected, held, unknown, deleted)


def _present(connection: database.Connection) -> dict[tuple[str, str], int]:
    counts = SQL("SELECT z.name, count(*) FROM {} AS t JOIN inbox.zone AS z USING (zone_id) GROUP BY z.name")
    found: dict[tuple[str, str], int] = {}
    for name, cls in objects().items():
        for zone, number in connection.execute(counts.format(Identifier(CURRENT, cls.__tablename__))):
            found[zone, name] = number
    return found


def expected_in_warehouse(sender: Sender) -> dict[str, int]:
    """Give what the district's own manifest says the warehouse must hold, by kind of object."""
    return {row["object"]: row["in_warehouse"] for row in _sent(sender).rows()}
