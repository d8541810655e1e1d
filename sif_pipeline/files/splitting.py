"""Cut a file of any size into pieces a message may have, without holding it: envelope, some objects, end of envelope.

Every piece has what the file says around its objects, such as SIF_Header and Action, and the objects unchanged.
Whether a piece is good XML is the gate's business.
"""

import codecs
import re
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, NoReturn
from xml.parsers import expat
from xml.sax.saxutils import quoteattr

from sif_pipeline.sif import gate, schema
from sif_pipeline.sif.cutting import has_more_than_tags
from sif_pipeline.sif.gate import Refused

BLOCK: Final = 256 * 1024
MOST_OBJECTS: Final = 1000
MOST_BYTES: Final = 2 * 1024 * 1024
"""A piece ends with the object that reaches one of these."""

MOST_HELD: Final = 16 * 1024 * 1024
"""Bytes of one object, or of what stands before the first: so much of a file is in memory at most."""

WRAPPERS: Final = frozenset({"SIF_ObjectData", "SIF_EventObject"})
"""Elements of the standard whose children are objects, or another wrapper."""


class Cutter:
    """Follows expat through a file and keeps the bytes that no finished piece has taken yet."""

    def __init__(self, lines: int = 0, head: int = 0) -> None:
        self.parser = expat.ParserCreate("utf-8")
        self._lines = lines  # of the file that it does not see
        self._head_ends = head  # in bytes, where that is known beforehand
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.ready: list[Piece] = []
        self._held = bytearray()
        self._offset = 0  # of the first held byte in the file
        self._lines_passed = 0  # before the first held byte
        self._open: list[str] = []  # elements open around the place, outermost first
        self._wrappers: list[bytes] = []  # start tags of the wrappers among them
        self._wrapped_from = 0  # where the outermost wrapper of the first object starts
        self._depth = sys.maxsize  # of an object, once there was one
        self._head: bytes | None = None  # what stands before all objects and their wrappers
        self._prefix = b""  # of the piece that is being collected
        self._objects = 0  # in it

    def feed(self, block: bytes, *, final: bool = False) -> None:
        """Take the next bytes of the file; finished pieces are in `ready`. Raise Refused when it is not XML."""
        self._held += block
        try:
            self.parser.Parse(block, final)
        except expat.ExpatError as error:
            raise _broken(error.lineno + self._lines) from None
        if len(self._held) > MOST_HELD:
            raise Refused(12, 1, f"An object, or what stands before the first one, has more than {MOST_HELD} bytes.")
        if final and self._objects:
            self._finish(len(self._held), [])

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) < self._depth:
            self._start_outside(name, attributes)
        self._open.append(name)

    def _start_outside(self, name: str, attributes: dict[str, str]) -> None:
        """Note what surrounds objects, and where the first one starts."""
        place = self.parser.CurrentByteIndex
        if self._is_wrapper(name):
            if not self._wrappers:
                self._wrapped_from = place
            self._wrappers.append(_start_tag(name, attributes))
        elif self._head is None and self._is_object():
            self._head = bytes(self._held[: self._wrapped_from if self._wrappers else place])
            place = self._head_ends or place
            self._head = self._head[:place]
            self._prefix = bytes(self._held[:place])
            self._depth = len(self._open) + 1
            self._drop(place)

    def _is_wrapper(self, name: str) -> bool:
        return bool(self._open) and _local(self._open[0]) == "SIF_Message" and _local(name) in WRAPPERS

    def _is_object(self) -> bool:
        if not self._open:
            return False
        in_message = _local(self._open[0]) == "SIF_Message"
        return _local(self._open[-1]) in WRAPPERS if in_message else len(self._open) == 1

    def _end(self, name: str) -> None:
        if len(self._open) <= self._depth and self._is_wrapper(name):
            self._wrappers.pop()
        elif len(self._open) == self._depth:
            self._objects += 1
            end = self._end_of_tag(name)
            if self._objects == MOST_OBJECTS or end >= MOST_BYTES:
                self._finish(end, self._open[:-1])
        self._open.pop()

    def _end_of_tag(self, name: str) -> int:
        """Give the place in the held bytes just behind an element; expat points at its end tag, or behind `/>`."""
        place = self.parser.CurrentByteIndex - self._offset
        return self._held.index(b">", place) + 1 if self._held.startswith(f"</{name}".encode(), place) else place

    def _finish(self, end: int, still_open: list[str]) -> None:
        suffix = "".join(f"</{tag}>" for tag in reversed(still_open)).encode()
        lines = self._lines + self._lines_passed - self._prefix.count(b"\n")
        self.ready.append(Piece(self._prefix + bytes(self._held[:end]) + suffix, lines))
        self._prefix = (self._head or b"") + b"".join(self._wrappers)
        self._objects = 0
        self._drop(self._offset + end)

    def _drop(self, upto: int) -> None:
        self._lines_passed += self._held.count(b"\n", 0, upto - self._offset)
        del self._held[: upto - self._offset]
        self._offset = upto


def _start_tag(name: str, attributes: dict[str, str]) -> bytes:
    spelled = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
    return f"<{name}{spelled}>".encode()


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _refuse_doctype(*_: object) -> NoReturn:
    raise Refused(1, 2, "The file has a document type declaration (DOCTYPE), which SIF does not use.")


class Piece(NamedTuple):
    """One piece of a file, and where it stood."""

    text: bytes  #: a message, or a list, of its own
    lines: int  #: added to a line number in it, this gives the line of the file


def pieces(path: Path) -> Iterator[Piece]:
    """Yield the pieces of a file of objects, in order and in UTF-8; none when it has no objects.

    Raise Refused when the file has a DOCTYPE, is in no encoding that is read or, as far as its tags were followed, not
    well-formed. Whether a piece is, the gate has to find out.
    """
    with path.open("rb") as file:
        blocks = _utf8(file)
        rest = yield from _plain_pieces(blocks)
        if rest is None:
            return
        yield from _followed(Cutter(rest.lines, rest.head), chain((rest.text,), blocks))


def check(piece: Piece) -> None:
    """Raise Refused, with the line of the file, for a piece that is not well-formed."""
    try:
        expat.ParserCreate("utf-8").Parse(piece.text, True)  # noqa: FBT003 -- pyexpat takes it by position only
    except expat.ExpatError as error:
        raise _broken(error.lineno + piece.lines) from None


def _broken(line: int) -> Refused:
    return Refused(1, 2, f"The file is not well-formed XML at line {line}.")


def _followed(cutter: Cutter, blocks: Iterable[bytes]) -> Iterator[Piece]:
    for block, final in chain(((block, False) for block in blocks), ((b"", True),)):
        cutter.feed(block, final=final)
        yield from cutter.ready
        cutter.ready.clear()


class Rest(NamedTuple):
    """What is left of a file where its tags have to be followed one by one, as if it were a file of its own."""

    text: bytes  #: the file's head, and what is read already of what follows the last finished piece
    lines: int = 0  #: how many lines of the file are not in it
    head: int = 0  #: bytes of the file's head in it, where that is known


_LIST = re.compile(rb"\s*<(?!SIF_Message[\s>])([A-Za-z_]\w*)(?:\s+[A-Za-z_][\w.:-]*=\"[^\"<]*\")*\s*>\s*(?=<)")
_NAME = re.compile(rb"\s*<([A-Za-z_][\w.-]*)[ >]")
_LONGEST_NAME = 1000
_UNFINISHED, _DOUBTFUL = 0, -1


def _plain_pieces(blocks: Iterator[bytes]) -> Generator[Piece, None, Rest | None]:
    """Yield the pieces of a bare list in which no tag needs to be followed; the same that a Cutter gives.

    Every `<` outside of comments, CDATA sections and instructions begins a tag, so an object ends with the first end
    tag of its name unless another one of that name began in it. Where another object begins before, it has no end tag,
    and ends there. From the piece on in which that is not certain the rest is given back; None where the list ends as
    it should.
    """
    held = next(blocks, b"")
    tags = _tags(held)
    if (found := _LIST.match(tags)) is None:
        return Rest(held)
    head, tail = held[: found.end()], b"</" + found[1] + b">"
    held, tags = _behind(found.end(), held, tags)
    lines, place, objects = 0, 0, 0
    while (end := _end_of_object(tags, place, found[1])) != _DOUBTFUL:
        if end == _UNFINISHED:
            if len(held) > MOST_HELD or (block := next(blocks, None)) is None:
                break
            is_plain = tags is held and not held.endswith(b"<") and not has_more_than_tags(block)
            held += block
            tags = held if is_plain else _tags(held)
            continue
        place, objects = end, objects + 1
        if objects == MOST_OBJECTS or place >= MOST_BYTES:
            yield Piece(head + held[:place] + tail, lines)
            lines += held.count(b"\n", 0, place)
            held, tags = _behind(place, held, tags)
            place, objects = 0, 0
    is_last = end == _UNFINISHED or (objects and re.compile(rb"\s*" + tail + rb"\s*").fullmatch(tags, place))
    if is_last and tags.rstrip().endswith(tail) and len(tags) == len(held):
        if (block := next(blocks, None)) is None:
            yield Piece(head + held, lines)
            return None
        held += block
    return Rest(head + held, lines, len(head))


_NO_TAG = re.compile(rb"<(?:!--|!\[CDATA\[|\?|!|\Z)")
_CLOSINGS = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}


def _behind(place: int, held: bytes, tags: bytes) -> tuple[bytes, bytes]:
    """Give what is behind a place; the two stay one where they are, so that it is in memory once."""
    left = held[place:]
    return left, left if tags is held else tags[place:]


def _tags(text: bytes) -> bytes:
    """Blank out what has no tags; it ends where something begins that is no tag and has no end yet, or is not XML's.

    The text itself where it has tags only. What has no end is looked for once, so that many such cost no more than one.
    """
    if not has_more_than_tags(text) and not text.endswith(b"<"):
        return text
    parts, place = list[bytes](), 0
    while (found := _NO_TAG.search(text, place)) is not None:
        parts.append(text[place : found.start()])
        if (place := _behind_no_tag(text, found)) < 0:
            return b"".join(parts)
        parts.append(b" " * (place - found.start()))
    return b"".join(parts) + text[place:]


def _behind_no_tag(text: bytes, begun: re.Match[bytes]) -> int:
    """Give the place behind what is no tag; -1 where it has no end, or none by XML: no `--` may stand in a comment."""
    closing = _CLOSINGS.get(begun[0])
    end = text.find(closing, begun.end()) if closing else -1
    if end < 0 or closing is None or (closing == b"-->" and text.find(b"--", begun.end()) < end):
        return -1
    return end + len(closing)


class Part(NamedTuple):
    """Objects of a piece that follow each other, or one of them that cannot be read."""

    text: bytes  #: a list of its own
    bare: bytes  #: its objects as they stand
    line: int  #: of the piece, on which it begins
    lines: int  #: added to a line number in `text`, this gives the line of the piece
    is_good: bool


class _Run(NamedTuple):
    """Where objects of a piece stand that follow each other, or one of them that cannot be read."""

    start: int
    end: int
    is_good: bool


def apart(piece: bytes, is_good: Callable[[bytes], bool]) -> list[Part] | None:
    """Take the objects that cannot be read out of a piece of a bare list; None where its objects cannot be told apart.

    None too where a list without objects is not good. `is_good` judges a list of one object or none; each once.
    """
    tags = _tags(piece)
    found = _LIST.match(tags)
    stop = tags.rfind(b"</" + found[1] + b">") if found and len(tags) == len(piece) else -1
    if found is None or stop < found.end():
        return None
    head, tail = piece[: found.end()], b"</" + found[1] + b">"
    if not is_good(head + tail):
        return None
    runs, place = list[_Run](), _past_blanks(tags, found.end())
    while place < stop:
        end = _end_of_object(tags, place, found[1]) or stop  # the last one may have no end tag
        if not place < end <= stop:
            return None
        good = is_good(head + piece[place:end] + tail)
        before = runs.pop() if good and runs and runs[-1].is_good else None
        runs.append(_Run(before.start if before else place, end, good))
        place = _past_blanks(tags, end)
    return list(_parts(piece, head, tail, runs))


def _parts(piece: bytes, head: bytes, tail: bytes, runs: Iterable[_Run]) -> Iterator[Part]:
    line, counted = 1, 0
    for start, end, is_good in runs:
        line, counted = line + piece.count(b"\n", counted, start), start
        # The head, with the lines before and in it, stands in every part.
        lines = line - 1 - head.count(b"\n")
        yield Part(head + piece[start:end] + tail, piece[start:end], line, lines, is_good)


def _past_blanks(text: bytes, place: int) -> int:
    found = _BLANKS.match(text, place)
    return found.end() if found else place


_BLANKS = re.compile(rb"\s*")


def ends_early(path: Path) -> bool:
    """Tell whether a plainly spelled list breaks off: the end tag of its root is nowhere near its end."""
    with path.open("rb") as file:
        found = _LIST.match(_tags(_MARKED.sub(b"", file.read(_HEAD_BYTES))))
        file.seek(max(0, path.stat().st_size - _HEAD_BYTES))
        return found is not None and b"</" + found[1] not in file.read()


def is_list(text: bytes) -> bool:
    """Tell a plainly spelled list; what it is not may be a message, or another list."""
    head = text[:_HEAD_BYTES]
    decoded = (head[len(mark) :].decode(encoding, "ignore") for mark, encoding in _MARKS if head.startswith(mark))
    return _LIST.match(_tags(_MARKED.sub(b"", next(decoded, "").encode() or head))) is not None


def last_line(path: Path) -> int:
    """Give the number of a file's last line."""
    with path.open("rb") as file:
        return 1 + sum(block.count(b"\n") for block in iter(lambda: file.read(BLOCK), b""))


_MARKED = re.compile(rb"^(?:\xef\xbb\xbf)?(?:<\?xml[^>]*\?>)?")
_HEAD_BYTES = 64 * 1024


def _end_of_object(held: bytes, place: int, root: bytes) -> int:
    """Give the place behind the object that begins here; _UNFINISHED where more must be read, or _DOUBTFUL.

    An end tag that ends nothing, neither an object nor the list, whose name is `root`, is a broken object of its own.
    """
    found = _NAME.match(held, place)
    if found is None:
        if (stray := _END_TAG.match(held, place)) is not None and stray[1] != root:
            return stray.end()
        rest = held[place:].lstrip()
        return _UNFINISHED if len(rest) < _LONGEST_NAME and b"</" not in rest else _DOUBTFUL
    name = found[1]
    end = held.find(b"</" + name + b">", found.end())
    if end >= 0 and not _begins_within(held, name, found.end(), end):
        return end + len(name) + 3
    if (other := _next_object(held, found, end if end >= 0 else len(held))) is not None:
        return other
    return _UNFINISHED if end < 0 else _DOUBTFUL


def _begins_within(held: bytes, name: bytes, start: int, stop: int) -> bool:
    if held.find(b"<" + name, start, stop) < 0:
        return False
    return re.compile(rb"<" + name + rb"[\s/>]").search(held, start, stop) is not None


def _next_object(held: bytes, own: re.Match[bytes], stop: int) -> int | None:
    """Give the place behind an object that is empty or, because another object begins first, has no end tag.

    What has a RefId is an object, what is called like one, and what is called as this one and has its attributes.
    No object has such an element in it by the standard, unless a district put one among SIF_ExtendedElements.
    """
    if (start_tag := _TAG.match(held, own.start(1) - 1)) is None:
        return None
    if start_tag[2].endswith(b"/"):
        return start_tag.end()
    attributes = _ATTRIBUTE.findall(start_tag[2])
    for tag in _TAG.finditer(held, start_tag.end(), stop):
        names = _ATTRIBUTE.findall(tag[2])
        if b"RefId" in names or tag[1] in _object_names() or (tag[1] == own[1] and names == attributes):
            before = held[own.start() : tag.start()]
            is_extension = before.rfind(b"<SIF_ExtendedElements") > before.rfind(b"</SIF_ExtendedElements")
            return None if is_extension else own.start() + len(before.rstrip())
    return None


@cache
def _object_names() -> frozenset[bytes]:
    return frozenset(name.encode() for name in schema.object_names())


_END_TAG = re.compile(rb"\s*</([A-Za-z_][\w.-]*)\s*>")
_TAG = re.compile(rb"<([A-Za-z_][\w.-]*)((?:\s[^<>]*)?)>")
_ATTRIBUTE = re.compile(rb"\s([A-Za-z_][\w.:-]*)\s*=")


def check_unpacked(head: bytes) -> None:
    """Raise Refused for the beginning of a file that is packed."""
    if head.startswith((b"\x1f\x8b", b"PK\x03\x04")):
        raise Refused(1, 2, "The file is packed (gzip or zip); unpack it, and send the XML that is in it.")


def _utf8(file: BinaryIO) -> Iterator[bytes]:
    """Decode by byte order mark, without the XML declaration, which would name another encoding."""
    head = file.read(BLOCK)
    check_unpacked(head)
    mark, encoding = next(
        ((mark, name) for mark, name in _MARKS if head.startswith(mark)),
        (b"", "utf-8"),
    )
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        text = decoder.decode(head[len(mark) :])
        gate.open_message(mark + f"{_declaration(text)}<x/>".encode(encoding))  # refuses what it does of a small file
        yield _undeclared(text).encode()
        while block := file.read(BLOCK):
            yield decoder.decode(block).encode()
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise Refused(
            1, 2, "The file is not in the encoding UTF-8, nor in UTF-16 with its mark; write it in UTF-8."
        ) from None


_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def _declaration(text: str) -> str:
    """Give the XML declaration, or a second byte order mark, that a text begins with."""
    found = re.match(r"\ufeff|<\?xml\s.*?\?>", text, re.DOTALL)
    return found[0] if found else ""


def _undeclared(text: str) -> str:
    declaration = _declaration(text)
    # Its line breaks stay, so that line numbers do.
    return "\n" * declaration.count("\n") + text.removeprefix(declaration)
