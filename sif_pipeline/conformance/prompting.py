"""What the zone does in a run, so that the agent has something to take and to answer."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sif_pipeline.conformance.evidence import SQL, Evidence, Sent
from sif_pipeline.database import Connection
from sif_pipeline.sif import gate
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.releases import spoken_with
from sif_pipeline.sif.writing import LogEntry, LogLevel, Written, header_of, write_log_entry, write_request
from sif_pipeline.zone import queue, recording, routing
from sif_pipeline.zone.log_entries import log_object
from warehouse.base import objects

SMALL, LARGE = 16 * 1024, 1024 * 1024
"""Bytes of the packets asked for: a response of many objects must be split, and may be big."""

MOST_TOLD: Final = 20
"""Findings that an agent is told of in a run."""

FAVOURITE: Final = "StudentPersonal"
"""Asked for where the agent provides it: districts have many."""


@dataclass(slots=True)
class Prompted:
    """What was done in a run, so that it is done once."""

    told: set[str] = field(default_factory=set)  #: SIF_MsgIds whose findings the agent was told
    withheld: bool = False  #: whether an answer is, or was, to be held back


def prompt(connection: Connection, evidence: Evidence, prompted: Prompted) -> None:
    """Do what is due, and commit it."""
    with connection.transaction():
        _ask_once(connection, evidence)
        _withhold(connection, evidence, prompted)
        _tell(connection, evidence, prompted)


def release(connection: Connection, evidence: Evidence) -> None:
    """Answer the agent again as ever when a run ends before an answer was held back."""
    with connection.transaction():
        connection.execute(recording.SQL["withheld"], {"zone_id": evidence.zone_id, "source_id": evidence.source_id})


def _ask_once(connection: Connection, evidence: Evidence) -> None:
    """Ask the agent for an object it provides, in small packets and in large ones."""
    names = [name for name in sorted(evidence.provides.union(evidence.agent.provides)) if name in objects()]
    if not names or evidence.asked or not evidence.agent.is_registered:
        return
    for size in (SMALL, LARGE):
        _ask(connection, evidence, FAVOURITE if FAVOURITE in names else names[0], size)


def _withhold(connection: Connection, evidence: Evidence, prompted: Prompted) -> None:
    """Have the answer to the agent's next event held back, as a network does that fails; not before one was good."""
    if not prompted.withheld and any(e.said == "SIF_Event" and e.is_good for e in evidence.exchanges):
        prompted.withheld = True
        if not any(e.code == "7" for e in evidence.exchanges):
            connection.execute(SQL["withhold"], {"zone_id": evidence.zone_id, "source_id": evidence.source_id})


def _ask(connection: Connection, evidence: Evidence, name: str, size: int) -> None:
    version, versions = spoken_with(evidence.agent.versions), ("2.*",)
    written = write_request(name, max_buffer_size=size, versions=versions, version=version)
    question = routing.Question(
        msg_id=written.msg_id,
        object_name=name,
        destination_id=evidence.source_id,
        versions=versions,
        max_buffer_size=size,
        lasts=timedelta(hours=24),
        purpose="conformance",
    )
    routing.ask_now(connection, evidence.zone_id, question, _outgoing(written, "SIF_Request", name))


def _outgoing(written: Written, kind: str, name: str) -> queue.Outgoing:
    return queue.Outgoing(SOURCE_ID, written.msg_id, kind, written.body, name)


def _tell(connection: Connection, evidence: Evidence, prompted: Prompted) -> None:
    """Send a SIF_LogEntry for objects with findings, as the zone of a district does to an agent that subscribed."""
    if not evidence.agent.wants_log_entries:
        return
    version = spoken_with(evidence.agent.versions)
    for sent in evidence.sent:
        if sent.errors and sent.msg_id not in prompted.told and len(prompted.told) < MOST_TOLD:
            prompted.told.add(sent.msg_id)
            written = write_log_entry(
                _entry(sent, _header(connection, evidence, sent)), version=version, destination_id=evidence.source_id
            )
            outgoing = _outgoing(written, "SIF_Event", "SIF_LogEntry")
            queue.enqueue_now(connection, evidence.zone_id, evidence.source_id, outgoing)


def _header(connection: Connection, evidence: Evidence, sent: Sent) -> str:
    about = {"zone_id": evidence.zone_id, "source_id": evidence.source_id, "msg_id": sent.msg_id}
    found = connection.execute(SQL["body"], about).fetchone()
    return header_of(gate.reopen(bytes(found[0]))) if found else ""


def _entry(sent: Sent, header: str) -> LogEntry:
    """Say the first finding of an object: category 3, code 2, data that failed a rule (standard, SIF_LogEntry)."""
    first = sent.errors[0]
    key = str(sent.key).replace("-", "") if sent.key is not None else None
    place = f"{sent.object_name}, message {sent.msg_id}, line {first.line or sent.line}"
    details = f"{place}, {first.path}" if first.path else place
    sentence = f"{first.type.title} {first.type.remedy}"
    return LogEntry(3, 2, sentence, LogLevel.ERROR, first.code, details, log_object(sent.object_name, key), header)
