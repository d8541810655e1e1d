"""Drain the inbox: claim, read, fold, load and settle a batch of messages in one transaction.

A zone's messages are drained in order by whoever holds the zone's advisory lock, so any number of drains may run at
once. A crash at any point rolls the whole batch back; the messages stay pending. Nothing here knows Airflow.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

import psycopg
from lxml import etree

from sif_pipeline import loading, mapping
from sif_pipeline.database import Connection, connect
from sif_pipeline.exceptions import DatabaseUnreachable
from sif_pipeline.folding import WHOLE_IMAGES, Fold, ObjectEvent, ObjectKey
from sif_pipeline.loading import INBOX, DatabaseStore
from sif_pipeline.notices import Notice, Severity
from sif_pipeline.sif import gate, messages, schema
from warehouse.base import objects
from warehouse.inbox import Outcome

CHANNEL = "sif_inbox"
"""PostgreSQL notification channel on which a receiver says that a message was stored."""

LEADER_LOCK = 7438
"""Session advisory lock of the one drain that leads while others stand by."""

AHEAD, BEHIND = timedelta(minutes=10), timedelta(days=400)
"""How far a SIF_Timestamp may lie from receipt and still be believed."""

SESSION = {
    "application_name": "sif-drain",
    "idle_in_transaction_session_timeout": "30s",
    "lock_timeout": "60s",
    "client_connection_check_interval": "500ms",
}
"""Session settings of a drain: a stopped process must not hold a zone for ever."""

TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one transaction takes on."""

    messages: int = 500  #: of one zone
    bytes: int = 4 * 1024 * 1024  #: of all zones together


@dataclass(slots=True)
class DrainSummary:
    """What a drain did, in counts only."""

    messages: int = 0
    objects: int = 0
    loaded: int = 0
    held: int = 0
    rejected: int = 0
    quarantined: int = 0

    def add(self, other: "DrainSummary") -> None:
        """Count another drain's work in."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Claimed:
    """A claimed message and what reading it gave."""

    message_id: int
    zone_id: int
    source_id: str
    message_type: str
    sif_timestamp: datetime | None
    received_at: datetime
    recorded_at: datetime | None
    body: bytes
    events: list[ObjectEvent] = field(default_factory=list)
    notices: dict[int, list[Notice]] = field(
        default_factory=dict
    )  #: by position of the object; 0 the message


def drain(
    url: str, *, limits: Limits | None = None, progress: Callable[[DrainSummary], None] | None = None
) -> DrainSummary:
    """Drain until nothing is pending; call `progress` with the sums so far after every batch."""
    total = DrainSummary()
    with connect(url, **SESSION) as connection:
        while (done := drain_batch(connection, limits or Limits())) is not None:
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
    except Exception as error:  # noqa: BLE001 -- whatever one message provokes must not stop the others
        connection.rollback()
        return _one_by_one(connection, error)


def _transaction(connection: Connection, limits: Limits) -> DrainSummary | None:
    with connection.transaction():
        zone_ids = [zone_id for (zone_id,) in connection.execute(INBOX["zones_with_work"])]
        if not zone_ids:
            return None
        return load(connection, claim(connection, zone_ids, limits))


def _one_by_one(connection: Connection, first: Exception) -> DrainSummary:
    """Drain the oldest message of each zone alone; blame the one that fails."""
    total = DrainSummary()
    with connection.transaction():
        zone_ids = [zone_id for (zone_id,) in connection.execute(INBOX["zones_with_work"])]
        for message in claim(connection, zone_ids, Limits(messages=20, bytes=2**40)):
            try:
                with connection.transaction():
                    total.add(load(connection, [message]))
            except psycopg.OperationalError:
                raise
            except Exception as error:  # noqa: BLE001 -- see drain_batch
                total.quarantined += _blame(connection, message, error)
                if total.quarantined == 0:
                    break
    return total


def _blame(connection: Connection, message: Claimed, error: Exception) -> int:
    """Count a failure against a message, naming the exception's class only; 1 when that was the last try."""
    state = ""
    sqlstate = getattr(error, "sqlstate", None)
    failure = f"{type(error).__name__} {sqlstate}" if sqlstate else type(error).__name__
    parameters = {"message_id": message.message_id, "failure": failure}
    if line := connection.execute(INBOX["fail"], parameters).fetchone():
        (state,) = line
    return int(state == "quarantined")


def claim(connection: Connection, zone_ids: Sequence[int], limits: Limits) -> list[Claimed]:
    """Take the next messages of zones whose lock this transaction holds, each zone's in its order."""
    parameters = {"zone_ids": list(zone_ids), "messages": limits.messages, "bytes": limits.bytes}
    return [Claimed(*line) for line in connection.execute(INBOX["claim"], parameters)]


def load(connection: Connection, claimed: list[Claimed]) -> DrainSummary:
    """Read, fold, load and settle claimed messages on the connection's transaction."""
    _record(connection, claimed)
    store = DatabaseStore(connection, elements_of)
    fold = Fold(store)
    for message in claimed:
        read(message)
    events = [event for message in claimed for event in message.events]
    _prepare(store, fold, events)
    for message in claimed:
        for event in message.events:
            fold.take(event, message.notices.get(event.position, ()))
    loading.write(connection, fold, events)
    return _settle(connection, claimed, fold)


def _record(connection: Connection, claimed: Iterable[Claimed]) -> None:
    """Give every message its recorded time: its receipt, or the tick after its predecessor's in the zone."""
    zone_ids = sorted({message.zone_id for message in claimed})
    latest: dict[int, datetime | None] = dict(
        connection.execute(INBOX["last_recorded"], {"zone_ids": zone_ids}).fetchall()
    )  # type: ignore[arg-type]
    for message in claimed:
        if message.recorded_at is None:
            last = latest[message.zone_id]
            message.recorded_at = max(message.received_at, last + TICK) if last else message.received_at
            latest[message.zone_id] = message.recorded_at


def read(message: Claimed) -> None:
    """Read a message's objects and judge each by the schema; a message without a tree has a notice instead."""
    ordered_at, notices = _ordered_at(message)
    message.notices[0] = notices
    try:
        found = list(messages.objects(gate.reopen(message.body)))
    except gate.Refused:
        message.notices[0] = [Notice("message_unreadable")]
        found = []
    for position, action, element, notice in found:
        event, findings = _event(message, ordered_at, position, action, element)
        message.events.append(event)
        message.notices[position] = [notice, *findings] if notice else findings
    if message.events and notices:
        message.notices[message.events[0].position].extend(notices)


def _ordered_at(message: Claimed) -> tuple[datetime, list[Notice]]:
    stamp = message.sif_timestamp
    if stamp is None and message.message_type == "Objects":
        return message.received_at, []
    if stamp is None or not message.received_at - BEHIND <= stamp <= message.received_at + AHEAD:
        return message.received_at, [Notice("timestamp_implausible", "SIF_Header/SIF_Timestamp")]
    return stamp, []


def _event(
    message: Claimed,
    ordered_at: datetime,
    position: int,
    action: messages.Action | None,
    element: etree._Element,
) -> tuple[ObjectEvent, list[Notice]]:
    name = etree.QName(element).localname
    assert message.recorded_at is not None  # noqa: S101 -- _record ran before
    event = ObjectEvent(
        message.message_id,
        position,
        message.zone_id,
        name,
        None,
        action or "",
        ordered_at,
        message.recorded_at,
        element,
    )
    return event, _judge(event, action)


def _judge(event: ObjectEvent, action: messages.Action | None) -> list[Notice]:
    """Decide whether an event may take part in a fold at all, and say what is wrong with it."""
    cls = objects().get(event.object_name)
    if cls is None:
        event.outcome = Outcome.UNKNOWN
        return [Notice("object_unknown", event.object_name, event.element.sourceline or 0)]
    event.row_key = mapping.row_key(cls, event.element)
    profile = schema.profile_for(event.action)
    found = [] if schema.is_valid(event.element, profile) else schema.findings(event.element, profile)
    if event.row_key is None and not _errors(found):
        found = [Notice("key_missing", event.object_name, event.element.sourceline or 0), *found]
    if action is None or _errors(found):
        event.outcome = Outcome.REJECTED
    return found


def _errors(notices: Iterable[Notice]) -> bool:
    return any(notice.type.severity is Severity.ERROR for notice in notices)


def elements_of(body: bytes) -> dict[int, etree._Element]:
    """Read a stored message's objects by position."""
    return {found.position: found.element for found in messages.objects(gate.reopen(body))}


def _prepare(store: DatabaseStore, fold: Fold, events: Iterable[ObjectEvent]) -> None:
    """Fetch for the whole batch at once what the fold will ask one by one."""
    folded = [event for event in events if event.outcome is Outcome.APPLIED]
    whole = {event.key for event in folded if event.action in WHOLE_IMAGES}
    keys = {event.key for event in folded}
    store.prepare(keys, whole, {event.key for event in folded if event.action == "Change"})
    referred: set[ObjectKey] = set()
    for event in folded:
        if event.action != "Delete":
            for name, ref_id in mapping.references(objects()[event.object_name], event.element):
                referred.add((event.zone_id, name, ref_id))
    fold.expect(referred)


def _settle(connection: Connection, claimed: Sequence[Claimed], fold: Fold) -> DrainSummary:
    summary = DrainSummary(messages=len(claimed))
    held, rejected = [], []
    for message in claimed:
        outcomes = [event.outcome for event in message.events]
        held.append(outcomes.count(Outcome.HELD))
        rejected.append(outcomes.count(Outcome.REJECTED) + outcomes.count(Outcome.UNFIT))
        summary.objects += len(outcomes)
        summary.loaded += outcomes.count(Outcome.APPLIED)
    summary.held, summary.rejected = sum(held), sum(rejected)
    recorded = [message.recorded_at for message in claimed]
    connection.execute(
        INBOX["settle"],
        {
            "message_ids": [message.message_id for message in claimed],
            "recorded": recorded,
            "objects": [len(message.events) for message in claimed],
            "held": held,
            "rejected": rejected,
        },
    )
    latest = {message.zone_id: message.recorded_at for message in claimed}
    connection.execute(INBOX["advance_zones"], {"zone_ids": list(latest), "recorded": list(latest.values())})
    return summary
