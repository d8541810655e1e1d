"""Drain the inbox: claim, read, fold, load and settle a batch of messages in one transaction.

A zone's messages are drained in order by whoever holds the zone's advisory lock, so any number of drains may run at
once. A crash at any point rolls the whole batch back; the messages stay pending. Nothing here knows Airflow.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import psycopg

from sif_pipeline.database import Connection, connect
from sif_pipeline.exceptions import DatabaseUnreachable
from sif_pipeline.loading import repeats, writing
from sif_pipeline.loading.claimed import Claimed, read
from sif_pipeline.loading.events import ObjectEvent
from sif_pipeline.loading.folding import Fold
from sif_pipeline.loading.repeats import Order
from sif_pipeline.loading.statements import INBOX
from sif_pipeline.loading.store import DatabaseStore
from sif_pipeline.reading.core import WHOLE_IMAGES, no_garbage_collection
from warehouse.base import objects
from warehouse.inbox import Outcome

SESSION = {
    "application_name": "sif-drain",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "60s",
    "idle_session_timeout": "30s",
    "client_connection_check_interval": "500ms",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Session settings of a drain: a process that stopped, or a machine that is gone, must not hold a zone, or the lead,
for ever. In another time zone, SIF_Timestamps at the ends of time lie in years that Python does not have."""

AWAIT_ZONES = 0.1
"""Seconds between two looks at zones that another drain has."""

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one transaction takes on."""

    messages: int = 500  #: of one zone
    bytes: int = 2 * 1024 * 1024  #: of all zones together

    def after(self, done: "DrainSummary | None") -> "Limits":
        """Give the limits for the batch after one: more bytes where all was known, which takes little room and time."""
        return replace(self, bytes=self.bytes * KNOWN) if done and 0 < done.objects == done.unchanged else self


KNOWN = 4
"""So many times more bytes of messages that say nothing new go into one batch."""


@dataclass(slots=True)
class DrainSummary:
    """What a drain did, in counts only."""

    messages: int = 0
    objects: int = 0
    loaded: int = 0  #: taken in, what was unchanged with them
    unchanged: int = 0
    held: int = 0
    rejected: int = 0
    unknown: int = 0  #: of a kind that the state does not collect
    quarantined: int = 0

    def add(self, other: "DrainSummary") -> None:
        """Count another drain's work in."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


def drain(
    url: str, *, limits: Limits | None = None, progress: Callable[[DrainSummary], None] | None = None
) -> DrainSummary:
    """Drain until nothing is pending, here or in another drain; call `progress` with the sums after every batch."""
    total, done = DrainSummary(), None
    with connect(url, SESSION, autocommit=True) as connection:
        while scalar(connection, INBOX["anything_pending"]):
            if (done := drain_batch(connection, (limits or Limits()).after(done))) is None:
                time.sleep(AWAIT_ZONES)  # another drain has the zones
                continue
            total.add(done)
            if progress:
                progress(total)
    return total


def drain_batch(connection: Connection, limits: Limits) -> DrainSummary | None:
    """Drain one batch of every zone that has work; None when there is none, or others are at it.

    When a batch fails for a reason that lies in one of its messages, they are drained one by one, and the one that
    fails is counted against; after three tries it is quarantined, and its neighbours go on.
    """
    try:
        return _transaction(connection, limits)
    except (psycopg.OperationalError, DatabaseUnreachable):
        raise
    except Exception:  # noqa: BLE001 -- whatever one message provokes must not stop the others
        return _one_by_one(connection)


def _transaction(connection: Connection, limits: Limits) -> DrainSummary | None:
    with connection.transaction(), no_garbage_collection():
        zone_ids = _lock_zones(connection)
        if not zone_ids:
            return None
        return load(connection, claim(connection, zone_ids, limits))


ZONES = 8
"""So many zones one batch takes from at most; the others are left to other drains."""


def _lock_zones(connection: Connection) -> list[int]:
    return [zone_id for (zone_id,) in connection.execute(INBOX["zones_with_work"], {"zones": ZONES})]


def _one_by_one(connection: Connection) -> DrainSummary:
    with connection.transaction():
        zone_ids = _lock_zones(connection)
        return load_each(connection, claim(connection, zone_ids, Limits(messages=20)))


def load_each(connection: Connection, claimed: Iterable[Claimed]) -> DrainSummary:
    """Load claimed messages one by one on the connection's transaction; count failures against those that fail.

    Raise the failure, and count none, when a message that is known to be good fails too: then something else is
    broken, and the messages stay pending.
    """
    total = DrainSummary()
    for message in claimed:
        try:
            with connection.transaction():
                total.add(load(connection, [message]))
        except psycopg.OperationalError:
            raise
        except Exception as error:
            if not _is_sound(connection, message.zone_id):
                raise
            total.quarantined += _blame(connection, message, error)
        message.forget()
    return total


PROBE = (
    b'<SIF_ObjectData xmlns="http://www.sifinfo.org/infrastructure/2.x">'
    b'<LEAInfo RefId="00000000000000000000000000000000">'
    b"<LocalId>probe</LocalId><LEAName>probe</LEAName></LEAInfo></SIF_ObjectData>"
)
"""A message that is certainly good."""


def _is_sound(connection: Connection, zone_id: int) -> bool:
    """Tell whether the drain itself works, by loading a good message and rolling it back."""
    at = datetime.now(UTC)
    probe = Claimed(-1, zone_id, "probe", "Objects", None, at, at, PROBE)
    try:
        with connection.transaction(force_rollback=True):
            load(connection, [probe])
    except psycopg.OperationalError:
        raise
    except Exception:  # noqa: BLE001 -- whatever it is, it is not the message's fault
        return False
    return True


def _blame(connection: Connection, message: Claimed, error: Exception) -> int:
    """Count a failure against a message, naming the exception's kind only; 1 when that was the last try."""
    parameters = {"message_id": message.message_id, "failure": kind_of(error)}
    return int(connection.execute(INBOX["fail"], parameters).fetchone() == ("quarantined",))


def kind_of(error: Exception) -> str:
    """Name an exception by class and SQLSTATE; its own words may hold values."""
    sqlstate = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {sqlstate}" if sqlstate else type(error).__name__


def claim(connection: Connection, zone_ids: Sequence[int], limits: Limits) -> list[Claimed]:
    """Take the next messages of zones whose lock this transaction holds, each zone's in its order."""
    parameters = {"zone_ids": list(zone_ids), "messages": limits.messages, "bytes": limits.bytes}
    with connection.cursor() as cursor:
        # Row by row, many megabytes are there once and not twice; few are had sooner by what is prepared.
        fetch = cursor.stream if limits.bytes > Limits().bytes else cursor.execute
        return [Claimed(*line) for line in fetch(INBOX["claim"], parameters, binary=True)]


def load(connection: Connection, claimed: list[Claimed]) -> DrainSummary:
    """Read, fold, load and settle claimed messages on the connection's transaction."""
    latest, newest = zones_of(connection, claimed)
    record(claimed, latest)
    repeats.mark_newest(claimed, newest)
    store = DatabaseStore(connection)
    fold = Fold(store)
    beat = heart(connection)
    for message in claimed:
        message.beat = beat
    read(claimed, store)
    repeats.recall_stored(connection, claimed)
    if events := [event for message in claimed for event in message.events]:
        prepare(store, fold, events)
    for number, message in enumerate(claimed):
        repeats.take(fold, message, claimed[:number])
    writing.write(connection, fold, [event for message in claimed for event in message.events])
    return _settle(connection, claimed, newest)


BEAT_SECONDS = 5.0
"""A drain that says nothing for longer, while it thinks about objects, lets the database know that it lives: a session
that is idle in a transaction is ended, because it may be that of a process that stopped."""


def heart(connection: Connection) -> Callable[[], None]:
    """Give a function to call often: it says something to the database when BEAT_SECONDS have gone by."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last > BEAT_SECONDS:
            connection.execute("SELECT")
            last = time.monotonic()

    return beat


def record(claimed: Iterable[Claimed], latest: dict[int, datetime | None]) -> None:
    """Give every message its recorded time: its receipt, or the tick after its predecessor's in the zone."""
    for message in claimed:
        if message.recorded_at is None:
            last = latest[message.zone_id]
            message.recorded_at = max(message.received_at, last + TICK) if last else message.received_at
            latest[message.zone_id] = message.recorded_at


def zones_of(
    connection: Connection, claimed: Iterable[Claimed]
) -> tuple[dict[int, datetime | None], dict[int, Order | None]]:
    """Give the latest recorded time of each of the messages' zones, and its newest message's place in the folds."""
    zone_ids = sorted({message.zone_id for message in claimed})
    found = connection.execute(INBOX["last_recorded"], {"zone_ids": zone_ids}).fetchall()
    newest = {zone_id: (ordered_at, number) if ordered_at else None for zone_id, _, ordered_at, number in found}
    return {zone_id: recorded_at for zone_id, recorded_at, *_ in found}, newest


def prepare(store: DatabaseStore, fold: Fold, events: Iterable[ObjectEvent]) -> None:
    """Fetch for the whole batch at once what the fold will ask one by one."""
    declared = objects()
    keys, whole, sparse, references = set(), {}, set(), set()
    for event in events:
        if event.row_key is None or event.object_name not in declared:
            continue
        keys.add(key := event.key)
        if event.outcome is Outcome.APPLIED:
            references.update([(event.zone_id, name, ref_id) for name, ref_id in event.references])
            if event.action in WHOLE_IMAGES:
                whole[key] = event.content
            elif event.action == "Change":
                sparse.add(key)
    store.prepare(keys, whole, sparse)
    fold.expect(references - keys)


def _settle(connection: Connection, claimed: Sequence[Claimed], newest: Mapping[int, Order | None]) -> DrainSummary:
    each = [_counted(message) for message in claimed]
    settled: dict[str, list[Any]] = {name: [getattr(became, name) for became in each] for name in COUNTED}
    settled["message_ids"] = [message.message_id for message in claimed]
    settled["recorded"] = [message.recorded_at for message in claimed]
    settled["ordered"] = [message.ordered_at for message in claimed]
    connection.execute(INBOX["settle"], settled)
    repeats.write(connection, claimed)
    zones: defaultdict[int, DrainSummary] = defaultdict(DrainSummary)
    for message, became in zip(claimed, each, strict=True):
        zones[message.zone_id].add(became)
    _advance(connection, claimed, newest, zones)
    total = DrainSummary()
    for became in zones.values():
        total.add(became)
    return total


COUNTED = ("objects", "held", "rejected", "unchanged", "unknown")
"""Counts of a DrainSummary that a message's row has."""


def _counted(message: Claimed) -> DrainSummary:
    """Count what became of a message's objects."""
    outcomes = [event.outcome for event in message.events]
    return DrainSummary(
        messages=1,
        objects=message.size,
        loaded=message.unchanged + outcomes.count(Outcome.APPLIED),
        unchanged=message.unchanged,
        held=outcomes.count(Outcome.HELD),
        rejected=outcomes.count(Outcome.REJECTED) + outcomes.count(Outcome.UNFIT),
        unknown=outcomes.count(Outcome.UNKNOWN),
    )


def _advance(
    connection: Connection,
    claimed: Sequence[Claimed],
    newest: Mapping[int, Order | None],
    zones: Mapping[int, DrainSummary],
) -> None:
    """Remember the latest recorded time of each zone, its newest message's place in the fold, and count for it."""
    recorded = {message.zone_id: message.recorded_at for message in claimed}
    orders = [newest[zone_id] or (None, None) for zone_id in recorded]
    parameters = {
        "zone_ids": list(recorded),
        "recorded": list(recorded.values()),
        "ordered": [ordered_at for ordered_at, _ in orders],
        "ordered_ids": [message_id for _, message_id in orders],
        "unchanged": [zones[zone_id].unchanged for zone_id in recorded],
        "objects": [zones[zone_id].objects for zone_id in recorded],
        "unknown": [zones[zone_id].unknown for zone_id in recorded],
    }
    connection.execute(INBOX["advance_zones"], parameters)


def scalar(connection: Connection, statement: LiteralString | str, *parameters: object) -> Any:
    """Give the first column of a query's first row; None where there is none."""
    line = connection.execute(statement, parameters).fetchone()
    return line[0] if line else None
