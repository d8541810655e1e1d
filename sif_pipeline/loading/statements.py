"""The SQL of the inbox, and that of each declared object, composed from its table."""

from collections.abc import Sequence
from functools import cache

from psycopg.sql import SQL, Composed, Identifier

from sif_pipeline.database import queries
from sif_pipeline.loading.copying import FROM_LINES
from sif_pipeline.reading import mapping
from warehouse.base import CURRENT, HISTORY, SifObject

INBOX = queries("inbox")


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
