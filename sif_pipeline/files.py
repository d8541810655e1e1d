"""Receive files: a SIF_Message, or a bare list of objects, of any size, into the same inbox as everything else."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lxml import etree

from sif_pipeline import core
from sif_pipeline.boundary import without_values
from sif_pipeline.database import Connection, connect, queries
from sif_pipeline.exceptions import UnknownZone
from sif_pipeline.sif import gate, messages
from sif_pipeline.sif.gate import Refused
from sif_pipeline.splitting import Piece, apart, ends_early, pieces, placed_pieces
from sif_pipeline.zone.receive import CARRIERS, check

FILES = queries("files")

WHOLE_BYTES = 2 * 1024 * 1024
"""A message up to this size is stored byte for byte; a larger file is stored in pieces."""

BARE = "Objects"
"""Message type of a bare list of objects."""

Facts = dict[str, Any]
"""Columns of inbox.message that a file gives."""

OTHER_MESSAGE = "A different message with the same SIF_MsgId was received before; it was not replaced."


@dataclass(slots=True)
class Received:
    """What became of some files."""

    files: int = 0
    messages: int = 0  #: messages, or pieces of a file, that are new
    duplicates: int = 0  #: of those, held already
    refused: list[tuple[Path, str]] = field(default_factory=list)  #: files nothing was stored of, and why


def receive(url: str, zone: str, paths: list[Path], progress: Callable[[int, int], None] | None = None) -> Received:
    """Receive files, and the `*.xml` files below folders, in the order of their names.

    Each file is stored whole or not at all. `progress` gets bytes done and bytes in all. Raise UnknownZone.
    """
    received, files = Received(), [file for path in paths for file in below(path)]
    total, done = sum(file.stat().st_size for file in files), 0
    with connect(url, {"application_name": "sif-receive"}) as connection:
        zone_id = find_zone(connection, zone)
        for file in files:
            _receive_file(connection, zone_id, file, received)
            done += file.stat().st_size
            if progress:
                progress(done, total)
    return received


def receive_path(url: str, zone: str, path: Path) -> Received:
    """Receive one dropped file; exceptions hold no value from it, so that a task may log them."""
    with without_values():
        return receive(url, zone, [path])


def find_zone(connection: Connection, name: str) -> int:
    """Give a zone's number by its name; raise UnknownZone."""
    line = connection.execute(FILES["zone"], {"name": name}).fetchone()
    connection.commit()
    if line is None:
        raise UnknownZone(f"There is no zone {name!r}; `sif-pipeline status` lists the zones.")
    (zone_id,) = line
    return int(zone_id)


def below(path: Path) -> Iterator[Path]:
    """Yield the `*.xml` files below a folder by name, or the file itself."""
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*.xml") if file.is_file())
    else:
        yield path


def _receive_file(connection: Connection, zone_id: int, file: Path, received: Received) -> None:
    received.files += 1
    try:
        with connection.transaction():
            number, held = _store_all(connection, ({"zone_id": zone_id, **line} for line in _lines(file)))
            connection.execute(FILES["notify"])
    except (Refused, OSError) as error:
        received.refused.append((file, error.sentence if isinstance(error, Refused) else _why(error)))
        return
    received.messages += number - len(held)
    received.duplicates += len(held)
    if held:  # in a short transaction of its own: a large file must not keep the drain from its messages
        with connection.transaction():
            connection.execute(FILES["count_duplicates"], {"message_ids": held})


def _why(error: OSError) -> str:
    return f"The file cannot be read: {error.strerror}."


def _store_all(connection: Connection, lines: Iterable[dict[str, object]]) -> tuple[int, list[int]]:
    """Store the messages of a file; give their number and the keys of those that are held already."""
    held = [_store(connection, line) for line in lines]
    return len(held), [message_id for message_id in held if message_id is not None]


def _store(connection: Connection, line: dict[str, object]) -> int | None:
    """Store a message, or give the key under which it is held already."""
    if connection.execute(FILES["store"], line).fetchone():
        return None
    held = connection.execute(FILES["held"], line).fetchone()
    if held is None:
        raise Refused(12, 1, OTHER_MESSAGE)
    return int(held[0])


def _lines(file: Path) -> Iterator[dict[str, object]]:
    """Give what the inbox keeps of a file: one line when it is a message of ordinary size, else one a piece."""
    if file.stat().st_size <= WHOLE_BYTES:
        body = file.read_bytes()
        root = gate.open_message(body)
        if messages.is_message(root):
            yield _line(read_message(root), body, 0)
            return
    identity, number = _identity(file), -1
    for number, piece in enumerate(pieces(file)):
        root = gate.open_message(piece, gate.Limits(size=16 * gate.Limits().size))
        if messages.is_message(root):
            yield _line(read_message(root), piece, number)
        else:
            yield {**_BARE_LINE, "msg_id": _derived(identity, number), "body": piece}
    if number < 0:
        raise Refused(1, 3, "The file holds no SIF objects.")


def accepted(file: Path, broken: Callable[[int], None] | None = None) -> Iterator[tuple[Facts, list[core.Found]]]:
    """Give what the inbox keeps of a file, as receiving it does, and the objects in each message or piece.

    Raise Refused where the file cannot be read on; what stood before was given. With `broken`, which gets its line, an
    object of a large list that cannot be read is a message of its own, and its neighbours are given.
    """
    if file.stat().st_size <= WHOLE_BYTES:
        body = file.read_bytes()
        root = gate.open_message(_without_objects(body))
        if messages.is_message(root):
            yield _line(read_message(root), body, 0), core.accept(body)
            return
    elif ends_early(file):
        raise Refused(1, 2, "The file breaks off before its list ends; nothing of it was taken. Send it whole.")
    identity, number = _identity(file), -1
    for number, piece in enumerate(placed_pieces(file)):
        root = gate.open_message(_without_objects(piece.text), core.LIMITS)
        if messages.is_message(root):
            yield _line(read_message(root), piece.text, number), core.accept(piece.text)
        else:
            facts: Facts = {**_BARE_LINE, "msg_id": _derived(identity, number), "body": piece.text}
            yield from _of_list(facts, piece, broken)
    if number < 0:
        raise Refused(1, 3, "The file holds no SIF objects.")


def _of_list(
    facts: Facts, piece: Piece, broken: Callable[[int], None] | None
) -> Iterator[tuple[Facts, list[core.Found]]]:
    """Give a piece of a list or, where an object in it cannot be read, its parts."""
    try:
        yield facts, core.accept(piece.text)
    except Refused:
        parts = apart(piece.text, _is_readable) if broken else None
        if broken is None or parts is None:
            raise
        for number, part in enumerate(parts):
            if not part.is_good:
                broken(part.line + piece.lines)
            body = part.text if part.is_good or _is_well_formed(part.text) else part.bare.strip()
            found = core.accept(body) if part.is_good else core.read(body)
            yield {**facts, "msg_id": _derived(facts["msg_id"], number), "body": body}, found


def _is_well_formed(body: bytes) -> bool:
    """Tell an object that is only too large from one that is no XML, of which a list would be none either."""
    try:
        gate.reopen(body)
    except Refused:
        return False
    return True


def _is_readable(body: bytes) -> bool:
    try:
        core.accept(body)
    except Refused:
        return False
    return True


def _without_objects(body: bytes) -> bytes:
    """Take the objects out of a message whose envelope is all that is looked at; give others as they are."""
    head = _PLAIN_HEAD.match(body)
    if head is None:
        return body
    stop = body.rfind(b"</" + (head[1] or head[2]) + b">")
    return body[: head.end()] + body[stop:] if stop > head.end() else body


_PLAIN_HEAD = re.compile(
    rb"\s*(?:<(?!SIF_Message[\s>])(?=[^<]*>\s*<)(\w+)[^<>]*>"
    rb"|<SIF_Message[^<>]*>\s*<SIF_Response>(?:(?!<SIF_ObjectData)[^!?])*?<(SIF_ObjectData)>)"
)


def read_message(root: etree._Element) -> messages.Message:
    """Read a file's envelope; raise Refused for what HTTP refuses, and for what carries no objects."""
    message = messages.read_message(root)
    if message.message_type not in CARRIERS:
        kind = message.message_type
        raise Refused(12, 2, f"The file is a {kind}, which holds no objects; send a SIF_Event or SIF_Response.")
    check(message)
    return message


_BARE_LINE = {"source_id": "file", "message_type": BARE, "sif_version": None, "sif_timestamp": None}


def _line(message: messages.Message, body: bytes, number: int) -> Facts:
    return {
        "source_id": message.source_id,
        "msg_id": message.msg_id if number == 0 else _derived(message.msg_id, number),
        "message_type": message.message_type,
        "sif_version": message.version,
        "sif_timestamp": message.timestamp,
        "body": body,
    }


def _identity(file: Path) -> str:
    """Identify a bare file by where it lies, its size and its time of writing: the same file again is a duplicate.

    Its content would not do: a district that goes back to an earlier state sends the same bytes again.
    """
    facts = file.stat()
    return f"{file.resolve()}\x1f{facts.st_size}\x1f{facts.st_mtime_ns}"


def _derived(identity: str, number: int) -> str:
    return hashlib.sha256(f"{identity}\x1f{number}".encode()).hexdigest()[:32].upper()
