"""The state asks: a SIF_Request on its way to a district's provider, and how far it is answered.

A request and its place on the agent's queue are one transaction. Its answer comes in as any message does: the zone
checks number, size and order of the packets and stores them.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from psycopg.rows import class_row

from sif_pipeline import zones
from sif_pipeline.database import Connection, connect, queries
from sif_pipeline.exceptions import ConfigurationError, SifPipelineError, UnknownZone
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.naming import meaning
from sif_pipeline.sif.query import ANY_2, EVERYTHING, Condition, Where, spelled_for, write_request
from sif_pipeline.sif.releases import NEWEST_ACK, spoken_with
from sif_pipeline.zone import queue, routing
from warehouse.base import SifObject, elements, objects
from warehouse.outbox import RequestState

SQL: Final = {name: query.encode() for name, query in queries("requests").items()}

MAX_BUFFER: Final = 1024 * 1024
"""Bytes of a packet at most: SIF_MaxBufferSize of our requests."""

LIFETIME: Final = timedelta(days=1)
"""How long an answer is waited for, unless told otherwise."""


class NobodyProvides(SifPipelineError):
    """No registered agent of the zone provides the object; `sif-pipeline agent list` shows who is there."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of one district."""

    object_name: str  #: SIF object
    where: Where = EVERYTHING
    lifetime: timedelta = LIFETIME  #: given up when there is no packet for so long


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the state's, and how far it is answered."""

    zone: str
    object_name: str
    agent: str  #: SIF_SourceId of the one that answers
    state: str  #: open, complete, failed, cancelled or timed_out
    packets: int  #: so many have come
    error: str | None  #: SIF_Error it ended with, category/code
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    purpose: str | None  #: sync for a full sync, conformance for a trial in a sandbox
    sync_id: int | None
    msg_id: str

    @property
    def meaning(self) -> str | None:
        """The standard's words for the error; what the agent said besides may hold anything, and is not kept."""
        return meaning(self.error)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where a request stands on the queue of the agent that is asked."""

    state: str
    attempts: int
    delivered_at: datetime | None
    last_failure: str | None


@dataclass(frozen=True, slots=True)
class Details:
    """A request with its delivery and what came in for it."""

    request: Asked
    delivery: Delivery | None
    packets: int = 0
    objects: int = 0  #: drained so far
    bytes: int = 0


def ask(connection: Connection, zone: str, question: Question, sync_id: int | None = None) -> str:
    """Queue a SIF_Request to the zone's provider of an object, in the caller's transaction; give its SIF_MsgId.

    Raise UnknownZone, NobodyProvides, and ConfigurationError for an object that is not collected, or a condition on
    what it does not have.
    """
    collected(question.object_name)
    where = spelled_for(question.object_name, question.where)
    zone_id = find_zone(connection, zone)
    source_id, versions, provides = _provider(connection, zone_id, zone, question.object_name)
    written = write_request(
        question.object_name,
        where,
        max_buffer_size=MAX_BUFFER,
        version=spoken_with(versions) or NEWEST_ACK,
        destination_id=None if provides else source_id,
    )
    message = queue.Outgoing(SOURCE_ID, written.msg_id, "SIF_Request", written.body, question.object_name)
    if not routing.ask_now(connection, zone_id, _remembered(question, written.msg_id, source_id, sync_id), message):
        raise NobodyProvides
    return written.msg_id


def _remembered(question: Question, msg_id: str, source_id: str, sync_id: int | None) -> routing.Question:
    return routing.Question(
        msg_id=msg_id,
        object_name=question.object_name,
        destination_id=source_id,
        versions=ANY_2,
        max_buffer_size=MAX_BUFFER,
        lasts=question.lifetime,
        purpose="sync" if sync_id is not None else None,
        sync_id=sync_id,
    )


def collected(object_name: str) -> type[SifObject]:
    """Give the declaration of an object; raise ConfigurationError for one that the state does not collect."""
    if object_name not in objects():
        raise ConfigurationError(f"The state does not collect {object_name!r}; it collects {', '.join(objects())}.")
    return objects()[object_name]


def find_zone(connection: Connection, name: str) -> int:
    """Give the number of a zone that can be asked; raise UnknownZone, ConfigurationError for a suspended one."""
    found = connection.execute(SQL["zone"], {"name": name}).fetchone()
    if found is None:
        raise UnknownZone
    zone_id, suspended = found
    if suspended:
        raise ConfigurationError(f"Zone {name} is suspended and gives nothing; resume it, then ask.")
    return int(zone_id)


def _provider(connection: Connection, zone_id: int, zone: str, object_name: str) -> tuple[str, list[str], bool]:
    row = {"zone_id": zone_id, "object_name": object_name}
    found = connection.execute(SQL["provider"], row).fetchone()
    if found is None:
        raise NobodyProvides(
            f"No registered agent of zone {zone} provides {object_name}; `sif-pipeline agent list` shows who is there."
        )
    source_id, versions, provides = found
    return source_id, [version for version in versions if version], provides


def provided(connection: Connection, zone: str) -> list[str]:
    """Give the collected objects that can be asked for in a zone, parents before what refers to them."""
    zone_id = find_zone(connection, zone)
    known = {name for (name,) in connection.execute(SQL["provided"], {"zone_id": zone_id})}
    return [name for name in parents_first() if name in known]


def parents_first() -> list[str]:
    """Give the collected objects so that each comes after those it refers to, as far as there are no circles."""
    placed: dict[str, None] = {}

    def place(name: str, above: frozenset[str]) -> None:
        if name in placed or name in above or name not in objects():
            return
        for _, line in elements(objects()[name]):
            if line.refers:
                place(line.refers, above | {name})
        placed[name] = None

    for name in objects():
        place(name, frozenset())
    return list(placed)


def until(end_date: date) -> Condition:
    """Make the condition that asks for summaries as of a day: EndDate EQ 2026-10-01."""
    return Condition("EndDate", "EQ", end_date.isoformat())


def listed(
    url: str, *, zone: str | None = None, state: str | None = None, msg_ids: list[str] | None = None, most: int = 100
) -> list[Asked]:
    """Give requests of the state's, the newest first. Raise UnknownZone."""
    with connect(url) as connection:
        zones.check(connection, zone)
        return _listed(connection, zone=zone, state=state, msg_ids=msg_ids, most=most)


def _listed(connection: Connection, **chosen: Any) -> list[Asked]:
    row = {"zone": None, "state": None, "msg_ids": None, "most": 100, "source_id": SOURCE_ID} | chosen
    with connection.cursor(row_factory=class_row(Asked)) as cursor:
        return cursor.execute(SQL["list"], row).fetchall()


def show(url: str, msg_id: str) -> Details:
    """Give a request with its delivery and what came in for it; raise ConfigurationError when there is none."""
    with connect(url) as connection:
        found = _listed(connection, msg_ids=[msg_id])
        if not found:
            raise ConfigurationError(f"The state made no request {msg_id}; `sif-pipeline request list` shows them.")
        row = {"msg_id": msg_id, "zone": found[0].zone, "source_id": SOURCE_ID}
        with connection.cursor(row_factory=class_row(Delivery)) as cursor:
            delivery = cursor.execute(SQL["queued"], row).fetchone()
        packets, objects_, bytes_ = connection.execute(SQL["answered"], row).fetchone() or (0, 0, 0)
        return Details(found[0], delivery, packets, objects_, bytes_)


def cancel(url: str, msg_id: str) -> bool:
    """Call a request off: what comes for it afterwards is refused (8/18). False when it was over already."""
    with connect(url) as connection:
        found = connection.execute(SQL["own"], {"source_id": SOURCE_ID, "msg_id": msg_id}).fetchone()
        return found is not None and routing.end_now(
            connection, found[0], msg_id, RequestState.CANCELLED, routing.CANCELLED
        )
