"""Events of a zone: into the inbox for the state, and to those agents of the same zone that subscribed.

Both happen in one transaction. Most zones have no subscriber and no exception to who may publish: then storing is one
statement.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

from lxml import etree

from sif_pipeline.sif import acks
from sif_pipeline.sif.elements import SIF, local
from sif_pipeline.sif.events import Event
from sif_pipeline.sif.gate import reopen
from sif_pipeline.sif.messages import Message
from sif_pipeline.sif.writing import new_msg_id
from sif_pipeline.zone import access, routing
from sif_pipeline.zone.storing import Connection, Incoming, Look, Outcome, store, store_event
from sif_pipeline.zone.threads import off_the_loop
from sif_pipeline.zones import Zone
from warehouse.inbox import MessageState


async def take_events(
    connection: Connection, zone: Zone, incoming: Incoming, message: Message, state: MessageState
) -> Outcome:
    """Store a SIF_Event or SIF_BundledEvents and pass it on, unless a right to publish is missing."""
    outcome = await store_event(connection, zone, incoming, message, state)
    if not isinstance(outcome, Look):
        return outcome
    if (refused := await access.event_refusal(connection, zone, message)) is not None:
        return refused
    async with connection.transaction():
        outcome = await store(connection, zone, incoming, message, state)
        if outcome is acks.STORED:
            for event, body in await off_the_loop(len(incoming.body), _apart, message, incoming.body):
                if event.events[0].objects[0][0] != "SIF_LogEntry":  # what is in an agent's log, only the state reads
                    await routing.pass_on_events(connection, zone, event, body)
    return outcome


def _apart(message: Message, body: bytes) -> list[tuple[Message, bytes]]:
    return list(_each(message, body))


def _each(message: Message, body: bytes) -> Iterator[tuple[Message, bytes]]:
    """Give the events of a message one by one, each about one kind of object, for each may have other subscribers.

    A SIF_Event about one kind, as the standard has it, stays as it came.
    """
    if message.message_type == "SIF_Event" and len(_kinds(message.events[0])) == 1:
        yield message, body
        return
    root = reopen(body)
    for event, element in zip(message.events, root.iter(SIF + "SIF_Event"), strict=True):
        kinds = _kinds(event)
        for kind in kinds:
            msg_id = event.msg_id if len(kinds) == 1 else new_msg_id()
            yield _alone(message, event, kind, msg_id), _written(root, element, kind, msg_id)


def _kinds(event: Event) -> list[str]:
    return list(dict.fromkeys(name for name, _ in event.objects))


def _alone(message: Message, event: Event, kind: str, msg_id: str) -> Message:
    about = tuple(found for found in event.objects if found[0] == kind)
    return replace(
        message,
        message_type="SIF_Event",
        msg_id=msg_id,
        destination_id=event.destination_id,
        level=event.level,
        events=(replace(event, msg_id=msg_id, objects=about),),
    )


def _written(root: etree._Element, event: etree._Element, kind: str, msg_id: str) -> bytes:
    """Write one event of a message as a message of its own, with its objects of one kind and its own header."""
    alone = etree.Element(root.tag, dict(root.attrib), nsmap=root.nsmap)
    copy = deepcopy(event)
    alone.append(copy)
    for wrapper in list(copy.iter(SIF + "SIF_EventObject")):
        for other in [element for element in wrapper if local(element) != kind]:
            wrapper.remove(other)
        if len(wrapper) == 0 and (parent := wrapper.getparent()) is not None:
            parent.remove(wrapper)
    for found in copy.iterfind(f"{SIF}SIF_Header/{SIF}SIF_MsgId"):
        found.text = msg_id
    return etree.tostring(alone, encoding="utf-8", xml_declaration=False)
