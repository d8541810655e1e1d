"""Taking what another's zone delivers into the inbox: stored and committed before the agent acknowledges it.

It is the same inbox as the zone server's and the files': one row for each zone, SIF_SourceId and SIF_MsgId. A
message that comes again, from either side's restart, is known by them.
"""

import hashlib
import logging
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout, TooManyRequests

from sif_pipeline.agent.answers import Delivered
from sif_pipeline.database import queries
from sif_pipeline.exceptions import UnknownZone
from sif_pipeline.sif.carried import CARRIERS
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.messages import Message
from sif_pipeline.sif.requests import Response
from warehouse.inbox import MessageState

SQL = {name: query.encode() for name, query in queries("agent").items()}

Pool = ConnectionPool[psycopg.Connection[Any]]
Outcome = int | Refused | None
"""How to acknowledge: a status of the standard, an error, or not at all: then it is delivered again."""

log = logging.getLogger(__name__)


def zone_facts(connection: psycopg.Connection[Any], zone: str) -> tuple[int, bool, bool]:
    """Give a zone's number, whether it is a sandbox, and whether it is suspended; raise UnknownZone."""
    row = connection.execute(SQL["zone"], {"name": zone}).fetchone()
    if row is None:
        raise UnknownZone(f"There is no zone {zone!r}; `sif-pipeline zone add` makes one.")
    zone_id, is_sandbox, is_suspended = row
    return zone_id, is_sandbox, is_suspended


def take(pool: Pool, zone: str, source_id: str, delivered: Delivered) -> Outcome:
    """Store one delivered message in a zone of ours and say how to acknowledge it; on return it is committed.

    1: stored, or nothing to store; 7: held already; None: the database is away or the zone suspended, so it must come
    again. `source_id` is our agent's, whose requests the packets of a SIF_Response are counted on.
    """
    try:
        with pool.connection() as connection:
            zone_id, is_sandbox, is_suspended = zone_facts(connection, zone)
            if is_suspended:
                return None
            outcome = _outcome(connection, zone_id, source_id, delivered, is_sandbox=is_sandbox)
    except (psycopg.Error, PoolTimeout, TooManyRequests) as error:
        facts = {"error": type(error).__name__, "sqlstate": getattr(error, "sqlstate", None)}
        log.warning("database_unavailable", extra={"facts": facts})
        return None
    return outcome


def _outcome(
    connection: psycopg.Connection[Any], zone_id: int, source_id: str, delivered: Delivered, *, is_sandbox: bool
) -> Outcome:
    message = delivered.content
    if isinstance(message, Refused):
        _audit(connection, zone_id, delivered, "message_refused", f"SIF_Error {message.category}/{message.code}")
        return message
    if message.message_type == "SIF_SystemControl":
        return 1  # the zone looks whether we are there, sleeps or wakes up: nothing to keep
    if message.message_type not in CARRIERS:
        return Refused(12, 2, f"This agent takes events and responses; it cannot answer a {message.message_type}.")
    state = MessageState.KEPT if is_sandbox else MessageState.PENDING
    row = _row(zone_id, message, delivered.body, state)
    if connection.execute(SQL["store"], row).fetchone() is None:
        return _known(connection, zone_id, delivered, row)
    if message.response is not None:
        _count_packet(connection, zone_id, source_id, message.response)
    return 1


def _row(zone_id: int, message: Message, body: bytes, state: MessageState) -> dict[str, Any]:
    response = message.response or Response()
    return {
        "zone_id": zone_id,
        "source_id": message.source_id,
        "msg_id": message.msg_id,
        "message_type": message.message_type,
        "sif_version": message.version,
        "sif_timestamp": message.timestamp,
        "body": body,
        "state": state.value,
        "request_msg_id": response.request_msg_id,
        "packet_number": response.packet_number,
        "more_packets": response.more_packets,
    }


def _known(connection: psycopg.Connection[Any], zone_id: int, delivered: Delivered, row: dict[str, Any]) -> Outcome:
    """Tell a message that came again from another one under the same SIF_MsgId, which is refused and audited."""
    (is_same,) = connection.execute(SQL["held"], row).fetchone() or (False,)
    if not is_same:
        _audit(connection, zone_id, delivered, "msg_id_conflict", f"MsgId {row['msg_id']} is held with other content")
        return Refused(12, 5, "Another message with this SIF_MsgId is held already; give each a SIF_MsgId of its own.")
    connection.execute(SQL["count_duplicate"], row)
    return 7


def _count_packet(connection: psycopg.Connection[Any], zone_id: int, source_id: str, response: Response) -> None:
    about: dict[str, Any] = {"zone_id": zone_id, "source_id": source_id}
    if response.error is not None:
        category, code = response.error
        values = about | {"msg_id": response.request_msg_id, "error": f"{category}/{code}"}
        connection.execute(SQL["end_request"], values)
        return
    values = about | {
        "request_msg_id": response.request_msg_id,
        "packet_number": response.packet_number,
        "more_packets": bool(response.more_packets),
    }
    if not connection.execute(SQL["packet"], values).rowcount:
        log.warning("packet_not_due", extra={"facts": {"request": response.request_msg_id}})


def _audit(connection: psycopg.Connection[Any], zone_id: int, delivered: Delivered, event: str, detail: str) -> None:
    digest = hashlib.sha256(delivered.body).hexdigest()
    values = {
        "event": event,
        "zone_id": zone_id,
        "source_id": delivered.original.source_id,
        "detail": f"{detail}; {len(delivered.body)} bytes, SHA-256 {digest}",
    }
    connection.execute(SQL["audit"], values)
