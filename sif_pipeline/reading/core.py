"""From the bytes of a message to the rows of its objects: a pure function, which knows no database and keeps no state.

It is the one way there: the drain, the bulk load, Parquet, `validate` and any other engine take what it gives. `read`
gives Python values, `arrow.batches` Arrow's.
"""

import gc
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from lxml import etree

from sif_pipeline.notices import Listing, Notice
from sif_pipeline.reading import additions, content, mapping
from sif_pipeline.reading.content import Content
from sif_pipeline.reading.mapping import Key
from sif_pipeline.sif import carried, cutting, gate, inspection, schema
from sif_pipeline.sif.cutting import Slice
from sif_pipeline.sif.elements import SIF, local
from sif_pipeline.sif.envelope import open_envelope
from sif_pipeline.sif.naming import of_the_standard
from warehouse.base import SifObject
from warehouse.inbox import Outcome

WHOLE_IMAGES = frozenset({"Add", "Response"})
"""Actions that carry everything of their object."""

LIMITS = gate.Limits(size=16 * gate.Limits().size)
"""What a piece of a file may cost: a single object may be larger than a message by HTTP."""


class Found(NamedTuple):
    """One object of a message, read and judged by the schema."""

    position: int  #: in the message, from 1; 0 stands for a message that cannot be read
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


@no_garbage_collection()
def read(body: bytes) -> list[Found]:
    """Read the objects of a message, or of a bare list, that once passed the gate, in their order.

    All are there at once, with at most a hundred findings each; `of_slices` and `of_tree` give one after the other.
    """
    slices = cutting.cut(body)
    try:
        return list(of_tree(body) if slices is None else of_slices(slices))
    except gate.Refused:  # an object of a file that was kept as it came: it is no XML, though it could be cut
        return list(of_tree(body))


def of_slices(slices: Sequence[Slice]) -> Iterator[Found]:
    """Read objects that were cut from a message: valid ones in a common spelling by their patterns, without a tree.

    Raise Refused at one that is no XML, though it could be cut: then `of_tree` has to read it all.
    """
    for cut, plain in zip(slices, content.of_slices(slices), strict=True):
        if plain is None or plain.image is None:
            parsed = content.of_element(gate.reopen_object(cut.text, cut.line), cut)
            yield _judged(cut.position, cut.action, parsed)
        else:
            key, wrong = plain.image.row_key, additions.findings(plain)
            yield Found(cut.position, cut.action, cut.name, key, plain, Outcome.APPLIED, wrong)


def of_tree(body: bytes, only: int | None = None) -> Iterator[Found]:
    """Parse a message and read its objects, or the one at a position; where it is no XML, say so in their stead."""
    try:
        found = [one for one in carried.objects(gate.reopen(body)) if only in {None, one.position}]
    except gate.Refused:
        nothing = Content(SifObject, etree.Element("SIF_Message"))
        yield Found(0, "", "SIF_Message", None, nothing, Outcome.REJECTED, [Notice("message_unreadable", _kind(body))])
        return
    for position, action, element, notice in found:
        judged = _judged(position, action, content.of_element(element))
        yield judged._replace(notices=[notice, *judged.notices]) if notice else judged


def _kind(body: bytes) -> str:
    """Name the kind of an object that was kept apart from its file because it is no XML; nothing if SIF has none."""
    found = _FIRST_TAG.match(body)
    name = found[1].decode("ascii") if found else ""
    return name if name in of_the_standard() else ""


_FIRST_TAG = re.compile(rb"\s*<([A-Za-z_]{1,64})[\s/>]")


def _judged(position: int, action: str | None, parsed: Content) -> Found:
    """Decide by the schema whether an object may take part in a fold at all, and say what is wrong with it."""
    element, key = parsed.element, None
    name = local(element)
    if parsed.cls is SifObject:
        notices = [inspection.not_collected(element)]
        outcome = Outcome.UNKNOWN if inspection.acceptable(notices) else Outcome.REJECTED
    elif element.tag != SIF + name:
        outcome, notices = Outcome.REJECTED, [Notice("namespace_wrong", name, element.sourceline or 0)]
    else:
        key = mapping.row_key(parsed.cls, element)
        outcome, notices = _by_schema(parsed, name, action, key)
    return Found(position, action or "", name, key, parsed, outcome, notices)


def _by_schema(parsed: Content, name: str, action: str | None, key: Key | None) -> tuple[Outcome, list[Notice]]:
    profile = schema.profile_for(action or "")
    notices = inspection.findings(parsed.element, profile)
    if key is None and inspection.acceptable(notices):
        notices = [Notice("key_missing", name, parsed.element.sourceline or 0), *notices]
    if action is None or not inspection.acceptable(notices):
        return Outcome.REJECTED, notices
    return Outcome.APPLIED, notices if profile is schema.Profile.KEY else [*notices, *additions.findings(parsed)]
