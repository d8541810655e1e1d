"""Handing messages over to agents: what an agent gets next, and what its ack does to it.

It is the same for agents that pull and agents that are pushed to: a message stays on its queue until an ack names it,
or the ack that carried it. One that cannot be handed over at all is taken off, and whoever is concerned is told.
"""

import re
from dataclasses import replace
from typing import Any, Final

from sif_pipeline.database import queries
from sif_pipeline.sif import acks
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.gate import Refused, reopen, undeclared
from sif_pipeline.sif.header import NO_LEVEL, Level
from sif_pipeline.sif.messages import Message
from sif_pipeline.sif.releases import releases, spoken_with
from sif_pipeline.sif.requests import Answer
from sif_pipeline.sif.writing import LogEntry, header_of, new_msg_id, write_log_entry
from sif_pipeline.zone import queue, routing
from sif_pipeline.zone.queue import AsyncConnection, HandedOut, Outgoing, Waiting
from sif_pipeline.zone.threads import off_the_loop
from sif_pipeline.zones import Zone
from warehouse.outbox import QueueState

AUDIT: Final = queries("receive")["audit"].encode()

Outcome = acks.Status | Refused


async def answer_get_message(
    connection: AsyncConnection, zone: Zone, message: Message, channel: Level = NO_LEVEL
) -> acks.Status:
    """Answer SIF_GetMessage: status 0 with the next message in SIF_Data, or 9.

    `channel` is how well the connection it came by is secured. The connection must be in autocommit mode.
    """
    carrier = new_msg_id()
    found = await take_next(connection, zone.zone_id, message.source_id, channel, carrier)
    return replace(acks.carrying(found.body), msg_id=carrier) if found else acks.NO_MESSAGES


async def take_next(
    connection: AsyncConnection, zone_id: int, source_id: str, channel: Level, carrier: str | None = None
) -> Waiting | None:
    """Choose what an agent gets now and note that it is handed out; None when there is nothing for it.

    What is larger than the agent takes, or asks for a better channel, is set aside on the way.
    """
    async with connection.transaction():
        while (found := await queue.next_for(connection, zone_id, source_id)) is not None:
            obstacle = _obstacle(found, channel)
            if obstacle is not None:
                await set_aside(connection, zone_id, source_id, found, obstacle)
            elif await queue.hand_out(connection, found.queue_id, carrier):
                return found
    return None


def _obstacle(found: Waiting, channel: Level) -> LogEntry | None:
    """Find what stands against handing a message over at all, as the standard has an agent told of it."""
    if found.max_buffer_size is not None and len(found.body) > found.max_buffer_size:
        sentence = f"A message of {len(found.body)} bytes is larger than the agent's SIF_MaxBufferSize; raise it."
        return LogEntry(ZONE_ERROR, 2, sentence, application_code="message_larger_than_buffer")
    if channel.authentication < found.authentication_level or channel.encryption < found.encryption_level:
        return NOT_SECURE
    return _TOO_NEW if _is_too_new(found) else None


def _is_too_new(found: Waiting) -> bool:
    """Tell whether a message is of a later release than any the agent registered: kits refuse what they do not know.

    One of an earlier release is handed over: each release of SIF 2.x includes those before it.
    """
    version = _VERSION.search(undeclared(found.body)[:_HEAD])
    if not found.versions or version is None:
        return False
    known = releases(found.versions)
    return bool(known) and version[1].decode() > max(known)


_VERSION = re.compile(rb"""<(?:[\w.-]+:)?SIF_Message\b[^>]*?\sVersion\s*=\s*["']\s*([0-9.r]+)""")
_HEAD = 4096

ZONE_ERROR: Final = 4
"""SIF_Category of an error condition; by its Source, ZIS, it is one of the zone (standard, SIF_LogEntry)."""

NOT_SECURE: Final = LogEntry(
    ZONE_ERROR,
    3,
    "A message asks for a channel that is better secured than the agent's; connect it by HTTPS.",
    application_code="channel_not_secure",
)
"""What an agent is told where a message was not handed over for its SIF_SecureChannel."""

_TOO_NEW: Final = LogEntry(
    ZONE_ERROR,
    4,
    "A message is of a later release of SIF than any the agent registered; register it with 2.*, or a later one.",
    application_code="version_too_new",
)

_ERRORS: Final = {
    2: Refused(8, 8, "The request is larger than the agent that provides the object takes; ask for less at once."),
    3: Refused(10, 3, "There is no way to the agent asked that is as secure as SIF_SecureChannel of the request asks."),
    4: Refused(
        8, 7, "The request is of a later release of SIF than the agent that provides the object reads; send 2.0."
    ),
}
"""What the maker of a request is told where it could not be handed over, by the code of the SIF_LogEntry."""


async def set_aside(
    connection: AsyncConnection, zone_id: int, source_id: str, found: Waiting, obstacle: LogEntry
) -> None:
    """Take off a message that cannot be handed over: its addressee gets a SIF_LogEntry, a requester an error.

    Nothing where it is off the queue already: whoever took it off has told them.
    """
    if found.message_type == "SIF_Request":
        await queue.hold_requests(connection, found.queue_id)
    if not await queue.settle(connection, found.queue_id, obstacle.application_code):
        return
    detail = f"{found.message_type} {found.msg_id}: {obstacle.application_code}"
    await _audit(connection, "message_not_deliverable", zone_id, source_id, detail)
    if found.message_type == "SIF_Request":
        await routing.fail(connection, zone_id, found.sender_id, found.msg_id, _ERRORS[obstacle.code])
    told = await off_the_loop(len(found.body), _log_entry, found, source_id, obstacle)
    if found.max_buffer_size is None or len(told.body) <= found.max_buffer_size:
        await queue.enqueue(connection, zone_id, source_id, told)


def _log_entry(found: Waiting, source_id: str, obstacle: LogEntry) -> Outgoing:
    entry = LogEntry(
        obstacle.category,
        obstacle.code,
        obstacle.sentence,
        application_code=obstacle.application_code,
        original_header=header_of(reopen(found.body)),
    )
    written = write_log_entry(entry, version=spoken_with(found.versions or ()), destination_id=source_id)
    return Outgoing(SOURCE_ID, written.msg_id, "SIF_Event", written.body, "SIF_LogEntry")


async def take_ack(connection: AsyncConnection, zone: Zone, message: Message) -> Outcome:
    """Do what an agent's SIF_Ack says to the message it names: a pull agent's, or the end of message blocking.

    The connection must be in autocommit mode. An ack that comes again is good again.
    """
    answer = message.answer
    if answer is None or answer.original_msg_id is None:
        return Refused(1, 6, "The SIF_Ack has no SIF_OriginalMsgId; name the message it is for.")
    async with connection.transaction():
        if answer.error is not None:
            await queue.hold_acked(connection, zone.zone_id, message.source_id, answer.original_msg_id)
        handed = await queue.handed_out(connection, zone.zone_id, message.source_id, answer.original_msg_id)
        if handed is None:
            return await _ack_of_nothing(connection, zone, message.source_id, answer)
        return await settle(connection, zone.zone_id, message.source_id, handed, answer)


async def _ack_of_nothing(connection: AsyncConnection, zone: Zone, source_id: str, answer: Answer) -> Outcome:
    if await queue.was_settled(connection, zone.zone_id, source_id, answer.original_msg_id):
        return acks.STORED
    if answer.status == _FINAL and await queue.blocked_by(connection, zone.zone_id, source_id):
        return Refused(13, 4, "The agent's events are blocked by another event; name that one in the final SIF_Ack.")
    return Refused(12, 6, "No message with this SIF_OriginalMsgId waits for the agent's SIF_Ack; nothing to do.")


_INTERMEDIATE, _FINAL, ASLEEP = 2, 3, 8
_DONE: Final = frozenset({0, 1, 3, 7})
"""Statuses that say that the agent has the message: 1 and 3 by the standard, 7 when it came again, 0 from some kits."""


async def settle(
    connection: AsyncConnection, zone_id: int, source_id: str, handed: HandedOut, answer: Answer
) -> Outcome:
    """Do what an ack says to the message it is for, in the caller's transaction: settle it, block by it, or keep it."""
    is_blocking = handed.state == QueueState.BLOCKED
    if answer.error is not None:
        return await _refused_by_agent(connection, zone_id, source_id, handed, answer.error)
    if answer.status == _INTERMEDIATE:
        return await _block(connection, handed, is_blocking=is_blocking)
    if answer.status == ASLEEP:
        return acks.STORED
    if answer.status not in _DONE:
        return Refused(1, 4, "SIF_Code of the SIF_Ack is no status an agent can send; send 1, 2, 3, 7 or 8.")
    if is_blocking and answer.status != _FINAL:
        return Refused(13, 3, "The event is under selective message blocking; end that with a SIF_Ack of status 3.")
    await queue.settle(connection, handed.queue_id)
    if is_blocking:
        await queue.unblock(connection, zone_id, source_id)
    return acks.STORED


async def _block(connection: AsyncConnection, handed: HandedOut, *, is_blocking: bool) -> Outcome:
    if handed.message_type != "SIF_Event":
        return Refused(13, 2, "Only a SIF_Event can block others; answer other messages with a SIF_Ack of status 1.")
    if not is_blocking:
        await queue.block(connection, handed.queue_id)
    return acks.STORED


async def _refused_by_agent(
    connection: AsyncConnection, zone_id: int, source_id: str, handed: HandedOut, error: tuple[int, int]
) -> Outcome:
    """Take off a message its agent will not have: by the standard it is not sent again."""
    category, code = error
    await queue.settle(connection, handed.queue_id, f"SIF_Error {category}/{code}")
    if handed.state == QueueState.BLOCKED:
        await queue.unblock(connection, zone_id, source_id)
    detail = f"{handed.message_type} {handed.msg_id}: SIF_Error {category}/{code}"
    await _audit(connection, "refused_by_agent", zone_id, source_id, detail)
    if handed.message_type == "SIF_Request":
        reason = Refused(category, code, "The agent asked refused the request.")
        await routing.fail(connection, zone_id, handed.sender_id, handed.msg_id, reason)
    return acks.STORED


async def _audit(connection: AsyncConnection, event: str, zone_id: int, source_id: str, detail: str) -> None:
    values: dict[str, Any] = {"event": event, "zone_id": zone_id, "source_id": source_id, "detail": detail}
    await connection.execute(AUDIT, values)
