"""Replay: rebuild a zone's objects from the messages in its inbox, in one transaction; readers see before or after.

The rows are a pure function of the messages, so a replay with the same rules leaves the warehouse as it was.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import psycopg
from psycopg.sql import SQL, Identifier

from sif_pipeline import zones
from sif_pipeline.database import Connection, connect, queries
from sif_pipeline.loading.drain import SESSION, DrainSummary, Limits, claim, load, load_each
from sif_pipeline.loading.statements import INBOX, VERSION_COLUMNS, statements
from sif_pipeline.reading import content, mapping
from warehouse.base import CURRENT, HISTORY, SifObject, objects

REPLAY = queries("replay")

BEGINNING = datetime(1, 1, 2, tzinfo=UTC)
"""Before any message: everything is replayed."""


def replay(
    url: str, zone: str, since: datetime | None = None, progress: Callable[[DrainSummary], None] | None = None
) -> DrainSummary:
    """Rewind a zone to just before `since` and drain what it received from then on; without it, everything.

    The zone's drain waits meanwhile, its receiver does not. Raise UnknownZone.
    """
    total = DrainSummary()
    with connect(url, SESSION | {"application_name": "sif-replay", "lock_timeout": "0"}, autocommit=True) as connection:
        zone_id = zones.number_of(connection, zone)
        with connection.transaction():
            connection.execute(INBOX["lock_zone"], {"zone_id": zone_id})
            rewind(connection, zone_id, since or BEGINNING)
            while (done := _load_next(connection, zone_id)) is not None:
                total.add(done)
                if progress:
                    progress(total)
    return total


def _load_next(connection: Connection, zone_id: int) -> DrainSummary | None:
    """Load the next batch; None when there is none.

    What was loaded once must load again, or the replay fails and changes nothing. A message that never was, such as
    a quarantined one, may fail again and does not stop the others.
    """
    if not (claimed := claim(connection, [zone_id], Limits())):
        return None
    if again := [message for message in claimed if message.recorded_at is not None]:
        return load(connection, again)
    try:
        with connection.transaction():
            return load(connection, claimed)
    except psycopg.OperationalError:
        raise
    except Exception:  # noqa: BLE001 -- as in the drain: whatever one message provokes must not stop the others
        return load_each(connection, claim(connection, [zone_id], Limits()))


def rewind(connection: Connection, zone_id: int, since: datetime) -> None:
    """Take back everything that messages recorded from `since` on did to a zone."""
    parameters = {"zone_id": zone_id, "since": since}
    connection.execute(REPLAY["touched"], parameters)
    for cls in objects().values():
        _rewind_object(connection, cls, parameters)
    connection.execute(REPLAY["restore_events"], parameters)
    changed = {message_id for (message_id,) in connection.execute(REPLAY["forget_changes"], parameters)}
    steps = ("forget_events", "forget_unchanged", "forget_notices", "reopen_notices", "reset_messages", "reset_zone")
    for step in steps:
        connection.execute(REPLAY[step], parameters)
    connection.execute(INBOX["recount"], {"message_ids": sorted(changed)})
    names = {name for (name,) in connection.execute(REPLAY["touched_names"])} & set(objects())
    for name in sorted(names):
        _restore_repeatable(connection, objects()[name], parameters)


def _restore_repeatable(connection: Connection, cls: type[SifObject], parameters: dict[str, object]) -> None:
    """Say of the rows that were touched whether their image may come again, as `folding.is_repeatable` said then."""
    current = Identifier(CURRENT, cls.__tablename__)
    values = {**parameters, "object_name": cls.sif_name}
    connection.execute(UNMARK.format(current=current), values)
    found = connection.execute(PERHAPS_REPEATABLE.format(current=current), values).fetchall()
    by_message: dict[int, list[tuple[str, str, int]]] = defaultdict(list)
    for row_key, hashed, message_id, position in found:
        by_message[message_id].append((row_key, hashed, position))
    repeatable = [key for message_id, rows in by_message.items() for key in _unaltered(connection, message_id, rows)]
    marks = {
        "zone_ids": [values["zone_id"]] * len(repeatable),
        "keys": repeatable,
        "repeatable": [True] * len(repeatable),
    }
    connection.execute(statements(cls).mark, marks)


def _unaltered(connection: Connection, message_id: int, rows: Sequence[tuple[str, str, int]]) -> list[str]:
    """Give the keys of rows that are their object at its position in a message, to the letter."""
    (body,) = connection.execute(INBOX["body"], {"message_id": message_id}, binary=True).fetchall()[0]
    found = content.of_message(bytes(body))
    return [row_key for row_key, hashed, position in rows if found[position].content_hash == hashed]


UNMARK = SQL(
    """
    UPDATE {current} AS c SET repeatable = false
    FROM touched AS t
    WHERE t.object_name = %(object_name)s AND c.zone_id = %(zone_id)s AND c.row_key = t.row_key AND c.repeatable
    """
)

PERHAPS_REPEATABLE = SQL(
    """
    SELECT c.row_key, c.content_hash, last.message_id, last.position
    FROM touched AS t
    JOIN {current} AS c ON c.zone_id = %(zone_id)s AND c.row_key = t.row_key
    CROSS JOIN LATERAL (
        SELECT e.message_id, e.position, e.action, e.outcome
        FROM inbox.object_event AS e
        WHERE e.zone_id = c.zone_id AND e.row_key = c.row_key AND e.object_name = t.object_name
          AND e.outcome IN ('applied', 'held', 'unfit', 'superseded')
        ORDER BY e.ordered_at DESC, e.message_id DESC, e.position DESC
        LIMIT 1
    ) AS last
    WHERE t.object_name = %(object_name)s AND last.outcome = 'applied' AND last.action IN ('Add', 'Response')
      AND NOT EXISTS (
        SELECT
        FROM inbox.notice AS n
        WHERE n.zone_id = c.zone_id AND n.row_key = c.row_key AND n.object_name = t.object_name
          AND n.resolved_at IS NULL AND NOT starts_with(n.code, 'sync_')
      ) AND NOT EXISTS (
        SELECT
        FROM inbox.notice AS n
        WHERE n.message_id = last.message_id AND n.position = last.position AND n.severity = 'warning'
      )
    """
)


def _rewind_object(connection: Connection, cls: type[SifObject], parameters: dict[str, object]) -> None:
    current, history = Identifier(CURRENT, cls.__tablename__), Identifier(HISTORY, cls.__tablename__)
    names = ("zone_id", "row_key", *mapping.plan(cls).columns, *VERSION_COLUMNS)
    columns = SQL(", ").join(map(Identifier, names))
    forget = SQL("DELETE FROM {} WHERE zone_id = %(zone_id)s AND recorded_from >= %(since)s")
    reopen = SQL(
        "WITH reopened AS (DELETE FROM {history} WHERE zone_id = %(zone_id)s AND recorded_to >= %(since)s"
        " RETURNING {columns}) INSERT INTO {current} ({columns}) SELECT {columns} FROM reopened"
    )
    connection.execute(forget.format(current), parameters)
    connection.execute(forget.format(history), parameters)
    connection.execute(reopen.format(history=history, current=current, columns=columns), parameters)
