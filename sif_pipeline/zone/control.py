"""SIF_SystemControl: what an agent asks the zone itself, and is answered at once; and the zone's own two objects.

SIF_ZoneStatus and SIF_AgentACL can be had by SIF_SystemControl, in the ack, or by SIF_Request, through the queue: by
the standard every zone provides them.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from psycopg.rows import class_row

from sif_pipeline.sif import acks, zone_status
from sif_pipeline.sif.acks import SOURCE_ID, write_error
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.messages import Message
from sif_pipeline.sif.releases import NEWEST_ACK, spoken_with
from sif_pipeline.sif.writing import Written, write_response
from sif_pipeline.zone import access, handover, queue, routing
from sif_pipeline.zone.provisioning import SQL
from sif_pipeline.zone.queue import Outgoing
from sif_pipeline.zone.storing import Connection, Incoming, Outcome, mode_of, store
from sif_pipeline.zones import Zone
from warehouse.base import objects
from warehouse.inbox import MessageState

Act = Callable[[Connection, Zone, Incoming, Message], Awaitable[Outcome]]


async def control(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    """Carry out a command of a registered agent; none is stored."""
    act = _ACTS.get(message.command or "")
    return await act(connection, zone, incoming, message) if act else _NOT_SUPPORTED


_NOT_SUPPORTED = Refused(12, 2, "This zone does not carry out the command; it knows those of SIF_SystemControl.")


async def _get_message(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    if await mode_of(connection, zone, message.source_id) == "Push":
        return Refused(5, 9, "The agent is registered for push; register it for pull to fetch messages.")
    return await handover.answer_get_message(connection, zone, message, incoming.channel)


async def _sleep(connection: Connection, zone: Zone, _: Incoming, message: Message) -> Outcome:
    await queue.sleep(connection, zone.zone_id, message.source_id)
    return acks.STORED


async def _wakeup(connection: Connection, zone: Zone, _: Incoming, message: Message) -> Outcome:
    """Deliver again; an event the agent had begun with comes again too (standard, SIF_Wakeup)."""
    async with connection.transaction():
        await queue.wake(connection, zone.zone_id, message.source_id)
        await queue.unblock(connection, zone.zone_id, message.source_id)
    return acks.STORED


async def _get_zone_status(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    return acks.Status(0, await _zone_status(connection, zone, incoming, message.version))


async def _zone_status(connection: Connection, zone: Zone, incoming: Incoming, version: str) -> str:
    values = {"zone_id": zone.zone_id}
    async with connection.cursor(row_factory=class_row(zone_status.Node)) as cursor:
        nodes = await (await cursor.execute(SQL["nodes"], values)).fetchall()
    async with connection.cursor(row_factory=class_row(zone_status.Listed)) as cursor:
        listed = await (await cursor.execute(SQL["listed"], values)).fetchall()
    status = zone_status.Zone(
        name=zone.name,
        nodes=nodes,
        listed=listed,
        collected=tuple(objects()),
        is_secure=incoming.channel.encryption > 0,
        asks_certificates=zone.authentication_level > 0,
    )
    return zone_status.write_zone_status(status, version)


async def _get_agent_acl(connection: Connection, zone: Zone, _: Incoming, message: Message) -> Outcome:
    return acks.Status(0, await _agent_acl(connection, zone, message))


async def _agent_acl(connection: Connection, zone: Zone, message: Message) -> str:
    return acks.agent_acl(access.rights(await access.rules_of(connection, zone, message.source_id)))


async def _cancel_requests(connection: Connection, zone: Zone, _: Incoming, message: Message) -> Outcome:
    if message.cancellation is not None:
        await routing.cancel_requests(connection, zone, message.source_id, message.cancellation)
    return acks.STORED


ZONE_OBJECTS: Final = frozenset({"SIF_ZoneStatus", "SIF_AgentACL"})
"""Objects that the zone itself provides."""


async def answer_request(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    """Answer a SIF_Request for an object of the zone: the response waits on the queue of who asked."""
    async with connection.transaction():
        outcome = await store(connection, zone, incoming, message, MessageState.DONE)
        if outcome is acks.STORED:
            response = await _response(connection, zone, incoming, message)
            await queue.enqueue(connection, zone.zone_id, message.source_id, response)
    return outcome


async def _response(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outgoing:
    asked = message.request
    assert asked is not None  # noqa: S101 -- only requests come here
    version = spoken_with(asked.versions) or NEWEST_ACK
    if asked.object_names[0] == "SIF_ZoneStatus":
        content = await _zone_status(connection, zone, incoming, version)
    else:
        content = await _agent_acl(connection, zone, message)
    written = _written(message, f"<SIF_ObjectData>{content}</SIF_ObjectData>", version)
    if len(written.body) > asked.max_buffer_size:
        written = _written(message, write_error(_TOO_LARGE), version)
    return Outgoing(
        SOURCE_ID, written.msg_id, "SIF_Response", written.body, asked.object_names[0], request_msg_id=message.msg_id
    )


def _written(message: Message, content: str, version: str) -> Written:
    return write_response(message.msg_id, 1, content, destination_id=message.source_id, version=version)


_TOO_LARGE = Refused(8, 11, "The object is larger than SIF_MaxBufferSize of the request; ask with a larger one.")

_ACTS: Final[dict[str, Act]] = {
    "SIF_GetMessage": _get_message,
    "SIF_Sleep": _sleep,
    "SIF_Wakeup": _wakeup,
    "SIF_GetZoneStatus": _get_zone_status,
    "SIF_GetAgentACL": _get_agent_acl,
    "SIF_CancelRequests": _cancel_requests,
}
