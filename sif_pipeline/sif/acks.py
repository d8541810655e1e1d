"""The answers of a zone: SIF_Ack with a status or an error, valid against the SIF 2.6 schema.

OpenADK refuses an ack whose Version is not that of the message it answers, so an ack repeats it. It knows
XML and the standard's codes; whether a message was stored, the caller must know.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.messages import DEFAULT_CONTEXT, NAMESPACE, Original

SOURCE_ID: Final = "SIF-PIPELINE"
"""SIF_SourceId of the zone's own messages."""


@dataclass(frozen=True, slots=True)
class Status:
    """SIF_Status of an ack: a code of the standard and, for some answers, data as SIF XML."""

    code: int  #: SIF_Status/SIF_Code
    data: str = ""  #: content of SIF_Status/SIF_Data, an element in the SIF namespace


STORED: Final = Status(0)
"""Taken in, or done: the agent can forget the message."""

ALREADY_HELD: Final = Status(7)
"""The zone has this SIF_MsgId from this agent: the agent can forget the message."""

NO_MESSAGES: Final = Status(9)
"""Nothing waits for the agent."""


def write_ack(original: Original, outcome: Status | Refused, now: datetime | None = None) -> bytes:
    """Write the SIF_Ack to a message as UTF-8; `now` (UTC) becomes its SIF_Timestamp."""
    at = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'<SIF_Message xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' Version="{escape(original.version)}"><SIF_Ack>'
        f"<SIF_Header><SIF_MsgId>{uuid4().hex.upper()}</SIF_MsgId><SIF_Timestamp>{at}</SIF_Timestamp>"
        f"<SIF_SourceId>{SOURCE_ID}</SIF_SourceId></SIF_Header>"
        f"{_element('SIF_OriginalSourceId', original.source_id)}"
        f"{_element('SIF_OriginalMsgId', original.msg_id)}"
        f"{_status(outcome) if isinstance(outcome, Status) else _error(outcome)}</SIF_Ack></SIF_Message>"
    ).encode()


def _element(name: str, text: str | None) -> str:
    """Write an element the schema requires but lets be nil: what could not be read is nil, never invented."""
    return f'<{name} xsi:nil="true"/>' if text is None else f"<{name}>{escape(text)}</{name}>"


def _status(status: Status) -> str:
    data = f"<SIF_Data>{status.data}</SIF_Data>" if status.data else ""
    return f"<SIF_Status><SIF_Code>{status.code}</SIF_Code>{data}</SIF_Status>"


def _error(refused: Refused) -> str:
    """Write SIF_Error; the schema bounds SIF_Desc at 1,024 characters."""
    return (
        f"<SIF_Error><SIF_Category>{refused.category}</SIF_Category><SIF_Code>{refused.code}</SIF_Code>"
        f"<SIF_Desc>{escape(refused.sentence[:1024])}</SIF_Desc></SIF_Error>"
    )


_ACCESS = (
    "SIF_ProvideAccess", "SIF_SubscribeAccess", "SIF_PublishAddAccess", "SIF_PublishChangeAccess",
    "SIF_PublishDeleteAccess", "SIF_RequestAccess", "SIF_RespondAccess",
)  # fmt: skip
_NOT_OURS_TO_GIVE = frozenset({"SIF_SubscribeAccess", "SIF_RequestAccess"})
_CONTEXTS = f"<SIF_Contexts><SIF_Context>{DEFAULT_CONTEXT}</SIF_Context></SIF_Contexts>"


def agent_acl(object_names: Iterable[str]) -> str:
    """Write SIF_AgentACL: an agent may provide, publish and respond with these objects, and read none.

    Each object states its context: without it OpenADK drops the object and then provisions nothing.
    """
    objects = "".join(f"<SIF_Object ObjectName={quoteattr(name)}>{_CONTEXTS}</SIF_Object>" for name in object_names)
    lists = (f"<{name}>{'' if name in _NOT_OURS_TO_GIVE else objects}</{name}>" for name in _ACCESS)
    return f"<SIF_AgentACL>{''.join(lists)}</SIF_AgentACL>"


_VERSIONS = ("2.0", "2.0r1", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8")


def zone_status(zone_name: str, *, secure: bool = False) -> str:
    """Write SIF_ZoneStatus: what this zone speaks, and that it takes gzip; never its URL, a secret."""
    protocol = (
        f'<SIF_Protocol Type="{"HTTPS" if secure else "HTTP"}" Secure="{"Yes" if secure else "No"}">'
        "<SIF_Property><SIF_Name>Accept-Encoding</SIF_Name><SIF_Value>gzip</SIF_Value></SIF_Property></SIF_Protocol>"
    )
    versions = "".join(f"<SIF_Version>{version}</SIF_Version>" for version in _VERSIONS)
    return (
        f"<SIF_ZoneStatus ZoneId={quoteattr(zone_name)}><SIF_Name>{escape(zone_name)}</SIF_Name>"
        f"<SIF_SupportedProtocols>{protocol}</SIF_SupportedProtocols>"
        f"<SIF_SupportedVersions>{versions}</SIF_SupportedVersions>{_CONTEXTS}</SIF_ZoneStatus>"
    )
