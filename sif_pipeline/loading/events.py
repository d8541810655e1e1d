"""What a fold is about: object events, what was known before them, and what they change."""

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from lxml import etree

from sif_pipeline.notices import Notice
from sif_pipeline.reading.content import Content
from sif_pipeline.reading.core import WHOLE_IMAGES
from sif_pipeline.reading.mapping import Key
from warehouse.base import SifObject
from warehouse.inbox import Outcome

ObjectKey = tuple[int, str, Key]
"""Zone, SIF object name and row key: what identifies an object in the warehouse."""

Order = tuple[datetime, int, int]
"""Place of an event in the fold: ordered_at, message_id, position."""


@dataclass(slots=True, eq=False)
class ObjectEvent:
    """One object in one message, read and judged by the schema."""

    message_id: int
    position: int
    zone_id: int
    object_name: str
    row_key: Key | None
    action: str  #: Add, Change, Delete or Response
    ordered_at: datetime
    recorded_at: datetime
    source: Content | Callable[[], Content]  #: the object, or how to read it again
    outcome: Outcome = Outcome.APPLIED
    waiting: tuple[str, Key] | None = None  #: the object a held event waits for
    has_warnings: bool = False  #: the same image again would be warned about again
    earlier: tuple[Outcome, tuple[str, Key] | None] | None = None  #: as stored, when it is of an earlier batch
    _references: tuple[tuple[str, Key], ...] | None = None

    @property
    def content(self) -> Content:
        """The object. That of an earlier batch is read anew each time: it would keep its whole message in memory."""
        return self.source if isinstance(self.source, Content) else self.source()

    @property
    def element(self) -> etree._Element:
        """The object's element."""
        return self.content.element

    @property
    def has_image(self) -> bool:
        """Whether it is a valid whole image all of whose values can be stored."""
        return self.outcome is Outcome.APPLIED and self.action in WHOLE_IMAGES and not self.content.row[1]

    @property
    def is_certain(self) -> bool:
        """Whether it says everything of its object and is applied: what other events said before no longer matters."""
        return self.outcome is Outcome.APPLIED and self.action != "Change"

    @property
    def order(self) -> Order:
        """Place in the fold of its object."""
        return self.ordered_at, self.message_id, self.position

    @property
    def key(self) -> ObjectKey:
        """The object it is about; only an event with a row key takes part in a fold."""
        assert self.row_key is not None  # noqa: S101 -- events without a key never reach the fold
        return self.zone_id, self.object_name, self.row_key

    @property
    def references(self) -> tuple[tuple[str, Key], ...]:
        """The collected objects it refers to, SIF object name and RefId; none for a Delete. Read once."""
        if self._references is None:
            self._references = self.content.references if self.action != "Delete" else ()
        return self._references


@dataclass(slots=True)
class Finding:
    """A notice with the event it is about."""

    event: ObjectEvent
    notice: Notice
    recorded_at: datetime
    resolved_at: datetime | None = None


class Version(NamedTuple):
    """What an object was from one recorded time on; no document means that it was not there."""

    recorded_from: datetime
    message_id: int
    document: str | None
    content_hash: Key | None = None
    cells: tuple[str | None, ...] = ()
    extended: str | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of an object from earlier batches without reading its events."""

    last: Order  #: the latest event that takes part in its fold
    unsettled: bool  #: some event is held or unfit, so that the next one needs the whole fold
    known: bool  #: a whole image was applied once, so that others may refer to it


class OpenFinding(NamedTuple):
    """An open finding of an earlier batch."""

    message_id: int
    position: int
    severity: str
    path: str
    recorded_at: datetime
    of_sync: bool  #: a full sync made it, no message: whether the same image may come again does not hang on it


class Store(Protocol):
    """What was known before this batch."""

    def head(self, key: ObjectKey) -> Head | None:
        """Give the head of an object; None when no earlier event takes part in its fold."""

    def content_hash(self, key: ObjectKey) -> Key | None:
        """Give the hash of an object's current document; None when it has no current row."""

    def document(self, key: ObjectKey) -> str:
        """Give an object's current document; it has one when it has a content hash."""

    def events(self, key: ObjectKey) -> list[ObjectEvent]:
        """Read the earlier events that take part in an object's fold, `earlier` filled in, in any order."""

    def missing(self, keys: Collection[ObjectKey]) -> set[ObjectKey]:
        """Say which objects others may not refer to yet."""

    def waiting(self, key: ObjectKey) -> AbstractSet[ObjectKey]:
        """Find the objects with earlier events that wait for this one."""

    def is_repeatable(self, key: ObjectKey) -> bool:
        """Tell whether the image of an object's current row may come again and change nothing."""

    def is_new(self, key: ObjectKey) -> bool:
        """Tell whether nothing is known of an object: no head, no findings, and nothing that waits for it."""

    def findings(self, key: ObjectKey) -> list["OpenFinding"]:
        """Give the open findings that earlier batches left on an object."""

    def gather(self, keys: Sequence[ObjectKey]) -> Iterator[ObjectKey]:
        """Yield keys in their order, each with its earlier events at hand: they are about to be folded whole."""


@dataclass(slots=True)
class ObjectState:
    """An object while a batch is folded."""

    key: ObjectKey
    cls: type[SifObject]
    last: Order | None = None
    unsettled: bool = False
    known: bool = False
    stored: Key | None = None  #: content hash of the current row before this batch; None when there was none
    content_hash: Key | None = None  #: of the current version; None when the object is not there
    content: Content | None = None  #: the current version, when at hand
    was_repeatable: bool = False  #: the same of the current row before this batch
    latest: ObjectEvent | None = None  #: the last event that takes part, when a fold of this batch saw it
    image: Key | None = None  #: hash of that event's content, where the fold had it at hand and it is a whole image
    had_events: bool = False  #: earlier batches had events of this object
    had_findings: bool = False  #: earlier batches left open findings on it, perhaps by a rejected event
    open: list[OpenFinding] = field(default_factory=list)  #: of those, what is open still
    events: list[ObjectEvent] = field(default_factory=list)  #: of this batch
    versions: list[Version] = field(default_factory=list)  #: made by this batch
    findings: list[Finding] = field(default_factory=list)  #: open, made by this batch


@dataclass(frozen=True, slots=True)
class Resolution:
    """From `recorded_at` on, earlier findings on an object no longer hold: all, or those below some elements."""

    event: ObjectEvent  #: applied; of its own findings only the warnings still hold
    recorded_at: datetime
    elements: tuple[str, ...] | None  #: children and @attributes of the object a Change brought; None for all


@dataclass(frozen=True, slots=True)
class OutcomeChange:
    """What an event's outcome was before the message recorded at `recorded_at` changed it."""

    event: ObjectEvent
    recorded_at: datetime
    outcome: Outcome
    waiting: tuple[str, Key] | None
