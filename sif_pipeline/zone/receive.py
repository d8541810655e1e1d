"""Taking in one message: judge its envelope, have it done, and only then answer with a SIF_Ack.

An agent forgets a message once it has a status 0 or 7, so neither is given before what the message asks for is on
disk. What is done is the business of the other modules of this room. It knows nothing of HTTP.
"""

import logging

from sif_pipeline.sif import acks
from sif_pipeline.sif.envelope import open_envelope
from sif_pipeline.sif.gate import Limits, Refused
from sif_pipeline.sif.header import DEFAULT_CONTEXT
from sif_pipeline.sif.messages import Message, Original, read_message, read_original
from sif_pipeline.zone import access, control, handover, provisioning, routing, turned_away
from sif_pipeline.zone.events import take_events
from sif_pipeline.zone.recording import Said, record
from sif_pipeline.zone.storing import Connection, Incoming, Outcome, audit, mode_of, store, unregistered
from sif_pipeline.zones import Zone
from warehouse.inbox import MessageState

__all__ = ["Incoming", "audit", "check", "read", "receive"]

log = logging.getLogger(__name__)


def read(body: bytes, limits: Limits | None = None) -> Incoming:
    """Read a message's envelope through the gate; no database, so that it can run in a thread of its own."""
    original = Original()
    try:
        root = open_envelope(body, limits)
        original = read_original(root)
        message = read_message(root)
        check(message)
    except Refused as refused:
        return Incoming(body, original, refused)
    return Incoming(body, message.original, message)


def check(message: Message) -> None:
    """Raise Refused for a message in another context than the zone's, or an event about nothing."""
    if message.message_type in _ONE_CONTEXT and len(message.contexts) > 1:
        raise Refused(12, 7, f"A request has one context; send it in the zone's, {DEFAULT_CONTEXT}.")
    if set(message.contexts) - {DEFAULT_CONTEXT}:
        raise Refused(12, 4, f"This zone has the context {DEFAULT_CONTEXT} only; send the message in it.")
    if message.message_type in _EVENTS and not any(event.objects for event in message.events):
        raise Refused(9, 3, "The message holds no object; send what it is about inside SIF_EventObject.")


_EVENTS = frozenset({"SIF_Event", "SIF_BundledEvents"})
_ONE_CONTEXT = frozenset({"SIF_Request", "SIF_Response"})


async def receive(connection: Connection, zone: Zone, incoming: Incoming) -> bytes:
    """Do what a message asks for and return the SIF_Ack to it; on return everything is committed.

    The connection must be in autocommit mode. A psycopg.Error means that nothing is certain: give no ack, and
    the agent will send the message again.
    """
    message = incoming.content
    if isinstance(message, Refused):
        await _audit_refusal(connection, zone, incoming, message)
    outcome = message if isinstance(message, Refused) else await _outcome(connection, zone, incoming, message)
    if isinstance(outcome, Refused):
        await turned_away.note(connection, zone, incoming, outcome)
    _log_outcome(zone, incoming, outcome)
    if zone.is_sandbox:
        await record(connection, zone.zone_id, Said(message, incoming.original, incoming.body), outcome)
    return acks.write_ack(incoming.original, outcome)


async def _outcome(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    is_ping = message.command == "SIF_Ping"
    if zone.is_suspended:
        return acks.SLEEPING if is_ping else _SUSPENDED
    if is_ping:  # for everyone: some ping before they register
        return acks.STORED
    if message.message_type in provisioning.ACTS:
        return await provisioning.carry_out(connection, zone, incoming, message)
    if message.message_type in _EVENTS:
        return await take_events(connection, zone, incoming, message, _kept(zone, MessageState.PENDING))
    if await mode_of(connection, zone, message.source_id) is None:
        return await unregistered(connection, zone, message)
    return await _of_registered(connection, zone, incoming, message)


_SUSPENDED = Refused(10, 1, "The state has suspended this zone for the time being; keep the message and send it later.")
"""A sleeping receiver returns an error of transport, so that the sender keeps what it has (standard, SIF_Sleep)."""


async def _of_registered(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    match message.message_type:
        case "SIF_SystemControl":
            return await control.control(connection, zone, incoming, message)
        case "SIF_Ack":
            return await handover.take_ack(connection, zone, message)
        case "SIF_Request":
            return await _take_request(connection, zone, incoming, message)
        case "SIF_Response":
            return await _take_response(connection, zone, incoming, message)
        case _:
            return _SERVICES[message.message_type]


_SERVICES = {
    "SIF_ServiceInput": Refused(14, 3, "This zone has no zone services, and nobody provides this one."),
    "SIF_ServiceOutput": Refused(14, 8, "This zone has no zone services, and nobody asked for this output."),
    "SIF_ServiceNotify": Refused(14, 17, "This zone has no zone services; publish objects as SIF_Event."),
}


async def _take_request(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    names = message.request.object_names if message.request else ()
    if set(names) <= control.ZONE_OBJECTS:
        return await control.answer_request(connection, zone, incoming, message)
    refused = await access.refusal(connection, zone, message.source_id, "SIF_RequestAccess", names)
    return refused or await routing.take_request(connection, zone, message, incoming.body)


async def _take_response(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    refused = await access.response_refusal(connection, zone, message)
    if refused is not None:
        return refused

    async def put(state: MessageState) -> Outcome:
        return await store(connection, zone, incoming, message, _kept(zone, state))

    return await routing.take_response(connection, zone, message, incoming.body, put)


def _kept(zone: Zone, state: MessageState) -> MessageState:
    """Give the state in which a message is stored: a sandbox keeps what would be drained."""
    return MessageState.KEPT if zone.is_sandbox and state is not MessageState.DONE else state


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
