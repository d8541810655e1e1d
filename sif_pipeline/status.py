"""Where every zone stands: messages received, pending, loaded, held, rejected; delays; the most frequent findings."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from psycopg.rows import class_row

from sif_pipeline.database import connect, queries
from sif_pipeline.notices import CATALOGUE
from sif_pipeline.zones import number_of

F = TypeVar("F", bound="_Finding")

STATUS = queries("status")
BEGINNING = datetime(1, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ZoneStatus:
    """A zone's messages by state: received = pending + loaded + held + rejected + quarantined + staged + kept."""

    zone: str
    lea_code: str
    received: int
    pending: int
    loaded: int
    held: int  #: some object in it waits for another
    rejected: int  #: no object in it could be loaded
    quarantined: int  #: the drain failed on it: for an operator
    staged: int  #: a packet of a full sync that was not applied yet
    kept: int  #: never loaded: of a sandbox, or of a full sync that was refused or failed
    duplicate: int  #: came again and were answered with status 7; not in `received`
    objects_loaded: int  #: objects, in all messages, that were taken in, with what was deleted or superseded since
    objects_unchanged: int  #: of those, how many said again what was known
    objects_held: int  #: objects, in all messages, that wait for another
    objects_rejected: int  #: objects, in all messages, that could not be loaded
    objects_not_collected: int  #: objects, in all messages, of kinds that the state does not collect
    oldest_pending_seconds: float | None
    last_received: datetime | None


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds from receipt to visible in the reporting views."""

    zone: str
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class _Finding:
    """What counts of findings and single ones have in common."""

    code: str
    severity: str
    object_name: str
    path: str
    times: int  #: how often; of a single one more than 1 where it counts those that are not listed

    @property
    def words(self) -> str:
        """The finding in plain words."""
        return CATALOGUE[self.code].title if self.code in CATALOGUE else self.code

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return CATALOGUE[self.code].remedy if self.code in CATALOGUE else ""


@dataclass(frozen=True, slots=True)
class FindingCount(_Finding):
    """How often one kind of finding is open in a zone."""


@dataclass(frozen=True, slots=True)
class OpenFinding(_Finding):
    """One open finding of a zone, and where it is."""

    recorded_at: datetime
    row_key: str | None  #: the object's RefId, or the key that stands for one; None where it has none that can be read
    msg_id: str | None  #: SIF_MsgId of the message that it came in
    line: int | None  #: of the district's file, or of the message; None when unknown


def zones(url: str) -> list[ZoneStatus]:
    """Give the status of every zone, by name."""
    with connect(url) as connection, connection.cursor(row_factory=class_row(ZoneStatus)) as cursor:
        return cursor.execute(STATUS["zones"]).fetchall()


def delays(url: str, since: datetime = BEGINNING) -> list[Delay]:
    """Give the delay of every zone for what it received since a moment."""
    with connect(url) as connection, connection.cursor(row_factory=class_row(Delay)) as cursor:
        return cursor.execute(STATUS["delays"], {"since": since}).fetchall()


def findings(url: str, zone: str, limit: int = 5, code: str | None = None) -> list[FindingCount]:
    """Give a zone's most frequent open findings, of one code or all; raise UnknownZone."""
    return _found(url, "findings", FindingCount, {"zone": zone, "limit": limit, "code": code})


def each_finding(url: str, zone: str, limit: int = 50, code: str | None = None) -> list[OpenFinding]:
    """Give a zone's open findings one by one, of one code or all, the latest first; raise UnknownZone."""
    return _found(url, "each", OpenFinding, {"zone": zone, "limit": limit, "code": code})


def _found(url: str, query: str, kind: type[F], parameters: Mapping[str, Any]) -> list[F]:
    with connect(url) as connection, connection.cursor(row_factory=class_row(kind)) as cursor:
        number_of(connection, parameters["zone"])
        return cursor.execute(STATUS[query], parameters).fetchall()
