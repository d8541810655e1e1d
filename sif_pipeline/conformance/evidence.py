"""What the zone recorded of one agent: what it said, the objects in it, what it was handed out and asked.

It reads only. Objects are judged as a drain judges them, though no drain ever takes a sandbox's messages.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

from lxml import etree
from psycopg.rows import class_row

from sif_pipeline.database import Connection, queries
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.notices import Notice, Severity
from sif_pipeline.reading import core, mapping
from sif_pipeline.sif import carried, gate, messages
from sif_pipeline.sif.elements import local
from warehouse.base import objects

SQL: Final = {name: query.encode() for name, query in queries("conformance").items()}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message of the agent and our answer."""

    exchange_id: int
    at: datetime
    msg_id: str | None
    said: str | None  #: message type or command; None where it could not be read
    sif_version: str | None
    bytes: int
    original_msg_id: str | None  #: of a SIF_Ack: which message it is about
    told: str | None  #: of a SIF_Ack: status, or error as category/code
    answer: str  #: our answer: a status, or an error and its sentence
    carried_msg_id: str | None  #: the message that our answer carried
    envelope: str | None  #: findings about the envelope, by code

    @property
    def is_good(self) -> bool:
        """Whether the message was accepted, now or before."""
        return "/" not in self.answer.partition(" ")[0]

    @property
    def code(self) -> str:
        """Our answer without its sentence: `0`, `7`, `4/9`."""
        return self.answer.partition(" ")[0]


class Sent(NamedTuple):
    """One object that the agent sent."""

    at: datetime
    msg_id: str
    message_type: str
    place: int  #: in its message, from 1
    action: str  #: Add, Change, Delete or Response; empty where it is none of them
    object_name: str
    key: object  #: the same for the same object; None where it has none
    line: int
    findings: tuple[Notice, ...]

    @property
    def errors(self) -> tuple[Notice, ...]:
        """The findings that keep the object out of the warehouse."""
        return tuple(notice for notice in self.findings if notice.type.severity is Severity.ERROR)


class Packet(NamedTuple):
    """One packet of a SIF_Response that was kept."""

    request_msg_id: str | None
    number: int | None
    more: bool | None
    bytes: int
    objects: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that was on the agent's queue."""

    msg_id: str
    message_type: str
    object_name: str | None
    state: str  #: queued, delivering, blocked, done or dropped
    attempts: int
    created_at: datetime
    delivered_at: datetime | None
    settled_at: datetime | None
    last_failure: str | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that the agent was asked."""

    msg_id: str
    object_name: str
    max_buffer_size: int
    state: str  #: open, complete, failed, cancelled or timed_out
    error: str | None  #: category/code
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Agent:
    """What the agent said of itself when it registered last."""

    name: str | None = None
    mode: str | None = None
    max_buffer_size: int | None = None
    versions: list[str] = field(default_factory=list)
    vendor: str | None = None
    application: str | None = None
    is_registered: bool = False
    wants_log_entries: bool = False  #: whether it subscribed to SIF_LogEntry, or provides it
    provides: list[str] = field(default_factory=list)  #: objects it provides now, also when it said so earlier


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything recorded of one agent since a moment."""

    zone: str
    zone_id: int
    source_id: str
    since: datetime
    agent: Agent = field(default_factory=Agent)
    exchanges: tuple[Exchange, ...] = ()
    strays: tuple[str, ...] = ()  #: our answers to messages that did not say readably whose they were
    sent: tuple[Sent, ...] = ()
    packets: tuple[Packet, ...] = ()
    provides: frozenset[str] = frozenset()  #: objects it declared to provide in the run
    deliveries: tuple[Delivery, ...] = ()
    asked: tuple[Asked, ...] = ()
    last_message: int = 0  #: where the next look goes on


def sandbox(connection: Connection, name: str) -> int:
    """Give a sandbox's number; raise UnknownZone, or ConfigurationError for a zone that is none."""
    row = connection.execute(SQL["zone"], {"name": name}).fetchone()
    if row is None:
        raise UnknownZone(
            f"There is no zone {name!r}; `sif-pipeline zone add {name} --lea 00000000 --sandbox` makes it."
        )
    if not row[1]:
        raise ConfigurationError(f"The zone {name} is no sandbox: what an agent sends there is loaded. Take another.")
    return int(row[0])


def agents(connection: Connection, zone_id: int, since: datetime) -> list[str]:
    """Name the agents that said something since a moment, the one heard last first."""
    return [name for (name,) in connection.execute(SQL["agents"], {"zone_id": zone_id, "since": since})]


def look(connection: Connection, before: Evidence) -> Evidence:
    """Read what has come since the last look, and the present state of what can change."""
    about = {"zone_id": before.zone_id, "source_id": before.source_id, "since": before.since}
    after = before.exchanges[-1].exchange_id if before.exchanges else 0
    agent = _rows(connection, Agent, "agent", about)
    seen = replace(
        before,
        agent=agent[0] if agent else before.agent,
        exchanges=(*before.exchanges, *_rows(connection, Exchange, "exchanges", about | {"after": after})),
        strays=tuple(answer for (answer,) in connection.execute(SQL["strays"], about)),
        deliveries=tuple(_rows(connection, Delivery, "deliveries", about)),
        asked=tuple(_rows(connection, Asked, "requests", about)),
    )
    seen = _with_messages(connection, seen, about)
    connection.commit()
    return seen


def _rows(connection: Connection, cls: type[Any], query: str, values: dict[str, Any]) -> list[Any]:
    with connection.cursor(row_factory=class_row(cls)) as cursor:
        return cursor.execute(SQL[query], values).fetchall()


def _with_messages(connection: Connection, seen: Evidence, about: dict[str, Any]) -> Evidence:
    """Add what the messages hold that came since the last look."""
    sent, packets, provides, last = list(seen.sent), list(seen.packets), set(seen.provides), seen.last_message
    while rows := connection.execute(SQL["messages"], about | {"after": last}).fetchall():
        for last, at, msg_id, kind, request_msg_id, number, more, body in rows:  # noqa: B007 -- the last one is used
            root = gate.open_message(body, core.LIMITS)
            if kind in ("SIF_Provision", "SIF_Provide"):
                declared = messages.read_message(root).provided
                provides |= {p.object_name for p in declared if p.kind == "SIF_ProvideObjects"}
                continue
            found = tuple(_objects(body, root, at, msg_id, kind))
            sent += found
            if kind == "SIF_Response":
                packets.append(Packet(request_msg_id, number, more, len(body), len(found)))
    return replace(seen, sent=tuple(sent), packets=tuple(packets), provides=frozenset(provides), last_message=last)


def _objects(body: bytes, root: etree._Element, at: datetime, msg_id: str, kind: str) -> Iterator[Sent]:
    judged: dict[int, list[Notice]] = defaultdict(list)
    for one, notice in core.findings(core.read(body)):
        judged[one.position].append(notice)
    for found in carried.objects(root):
        name = local(found.element)
        cls = objects().get(name)
        key = mapping.row_key(cls, found.element) if cls else None
        line = found.element.sourceline or 0
        findings = tuple(judged[found.position])
        yield Sent(at, msg_id, kind, found.position, found.action or "", name, key, line, findings)
