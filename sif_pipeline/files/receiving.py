"""Receive files: a SIF_Message, or a bare list of objects, of any size, into the same inbox as everything else."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from lxml import etree

from sif_pipeline import zones
from sif_pipeline.boundary import without_values
from sif_pipeline.database import Connection, connect, queries
from sif_pipeline.files import splitting
from sif_pipeline.files.splitting import Piece, apart, check_unpacked, ends_early, is_list, last_line, pieces
from sif_pipeline.reading import core
from sif_pipeline.sif import carried, gate, messages
from sif_pipeline.sif.envelope import open_envelope
from sif_pipeline.sif.gate import Refused
from sif_pipeline.zone import turned_away
from sif_pipeline.zone.receive import check

FILES = queries("files")

WHOLE_BYTES = 2 * 1024 * 1024
"""A message up to this size is stored byte for byte; a larger file is stored in pieces."""

BARE = "Objects"
"""Message type of a bare list of objects."""

SENDER = "file"
"""SIF_SourceId of a bare list of objects, and of a file that was refused."""

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
    broken: list[tuple[Path, str]] = field(default_factory=list)  #: stored files in which objects cannot be read


def receive(url: str, zone: str, paths: list[Path], progress: Callable[[int, int], None] | None = None) -> Received:
    """Receive files, and the `*.xml` files below folders, in the order of their names.

    Each file is stored whole or not at all; an object of a list that cannot be read is stored in a message of its own,
    and its neighbours are as good as ever. `progress` gets bytes done and bytes in all. Raise UnknownZone.
    """
    received, files = Received(), [file for path in paths for file in below(path)]
    total, done = sum(file.stat().st_size for file in files), 0
    with connect(url, {"application_name": "sif-receive"}) as connection:
        zone_id = zones.number_of(connection, zone)
        connection.commit()  # each file is a transaction of its own
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


def below(path: Path) -> Iterator[Path]:
    """Yield the `*.xml` files below a folder by name, in capitals or not, or the file itself."""
    if path.is_dir():
        yield from sorted(file for file in path.rglob("*") if file.suffix.lower() == ".xml" and file.is_file())
    else:
        yield path


def _receive_file(connection: Connection, zone_id: int, file: Path, received: Received) -> None:
    received.files += 1
    broken: list[int] = []
    try:
        with connection.transaction():
            number, held = _store_all(connection, ({"zone_id": zone_id, **line} for line in _lines(file, broken)))
            connection.execute(FILES["notify"])
    except (Refused, OSError) as error:
        refused = error if isinstance(error, Refused) else Refused(12, 1, _why(error))
        received.refused.append((file, refused.sentence))
        _note(connection, zone_id, refused)
        return
    received.messages += number - len(held)
    received.duplicates += len(held)
    if broken:
        received.broken.append((file, unreadable(broken)))
    if held:  # in a short transaction of its own: a large file must not keep the drain from its messages
        with connection.transaction():
            connection.execute(FILES["count_duplicates"], {"message_ids": held})


def _note(connection: Connection, zone_id: int, refused: Refused) -> None:
    """Note that a file was refused; where another is noting the same, the count is let go, as the server does."""
    with suppress(psycopg.errors.LockNotAvailable), connection.transaction():
        connection.execute(turned_away.SQL["hurry"])
        connection.execute(turned_away.SQL["note"], turned_away.facts(zone_id, SENDER, refused))


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


def _lines(file: Path, broken: list[int]) -> Iterator[Facts]:
    """Give what the inbox keeps of a file; `broken` gets the lines on which objects begin that cannot be read."""
    for facts, _, broken_at in accepted(file, _nothing):
        broken += [broken_at] if broken_at else []
        yield facts | {"body_sha256": hashlib.sha256(facts["body"]).digest()}


def _nothing(_: bytes) -> list[core.Found]:
    """Leave the objects of a message to the drain."""
    return []


def unreadable(lines: Sequence[int]) -> str:
    """Say which objects of a file cannot be read: the first by their lines, of the others only how many."""
    if len(lines) == 1:
        return f"The object that begins at line {lines[0]} cannot be read. All others are taken."
    named = ", ".join(map(str, lines[:LINES_NAMED]))
    more = f" and {len(lines) - LINES_NAMED} more" if len(lines) > LINES_NAMED else ""
    return f"The objects that begin at lines {named}{more} cannot be read. All others are taken."


LINES_NAMED = 10


class Accepted(NamedTuple):
    """One message, or piece of a file, that is let in."""

    facts: Facts
    found: list[core.Found]  #: what its objects are
    broken_at: int = 0  #: the line of the file on which it begins, when it is an object that cannot be read

    @property
    def lines(self) -> int:
        """What gives the line of the file when it is added to a line of the message."""
        return int(self.facts["first_line"]) - 1


def accepted(file: Path, read: Callable[[bytes], list[core.Found]] = core.read) -> Iterator[Accepted]:
    """Let a file in, and give what the inbox keeps of it: one message if it is one of ordinary size, else one a piece.

    Raise Refused where the file cannot be read on; what stood before was given. An object of a list that cannot be read
    is a message of its own, and its neighbours are given. `read` reads the objects of what is let in.
    """
    if file.stat().st_size <= WHOLE_BYTES:
        body = file.read_bytes()
        check_unpacked(body)
        if (root := _message(body)) is not None:
            yield Accepted(_line(read_message(root), body, 0) | {"first_line": 1}, read(body))
            return
    if ends_early(file):
        where = f"at line {last_line(file)}, before its list ends"
        raise Refused(1, 2, f"The file breaks off {where}; nothing of it was taken. Send it whole.")
    identity, number = _identity(file), -1
    for number, piece in enumerate(pieces(file)):
        if (root := _message(piece.text)) is not None:
            facts = _line(read_message(root), piece.text, number) | {"first_line": piece.lines + 1}
            yield Accepted(facts, read(piece.text))
        else:
            facts = {**_BARE_LINE, "msg_id": _derived(identity, number), "body": piece.text}
            yield from _of_list(facts, piece, read)
    if number < 0:
        raise Refused(1, 3, "The file holds no SIF objects.")


def _message(body: bytes) -> etree._Element | None:
    """Let a message in and give its envelope; None for a list, in which one object that is no XML refuses no other."""
    root = None if is_list(body) else open_envelope(body, core.LIMITS)
    return root if root is not None and carried.is_message(root) else None


def _of_list(facts: Facts, piece: Piece, read: Callable[[bytes], list[core.Found]]) -> Iterator[Accepted]:
    """Let a piece of a list in or, where an object in it cannot be read, its parts."""
    try:
        open_envelope(piece.text, core.LIMITS)
    except Refused as refused:
        if (parts := apart(piece.text, _is_readable)) is None:
            raise _in_file(refused, piece) from None
        for number, part in enumerate(parts):
            in_list = part.is_good or _is_well_formed(part.text)
            body = part.text if in_list else part.bare.strip()
            found = read(body) if part.is_good else core.read(body)
            first_line = (part.lines + 1 if in_list else part.line) + piece.lines
            own = {"msg_id": _derived(facts["msg_id"], number), "body": body, "first_line": first_line}
            broken_at = 0 if part.is_good or not _is_lost(found) else part.line + piece.lines
            yield Accepted(facts | own, found, broken_at)
    else:
        yield Accepted(facts | {"first_line": piece.lines + 1}, read(piece.text))


def _is_lost(found: Iterable[core.Found]) -> bool:
    """Tell an object that nobody looks into from one that is only beyond the gate's bounds: a drain reads that one."""
    return any(notice.code in _NOT_LOOKED_INTO for one in found for notice in one.notices)


_NOT_LOOKED_INTO = {"message_unreadable", "object_too_large", "object_unknown", "object_name_unknown"}


def _in_file(refused: Refused, piece: Piece) -> Refused:
    """Name the line of the file in what the gate says of a piece of it that is not well-formed."""
    splitting.check(piece)
    return refused


def _is_well_formed(body: bytes) -> bool:
    """Tell an object that is only too large from one that is no XML, of which a list would be none either."""
    try:
        gate.reopen(body)
    except Refused:
        return False
    return True


def _is_readable(body: bytes) -> bool:
    try:
        open_envelope(body, core.LIMITS)
    except Refused:
        return False
    return True


def read_message(root: etree._Element) -> messages.Message:
    """Read a file's envelope; raise Refused for what HTTP refuses, and for what carries no objects."""
    message = messages.read_message(root)
    if message.message_type not in carried.CARRIERS:
        kind = message.message_type
        raise Refused(12, 2, f"The file is a {kind}, which holds no objects; send a SIF_Event or SIF_Response.")
    check(message)
    return message


_BARE_LINE = {"source_id": SENDER, "message_type": BARE, "sif_version": None, "sif_timestamp": None}


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
