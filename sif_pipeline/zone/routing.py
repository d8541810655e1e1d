"""Who gets what in a zone: requests go to providers, responses to requesters, events to subscribers.

A request is known from the moment it is passed on until its last packet, and so are its packets: their number, their
size, who may send them and to whom. The state asks and is answered by the same rules, under `SOURCE_ID`. Nothing
crosses zones.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sif_pipeline.database import Connection, first, queries
from sif_pipeline.sif import acks
from sif_pipeline.sif.acks import SOURCE_ID, write_error
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.messages import Message
from sif_pipeline.sif.naming import in_words
from sif_pipeline.sif.releases import releases, speaks, spoken_with
from sif_pipeline.sif.requests import Cancellation, Request
from sif_pipeline.sif.writing import write_response
from sif_pipeline.zone import queue
from sif_pipeline.zone.queue import AsyncConnection, Outgoing
from sif_pipeline.zone.storing import OTHER_UNDER_MSG_ID
from sif_pipeline.zones import Zone
from warehouse.base import objects
from warehouse.inbox import MessageState
from warehouse.outbox import RequestState

SQL: Final = {name: query.encode() for name, query in queries("routing").items()}

SMALLEST_BUFFER: Final = 4096
"""Least SIF_MaxBufferSize of a request, bytes: objects of the profile fit into it, and few into less."""

PATIENCE: Final = timedelta(hours=24)
"""How long the first packet of a response may take: a pull agent may be off for a night."""

PACKET_PATIENCE: Final = timedelta(hours=1)
"""How long the next packet may take after one has come."""

Outcome = acks.Status | Refused
Store = Callable[[MessageState], Awaitable[Outcome]]


class Asked(NamedTuple):
    """A request that was passed on."""

    source_id: str  #: who asks; SOURCE_ID for the state
    msg_id: str
    object_name: str
    destination_id: str  #: who is asked
    versions: list[str]  #: SIF_Version its response may have
    max_buffer_size: int  #: largest packet the requester takes, bytes
    next_packet: int  #: SIF_PacketNumber that is due
    state: str
    purpose: str | None  #: sync for a full sync of the state


@dataclass(frozen=True, slots=True)
class Question:
    """A request about to be made, as it is remembered until it is answered."""

    msg_id: str
    object_name: str
    destination_id: str  #: who is asked
    versions: tuple[str, ...]  #: SIF_Version the response may have
    max_buffer_size: int  #: largest packet that is taken, bytes
    source_id: str = SOURCE_ID  #: who asks
    lasts: timedelta = PATIENCE  #: how long its first packet may take
    purpose: str | None = None
    sync_id: int | None = None


def ask_now(connection: Connection, zone_id: int, question: Question, message: Outgoing) -> bool:
    """Put a request of the state's on the queue of the agent asked and remember it, in the caller's transaction.

    False: the agent is not registered, and nothing is remembered.
    """
    if not queue.enqueue_now(connection, zone_id, question.destination_id, message):
        return False
    connection.execute(SQL["open"], _row(zone_id, question))
    return True


async def _ask(connection: AsyncConnection, zone_id: int, question: Question, message: Outgoing) -> Outcome:
    """Remember an agent's request and put it on the queue of the agent asked; raise Refused when that one has left."""
    if await first(connection, SQL["open"], _row(zone_id, question)) is None:
        return acks.ALREADY_HELD
    if not await queue.enqueue(connection, zone_id, question.destination_id, message):
        raise LEFT
    return acks.STORED


def _row(zone_id: int, question: Question) -> dict[str, Any]:
    return {
        "zone_id": zone_id,
        "source_id": question.source_id,
        "msg_id": question.msg_id,
        "object_name": question.object_name,
        "destination_id": question.destination_id,
        "versions": list(question.versions),
        "max_buffer_size": question.max_buffer_size,
        "lasts": question.lasts,
        "purpose": question.purpose,
        "sync_id": question.sync_id,
    }


async def take_request(connection: AsyncConnection, zone: Zone, message: Message, body: bytes) -> Outcome:
    """Pass an agent's SIF_Request on to who provides the object, or to the agent it names; all of it or nothing."""
    asked = message.request
    assert asked is not None  # noqa: S101 -- only requests come here
    if asked.max_buffer_size < SMALLEST_BUFFER:
        return _BUFFER_TOO_SMALL
    try:
        async with connection.transaction():
            return await _pass_on(connection, zone, message, asked, body)
    except Refused as refused:
        return refused


async def _pass_on(connection: AsyncConnection, zone: Zone, message: Message, asked: Request, body: bytes) -> Outcome:
    if (outcome := await _repeated(connection, zone, message, body)) is not None:
        return outcome
    responder = await _responder(connection, zone, message, asked.object_names[0])
    if isinstance(responder, Refused):
        return responder
    question = Question(
        msg_id=message.msg_id,
        object_name=asked.object_names[0],
        destination_id=responder,
        versions=asked.versions,
        max_buffer_size=asked.max_buffer_size,
        source_id=message.source_id,
    )
    return await _ask(connection, zone.zone_id, question, queue.forwarded(message, body, question.object_name))


_BUFFER_TOO_SMALL = Refused(
    8, 8, f"SIF_MaxBufferSize of the request is below {SMALLEST_BUFFER} bytes; ask with a larger one."
)


async def _repeated(connection: AsyncConnection, zone: Zone, message: Message, body: bytes) -> Outcome | None:
    """Recognise a message that was passed on already, or another one under its SIF_MsgId."""
    values = {"zone_id": zone.zone_id, "msg_id": message.msg_id, "sender_id": message.source_id, "body": body}
    known = await first(connection, SQL["passed_on"], values)
    if known is None:
        return None
    return acks.ALREADY_HELD if known[0] else OTHER_UNDER_MSG_ID


async def _responder(connection: AsyncConnection, zone: Zone, message: Message, object_name: str) -> str | Refused:
    values = {"zone_id": zone.zone_id, "named": message.destination_id, "object_name": object_name}
    found = await first(connection, SQL["responder"], values)
    if found is None:
        return _no_responder(message, object_name)
    source_id, versions = found
    asked = message.request.versions if message.request else ()
    if versions and not any(speaks(versions, v) and speaks(asked, v) for v in releases((*versions, *asked))):
        return Refused(8, 7, "Who provides the object speaks no SIF_Version of the request; ask for 2.*.")
    return str(source_id)


def _no_responder(message: Message, object_name: str) -> Refused:
    if message.destination_id is not None:
        return Refused(8, 4, "No agent with this SIF_DestinationId is registered in the zone; leave it out.")
    named = in_words([object_name])
    if object_name not in objects() and object_name not in _OBJECTS_OF_THE_ZONE:
        return Refused(8, 3, f"This zone knows nothing of what is asked for, {named}; check SIF_QueryObject.")
    return Refused(8, 4, f"No agent of the zone provides {named}; ask again when one has provisioned it.")


_OBJECTS_OF_THE_ZONE = frozenset({"SIF_AgentACL", "SIF_ZoneStatus"})


async def take_response(
    connection: AsyncConnection, zone: Zone, message: Message, body: bytes, store: Store
) -> Outcome:
    """Pass a SIF_Response on to who asked; `store` puts one for the state into the inbox, in the same transaction.

    A response nobody asked for is taken in for the state, unless it is addressed to anybody else.
    """
    async with connection.transaction():
        asked = await _asked(connection, zone, message)
        if (outcome := await _repeated(connection, zone, message, body)) is not None:
            return outcome
        if await _known(connection, zone, message):
            return await store(MessageState.PENDING)  # tells it from another message under its SIF_MsgId
        if asked is None:
            return await _unsolicited(connection, zone, message, store)
        if (refused := _misfit(asked, message, len(body))) is not None:
            return refused
        outcome = await _hand_on(connection, zone, asked, message, body, store)
        if outcome is acks.STORED:
            await _advance(connection, zone, asked, message)
    return outcome


async def _known(connection: AsyncConnection, zone: Zone, message: Message) -> bool:
    values = {"zone_id": zone.zone_id, "msg_id": message.msg_id, "sender_id": message.source_id}
    return (await first(connection, SQL["taken_in"], values)) == (True,)


async def _asked(connection: AsyncConnection, zone: Zone, message: Message) -> Asked | None:
    request_msg_id = message.response.request_msg_id if message.response else None
    values = {"zone_id": zone.zone_id, "msg_id": request_msg_id, "source_id": message.destination_id}
    found = await first(connection, SQL["asked"], values)
    return Asked(*found) if found else None


async def _unsolicited(connection: AsyncConnection, zone: Zone, message: Message, store: Store) -> Outcome:
    """Take in what nobody asked for rather than lose it, if it is for the state; a zone may be set to refuse it.

    What is for any other agent is not the state's to read, whether or not that agent is registered just now.
    """
    if message.destination_id not in (None, SOURCE_ID):
        return _NOT_THE_STATES
    if await first(connection, SQL["solicited_only"], {"zone_id": zone.zone_id}) == (True,):
        return _NO_SUCH_REQUEST
    return await store(MessageState.PENDING)


_NO_SUCH_REQUEST = Refused(8, 10, "No SIF_Request with this SIF_RequestMsgId is known; repeat the one of the request.")
_NOT_THE_STATES = Refused(
    8, 10, "SIF_DestinationId made no such SIF_Request; send what is for the state unasked to SIF-PIPELINE."
)


def _misfit(asked: Asked, message: Message, size: int) -> Refused | None:
    """Find what makes a packet none of the answer that is awaited; None where it is."""
    if message.source_id != asked.destination_id:
        return Refused(8, 10, "The request was another agent's to answer; only the agent asked may respond to it.")
    if message.destination_id not in _addressed(asked):
        return Refused(8, 14, "SIF_DestinationId is not the SIF_SourceId of the request; send the response there.")
    if asked.state != RequestState.OPEN:
        return _ENDED[RequestState(asked.state)]
    return _misfit_packet(asked, message, size)


def _misfit_packet(asked: Asked, message: Message, size: int) -> Refused | None:
    answer = message.response
    if answer is None or answer.packet_number != asked.next_packet:
        return Refused(8, 12, f"Packet {asked.next_packet} of the response is due; send the packets in order.")
    if size > asked.max_buffer_size:
        return Refused(8, 11, f"The packet is larger than the {asked.max_buffer_size} bytes of the request; split it.")
    if asked.versions and not speaks(asked.versions, message.version):
        return Refused(8, 13, "The response has none of the versions that the request takes; send one of them.")
    return None


def _addressed(asked: Asked) -> tuple[str | None, ...]:
    """Say what SIF_DestinationId may be: what the standard says, and for the state's own requests nothing as well."""
    return (asked.source_id, None) if asked.source_id == SOURCE_ID else (asked.source_id,)


_ENDED: Final = {
    RequestState.COMPLETE: Refused(8, 10, "The request was answered to its last packet; send no more."),
    RequestState.FAILED: Refused(8, 10, "The request has ended with an error; send no more packets."),
    RequestState.CANCELLED: Refused(8, 18, "The requester has cancelled the request; send no more packets."),
    RequestState.TIMED_OUT: Refused(8, 16, "The request has timed out; send no more packets."),
}
"""What a packet to a request that has ended is answered with."""


async def _hand_on(  # noqa: PLR0913, PLR0917 -- all of one message's way
    connection: AsyncConnection, zone: Zone, asked: Asked, message: Message, body: bytes, store: Store
) -> Outcome:
    if asked.source_id == SOURCE_ID:
        return await store(_state_of(asked, message))
    passed = queue.forwarded(message, body, asked.object_name)
    await queue.enqueue(connection, zone.zone_id, asked.source_id, passed)  # if it left, nobody misses the packet
    return acks.STORED


def _state_of(asked: Asked, message: Message) -> MessageState:
    """Say how a packet for the state is stored: a sync's waits for the others, an error has nothing to drain."""
    if message.response and message.response.error:
        return MessageState.DONE
    return MessageState.STAGED if asked.purpose == "sync" else MessageState.PENDING


async def _advance(connection: AsyncConnection, zone: Zone, asked: Asked, message: Message) -> None:
    answer = message.response
    error = answer.error if answer else None
    more = bool(answer and answer.more_packets)
    state = RequestState.FAILED if error else RequestState.OPEN if more else RequestState.COMPLETE
    await connection.execute(
        SQL["advance"],
        {
            "zone_id": zone.zone_id,
            "source_id": asked.source_id,
            "msg_id": asked.msg_id,
            "state": state.value,
            "error": f"{error[0]}/{error[1]}" if error else None,
            "lasts": PACKET_PATIENCE,
        },
    )


async def pass_on_events(connection: AsyncConnection, zone: Zone, message: Message, body: bytes) -> list[str]:
    """Put a SIF_Event on the queue of every subscriber but the sender, or of the one it names; return who they are.

    In the transaction that stores it for the state. Whether an agent may subscribe is judged when it does.
    """
    names = sorted({name for event in message.events for name, _ in event.objects})
    values = {
        "zone_id": zone.zone_id,
        "object_names": names,
        "sender_id": message.source_id,
        "named": message.destination_id,
    }
    found = await (await connection.execute(SQL["subscribers"], values)).fetchall()
    passed = queue.forwarded(message, body, names[0] if names else None)
    for (source_id,) in found:
        await queue.enqueue(connection, zone.zone_id, source_id, passed)
    return [source_id for (source_id,) in found]


async def cancel_requests(connection: AsyncConnection, zone: Zone, source_id: str, called_off: Cancellation) -> None:
    """Call off an agent's own requests that are open; others it names are none of its business, and stay."""
    async with connection.transaction():
        for msg_id in sorted(set(called_off.request_msg_ids)):  # locked in this order, as everywhere
            ended = await end(connection, zone.zone_id, source_id, msg_id, RequestState.CANCELLED, CANCELLED)
            if ended is not None and called_off.wants_notice:
                await tell(connection, zone.zone_id, ended, CANCELLED)


CANCELLED: Final = Refused(8, 18, "The request was cancelled by the agent that made it.")
TIMED_OUT: Final = Refused(8, 16, "The request was not answered in time; ask again.")
DROPPED: Final = Refused(8, 17, "The state has taken the request off the queue of the agent asked; ask again later.")
LEFT: Final = Refused(8, 4, "The agent that was asked has left the zone; ask again when the object is provided.")


async def end(  # noqa: PLR0913, PLR0917 -- a request's key is three of them
    connection: AsyncConnection, zone_id: int, source_id: str, msg_id: str, state: RequestState, reason: Refused
) -> Asked | None:
    """End an open request before its last packet and take it off the queue of the agent asked; None: it had ended."""
    found = await first(connection, SQL["end"], _ending(zone_id, source_id, msg_id, state, reason))
    return Asked(*found) if found else None


def end_now(connection: Connection, zone_id: int, msg_id: str, state: RequestState, reason: Refused) -> bool:
    """Do the same with a request of the state's on a connection that blocks; False: it had ended."""
    values = _ending(zone_id, SOURCE_ID, msg_id, state, reason)
    return connection.execute(SQL["end"], values).fetchone() is not None


def _ending(zone_id: int, source_id: str, msg_id: str, state: RequestState, reason: Refused) -> dict[str, Any]:
    return {
        "zone_id": zone_id,
        "source_id": source_id,
        "msg_id": msg_id,
        "state": state.value,
        "error": f"{reason.category}/{reason.code}",
    }


async def tell(connection: AsyncConnection, zone_id: int, ended: Asked, reason: Refused) -> None:
    """Tell an agent with a last SIF_Response why its request ended; the state looks at its requests itself."""
    if ended.source_id == SOURCE_ID:
        return
    found = await first(connection, SQL["agent"], {"zone_id": zone_id, "source_id": ended.source_id})
    await queue.enqueue(connection, zone_id, ended.source_id, _last_response(ended, reason, found))


def _last_response(ended: Asked, reason: Refused, requester: tuple[Any, ...] | None) -> Outgoing:
    """Write the SIF_Response that ends a request with an error, in a version that who asked reads."""
    version = spoken_with(requester[0]) if requester and requester[0] else None
    written = write_response(
        ended.msg_id, ended.next_packet, write_error(reason), destination_id=ended.source_id, version=version
    )
    return Outgoing(
        SOURCE_ID, written.msg_id, "SIF_Response", written.body, ended.object_name, request_msg_id=ended.msg_id
    )


def end_dropped_now(connection: Connection) -> int:
    """End open requests whose message an operator took off a queue, and tell who made them; return how many."""
    values = {"state": RequestState.FAILED.value, "error": f"{DROPPED.category}/{DROPPED.code}"}
    found = connection.execute(SQL["end_dropped"], values).fetchall()
    for zone_id, *row in found:
        ended = Asked(*row)
        if ended.source_id != SOURCE_ID:
            requester = connection.execute(SQL["agent"], {"zone_id": zone_id, "source_id": ended.source_id}).fetchone()
            queue.enqueue_now(connection, zone_id, ended.source_id, _last_response(ended, DROPPED, requester))
    return len(found)


async def fail(connection: AsyncConnection, zone_id: int, source_id: str, msg_id: str, reason: Refused) -> None:
    """End a request that cannot be answered, and tell who made it."""
    ended = await end(connection, zone_id, source_id, msg_id, RequestState.FAILED, reason)
    if ended is not None:
        await tell(connection, zone_id, ended, reason)


async def expire_requests(connection: AsyncConnection, most: int = 100) -> int:
    """Give up open requests whose time is over, up to `most`, and tell who made them; return how many they were."""
    async with connection.transaction():
        found = await (await connection.execute(SQL["expired"], {"source_id": None, "most": most})).fetchall()
        for zone_id, source_id, msg_id in found:
            ended = await end(connection, zone_id, source_id, msg_id, RequestState.TIMED_OUT, TIMED_OUT)
            if ended is not None:
                await tell(connection, zone_id, ended, TIMED_OUT)
    return len(found)


def expire_now(connection: Connection) -> list[str]:
    """Give up the state's own requests whose time is over, on a connection that blocks; return their SIF_MsgIds."""
    with connection.transaction():
        found = connection.execute(SQL["expired"], {"source_id": SOURCE_ID, "most": None}).fetchall()
        ended = (RequestState.TIMED_OUT, TIMED_OUT)
        return [msg_id for zone_id, _, msg_id in found if end_now(connection, zone_id, msg_id, *ended)]


async def leave(connection: AsyncConnection, zone_id: int, source_id: str) -> None:
    """Do what an agent's leaving means for traffic: what it asked or was asked is ended, its queue is purged.

    The caller has marked it as gone, so that nothing more is queued for it. Requests come before messages: whatever
    touches both locks them in this order.
    """
    values = {"zone_id": zone_id, "source_id": source_id}
    for requester, msg_id in await (await connection.execute(SQL["open_with"], values)).fetchall():
        if requester == source_id:
            await end(connection, zone_id, requester, msg_id, RequestState.CANCELLED, CANCELLED)
        else:
            await fail(connection, zone_id, requester, msg_id, LEFT)
    await queue.purge(connection, zone_id, source_id)
