"""Reconciliation: a district's full answer is compared with what its events had built, and repaired by events.

The packets of a full sync wait in the inbox, staged. When the last one is there they are compared, object by object,
by content, not by spelling. Within the zone's limit, or when a person agrees, the packets become ordinary
messages and what only the state had is deleted by events of ours in the same inbox: one transaction, and a replay
gives the same. docs/adr/0007-reconciliation-by-ordinary-events.md has the reasons.
"""

import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any, Final

import psycopg
from lxml import etree
from psycopg.rows import class_row
from psycopg.sql import SQL, Composed, Identifier

from sif_pipeline.database import Connection, connect, queries
from sif_pipeline.exceptions import SifPipelineError
from sif_pipeline.loading.claimed import AHEAD, BEHIND
from sif_pipeline.loading.copying import FROM_LINES, copy_lines
from sif_pipeline.reading import content, mapping
from sif_pipeline.sif import gate
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.elements import SIF, local
from sif_pipeline.sif.naming import counted, meaning
from sif_pipeline.sif.releases import NEWEST_ACK
from sif_pipeline.sif.writing import write_message
from sif_pipeline.state.spelling import forget_spellings
from sif_pipeline.zone import routing
from warehouse.base import CURRENT, SifObject, elements, objects
from warehouse.inbox import MessageState
from warehouse.outbox import SyncState

log = logging.getLogger(__name__)

QUERIES: Final = {name: query.encode() for name, query in queries("reconciliation").items()}

FINDINGS: Final = 1000
"""So many objects of one sync get a finding of their own; the sync lists all."""

LOCK_TIMEOUT = "5s"
"""How long a step waits for a zone that a drain has in hand; a replay may have it for long."""

DELETIONS: Final = 500
"""Objects in one event of deletions."""


class NotYet(SifPipelineError):
    """What came before has not been drained; the step is done when it has."""


class Unreadable(SifPipelineError):
    """A packet that passed the gate once cannot be read any more; ask for another sync."""


@dataclass(slots=True)
class Progress:
    """What a round did, by sync number."""

    timed_out: int = 0  #: requests given up
    failed: tuple[int, ...] = ()  #: their request was not answered to the end
    compared: tuple[int, ...] = ()  #: within the limit
    waiting: tuple[int, ...] = ()  #: beyond it: for a person
    applied: tuple[int, ...] = ()  #: given to the drain


@dataclass(frozen=True, slots=True)
class Claimed:
    """One full sync in hand."""

    sync_id: int
    zone_id: int
    object_name: str
    asked_at: datetime
    state: str
    as_of: datetime | None
    deletes: bool
    request_msg_id: str
    answered_at: datetime | None
    asked: str  #: SIF_SourceId of the agent that answers
    change_limit: Decimal

    @property
    def cls(self) -> type[SifObject]:
        """The declaration of the object."""
        return objects()[self.object_name]

    @property
    def row(self) -> dict[str, Any]:
        """Parameters that most queries need."""
        return {
            "sync_id": self.sync_id,
            "zone_id": self.zone_id,
            "object_name": self.object_name,
            "request_msg_id": self.request_msg_id,
            "asked_at": self.asked_at,
            "as_of": self.as_of,
            "asking": SOURCE_ID,
            "asked": self.asked,
        }


@dataclass(slots=True)
class Counts:
    """What a comparison found, in objects."""

    there: int = 0  #: different objects in the answer
    here: int = 0  #: current objects of the state that the answer could speak of
    missing_here: int = 0
    missing_there: int = 0
    different: int = 0
    nameless: int = 0  #: objects in the answer whose key cannot be read


def advance(url: str) -> Progress:
    """Take every full sync one step on, or two: give up what is late, compare what is complete, apply what may be.

    Any number may do so at once, and as often as they like: each step is one transaction that holds its sync. A sync
    that cannot be compared is failed, one that the database cannot serve now is left for later, and neither stops
    another.
    """
    progress = Progress()
    settings = {"application_name": "sif-state", "timezone": "UTC", "lock_timeout": LOCK_TIMEOUT}
    with connect(url, settings, autocommit=True) as connection:
        progress.timed_out = len(routing.expire_now(connection))
        connection.execute(QUERIES["receiving"])
        progress.failed = _each(connection, "without_answer", _fail)
        moved = _each(connection, "ready", _compare)
        states = {sync_id: _state(connection, sync_id) for sync_id in moved}
        progress.compared = tuple(s for s, state in states.items() if state == SyncState.COMPARED)
        progress.waiting = tuple(s for s, state in states.items() if state == SyncState.WAITING)
        progress.failed += tuple(s for s, state in states.items() if state == SyncState.FAILED)
        progress.applied = _each(connection, "to_release", _release)
    return progress


def _state(connection: Connection, sync_id: int) -> str:
    (state,) = connection.execute("SELECT state FROM outbox.sync WHERE sync_id = %s", [sync_id]).fetchone() or ("",)
    return str(state)


def _each(connection: Connection, found_by: str, step: Any) -> tuple[int, ...]:
    """Do one step with every sync a query finds; give the numbers of those that moved."""
    found = [sync_id for (sync_id,) in connection.execute(QUERIES[found_by]).fetchall()]
    return tuple(sync_id for sync_id in found if _guarded(connection, sync_id, step))


def _guarded(connection: Connection, sync_id: int, step: Any) -> bool:
    try:
        with connection.transaction():
            return bool(step(connection, sync_id))
    except (NotYet, psycopg.errors.LockNotAvailable):  # somebody has the zone in hand: a drain, or a long replay
        return False
    except psycopg.OperationalError as error:
        if connection.broken or connection.closed:
            raise  # there is nobody to go on with
        facts = {"sync_id": sync_id, "failure": type(error).__name__}  # a deadlock, a time limit, a full disk
        log.warning("sync_put_off", extra={"facts": facts})
        return False
    except Exception as error:  # noqa: BLE001 -- whatever one district's answer provokes must not stop the others
        kind = type(error).__name__  # its words may hold values
        log.error("sync_failed", extra={"facts": {"sync_id": sync_id, "failure": kind}})  # noqa: TRY400
        with connection.transaction():
            ours = str(error) if isinstance(error, SifPipelineError) else None
            return give_up(connection, sync_id, ours or f"It could not be compared ({kind}): a defect of the program.")


def _claim(connection: Connection, sync_id: int, *states: SyncState) -> Claimed | None:
    with connection.cursor(row_factory=class_row(Claimed)) as cursor:
        row = {"sync_id": sync_id, "states": [state.value for state in states]}
        return cursor.execute(QUERIES["claim"], row).fetchone()


AWAITED = (SyncState.ASKED, SyncState.RECEIVING)


# -- a request that was not answered to the end


def _fail(connection: Connection, sync_id: int) -> bool:
    found = connection.execute(QUERIES["why_without_answer"], {"sync_id": sync_id}).fetchone()
    state, error = found or ("", None)
    words = {
        "timed_out": "The answer did not come in time.",
        "cancelled": "The request was cancelled.",
        "failed": f"The request ended with SIF_Error {error}: {meaning(error)}.",
    }
    return give_up(connection, sync_id, words.get(state, "The request is gone."))


def give_up(connection: Connection, sync_id: int, reason: str) -> bool:
    """Fail a sync that is not applied yet: its packets stay in the inbox and are never drained."""
    sync = _claim(connection, sync_id, *AWAITED, SyncState.COMPARED, SyncState.WAITING)
    if sync is None:
        return False
    _end(connection, sync, SyncState.FAILED, reason)
    return True


def refuse(connection: Connection, sync_id: int, reason: str | None = None) -> bool:
    """End a sync that waits without applying it; False when it does not wait."""
    sync = _claim(connection, sync_id, SyncState.WAITING)
    if sync is None:
        return False
    _end(connection, sync, SyncState.REFUSED, reason)
    return True


def _end(connection: Connection, sync: Claimed, state: SyncState, reason: str | None) -> None:
    connection.execute(QUERIES["move_packets"], sync.row | {"state": MessageState.KEPT.value})
    connection.execute(QUERIES["unnote"], sync.row)
    connection.execute(QUERIES["end"], {"sync_id": sync.sync_id, "state": state.value, "reason": reason})


# -- comparing


def _compare(connection: Connection, sync_id: int) -> bool:
    """Compare an answer with the warehouse and decide whether a person has to look at it first."""
    sync = _claim(connection, sync_id, *AWAITED)
    if sync is None:
        return False
    if _is_undrained(connection, sync, sync.answered_at):  # it would be in vain to read the answer
        return False
    connection.execute(QUERIES["make_answer"])
    last_message_id, nameless = _read_answer(connection, sync)
    connection.execute(QUERIES["analyze_answer"])
    _await_drained(connection, sync, sync.answered_at)
    as_of, there = connection.execute(QUERIES["scope"]).fetchone() or (None, 0)
    as_of = (as_of or sync.answered_at or sync.asked_at).replace(microsecond=0)  # SIF_Timestamps have seconds
    counts = _count(connection, sync, as_of)
    counts.there, counts.nameless = there, nameless
    _write_down(connection, sync, as_of, counts, last_message_id)
    connection.execute("DROP TABLE answer")
    return True


def _await_drained(connection: Connection, sync: Claimed, before: datetime | None) -> None:
    """Take the zone's drain out of the way, or raise NotYet when it has still to drain what came before."""
    connection.execute(QUERIES["lock_zone"], sync.row)
    if _is_undrained(connection, sync, before):
        raise NotYet


def _is_undrained(connection: Connection, sync: Claimed, before: datetime | None) -> bool:
    return connection.execute(QUERIES["undrained"], sync.row | {"before": before}).fetchone() == (True,)


def _read_answer(connection: Connection, sync: Claimed) -> tuple[int | None, int]:
    """Copy the objects of all packets, one packet in memory at a time; give the last packet's key, and the nameless."""
    last_message_id, nameless = None, 0
    year = _school_year_path(sync.cls)
    with connection.cursor("packets", binary=True) as packets:  # a server-side cursor: packets come one by one
        packets.itersize = 1
        packets.execute(QUERIES["packets"], sync.row)
        for message_id, stamp, received_at, body in packets:
            last_message_id = message_id
            lines = list(_lines(sync.cls, year, message_id, _ordered_at(stamp, received_at), bytes(body)))
            known = [line for line in lines if line[0] is not None]
            nameless += len(lines) - len(known)
            with connection.cursor() as cursor:
                copy_lines(cursor, COPY_ANSWER, known)
    return last_message_id, nameless


COPY_ANSWER: Final = SQL(
    "COPY answer (row_key, content_hash, message_id, position, ordered_at, school_year) {}"
).format(FROM_LINES)


def _ordered_at(stamp: datetime | None, received_at: datetime) -> datetime:
    """Place an answer in the fold as the drain will: by its SIF_Timestamp where that can be believed."""
    believed = stamp is not None and received_at - BEHIND <= stamp <= received_at + AHEAD
    return stamp if stamp is not None and believed else received_at


def _lines(
    cls: type[SifObject], year: str | None, message_id: int, ordered_at: datetime, body: bytes
) -> Iterator[tuple[str | None, ...]]:
    try:
        sent = content.of_message(body)
    except gate.Refused:
        raise Unreadable from None
    for position, found in sent.items():
        if found.element.tag == SIF + cls.sif_name:
            yield (
                mapping.row_key(cls, found.element), found.content_hash, str(message_id), str(position),
                ordered_at.isoformat(), _school_year(found.element, year),
            )  # fmt: skip


def _school_year_path(cls: type[SifObject]) -> str | None:
    return next((line.path for column, line in elements(cls) if column.name == "school_year"), None)


def _school_year(element: etree._Element, path: str | None) -> str | None:
    if path is None:
        return None
    text = element.get(path[1:]) if path.startswith("@") else element.findtext(SIF + path)
    return mapping.to_integer(text) if text else None


def _count(connection: Connection, sync: Claimed, as_of: datetime) -> Counts:
    """List the differences in outbox.difference and count them; all is new to a state that has nothing."""
    sql, row = _statements(sync.cls), sync.row | {"as_of": as_of}
    connection.execute(QUERIES["forget_differences"], row)
    (here,) = connection.execute(sql["here"], row).fetchone() or (0,)
    counts = Counts(here=here)
    if not here:
        (counts.missing_here,) = connection.execute("SELECT count(DISTINCT row_key) FROM answer").fetchone() or (0,)
        return counts
    for kind, times in connection.execute(sql["differences"], row):
        setattr(counts, kind, times)
    if counts.different:
        counts.different -= forget_spellings(connection, sync.cls, sync.zone_id, sync.sync_id)
    return counts


def _statements(cls: type[SifObject]) -> dict[str, Composed]:
    current = Identifier(CURRENT, cls.__tablename__)
    # Of an object that belongs to a school year the answer speaks of its own years only, if it has anything at all.
    spoken_of = SQL("true")
    if _school_year_path(cls) is not None:
        spoken_of = SQL(
            "(NOT EXISTS (SELECT FROM answer) OR c.school_year::text IN (SELECT DISTINCT school_year FROM answer))"
        )
    return {
        "here": HERE.format(current=current, spoken_of=spoken_of),
        "differences": DIFFERENCES.format(current=current, spoken_of=spoken_of, of_another=OF_ANOTHER, again=AGAIN),
        "only_here": ONLY_HERE.format(current=current, of_another=OF_ANOTHER, again=AGAIN),
    }


OF_ANOTHER: Final = SQL(
    """
    EXISTS (
        SELECT FROM inbox.agent AS a
        WHERE a.zone_id = m.zone_id AND a.source_id = m.source_id AND a.source_id <> %(asked)s
            AND a.unregistered_at IS NULL
    )
    """
)

AGAIN: Final = SQL(
    """
    said AS MATERIALIZED (
        SELECT u.ordered_at, u.hashes || ''::bytea AS hashes,  -- in one piece, not fetched anew for each hash
            m.received_at >= %(asked_at)s OR {of_another} AS speaks_for_it
        FROM inbox.unchanged AS u
        JOIN inbox.message AS m USING (message_id)
        WHERE u.zone_id = %(zone_id)s AND (u.ordered_at > %(as_of)s OR m.received_at >= %(asked_at)s OR {of_another})
    ), again AS MATERIALIZED (
        SELECT encode(substring(hashes FROM 16 * place + 1 FOR 16), 'hex')::uuid AS content_hash,
            max(ordered_at) AS ordered_at, bool_or(speaks_for_it) AS speaks_for_it
        FROM said
        CROSS JOIN generate_series(0, octet_length(hashes) / 16 - 1) AS place
        GROUP BY 1
    )"""
).format(of_another=OF_ANOTHER)
"""What was said again, unchanged: it counts like an event of the object whose current row has that hash."""

HERE: Final = SQL(
    """
    SELECT count(*) FROM {current} AS c
    WHERE c.zone_id = %(zone_id)s AND ({spoken_of} OR c.row_key IN (SELECT row_key FROM answer))
    """
)

DIFFERENCES: Final = SQL(
    """
    WITH there AS (
        SELECT DISTINCT ON (row_key) row_key, content_hash, message_id, position, ordered_at
        FROM answer
        ORDER BY row_key, ordered_at DESC, message_id DESC, position DESC
    ), here AS (
        SELECT c.row_key, c.content_hash, {spoken_of} AS spoken_of FROM {current} AS c WHERE c.zone_id = %(zone_id)s
    ), found AS (
        SELECT row_key, t.message_id, t.position, coalesce(t.ordered_at, %(as_of)s) AS ordered_at, h.content_hash,
            CASE
                WHEN h.content_hash IS NULL THEN 'missing_here'
                WHEN t.content_hash IS NULL THEN 'missing_there'
                ELSE 'different'
            END AS kind
        FROM here AS h
        FULL JOIN there AS t USING (row_key)
        WHERE h.content_hash IS DISTINCT FROM t.content_hash AND (t.content_hash IS NOT NULL OR h.spoken_of)
    ), {again}, kept AS (
        -- Not what an event changed after the answer; nor, of what only the state has, what came in after the question,
        -- or from another agent of the zone: the one that was asked cannot speak for it.
        INSERT INTO outbox.difference (sync_id, row_key, kind, message_id, position)
        SELECT %(sync_id)s, f.row_key, f.kind, f.message_id, f.position
        FROM found AS f
        WHERE NOT EXISTS (
            SELECT
            FROM inbox.object_event AS e
            JOIN inbox.message AS m USING (message_id)
            WHERE e.zone_id = %(zone_id)s AND e.row_key = f.row_key AND e.object_name = %(object_name)s
                AND e.outcome IN ('applied', 'held', 'unfit', 'superseded')
                AND (
                    e.ordered_at > f.ordered_at
                    OR (f.kind = 'missing_there' AND (m.received_at >= %(asked_at)s OR {of_another}))
                )
        ) AND NOT EXISTS (
            SELECT
            FROM again AS a
            WHERE a.content_hash = f.content_hash
                AND (a.ordered_at > f.ordered_at OR (f.kind = 'missing_there' AND a.speaks_for_it))
        )
        RETURNING kind
    )
    SELECT kind, count(*) FROM kept GROUP BY kind
    """
)

ONLY_HERE: Final = SQL(
    """
    WITH {again}
    SELECT replace(d.row_key::text, '-', ''), c.document
    FROM outbox.difference AS d
    JOIN {current} AS c ON c.zone_id = %(zone_id)s AND c.row_key = d.row_key
    WHERE d.sync_id = %(sync_id)s AND d.kind = 'missing_there' AND NOT EXISTS (
        SELECT
        FROM inbox.object_event AS e
        JOIN inbox.message AS m USING (message_id)
        WHERE e.zone_id = %(zone_id)s AND e.row_key = d.row_key AND e.object_name = %(object_name)s
            AND e.outcome IN ('applied', 'held', 'unfit', 'superseded')
            AND (e.ordered_at > %(as_of)s OR m.received_at >= %(asked_at)s OR {of_another})
    ) AND NOT EXISTS (SELECT FROM again AS a WHERE a.content_hash = c.content_hash)
    ORDER BY d.row_key
    """
)


def _write_down(
    connection: Connection, sync: Claimed, as_of: datetime, counts: Counts, last_message_id: int | None
) -> None:
    reason = _reason(counts, sync.change_limit)
    state = SyncState.WAITING if reason else SyncState.COMPARED
    row = sync.row | {"state": state.value, "as_of": as_of, "reason": reason}
    row |= {name: getattr(counts, name) for name in ("there", "here", "missing_here", "missing_there", "different")}
    connection.execute(QUERIES["compared"], row)
    connection.execute(QUERIES["unnote"], row)
    connection.execute(QUERIES["note"], row | {"last_message_id": last_message_id or 0, "most": FINDINGS})
    for (outdated,) in connection.execute(QUERIES["outdated"], row).fetchall():
        refuse(connection, outdated, f"Sync {sync.sync_id} has newer data.")


def _reason(counts: Counts, limit: Decimal) -> str | None:
    """Say why a person has to look at a comparison before it is applied; None when nobody has to."""
    touched = counts.missing_there + counts.different
    if counts.here and touched > limit * counts.here:
        share = f"{100 * touched / counts.here:.1f} % of {counts.here:,} objects ({100 * limit:.1f} % may)"
        return f"It would delete {counts.missing_there:,} and change {counts.different:,}: {share}."
    if counts.nameless and counts.missing_there:
        nameless = counted(counts.nameless, "object")
        return f"{nameless} of the answer without a readable key, {counts.missing_there:,} missing."
    return None


# -- applying


def _release(connection: Connection, sync_id: int) -> bool:
    """Give an answer to the drain, packets as they came and deletions as events of ours, all or nothing."""
    sync = _claim(connection, sync_id, SyncState.COMPARED)
    if sync is None:
        return False
    _await_drained(connection, sync, None)
    connection.execute(QUERIES["unnote_earlier"], sync.row)
    if sync.deletes:
        _store_deletions(connection, sync)
    connection.execute(QUERIES["move_packets"], sync.row | {"state": MessageState.PENDING.value})
    connection.execute(QUERIES["not_before_now"], sync.row)
    connection.execute(QUERIES["end"], {"sync_id": sync_id, "state": SyncState.APPLIED.value, "reason": None})
    connection.execute(QUERIES["wake_drain"])
    return True


def _store_deletions(connection: Connection, sync: Claimed) -> None:
    with connection.cursor("deletions") as found:
        found.itersize = DELETIONS
        found.execute(_statements(sync.cls)["only_here"], sync.row)
        number = 0
        while some := list(islice(found, DELETIONS)):
            number += 1
            connection.execute(QUERIES["store_deletion"], _deletion(sync, number, some))


def _deletion(sync: Claimed, number: int, some: list[tuple[str, str]]) -> dict[str, Any]:
    """Make the row of an event that deletes some objects as of the answer; its SIF_MsgId follows from the sync."""
    identity = f"{sync.request_msg_id}\x1fdelete\x1f{number}"
    msg_id = hashlib.sha256(identity.encode()).hexdigest()[:32].upper()
    wrapped = "".join(
        f'<SIF_EventObject ObjectName="{sync.object_name}" Action="Delete">{_key(sync.cls, *one)}</SIF_EventObject>'
        for one in some
    )
    content = f"<SIF_ObjectData>{wrapped}</SIF_ObjectData>"
    written = write_message("SIF_Event", content, msg_id=msg_id, now=sync.as_of)
    return {
        "zone_id": sync.zone_id,
        "source_id": SOURCE_ID,
        "msg_id": written.msg_id,
        "request_msg_id": sync.request_msg_id,
        "sif_version": NEWEST_ACK,
        "sif_timestamp": sync.as_of,
        "body": written.body,
    }


def _key(cls: type[SifObject], row_key: str, document: str) -> str:
    """Write an object with its key only: its RefId, or the attributes and elements its natural key is made of."""
    if cls.key_paths == ("@RefId",):
        return f'<{cls.sif_name} RefId="{row_key.upper()}"/>'
    element = gate.reopen(document.encode())
    for child in list(element):
        if local(child) not in cls.key_paths:
            element.remove(child)
    return etree.tostring(element, encoding="unicode", with_tail=False)
