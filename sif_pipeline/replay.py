"""Replay: rebuild a zone's objects from the messages in its inbox, in one transaction; readers see before or after.

The rows are a pure function of the messages, so a replay with the same rules leaves the warehouse as it was.
"""

from collections.abc import Callable
from datetime import UTC, datetime

import psycopg
from psycopg.sql import SQL, Identifier

from sif_pipeline import mapping
from sif_pipeline.database import Connection, connect, queries
from sif_pipeline.drain import SESSION, DrainSummary, Limits, claim, load, load_each
from sif_pipeline.files import find_zone
from sif_pipeline.loading import INBOX, VERSION_COLUMNS
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
    with connect(url, SESSION | {"application_name": "sif-replay", "lock_timeout": "0"}) as connection:
        zone_id = find_zone(connection, zone)
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
    for cls in objects().values():
        _rewind_object(connection, cls, parameters)
    connection.execute(REPLAY["restore_events"], parameters)
    changed = {message_id for (message_id,) in connection.execute(REPLAY["forget_changes"], parameters)}
    for step in ("forget_events", "forget_notices", "reopen_notices", "reset_messages"):
        connection.execute(REPLAY[step], parameters)
    connection.execute(INBOX["recount"], {"message_ids": sorted(changed)})


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
