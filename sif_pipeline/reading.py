"""From a message's bytes to its object events: cut or parse it, read each object, judge it by the schema. No SQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lxml import etree

from sif_pipeline import additions, content, mapping
from sif_pipeline.content import Content
from sif_pipeline.folding import ObjectEvent
from sif_pipeline.notices import Listing, Notice, Severity
from sif_pipeline.sif import cutting, gate, messages, schema
from sif_pipeline.sif.cutting import Slice
from warehouse.base import SifObject, objects
from warehouse.inbox import Outcome

AHEAD, BEHIND = timedelta(minutes=10), timedelta(days=400)
"""How far a SIF_Timestamp may lie from receipt and still be believed."""


@dataclass(slots=True)
class Claimed:
    """A claimed message and what reading it gave."""

    message_id: int
    zone_id: int
    source_id: str
    message_type: str
    sif_timestamp: datetime | None
    received_at: datetime
    recorded_at: datetime | None
    body: bytes
    events: list[ObjectEvent] = field(default_factory=list)
    notices: dict[int, list[Notice]] = field(default_factory=dict)  #: by position of the object; 0 the message
    listing: Listing = field(default_factory=Listing)  #: of these
    ends_at: int | None = None  #: position of the object at which the list ends, where it does
    beat: Callable[[], object] = bool  #: called with every object read: what is wrong with many takes its time

    def note(self, position: int, found: list[Notice]) -> None:
        """Keep the findings on an object as far as they are listed."""
        self.beat()
        kept = self.listing.take(found) if found else found
        if len(kept) < len(found) and self.ends_at is None:
            self.ends_at = position
        self.notices[position] = kept


def read(claimed: Sequence[Claimed]) -> None:
    """Read the objects of messages and judge each by the schema; a message that cannot be read is rejected as a whole.

    Objects in a common spelling are read by their patterns and judged all in one go, without a tree; others are parsed.
    """
    cuts = {message.message_id: cutting.cut(message.body) for message in claimed}
    plain = [(cut, found) for slices in cuts.values() for cut in slices or () if (found := content.of_slice(cut))]
    valid = schema.are_valid(cut.text for cut, _ in plain)
    contents = {id(cut): found if is_valid else None for (cut, found), is_valid in zip(plain, valid, strict=True)}
    for message in claimed:
        slices = cuts[message.message_id]
        if slices is None:
            _read_tree(message)
        else:
            try:
                _read_slices(message, slices, contents)
            except gate.Refused:  # an object of a file that was kept as it came: it is no XML, though it could be cut
                message.events, message.notices, message.listing, message.ends_at = [], {}, Listing(), None
                _read_tree(message)
        if message.ends_at is not None and message.listing.rest is not None:
            message.notices[message.ends_at].append(message.listing.rest)


def _read_slices(message: Claimed, slices: list[Slice], contents: Mapping[int, Content | None]) -> None:
    """Make events of slices; `contents` has what their patterns read, and None of those that are not valid."""
    ordered_at, notices = _ordered_at(message)
    for cut in slices:
        found = contents.get(id(cut))
        if found is None or found.image is None:
            parsed = _parsed(gate.reopen_object(cut.text, cut.line))
            is_valid = False if id(cut) in contents else None
            event, findings = _event(message, ordered_at, cut.position, cut.action, parsed, is_valid=is_valid)
        else:
            event = _new_event(message, ordered_at, cut.position, cut.name, cut.action, found)
            event.row_key, findings = found.image.row_key, additions.findings(found)
        message.events.append(event)
        message.note(cut.position, findings)
    if message.events and notices:
        message.notices[message.events[0].position].extend(notices)


def _read_tree(message: Claimed) -> None:
    ordered_at, notices = _ordered_at(message)
    try:
        found = list(messages.objects(gate.reopen(message.body)))
    except gate.Refused:
        found = []
        event, _ = _event(message, ordered_at, 0, None, Content(SifObject, etree.Element("SIF_Message")))
        event.outcome = Outcome.REJECTED
        message.events, message.notices[0] = [event], [Notice("message_unreadable")]
    for position, action, element, notice in found:
        event, findings = _event(message, ordered_at, position, action, _parsed(element))
        message.events.append(event)
        message.note(position, [notice, *findings] if notice else findings)
    if message.events and notices:
        message.notices[message.events[0].position].extend(notices)


def _parsed(element: etree._Element) -> Content:
    return Content(objects().get(_name(element), SifObject), element)


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _ordered_at(message: Claimed) -> tuple[datetime, list[Notice]]:
    stamp = message.sif_timestamp
    if stamp is None and message.message_type == "Objects":
        return message.received_at, []
    if stamp is None or not message.received_at - BEHIND <= stamp <= message.received_at + AHEAD:
        return message.received_at, [Notice("timestamp_implausible", "SIF_Header/SIF_Timestamp")]
    return stamp, []


def _event(  # noqa: PLR0913 -- the event's own parts
    message: Claimed,
    ordered_at: datetime,
    position: int,
    action: messages.Action | None,
    found: Content,
    *,
    is_valid: bool | None = None,
) -> tuple[ObjectEvent, list[Notice]]:
    event = _new_event(message, ordered_at, position, _name(found.element), action or "", found)
    return event, _judge(event, action, is_valid=is_valid)


def _new_event(  # noqa: PLR0913, PLR0917 -- the event's own parts
    message: Claimed, ordered_at: datetime, position: int, name: str, action: str, found: Content
) -> ObjectEvent:
    assert message.recorded_at is not None  # noqa: S101 -- _record ran before
    return ObjectEvent(
        message.message_id, position, message.zone_id, name, None, action, ordered_at, message.recorded_at, found
    )


def _judge(event: ObjectEvent, action: messages.Action | None, *, is_valid: bool | None = None) -> list[Notice]:
    """Decide whether an event may take part in a fold at all, and say what is wrong with it.

    `is_valid` is what the schema said of it, where it was asked already.
    """
    cls, element = event.content.cls, event.element
    if cls is SifObject or element.tag != mapping.NAMESPACE + event.object_name:
        event.outcome = Outcome.UNKNOWN
        return [Notice("object_unknown", event.object_name, element.sourceline or 0)]
    event.row_key = mapping.row_key(cls, element)
    profile = schema.profile_for(event.action)
    valid = schema.is_valid(element, profile) if is_valid is None else is_valid
    if valid and event.row_key is not None and action is not None:
        return additions.findings(event.content) if profile is not schema.Profile.KEY else []
    found = [] if valid else schema.findings(element, profile)
    if event.row_key is None and not _errors(found):
        found = [Notice("key_missing", event.object_name, element.sourceline or 0), *found]
    if action is None or _errors(found):
        event.outcome = Outcome.REJECTED
        return found
    return [*found, *additions.findings(event.content)] if profile is not schema.Profile.KEY else found


def _errors(notices: Iterable[Notice]) -> bool:
    return any(notice.type.severity is Severity.ERROR for notice in notices)
