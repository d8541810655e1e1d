"""Taking in one message: store it byte for byte, commit, and only then answer with a SIF_Ack.

An agent forgets a message once it has a status 0 or 7, so neither is given before the bytes are on disk. A
message that comes again is recognised by zone, SIF_SourceId and SIF_MsgId. It knows nothing of HTTP.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from lxml import etree

from sif_pipeline.database import queries
from sif_pipeline.sif import acks
from sif_pipeline.sif.gate import Limits, Refused, open_message
from sif_pipeline.sif.messages import (
    DEFAULT_CONTEXT,
    Message,
    Original,
    objects,
    read_message,
    read_original,
)
from sif_pipeline.zones import Zone
from warehouse import base
from warehouse.inbox import MessageState

SQL = {name: query.encode() for name, query in queries("receive").items()}

Connection = psycopg.AsyncConnection[Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came, and what could be read of it: its envelope, or why it is refused."""

    body: bytes  #: the bytes as received; empty where they were too many to be read
    original: Original  #: what the ack repeats
    content: Message | Refused

    @property
    def sha256(self) -> bytes:
        """The SHA-256 of the bytes."""
        return hashlib.sha256(self.body).digest()


def read(body: bytes, limits: Limits | None = None) -> Incoming:
    """Read a message's envelope through the gate; no database, so that it can run in a thread of its own."""
    original = Original()
    try:
        root = open_message(body, limits)
        original = read_original(root)
        message = read_message(root)
        check(message, root)
    except Refused as refused:
        return Incoming(body, original, refused)
    return Incoming(body, message.original, message)


CARRIERS = frozenset({"SIF_Event", "SIF_Response"})
"""Messages that carry objects, and so the only ones that the drain has work with."""


def check(message: Message, root: etree._Element) -> None:
    """Raise Refused for a message in another context than the zone's, or a SIF_Event about nothing."""
    if set(message.contexts) - {DEFAULT_CONTEXT}:
        raise Refused(12, 4, f"This zone has the context {DEFAULT_CONTEXT} only; send the message in it.")
    if message.message_type == "SIF_Event" and next(objects(root), None) is None:
        raise Refused(9, 3, "The SIF_Event holds no object; send what it is about inside SIF_EventObject.")


async def receive(connection: Connection, zone: Zone, incoming: Incoming) -> bytes:
    """Do what a message asks for and return the SIF_Ack to it; on return everything is committed.

    The connection must be in autocommit mode. A psycopg.Error means that nothing is certain: give no ack, and
    the agent will send the message again.
    """
    outcome = await _outcome(connection, zone, incoming)
    if isinstance(outcome, Refused) and isinstance(incoming.content, Refused):
        await _audit_refusal(connection, zone, incoming, outcome)
    _log_outcome(zone, incoming, outcome)
    return acks.write_ack(incoming.original, outcome)


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


Outcome = acks.Status | Refused
Act = Callable[[Connection, Zone, Message], Awaitable[None]]


async def _outcome(connection: Connection, zone: Zone, incoming: Incoming) -> Outcome:
    message = incoming.content
    if isinstance(message, Refused):
        return message
    if message.message_type in CARRIERS:
        return await _store(connection, zone, incoming, message, MessageState.PENDING)
    if message.message_type in _ACTS:
        return await _carry_out(connection, zone, incoming, message)
    if message.message_type == "SIF_SystemControl":
        return await _control(connection, zone, message)
    return _NOT_TAKEN.get(message.message_type, _NOT_SUPPORTED)


async def _store(
    connection: Connection, zone: Zone, incoming: Incoming, message: Message, state: MessageState
) -> Outcome:
    """Store a message in one statement, a transaction of its own when none is open; overwrite nothing."""
    row = _row(zone, incoming, message, state)
    stored = await (await connection.execute(SQL["store"], row)).fetchone()
    admitted, message_id, _ = stored or (False, None, None)
    if not admitted:
        return await _unregistered(connection, zone, message)
    return acks.STORED if message_id is not None else await _known_msg_id(connection, zone, row)


def _row(zone: Zone, incoming: Incoming, message: Message, state: MessageState) -> dict[str, Any]:
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
    }


async def _known_msg_id(connection: Connection, zone: Zone, row: dict[str, Any]) -> Outcome:
    """Tell a message that came again (status 7) from another one under the same SIF_MsgId, which is refused.

    12/5, a protocol error: the message may be sound, but the standard gives each message a SIF_MsgId of its
    own, and the answer 7 would make the agent forget a message nobody holds.
    """
    held = await (await connection.execute(SQL["held"], row)).fetchone()
    if held and held[0] != row["body_sha256"].hex():
        detail = f"MsgId {row['msg_id']}: SHA-256 {held[0]} is held, {row['body_sha256'].hex()} was refused"
        await audit(connection, "msg_id_conflict", zone=zone, source_id=row["source_id"], detail=detail)
        return Refused(
            12,
            5,
            "Another message with this SIF_MsgId is held already; give each message a SIF_MsgId of its own.",
        )
    # Where the drain has the row in hand, the count is let go: the answer matters more.
    with suppress(psycopg.errors.LockNotAvailable):
        async with connection.transaction():
            await connection.execute(SQL["hurry"])
            await connection.execute(SQL["count_duplicate"], row)
    return acks.ALREADY_HELD


async def _unregistered(connection: Connection, zone: Zone, message: Message) -> Refused:
    detail = f"{message.message_type} {message.msg_id}"
    await audit(connection, "agent_not_registered", zone=zone, source_id=message.source_id, detail=detail)
    return _NOT_REGISTERED


_NOT_REGISTERED = Refused(4, 9, "This SIF_SourceId is not registered in the zone; send SIF_Register first.")


async def _carry_out(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    """Store a message about the agent itself and do what it says, both or neither, and once only."""
    if (refusal := _registration_refusal(message)) is not None:
        return refusal
    async with connection.transaction():
        outcome = await _store(connection, zone, incoming, message, MessageState.DONE)
        if outcome is acks.STORED:
            await _ACTS[message.message_type](connection, zone, message)
    if outcome is acks.STORED and message.message_type == "SIF_Register":
        return acks.Status(0, acks.agent_acl(base.objects()))
    return outcome


def _registration_refusal(message: Message) -> Refused | None:
    versions = message.registration.versions if message.registration else ()
    if versions and not any(version == "*" or version.startswith("2.") for version in versions):
        return Refused(5, 4, "This zone speaks SIF 2.0 to 2.8; register with one of these versions.")
    return None


def _agent(zone: Zone, message: Message) -> dict[str, Any]:
    return {"zone_id": zone.zone_id, "source_id": message.source_id}


async def _register(connection: Connection, zone: Zone, message: Message) -> None:
    said = message.registration
    await connection.execute(
        SQL["register"],
        _agent(zone, message)
        | {
            "sif_version": message.version,
            "name": said and said.name and said.name[:64],
            "mode": said and (said.mode if said.mode in ("Push", "Pull") else None),
            "max_buffer_size": said and said.max_buffer_size,
            "push_url": said and said.push_url and said.push_url[:256],
        },
    )


async def _unregister(connection: Connection, zone: Zone, message: Message) -> None:
    await connection.execute(SQL["unregister"], _agent(zone, message))
    await connection.execute(SQL["withdraw_all"], _agent(zone, message))


async def _provision(connection: Connection, zone: Zone, message: Message) -> None:
    await connection.execute(SQL["withdraw_all"], _agent(zone, message))
    await _provide(connection, zone, message)


async def _provide(connection: Connection, zone: Zone, message: Message) -> None:
    await connection.execute(SQL["provide"], _named(zone, message))


async def _unprovide(connection: Connection, zone: Zone, message: Message) -> None:
    await connection.execute(SQL["withdraw"], _named(zone, message))


def _named(zone: Zone, message: Message) -> dict[str, Any]:
    return _agent(zone, message) | {
        "kinds": [provided.kind for provided in message.provided],
        "object_names": [provided.object_name for provided in message.provided],
    }


_ACTS: dict[str, Act] = {
    "SIF_Register": _register,
    "SIF_Unregister": _unregister,
    "SIF_Provision": _provision,
    "SIF_Provide": _provide,
    "SIF_Unprovide": _unprovide,
}


async def _control(connection: Connection, zone: Zone, message: Message) -> Outcome:
    """Answer a SIF_SystemControl; none is stored. A ping is for everyone: some ping before they register."""
    if message.command == "SIF_Ping":
        return acks.STORED
    agent = await (await connection.execute(SQL["agent"], _agent(zone, message))).fetchone()
    if agent is None:
        return await _unregistered(connection, zone, message)
    if message.command == "SIF_GetMessage":
        return _PUSH_MODE if agent[0] == "Push" else acks.NO_MESSAGES
    if message.command == "SIF_GetZoneStatus":
        return acks.Status(0, acks.zone_status(zone.name))
    if message.command == "SIF_GetAgentACL":
        return acks.Status(0, acks.agent_acl(base.objects()))
    return acks.STORED if message.command in ("SIF_Sleep", "SIF_Wakeup") else _COMMAND_NOT_TAKEN


_PUSH_MODE = Refused(5, 9, "The agent is registered for push; register it for pull to fetch messages.")
_COMMAND_NOT_TAKEN = Refused(12, 2, "This zone does not carry out the command; it collects and never asks.")
_NOT_SUPPORTED = Refused(12, 2, "This zone does not take this kind of message; send SIF_Event and SIF_Response.")

_NOT_TAKEN = {
    "SIF_Request": Refused(4, 5, "This zone collects for the state and gives no data out; do not request from it."),
    "SIF_Subscribe": Refused(4, 4, "This zone collects for the state and passes no events on; do not subscribe."),
    "SIF_Unsubscribe": Refused(7, 3, "Nothing is subscribed in this zone; there is nothing to undo."),
    "SIF_Ack": Refused(12, 6, "This zone has sent no message that could be acknowledged; nothing to do."),
}


async def _audit_refusal(connection: Connection, zone: Zone, incoming: Incoming, refused: Refused) -> None:
    size = f"{len(incoming.body)} bytes, SHA-256 {incoming.sha256.hex()}" if incoming.body else "not read"
    detail = f"SIF_Error {refused.category}/{refused.code}; {size}"
    await audit(connection, "message_refused", zone=zone, source_id=incoming.original.source_id, detail=detail)


def _log_outcome(zone: Zone, incoming: Incoming, outcome: Outcome) -> None:
    """Log what was refused or came twice; a line per good message would say nothing the inbox does not."""
    if isinstance(outcome, acks.Status) and outcome.code != acks.ALREADY_HELD.code:
        return
    facts = {
        "zone": zone.name,
        "source_id": incoming.original.source_id,
        "msg_id": incoming.original.msg_id,
        "answer": outcome.code if isinstance(outcome, acks.Status) else f"{outcome.category}/{outcome.code}",
    }
    log.info("message_%s", "refused" if isinstance(outcome, Refused) else "repeated", extra={"facts": facts})
