"""Storing what a zone receives: byte for byte, once, and only from agents that are registered.

A message that comes again is recognised by zone, SIF_SourceId and SIF_MsgId. Nothing here commits on its own unless
no transaction is open.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import psycopg

from sif_pipeline.database import queries
from sif_pipeline.sif import acks
from sif_pipeline.sif.carried import Action
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.header import NO_LEVEL, Level
from sif_pipeline.sif.messages import Message, Original
from sif_pipeline.zones import Zone
from warehouse.inbox import MessageState

SQL: Final = {name: query.encode() for name, query in queries("receive").items()}

Connection = psycopg.AsyncConnection[Any]
Outcome = acks.Status | Refused

NOT_REGISTERED: Final = Refused(4, 9, "This SIF_SourceId is not registered in the zone; send SIF_Register first.")
OTHER_UNDER_MSG_ID: Final = Refused(
    12, 5, "Another message with this SIF_MsgId is held already; give each message a SIF_MsgId of its own."
)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came, and what could be read of it: its envelope, or why it is refused."""

    body: bytes  #: the bytes as received; empty where they were too many to be read
    original: Original  #: what the ack repeats
    content: Message | Refused
    channel: Level = NO_LEVEL  #: how well the connection it came by is secured

    @property
    def sha256(self) -> bytes:
        """The SHA-256 of the bytes."""
        return hashlib.sha256(self.body).digest()


class Look(Enum):
    """Why a message was not stored at the first attempt."""

    CLOSER = "closer"  #: a right may be missing, or somebody in the zone subscribed: neither is decided here


async def store(
    connection: Connection, zone: Zone, incoming: Incoming, message: Message, state: MessageState
) -> Outcome:
    """Store a message in one statement, a transaction of its own when none is open; overwrite nothing."""
    outcome = await _store(connection, zone, incoming, message, state, is_checked=True)
    assert not isinstance(outcome, Look)  # noqa: S101 -- only what is not checked yet is looked at more closely
    return outcome


async def store_event(
    connection: Connection, zone: Zone, incoming: Incoming, message: Message, state: MessageState
) -> Outcome | Look:
    """Store events, unless there is more to it: an exception to the sender's rights, or a subscriber in the zone."""
    return await _store(connection, zone, incoming, message, state, is_checked=False)


async def _store(  # noqa: PLR0913, PLR0917 -- see store
    connection: Connection,
    zone: Zone,
    incoming: Incoming,
    message: Message,
    state: MessageState,
    is_checked: bool,  # noqa: FBT001
) -> Outcome | Look:
    row = _row(zone, incoming, message, state) | {"is_checked": is_checked}
    found = await (await connection.execute(SQL["store"], row)).fetchone()
    admitted, closer, message_id = found or (False, False, None)
    if not admitted:
        return await unregistered(connection, zone, message)
    if closer:
        return Look.CLOSER
    return acks.STORED if message_id is not None else await _known_msg_id(connection, zone, row)


def _row(zone: Zone, incoming: Incoming, message: Message, state: MessageState) -> dict[str, Any]:
    response = message.response
    return {
        "zone_id": zone.zone_id,
        "source_id": message.source_id,
        "msg_id": message.msg_id,
        "message_type": message.message_type,
        "sif_version": message.version,
        "sif_timestamp": message.timestamp,
        "origin": "http",
        "body": incoming.body,
        "body_sha256": incoming.sha256,
        "state": state.value,
        "anyone": message.message_type == "SIF_Register",
        "request_msg_id": response and response.request_msg_id,
        "packet_number": response and response.packet_number,
        "more_packets": response and response.more_packets,
        "kinds": [PUBLISHES[action] for _, action in published(message) if action in PUBLISHES],
        "object_names": [name for name, _ in published(message)],
    }


PUBLISHES: Final = {
    Action.ADD: "SIF_PublishAddAccess",
    Action.CHANGE: "SIF_PublishChangeAccess",
    Action.DELETE: "SIF_PublishDeleteAccess",
}
"""The access list that says who may publish an event with this action."""


def published(message: Message) -> list[tuple[str, Action | None]]:
    """List the kinds of objects in a message's events and what they say of them, each once, in their order."""
    return list(dict.fromkeys(found for event in message.events for found in event.objects))


async def _known_msg_id(connection: Connection, zone: Zone, row: dict[str, Any]) -> Outcome:
    """Tell a message that came again (status 7) from another one under the same SIF_MsgId, which is refused.

    12/5, a protocol error: the message may be sound, but the standard gives each message a SIF_MsgId of its
    own, and the answer 7 would make the agent forget a message nobody holds.
    """
    held = await (await connection.execute(SQL["held"], row)).fetchone()
    if held and held[0] != row["body_sha256"].hex():
        detail = f"MsgId {row['msg_id']}: SHA-256 {held[0]} is held, {row['body_sha256'].hex()} was refused"
        await audit(connection, "msg_id_conflict", zone=zone, source_id=row["source_id"], detail=detail)
        return OTHER_UNDER_MSG_ID
    # Where the drain has the row in hand, the count is let go: the answer matters more.
    with suppress(psycopg.errors.LockNotAvailable):
        async with connection.transaction():
            await connection.execute(SQL["hurry"])
            await connection.execute(SQL["count_duplicate"], row)
    return acks.ALREADY_HELD


async def mode_of(connection: Connection, zone: Zone, source_id: str) -> str | None:
    """Give the mode of an agent that is registered in the zone, Push or Pull; None for one that is not."""
    values = {"zone_id": zone.zone_id, "source_id": source_id}
    found = await (await connection.execute(SQL["mode_of"], values)).fetchone()
    return found[0] if found else None


async def unregistered(connection: Connection, zone: Zone, message: Message) -> Refused:
    """Note that somebody sent who is not registered, and give the refusal."""
    detail = f"{message.message_type} {message.msg_id}"
    await audit(connection, "agent_not_registered", zone=zone, source_id=message.source_id, detail=detail)
    return NOT_REGISTERED


async def audit(
    connection: Connection,
    event: str,
    *,
    zone: Zone | None = None,
    source_id: str | None = None,
    detail: str = "",
) -> None:
    """Write a security-relevant fact: ids, hashes and counts only."""
    values = {"event": event, "zone_id": zone and zone.zone_id, "source_id": source_id, "detail": detail}
    await connection.execute(SQL["audit"], values)
