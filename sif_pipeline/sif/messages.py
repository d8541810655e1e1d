"""The SIF_Message envelope: who sent what, when, and the objects inside; from a tree that `gate` checked.

It knows the standard's infrastructure part only: no database, and nothing about what is in an object.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Final, NamedTuple, TypeAlias

from lxml import etree

from sif_pipeline.notices import Notice
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.naming import in_words, of_the_standard

NAMESPACE: Final = "http://www.sifinfo.org/infrastructure/2.x"
"""Namespace of every SIF 2.x message and object of the US locale."""

DEFAULT_CONTEXT: Final = "SIF_Default"
"""The only context a zone of ours has."""

NEWEST_ACK: Final = "2.6"
"""Version of an ack to what could not be read: OpenADK, the most common agent kit, knows none above."""

SPOKEN: Final = ("2.0", "2.0r1", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8")
"""Releases of SIF 2.x that this zone writes and announces, oldest first."""

MESSAGE_TYPES: Final = frozenset({
    "SIF_Ack", "SIF_BundledEvents", "SIF_Event", "SIF_Provide", "SIF_Provision", "SIF_Register",
    "SIF_Request", "SIF_Response", "SIF_ServiceInput", "SIF_ServiceNotify", "SIF_ServiceOutput",
    "SIF_Subscribe", "SIF_SystemControl", "SIF_Unprovide", "SIF_Unregister", "SIF_Unsubscribe",
})  # fmt: skip
"""What a SIF_Message may hold (SIF_MessageType of the 2.6 schema)."""

CARRIERS: Final = frozenset({"SIF_Event", "SIF_BundledEvents", "SIF_Response"})
"""Messages that carry objects, and so the only ones that the drain has work with."""

PROVISION_LISTS: Final = (
    "SIF_ProvideObjects", "SIF_SubscribeObjects", "SIF_PublishAddObjects", "SIF_PublishChangeObjects",
    "SIF_PublishDeleteObjects", "SIF_RequestObjects", "SIF_RespondObjects",
)  # fmt: skip
"""The object lists of a SIF_Provision, in the standard's order."""

SERVICE_LISTS: Final = ("SIF_ProvideService", "SIF_RespondService", "SIF_RequestService", "SIF_SubscribeService")
"""The service lists of a SIF_Provision, in the standard's order."""


class Action(StrEnum):
    """What a message asks for with an object."""

    ADD = "Add"  #: a whole new object
    CHANGE = "Change"  #: only what changed
    DELETE = "Delete"  #: only the key
    RESPONSE = "Response"  #: a whole object as it stands, asked for or sent as a file


@dataclass(frozen=True, slots=True)
class Original:
    """What an ack needs to know of the message it answers; None where it could not be read."""

    version: str = NEWEST_ACK  #: SIF_Message/@Version, or ours
    source_id: str | None = None  #: SIF_SourceId
    msg_id: str | None = None  #: SIF_MsgId


@dataclass(frozen=True, slots=True)
class Registration:
    """What an agent says of itself in SIF_Register."""

    name: str | None = None  #: SIF_Name
    versions: tuple[str, ...] = ()  #: SIF_Version, wildcards as sent
    max_buffer_size: int | None = None  #: SIF_MaxBufferSize, bytes; None where it is no number
    mode: str | None = None  #: SIF_Mode: Push or Pull
    takes_bundles: bool = False  #: EventBundleSupport
    protocol: str | None = None  #: SIF_Protocol/@Type: HTTP, HTTPS or the vendor's own
    secure: bool | None = None  #: SIF_Protocol/@Secure
    push_url: str | None = None  #: SIF_Protocol/SIF_URL
    accept_encoding: str | None = None  #: the SIF_Property Accept-Encoding of SIF_Protocol
    vendor: str | None = None  #: SIF_NodeVendor and SIF_NodeVersion
    application: str | None = None  #: SIF_Application: product and version


class Provided(NamedTuple):
    """One object or service an agent declares: in which list of SIF_Provision, and its name."""

    kind: str
    object_name: str


class Level(NamedTuple):
    """What SIF_SecureChannel asks of the channel by which a message is delivered."""

    authentication: int = 0  #: SIF_AuthenticationLevel, 0 to 3
    encryption: int = 0  #: SIF_EncryptionLevel, 0 to 4


NO_LEVEL: Final = Level()
"""Any channel will do."""


@dataclass(frozen=True, slots=True)
class Event:
    """One SIF_Event, alone or of a bundle: whom it is meant for, and what it says of which kinds of objects."""

    msg_id: str  #: SIF_MsgId of its own header
    destination_id: str | None  #: SIF_DestinationId; None: for every subscriber
    objects: tuple[tuple[str, "Action | None"], ...]  #: name and action of each object; None: none of the three
    level: Level = NO_LEVEL  #: SIF_SecureChannel of its own header


@dataclass(frozen=True, slots=True)
class Request:
    """What a SIF_Request asks for."""

    object_names: tuple[str, ...]  #: objects asked for; by the first one it is routed to its provider
    versions: tuple[str, ...]  #: SIF_Version the response may have, wildcards as sent
    max_buffer_size: int  #: SIF_MaxBufferSize of a packet, bytes
    query: bytes  #: SIF_Query or SIF_ExtendedQuery as XML
    is_extended: bool = False  #: whether it is a SIF_ExtendedQuery


@dataclass(frozen=True, slots=True)
class Response:
    """How a SIF_Response answers, apart from its objects; None where it does not say, or not usably."""

    request_msg_id: str | None = None  #: SIF_RequestMsgId
    packet_number: int | None = None  #: SIF_PacketNumber, from 1
    more_packets: bool | None = None  #: SIF_MorePackets
    error: tuple[int, int] | None = None  #: category and code of its SIF_Error
    object_names: tuple[str, ...] = ()  #: kinds of objects in it


@dataclass(frozen=True, slots=True)
class Answer:
    """What a SIF_Ack says, and to which message."""

    original_source_id: str | None  #: SIF_OriginalSourceId
    original_msg_id: str | None  #: SIF_OriginalMsgId
    status: int | None  #: SIF_Status/SIF_Code
    error: tuple[int, int] | None  #: category and code of its SIF_Error


@dataclass(frozen=True, slots=True)
class Cancellation:
    """Which requests a SIF_CancelRequests calls off."""

    request_msg_ids: tuple[str, ...]  #: SIF_RequestMsgId of each
    wants_notice: bool  #: SIF_NotificationType Standard: a final SIF_Response for each is wanted


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


class ObjectInMessage(NamedTuple):
    """One object of a message: place from 1, what is asked for, element, and a finding about its wrapping."""

    position: int
    action: Action | None  #: None where SIF_EventObject/@Action is none of the three; the notice says so
    element: etree._Element
    notice: Notice | None


def is_message(root: etree._Element) -> bool:
    """Tell a SIF_Message, of whatever namespace, from a bare list of objects."""
    return _local(root) == "SIF_Message"


def read_original(root: etree._Element) -> Original:
    """Read what an ack repeats from any tree at all; what is missing, ill-formed or foreign stays None."""
    header = next(root.iter(_tag("SIF_Header")), None)
    version = root.get("Version", "")
    known = version if _VERSION.fullmatch(version) and root.tag == _tag("SIF_Message") else NEWEST_ACK
    if header is None:
        return Original(known)
    source_id, msg_id = _text(header, "SIF_SourceId"), _text(header, "SIF_MsgId")
    return Original(
        known,
        source_id if source_id and _SOURCE_ID.fullmatch(source_id) else None,
        msg_id if msg_id and _MSG_ID.fullmatch(msg_id) else None,
    )


def read_message(root: etree._Element) -> Message:
    """Read the envelope, whatever the order of its parts, or raise Refused with the SIF_Error to answer."""
    version = _version(root)
    body = _body(root)
    message_type = _local(body)
    header = next(body.iterchildren(_tag("SIF_Header")), None)
    if header is None:
        raise Refused(1, 6, f"{message_type} has no SIF_Header; every SIF message needs one.")
    timestamp, notices = _timestamp(_text(header, "SIF_Timestamp"))
    said = Message(
        message_type=message_type,
        version=version,
        msg_id=_msg_id(header),
        source_id=_source_id(header, message_type),
        destination_id=_destination_id(header),
        timestamp=timestamp,
        contexts=_contexts(header),
        level=_level(header),
        notices=notices,
    )
    read = _BODIES.get(message_type)
    return replace(said, **read(body, said)) if read else said


def speaks(versions: Iterable[str], version: str) -> bool:
    """Tell whether a release is among SIF_Versions with wildcards (standard, SIF_Register: `*`, `2.*`, `2.0r*`)."""
    return any(_matches(pattern, version) for pattern in versions)


def _matches(pattern: str, version: str) -> bool:
    minor, wildcard, _ = pattern.partition("r*")
    if wildcard:
        return version == minor or version.startswith(f"{minor}r")
    return pattern in ("*", version) or (pattern.endswith(".*") and version.startswith(pattern[:-1]))


def spoken_with(versions: Iterable[str]) -> str | None:
    """Choose the release to write in to who registered these versions; None when there is none.

    The highest that it names. A wildcard promises more than its kit may know: by it alone, none above `NEWEST_ACK`.
    """
    patterns = tuple(versions)
    known = releases(patterns)
    return max((v for v in known if v in patterns or v <= NEWEST_ACK), default=None)


def releases(versions: Iterable[str]) -> list[str]:
    """Give the releases of SIF 2.x that SIF_Versions let in: those that are `SPOKEN`, and any revision that is named.

    A revision corrects a release and changes no message of it: 2.7r1 is read and written as 2.0r1 is.
    """
    patterns = tuple(versions)
    return [*(v for v in SPOKEN if speaks(patterns, v)), *(v for v in patterns if _VERSION.fullmatch(v))]


def objects(root: etree._Element) -> Iterator[ObjectInMessage]:
    """Yield the objects of a SIF_Event or SIF_Response, or of a root that is a list of objects or one itself.

    Several SIF_EventObjects, and several objects in one, are taken one by one: agents send them (OpenADK
    does), though the schema allows one. The events of SIF_BundledEvents follow each other. Any other message
    holds no objects.
    """
    if not is_message(root):
        found: Found = _bare(root)
    else:
        body = next(root.iterchildren(etree.Element), None)
        read = _OBJECTS.get(_local(body)) if body is not None else None
        found = iter(()) if body is None or read is None else read(body)
    return (ObjectInMessage(position, *rest) for position, rest in enumerate(found, start=1))


_VERSION = re.compile(r"2\.[0-8](r[0-9]{1,2})?")
_MSG_ID = re.compile(r"[0-9A-F]{32}")
_SOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:@/()#+-]{0,63}")
_SOURCE_IDS = (
    "SIF_SourceId must be 1 to 64 of A to Z, a to z, 0 to 9, blank and . _ : @ / ( ) # + -, "
    "the first a letter or digit; rename the agent."
)
_OBJECT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _child(parent: etree._Element | None, name: str) -> etree._Element | None:
    return next(parent.iterchildren(_tag(name)), None) if parent is not None else None


def _text(parent: etree._Element | None, name: str) -> str | None:
    """Read a child's text as an xs:token: white space collapsed; None when absent or empty."""
    child = _child(parent, name)
    return " ".join((child.text or "").split()) or None if child is not None else None


def _texts(parent: etree._Element, name: str) -> tuple[str, ...]:
    return tuple(" ".join((child.text or "").split()) for child in parent.iterchildren(_tag(name)))


def _version(root: etree._Element) -> str:
    if root.tag != _tag("SIF_Message"):
        raise Refused(
            12, 3, f"The message is not in the namespace of SIF 2.x for the United States ({NAMESPACE}); "
            "set the agent to SIF 2.x, US locale.",
        )  # fmt: skip
    version = " ".join(root.get("Version", "").split())
    if not version:
        raise Refused(1, 6, "SIF_Message has no Version; it must say which release of SIF 2.x it follows.")
    if not _VERSION.fullmatch(version):
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
    if bodies[0].tag != _tag(_local(bodies[0])) or _local(bodies[0]) not in MESSAGE_TYPES:
        raise Refused(12, 2, "SIF_Message holds something that is no message of SIF 2.x; check the agent's settings.")
    return bodies[0]


def _msg_id(header: etree._Element) -> str:
    """Read SIF_MsgId strictly: an ack must repeat it, and the schema lets an ack repeat nothing else."""
    msg_id = _text(header, "SIF_MsgId")
    if msg_id is None:
        raise Refused(1, 6, "SIF_MsgId is missing; every message needs one of its own.")
    if not _MSG_ID.fullmatch(msg_id):
        raise Refused(1, 4, "SIF_MsgId is not 32 hexadecimal digits in upper case; ask the vendor of the agent.")
    return msg_id


def _source_id(header: etree._Element, message_type: str) -> str:
    """Read SIF_SourceId in a closed alphabet: it ends up in file names, logs and reports."""
    source_id = _text(header, "SIF_SourceId")
    if source_id is None:
        raise Refused(1, 6, "SIF_SourceId is missing; give the agent the name it registered under.")
    if not _SOURCE_ID.fullmatch(source_id):
        raise Refused(5, 2, _SOURCE_IDS) if message_type == "SIF_Register" else Refused(1, 4, _SOURCE_IDS)
    return source_id


def _destination_id(header: etree._Element) -> str | None:
    destination_id = _text(header, "SIF_DestinationId")
    if destination_id is not None and not _SOURCE_ID.fullmatch(destination_id):
        raise Refused(1, 4, "SIF_DestinationId is no name an agent can have; give the SIF_SourceId of the addressee.")
    return destination_id


def _contexts(parent: etree._Element) -> tuple[str, ...]:
    wrapper = _child(parent, "SIF_Contexts")
    return _texts(wrapper, "SIF_Context") if wrapper is not None else ()


def _level(header: etree._Element) -> Level:
    security = _child(header, "SIF_Security")
    channel = _child(security, "SIF_SecureChannel")
    return Level(_number(channel, "SIF_AuthenticationLevel", 3), _number(channel, "SIF_EncryptionLevel", 4))


def _number(parent: etree._Element | None, name: str, highest: int) -> int:
    """Read a level; what is no level asks for nothing."""
    text = _text(parent, name) or ""
    return int(text) if re.fullmatch("[0-9]", text) and int(text) <= highest else 0


Said = dict[str, Any]


def _system_control(body: etree._Element, _: Message) -> Said:
    data = _child(body, "SIF_SystemControlData")
    command = next(data.iterchildren(etree.Element), None) if data is not None else None
    if command is None:
        return {"command": None}
    cancels = _local(command) == "SIF_CancelRequests"
    return {"command": _local(command), "cancellation": _cancellation(command) if cancels else None}


def _cancellation(command: etree._Element) -> Cancellation:
    listed = _child(command, "SIF_RequestMsgIds")
    msg_ids = _texts(listed, "SIF_RequestMsgId") if listed is not None else ()
    if not msg_ids:
        raise Refused(1, 6, "SIF_CancelRequests names no request; give the SIF_MsgId of each in SIF_RequestMsgIds.")
    if not all(_MSG_ID.fullmatch(msg_id) for msg_id in msg_ids):
        raise Refused(1, 4, "A SIF_RequestMsgId is not 32 hexadecimal digits in upper case; give the request's own.")
    notification = _text(command, "SIF_NotificationType")
    if notification not in ("Standard", "None"):
        raise Refused(1, 4, "SIF_NotificationType must be Standard or None; say which.")
    return Cancellation(msg_ids, notification == "Standard")


def _registration(body: etree._Element, _: Message) -> Said:
    size = _text(body, "SIF_MaxBufferSize") or ""
    protocol = _child(body, "SIF_Protocol")
    application = _child(body, "SIF_Application")
    secure = {"Yes": True, "No": False}.get(protocol.get("Secure", "").strip()) if protocol is not None else None
    registration = Registration(
        name=_text(body, "SIF_Name"),
        versions=_texts(body, "SIF_Version"),
        max_buffer_size=int(size) if re.fullmatch(r"[0-9]{1,10}", size) else None,
        mode=_text(body, "SIF_Mode"),
        takes_bundles=_text(body, "EventBundleSupport") == "Yes",
        protocol=protocol.get("Type", "").strip() or None if protocol is not None else None,
        secure=secure,
        push_url=_text(protocol, "SIF_URL"),
        accept_encoding=_accept_encoding(protocol),
        vendor=_joined(_text(body, "SIF_NodeVendor"), _text(body, "SIF_NodeVersion")),
        application=_joined(_text(application, "SIF_Product"), _text(application, "SIF_Version")),
    )
    return {"registration": registration}


def _accept_encoding(protocol: etree._Element | None) -> str | None:
    properties = protocol.iterchildren(_tag("SIF_Property")) if protocol is not None else ()
    values = (_text(p, "SIF_Value") for p in properties if (_text(p, "SIF_Name") or "").lower() == "accept-encoding")
    return next(values, None)


def _joined(*texts: str | None) -> str | None:
    return " ".join(text for text in texts if text) or None


def _provision(body: etree._Element, _: Message) -> Said:
    lists = [(name, _child(body, name)) for name in PROVISION_LISTS]
    services = [(name, _child(body, name)) for name in SERVICE_LISTS]
    objects = (p for kind, part in lists if part is not None for p in _named_objects(part, kind))
    return {"provided": (*objects, *(p for kind, part in services if part is not None for p in _services(part, kind)))}


def _named(kind: str) -> "Callable[[etree._Element, Message], Said]":
    """Make the reading of a message that is one list of objects."""
    return lambda body, _: {"provided": _named_objects(body, kind)}


def _named_objects(parent: etree._Element, kind: str) -> tuple[Provided, ...]:
    listed = list(parent.iterchildren(_tag("SIF_Object")))
    names = [o.get("ObjectName", "").strip() for o in listed]
    unusable = next((place for place, name in enumerate(names, 1) if not _OBJECT_NAME.fullmatch(name)), None)
    if unusable is not None:
        raise Refused(
            7 if kind == "SIF_SubscribeObjects" else 6,
            3,
            f"SIF_Object {unusable} of its list has no usable ObjectName; name an object, such as StudentPersonal.",
        )
    if elsewhere := [name for o, name in zip(listed, names, strict=True) if set(_contexts(o)) - {DEFAULT_CONTEXT}]:
        named = in_words(elsewhere, names)
        raise Refused(12, 4, f"This zone has the context {DEFAULT_CONTEXT} only; name no other for {named}.")
    return tuple(dict.fromkeys(Provided(kind, name) for name in names))


def _services(parent: etree._Element, kind: str) -> tuple[Provided, ...]:
    return tuple(Provided(kind, s.get("ServiceName", "").strip()) for s in parent.iterchildren(_tag("SIF_Service")))


def _events(body: etree._Element, said: Message) -> Said:
    return {"events": (Event(said.msg_id, said.destination_id, _contents(body), said.level),)}


def _contents(event: etree._Element) -> tuple[tuple[str, Action | None], ...]:
    return tuple((_local(element), action) for action, element, _ in _event(event))


def _bundled_events(body: etree._Element, said: Message) -> Said:
    """Read each SIF_Event with its own header, which is delivered with it to who takes no bundles."""
    bundled = [event for part in body.iterchildren(_tag("SIF_Events")) for event in part.iterchildren(etree.Element)]
    if any(event.tag != _tag("SIF_Event") for event in bundled):
        raise Refused(9, 3, "SIF_Events holds something that is no SIF_Event; bundle events only, and no bundles.")
    return {"events": tuple(_bundled_event(event, said) for event in bundled)}


def _bundled_event(event: etree._Element, said: Message) -> Event:
    header = _child(event, "SIF_Header")
    if header is None:
        raise Refused(1, 6, "A SIF_Event of the bundle has no SIF_Header; each event needs one of its own.")
    if _source_id(header, "SIF_Event") != said.source_id:
        raise Refused(9, 3, "A SIF_Event of the bundle has another SIF_SourceId; bundle the events of one agent.")
    if set(_contexts(header)) - {DEFAULT_CONTEXT}:
        raise Refused(12, 4, f"This zone has the context {DEFAULT_CONTEXT} only; send the events in it.")
    return Event(_msg_id(header), _destination_id(header), _contents(event), _level(header))


def _request(body: etree._Element, _: Message) -> Said:
    simple, extended = _child(body, "SIF_Query"), _child(body, "SIF_ExtendedQuery")
    query = simple if simple is not None else extended
    if query is None:
        raise Refused(1, 6, "SIF_Request has neither SIF_Query nor SIF_ExtendedQuery; say what is asked for.")
    size = _text(body, "SIF_MaxBufferSize") or ""
    if not re.fullmatch(r"[0-9]{1,10}", size):
        raise Refused(1, 4 if size else 6, "SIF_Request has no usable SIF_MaxBufferSize; give a number of bytes.")
    versions = _texts(body, "SIF_Version")
    if not versions:
        raise Refused(1, 6, "SIF_Request has no SIF_Version; say which releases the response may have, such as 2.*.")
    names = _asked_for(query)
    return {"request": Request(names, versions, int(size), etree.tostring(query, with_tail=False), simple is None)}


def _asked_for(query: etree._Element) -> tuple[str, ...]:
    """Name the objects of a query: of an extended one the provider's, then those of its SIF_From and its joins."""
    paths = ("SIF_DestinationProvider", "SIF_QueryObject/@ObjectName", "SIF_From/@ObjectName")
    said = (_text(query, paths[0]), *(_child_attribute(query, path) for path in paths[1:]))
    joined = (element.get("ObjectName") for element in query.iter(_tag("SIF_LeftElement"), _tag("SIF_RightElement")))
    names = tuple(dict.fromkeys(name.strip() for name in (*said, *joined) if name))
    if not names or not all(_OBJECT_NAME.fullmatch(name) for name in names):
        raise Refused(8, 3, "The query names no usable SIF object; give the name of one, such as StudentPersonal.")
    return names


def _child_attribute(parent: etree._Element, path: str) -> str | None:
    name, _, attribute = path.partition("/@")
    child = _child(parent, name)
    return child.get(attribute) if child is not None else None


def _response_parts(body: etree._Element, _: Message) -> Said:
    request_msg_id, number = _text(body, "SIF_RequestMsgId") or "", _text(body, "SIF_PacketNumber") or ""
    response = Response(
        request_msg_id=request_msg_id if _MSG_ID.fullmatch(request_msg_id) else None,
        packet_number=int(number) if re.fullmatch(r"0{0,20}[1-9][0-9]{0,8}", number) else None,
        more_packets={"Yes": True, "No": False}.get(_text(body, "SIF_MorePackets") or ""),
        error=_error(body),
        object_names=tuple(dict.fromkeys(_local(element) for _, element, _ in _response(body))),
    )
    return {"response": response}


def _error(body: etree._Element) -> tuple[int, int] | None:
    """Read category and code of a SIF_Error; 0 for what is no number of the standard."""
    error = _child(body, "SIF_Error")
    if error is None:
        return None
    texts = (_text(error, "SIF_Category") or "", _text(error, "SIF_Code") or "")
    category, code = (int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0 for text in texts)
    return category, code


def _answer(body: etree._Element, _: Message) -> Said:
    source_id, msg_id = _text(body, "SIF_OriginalSourceId"), _text(body, "SIF_OriginalMsgId")
    code, error = _text(_child(body, "SIF_Status"), "SIF_Code") or "", _error(body)
    status = int(code) if re.fullmatch(r"[0-9]{1,6}", code) and error is None else None
    if status is None and error is None:
        raise Refused(1, 6, "SIF_Ack has neither a SIF_Status with a SIF_Code nor a SIF_Error; say which it is.")
    return {"answer": Answer(source_id, msg_id if msg_id and _MSG_ID.fullmatch(msg_id) else None, status, error)}


_BODIES: dict[str, Callable[[etree._Element, Message], Said]] = {
    "SIF_Ack": _answer,
    "SIF_BundledEvents": _bundled_events,
    "SIF_Event": _events,
    "SIF_Provide": _named("SIF_ProvideObjects"),
    "SIF_Provision": _provision,
    "SIF_Register": _registration,
    "SIF_Request": _request,
    "SIF_Response": _response_parts,
    "SIF_Subscribe": _named("SIF_SubscribeObjects"),
    "SIF_SystemControl": _system_control,
    "SIF_Unprovide": _named("SIF_ProvideObjects"),
    "SIF_Unsubscribe": _named("SIF_SubscribeObjects"),
}
"""How the body of each message is read into the fields of Message."""

_DATE_TIME = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})T(?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.(?P<fraction>[0-9]+))?"
    r"(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)


def _timestamp(text: str | None) -> tuple[datetime | None, tuple[Notice, ...]]:
    """Read an xs:dateTime, or find it unusable: order then falls back on arrival, and the message is good."""
    at = read_timestamp(text or "")
    return at, () if at else (Notice("timestamp_implausible", "SIF_Header/SIF_Timestamp"),)


def read_timestamp(text: str) -> datetime | None:
    """Read an xs:dateTime as an instant in UTC, to the microsecond; without an offset it is taken as UTC.

    None for what is not one, and for what Python and PostgreSQL cannot hold: years outside 1 to 9999.
    """
    parts = _DATE_TIME.fullmatch(text)
    if not parts:
        return None
    midnight_after = parts["time"] == "24:00:00" and not (parts["fraction"] or "").strip("0")
    time = "00:00:00" if midnight_after else parts["time"]
    fraction = (parts["fraction"] or "")[:6].ljust(6, "0")
    try:
        local = datetime.fromisoformat(f"{parts['date']}T{time}.{fraction}").replace(tzinfo=_offset(parts["zone"]))
        return (local + timedelta(days=midnight_after)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str | None) -> timezone:
    if zone is None or zone == "Z":
        return UTC
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours * 60 + minutes > 14 * 60 or minutes > 59:  # xs:dateTime's bound
        raise ValueError
    return timezone(timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1))


_EVENT_ACTIONS = {action.value: action for action in (Action.ADD, Action.CHANGE, Action.DELETE)}


Found: TypeAlias = "Iterator[tuple[Action | None, etree._Element, Notice | None]]"  # noqa: SLF001 -- a type


_WRAPPER = "SIF_EventObject"


def _event(body: etree._Element) -> Found:
    wrappers = [w for data in body.iterchildren(_tag("SIF_ObjectData")) for w in data.iterchildren(_tag(_WRAPPER))]
    held = [(wrapper, element) for wrapper in wrappers for element in wrapper.iterchildren(etree.Element)]
    for place, (wrapper, element) in enumerate(held):
        action = _EVENT_ACTIONS.get(wrapper.get("Action", "").strip())
        notice = _wrapping_notice(wrapper, element, action)
        if place == 1 and notice is None:  # one finding for the event, not one for each object
            notice = Notice("event_of_several", "SIF_ObjectData", wrapper.sourceline or 0)
        yield action, element, notice


def _bundle(body: etree._Element) -> Found:
    for part in body.iterchildren(_tag("SIF_Events")):
        for event in part.iterchildren(_tag("SIF_Event")):
            yield from _event(event)


def _wrapping_notice(wrapper: etree._Element, element: etree._Element, action: Action | None) -> Notice | None:
    line = wrapper.sourceline or 0
    if action is None:
        return Notice("action_unknown", "SIF_EventObject/@Action", line)
    if wrapper.get("ObjectName", "").strip() != _local(element):
        return Notice("object_name_differs", "SIF_EventObject/@ObjectName", line)
    return None


def _response(body: etree._Element) -> Found:
    for data in body.iterchildren(_tag("SIF_ObjectData")):
        for element in data.iterchildren(etree.Element):
            yield Action.RESPONSE, element, None


_OBJECTS: dict[str, Callable[[etree._Element], Found]] = {
    "SIF_BundledEvents": _bundle,
    "SIF_Event": _event,
    "SIF_Response": _response,
}
"""How the objects of each carrier are found."""


def _bare(root: etree._Element) -> Found:
    """Take the root's children where they are objects and the root is none; else the root is the object."""
    children = list(root.iterchildren(etree.Element))
    is_list = not _is_object(root) and (not children or any(map(_is_object, children)))
    for element in children if is_list else [root]:
        yield Action.RESPONSE, element, None


def _is_object(element: etree._Element) -> bool:
    """Tell an object by its name in the standard; one the standard does not have by an attribute that ends in RefId."""
    return _local(element) in of_the_standard() or any(str(name).endswith("RefId") for name in element.attrib)
