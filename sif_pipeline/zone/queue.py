"""The queues of a zone's agents: one each, in PostgreSQL, first in first out, until the agent's ack.

A message is enqueued in the transaction of what caused it and leaves the queue in the transaction of the ack that
names it, so that a crash at any moment leads to another delivery with the same SIF_MsgId and bytes, never to a loss.
Everything that waits wakes the delivery of push agents by NOTIFY on `CHANNEL`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import class_row

from sif_pipeline import zones
from sif_pipeline.database import Connection, first, queries
from sif_pipeline.sif.header import NO_LEVEL, Level
from sif_pipeline.sif.messages import Message
from warehouse.outbox import QueueState

SQL: Final = {name: query.encode() for name, query in queries("queue").items()}

AsyncConnection = psycopg.AsyncConnection[Any]

CHANNEL: Final = "sif_outbox"
"""NOTIFY channel on which delivery to push agents is woken."""

WAITING: Final = (QueueState.QUEUED, QueueState.DELIVERING, QueueState.BLOCKED)
"""The states of a message that is on a queue."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to put on a queue; the agent gets exactly these bytes."""

    sender_id: str  #: SIF_SourceId in the message
    msg_id: str  #: SIF_MsgId in the message
    message_type: str  #: SIF_Event, SIF_Request, SIF_Response
    body: bytes  #: the whole SIF_Message
    object_name: str | None = None  #: SIF object it is about
    request_msg_id: str | None = None  #: of a SIF_Response: the SIF_MsgId of its request
    level: Level = NO_LEVEL  #: what its SIF_SecureChannel asks of the channel


def forwarded(message: Message, body: bytes, object_name: str | None = None) -> Outgoing:
    """Make of a message that came in one that goes out, byte for byte the same."""
    return Outgoing(
        sender_id=message.source_id,
        msg_id=message.msg_id,
        message_type=message.message_type,
        body=body,
        object_name=object_name,
        request_msg_id=message.response.request_msg_id if message.response else None,
        level=message.level,
    )


async def enqueue(connection: AsyncConnection, zone_id: int, source_id: str, message: Outgoing) -> bool:
    """Put a message at the end of an agent's queue, in the caller's transaction; False: no such agent is registered."""
    cursor = await connection.execute(SQL["enqueue"], _row(zone_id, source_id, message))
    return await cursor.fetchone() is not None


def enqueue_now(connection: Connection, zone_id: int, source_id: str, message: Outgoing) -> bool:
    """Do the same as `enqueue` on a connection that blocks, for tasks and the command line."""
    return connection.execute(SQL["enqueue"], _row(zone_id, source_id, message)).fetchone() is not None


def _row(zone_id: int, source_id: str, message: Outgoing) -> dict[str, Any]:
    return {
        "zone_id": zone_id,
        "source_id": source_id,
        "sender_id": message.sender_id,
        "msg_id": message.msg_id,
        "message_type": message.message_type,
        "object_name": message.object_name,
        "request_msg_id": message.request_msg_id,
        "authentication_level": message.level.authentication,
        "encryption_level": message.level.encryption,
        "body": message.body,
    }


class Waiting(NamedTuple):
    """The next message for an agent, and what decides whether it can be handed out."""

    queue_id: int
    sender_id: str
    msg_id: str
    message_type: str
    request_msg_id: str | None
    authentication_level: int
    encryption_level: int
    body: bytes
    attempts: int  #: how often it was handed out before
    max_buffer_size: int | None  #: largest message the agent takes, bytes
    versions: list[str] | None  #: SIF_Versions the agent registered


class HandedOut(NamedTuple):
    """A message that its agent has, found by what the agent's ack names."""

    queue_id: int
    sender_id: str
    msg_id: str
    message_type: str
    request_msg_id: str | None
    state: str


async def next_for(connection: AsyncConnection, zone_id: int, source_id: str) -> Waiting | None:
    """Find what an agent gets next; None when nothing waits or nothing may be delivered to it now."""
    cursor = await connection.execute(SQL["next"], {"zone_id": zone_id, "source_id": source_id}, binary=True)
    found = await cursor.fetchone()
    return Waiting(*found) if found else None


async def hand_out(connection: AsyncConnection, queue_id: int, carrier: str | None = None) -> bool:
    """Note that a message is about to be handed out, by an ack with the SIF_MsgId `carrier` if by one.

    False when it was settled in the meantime.
    """
    cursor = await connection.execute(SQL["hand_out"], {"queue_id": queue_id, "carrier": carrier})
    return await cursor.fetchone() is not None


async def handed_out(connection: AsyncConnection, zone_id: int, source_id: str, msg_id: str | None) -> HandedOut | None:
    """Find and lock the message an agent acknowledges: by its own SIF_MsgId or that of an ack that carried it."""
    cursor = await connection.execute(SQL["acked"], {"zone_id": zone_id, "source_id": source_id, "original": msg_id})
    found = await cursor.fetchone()
    return HandedOut(*found) if found else None


async def was_settled(connection: AsyncConnection, zone_id: int, source_id: str, msg_id: str | None) -> bool:
    """Tell whether a message that an agent names is off its queue already."""
    values = {"zone_id": zone_id, "source_id": source_id, "original": msg_id}
    return bool(await _one(connection, "settled_before", values))


async def settle(connection: AsyncConnection, queue_id: int, failure: str | None = None) -> bool:
    """Take a message off its queue: done, or dropped for a reason. False when it was off already."""
    state = QueueState.DROPPED if failure else QueueState.DONE
    values = {"queue_id": queue_id, "state": state.value, "failure": failure}
    return await (await connection.execute(SQL["settle"], values)).fetchone() is not None


async def block(connection: AsyncConnection, queue_id: int) -> None:
    """Begin selective message blocking: this event holds back its agent's other events."""
    await connection.execute(SQL["block"], {"queue_id": queue_id})


async def unblock(connection: AsyncConnection, zone_id: int, source_id: str) -> None:
    """End selective message blocking; an event that was not settled before is delivered again."""
    await connection.execute(SQL["unblock"], {"zone_id": zone_id, "source_id": source_id})


async def blocked_by(connection: AsyncConnection, zone_id: int, source_id: str) -> str | None:
    """Give the SIF_MsgId of the event by which an agent blocks its others; None when it does not."""
    found: str | None = await _one(connection, "blocked_by", {"zone_id": zone_id, "source_id": source_id})
    return found


async def wake(connection: AsyncConnection, zone_id: int, source_id: str) -> None:
    """Deliver to an agent again, at once: it sent SIF_Wakeup, or registered."""
    await connection.execute(SQL["wake"], {"zone_id": zone_id, "source_id": source_id})


async def sleep(connection: AsyncConnection, zone_id: int, source_id: str) -> None:
    """Deliver nothing to an agent until it wakes up; what is for it waits."""
    await connection.execute(SQL["sleep"], {"zone_id": zone_id, "source_id": source_id})


async def purge(connection: AsyncConnection, zone_id: int, source_id: str, failure: str = "unregistered") -> int:
    """Take everything off an agent's queue for a reason, in portions, and return how much that was.

    In the caller's transaction, which has locked the open requests on that queue.
    """
    values = {"zone_id": zone_id, "source_id": source_id, "failure": failure, "most": PORTION, "after": 0}
    count = 0
    while values["after"] is not None:
        found = await (await connection.execute(SQL["purge"], values)).fetchone()
        purged, values["after"] = found or (0, None)
        count += purged
    return count


def purge_now(connection: Connection, zone_id: int, source_id: str, failure: str) -> int:
    """Do the same as `purge` on a connection that blocks."""
    values = {"zone_id": zone_id, "source_id": source_id, "failure": failure, "most": PORTION, "after": 0}
    count = 0
    while values["after"] is not None:
        purged, values["after"] = connection.execute(SQL["purge"], values).fetchone() or (0, None)
        count += purged
    return count


PORTION: Final = 10_000
"""Messages purged by one statement: hundreds of thousands would take longer than a statement may."""


async def hold_requests(connection: AsyncConnection, *queue_ids: int) -> None:
    """Lock the requests whose messages these are, before the messages: so does everything that ends a request."""
    await connection.execute(SQL["hold_requests"], {"queue_ids": list(queue_ids)})


async def hold_acked(connection: AsyncConnection, zone_id: int, source_id: str, msg_id: str | None) -> None:
    """Lock the request whose message an agent is about to refuse, if it is one."""
    await connection.execute(SQL["hold_acked"], {"zone_id": zone_id, "source_id": source_id, "original": msg_id})


async def _one(connection: AsyncConnection, name: str, values: dict[str, Any]) -> Any:
    found = await first(connection, SQL[name], values)
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Queue:
    """An agent's queue as an operator sees it."""

    zone: str
    agent: str  #: its SIF_SourceId
    mode: str | None  #: Push or Pull
    registered: bool
    asleep: bool
    blocked_by: str | None  #: SIF_MsgId of the event under selective message blocking
    failures: int  #: deliveries that failed in a row
    next_try_at: datetime | None
    last_failure: str | None
    suspended: bool  #: whether the zone is
    waiting: int  #: messages
    waiting_since: datetime | None  #: the oldest of them


@dataclass(frozen=True, slots=True)
class Queued:
    """A message on a queue, or that was on one, as an operator sees it: never its content."""

    number: int  #: by which it is dropped and put back
    agent: str  #: SIF_SourceId of the one it goes to
    sender: str  #: SIF_SourceId of the one it comes from
    msg_id: str
    message_type: str
    object_name: str | None
    bytes: int
    created_at: datetime
    state: str
    attempts: int
    delivered_at: datetime | None
    settled_at: datetime | None
    last_failure: str | None


def queues(connection: Connection, zone: str | None = None) -> list[Queue]:
    """List the queues of every zone, or of one by its name, an agent each. Raise UnknownZone."""
    zones.check(connection, zone)
    with connection.cursor(row_factory=class_row(Queue)) as cursor:
        return cursor.execute(SQL["queues"], {"zone": zone}).fetchall()


def messages(
    connection: Connection,
    zone: str,
    source_id: str | None = None,
    *,
    states: Iterable[QueueState] = WAITING,
    most: int = 100,
) -> list[Queued]:
    """List messages of a zone, or of one agent in it, that are in these states, the oldest first. Raise UnknownZone."""
    zones.check(connection, zone)
    values = {"zone": zone, "source_id": source_id, "states": [state.value for state in states], "most": most}
    with connection.cursor(row_factory=class_row(Queued)) as cursor:
        return cursor.execute(SQL["messages"], values).fetchall()


class OnQueue(NamedTuple):
    """How much would be taken off a queue."""

    messages: int
    requests: int  #: of the messages: they are over with that


def waiting_of(connection: Connection, queue_ids: Sequence[int]) -> OnQueue:
    """Tell how many of these messages wait."""
    values = {"queue_ids": list(queue_ids), "zone": None, "source_id": None}
    return OnQueue(*connection.execute(SQL["waiting"], values).fetchone() or (0, 0))


def waiting_for(connection: Connection, zone: str, source_id: str) -> OnQueue:
    """Tell how many messages wait for an agent."""
    values = {"queue_ids": [], "zone": zone, "source_id": source_id}
    return OnQueue(*connection.execute(SQL["waiting"], values).fetchone() or (0, 0))


def retry(connection: Connection, queue_ids: Sequence[int]) -> int:
    """Put dropped messages back in their place, and return how many were.

    A request that has ended stays away, and so does what is for an agent that has left.
    """
    return sum(connection.execute(SQL["retry"], {"queue_id": queue_id}).rowcount for queue_id in queue_ids)


def retry_agent(connection: Connection, zone: str, source_id: str) -> bool:
    """Try to deliver to an agent at once although deliveries failed; False: there is no such agent."""
    return bool(connection.execute(SQL["retry_agent"], {"zone": zone, "source_id": source_id}).rowcount)


def drop(connection: Connection, queue_ids: Sequence[int]) -> int:
    """Take waiting messages off their queues by hand, and return how many were; `retry` puts them back.

    Let `routing.end_dropped_now` follow in the same transaction: who made a request is to know.
    """
    connection.execute(SQL["hold_requests"], {"queue_ids": list(queue_ids)})
    return sum(connection.execute(SQL["drop"], {"queue_id": queue_id}).rowcount for queue_id in queue_ids)
