"""The SIF_Message envelope: who sent what, when, and the objects inside; from a tree that `gate` checked.

It knows the standard's infrastructure part only: no database, and nothing about what is in an object.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final, NamedTuple

from lxml import etree

from sif_pipeline.notices import Notice
from sif_pipeline.sif.gate import Refused

NAMESPACE: Final = "http://www.sifinfo.org/infrastructure/2.x"
"""Namespace of every SIF 2.x message and object of the US locale."""

DEFAULT_CONTEXT: Final = "SIF_Default"
"""The only context a zone of ours has."""

NEWEST_ACK: Final = "2.6"
"""Version of an ack to what could not be read: OpenADK, the most common agent kit, knows none above."""

MESSAGE_TYPES: Final = frozenset({
    "SIF_Ack", "SIF_BundledEvents", "SIF_Event", "SIF_Provide", "SIF_Provision", "SIF_Register",
    "SIF_Request", "SIF_Response", "SIF_ServiceInput", "SIF_ServiceNotify", "SIF_ServiceOutput",
    "SIF_Subscribe", "SIF_SystemControl", "SIF_Unprovide", "SIF_Unregister", "SIF_Unsubscribe",
})  # fmt: skip
"""What a SIF_Message may hold (SIF_MessageType of the 2.6 schema)."""

PROVISION_LISTS: Final = (
    "SIF_ProvideObjects", "SIF_SubscribeObjects", "SIF_PublishAddObjects", "SIF_PublishChangeObjects",
    "SIF_PublishDeleteObjects", "SIF_RequestObjects", "SIF_RespondObjects",
)  # fmt: skip
"""The object lists of a SIF_Provision, in the standard's order."""


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
    max_buffer_size: int | None = None  #: SIF_MaxBufferSize, bytes
    mode: str | None = None  #: Push or Pull
    push_url: str | None = None  #: SIF_Protocol/SIF_URL


class Provided(NamedTuple):
    """One object an agent declares: in which list of SIF_Provision, and its name."""

    kind: str
    object_name: str


@dataclass(frozen=True, slots=True)
class Message:
    """The envelope of one SIF message."""

    message_type: str  #: element under SIF_Message: SIF_Event, SIF_Response, ...
    version: str  #: SIF_Message/@Version
    msg_id: str  #: SIF_MsgId: 32 upper-case hexadecimal digits
    source_id: str  #: SIF_SourceId of the sender
    destination_id: str | None = None  #: SIF_DestinationId
    timestamp: datetime | None = None  #: SIF_Timestamp in UTC; None where it cannot be used
    contexts: tuple[str, ...] = ()  #: SIF_Context; none means the default
    command: str | None = None  #: of a SIF_SystemControl: SIF_Ping, SIF_GetMessage, ...
    registration: Registration | None = None  #: of a SIF_Register
    provided: tuple[Provided, ...] = ()  #: of a SIF_Provision, SIF_Provide or SIF_Unprovide
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
    return Message(
        message_type=message_type,
        version=version,
        msg_id=_msg_id(header),
        source_id=_source_id(header, message_type),
        destination_id=_text(header, "SIF_DestinationId"),
        timestamp=timestamp,
        contexts=_contexts(header),
        command=_command(body) if message_type == "SIF_SystemControl" else None,
        registration=_registration(body) if message_type == "SIF_Register" else None,
        provided=_PROVIDED[message_type](body) if message_type in _PROVIDED else (),
        notices=notices,
    )


def objects(root: etree._Element) -> Iterator[ObjectInMessage]:
    """Yield the objects of a SIF_Event or SIF_Response, or of a root that is a list of objects or one itself.

    Several SIF_EventObjects, and several objects in one, are taken one by one: agents send them (OpenADK
    does), though the schema allows one. Any other message holds no objects.
    """
    if not is_message(root):
        found: Iterator[tuple[Action | None, etree._Element, Notice | None]] = _bare(root)
    else:
        body = next(root.iterchildren(etree.Element), None)
        read = {"SIF_Event": _event, "SIF_Response": _response}.get(_local(body) if body is not None else "")
        found = iter(()) if body is None or read is None else read(body)
    return (ObjectInMessage(position, *rest) for position, rest in enumerate(found, start=1))


_VERSION = re.compile(r"2\.[0-8](r[0-9]{1,2})?")
_MSG_ID = re.compile(r"[0-9A-F]{32}")
_SOURCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:@/()#+-]{0,63}")
_OBJECT_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _text(parent: etree._Element, name: str) -> str | None:
    """Read a child's text as an xs:token: white space collapsed; None when absent or empty."""
    child = next(parent.iterchildren(_tag(name)), None)
    return " ".join((child.text or "").split()) or None if child is not None else None


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
        category, code = (5, 2) if message_type == "SIF_Register" else (1, 4)
        raise Refused(
            category, code,
            "SIF_SourceId must be 1 to 64 of A to Z, a to z, 0 to 9, blank and . _ : @ / ( ) # + -, "
            "the first a letter or digit; rename the agent.",
        )  # fmt: skip
    return source_id


def _contexts(header: etree._Element) -> tuple[str, ...]:
    wrapper = next(header.iterchildren(_tag("SIF_Contexts")), None)
    if wrapper is None:
        return ()
    return tuple(" ".join((c.text or "").split()) for c in wrapper.iterchildren(_tag("SIF_Context")))


def _command(body: etree._Element) -> str | None:
    data = next(body.iterchildren(_tag("SIF_SystemControlData")), None)
    command = next(data.iterchildren(etree.Element), None) if data is not None else None
    return _local(command) if command is not None else None


def _registration(body: etree._Element) -> Registration:
    size = _text(body, "SIF_MaxBufferSize") or ""
    protocol = next(body.iterchildren(_tag("SIF_Protocol")), None)
    return Registration(
        name=_text(body, "SIF_Name"),
        versions=tuple(" ".join((v.text or "").split()) for v in body.iterchildren(_tag("SIF_Version"))),
        max_buffer_size=int(size) if re.fullmatch(r"[0-9]{1,10}", size) else None,
        mode=_text(body, "SIF_Mode"),
        push_url=_text(protocol, "SIF_URL") if protocol is not None else None,
    )


def _provision(body: etree._Element) -> tuple[Provided, ...]:
    lists = [(name, next(body.iterchildren(_tag(name)), None)) for name in PROVISION_LISTS]
    return tuple(p for kind, part in lists if part is not None for p in _named_objects(part, kind))


def _provide(body: etree._Element) -> tuple[Provided, ...]:
    return _named_objects(body, "SIF_ProvideObjects")


def _named_objects(parent: etree._Element, kind: str) -> tuple[Provided, ...]:
    names = [o.get("ObjectName", "").strip() for o in parent.iterchildren(_tag("SIF_Object"))]
    if not all(_OBJECT_NAME.fullmatch(name) for name in names):
        raise Refused(
            6,
            3,
            "A SIF_Object has no usable ObjectName; give the name of a SIF object, such as StudentPersonal.",
        )
    return tuple(dict.fromkeys(Provided(kind, name) for name in names))


_PROVIDED: dict[str, Callable[[etree._Element], tuple[Provided, ...]]] = {
    "SIF_Provision": _provision,
    "SIF_Provide": _provide,
    "SIF_Unprovide": _provide,
}

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


def _event(body: etree._Element) -> Iterator[tuple[Action | None, etree._Element, Notice | None]]:
    for data in body.iterchildren(_tag("SIF_ObjectData")):
        for wrapper in data.iterchildren(_tag("SIF_EventObject")):
            action = _EVENT_ACTIONS.get(wrapper.get("Action", "").strip())
            for element in wrapper.iterchildren(etree.Element):
                yield action, element, _wrapping_notice(wrapper, element, action)


def _wrapping_notice(wrapper: etree._Element, element: etree._Element, action: Action | None) -> Notice | None:
    line = wrapper.sourceline or 0
    if action is None:
        return Notice("action_unknown", "SIF_EventObject/@Action", line)
    if wrapper.get("ObjectName", "").strip() != _local(element):
        return Notice("object_name_differs", "SIF_EventObject/@ObjectName", line)
    return None


def _response(body: etree._Element) -> Iterator[tuple[Action | None, etree._Element, Notice | None]]:
    for data in body.iterchildren(_tag("SIF_ObjectData")):
        for element in data.iterchildren(etree.Element):
            yield Action.RESPONSE, element, None


def _bare(root: etree._Element) -> Iterator[tuple[Action | None, etree._Element, Notice | None]]:
    """Take the root's children where they carry keys and the root does not; else the root is the object."""
    children = list(root.iterchildren(etree.Element))
    is_list = not _has_key(root) and (not children or any(_has_key(child) for child in children))
    for element in children if is_list else [root]:
        yield Action.RESPONSE, element, None


def _has_key(element: etree._Element) -> bool:
    """Tell whether an element carries a key of the standard: they are attributes named RefId or ending so."""
    return any(str(name).endswith("RefId") for name in element.attrib)
