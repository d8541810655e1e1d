"""The queues of a zone's agents: one each, in PostgreSQL, first in first out, until the agent's ack.

A message is enqueued in the transaction of what caused it and leaves the queue in the transaction of the ack that
names it, so that a crash at any moment leads to another delivery with the same SIF_MsgId and bytes, never to a loss.
Everything that waits wakes the delivery of push agents by NOTIFY on `CHANNEL`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import class_row

from sif_pipeline.database import Connection, queries
from sif_pipeline.sif.messages import NO_LEVEL, Level, Message
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
