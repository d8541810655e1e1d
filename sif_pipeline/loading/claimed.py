"""A claimed message: reading it by `core`, leaving out what it says again, and its object events. No SQL."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from sif_pipeline.loading.events import ObjectEvent
from sif_pipeline.notices import Listing, Notice
from sif_pipeline.reading import content, core
from sif_pipeline.reading.core import Found
from sif_pipeline.sif import cutting, gate
from sif_pipeline.sif.cutting import Slice
from warehouse.base import objects

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
    beat: Callable[[], object] = bool  #: called with every object that is parsed: that takes its time
    digests: list[bytes] = field(default_factory=list)  #: of all its objects, where some may be known
    size: int = 0  #: how many objects it has, once it is read
    unchanged: int = 0  #: how many of its objects are left out, because they say again what is known
    hashes: bytearray = field(default_factory=bytearray)  #: of these; zeros for the others
    _slices: list[Slice] | None = None
    _is_cut: bool = False

    def take(self, found: Iterable[Found]) -> None:
        """Make events of its objects, in the place of those it has, and keep what is wrong with them."""
        self.events, self.notices, self.listing, self.ends_at = [], {}, Listing(), None
        ordered_at = self.ordered_at
        for one in found:
            self.events.append(self.event_of(one, ordered_at))
            if one.content.image is None:
                self.beat()
            if one.notices:
                self.note(one.position, one.notices)
        if self.events:
            self.note_of_all(self.events[0].position)

    def event_of(self, one: Found, ordered_at: datetime) -> ObjectEvent:
        """Give the event of one of its objects; `ordered_at` is its own."""
        assert self.recorded_at is not None  # noqa: S101 -- it was recorded
        return ObjectEvent(
            self.message_id, one.position, self.zone_id, one.name, one.row_key, one.action, ordered_at,
            self.recorded_at, one.content, one.outcome,
        )  # fmt: skip

    def note(self, position: int, found: list[Notice]) -> None:
        """Keep the findings on an object as far as they are listed."""
        kept = self.listing.take(found)
        if len(kept) < len(found) and self.ends_at is None:
            self.ends_at = position
        self.notices[position] = kept

    def note_of_all(self, first: int) -> None:
        """Note what is said of a message as a whole, of its `first` object, and how many findings are not listed."""
        if self.ends_at is not None and self.listing.rest is not None:
            self.notices[self.ends_at].append(self.listing.rest)
        if not self.is_timely:
            self.notices.setdefault(first, []).append(Notice("timestamp_implausible", "SIF_Header/SIF_Timestamp"))

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


def read(claimed: Sequence[Claimed], memory: Memory | None = None) -> None:
    """Read the objects of messages and judge each by the schema; a message that cannot be read is rejected as a whole.

    What came before, to the letter, is not read, and no event: only its hash is there. Without a memory all is read.
    """
    new = _recognise(claimed, memory) if memory is not None else {}
    cuts: dict[int, list[Slice] | None] = {m.message_id: m.slices for m in claimed if m.message_id not in new}
    cuts.update(new)
    for message in claimed:
        _read(message, cuts[message.message_id])
        message.size = len(message.digests) or len(message.events)


def _read(message: Claimed, slices: Sequence[Slice] | None) -> None:
    """Make events of a message's objects as `core.read` finds them, and note what is wrong while they are found."""
    if slices is not None:
        with suppress(gate.Refused):
            message.take(core.of_slices(slices))
            return
    message.take(core.of_tree(message.body))


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
        found = next(core.of_tree(message.body, only=position))
    else:
        found = next(core.of_slices([message.slices[position - 1]]))
    event = message.event_of(found, message.ordered_at)
    message.events.append(event)
    if found.notices:
        message.note(position, found.notices)
    return event
