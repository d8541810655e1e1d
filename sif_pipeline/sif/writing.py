"""Writing SIF_Messages of our own: events, requests, the ends of responses, system control and SIF_LogEntry.

What is written is valid against the SIF 2.6 schema where the schema knows it, and never changes afterwards: a message
is delivered with the same SIF_MsgId and the same bytes however often. It knows XML only, no database.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.elements import NAMESPACE, SIF, text
from sif_pipeline.sif.releases import NEWEST_ACK

_OPEN: Final = f'<SIF_Message xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


class Written(NamedTuple):
    """A message ready to be queued: its SIF_MsgId and its bytes."""

    msg_id: str
    body: bytes


class LogLevel(StrEnum):
    """How grave a SIF_LogEntry is (its LogLevel)."""

    INFO = "Info"  #: good to know
    WARNING = "Warning"  #: something was not as it should be
    ERROR = "Error"  #: something was not done


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What a SIF_LogEntry tells an agent about a message; no sentence quotes the message."""

    category: int  #: SIF_Category: 3 for data that failed, 4 for an error of the zone
    code: int  #: SIF_Code within the category
    sentence: str  #: SIF_Desc: what is wrong, and the way out
    level: LogLevel = LogLevel.ERROR
    application_code: str = ""  #: SIF_ApplicationCode: the finding's own code
    details: str = ""  #: SIF_ExtendedDesc
    objects: str = ""  #: content of SIF_LogObjects: SIF_LogObject elements as XML
    original_header: str = ""  #: SIF_Header of the message it is about, as `header_of` copies it


def new_msg_id() -> str:
    """Make a SIF_MsgId: 32 upper-case hexadecimal digits."""
    return uuid4().hex.upper()


def write_message(  # noqa: PLR0913 -- one argument for each thing an envelope says
    kind: str,
    content: str,
    *,
    version: str | None = None,
    msg_id: str = "",
    destination_id: str | None = None,
    now: datetime | None = None,
) -> Written:
    """Write a SIF_Message of a kind (SIF_Event, ...) from the zone; `content` is XML and follows the SIF_Header.

    `version` is what the addressee reads (`releases.spoken_with`), 2.6 unless told; `now` is UTC.
    """
    id_ = msg_id or new_msg_id()
    header = write_header(id_, destination_id, now)
    body = f'{_OPEN} Version="{escape(version or NEWEST_ACK)}"><{kind}>{header}{content}</{kind}></SIF_Message>'
    return Written(id_, body.encode())


def write_header(msg_id: str, destination_id: str | None = None, now: datetime | None = None) -> str:
    """Write a SIF_Header of the zone's."""
    at = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    destination = f"<SIF_DestinationId>{escape(destination_id)}</SIF_DestinationId>" if destination_id else ""
    return (
        f"<SIF_Header><SIF_MsgId>{msg_id}</SIF_MsgId><SIF_Timestamp>{at}</SIF_Timestamp>"
        f"<SIF_SourceId>{SOURCE_ID}</SIF_SourceId>{destination}</SIF_Header>"
    )


_HEADER_PARTS = ("SIF_MsgId", "SIF_Timestamp", "SIF_SourceId", "SIF_DestinationId")


def header_of(root: etree._Element) -> str:
    """Copy what identifies a message of its SIF_Header, as XML in the schema's order; empty where it has none.

    Kits write their headers in other orders, and with parts the schema does not know.
    """
    header = next(root.iter(SIF + "SIF_Header"), None)
    if header is None:
        return ""
    parts = (_optional(name, text(header, name) or "") for name in _HEADER_PARTS)
    return f"<SIF_Header>{''.join(parts)}</SIF_Header>"


def write_response(
    request_msg_id: str, packet_number: int, content: str, *, destination_id: str, version: str | None = None
) -> Written:
    """Write the zone's own last SIF_Response to a request; `content` is its SIF_ObjectData or SIF_Error."""
    return write_message(
        "SIF_Response",
        f"<SIF_RequestMsgId>{request_msg_id}</SIF_RequestMsgId><SIF_PacketNumber>{packet_number}</SIF_PacketNumber>"
        f"<SIF_MorePackets>No</SIF_MorePackets>{content}",
        version=version,
        destination_id=destination_id,
    )


def write_event(
    object_name: str, action: str, content: str, *, version: str | None = None, destination_id: str | None = None
) -> Written:
    """Write a SIF_Event about one object; `content` is its XML: whole to Add, changes to Change, the key to Delete."""
    wrapped = f'<SIF_EventObject ObjectName={quoteattr(object_name)} Action="{action}">{content}</SIF_EventObject>'
    data = f"<SIF_ObjectData>{wrapped}</SIF_ObjectData>"
    return write_message("SIF_Event", data, version=version, destination_id=destination_id)


def write_control(command: str, content: str = "", *, version: str | None = None) -> Written:
    """Write a SIF_SystemControl: SIF_Ping, SIF_Sleep, SIF_Wakeup, or a command with content."""
    inner = f"<{command}>{content}</{command}>" if content else f"<{command}/>"
    data = f"<SIF_SystemControlData>{inner}</SIF_SystemControlData>"
    return write_message("SIF_SystemControl", data, version=version)


def write_cancel_requests(request_msg_ids: Iterable[str], *, version: str | None = None) -> Written:
    """Write a SIF_CancelRequests that wants no further SIF_Response for these requests."""
    listed = "".join(f"<SIF_RequestMsgId>{msg_id}</SIF_RequestMsgId>" for msg_id in request_msg_ids)
    content = f"<SIF_NotificationType>None</SIF_NotificationType><SIF_RequestMsgIds>{listed}</SIF_RequestMsgIds>"
    return write_control("SIF_CancelRequests", content, version=version)


def write_request(  # noqa: PLR0913 -- one argument for each part of a SIF_Request
    object_name: str,
    *,
    max_buffer_size: int,
    versions: Sequence[str] = ("2.*",),
    elements: Iterable[str] = (),
    conditions: str = "",
    version: str | None = None,
    destination_id: str | None = None,
) -> Written:
    """Write a SIF_Request by SIF_Query; `max_buffer_size` is the bytes of the largest packet that is taken.

    `elements` are paths of what is wanted of each object, none for all of it; `conditions` is a SIF_ConditionGroup.
    """
    listed = "".join(f"<SIF_Version>{escape(v)}</SIF_Version>" for v in versions)
    wanted = "".join(f"<SIF_Element>{escape(path)}</SIF_Element>" for path in elements)
    content = (
        f"{listed}<SIF_MaxBufferSize>{max_buffer_size}</SIF_MaxBufferSize>"
        f"<SIF_Query><SIF_QueryObject ObjectName={quoteattr(object_name)}>{wanted}</SIF_QueryObject>"
        f"{conditions}</SIF_Query>"
    )
    return write_message("SIF_Request", content, version=version, destination_id=destination_id)


def write_log_entry(entry: LogEntry, *, version: str | None = None, destination_id: str | None = None) -> Written:
    """Write a SIF_Event that adds a SIF_LogEntry of the zone."""
    id_, now = new_msg_id(), datetime.now(UTC)
    original = f"<SIF_OriginalHeader>{entry.original_header}</SIF_OriginalHeader>" if entry.original_header else ""
    content = (
        '<SIF_ObjectData><SIF_EventObject ObjectName="SIF_LogEntry" Action="Add">'
        f'<SIF_LogEntry Source="ZIS" LogLevel={quoteattr(entry.level)}>'
        f"<SIF_LogEntryHeader>{write_header(id_, destination_id, now)}</SIF_LogEntryHeader>{original}"
        f"<SIF_Category>{entry.category}</SIF_Category><SIF_Code>{entry.code}</SIF_Code>"
        f"{_optional('SIF_ApplicationCode', entry.application_code[:64])}"
        f"<SIF_Desc>{escape(entry.sentence[:1024])}</SIF_Desc>{_optional('SIF_ExtendedDesc', entry.details)}"
        f"{f'<SIF_LogObjects>{entry.objects}</SIF_LogObjects>' if entry.objects else ''}"
        "</SIF_LogEntry></SIF_EventObject></SIF_ObjectData>"
    )
    return write_message("SIF_Event", content, version=version, msg_id=id_, destination_id=destination_id, now=now)


def _optional(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>" if text else ""


def canonical(element: etree._Element) -> bytes:
    """Spell an element as exclusive canonical XML, so that it says the same wherever it stands.

    Canonical XML knows no relative namespace URIs; an element that has one is spelled with all its namespaces.
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=True)
    except etree.C14NError:
        apart = deepcopy(element)
        etree.cleanup_namespaces(apart)
        return etree.tostring(apart, encoding="utf-8", with_tail=False)
