"""What must be true of a warehouse after any faults, worked out from the senders' ledgers alone.

Plain SQL, xml.etree and a naive fold: nothing here is shared with the product, so that no mistake of the product is
repeated. Every violation is a sentence.
"""

import hashlib
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from xml.etree.ElementTree import Element

import psycopg
from proof_traffic import NAMESPACE, Ledger, read

NS = f"{{{NAMESPACE}}}"

REFERS = {
    "SchoolInfo": [("LEAInfo", "LEAInfoRefId")],
    "StudentSchoolEnrollment": [("StudentPersonal", "@StudentPersonalRefId"), ("SchoolInfo", "@SchoolInfoRefId")],
}
REQUIRED = {"StudentPersonal": {"LocalId", "Name"}, "LEAInfo": {"LEAName"}, "SchoolInfo": {"SchoolName"}}
COLUMNS = {
    "LEAInfo": ("lea_info", {"lea_name": "LEAName"}),
    "SchoolInfo": ("school_info", {"school_name": "SchoolName"}),
    "StudentPersonal": ("student_personal", {"local_id": "LocalId"}),
    "StudentSchoolEnrollment": ("student_school_enrollment", {"entry_date": "EntryDate", "exit_date": "ExitDate"}),
}

Parts = dict[str, str]
"""An object as its parts: child element or @attribute, and all text below it."""


@dataclass(frozen=True)
class Event:
    """One object in a message, as xml.etree reads it."""

    msg_id: str
    position: int
    action: str
    name: str
    ref_id: str
    parts: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.ref_id

    @property
    def is_flawed(self) -> bool:
        """Whether it lacks what an Add must have."""
        return self.action == "Add" and not REQUIRED.get(self.name, set()) <= dict(self.parts).keys()


def events_of(msg_id: str, body: bytes) -> list[Event]:
    """Read the events of a message."""
    found = []
    for wrapper in read(body).iter(f"{NS}SIF_EventObject"):
        for element in wrapper:
            found.append(
                Event(
                    msg_id,
                    len(found) + 1,
                    wrapper.get("Action", ""),
                    element.tag.removeprefix(NS),
                    element.get("RefId", ""),
                    tuple(parts_of(element).items()),
                )
            )
    return found


def parts_of(element: Element) -> Parts:
    attributes = {f"@{name}": value for name, value in element.items() if name != "RefId"}
    return attributes | {child.tag.removeprefix(NS): "".join(child.itertext()) for child in element}


Version = tuple[str, Parts | None]
"""SIF_MsgId of the message that made it, and the object; None where it is gone."""


class World:
    """One zone, folded naively: after each message every object it can concern is folded anew from all its events."""

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], list[Event]] = defaultdict(list)
        self.known: set[tuple[str, str]] = set()
        self.versions: dict[tuple[str, str], list[Version]] = defaultdict(list)
        self.outcomes: dict[tuple[str, int], str] = {}

    def take(self, msg_id: str, events: list[Event]) -> None:
        """Take one message in; what it changes is known from this message on."""
        for event in events:
            if event.is_flawed:
                self.outcomes[event.msg_id, event.position] = "rejected"
            else:
                self.events[event.key].append(event)
        touched = {event.key for event in events}
        while arrived := self._arrived() - self.known:
            self.known |= arrived
            touched = set(self.events)
        for key in touched & self.events.keys():
            state = self._folded(key)
            if state != (self.versions[key][-1][1] if self.versions[key] else None):
                self.versions[key].append((msg_id, state))

    def _arrived(self) -> set[tuple[str, str]]:
        """Find the objects of which some Add has all it refers to."""
        adds = (event for of_one in self.events.values() for event in of_one if event.action == "Add")
        return {event.key for event in adds if self._has_parents(event)}

    def _has_parents(self, event: Event) -> bool:
        if event.action == "Delete":
            return True
        parts = dict(event.parts)
        return all((name, parts[part]) in self.known for name, part in REFERS.get(event.name, []) if part in parts)

    def _folded(self, key: tuple[str, str]) -> Parts | None:
        state: Parts | None = None
        says_all = [e.action == "Delete" or (e.action == "Add" and self._has_parents(e)) for e in self.events[key]]
        for number, event in enumerate(self.events[key]):
            outcome = "applied"
            if not self._has_parents(event) or (event.action == "Change" and state is None):
                outcome = "superseded" if any(says_all[number + 1 :]) else "held"
            elif event.action == "Change":
                state = {**(state or {}), **dict(event.parts)}
            else:
                state = dict(event.parts) if event.action == "Add" else None
            self.outcomes[event.msg_id, event.position] = outcome
        return state


def world_of(ledger: Ledger) -> World:
    """Fold what a district sent, in the order it was sent."""
    world = World()
    for sent in ledger.messages:
        if sent.acked:
            world.take(sent.msg_id, events_of(sent.msg_id, sent.body))
    return world


def check(url: str, ledgers: list[Ledger]) -> list[str]:
    """Give all violations found; none when everything acknowledged is there, once, in order, and loaded."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = _leftovers_after(connection, 60)
        for ledger in ledgers:
            (zone_id,) = connection.execute("SELECT zone_id FROM inbox.zone WHERE name = %s", (ledger.zone,)).fetchone()
            problems = [
                *_inbox(connection, zone_id, ledger),
                *_events(connection, zone_id, world := world_of(ledger)),
                *_history(connection, zone_id, ledger, world),
            ]
            found += [f"{ledger.zone}: {problem}" for problem in problems]
    return found


def _leftovers_after(connection: psycopg.Connection, seconds: float) -> list[str]:
    """Find what stays: the server works on, and a killed client's backend takes a moment to see that it is alone."""
    until = time.monotonic() + seconds
    while (found := _leftovers(connection)) and time.monotonic() < until:
        time.sleep(0.1)
    return found


def _leftovers(connection: psycopg.Connection) -> list[str]:
    advisory = connection.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7437 AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    ).fetchone()
    idle = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
    ).fetchone()
    return [
        f"{count} {what}"
        for (count,), what in ((advisory, "zones are locked"), (idle, "transactions are open"))
        if count
    ]


def _inbox(connection: psycopg.Connection, zone_id: int, ledger: Ledger) -> list[str]:
    """Every acknowledged message is there once, byte for byte and done; none is there that nobody sent."""
    rows = defaultdict(list)
    for msg_id, *row in connection.execute(
        "SELECT msg_id, body, body_sha256, state, duplicates FROM inbox.message"
        " WHERE zone_id = %s AND message_type = 'SIF_Event'",
        (zone_id,),
    ):
        rows[msg_id].append(row)
    problems = [
        f"message {msg_id} was never sent" for msg_id in rows.keys() - {sent.msg_id for sent in ledger.messages}
    ]
    for sent in ledger.messages:
        if sent.acked:
            problems += _one_message(sent, rows[sent.msg_id])
    return problems


def _one_message(sent, rows) -> list[str]:
    if len(rows) != 1:
        return [f"acknowledged message {sent.msg_id} is {'lost' if not rows else f'there {len(rows)} times'}"]
    body, digest, state, duplicates = rows[0]
    problems = []
    if bytes(body) != sent.body:
        problems.append(f"message {sent.msg_id} is not what was sent")
    if bytes(digest) != hashlib.sha256(sent.body).digest():
        problems.append(f"the hash of message {sent.msg_id} is wrong")
    if state != "done":
        problems.append(f"message {sent.msg_id} is {state}")
    if duplicates < sent.sent_again:
        problems.append(f"message {sent.msg_id} was sent again {sent.sent_again} times, and {duplicates} are counted")
    return problems


def _events(connection: psycopg.Connection, zone_id: int, world: World) -> list[str]:
    """Every object of every message became once what the naive fold says."""
    stored = defaultdict(list)
    for msg_id, hashes in connection.execute(
        "SELECT m.msg_id, u.hashes FROM inbox.unchanged AS u JOIN inbox.message AS m USING (message_id)"
        " WHERE m.zone_id = %s",
        (zone_id,),
    ):
        for position in range(1, len(hashes) // 16 + 1):
            if any(hashes[position * 16 - 16 : position * 16]):
                stored[msg_id, position].append("applied")  # it said again what was there
    for msg_id, position, outcome in connection.execute(
        "SELECT m.msg_id, e.position, e.outcome FROM inbox.object_event AS e JOIN inbox.message AS m USING (message_id)"
        " WHERE m.zone_id = %s",
        (zone_id,),
    ):
        stored[msg_id, position].append(outcome)
    return [
        f"object {position} of message {msg_id} should be {world.outcomes.get((msg_id, position))}, is {outcomes}"
        for (msg_id, position), outcomes in {**{key: [] for key in world.outcomes}, **stored}.items()
        if outcomes != [world.outcomes.get((msg_id, position))]
    ]


@dataclass(frozen=True)
class Stored:
    """A version as the warehouse has it; no end for the current one."""

    start: datetime
    end: datetime | None
    msg_id: str
    document: str
    columns: tuple[str | None, ...]


def _history(connection: psycopg.Connection, zone_id: int, ledger: Ledger, world: World) -> list[str]:
    """Look whether recorded times rise as messages were sent, and versions are those that must be, end to end."""
    recorded = dict(
        connection.execute("SELECT msg_id, recorded_at FROM inbox.message WHERE zone_id = %s", (zone_id,)).fetchall()
    )
    times = [recorded.get(sent.msg_id) for sent in ledger.messages if sent.acked]
    problems = []
    if None in times or any(later <= earlier for earlier, later in pairwise(times)):
        problems.append("the messages were not drained in the order in which they were sent")
    for name in COLUMNS:
        stored = _versions(connection, zone_id, name)
        expected = {ref_id: versions for (of, ref_id), versions in world.versions.items() if of == name}
        for ref_id in {*stored, *expected}:
            wrong = _one_object(name, stored.get(ref_id, []), expected.get(ref_id, []), recorded)
            problems += [f"{name} {ref_id} {problem}" for problem in wrong]
    return problems


def _versions(connection: psycopg.Connection, zone_id: int, name: str) -> dict[str, list[Stored]]:
    table, columns = COLUMNS[name]
    listed = ", ".join(f"v.{column}::text" for column in columns)
    query = f"""
        SELECT upper(replace(v.row_key::text, '-', '')), v.recorded_from, v.recorded_to, m.msg_id, v.document, {listed}
        FROM (
            SELECT row_key, recorded_from, recorded_to, message_id, document, {", ".join(columns)}
            FROM sif_history.{table} WHERE zone_id = %(zone)s
            UNION ALL
            SELECT row_key, recorded_from, NULL, message_id, document, {", ".join(columns)}
            FROM sif.{table} WHERE zone_id = %(zone)s
        ) AS v
        LEFT JOIN inbox.message AS m USING (message_id)
        ORDER BY v.recorded_from
    """
    found = defaultdict(list)
    for ref_id, start, end, msg_id, document, *values in connection.execute(query, {"zone": zone_id}):
        found[ref_id].append(Stored(start, end, msg_id, document, tuple(values)))
    return found


def _one_object(name: str, stored: list[Stored], expected: list[Version], recorded: dict[str, datetime]) -> list[str]:
    spans = []
    for number, (msg_id, parts) in enumerate(expected):
        end = recorded.get(expected[number + 1][0]) if number + 1 < len(expected) else None
        if parts is not None:
            spans.append((recorded.get(msg_id), end, msg_id, parts))
    if [(v.start, v.end, v.msg_id) for v in stored] != [span[:3] for span in spans]:
        return [f"should have {len(spans)} versions, end to end, and has {len(stored)} or others"]
    columns = COLUMNS[name][1].values()
    return [
        f"is not what it should be since message {version.msg_id}"
        for version, (*_, parts) in zip(stored, spans, strict=True)
        if parts_of(read(version.document)) != parts or version.columns != tuple(parts.get(part) for part in columns)
    ]
