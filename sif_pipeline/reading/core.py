"""From the bytes of a message to the rows of its objects: a pure function, which knows no database and keeps no state.

COPY, Parquet and any other engine take what it gives. `read` gives Python values, `arrow.batches` Arrow's.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from sif_pipeline.loading import claimed
from sif_pipeline.loading.claimed import Claimed, no_garbage_collection
from sif_pipeline.notices import Listing, Notice
from sif_pipeline.reading import additions, content
from sif_pipeline.reading.content import Content
from sif_pipeline.reading.mapping import Key
from sif_pipeline.sif import cutting, gate, schema
from sif_pipeline.sif.cutting import XSI, Slice
from sif_pipeline.sif.envelope import open_envelope
from sif_pipeline.sif.messages import NAMESPACE
from warehouse.inbox import Outcome

WHOLE_IMAGES = frozenset({"Add", "Response"})
"""Actions that carry everything of their object."""

LIMITS = gate.Limits(size=16 * gate.Limits().size)
"""What a piece of a file may cost: a single object may be larger than a message by HTTP."""


class Found(NamedTuple):
    """One object of a message, read and judged by the schema."""

    position: int  #: in the message, from 1
    action: str  #: Add, Change, Delete or Response; empty where the message says none of them
    name: str  #: of its element
    row_key: Key | None  #: None where it has no key that can be used
    content: Content  #: its columns, references, extended elements, document and content hash
    outcome: Outcome  #: APPLIED where it may take part in a fold, REJECTED or UNKNOWN where not
    notices: list[Notice]

    @property
    def is_plain(self) -> bool:
        """Whether it is a valid whole image in the common spelling: nothing needs to be said of it."""
        return self.content.image is not None and self.outcome is Outcome.APPLIED and not self.notices


def accept(body: bytes) -> list[Found]:
    """Let bytes from outside in, and read their objects; raise Refused as the gate does."""
    open_envelope(body, LIMITS)
    return read(body)


def findings(found: Iterable[Found]) -> Iterator[tuple[Found, Notice]]:
    """Yield what is wrong with the objects of one message, as far as the warehouse lists it, and the count of the rest.

    It is what a drain finds by schema and key, and of sound objects by the columns they are to fill.
    """
    listing, last = Listing(), None
    for one in found:
        for notice in (*one.notices, *_unfit(one)):
            if listing.takes(notice):
                yield one, notice
            else:
                last = last or one
    if last is not None and listing.rest is not None:
        yield last, listing.rest


def _unfit(one: Found) -> list[Notice]:
    """Say which values of a sound object cannot be stored; a Change may leave out what its object has already."""
    profile = schema.profile_for(one.action)
    if one.outcome is not Outcome.APPLIED or profile is schema.Profile.KEY:
        return []
    notices = one.content.row[1]
    return notices if profile is schema.Profile.WHOLE else [n for n in notices if n.code != "element_missing"]


@no_garbage_collection()
def read(body: bytes) -> list[Found]:
    """Read the objects of a message, or of a bare list, that once passed the gate, in their order."""
    slices = cutting.cut(body)
    if slices is None:
        return _of_reading(body)
    try:
        return _of_slices(slices)
    except gate.Refused:  # an object of a file that was kept as it came: it is no XML, though it could be cut
        return _of_reading(body)


def _of_slices(slices: Sequence[Slice]) -> list[Found]:
    plain = content.of_slices(slices)
    doubtful = [cut for cut, found in zip(slices, plain, strict=True) if found is None]
    judged = iter(_judged(doubtful) if doubtful else ())
    return [
        next(judged)
        if found is None or found.image is None
        else Found(
            cut.position, cut.action, cut.name, found.image.row_key, found, Outcome.APPLIED, additions.findings(found)
        )
        for cut, found in zip(slices, plain, strict=True)
    ]


def _judged(slices: Sequence[Slice]) -> Iterator[Found]:
    """Have objects that are not plain read as a message of their own, on the lines where they stood."""
    text, line = _HEAD, 1
    for cut in slices:
        text += "\n" * (cut.line - line) + cut.text
        line = max(cut.line, line) + cut.text.count("\n")
    judged = _of_reading(f"{text}{_TAIL}".encode())
    if judged[0].position == 0:  # stands for all of a message that cannot be read
        raise gate.Refused(1, 2, "An object is not well-formed XML.")
    for found, cut in zip(judged, slices, strict=True):
        yield found._replace(position=cut.position, action=cut.action)


_HEAD = (
    f'<SIF_Message xmlns="{NAMESPACE}" xmlns:xsi="{XSI}" Version="2.7"><SIF_Response><SIF_Header></SIF_Header>'
    "<SIF_ObjectData>"
)
_TAIL = "</SIF_ObjectData></SIF_Response></SIF_Message>"


def _of_reading(body: bytes) -> list[Found]:
    message = Claimed(0, 0, "", "Objects", None, _ANY_TIME, _ANY_TIME, body)
    claimed.read([message])
    return [
        Found(
            event.position,
            event.action,
            event.object_name,
            event.row_key,
            event.content,
            event.outcome,
            list(message.notices.get(event.position, ())),
        )
        for event in message.events
    ]


_ANY_TIME = datetime(2000, 1, 1, tzinfo=UTC)
"""A message without a time of its own reads the same at any."""
