"""Where every zone stands: messages received, pending, loaded, held, rejected; delays; the most frequent findings."""

from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg.rows import class_row

from sif_pipeline.database import connect, queries
from sif_pipeline.notices import CATALOGUE
from sif_pipeline.zones import number_of

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
    objects_loaded: int  #: objects, in all messages, that are in the warehouse, or were until others replaced them
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
class FindingCount:
    """How often one kind of finding is open in a zone."""

    code: str
    severity: str
    object_name: str
    path: str
    times: int

    @property
    def words(self) -> str:
        """The finding in plain words."""
        return CATALOGUE[self.code].title if self.code in CATALOGUE else self.code

    @property
    def remedy(self) -> str:
        """How to mend it."""
        return CATALOGUE[self.code].remedy if self.code in CATALOGUE else ""


def zones(url: str) -> list[ZoneStatus]:
    """Give the status of every zone, by name."""
    with connect(url) as connection, connection.cursor(row_factory=class_row(ZoneStatus)) as cursor:
        return cursor.execute(STATUS["zones"]).fetchall()


def delays(url: str, since: datetime = BEGINNING) -> list[Delay]:
    """Give the delay of every zone for what it received since a moment."""
    with connect(url) as connection, connection.cursor(row_factory=class_row(Delay)) as cursor:
        return cursor.execute(STATUS["delays"], {"since": since}).fetchall()


def findings(url: str, zone: str, limit: int = 5) -> list[FindingCount]:
    """Give a zone's most frequent open findings; raise UnknownZone."""
    with connect(url) as connection, connection.cursor(row_factory=class_row(FindingCount)) as cursor:
        number_of(connection, zone)
        return cursor.execute(STATUS["findings"], {"zone": zone, "limit": limit}).fetchall()
