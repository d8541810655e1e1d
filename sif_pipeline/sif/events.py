"""What a SIF_Event says of itself, alone or in a SIF_BundledEvents: for whom it is, and of which objects."""

from dataclasses import dataclass

from lxml import etree

from sif_pipeline.sif.carried import Action, of_event
from sif_pipeline.sif.elements import SIF, child, local
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.header import (
    DEFAULT_CONTEXT,
    NO_LEVEL,
    Fields,
    Header,
    Level,
    contexts_of,
    destination_id_of,
    level_of,
    msg_id_of,
    source_id_of,
)


@dataclass(frozen=True, slots=True)
class Event:
    """One SIF_Event, alone or of a bundle: whom it is meant for, and what it says of which kinds of objects."""

    msg_id: str  #: SIF_MsgId of its own header
    destination_id: str | None  #: SIF_DestinationId; None: for every subscriber
    objects: tuple[tuple[str, Action | None], ...]  #: name and action of each object; None: none of the three
    level: Level = NO_LEVEL  #: SIF_SecureChannel of its own header


def read_event(body: etree._Element, header: Header) -> Fields:
    """Read a SIF_Event that is a message; its header is the message's."""
    return {"events": (Event(header.msg_id, header.destination_id, _contents(body), header.level),)}


def _contents(event: etree._Element) -> tuple[tuple[str, Action | None], ...]:
    return tuple((local(element), action) for action, element, _ in of_event(event))


def read_bundle(body: etree._Element, header: Header) -> Fields:
    """Read each SIF_Event of SIF_BundledEvents with its own header, which goes with it to who takes no bundles.

    Raise Refused for what is no event, or one of another agent (9/3), for another context (12/4), and for a header that
    is missing or unusable (1/4, 1/6).
    """
    bundled = [event for part in body.iterchildren(SIF + "SIF_Events") for event in part.iterchildren(etree.Element)]
    if any(event.tag != SIF + "SIF_Event" for event in bundled):
        raise Refused(9, 3, "SIF_Events holds something that is no SIF_Event; bundle events only, and no bundles.")
    return {"events": tuple(_bundled(event, header) for event in bundled)}


def _bundled(event: etree._Element, of_bundle: Header) -> Event:
    header = child(event, "SIF_Header")
    if header is None:
        raise Refused(1, 6, "A SIF_Event of the bundle has no SIF_Header; each event needs one of its own.")
    if source_id_of(header, "SIF_Event") != of_bundle.source_id:
        raise Refused(9, 3, "A SIF_Event of the bundle has another SIF_SourceId; bundle the events of one agent.")
    if set(contexts_of(header)) - {DEFAULT_CONTEXT}:
        raise Refused(12, 4, f"This zone has the context {DEFAULT_CONTEXT} only; send the events in it.")
    return Event(msg_id_of(header), destination_id_of(header), _contents(event), level_of(header))
