"""The outbox: messages on their way to agents, requests and how far they are answered, and full syncs."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, func, text, true
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.base import OUTBOX, Base
from warehouse.inbox import Zone


class QueueState(StrEnum):
    """Where a message on its way to an agent stands."""

    QUEUED = "queued"  #: not yet handed to the agent
    DELIVERING = "delivering"  #: handed out at least once, and not settled by the agent's ack
    BLOCKED = "blocked"  #: the agent has it under selective message blocking, and will say when it is done
    DONE = "done"  #: settled by the agent's ack
    DROPPED = "dropped"  #: taken off without the agent's ack; last_failure tells why


class RequestState(StrEnum):
    """Where a SIF_Request stands."""

    OPEN = "open"  #: packets are awaited
    COMPLETE = "complete"  #: the last packet has come
    FAILED = "failed"  #: answered with a SIF_Error
    CANCELLED = "cancelled"  #: called off with SIF_CancelRequests
    TIMED_OUT = "timed_out"  #: the last packet did not come in time


class SyncState(StrEnum):
    """Where a full sync of one object in one zone stands."""

    ASKED = "asked"  #: the request is on its way
    RECEIVING = "receiving"  #: packets come in and are staged
    COMPARED = "compared"  #: all packets are there and compared with what events had built
    WAITING = "waiting"  #: it would change more than the zone's limit: a person decides
    APPLIED = "applied"  #: its differences were given to the drain as events
    REFUSED = "refused"  #: a person decided against it
    FAILED = "failed"  #: the request failed, timed out or was cancelled


_WAITING = "state IN ('queued', 'delivering', 'blocked')"


class OutgoingMessage(Base):
    """One message on its way to an agent: a queue per agent, first in first out, until the agent's ack."""

    __tablename__ = "message"
    __table_args__ = (
        Index("ix_message_waiting", "zone_id", "source_id", "queue_id", postgresql_where=text(_WAITING)),
        Index(
            "ix_message_waiting_no_event",
            "zone_id",
            "source_id",
            "queue_id",
            postgresql_where=text(f"{_WAITING} AND message_type <> 'SIF_Event'"),
        ),
        Index(
            "ix_message_handed_out",
            "zone_id",
            "source_id",
            postgresql_where=text("state IN ('delivering', 'blocked')"),
        ),
        Index("ix_message_msg_id", "zone_id", "msg_id"),
        Index("ix_message_settled", "settled_at", postgresql_where=text("state IN ('done', 'dropped')")),
        {"schema": OUTBOX, "comment": "Messages on their way to agents"},
    )

    queue_id: Mapped[int] = mapped_column(
        BigInteger, Identity(always=True), primary_key=True, comment="Place in the queue of its agent"
    )
    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id))
    source_id: Mapped[str] = mapped_column(comment="SIF_SourceId of the agent it goes to")
    sender_id: Mapped[str] = mapped_column(comment="SIF_SourceId in the message: the agent it comes from, or ours")
    msg_id: Mapped[str] = mapped_column(comment="SIF_MsgId in the message, the same at every delivery")
    message_type: Mapped[str] = mapped_column(comment="Element under SIF_Message")
    object_name: Mapped[str | None] = mapped_column(comment="SIF object it is about")
    request_msg_id: Mapped[str | None] = mapped_column(comment="Of a SIF_Response: SIF_RequestMsgId it answers")
    authentication_level: Mapped[int] = mapped_column(
        server_default="0", comment="SIF_AuthenticationLevel its SIF_SecureChannel asks for"
    )
    encryption_level: Mapped[int] = mapped_column(
        server_default="0", comment="SIF_EncryptionLevel its SIF_SecureChannel asks for"
    )
    body: Mapped[bytes] = mapped_column(LargeBinary, comment="The bytes to deliver, the same at every delivery")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    state: Mapped[str] = mapped_column(server_default=QueueState.QUEUED)
    attempts: Mapped[int] = mapped_column(server_default="0", comment="How often it was handed out")
    carriers: Mapped[list[str]] = mapped_column(
        server_default="{}", comment="SIF_MsgIds of the latest acks that carried it to a pull agent"
    )
    delivered_at: Mapped[datetime | None] = mapped_column(comment="When it was last handed out")
    settled_at: Mapped[datetime | None] = mapped_column(comment="When it was taken off the queue")
    last_failure: Mapped[str | None] = mapped_column(comment="Kind of the last failure, without values")


class Sync(Base):
    """One full sync of one object in one zone, and what the comparison with the state's data found."""

    __tablename__ = "sync"
    __table_args__ = (
        Index("ix_sync_zone", "zone_id", "object_name", "asked_at"),
        Index("ix_sync_open", "sync_id", postgresql_where=text("ended_at IS NULL")),
        {"schema": OUTBOX, "comment": "Full syncs of one object in one zone"},
    )

    sync_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id))
    object_name: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    state: Mapped[str] = mapped_column(server_default=SyncState.ASKED)
    there: Mapped[int | None] = mapped_column(comment="Objects that the district sent")
    here: Mapped[int | None] = mapped_column(comment="Objects that the state had")
    missing_here: Mapped[int | None] = mapped_column(comment="Objects that only the district has")
    missing_there: Mapped[int | None] = mapped_column(comment="Objects that only the state had")
    different: Mapped[int | None] = mapped_column(comment="Objects that both have and that differ")
    decided_by: Mapped[str | None] = mapped_column(
        comment="Who let it be applied or refused it; limit: the zone's limit"
    )
    decided_at: Mapped[datetime | None] = mapped_column(comment="When that was")
    as_of: Mapped[datetime | None] = mapped_column(
        comment="Time of the answer, by the district's clock within reason; what changed after it is not compared"
    )
    deletes: Mapped[bool] = mapped_column(
        server_default=true(), comment="Whether objects that only the state had are deleted when it is applied"
    )
    reason: Mapped[str | None] = mapped_column(comment="Why it waits, or why it failed; never a value")
    ended_at: Mapped[datetime | None] = mapped_column(comment="When it was applied, refused or failed")


class Difference(Base):
    """One object that a full sync found to be otherwise in the district than in the warehouse."""

    __tablename__ = "difference"
    __table_args__ = {
        "schema": OUTBOX,
        "comment": "Objects that a full sync found to differ",
    }

    sync_id: Mapped[int] = mapped_column(ForeignKey(Sync.sync_id), primary_key=True)
    row_key: Mapped[UUID] = mapped_column(primary_key=True, comment="The object's RefId, or a hash of its natural key")
    kind: Mapped[str] = mapped_column(comment="missing_here, missing_there or different")
    message_id: Mapped[int | None] = mapped_column(BigInteger, comment="Packet that brought it; empty if none did")
    position: Mapped[int | None] = mapped_column(comment="Place in the packet, from 1")


class Request(Base):
    """One SIF_Request, of the state or of an agent, and how far it is answered."""

    __tablename__ = "request"
    __table_args__ = (
        Index("ix_request_open", "expires_at", postgresql_where=text("state = 'open'")),
        Index("ix_request_sync_id", "sync_id", postgresql_where=text("sync_id IS NOT NULL")),
        {"schema": OUTBOX, "comment": "SIF_Requests and how far they are answered"},
    )

    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id), primary_key=True)
    source_id: Mapped[str] = mapped_column(
        primary_key=True, comment="SIF_SourceId of who asks; SIF-PIPELINE for the state"
    )
    msg_id: Mapped[str] = mapped_column(primary_key=True, comment="SIF_MsgId of the request")
    object_name: Mapped[str] = mapped_column(comment="SIF object asked for")
    destination_id: Mapped[str] = mapped_column(comment="SIF_SourceId of the agent that is asked")
    versions: Mapped[list[str]] = mapped_column(server_default="{}", comment="SIF_Version the response may have")
    max_buffer_size: Mapped[int] = mapped_column(BigInteger, comment="Largest packet the requester takes, bytes")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    expires_at: Mapped[datetime] = mapped_column(comment="When it is given up unless a packet comes before")
    next_packet: Mapped[int] = mapped_column(server_default="1", comment="SIF_PacketNumber that is due")
    state: Mapped[str] = mapped_column(server_default=RequestState.OPEN)
    ended_at: Mapped[datetime | None] = mapped_column(comment="When it was answered or given up")
    error: Mapped[str | None] = mapped_column(comment="SIF_Error it ended with, as category/code")
    purpose: Mapped[str | None] = mapped_column(comment="sync for a full sync; empty otherwise")
    sync_id: Mapped[int | None] = mapped_column(ForeignKey(Sync.sync_id), comment="The full sync it is part of")
