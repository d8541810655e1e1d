"""Telling a district's agent what was wrong with its data: SIF_LogEntry for objects that were not loaded.

The standard has no answer to a message that was accepted and found wanting later, but for this event. It goes to the
agent that sent the message and to nobody else, and only where that agent subscribed to SIF_LogEntry or provides it:
kits answer an event they did not ask for with an error. One entry a message, with the key of each object, element
paths and the finding's code; never a value. A queue holds few of them, so that they never stand before a request.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import psycopg

from sif_pipeline.database import Connection, connect, queries
from sif_pipeline.notices import CATALOGUE, Severity
from sif_pipeline.sif import gate
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.releases import spoken_with
from sif_pipeline.sif.writing import LogEntry, LogLevel, header_of, write_log_entry
from sif_pipeline.zone import queue
from sif_pipeline.zone.troubles import Troubles
from warehouse.base import objects

log = logging.getLogger(__name__)

QUERIES: Final = {name: query.encode() for name, query in queries("log_entries").items()}

AFTER: Final = timedelta(minutes=1)
"""How long a finding rests before it is told: a parent on its way ends most of them."""

EVERY: Final = timedelta(seconds=5)
"""Between two rounds of `keep_telling`."""

QUEUED: Final = 20
"""So many entries wait for one agent at most; what else is wrong by then is counted in the last one."""

LISTED: Final = 10
"""Findings, and objects, that one entry lists."""

BUSINESS_RULE, RELATED_MISSING = (3, 2), (3, 3)
"""Category and code (SIF_LogEntry, data issues with failure result): a rule, or related information unavailable."""


class Span(NamedTuple):
    """An agent and the recorded times it is about to be told of."""

    zone_id: int
    source_id: str
    since: datetime  #: told up to here
    until: datetime  #: about to be told up to here

    @property
    def row(self) -> dict[str, Any]:
        """Parameters of the queries."""
        return self._asdict()


def tell(url: str, *, after: timedelta = AFTER) -> int:
    """Put what is to be told on the agents' queues, each agent in a transaction of its own; give how many entries.

    An agent that cannot be told, for whatever reason, is told later, and keeps no other from being told.
    """
    with connect(url, {"application_name": "sif-state"}, autocommit=True) as connection:
        listeners = connection.execute(QUERIES["listeners"]).fetchall()
        return sum(_guarded(connection, zone_id, source_id, after) for zone_id, source_id in listeners)


async def keep_telling(url: str, every: timedelta = EVERY) -> None:
    """Tell again and again until cancelled, beside other things; whatever goes wrong, it is tried again."""
    was_good = True
    while True:
        try:
            await asyncio.to_thread(tell, url)
            was_good = True
        except Exception as error:  # noqa: BLE001 -- an outage, or a fault of ours: nobody must miss the rest for it
            if was_good:  # once an outage
                log.warning("telling_interrupted", extra={"facts": {"error": type(error).__name__}})
            was_good = False
        await asyncio.sleep(every.total_seconds())


_TROUBLES: Final = Troubles()


def _guarded(connection: Connection, zone_id: int, source_id: str, after: timedelta) -> int:
    facts: dict[str, Any] = {"zone_id": zone_id, "source_id": source_id}
    try:
        told = _tell_agent(connection, zone_id, source_id, after)
    except Exception as error:
        if isinstance(error, psycopg.OperationalError) and (connection.broken or connection.closed):
            raise  # there is nobody to go on with
        if _TROUBLES.is_news((zone_id, source_id)):  # it is tried again every few seconds
            log.error("agent_not_told", extra={"facts": facts | {"error": type(error).__name__}})  # noqa: TRY400 -- its words may hold values
        return 0
    if _TROUBLES.is_over((zone_id, source_id)):
        log.info("agent_told_again", extra={"facts": facts})
    return told


def _tell_agent(connection: Connection, zone_id: int, source_id: str, after: timedelta) -> int:
    with connection.transaction():
        row = {"zone_id": zone_id, "source_id": source_id, "after": after}
        found = connection.execute(QUERIES["position"], row).fetchone()
        if found is None:
            return 0
        since, versions, until, waiting = found
        if until is None or until <= since or waiting >= QUEUED:
            return 0
        span = Span(zone_id, source_id, since, until)
        told = _tell_span(connection, span, spoken_with([v for v in versions if v]), QUEUED - waiting)
        connection.execute(QUERIES["told"], span.row)
    return told


def _tell_span(connection: Connection, span: Span, version: str | None, room: int) -> int:
    """Write an entry for each message, as far as there is room, and one that counts the others."""
    found = connection.execute(QUERIES["messages"], span.row | {"most": room}).fetchall()
    if not found:
        return 0
    (_, _, all_messages, all_objects) = found[0]
    each = found if all_messages <= room else found[: room - 1]
    made = [_entry(connection, span, message_id, count) for message_id, count, _, _ in each]
    entries = [entry for entry in made if entry is not None]
    if all_messages > len(each):
        counted = sum(count for _, count, _, _ in each)
        entries.append(_others(all_messages - len(each), all_objects - counted))
    for entry in entries:
        _enqueue(connection, span, entry, version)
    return len(entries)


def _enqueue(connection: Connection, span: Span, entry: LogEntry, version: str | None) -> None:
    written = write_log_entry(entry, version=version, destination_id=span.source_id)
    message = queue.Outgoing(SOURCE_ID, written.msg_id, "SIF_Event", written.body, "SIF_LogEntry")
    queue.enqueue_now(connection, span.zone_id, span.source_id, message)


def _entry(connection: Connection, span: Span, message_id: int, count: int) -> LogEntry | None:
    """Make the entry for a message; None where its findings were resolved in the meantime."""
    row = span.row | {"message_id": message_id, "most": LISTED}
    findings = connection.execute(QUERIES["findings"], row).fetchall()
    if not findings:
        return None
    first = findings[0][0]
    is_missing = first in CATALOGUE and CATALOGUE[first].severity is not Severity.ERROR
    category, code = RELATED_MISSING if is_missing else BUSINESS_RULE
    (body,) = connection.execute(QUERIES["body"], row, binary=True).fetchone() or (b"",)
    return LogEntry(
        category=category,
        code=code,
        sentence=f"{_objects(count)} of this message {_are(count)} not loaded. {_words(first)}",
        level=LogLevel.WARNING if is_missing else LogLevel.ERROR,
        application_code=first,
        details="\n".join(f"{found} at {path} ({times}): {_title(found)}" for found, path, times in findings),
        objects="".join(
            log_object(name, key) for position, name, key in connection.execute(QUERIES["objects"], row) if position
        ),
        original_header=_header(bytes(body)),
    )


def _header(body: bytes) -> str:
    try:
        return header_of(gate.reopen(body))
    except gate.Refused:
        return ""


def _words(code: str) -> str:
    """Say a finding and its remedy; one that this release does not know any more is said by its code alone."""
    return f"{CATALOGUE[code].title} {CATALOGUE[code].remedy}" if code in CATALOGUE else f"Finding: {code}."


def _title(code: str) -> str:
    return CATALOGUE[code].title if code in CATALOGUE else code


def _objects(count: int) -> str:
    return "1 object" if count == 1 else f"{count} objects"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def log_object(object_name: str | None, key: str | None) -> str:
    """Name an object by its RefId, 32 hexadecimal digits; one with a natural key, or none, by its kind only."""
    if object_name not in objects():
        return ""
    by_ref_id = objects()[object_name].key_paths == ("@RefId",)
    ref_id = f' RefId="{key.upper()}"' if by_ref_id and key else ""
    return f'<SIF_LogObject ObjectName="{object_name}"><{object_name}{ref_id}/></SIF_LogObject>'


def _others(messages: int, count: int) -> LogEntry:
    return LogEntry(
        *BUSINESS_RULE,
        f"{messages} more messages hold {_objects(count)} that {_are(count)} not loaded. They are not "
        "listed one by one; ask the state for the findings of this zone.",
        application_code="findings_capped",
    )
