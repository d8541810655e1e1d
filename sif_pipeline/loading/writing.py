"""Writing down what a fold changed: versions, events, outcomes of earlier events, findings; what was said again."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.sql import SQL

from sif_pipeline.database import Connection
from sif_pipeline.loading.arrays import columns
from sif_pipeline.loading.copying import FROM_LINES, Line, copy_by, copy_lines, spelled
from sif_pipeline.loading.events import ObjectEvent, ObjectKey, ObjectState, OutcomeChange, Version
from sif_pipeline.loading.folding import Fold, changed, is_repeatable
from sif_pipeline.loading.statements import INBOX, Statements, statements
from sif_pipeline.reading.content import Content
from sif_pipeline.reading.mapping import Key
from warehouse.base import objects
from warehouse.inbox import Outcome


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
            copy_by(cursor, COPY_EVENTS, kept, _event_text)
        _revise(cursor, fold)
        _write_findings(cursor, fold)


def _write_versions(
    cursor: Cursor[TupleRow], sql: Statements, states: Sequence[ObjectState], firsts: Sequence[ObjectEvent]
) -> None:
    if closing := [state for state in states if state.stored is not None]:
        parameters = columns([state.key for state in closing])
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
    recorded = spelled(event.recorded_at)
    return image_line(str(event.zone_id), event.row_key, event.content, recorded, str(event.message_id))


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
        cursor.execute(statements(objects()[name]).mark, {**columns(marks), "repeatable": list(marks.values())})


def _closed(state: ObjectState) -> Iterable[Line]:
    for version, later in zip(state.versions, state.versions[1:], strict=False):
        if version.document is not None:
            yield _cells(state.key, version, spelled(later.recorded_from))


def _cells(key: ObjectKey, version: Version, last: str) -> Line:
    """Spell a version; `last` is whether it is repeatable, or when it ended."""
    return (
        str(key[0]), key[2], *version.cells,
        spelled(version.recorded_from), str(version.message_id), version.content_hash, version.extended,
        version.document, last,
    )  # fmt: skip


COPY_EVENTS = SQL(
    "COPY inbox.object_event (message_id, position, zone_id, object_name, row_key, action, ordered_at, outcome,"
    " waiting_object, waiting_key) FROM STDIN"
).format()


def _event_text(events: Iterable[ObjectEvent]) -> bytes:
    """Spell events in the text format of COPY: names, numbers and keys need no escapes."""
    lines = (
        f"{e.message_id}\t{e.position}\t{e.zone_id}\t{e.object_name}\t{e.row_key or NOTHING}\t{e.action}\t"
        f"{spelled(e.ordered_at)}\t{e.outcome}\t{TAB.join(e.waiting or (NOTHING, NOTHING))}\n"
        for e in events
    )
    return "".join(lines).encode()


TAB, NOTHING = "\t", "\\N"

COPY_CHANGES = SQL(
    "COPY inbox.outcome_change (message_id, position, recorded_at, zone_id, outcome, waiting_object, waiting_key) {}"
).format(FROM_LINES)


def _copy_changes(cursor: Cursor[TupleRow], changes: Iterable[OutcomeChange]) -> None:
    lines = (
        (str(c.event.message_id), str(c.event.position), spelled(c.recorded_at), str(c.event.zone_id), c.outcome.value,
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
                **columns([r.event.key for r in fold.resolutions]),
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
             str(f.notice.times), spelled(f.recorded_at), spelled(f.resolved_at) if f.resolved_at else None)
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
