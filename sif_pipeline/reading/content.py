"""The content of one object: its text as kept, and what is read from it, each once and only when it is asked for."""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from functools import cache

from lxml import etree

from sif_pipeline import notices
from sif_pipeline.notices import Notice
from sif_pipeline.reading import mapping, pattern
from sif_pipeline.reading.compiling import pattern_of
from sif_pipeline.reading.mapping import Key, Row
from sif_pipeline.reading.pattern import Image
from sif_pipeline.sif import carried, cutting, gate
from sif_pipeline.sif.cutting import XSI, Pieces, Slice
from sif_pipeline.sif.elements import NAMESPACE, local
from warehouse.base import SifObject, objects


class Content:
    """What an object is, given as its element, as a slice of a message, or as a document of the warehouse."""

    __slots__ = ("_document", "_element", "_hash", "_references", "_row", "_slice", "cls", "image")

    def __init__(
        self,
        cls: type[SifObject],
        element: etree._Element | None = None,
        *,
        cut: Slice | None = None,
        document: str | None = None,
        image: Image | None = None,
    ) -> None:
        self.cls = cls  #: the object's declaration; SifObject itself for an object that has none
        self.image = image  #: what its pattern read of it: then it is valid
        self._element, self._slice, self._document = element, cut, document
        self._hash: Key | None = None
        self._row: tuple[Row, list[Notice]] | None = None
        self._references: tuple[tuple[str, Key], ...] | None = None

    @property
    def element(self) -> etree._Element:
        """The object's element; one cut from a message has the lines of the message."""
        if self._element is None:
            if self._slice is not None:
                self._element = gate.reopen_object(self._slice.text, self._slice.line)
            else:
                self._element = etree.fromstring(self.document, _parser())
        return self._element

    @property
    def line(self) -> int:
        """The line of its message on which its start tag ends, as parsers count; 0 where that is not known."""
        if self._slice is None:
            return self.element.sourceline or 0
        start_tag = _START_TAG.match(self._slice.text)
        return self._slice.line + (start_tag[0].count("\n") if start_tag else 0)

    @property
    def document(self) -> str:
        """The object as it is kept: as cut from its message, with its namespaces, or as canonical XML."""
        if self._document is None:
            self._document = _declared(self._slice) if self._slice else mapping.document(self.element)
        return self._document

    @property
    def content_hash(self) -> Key:
        """The first sixteen bytes of the document's SHA-256."""
        if self._hash is None:
            self._hash = hashlib.sha256(self.document.encode()).hexdigest()[:32]
        return self._hash

    @property
    def row(self) -> tuple[Row, list[Notice]]:
        """The texts of the declared columns, and which values cannot be stored."""
        if self.image is not None:
            return self.image.cells, []
        if self._row is None:
            cells, unfit = mapping.row(self.cls, self.element)
            self._row = cells, notices.of_object(unfit)
        return self._row

    @property
    def extended(self) -> str | None:
        """SIF_ExtendedElements as JSON."""
        return mapping.extended(self.element) if self.image is None else self.image.extended

    @property
    def references(self) -> tuple[tuple[str, Key], ...]:
        """The collected objects it refers to: SIF object name and RefId."""
        if self._references is None:
            found = mapping.references(self.cls, self.element) if self.image is None else self.image.references
            self._references = tuple(found)
        return self._references

    def apart(self) -> "Content":
        """Give the same content without the message it came in, which would stay in memory with it."""
        if self._slice is not None or self._element is None:
            return self
        return Content(self.cls, deepcopy(self._element))

    def is_same(self, other: "Content") -> bool:
        """Tell whether two say the same, however they are spelled."""
        return self.document == other.document or mapping.document(self.element) == mapping.document(other.element)


_START_TAG = re.compile(r"""<(?:[^>"']|"[^"]*"|'[^']*')*>""")


def of_message(body: bytes) -> dict[int, Content]:
    """Read the objects of a message that once passed the gate, by position; each is parsed when it is asked for."""
    slices = cutting.cut(body)
    if slices is not None:
        return {cut.position: Content(_class(cut.name), cut=cut) for cut in slices}
    found = carried.objects(gate.reopen(body))
    return {one.position: of_element(one.element) for one in found}


def _class(name: str) -> type[SifObject]:
    return objects().get(name, SifObject)


def of_slices(slices: Sequence[Slice]) -> list[Content | None]:
    """Read valid objects by their patterns; None for each that is not valid, or has to be parsed to tell."""
    coming, declared = Counter([cut.name for cut in slices]), objects()
    patterns = {name: pattern_of(declared[name], count) for name, count in coming.items() if name in declared}
    found: list[Content | None] = []
    for cut in slices:
        known = patterns.get(cut.name)
        image = pattern.image(known, cut.text) if known is not None else None
        found.append(None if known is None or image is None else Content(known.cls, cut=cut, image=image))
    return found


def of_element(element: etree._Element, cut: Slice | None = None) -> Content:
    """Give the content of an element, which was parsed from a slice where there is one."""
    return Content(_class(local(element)), element, cut=cut)


def _declared(cut: Slice) -> str:
    """Give a slice's text with the namespaces of its message."""
    plain, with_xsi = _starts(cut.name)
    return (with_xsi if "xsi:" in cut.text else plain) + cut.text[len(cut.name) + 1 :]


@cache
def _starts(name: str) -> tuple[str, str]:
    """Give an object's start tag up to its namespaces, SIF's alone and with xsi."""
    plain = f'<{name} xmlns="{NAMESPACE}"'
    return plain, f'{plain} xmlns:xsi="{XSI}"'


def digest(cut: Slice) -> bytes:
    """Give the bytes of a slice's content_hash."""
    return hashlib.sha256(_declared(cut).encode()).digest()[:16]


def digests(pieces: Pieces) -> list[bytes]:
    """Give the same of all objects of a message at once."""
    name, parts = pieces
    plain, with_xsi = (hashlib.sha256(f"{start} ".encode()) for start in _starts(name))
    found = []
    for part in parts:
        # One character is found much faster than four, and most objects have no colon.
        hashed = with_xsi.copy() if b":" in part and b"xsi:" in part else plain.copy()
        hashed.update(part)
        found.append(hashed.digest()[:16])
    return found


@cache
def _parser() -> etree.XMLParser:
    return etree.XMLParser(resolve_entities="internal", no_network=True, remove_blank_text=True)
