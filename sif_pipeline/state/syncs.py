"""Full syncs: asking a district for everything it has of an object, and a person's decisions about the answers.

Also who is due: zones have a time of day at which the state asks for what no event ever tells.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from psycopg.rows import class_row

from sif_pipeline import zones
from sif_pipeline.config import Settings
from sif_pipeline.database import Connection, connect, queries
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.query import EVERYTHING
from sif_pipeline.state import reconciliation, requests
from sif_pipeline.state.requests import LIFETIME, Question

SQL: Final = {name: query.encode() for name, query in queries("syncs").items()}

SNAPSHOTS: Final = ("StudentAttendanceSummary", "StudentSpecialEducationSummary")
"""Objects of which there are no events: the state asks for them every day, and every answer is a new set."""

YEAR_BEGINS: Final = (9, 1)
"""Month and day on which a school year has begun: from then on everything is asked for once, on schedule."""


@dataclass(frozen=True, slots=True)
class Sync:
    """One full sync of one object in one zone; counts are objects, None until it was compared."""

    sync_id: int
    zone: str
    object_name: str
    state: str  #: asked, receiving, compared, waiting, applied, refused or failed
    there: int | None  #: that the district sent
    here: int | None  #: that the state had
    missing_here: int | None
    missing_there: int | None
    different: int | None
    asked_at: datetime
    ended_at: datetime | None
    decided_by: str | None
    decided_at: datetime | None
    as_of: datetime | None
    deletes: bool
    reason: str | None  #: why it waits, or waited until it was refused, or why it failed
    packets: int
    request_msg_id: str
    change_limit: Decimal


@dataclass(frozen=True, slots=True)
class Difference:
    """One object that differs."""

    kind: str  #: missing_here, missing_there or different
    row_key: str  #: its RefId, or the hash of its natural key
    message_id: int | None  #: packet that brought it
    position: int | None  #: place in the packet, from 1


def ask(url: str, zone: str, object_name: str, lifetime: timedelta = LIFETIME) -> Sync:
    """Ask a zone for everything it has of an object, to be compared when the answer is there.

    Raise ConfigurationError for an object of which every answer is a new set, and while such a sync is under way.
    """
    with connect(url) as connection:
        sync_id = _ask(connection, zone, object_name, lifetime)
    return show(url, sync_id)


def _ask(connection: Connection, zone: str, object_name: str, lifetime: timedelta) -> int:
    requests.collected(object_name)
    if object_name in SNAPSHOTS:
        raise ConfigurationError(
            f"{object_name} has no events, so there is nothing to compare an answer with; ask for it without --sync."
        )
    requests.find_zone(connection, zone)
    row = {"zone": zone, "object_name": object_name}
    if under_way := connection.execute(SQL["under_way"], row).fetchone():
        raise ConfigurationError(f"Sync {under_way[0]} of {object_name} in zone {zone} is under way already.")
    (sync_id,) = connection.execute(SQL["open"], row).fetchone() or (0,)
    requests.ask(connection, zone, Question(object_name, EVERYTHING, lifetime), sync_id)
    return int(sync_id)


def listed(url: str, *, zone: str | None = None, state: str | None = None, most: int = 100) -> list[Sync]:
    """Give full syncs, the newest first. Raise UnknownZone."""
    with connect(url) as connection:
        zones.check(connection, zone)
        return _listed(connection, zone=zone, state=state, most=most)


def _listed(connection: Connection, **chosen: Any) -> list[Sync]:
    row = {"zone": None, "state": None, "sync_id": None, "most": 100} | chosen
    with connection.cursor(row_factory=class_row(Sync)) as cursor:
        return cursor.execute(SQL["list"], row).fetchall()


def show(url: str, sync_id: int) -> Sync:
    """Give one full sync; raise ConfigurationError when there is none of this number."""
    with connect(url) as connection:
        found = _listed(connection, sync_id=sync_id)
    if not found:
        raise ConfigurationError(f"There is no sync {sync_id}; `sif-pipeline sync list` shows them.")
    return found[0]


def differences(url: str, sync_id: int, most: int = 100) -> list[Difference]:
    """Give objects that differ, by kind; none for the first sync of an object, where everything is new."""
    with connect(url) as connection, connection.cursor(row_factory=class_row(Difference)) as cursor:
        return cursor.execute(SQL["differences"], {"sync_id": sync_id, "most": most}).fetchall()


def accept(url: str, sync_id: int, by: str, *, deletes: bool = True) -> Sync:
    """Let a sync that waits be applied, and apply it unless the drain has work to do before; `by` is a person's name.

    Without `deletes` what only the state has stays. Raise ConfigurationError when it does not wait.
    """
    with connect(url) as connection:
        row = {"sync_id": sync_id, "by": by, "deletes": deletes}
        decided = connection.execute(SQL["decide"], row).fetchone()
    if decided is None:
        raise _not_waiting(show(url, sync_id))
    reconciliation.advance(url)
    return show(url, sync_id)


def refuse(url: str, sync_id: int, by: str) -> Sync:
    """Decide against a sync that waits: its packets stay in the inbox and are never drained.

    Raise ConfigurationError when it does not wait.
    """
    with connect(url) as connection:
        refused = reconciliation.refuse(connection, sync_id)
        if refused:
            connection.execute(SQL["decided"], {"sync_id": sync_id, "by": by})
    if not refused:
        raise _not_waiting(show(url, sync_id))
    return show(url, sync_id)


def _not_waiting(sync: Sync) -> ConfigurationError:
    return ConfigurationError(f"Sync {sync.sync_id} does not wait for a decision: it is {sync.state}.")


# -- on schedule


def schedule(url: str, zone: str, at: time | None, change_limit: Decimal | None = None) -> None:
    """Set when a zone is asked every day, in the state's time zone; None: never. Raise UnknownZone."""
    row = {"zone": zone, "sync_at": at, "change_limit": change_limit}
    with connect(url) as connection:
        if connection.execute(SQL["schedule"], row).fetchone() is None:
            raise UnknownZone


def due(url: str, timezone: ZoneInfo, now: datetime) -> list[str]:
    """Give the zones whose time has come today and that were not asked since, the earliest first."""
    with connect(url) as connection:
        found = connection.execute(SQL["due"], {"now": now, "timezone": timezone.key}).fetchall()
    return [zone for (zone,) in found]


def year_began(day: date) -> date:
    """Give the day on which the school year of a day began."""
    this = date(day.year, *YEAR_BEGINS)
    return this if day >= this else date(day.year - 1, *YEAR_BEGINS)


def ask_district(url: str, zone: str, *, everything: bool = False, lifetime: timedelta = LIFETIME) -> list[str]:
    """Ask a zone for what no event tells, and for what was not synced in this school year, or for `everything`.

    Give the SIF_MsgIds of the requests; where one for an object is still being answered, that one's. One transaction,
    which also notes that the zone was asked. The agent gets one request after the other: a queue holds one message
    at a time.
    """
    timezone = Settings.from_environment().timezone
    began = datetime.combine(year_began(datetime.now(timezone).date()), time(), timezone)
    with connect(url) as connection:
        provided = requests.provided(connection, zone)
        synced = {name for (name,) in connection.execute(SQL["synced"], {"zone": zone, "since": began})}
        connection.execute(SQL["asked_now"], {"zone": zone})
        wanted = [name for name in provided if everything or name in SNAPSHOTS or name not in synced]
        return [_ask_one(connection, zone, name, lifetime) for name in wanted]


def _ask_one(connection: Connection, zone: str, object_name: str, lifetime: timedelta) -> str:
    row = {"zone": zone, "object_name": object_name, "source_id": SOURCE_ID}
    if open_ := connection.execute(SQL["being_answered"], row).fetchone():
        return str(open_[0])
    if object_name in SNAPSHOTS:
        return requests.ask(connection, zone, Question(object_name, EVERYTHING, lifetime))
    sync_id = _ask(connection, zone, object_name, lifetime)
    (msg_id,) = connection.execute(SQL["request"], {"sync_id": sync_id}).fetchone() or ("",)
    return str(msg_id)
