"""The SIF_Message envelope: what kind of message it is, who sent it, and what its body says; `gate` checked its tree.

It knows the standard's infrastructure part only: no database, and nothing about what is in an object.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lxml import etree

from sif_pipeline.notices import Notice
from sif_pipeline.sif.elements import NAMESPACE, SIF, local, text
from sif_pipeline.sif.events import Event, read_bundle, read_event
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.header import NO_LEVEL, Fields, Header, Level, is_msg_id, is_source_id, read_header
from sif_pipeline.sif.registration import Provided, Registration, read_provision, read_registration, reads_list
from sif_pipeline.sif.releases import NEWEST_ACK, is_release
from sif_pipeline.sif.requests import (
    Answer,
    Cancellation,
    Request,
    Response,
    read_ack,
    read_control,
    read_request,
    read_response,
)

MESSAGE_TYPES: Final = frozenset({
    "SIF_Ack", "SIF_BundledEvents", "SIF_Event", "SIF_Provide", "SIF_Provision", "SIF_Register",
    "SIF_Request", "SIF_Response", "SIF_ServiceInput", "SIF_ServiceNotify", "SIF_ServiceOutput",
    "SIF_Subscribe", "SIF_SystemControl", "SIF_Unprovide", "SIF_Unregister", "SIF_Unsubscribe",
})  # fmt: skip
"""What a SIF_Message may hold (SIF_MessageType of the 2.6 schema)."""


@dataclass(frozen=True, slots=True)
class Original:
    """What an ack needs to know of the message it answers; None where it could not be read."""

    version: str = NEWEST_ACK  #: SIF_Message/@Version, or ours
    source_id: str | None = None  #: SIF_SourceId
    msg_id: str | None = None  #: SIF_MsgId


@dataclass(frozen=True, slots=True)
class Message:
    """The envelope of one SIF message, and what its body says apart from its objects."""

    message_type: str  #: element under SIF_Message: SIF_Event, SIF_Response, ...
    version: str  #: SIF_Message/@Version
    msg_id: str  #: SIF_MsgId: 32 upper-case hexadecimal digits
    source_id: str  #: SIF_SourceId of the sender
    destination_id: str | None = None  #: SIF_DestinationId
    timestamp: datetime | None = None  #: SIF_Timestamp in UTC; None where it cannot be used
    contexts: tuple[str, ...] = ()  #: SIF_Context; none means the default
    level: Level = NO_LEVEL  #: SIF_SecureChannel
    command: str | None = None  #: of a SIF_SystemControl: SIF_Ping, SIF_GetMessage, ...
    cancellation: Cancellation | None = None  #: of the command SIF_CancelRequests
    registration: Registration | None = None  #: of a SIF_Register
    provided: tuple[Provided, ...] = ()  #: of a SIF_Provision, SIF_Provide, SIF_Subscribe and their opposites
    events: tuple[Event, ...] = ()  #: of a SIF_Event or SIF_BundledEvents
    request: Request | None = None  #: of a SIF_Request
    response: Response | None = None  #: of a SIF_Response
    answer: Answer | None = None  #: of a SIF_Ack
    notices: tuple[Notice, ...] = field(default=())  #: findings about the envelope

    @property
    def original(self) -> Original:
        """What an ack to this message repeats."""
        return Original(self.version, self.source_id, self.msg_id)


def read_original(root: etree._Element) -> Original:
    """Read what an ack repeats from any tree at all; what is missing, ill-formed or foreign stays None."""
    header = next(root.iter(SIF + "SIF_Header"), None)
    version = root.get("Version", "")
    known = version if is_release(version) and root.tag == SIF + "SIF_Message" else NEWEST_ACK
    if header is None:
        return Original(known)
    source_id, msg_id = text(header, "SIF_SourceId"), text(header, "SIF_MsgId")
    return Original(
        known,
        source_id if source_id and is_source_id(source_id) else None,
        msg_id if msg_id and is_msg_id(msg_id) else None,
    )


def read_message(root: etree._Element) -> Message:
    """Read the envelope, whatever the order of its parts, or raise Refused with the SIF_Error to answer."""
    version = _version(root)
    body = _body(root)
    message_type = local(body)
    found = next(body.iterchildren(SIF + "SIF_Header"), None)
    if found is None:
        raise Refused(1, 6, f"{message_type} has no SIF_Header; every SIF message needs one.")
    header = read_header(found, message_type)
    read = _BODIES.get(message_type)
    return Message(
        message_type=message_type,
        version=version,
        msg_id=header.msg_id,
        source_id=header.source_id,
        destination_id=header.destination_id,
        timestamp=header.timestamp,
        contexts=header.contexts,
        level=header.level,
        notices=header.notices,
        **(read(body, header) if read else {}),
    )


def _version(root: etree._Element) -> str:
    if root.tag != SIF + "SIF_Message":
        raise Refused(
            12, 3, f"The message is not in the namespace of SIF 2.x for the United States ({NAMESPACE}); "
            "set the agent to SIF 2.x, US locale.",
        )  # fmt: skip
    version = " ".join(root.get("Version", "").split())
    if not version:
        raise Refused(1, 6, "SIF_Message has no Version; it must say which release of SIF 2.x it follows.")
    if not is_release(version):
        raise Refused(
            12,
            3,
            "SIF_Message/@Version is none this zone speaks; set the agent to a release from 2.0 to 2.8.",
        )
    return version


def _body(root: etree._Element) -> etree._Element:
    bodies = list(root.iterchildren(etree.Element))
    if not bodies:
        raise Refused(1, 6, "SIF_Message is empty; it must hold one message such as SIF_Event.")
    if len(bodies) > 1:
        raise Refused(1, 3, "SIF_Message holds more than one message; send each in a SIF_Message of its own.")
    if bodies[0].tag != SIF + local(bodies[0]) or local(bodies[0]) not in MESSAGE_TYPES:
        raise Refused(12, 2, "SIF_Message holds something that is no message of SIF 2.x; check the agent's settings.")
    return bodies[0]


_BODIES: dict[str, Callable[[etree._Element, Header], Fields]] = {
    "SIF_Ack": read_ack,
    "SIF_BundledEvents": read_bundle,
    "SIF_Event": read_event,
    "SIF_Provide": reads_list("SIF_ProvideObjects"),
    "SIF_Provision": read_provision,
    "SIF_Register": read_registration,
    "SIF_Request": read_request,
    "SIF_Response": read_response,
    "SIF_Subscribe": reads_list("SIF_SubscribeObjects"),
    "SIF_SystemControl": read_control,
    "SIF_Unprovide": reads_list("SIF_ProvideObjects"),
    "SIF_Unsubscribe": reads_list("SIF_SubscribeObjects"),
}
"""How the body of each message is read into the fields of Message."""
