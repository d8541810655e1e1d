"""The first load of a whole state: files are read once, and messages, events and rows go in together.

It leaves the warehouse as receiving and draining the same files would. An object that nothing was said of before,
valid, plainly spelled, and referring to known objects only, is what almost all of a first load is: for it there
is nothing to look up, and it is written as it stands. All others are folded as the drain folds them, in the same
transaction. What a run committed, the next one finds by the messages' identifiers and passes over.
"""

import hashlib
import multiprocessing
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.adapt import PyFormat
from psycopg.sql import SQL, Identifier, Placeholder

from sif_pipeline import zones
from sif_pipeline.boundary import without_values
from sif_pipeline.database import Connection, connect, queries, vacuum_covered
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.files import receiving
from sif_pipeline.loading import copying, drain, writing
from sif_pipeline.loading.claimed import Claimed
from sif_pipeline.loading.copying import spelled
from sif_pipeline.loading.drain import SESSION, TICK, DrainSummary, prepare
from sif_pipeline.loading.events import ObjectEvent
from sif_pipeline.loading.folding import Fold
from sif_pipeline.loading.known import KEY_BYTES, Keys, Known
from sif_pipeline.loading.statements import statements
from sif_pipeline.loading.store import DatabaseStore
from sif_pipeline.reading.core import Found, no_garbage_collection
from sif_pipeline.sif.gate import Refused
from warehouse.base import CURRENT, HISTORY, INBOX, objects
from warehouse.inbox import Outcome

BULK = queries("bulk")

SETTINGS = {**SESSION, "application_name": "sif-bulk", "synchronous_commit": "off"}
"""What the last moments before a crash committed may be lost and is loaded again; `finish` waits for the disk."""

UNIT_BYTES = 512 * 1024
UNIT_MESSAGES = 500
"""A transaction ends with the message that reaches one of these."""


@dataclass(slots=True)
class Loaded:
    """What became of some files."""

    files: int = 0
    summary: DrainSummary = field(default_factory=DrainSummary)
    held_already: int = 0  #: messages of an earlier run, or that came twice
    refused: list[tuple[Path, str]] = field(default_factory=list)  #: files that could not be read to their end, and why

    def add(self, other: "Loaded") -> None:
        """Count another zone's files in."""
        self.files += other.files
        self.summary.add(other.summary)
        self.held_already += other.held_already
        self.refused += other.refused


class Task(NamedTuple):
    """What one worker takes on: a zone with its files."""

    zone_id: int
    zone: str
    paths: list[Path]
    bytes: int  #: of all its files


Progress = Callable[[int, int], None]
"""Gets bytes done and bytes in all."""


def plan(url: str, zone: str | None, paths: Sequence[Path], *, add_zones: bool = False) -> list[Task]:
    """Say which files go into which zone, the largest zone first.

    Without `zone` each path is a folder of one subfolder or `*.xml` file for each zone, named like the zone or its
    district's code; `add_zones` makes those that are missing. Raise UnknownZone.
    """
    wanted = _by_name(paths) if zone is None else {zone: [file for path in paths for file in receiving.below(path)]}
    with connect(url, autocommit=True) as connection:
        found = _zones(connection, wanted)
        for name in [name for name in wanted if name not in found] if add_zones else ():
            zones.add(connection, name, name)
        found = _zones(connection, wanted) if add_zones else found
    if missing := sorted(wanted.keys() - found.keys()):
        raise UnknownZone(
            f"There is no zone named {missing[0]!r}, and none of a district with that code ({len(missing)} such); "
            "`sif-pipeline zone add` makes one, --add-zones all of them."
        )
    tasks = [Task(found[name], name, paths, sum(map(_size, paths))) for name, paths in wanted.items()]
    return sorted(tasks, key=lambda task: -task.bytes)


def _by_name(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Collect the files of each zone from folders: subfolders, and files, are named like their zone."""
    wanted: dict[str, list[Path]] = {}
    for path in paths:
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        for entry in inside:
            if entry.is_dir():
                wanted.setdefault(entry.name, []).extend(receiving.below(entry))
            elif entry.suffix == ".xml":
                wanted.setdefault(entry.stem, []).append(entry)
    return {name: found for name, found in wanted.items() if found}


def _zones(connection: Connection, wanted: Mapping[str, object]) -> dict[str, int]:
    """Find zones by their name or, where none has it, by the code of their district."""
    lines = connection.execute(BULK["zones"], {"names": list(wanted)}).fetchall()
    for _, name, _, is_sandbox in lines:
        if is_sandbox:
            raise ConfigurationError(f"Zone {name} is a sandbox, whose messages never reach the warehouse.")
    by_code = {code: zone_id for zone_id, _, code, _ in lines}
    return {name: z for name, z in (by_code | {name: z for z, name, *_ in lines}).items() if name in wanted}


def _size(path: Path) -> int:
    with suppress(OSError):
        return path.stat().st_size
    return 0


def load(url: str, tasks: Sequence[Task], *, workers: int = 1, progress: Progress | None = None) -> Loaded:
    """Load zones, several at a time in processes of their own, then bring the planner's statistics up to date.

    Raise ConfigurationError when a zone holds messages that are not of its files; zones loaded by then stay loaded.
    """
    total, done = sum(task.bytes for task in tasks), Loaded()
    if min(workers, len(tasks)) <= 1:
        seen = 0
        for task in tasks:
            done.add(_in_turn(url, task, seen, total, progress))
            seen += task.bytes
    else:
        for each in _in_processes(url, tasks, min(workers, len(tasks)), total, progress):
            done.add(each)
    finish(url)
    return done


def _in_turn(url: str, task: Task, seen: int, total: int, progress: Progress | None) -> Loaded:
    reached = seen

    def tell(size: int) -> None:
        nonlocal reached
        reached = min(reached + size, seen + task.bytes)
        if progress:
            progress(reached, total)

    return load_zone(url, task.zone_id, task.paths, tell)


_counter: Any = None
"""Bytes done by all workers; set in each when it starts."""


def _begin_work(counter: Any) -> None:
    global _counter  # noqa: PLW0603 -- the one thing that a worker shares, given to it once
    _counter = counter
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End a worker whose command was killed: it rolls back, and loads that when the command runs again."""
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _work(url: str, task: Task) -> Loaded:
    return load_zone_safely(url, task.zone_id, task.paths, _count_bytes)


def load_zone_safely(
    url: str, zone_id: int, paths: Sequence[Path], progress: Callable[[int], None] | None = None
) -> Loaded:
    """Load a zone; exceptions hold no value from its files, so that a task or another process may tell them."""
    with without_values():
        return load_zone(url, zone_id, paths, progress)


def _count_bytes(size: int) -> None:
    with _counter.get_lock():
        _counter.value += size


def _in_processes(
    url: str, tasks: Sequence[Task], workers: int, total: int, progress: Progress | None
) -> Iterator[Loaded]:
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    pool = ProcessPoolExecutor(workers, context, _begin_work, (counter,))
    try:
        waiting = [pool.submit(_work, url, task) for task in tasks]
        _watch(waiting, lambda: progress(min(counter.value, total), total) if progress else None)
    finally:
        pool.shutdown(cancel_futures=True)
    yield from (future.result() for future in waiting)


def _watch(waiting: Sequence[Future[Loaded]], tell: Callable[[], None]) -> None:
    """Wait until all are done, or one failed, and raise its failure."""
    while any(not future.done() for future in waiting):
        for future in waiting:
            if future.done():
                future.result()
        tell()
        time.sleep(LOOK_SECONDS)


LOOK_SECONDS = 0.2
"""Pause between two looks at the workers."""


def finish(url: str) -> None:
    """Have the planner know what is there, and the disk all of it."""
    with connect(url, {"application_name": "sif-bulk"}, autocommit=True) as connection:
        tables = connection.execute(BULK["tables"], {"schemas": [INBOX, CURRENT, HISTORY]}).fetchall()
        connection.execute(SQL("ANALYZE {}").format(SQL(", ").join(Identifier(*names) for names in tables)))
        vacuum_covered(connection, analyze=False)  # once is enough: of a table it costs more than the vacuum


class Line(NamedTuple):
    """One message as it will be kept, with its objects."""

    facts: dict[str, Any]  #: columns of inbox.message
    found: list[Found]
    file: Path


@dataclass(slots=True)
class Load:
    """The load of one zone."""

    connection: Connection
    zone_id: int
    stored: int  #: messages of the zone that this run has not come across yet
    known: Known = field(default_factory=Known)
    last_recorded_at: datetime | None = None
    is_fresh: bool = False  #: `known` is what the warehouse has
    mine: Keys = field(default_factory=Keys)  #: messages of this run, by `_mark`
    done: Loaded = field(default_factory=Loaded)


def load_zone(url: str, zone_id: int, paths: Sequence[Path], progress: Callable[[int], None] | None = None) -> Loaded:
    """Load files into an empty zone, in the order given; `progress` gets the bytes of each finished message.

    Raise ConfigurationError when the zone holds messages that are not of these files.
    """
    with connect(url, SETTINGS, autocommit=True) as connection:
        (stored,) = connection.execute(BULK["stored"], {"zone_id": zone_id}).fetchone() or (0,)
        state = Load(connection, zone_id, stored)
        units = _units(_lines(state, paths))
        while (size := _load_next(state, units)) is not None:
            if progress:
                progress(size)
        return state.done


def _load_next(load: Load, units: Iterator[list[Line]]) -> int | None:
    """Read and load a unit, and let go of it; give the bytes of its messages, None when there is none left."""
    if (unit := next(units, None)) is None:
        return None
    with load.connection.transaction(), no_garbage_collection():
        _load_unit(load, unit)
    return sum(len(line.facts["body"]) for line in unit)


def _lines(load: Load, paths: Sequence[Path]) -> Iterator[Line]:
    """Read files, one message or piece after the other; what stood before a fault in a file is given all the same."""
    for path in paths:
        load.done.files += 1
        broken: list[int] = []
        try:
            for accepted in receiving.accepted(path):
                broken += [accepted.broken_at] if accepted.broken_at else []
                yield _line(accepted, path)
                del accepted  # before the next is read: it is half of what there is room for
        except Refused as refused:
            load.done.refused.append((path, refused.sentence))
        except OSError as error:
            load.done.refused.append((path, f"The file cannot be read: {error.strerror}."))
        if broken:
            load.done.refused.append((path, receiving.unreadable(broken)))


def _line(accepted: receiving.Accepted, path: Path) -> Line:
    body_sha256 = hashlib.sha256(accepted.facts["body"]).digest()
    return Line({**accepted.facts, "body_sha256": body_sha256}, accepted.found, path)


def _units(lines: Iterable[Line]) -> Iterator[list[Line]]:
    unit: list[Line] = []
    size = 0
    for line in lines:
        unit.append(line)
        size += len(line.facts["body"])
        del line  # as in _lines: no unit stays while the next is read
        if size >= UNIT_BYTES or len(unit) == UNIT_MESSAGES:
            yield unit
            unit, size = [], 0
    if unit:
        yield unit


def _load_unit(load: Load, unit: Sequence[Line]) -> None:
    row = load.connection.execute(BULK["begin"], {"zone_id": load.zone_id}).fetchone()
    last = row[1] if row else None
    new = _new(load, unit)
    if not new:
        return
    if load.stored > 0 or load.connection.execute(BULK["is_pending"], {"zone_id": load.zone_id}).fetchone() == (True,):
        raise ConfigurationError(
            "The zone holds other messages already; bulk is for the first load of a zone. Use `sif-pipeline receive`, "
            "which takes files at any time."
        )
    if not load.is_fresh or load.last_recorded_at != last:
        load.known.read(load.connection, load.zone_id)
        load.is_fresh = True
    load.last_recorded_at, summary = last, copy(load.done.summary)
    load.known.begin()
    try:
        with load.connection.transaction():
            _store(load, new)
    except (psycopg.errors.UniqueViolation, _SaidBefore):  # of an object that nobody refers to there is a row already
        load.known.forget()
        load.last_recorded_at, load.done.summary = last, summary
        for message, line in zip(_claimed(load, new), new, strict=True):
            _drain(load, message, line)


class _SaidBefore(Exception):
    """Something was said before of an object whose keys are not kept."""


def _new(load: Load, unit: Sequence[Line]) -> list[Line]:
    """Leave out the messages that the zone has, and count one that says something else than before as refused."""
    parameters = {
        "zone_id": load.zone_id,
        "source_ids": [line.facts["source_id"] for line in unit],
        "msg_ids": [line.facts["msg_id"] for line in unit],
        "hashes": [line.facts["body_sha256"] for line in unit],
    }
    held = {(s, m): (message_id, same) for message_id, s, m, same in load.connection.execute(BULK["held"], parameters)}
    new: dict[tuple[str, str], Line] = {}
    again: list[int] = []
    for line in unit:
        identity = line.facts["source_id"], line.facts["msg_id"]
        before = new.get(identity)
        message_id, is_same = held.get(identity, (None, True))
        if not is_same or (before and before.facts["body_sha256"] != line.facts["body_sha256"]):
            load.done.refused.append((line.file, receiving.OTHER_MESSAGE))
        elif before or message_id is not None:
            load.done.held_already += 1
            if message_id is not None and _mark(identity) in load.mine:
                again.append(message_id)
            elif message_id is not None:
                load.stored -= 1
        else:
            new[identity] = line
    for identity in new:
        load.mine.add(_mark(identity))
    if again:
        load.connection.execute(receiving.FILES["count_duplicates"], {"message_ids": again})
    return list(new.values())


def _mark(identity: tuple[str, str]) -> bytes:
    """Give sixteen bytes that stand for a message's SIF_SourceId and SIF_MsgId."""
    return hashlib.blake2b("\x1f".join(identity).encode(), digest_size=KEY_BYTES).digest()


def _store(load: Load, lines: Sequence[Line]) -> None:
    """Write messages and what they say on the connection's transaction, in their order."""
    claimed = _claimed(load, lines)
    plain: list[tuple[Claimed, Line]] = []
    sorted_ = Sorted()
    for message, line in zip(claimed, lines, strict=True):
        if _says_again(load.known, line.found):
            _write(load, plain, sorted_)
            plain, sorted_ = [], Sorted()
            _drain(load, message, line)
        else:
            _record(load, message)
            _sort(load.known, message, line.found, sorted_)
            plain.append((message, line))
    _write(load, plain, sorted_)


def _claimed(load: Load, lines: Sequence[Line]) -> list[Claimed]:
    reserved = load.connection.execute(BULK["reserve"], {"messages": len(lines)}).fetchall()
    return [
        Claimed(message_id, load.zone_id, f["source_id"], f["message_type"], f["sif_timestamp"], at, None, f["body"])
        for (message_id, at), (f, *_) in zip(reserved, lines, strict=True)
    ]


def _record(load: Load, message: Claimed) -> None:
    """Give a message its recorded time, as the drain does."""
    last = load.last_recorded_at
    message.recorded_at = max(message.received_at, last + TICK) if last else message.received_at
    load.last_recorded_at = message.recorded_at


def _says_again(known: Known, found: Sequence[Found]) -> bool:
    """Tell whether a message speaks of an object that was spoken of, or twice of one: then the drain takes it whole."""
    keys = [(one.name, one.row_key) for one in found if one.row_key is not None]
    return len(set(keys)) < len(keys) or any(known.was_spoken_of(name, key) for name, key in keys)


def _drain(load: Load, message: Claimed, line: Line) -> None:
    """Store a message and have it drained on the same transaction."""
    _insert(load.connection, message, line, {"state": "pending"})
    load.done.summary.add(drain.load(load.connection, [message]))
    load.last_recorded_at = message.recorded_at
    load.known.add(message, line.found)


def _write(load: Load, messages: Sequence[tuple[Claimed, Line]], found: "Sorted") -> None:
    """Write messages and their objects: most as they stand, the others by a fold."""
    if not messages:
        return
    for message, line in messages:
        settled = {
            "state": "done", "recorded_at": message.recorded_at, "ordered_at": message.ordered_at,
            "loaded_at": datetime.now(UTC), "objects": len(line.found),
        }  # fmt: skip
        _insert(load.connection, message, line, settled)
    _write_plain(load.connection, found)
    load.done.summary.messages += len(messages)
    load.done.summary.objects += sum(len(line.found) for _, line in messages)
    load.done.summary.loaded += found.plain
    if found.special:
        _fold(load, [message for message, _ in messages], found.special)
    load.connection.execute(BULK["advance"], {"zone_id": load.zone_id, "recorded_at": load.last_recorded_at})
    ordered_at, message_id = max(message.order for message, _ in messages)
    newest = {"zone_id": load.zone_id, "ordered_at": ordered_at, "message_id": message_id}
    load.connection.execute(BULK["newest"], newest)


def _insert(connection: Connection, message: Claimed, line: Line, settled: Mapping[str, Any]) -> None:
    values = {
        **line.facts, **settled, "message_id": message.message_id, "zone_id": message.zone_id, "origin": "file",
        "received_at": message.received_at,
    }  # fmt: skip
    statement = SQL("INSERT INTO inbox.message ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
        SQL(", ").join(map(Identifier, values)),
        SQL(", ").join([Placeholder(name, PyFormat.BINARY if name == "body" else PyFormat.AUTO) for name in values]),
    )
    connection.execute(statement, values)


@dataclass(slots=True)
class Sorted:
    """Objects by what they need."""

    rows: dict[str, list[copying.Line]] = field(default_factory=lambda: defaultdict(list))  #: written as they stand
    events: list[str] = field(default_factory=list)  #: of those
    plain: int = 0  #: number of those
    special: list[ObjectEvent] = field(default_factory=list)  #: folded


def _sort(known: Known, message: Claimed, found: Sequence[Found], into: Sorted) -> None:
    """Tell objects that can be written as they stand from those that only a fold can judge."""
    assert message.recorded_at is not None  # noqa: S101 -- it was recorded
    first = found[0].position if found and not message.is_timely else None
    recorded, message_id, zone_id = spelled(message.recorded_at), str(message.message_id), str(message.zone_id)
    ordered_at = message.ordered_at
    ordered = spelled(ordered_at)
    for one in found:
        if one.position == first or not one.is_plain or not _has_all(known, one):
            _take_special(known, message, ordered_at, one, into)
            continue
        into.rows[one.name].append(writing.image_line(zone_id, one.row_key, one.content, recorded, message_id))
        into.events.append(
            f"{message_id}\t{one.position}\t{zone_id}\t{one.name}\t{one.row_key}\t{one.action}\t{ordered}\tapplied\t\\N\t\\N\n"
        )
        into.plain += 1
    if found:
        message.note_of_all(found[0].position)


def _has_all(known: Known, one: Found) -> bool:
    """Tell whether all that a plain object refers to is there and nothing waits for it; then remember it."""
    image = one.content.image
    assert image is not None  # noqa: S101 -- it is plain
    if known.is_awaited(one.name, image.row_key) or not known.knows_all(image.references):
        return False
    known.know(one.name, image.row_key)
    return True


def _take_special(known: Known, message: Claimed, ordered_at: datetime, one: Found, into: Sorted) -> None:
    event = message.event_of(one, ordered_at)
    into.special.append(event)
    if one.notices:
        message.note(one.position, one.notices)
    if one.row_key is not None and one.name in objects():
        known.speak(one.name, one.row_key)
    if one.outcome is Outcome.APPLIED:
        known.wait(event.references)


def _write_plain(connection: Connection, found: Sorted) -> None:
    with connection.cursor() as cursor:
        for name, lines in found.rows.items():
            copying.copy_lines(cursor, statements(objects()[name]).copy_current, lines)
        if found.events:
            with cursor.copy(writing.COPY_EVENTS) as target:
                target.write("".join(found.events))


def _fold(load: Load, messages: Iterable[Claimed], events: list[ObjectEvent]) -> None:
    """Fold the events that need it, as the drain does, and count what became of them."""
    store = DatabaseStore(load.connection)
    fold = Fold(store)
    prepare(store, fold, events)
    for event in events:
        if event.outcome is Outcome.APPLIED and not load.known.keeps(event.object_name) and store.head(event.key):
            raise _SaidBefore
    notices = {message.message_id: message.notices for message in messages}
    for event in events:
        fold.take(event, notices[event.message_id].get(event.position, ()))
    writing.write(load.connection, fold, events)
    for _, name, key in (state.key for state in fold.states.values() if state.known):
        load.known.know(name, key)
    _count(load, events)


def _count(load: Load, events: Iterable[ObjectEvent]) -> None:
    outcomes: dict[int, Counter[Outcome]] = defaultdict(Counter)
    for event in events:
        outcomes[event.message_id][event.outcome] += 1
    for message_id, found in outcomes.items():
        counts = {
            "held": found[Outcome.HELD],
            "rejected": found[Outcome.REJECTED] + found[Outcome.UNFIT],
            "unknown": found[Outcome.UNKNOWN],
        }
        if any(counts.values()):
            load.connection.execute(BULK["count"], {"message_id": message_id, **counts})
        load.done.summary.add(DrainSummary(**counts))
        load.done.summary.loaded += found[Outcome.APPLIED]
