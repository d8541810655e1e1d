"""The inbox: zones and their agents, messages as received, what became of each object in them, and the findings."""

from datetime import datetime, time
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    false,
    func,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from warehouse.base import INBOX, Base


class MessageState(StrEnum):
    """Where a message stands."""

    PENDING = "pending"  #: stored and acknowledged, not yet drained
    DONE = "done"  #: drained: every object in it is loaded, held or rejected
    QUARANTINED = "quarantined"  #: the drain failed on it three times: a bug of ours, for an operator to look at
    STAGED = "staged"  #: a packet of a full sync that waits for its comparison; no drain takes it
    KEPT = "kept"  #: never drained: of a sandbox zone, or of a full sync that was refused or failed


class Outcome(StrEnum):
    """What became of one object event."""

    APPLIED = "applied"  #: it takes part in the fold of its object
    HELD = "held"  #: it waits for another object, or for its own object's Add
    SUPERSEDED = "superseded"  #: it waited, and a later whole image or Delete has said everything since
    UNFIT = "unfit"  #: valid in itself, but the object it would make is not
    UNCHANGED = "unchanged"  #: the same image again: it changes nothing, and leaves a hash in the message's row only
    REJECTED = "rejected"  #: not valid in itself; never part of a fold
    UNKNOWN = "unknown"  #: an object this state does not collect; kept in the message only


class Zone(Base):
    """A district's connection: its name, its district code and the hash of its URL token."""

    __tablename__ = "zone"
    __table_args__ = {"schema": INBOX, "comment": "A district's connection"}

    zone_id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True, comment="Name of the zone, chosen by the state")
    lea_code: Mapped[str] = mapped_column(comment="State code of the district (LEA)")
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True, comment="SHA-256 of the zone URL's token")
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_recorded_at: Mapped[datetime | None] = mapped_column(
        comment="Recorded time of the latest drained message; the next one is later, whatever the clock says"
    )
    recorded: Mapped[int] = mapped_column(
        BigInteger, server_default="0", comment="Messages up to last_recorded_at, so that nobody need count them"
    )
    last_received_at: Mapped[datetime | None] = mapped_column(comment="Latest receipt of any of those")
    last_ordered_at: Mapped[datetime | None] = mapped_column(
        comment="Place in the fold of the newest drained message: its time"
    )
    last_ordered_id: Mapped[int | None] = mapped_column(
        BigInteger, comment="Place in the fold of the newest drained message: its number"
    )
    unchanged: Mapped[int] = mapped_column(
        BigInteger, server_default="0", comment="Objects that its messages said again, so that nobody need count them"
    )
    objects: Mapped[int] = mapped_column(BigInteger, server_default="0", comment="Objects in its drained messages")
    unknown: Mapped[int] = mapped_column(
        BigInteger, server_default="0", comment="Of those, how many are of kinds that the state does not collect"
    )
    authentication_level: Mapped[int] = mapped_column(
        server_default="0", comment="SIF_AuthenticationLevel agents must reach, 0 to 3"
    )
    encryption_level: Mapped[int] = mapped_column(
        server_default="0", comment="SIF_EncryptionLevel agents must reach, 0 to 4"
    )
    is_sandbox: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether what arrives is kept only, for trials of vendors"
    )
    suspended_at: Mapped[datetime | None] = mapped_column(comment="Since when the zone takes and gives nothing")
    log_entries: Mapped[bool] = mapped_column(
        server_default=true(), comment="Whether agents are told of findings by SIF_LogEntry"
    )
    solicited_only: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether a SIF_Response that nobody asked for is refused"
    )
    sync_at: Mapped[time | None] = mapped_column(comment="Time of day of the scheduled sync; empty for none")
    last_asked_at: Mapped[datetime | None] = mapped_column(comment="When the district was last asked on schedule")
    change_limit: Mapped[Decimal] = mapped_column(
        server_default="0.1", comment="Share of a sync's objects that it may remove or change without a person"
    )


class Agent(Base):
    """An agent that registered in a zone."""

    __tablename__ = "agent"
    __table_args__ = {
        "schema": INBOX,
        "comment": "An agent that registered in a zone",
    }

    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id), primary_key=True)
    source_id: Mapped[str] = mapped_column(primary_key=True, comment="SIF_SourceId, unique in the zone")
    name: Mapped[str | None] = mapped_column(comment="SIF_Name as registered")
    sif_version: Mapped[str | None] = mapped_column(comment="SIF_Message/@Version of the registration")
    mode: Mapped[str | None] = mapped_column(comment="Push or Pull")
    max_buffer_size: Mapped[int | None] = mapped_column(BigInteger, comment="Largest message the agent takes, bytes")
    push_url: Mapped[str | None] = mapped_column(comment="Where a push agent listens")
    registered_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    unregistered_at: Mapped[datetime | None] = mapped_column(comment="When it left; empty while registered")
    versions: Mapped[list[str] | None] = mapped_column(comment="SIF_Version as registered, wildcards as sent")
    accepts_gzip: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether it registered Accept-Encoding gzip"
    )
    takes_bundles: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether it registered SupportsBundledEvents"
    )
    secure: Mapped[bool | None] = mapped_column(comment="SIF_Protocol/@Secure as registered")
    vendor: Mapped[str | None] = mapped_column(comment="Vendor of the agent as registered")
    application: Mapped[str | None] = mapped_column(comment="Product and version of the agent as registered")
    is_asleep: Mapped[bool] = mapped_column(
        server_default=false(), comment="Whether it asked with SIF_Sleep for nothing to be delivered"
    )
    blocked_by: Mapped[str | None] = mapped_column(
        comment="SIF_MsgId of the event under selective message blocking, which holds all events of the agent"
    )
    next_try_at: Mapped[datetime | None] = mapped_column(
        comment="When delivery may be tried again after failures; empty for at once"
    )
    failures: Mapped[int] = mapped_column(server_default="0", comment="Deliveries that failed in a row")
    last_failure: Mapped[str | None] = mapped_column(comment="Kind of the last failure of delivery, without values")
    failing_since: Mapped[datetime | None] = mapped_column(comment="When the first of these failures was")
    log_entries_until: Mapped[datetime | None] = mapped_column(
        comment="Recorded time up to which it was told of findings by SIF_LogEntry"
    )
    withhold_answer: Mapped[bool] = mapped_column(
        server_default=false(), comment="In a sandbox: whether the answer to its next event is held back, once"
    )


class Provision(Base):
    """One right or duty an agent declared in its SIF_Provision."""

    __tablename__ = "provision"
    __table_args__ = {
        "schema": INBOX,
        "comment": "What an agent provides or publishes",
    }

    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id), primary_key=True)
    source_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True, comment="List of SIF_Provision, such as SIF_ProvideObjects")
    object_name: Mapped[str] = mapped_column(primary_key=True)


class Access(Base):
    """One exception to what an agent may do with an object unless told otherwise."""

    __tablename__ = "access"
    __table_args__ = {
        "schema": INBOX,
        "comment": "Exceptions to what agents may do with objects",
    }

    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id), primary_key=True)
    source_id: Mapped[str] = mapped_column(primary_key=True, comment="SIF_SourceId; * for every agent of the zone")
    kind: Mapped[str] = mapped_column(primary_key=True, comment="List of SIF_AgentACL, such as SIF_SubscribeAccess")
    object_name: Mapped[str] = mapped_column(primary_key=True, comment="SIF object; * for every object")
    allowed: Mapped[bool]


class Certificate(Base):
    """A client certificate that identifies an agent of a zone."""

    __tablename__ = "certificate"
    __table_args__ = {
        "schema": INBOX,
        "comment": "Client certificates that identify agents",
    }

    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id), primary_key=True)
    fingerprint: Mapped[bytes] = mapped_column(
        LargeBinary, primary_key=True, comment="SHA-256 of the certificate in DER"
    )
    subject: Mapped[str] = mapped_column(comment="Distinguished name in the certificate")
    source_id: Mapped[str | None] = mapped_column(comment="The agent it belongs to; empty for any of the zone")
    not_after: Mapped[datetime] = mapped_column(comment="When it expires")
    added_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    revoked_at: Mapped[datetime | None] = mapped_column(comment="Since when it is no longer taken")


APART = "state <> 'pending' AND (state <> 'done' OR held > 0 OR rejected > 0 OR duplicates > 0 OR recorded_at IS NULL)"
"""What tells messages that a status looks at one by one from all that were simply loaded."""


class Message(Base):
    """One SIF message exactly as received, and where it stands."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("zone_id", "source_id", "msg_id"),
        Index(
            "ix_message_pending",
            "zone_id",
            "recorded_at",
            "message_id",
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_message_recorded", "zone_id", "recorded_at"),
        # What is not pending and not simply loaded: with the zones' counts, all that a status asks for.
        Index(
            "ix_message_apart",
            "zone_id",
            postgresql_include=["state", "objects", "held", "rejected", "duplicates", "recorded_at", "received_at"],
            postgresql_where=text(APART),
        ),
        Index(
            "ix_message_staged",
            "zone_id",
            "request_msg_id",
            "packet_number",
            postgresql_where=text("state = 'staged'"),
        ),
        {"schema": INBOX, "comment": "SIF messages as received"},
    )

    message_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id))
    source_id: Mapped[str] = mapped_column(comment="SIF_SourceId of the sender")
    msg_id: Mapped[str] = mapped_column(comment="SIF_MsgId; with zone and source it identifies the message")
    message_type: Mapped[str] = mapped_column(comment="Element under SIF_Message, or Objects for a bare list")
    sif_version: Mapped[str | None] = mapped_column(comment="SIF_Message/@Version")
    sif_timestamp: Mapped[datetime | None] = mapped_column(comment="SIF_Timestamp; UTC when it came without offset")
    origin: Mapped[str] = mapped_column(
        comment="http, file, agent (pulled from a zone of another), or sync (a deletion of ours)"
    )
    received_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    first_line: Mapped[int | None] = mapped_column(
        comment="Line of its file that its first line stands for; empty when it came by no file"
    )
    body: Mapped[bytes] = mapped_column(LargeBinary, comment="The bytes as received")
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(server_default=MessageState.PENDING)
    duplicates: Mapped[int] = mapped_column(server_default="0", comment="How often the same message came again")
    attempts: Mapped[int] = mapped_column(server_default="0", comment="Drains that failed on this message")
    last_failure: Mapped[str | None] = mapped_column(comment="Exception class and SQLSTATE of the last failed drain")
    recorded_at: Mapped[datetime | None] = mapped_column(
        comment="Recorded time of everything this message changed; unique and rising within the zone"
    )
    ordered_at: Mapped[datetime | None] = mapped_column(comment="Its events' place in the fold, once it is drained")
    loaded_at: Mapped[datetime | None] = mapped_column(comment="Clock time at which the drain settled the message")
    objects: Mapped[int] = mapped_column(server_default="0", comment="Object events in the message")
    held: Mapped[int] = mapped_column(server_default="0", comment="Of those, how many are held now")
    rejected: Mapped[int] = mapped_column(server_default="0", comment="Of those, how many are rejected or unfit")
    unchanged: Mapped[int] = mapped_column(
        server_default="0", comment="Of those, how many said again what was known, and are no object events"
    )
    unknown: Mapped[int] = mapped_column(
        server_default="0", comment="Of those, how many are of kinds that the state does not collect"
    )
    request_msg_id: Mapped[str | None] = mapped_column(
        comment="SIF_MsgId of the request that it answers, or whose full sync made it"
    )
    packet_number: Mapped[int | None] = mapped_column(comment="Of a SIF_Response: SIF_PacketNumber, from 1")
    more_packets: Mapped[bool | None] = mapped_column(comment="Of a SIF_Response: whether more packets follow")


class ObjectEvent(Base):
    """One object in one message: what it asks for and what became of it."""

    __tablename__ = "object_event"
    __table_args__ = (
        Index(
            "ix_object_event_fold",
            "zone_id",
            "row_key",
            "ordered_at",
            "message_id",
            "position",
            postgresql_where=text("outcome IN ('applied', 'held', 'unfit', 'superseded')"),
        ),
        Index(
            "ix_object_event_waiting",
            "zone_id",
            "waiting_key",
            postgresql_where=text("outcome IN ('held', 'superseded')"),
        ),
        {"schema": INBOX, "comment": "One object in one message and what became of it"},
    )

    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Place in the message, from 1")
    zone_id: Mapped[int]
    object_name: Mapped[str]
    row_key: Mapped[UUID | None] = mapped_column(comment="Key of the object; empty where it could not be read")
    action: Mapped[str] = mapped_column(comment="Add, Change, Delete, or Response for a whole image")
    ordered_at: Mapped[datetime] = mapped_column(comment="Place in the fold: SIF_Timestamp, bounded by receipt")
    outcome: Mapped[str]
    waiting_object: Mapped[str | None] = mapped_column(comment="Kind of object a held event waits for")
    waiting_key: Mapped[UUID | None] = mapped_column(comment="Key of the object a held event waits for")


class Unchanged(Base):
    """What a message said again: hashes of its objects that were known already, instead of object events."""

    __tablename__ = "unchanged"
    __table_args__ = (
        Index("ix_unchanged_order", "zone_id", "ordered_at", "message_id"),
        {"schema": INBOX, "comment": "Objects of messages that said again what was known"},
    )

    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    zone_id: Mapped[int]
    ordered_at: Mapped[datetime] = mapped_column(comment="Place in the fold, as of the message")
    recorded_at: Mapped[datetime] = mapped_column(comment="Recorded time of the message")
    hashes: Mapped[bytes] = mapped_column(
        LargeBinary, comment="16 bytes for each object of the message: its content_hash, or zeros for an object event"
    )


class OutcomeChange(Base):
    """What an object event's outcome was before a later message changed it; replay rewinds by it."""

    __tablename__ = "outcome_change"
    __table_args__ = (
        Index("ix_outcome_change_zone", "zone_id", "recorded_at"),
        {"schema": INBOX, "comment": "Earlier outcomes of object events"},
    )

    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime] = mapped_column(
        primary_key=True, comment="Recorded time of the message that changed it"
    )
    zone_id: Mapped[int]
    outcome: Mapped[str] = mapped_column(comment="The outcome until then")
    waiting_object: Mapped[str | None]
    waiting_key: Mapped[UUID | None]


class NoticeRow(Base):
    """One finding; it is open until a later event of the same object is applied."""

    __tablename__ = "notice"
    __table_args__ = (
        Index("ix_notice_open", "zone_id", "row_key", postgresql_where=text("resolved_at IS NULL")),
        Index("ix_notice_message", "message_id"),
        Index("ix_notice_recorded", "zone_id", "recorded_at"),
        {"schema": INBOX, "comment": "Findings, without the offending value"},
    )

    notice_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    zone_id: Mapped[int]
    message_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(comment="Object in the message, from 1; 0 for the message itself")
    object_name: Mapped[str | None]
    row_key: Mapped[UUID | None]
    code: Mapped[str] = mapped_column(comment="Stable code; the catalogue has its words")
    severity: Mapped[str]
    path: Mapped[str] = mapped_column(comment="Element path the finding is about")
    line: Mapped[int] = mapped_column(comment="Line of the message as received; 0 when unknown")
    times: Mapped[int] = mapped_column(
        server_default="1", comment="How many findings it stands for: more than one where it counts what is not listed"
    )
    recorded_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None] = mapped_column(comment="Recorded time at which the object was good again")


class Audit(Base):
    """Security-relevant facts: refused URLs, conflicting messages, unregistered agents. No personal data."""

    __tablename__ = "audit"
    __table_args__ = {"schema": INBOX, "comment": "Security-relevant facts"}

    audit_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    event: Mapped[str] = mapped_column(comment="What happened, a snake_case word")
    zone_id: Mapped[int | None]
    source_id: Mapped[str | None]
    detail: Mapped[str | None] = mapped_column(comment="Ids, hashes and counts only")


class Refusal(Base):
    """What messages of an agent, or files, were refused for: the latest of them, and how many there were."""

    __tablename__ = "refusal"
    __table_args__ = {"schema": INBOX, "comment": "Messages that were refused, by sender and error"}

    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id), primary_key=True)
    source_id: Mapped[str] = mapped_column(
        primary_key=True, comment="SIF_SourceId as the message had it; empty where it could not be read"
    )
    category: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="SIF_Category of the answer")
    code: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="SIF_Code of the answer")
    fault: Mapped[str] = mapped_column(primary_key=True, comment="Start of the sentence, with # for its numbers")
    sentence: Mapped[str] = mapped_column(comment="SIF_Desc of the latest answer; never a value of a message")
    message_type: Mapped[str | None] = mapped_column(comment="Type of the latest message, as far as it could be read")
    msg_id: Mapped[str | None] = mapped_column(comment="SIF_MsgId of the latest message, as far as it could be read")
    times: Mapped[int] = mapped_column(BigInteger, server_default="1", comment="How many messages were refused so")
    first_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    last_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())


class Exchange(Base):
    """What an agent of a sandbox said, in order, and how it was answered: a conformance run judges by it."""

    __tablename__ = "exchange"
    __table_args__ = (
        Index("ix_exchange_agent", "zone_id", "source_id", "exchange_id"),
        {"schema": INBOX, "comment": "What agents of sandboxes said, and the answers"},
    )

    exchange_id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey(Zone.zone_id))
    at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    source_id: Mapped[str | None] = mapped_column(comment="SIF_SourceId; empty where it could not be read")
    msg_id: Mapped[str | None] = mapped_column(comment="SIF_MsgId; empty where it could not be read")
    said: Mapped[str | None] = mapped_column(comment="Message type, or the command of a SIF_SystemControl")
    sif_version: Mapped[str | None] = mapped_column(comment="SIF_Message/@Version")
    bytes: Mapped[int] = mapped_column(comment="Size of the message as received")
    original_msg_id: Mapped[str | None] = mapped_column(comment="Of a SIF_Ack: which message it is about")
    told: Mapped[str | None] = mapped_column(comment="Of a SIF_Ack: its status, or its error as category/code")
    answer: Mapped[str] = mapped_column(comment="Our answer: a status, or an error as category/code and its sentence")
    carried_msg_id: Mapped[str | None] = mapped_column(comment="SIF_MsgId of the message that our answer carried")
    envelope: Mapped[str | None] = mapped_column(comment="Findings about the envelope, by code; no values")
