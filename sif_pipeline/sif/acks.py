"""The answers of a zone: SIF_Ack with a status or an error, valid against the SIF 2.6 schema.

OpenADK refuses an ack whose Version is not that of the message it answers, so an ack repeats it. It knows
XML and the standard's codes; whether a message was stored, the caller must know.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import Refused, undeclared
from sif_pipeline.sif.header import DEFAULT_CONTEXT
from sif_pipeline.sif.messages import Original

SOURCE_ID: Final = "SIF-PIPELINE"
"""SIF_SourceId of the zone's own messages."""


@dataclass(frozen=True, slots=True)
class Status:
    """SIF_Status of an ack: a code of the standard and, for some answers, data as SIF XML."""

    code: int  #: SIF_Status/SIF_Code
    data: str = ""  #: content of SIF_Status/SIF_Data, an element in the SIF namespace
    msg_id: str | None = None  #: SIF_MsgId the ack is to have; None: any new one


STORED: Final = Status(0)
"""Taken in, or done: the agent can forget the message."""

ALREADY_HELD: Final = Status(7)
"""The zone has this SIF_MsgId from this agent: the agent can forget the message."""

SLEEPING: Final = Status(8)
"""The zone, or the agent, takes nothing now: keep the message and send it later."""

NO_MESSAGES: Final = Status(9)
"""Nothing waits for the agent."""


def carrying(body: bytes) -> Status:
    """Make the status that carries a message, as it came in or was written, to the agent that pulls it.

    The ack has a SIF_MsgId that is known before it is written: an agent may settle the message by that one.
    """
    return Status(0, undeclared(body).decode(), uuid4().hex.upper())


def write_ack(original: Original, outcome: Status | Refused, now: datetime | None = None) -> bytes:
    """Write the SIF_Ack to a message as UTF-8; `now` (UTC) becomes its SIF_Timestamp."""
    msg_id = (outcome.msg_id if isinstance(outcome, Status) else None) or uuid4().hex.upper()
    at = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'<SIF_Message xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' Version="{escape(original.version)}"><SIF_Ack>'
        f"<SIF_Header><SIF_MsgId>{msg_id}</SIF_MsgId><SIF_Timestamp>{at}</SIF_Timestamp>"
        f"<SIF_SourceId>{SOURCE_ID}</SIF_SourceId></SIF_Header>"
        f"{_element('SIF_OriginalSourceId', original.source_id)}"
        f"{_element('SIF_OriginalMsgId', original.msg_id)}"
        f"{_status(outcome) if isinstance(outcome, Status) else write_error(outcome)}</SIF_Ack></SIF_Message>"
    ).encode()


def _element(name: str, text: str | None) -> str:
    """Write an element the schema requires but lets be nil: what could not be read is nil, never invented."""
    return f'<{name} xsi:nil="true"/>' if text is None else f"<{name}>{escape(text)}</{name}>"


def _status(status: Status) -> str:
    data = f"<SIF_Data>{status.data}</SIF_Data>" if status.data else ""
    return f"<SIF_Status><SIF_Code>{status.code}</SIF_Code>{data}</SIF_Status>"


def write_error(refused: Refused) -> str:
    """Write a SIF_Error; the schema bounds SIF_Desc at 1,024 characters."""
    return (
        f"<SIF_Error><SIF_Category>{refused.category}</SIF_Category><SIF_Code>{refused.code}</SIF_Code>"
        f"<SIF_Desc>{escape(refused.sentence[:1024])}</SIF_Desc></SIF_Error>"
    )


ACCESS_LISTS: Final = (
    "SIF_ProvideAccess", "SIF_SubscribeAccess", "SIF_PublishAddAccess", "SIF_PublishChangeAccess",
    "SIF_PublishDeleteAccess", "SIF_RequestAccess", "SIF_RespondAccess",
)  # fmt: skip
"""The object lists of a SIF_AgentACL, in the standard's order."""

CONTEXTS: Final = f"<SIF_Contexts><SIF_Context>{DEFAULT_CONTEXT}</SIF_Context></SIF_Contexts>"
"""SIF_Contexts of everything in this zone."""


def agent_acl(rights: Mapping[str, Iterable[str]]) -> str:
    """Write SIF_AgentACL: for each of ACCESS_LISTS the objects an agent may do so with; none where there is no entry.

    Each object states its context: without it OpenADK drops the object and then provisions nothing.
    """
    return f"<SIF_AgentACL>{''.join(_access(name, rights.get(name, ())) for name in ACCESS_LISTS)}</SIF_AgentACL>"


def _access(name: str, object_names: Iterable[str]) -> str:
    objects = (
        f"<SIF_Object ObjectName={quoteattr(object_name)}>{CONTEXTS}</SIF_Object>" for object_name in object_names
    )
    return f"<{name}>{''.join(objects)}</{name}>"
