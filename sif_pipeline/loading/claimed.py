"""From a message's bytes to its object events: cut or parse it, read each object, judge it by the schema. No SQL."""

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from lxml import etree

from sif_pipeline.loading.folding import ObjectEvent
from sif_pipeline.notices import Listing, Notice, Severity
from sif_pipeline.reading import additions, content, mapping
from sif_pipeline.reading.content import Content
from sif_pipeline.sif import cutting, gate, inspection, messages, schema
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
    is_newest: bool = False  #: whether its place in the folds is after that of all messages of its zone drained so far
    may_repeat: bool = False  #: whether what it says again may be left out
    events: list[ObjectEvent] = field(default_factory=list)
    notices: dict[int, list[Notice]] = field(default_factory=dict)  #: by position of the object; 0 the message
    listing: Listing = field(default_factory=Listing)  #: of these
    ends_at: int | None = None  #: position of the object at which the list ends, where it does
    beat: Callable[[], object] = bool  #: called with every object on which there is a finding: that takes its time
    digests: list[bytes] = field(default_factory=list)  #: of all its objects, where some may be known
    size: int = 0  #: how many objects it has, once it is read
    unchanged: int = 0  #: how many of its objects are left out, because they say again what is known
    hashes: bytearray = field(default_factory=bytearray)  #: of these; zeros for the others
    _slices: list[Slice] | None = None
    _is_cut: bool = False

    def note(self, position: int, found: list[Notice]) -> None:
        """Keep the findings on an object as far as they are listed."""
        self.beat()
        kept = self.listing.take(found) if found else found
        if len(kept) < len(found) and self.ends_at is None:
            self.ends_at = position
        self.notices[position] = kept

    @property
    def slices(self) -> list[Slice] | None:
        """Its objects cut out; None where it has to be parsed."""
        if not self._is_cut:
            self._slices, self._is_cut = cutting.cut(self.body), True
        return self._slices

    def forget(self) -> None:
        """Let go of what takes room, once it is loaded."""
        self.events, self.digests, self.body, self._slices = [], [], b"", None

    @property
    def is_timely(self) -> bool:
        """Whether its SIF_Timestamp is believed, or is not asked for."""
        if self.sif_timestamp is None:
            return self.message_type == "Objects"
        return self.received_at - BEHIND <= self.sif_timestamp <= self.received_at + AHEAD

    @property
    def ordered_at(self) -> datetime:
        """The time of its events in the fold: SIF_Timestamp where it is believed, else its receipt."""
        return self.sif_timestamp if self.sif_timestamp is not None and self.is_timely else self.received_at

    @property
    def order(self) -> tuple[datetime, int]:
        """The place of its events in the fold."""
        return self.ordered_at, self.message_id


class Memory(Protocol):
    """What is known of the images of objects."""

    def knows(self, zone_id: int, name: str) -> bool:
        """Tell whether a zone has any image of an object that may come again."""

    def unknown(self, zone_id: int, name: str, digests: Sequence[bytes]) -> AbstractSet[bytes]:
        """Give those of some hashes that no current image of an object has that may come again."""


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Keep Python from looking for cycles among what is read: there are many objects, and none in cycles."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read(claimed: Sequence[Claimed], memory: Memory | None = None) -> None:
    """Read the objects of messages and judge each by the schema; a message that cannot be read is rejected as a whole.

    Valid objects in a common spelling are read by their patterns, without a tree; others are parsed and judged.
    What came before, to the letter, is not read, and no event: only its hash is there. Without a memory all is.
    """
    new = _recognise(claimed, memory) if memory is not None else {}
    cuts: dict[int, list[Slice] | None] = {m.message_id: m.slices for m in claimed if m.message_id not in new}
    cuts.update(new)
    for message in claimed:
        slices = cuts[message.message_id]
        if slices is None:
            _read_tree(message)
        else:
            try:
                _read_slices(message, slices)
            except gate.Refused:  # an object of a file that was kept as it came: it is no XML, though it could be cut
                message.events, message.notices, message.listing, message.ends_at = [], {}, Listing(), None
                _read_tree(message)
        if message.ends_at is not None and message.listing.rest is not None:
            message.notices[message.ends_at].append(message.listing.rest)
        message.size = len(message.digests) or len(message.events)


def _recognise(claimed: Iterable[Claimed], memory: Memory) -> dict[int, list[Slice]]:
    """Hash the objects of messages that may say again what is known; give, by message, the slices that are new."""
    found: dict[int, list[Slice]] = {}
    for (zone_id, name), samples in _samples(claimed, memory).items():
        new = memory.unknown(zone_id, name, [digest for _, digests in samples for digest in digests])
        promising = [message for message, digests in samples if any(digest not in new for digest in digests)]
        for message in promising:
            message.digests = _digests(message, name)
        new = memory.unknown(zone_id, name, [digest for message in promising for digest in message.digests])
        for message in promising:
            if (slices := _with_digests(message, name, new)) is not None:
                found[message.message_id] = slices
    return found


def _samples(claimed: Iterable[Claimed], memory: Memory) -> dict[tuple[int, str], list[tuple[Claimed, list[bytes]]]]:
    """Give messages that may say again what is known, by zone and object, with two hashes each.

    Where both are new, all is taken for new, and is read: a first load should not be hashed twice.
    """
    found: dict[tuple[int, str], list[tuple[Claimed, list[bytes]]]] = defaultdict(list)
    for message in claimed:
        is_candidate = message.may_repeat and message.message_type == "SIF_Response"
        samples = cutting.samples(message.body) if is_candidate else None
        if samples and samples.name in objects() and memory.knows(message.zone_id, samples.name):
            found[message.zone_id, samples.name].append((message, content.digests(samples)))
    return found


def _digests(message: Claimed, name: str) -> list[bytes]:
    """Hash a message's objects; none where it has to be parsed, or has objects of another name too."""
    if (pieces := cutting.pieces(message.body)) is not None:
        return content.digests(pieces)
    slices = message.slices or []
    return [content.digest(cut) for cut in slices] if {cut.name for cut in slices} == {name} else []


def _with_digests(message: Claimed, name: str, wanted: AbstractSet[bytes]) -> list[Slice] | None:
    """Give the slices of a message that have some hashes; None, and no hashes, where hashes and slices do not agree."""
    if message.digests and wanted.isdisjoint(message.digests):
        return []
    slices = message.slices or []
    if len(slices) != len(message.digests) or {cut.name for cut in slices} != {name}:
        message.digests = []
        return None
    return [cut for cut, digest in zip(slices, message.digests, strict=True) if digest in wanted]


def read_again(message: Claimed, position: int) -> ObjectEvent:
    """Read an object that was known after all, and take it among the message's events."""
    if message.slices is None:
        _read_tree(message, only=position)
    else:
        _read_slices(message, [message.slices[position - 1]])
    return message.events[-1]


def _read_slices(message: Claimed, slices: list[Slice]) -> None:
    """Make events of slices: of most by their patterns, without a tree."""
    ordered_at = message.ordered_at
    for cut, found in zip(slices, content.of_slices(slices), strict=True):
        if found is None or found.image is None:
            parsed = content.of_element(gate.reopen_object(cut.text, cut.line), cut)
            event, findings = _event(message, ordered_at, cut.position, cut.action, parsed)
        else:
            event = _new_event(message, ordered_at, cut.position, cut.name, cut.action, found)
            event.row_key, findings = found.image.row_key, additions.findings(found)
        message.events.append(event)
        if findings:
            message.note(cut.position, findings)
    _note_timestamp(message)


def _read_tree(message: Claimed, only: int | None = None) -> None:
    """Make events of a message's objects, or of the one at a position."""
    ordered_at = message.ordered_at
    try:
        found = [one for one in messages.objects(gate.reopen(message.body)) if only in {None, one.position}]
    except gate.Refused:
        found = []
        event, _ = _event(message, ordered_at, 0, None, Content(SifObject, etree.Element("SIF_Message")))
        event.outcome = Outcome.REJECTED
        message.events, message.notices[0] = [event], [Notice("message_unreadable")]
    for position, action, element, notice in found:
        event, findings = _event(message, ordered_at, position, action, content.of_element(element))
        message.events.append(event)
        message.note(position, [notice, *findings] if notice else findings)
    _note_timestamp(message)


def _name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _note_timestamp(message: Claimed) -> None:
    if message.events and (found := timestamp_notices(message)):
        message.notices.setdefault(message.events[0].position, []).extend(found)


def timestamp_notices(message: Claimed) -> list[Notice]:
    """Say what is wrong with a message's SIF_Timestamp; it is said of its first object."""
    return [] if message.is_timely else [Notice("timestamp_implausible", "SIF_Header/SIF_Timestamp")]


def _event(
    message: Claimed, ordered_at: datetime, position: int, action: messages.Action | None, found: Content
) -> tuple[ObjectEvent, list[Notice]]:
    event = _new_event(message, ordered_at, position, _name(found.element), action or "", found)
    return event, _judge(event, action)


def _new_event(  # noqa: PLR0913, PLR0917 -- the event's own parts
    message: Claimed, ordered_at: datetime, position: int, name: str, action: str, found: Content
) -> ObjectEvent:
    assert message.recorded_at is not None  # noqa: S101 -- _record ran before
    return ObjectEvent(
        message.message_id, position, message.zone_id, name, None, action, ordered_at, message.recorded_at, found
    )


def _judge(event: ObjectEvent, action: messages.Action | None) -> list[Notice]:
    """Decide whether an event may take part in a fold at all, and say what is wrong with it."""
    cls, element = event.content.cls, event.element
    if cls is SifObject:
        event.outcome = Outcome.UNKNOWN
        return [Notice("object_unknown", event.object_name, element.sourceline or 0)]
    if element.tag != mapping.NAMESPACE + event.object_name:
        event.outcome = Outcome.REJECTED
        return [Notice("namespace_wrong", event.object_name, element.sourceline or 0)]
    event.row_key = mapping.row_key(cls, element)
    profile = schema.profile_for(event.action)
    found = inspection.findings(element, profile)
    if not found and event.row_key is not None and action is not None:
        return additions.findings(event.content) if profile is not schema.Profile.KEY else []
    if event.row_key is None and not _errors(found):
        found = [Notice("key_missing", event.object_name, element.sourceline or 0), *found]
    if action is None or _errors(found):
        event.outcome = Outcome.REJECTED
        return found
    return [*found, *additions.findings(event.content)] if profile is not schema.Profile.KEY else found


def _errors(notices: Iterable[Notice]) -> bool:
    return any(notice.type.severity is Severity.ERROR for notice in notices)
