"""The warehouse as the fold sees it (DatabaseStore), and writing down what a fold changed."""

import struct
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import cache, lru_cache, partial
from itertools import chain, islice
from typing import NamedTuple, TypeVar

from psycopg import Cursor
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier, Literal

from sif_pipeline.database import Connection, queries
from sif_pipeline.loading.folding import (
    Fold,
    Head,
    ObjectEvent,
    ObjectKey,
    ObjectState,
    OpenFinding,
    OutcomeChange,
    Version,
    changed,
    is_repeatable,
)
from sif_pipeline.reading import content, mapping
from sif_pipeline.reading.content import Content
from sif_pipeline.reading.mapping import Key
from warehouse.base import CURRENT, HISTORY, SifObject, objects
from warehouse.inbox import Outcome

INBOX = queries("inbox")

T = TypeVar("T")

Line = tuple[str | None, ...]
"""What COPY takes: the texts of a row's cells, in PostgreSQL's input form."""

MESSAGES_KEPT = 8
"""Messages kept while late events are folded again: neighbours tend to share a message."""

COPIES_KEPT = 5000
"""Objects kept, each on its own, while held events are released."""


class DatabaseStore:
    """Answers the fold from the warehouse, fetching for a whole batch at once what the batch will ask."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.adapters.register_dumper(Array, ArrayDumper)
        self._heads: dict[ObjectKey, Head | None] = {}
        self._hashes: dict[ObjectKey, Key | None] = {}
        self._documents: dict[ObjectKey, str] = {}
        self._waiting: dict[ObjectKey, frozenset[ObjectKey]] = {}
        self._repeatable: set[ObjectKey] = set()
        self._new: AbstractSet[ObjectKey] = frozenset()  # objects of the batch of which nothing is known
        self._names: dict[tuple[int, str], bool] = {}  # by zone and object: whether there is any of these
        self._findings: dict[ObjectKey, list[OpenFinding]] = {}
        self._messages: OrderedDict[int, dict[int, Content]] = OrderedDict()
        self._copies: dict[tuple[int, int], Content] = {}
        self._anything_held = self._anything_open = True  # earlier events that wait, earlier findings, in these zones

    def prepare(
        self, keys: AbstractSet[ObjectKey], whole: Mapping[ObjectKey, Content], sparse: Collection[ObjectKey]
    ) -> None:
        """Fetch what is known of a batch's objects.

        `whole` images, here the last of each object, may release others; `sparse` ones are changed.
        """
        zone_ids = list({key[0] for key in keys})
        self._anything_held, self._anything_open = _one(
            self.connection.execute(INBOX["unsettled"], {"zone_ids": zone_ids})
        )
        self._fetch_waiting(whole)
        children = {child for found in self._waiting.values() for child in found}
        together = {*keys, *children} if children else keys
        self._fetch_heads(together)
        self._fetch_findings(together)
        stored = {key for key, head in self._heads.items() if head is not None}
        apart = {key for of in (self._waiting, self._findings) for key, found in of.items() if found}
        self._new = keys - stored - apart
        if stored:
            self._fetch_hashes(stored)
            differing = (key for key, content in whole.items() if self._differs(key, content))
            self._fetch_documents({key for key in (*sparse, *differing) if self._hashes.get(key) is not None})

    def _differs(self, key: ObjectKey, content: Content) -> bool:
        stored = self._hashes.get(key)
        return stored is not None and stored != content.content_hash

    def head(self, key: ObjectKey) -> Head | None:
        """Give the head of an object; None when no earlier event takes part in its fold."""
        if key not in self._heads:
            self._fetch_heads([key])
        return self._heads[key]

    def content_hash(self, key: ObjectKey) -> Key | None:
        """Give the hash of an object's current document; None when it has no current row."""
        if key not in self._hashes:
            self._fetch_hashes([key])
        return self._hashes[key]

    def document(self, key: ObjectKey) -> str:
        """Give an object's current document."""
        if key not in self._documents:
            self._fetch_documents([key])
        return self._documents[key]

    def missing(self, keys: Collection[ObjectKey]) -> set[ObjectKey]:
        """Say which objects others may not refer to yet: no whole image of them was applied. Few, as a rule."""
        if not keys:
            return set()
        return {(z, name, key) for z, name, key in self.connection.execute(INBOX["missing"], _columns(keys))}

    def waiting(self, key: ObjectKey) -> frozenset[ObjectKey]:
        """Find the objects with earlier events that wait for this one."""
        if key not in self._waiting:
            self._fetch_waiting([key])
        return self._waiting[key]

    def is_repeatable(self, key: ObjectKey) -> bool:
        """Tell whether the image of an object's current row may come again and change nothing."""
        return self.content_hash(key) is not None and key in self._repeatable

    def is_new(self, key: ObjectKey) -> bool:
        """Tell whether nothing is known of an object: no head, no findings, and nothing that waits for it."""
        return key in self._new

    def findings(self, key: ObjectKey) -> list[OpenFinding]:
        """Give the open findings that earlier batches left on an object."""
        if not self._anything_open:
            return []
        if key not in self._findings:
            self._fetch_findings([key])
        return self._findings[key]

    def unknown(self, zone_id: int, name: str, digests: Sequence[bytes]) -> AbstractSet[bytes]:
        """Give those of some hashes that no current image of an object has that may come again."""
        if not digests:
            return set()
        parameters = {"zone_id": zone_id, "object_name": name, "hashes": hashes(digests)}
        found = self.connection.execute(statements(objects()[name]).unknown, parameters, binary=True)
        return {digest for (digest,) in found}

    def knows(self, zone_id: int, name: str) -> bool:
        """Tell whether a zone has any image of an object that may come again."""
        if (zone_id, name) not in self._names:
            found = self.connection.execute(statements(objects()[name]).any_repeatable, {"zone_id": zone_id})
            self._names[zone_id, name] = found.fetchone() == (True,)
        return self._names[zone_id, name]

    def events(self, key: ObjectKey) -> list[ObjectEvent]:
        """Read the earlier events that take part in an object's fold."""
        zone_id, name, row_key = key
        found = self.connection.execute(
            INBOX["events"], {"zone_id": zone_id, "object_name": name, "row_key": row_key}
        ).fetchall()
        return [self._event(key, *line) for line in found]

    def _event(  # noqa: PLR0913, PLR0917 -- one column each, in the order of the query
        self, key: ObjectKey, message_id: int, position: int, action: str, ordered_at: datetime, outcome: str,
        waiting_object: str | None, waiting_key: Key | None, recorded_at: datetime,
        has_warnings: bool,  # noqa: FBT001 -- a column
    ) -> ObjectEvent:  # fmt: skip
        waiting = (waiting_object, waiting_key) if waiting_object and waiting_key else None
        return ObjectEvent(
            message_id, position, *key, action, ordered_at, recorded_at,
            partial(self._content, message_id, position),
            outcome=Outcome(outcome), waiting=waiting, has_warnings=has_warnings,
            earlier=(Outcome(outcome), waiting),
        )  # fmt: skip

    def gather(self, keys: Sequence[ObjectKey]) -> Iterator[ObjectKey]:
        """Yield keys in their order, each with its earlier events' elements at hand, some thousand at a time.

        Every message is read once for all of them: children that waited for one parent lie in many messages.
        """
        places = self._places(keys)
        for chunk in _chunks(keys, places):
            wanted: dict[int, list[int]] = defaultdict(list)
            for key in chunk:
                for message_id, position in places.get(key, ()):
                    wanted[message_id].append(position)
            for message_id, positions in sorted(wanted.items()):
                found = content.of_message(self._body(message_id))
                self._copies.update({(message_id, position): found[position].apart() for position in positions})
            yield from chunk
            for message_id, positions in wanted.items():  # only these: a release within this one has its own
                for position in positions:
                    self._copies.pop((message_id, position), None)

    def _places(self, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[tuple[int, int]]]:
        places: dict[ObjectKey, list[tuple[int, int]]] = defaultdict(list)
        for zone_id, name, key, message_id, position in self.connection.execute(INBOX["places"], _columns(keys)):
            places[zone_id, name, key].append((message_id, position))
        return places

    def _content(self, message_id: int, position: int) -> Content:
        copy = self._copies.get((message_id, position))
        return self._message(message_id)[position] if copy is None else copy

    def _body(self, message_id: int) -> bytes:
        (body,) = _one(self.connection.execute(INBOX["body"], {"message_id": message_id}, binary=True))
        return bytes(body)

    def _message(self, message_id: int) -> dict[int, Content]:
        if message_id in self._messages:
            self._messages.move_to_end(message_id)
            return self._messages[message_id]
        self._messages[message_id] = content.of_message(self._body(message_id))
        if len(self._messages) > MESSAGES_KEPT:
            self._messages.popitem(last=False)
        return self._messages[message_id]

    def _fetch_heads(self, keys: Collection[ObjectKey]) -> None:
        self._heads.update(dict.fromkeys(keys))
        for zone_id, name, key, ordered_at, message_id, position, unsettled, known in self.connection.execute(
            INBOX["heads"], _columns(keys)
        ):
            self._heads[zone_id, name, key] = Head((ordered_at, message_id, position), unsettled, known)

    def _fetch_waiting(self, keys: Collection[ObjectKey]) -> None:
        self._waiting.update(dict.fromkeys(keys, frozenset()))
        if keys and self._anything_held:
            for z, name, key, child_name, child_key in self.connection.execute(INBOX["waiting"], _columns(keys)):
                self._waiting[z, name, key] |= {(z, child_name, child_key)}

    def _fetch_findings(self, keys: Collection[ObjectKey]) -> None:
        if keys and self._anything_open:
            self._findings.update({key: [] for key in keys})
            for zone_id, name, key, *finding in self.connection.execute(INBOX["open_findings"], _columns(keys)):
                self._findings[zone_id, name, key].append(OpenFinding(*finding))

    def _fetch_hashes(self, keys: Collection[ObjectKey]) -> None:
        self._hashes.update(dict.fromkeys(keys))
        for name, of_kind in _by_name(keys).items():
            found = self.connection.execute(statements(objects()[name]).hashes, _columns(of_kind))
            for zone_id, key, hashed, repeatable in found:
                self._hashes[zone_id, name, key] = hashed
                if repeatable:
                    self._repeatable.add((zone_id, name, key))

    def _fetch_documents(self, keys: Collection[ObjectKey]) -> None:
        for name, of_kind in _by_name(keys).items():
            for zone_id, key, text in self.connection.execute(statements(objects()[name]).documents, _columns(of_kind)):
                self._documents[zone_id, name, key] = text


class Array(NamedTuple):
    """An array on its way to PostgreSQL in binary: of many numbers and keys it reads that in a fraction of the time."""

    oid: int  #: type of the elements
    size: int
    elements: bytes  #: length and value of each


class ArrayDumper(Dumper):
    """Writes an array of one dimension as PostgreSQL does; the query says by a cast of what type it is."""

    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        """Write dimensions, nulls, type of the elements, number and first index, and then the elements."""
        return struct.pack(">iiIii", 1, 0, obj.oid, obj.size, 1) + obj.elements


INT4, TEXT, UUID = 23, 25, 2950
"""PostgreSQL's types of the elements."""


def _uuids(digits: Collection[str]) -> Array:
    """Give an array of uuid, 32 hexadecimal digits each."""
    return Array(UUID, len(digits), bytes.fromhex("00000010".join(["", *digits])))


def hashes(digests: Collection[bytes]) -> Array:
    """Give the same of 16 bytes each."""
    return Array(UUID, len(digests), b"\0\0\0\x10".join([b"", *digests]))


@lru_cache(maxsize=1024)
def _int4(number: int) -> bytes:
    return struct.pack(">ii", 4, number)


@lru_cache(maxsize=1024)
def _text(name: str) -> bytes:
    encoded = name.encode()
    return struct.pack(">i", len(encoded)) + encoded


class Statements:
    """The SQL of one declared object, composed once from its table."""

    def __init__(self, cls: type[SifObject]) -> None:
        current, history = Identifier(CURRENT, cls.__tablename__), Identifier(HISTORY, cls.__tablename__)
        columns = _names("zone_id", "row_key", *mapping.plan(cls).columns, *VERSION_COLUMNS)
        keys = SQL("unnest(%(zone_ids)s::int[], %(keys)s::uuid[]) AS k (zone_id, row_key)")
        select = SQL("SELECT t.zone_id, t.row_key, {what} FROM {table} AS t JOIN {keys} USING (zone_id, row_key)")
        hashed = SQL("t.content_hash")
        self.hashes = select.format(what=SQL("t.content_hash, t.repeatable"), table=current, keys=keys)
        self.all_hashes = SQL(" UNION ALL ").join(
            select.format(what=hashed, table=table, keys=keys) for table in (current, history)
        )
        self.documents = select.format(what=SQL("t.document"), table=current, keys=keys)
        self.any_repeatable = ANY_REPEATABLE.format(current=current)
        self.unknown = UNKNOWN.format(current=current)
        self.mark = MARK.format(current=current)
        self.copy_current = SQL("COPY {} ({}, repeatable) {}").format(current, columns, FROM_LINES)
        self.copy_history = SQL("COPY {} ({}, recorded_to) {}").format(history, columns, FROM_LINES)
        self.close = _close(current, history, mapping.plan(cls).columns)


ANY_REPEATABLE = SQL("SELECT EXISTS (SELECT FROM {current} WHERE zone_id = %(zone_id)s AND repeatable)")

UNKNOWN = SQL(
    """
    WITH known AS MATERIALIZED (
        SELECT t.content_hash
        FROM {current} AS t
        WHERE t.zone_id = %(zone_id)s AND t.repeatable AND t.content_hash = ANY((SELECT %(hashes)s::uuid[])::uuid[])
            AND t.content_hash NOT IN (
                SELECT c.content_hash
                FROM inbox.notice AS n
                CROSS JOIN LATERAL (
                    SELECT content_hash FROM {current} WHERE zone_id = n.zone_id AND row_key = n.row_key LIMIT 1
                ) AS c
                WHERE n.zone_id = %(zone_id)s AND n.object_name = %(object_name)s AND n.row_key IS NOT NULL
                    AND n.resolved_at IS NULL AND starts_with(n.code, 'sync_')
            )
    )
    SELECT uuid_send(h.content_hash)
    FROM unnest(%(hashes)s::uuid[]) AS h (content_hash)
    WHERE (SELECT count(*) FROM known) < cardinality(%(hashes)s::uuid[])
        AND h.content_hash NOT IN (SELECT content_hash FROM known)
    """
)
"""An image ends what a full sync found on its object, so that it must be read. The hashes are looked up in one walk
along the index, which has all that is asked of the rows; of an array that it does not see, the planner expects so few
that it thinks of nothing else, whatever the size of the table. On most nights all are found, and that ends it."""

MARK = SQL(
    """
    UPDATE {current} AS t
    SET repeatable = m.repeatable
    FROM unnest(%(zone_ids)s::int[], %(keys)s::uuid[], %(repeatable)s::boolean[]) AS m (zone_id, row_key, repeatable)
    WHERE t.zone_id = m.zone_id AND t.row_key = m.row_key
    """
)

VERSION_COLUMNS = ("recorded_from", "message_id", "content_hash", "extended", "document")


def _close(current: Identifier, history: Identifier, declared: Sequence[str]) -> Composed:
    names = ("zone_id", "row_key", *declared, *VERSION_COLUMNS)
    return SQL(
        """
        WITH closing AS (
            SELECT *
            FROM unnest(%(zone_ids)s::int[], %(keys)s::uuid[], %(recorded)s::timestamptz[])
                AS c (zone_id, row_key, recorded_to)
        ), closed AS (
            DELETE FROM {current} AS t USING closing AS c
            WHERE t.zone_id = c.zone_id AND t.row_key = c.row_key
            RETURNING {of_current}, c.recorded_to
        )
        INSERT INTO {history} ({names}, recorded_to) SELECT * FROM closed
        """
    ).format(
        current=current,
        history=history,
        names=_names(*names),
        of_current=SQL(", ").join(SQL("t.{}").format(Identifier(name)) for name in names),
    )


def _names(*names: str) -> Composed:
    return SQL(", ").join(Identifier(name) for name in names)


@cache
def statements(cls: type[SifObject]) -> Statements:
    """Give the SQL of a declared object."""
    return Statements(cls)


def write(connection: Connection, fold: Fold, events: Sequence[ObjectEvent]) -> None:
    """Write down what a fold changed: versions, events, earlier events' new outcomes, findings."""
    by_name: dict[str, tuple[list[ObjectState], list[ObjectEvent]]] = defaultdict(lambda: ([], []))
    for state in changed(fold.states):
        by_name[state.key[1]][0].append(state)
    for event in fold.firsts.values():
        by_name[event.object_name][1].append(event)
    with connection.cursor() as cursor:
        for name, (states, firsts) in by_name.items():
            _write_versions(cursor, statements(objects()[name]), states, firsts)
        _mark_repeatable(cursor, fold)
        if kept := [event for event in events if event.outcome is not Outcome.UNCHANGED]:
            _copy(cursor, COPY_EVENTS, kept, _event_text)
        _revise(cursor, fold)
        _write_findings(cursor, fold)


def _write_versions(
    cursor: Cursor[TupleRow], sql: Statements, states: Sequence[ObjectState], firsts: Sequence[ObjectEvent]
) -> None:
    if closing := [state for state in states if state.stored is not None]:
        parameters = _columns([state.key for state in closing])
        cursor.execute(sql.close, {**parameters, "recorded": [s.versions[0].recorded_from for s in closing]})
    if past := [line for state in states for line in _closed(state)]:
        copy_lines(cursor, sql.copy_history, past)
    if firsts or any(state.versions[-1].document is not None for state in states):
        copy_lines(cursor, sql.copy_current, current_lines(states, firsts))


def current_lines(states: Iterable[ObjectState], firsts: Iterable[ObjectEvent]) -> Iterable[Line]:
    """Spell the current rows of objects with new versions, and of those that are nothing but their first event.

    The former at once, because a flag may ask the database, which hears of nothing else as long as COPY goes on.
    """
    lines = [_cells(s.key, s.versions[-1], _flag(s)) for s in states if s.versions[-1].document is not None]
    return chain(lines, map(_first_line, firsts))


def _first_line(event: ObjectEvent) -> Line:
    moment = _moment(event.recorded_at)
    return image_line(str(event.zone_id), event.row_key, event.content, moment, str(event.message_id))


def image_line(zone_id: str, key: Key | None, content: Content, recorded: str, message_id: str) -> Line:
    """Spell the current row of an object that is nothing but a whole image, as `copy_current` takes it."""
    return (
        zone_id, key, *content.row[0],
        recorded, message_id, content.content_hash, content.extended, content.document, REPEATABLE,
    )  # fmt: skip


REPEATABLE = "t"
"""The cell that says that the same image again would change nothing: nothing is held against a plain object."""


def _flag(state: ObjectState) -> str:
    return REPEATABLE if is_repeatable(state) else "f"


def _mark_repeatable(cursor: Cursor[TupleRow], fold: Fold) -> None:
    """Say anew of the rows that stay whether their image may come again."""
    stayed = [state for state in fold.states.values() if state.stored is not None and not state.versions]
    by_name: dict[str, dict[ObjectKey, bool]] = defaultdict(dict)
    for state in stayed:
        if (repeatable := is_repeatable(state)) != state.was_repeatable:
            by_name[state.key[1]][state.key] = repeatable
    for name, marks in by_name.items():
        cursor.execute(statements(objects()[name]).mark, {**_columns(marks), "repeatable": list(marks.values())})


def _closed(state: ObjectState) -> Iterable[Line]:
    for version, later in zip(state.versions, state.versions[1:], strict=False):
        if version.document is not None:
            yield _cells(state.key, version, _moment(later.recorded_from))


def _cells(key: ObjectKey, version: Version, last: str) -> Line:
    """Spell a version; `last` is whether it is repeatable, or when it ended."""
    return (
        str(key[0]), key[2], *version.cells,
        _moment(version.recorded_from), str(version.message_id), version.content_hash, version.extended,
        version.document, last,
    )  # fmt: skip


@lru_cache(maxsize=1024)
def _moment(at: datetime) -> str:
    return at.isoformat()


LINES_AT_ONCE = 200
"""Lines of COPY whose text is made together: megabytes in one piece are fetched from the system each time, and given
back, which takes four times as long as to write them."""


def copy_lines(cursor: Cursor[TupleRow], statement: Composed, lines: Iterable[Line]) -> None:
    """Write lines by a COPY statement `FROM_LINES`."""
    _copy(cursor, statement, lines, copy_text)


def _copy(
    cursor: Cursor[TupleRow], statement: Composed, things: Iterable[T], spell: Callable[[list[T]], bytes]
) -> None:
    rest = iter(things)
    with cursor.copy(statement) as copy:
        while some := list(islice(rest, LINES_AT_ONCE)):
            copy.write(spell(some))


NULL, CELL, LINE = "\x1d", "\x1e", "\x1f"
"""Stand for no value, end of cell and, until the text is escaped, end of line: XML 1.0 has no such characters, so no
value does."""

FROM_LINES = SQL("FROM STDIN (NULL {}, DELIMITER {})").format(Literal(NULL), Literal(CELL))
"""How COPY is told of them."""


def copy_text(lines: Iterable[Line]) -> bytes:
    """Spell lines of texts in the text format of COPY, in UTF-8; escaping all at once is what makes it quick."""
    cells = [CELL.join([NULL if cell is None else cell for cell in line]) for line in lines]
    # As bytes: one letter beyond Latin-1 makes every character of a Python text two or four bytes wide.
    raw = LINE.join(cells).encode()
    raw = raw.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return raw.replace(LINE.encode(), b"\n") + b"\n" * bool(cells)


COPY_EVENTS = SQL(
    "COPY inbox.object_event (message_id, position, zone_id, object_name, row_key, action, ordered_at, outcome,"
    " waiting_object, waiting_key) FROM STDIN"
).format()


def _event_text(events: Iterable[ObjectEvent]) -> bytes:
    """Spell events in the text format of COPY: names, numbers and keys need no escapes."""
    lines = (
        f"{e.message_id}\t{e.position}\t{e.zone_id}\t{e.object_name}\t{e.row_key or NOTHING}\t{e.action}\t"
        f"{_moment(e.ordered_at)}\t{e.outcome}\t{TAB.join(e.waiting or (NOTHING, NOTHING))}\n"
        for e in events
    )
    return "".join(lines).encode()


TAB, NOTHING = "\t", "\\N"


COPY_CHANGES = SQL(
    "COPY inbox.outcome_change (message_id, position, recorded_at, zone_id, outcome, waiting_object, waiting_key) {}"
).format(FROM_LINES)


def _copy_changes(cursor: Cursor[TupleRow], changes: Iterable[OutcomeChange]) -> None:
    lines = (
        (str(c.event.message_id), str(c.event.position), _moment(c.recorded_at), str(c.event.zone_id), c.outcome.value,
         *(c.waiting or (None, None)))
        for c in changes
    )  # fmt: skip
    copy_lines(cursor, COPY_CHANGES, lines)


def _revise(cursor: Cursor[TupleRow], fold: Fold) -> None:
    if fold.changes:
        _copy_changes(cursor, fold.changes.values())
    revised = [e for e in fold.revised.values() if e.earlier != (e.outcome, e.waiting)]
    if not revised:
        return
    cursor.execute(
        INBOX["revise_events"],
        {
            "message_ids": [e.message_id for e in revised],
            "positions": [e.position for e in revised],
            "outcomes": [e.outcome.value for e in revised],
            "waiting_objects": [e.waiting[0] if e.waiting else None for e in revised],
            "waiting_keys": [e.waiting[1] if e.waiting else None for e in revised],
        },
    )
    cursor.execute(INBOX["recount"], {"message_ids": sorted({e.message_id for e in revised})})


COPY_NOTICES = SQL(
    "COPY inbox.notice (zone_id, message_id, position, object_name, row_key, code, severity, path, line, times,"
    " recorded_at, resolved_at) {}"
).format(FROM_LINES)


def _write_findings(cursor: Cursor[TupleRow], fold: Fold) -> None:
    if fold.resolutions:
        cursor.execute(
            INBOX["resolve"],
            {
                **_columns([r.event.key for r in fold.resolutions]),
                "message_ids": [r.event.message_id for r in fold.resolutions],
                "positions": [r.event.position for r in fold.resolutions],
                "recorded": [r.recorded_at for r in fold.resolutions],
                "elements": [" ".join(r.elements) if r.elements is not None else None for r in fold.resolutions],
            },
        )
    if fold.findings:
        lines = (
            (str(f.event.zone_id), str(f.event.message_id), str(f.event.position), f.event.object_name,
             f.event.row_key, f.notice.code, f.notice.type.severity.value, f.notice.path, str(f.notice.line),
             str(f.notice.times), _moment(f.recorded_at), _moment(f.resolved_at) if f.resolved_at else None)
            for f in fold.findings
        )  # fmt: skip
        copy_lines(cursor, COPY_NOTICES, lines)


def copy_unchanged(connection: Connection, lines: Iterable[Line]) -> None:
    """Write what messages said again: message, zone, place in the fold, recorded time and hashes."""
    with connection.cursor() as cursor:
        copy_lines(cursor, COPY_UNCHANGED, lines)


COPY_UNCHANGED = SQL("COPY inbox.unchanged (message_id, zone_id, ordered_at, recorded_at, hashes) {}").format(
    FROM_LINES
)


def version_hashes(connection: Connection, keys: Iterable[ObjectKey]) -> Iterator[tuple[ObjectKey, Key]]:
    """Give the hashes of all versions of objects, current and closed."""
    for name, of_kind in _by_name(keys).items():
        found = connection.execute(statements(objects()[name]).all_hashes, _columns(of_kind))
        for zone_id, key, hashed in found:
            yield (zone_id, name, key), hashed


def _columns(keys: Collection[ObjectKey]) -> dict[str, Array]:
    """Spell keys as three PostgreSQL arrays."""
    return {
        "zone_ids": Array(INT4, len(keys), b"".join([_int4(zone_id) for zone_id, _, _ in keys])),
        "names": Array(TEXT, len(keys), b"".join([_text(name) for _, name, _ in keys])),
        "keys": _uuids([key for _, _, key in keys]),
    }


def _chunks(
    keys: Sequence[ObjectKey], places: Mapping[ObjectKey, Sequence[tuple[int, int]]]
) -> Iterator[list[ObjectKey]]:
    """Cut keys into runs of at most COPIES_KEPT events, or one key that has more."""
    chunk: list[ObjectKey] = []
    events = 0
    for key in keys:
        found = len(places.get(key, ()))
        if chunk and events + found > COPIES_KEPT:
            yield chunk
            chunk, events = [], 0
        chunk.append(key)
        events += found
    if chunk:
        yield chunk


def _by_name(keys: Iterable[ObjectKey]) -> dict[str, list[ObjectKey]]:
    found: dict[str, list[ObjectKey]] = defaultdict(list)
    for key in keys:
        found[key[1]].append(key)
    return found


def _one(cursor: Cursor[TupleRow]) -> TupleRow:
    line = cursor.fetchone()
    assert line is not None  # noqa: S101 -- an event's message is never deleted while the event is there
    return line
