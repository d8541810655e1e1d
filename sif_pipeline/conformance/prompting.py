"""What the zone does in a run, so that the agent has something to take and to answer."""

from datetime import timedelta
from typing import Final

from sif_pipeline.conformance.evidence import Evidence, Sent
from sif_pipeline.database import Connection
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.messages import spoken_with
from sif_pipeline.sif.writing import LogEntry, LogLevel, Written, write_log_entry, write_request
from sif_pipeline.zone import queue, routing
from warehouse.base import objects

SMALL, LARGE = 16 * 1024, 1024 * 1024
"""Bytes of the packets asked for: a response of many objects must be split, and may be big."""

FAVOURITE: Final = "StudentPersonal"
"""Asked for where the agent provides it: districts have many."""


def ask(connection: Connection, evidence: Evidence) -> bool:
    """Ask the agent for an object it provides, in small packets and in large ones, once in a run.

    False: there is nothing to ask, or it was asked. It is committed on return.
    """
    names = [name for name in sorted(evidence.provides) if name in objects()]
    if not names or evidence.asked or not evidence.agent.is_registered:
        return False
    name = FAVOURITE if FAVOURITE in names else names[0]
    with connection.transaction():
        for size in (SMALL, LARGE):
            _ask(connection, evidence, name, size)
    return True


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


def tell(connection: Connection, evidence: Evidence, already: set[str]) -> int:
    """Send a SIF_LogEntry for each object with findings, as a zone of a district does; return how many.

    `already` are the SIF_MsgIds of which the agent was told; it grows.
    """
    bad = [sent for sent in evidence.sent if sent.errors and sent.msg_id not in already]
    version = spoken_with(evidence.agent.versions)
    with connection.transaction():
        for sent in bad:
            already.add(sent.msg_id)
            written = write_log_entry(_entry(sent), version=version, destination_id=evidence.source_id)
            outgoing = _outgoing(written, "SIF_Event", "SIF_LogEntry")
            queue.enqueue_now(connection, evidence.zone_id, evidence.source_id, outgoing)
    return len(bad)


def _entry(sent: Sent) -> LogEntry:
    """Say the first finding of an object: category 3, code 2, data that failed a rule (standard, SIF_LogEntry)."""
    first = sent.errors[0]
    place = f"{sent.object_name}, message {sent.msg_id}, line {first.line or sent.line}"
    details = f"{place}, {first.path}" if first.path else place
    return LogEntry(3, 2, f"{first.type.title} {first.type.remedy}", LogLevel.ERROR, first.code, details)
