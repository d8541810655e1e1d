"""Writing messages as one kit spells them: envelopes, and the content of each kind of message an agent sends.

Objects are SIF XML as bytes without a namespace declaration of their own, as a SIF_ObjectData holds them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from sif_pipeline.agent.kit import Kit
from sif_pipeline.sif.acks import CONTEXTS
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.query import ANY_2, EVERYTHING, Where, write_conditions
from sif_pipeline.sif.registration import PROVISION_LISTS
from sif_pipeline.sif.writing import Written, new_msg_id

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SECURITY = (
    "<SIF_Security><SIF_SecureChannel><SIF_AuthenticationLevel>0</SIF_AuthenticationLevel>"
    "<SIF_EncryptionLevel>0</SIF_EncryptionLevel></SIF_SecureChannel></SIF_Security>"
)


def write(  # noqa: PLR0913 -- one argument for each thing the envelope says
    kit: Kit,
    kind: str,
    source_id: str,
    content: bytes | str = b"",
    *,
    version: str = "",
    destination_id: str = "",
    contexts: bool = False,
    originals: str = "",
    msg_id: str = "",
) -> Written:
    """Write a SIF_Message of a kind (SIF_Event, ...) with what follows its SIF_Header; `originals` are an ack's."""
    id_ = msg_id or new_msg_id()
    parts = _header_parts(kit, id_, source_id, destination_id, contexts=contexts)
    header = f"<SIF_Header>{''.join(parts[name] for name in kit.header)}</SIF_Header>"
    front = f"{originals}{header}" if kit.original_first else f"{header}{originals}"
    inner = content if isinstance(content, bytes) else content.encode()
    body = b"".join((_open(kit, version or kit.version, kind, front), inner, f"</{kind}></SIF_Message>".encode()))
    return Written(id_, _dressed(kit, body))


def bundled(kit: Kit, source_id: str, contents: Iterable[bytes]) -> bytes:
    """Write the SIF_Events of a SIF_BundledEvents (2.6): each with a SIF_Header of its own and what `event` writes."""
    parts = []
    for content in contents:
        header = _header_parts(kit, new_msg_id(), source_id, "", contexts=True)
        written = f"<SIF_Header>{''.join(header[name] for name in kit.header)}</SIF_Header>".encode()
        parts.append(b"".join((b"<SIF_Event>", written, content, b"</SIF_Event>")))
    return b"<SIF_Events>" + b"".join(parts) + b"</SIF_Events>"


def _header_parts(kit: Kit, msg_id: str, source_id: str, destination_id: str, *, contexts: bool) -> dict[str, str]:
    return {
        "SIF_MsgId": _element("SIF_MsgId", msg_id),
        "SIF_Timestamp": _element("SIF_Timestamp", _timestamp(kit)),
        "SIF_Security": _SECURITY,
        "SIF_SourceId": _element("SIF_SourceId", source_id),
        "SIF_DestinationId": _element("SIF_DestinationId", destination_id) if destination_id else "",
        "SIF_Contexts": CONTEXTS if contexts and kit.states_context else "",
    }


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _timestamp(kit: Kit) -> str:
    now = datetime.now(UTC)
    if kit.offset in ("", "Z"):
        return now.strftime("%Y-%m-%dT%H:%M:%S") + kit.offset
    hours, minutes = int(kit.offset[1:3]), int(kit.offset[4:6])
    away = timedelta(hours=hours, minutes=minutes) * (-1 if kit.offset[0] == "-" else 1)
    return now.astimezone(timezone(away)).isoformat(timespec="seconds")


def _open(kit: Kit, version: str, kind: str, front: str) -> bytes:
    namespaces = f'xmlns="{NAMESPACE}" xmlns:xsi="{_XSI}"'
    stated = f'Version="{version}"'
    attributes = f"{namespaces} {stated}" if kit.version_last else f"{stated} {namespaces}"
    return f"<SIF_Message {attributes}><{kind}>{front}".encode()


def _dressed(kit: Kit, body: bytes) -> bytes:
    """Put on what surrounds a message: prefix, XML declaration, byte order mark."""
    dressed = _prefixed(body, kit.prefix) if kit.prefix else body
    if kit.declaration:
        dressed = b'<?xml version="1.0" encoding="UTF-8"?>\n' + dressed
    return (b"\xef\xbb\xbf" if kit.byte_order_mark else b"") + dressed


def _prefixed(body: bytes, prefix: str) -> bytes:
    plain = open_message(body)
    root = etree.Element(plain.tag, {str(k): str(v) for k, v in plain.attrib.items()}, {prefix: NAMESPACE, "xsi": _XSI})
    root.extend(list(plain))
    return etree.tostring(root, encoding="utf-8")


def register(kit: Kit, name: str, buffer_size: int, push_url: str = "") -> str:
    """Write what SIF_Register says: pull, or push where there is a URL to push to; sizes in bytes."""
    return (
        f"{_element('SIF_Name', name)}{''.join(_element('SIF_Version', v) for v in kit.versions)}"
        f"<SIF_MaxBufferSize>{buffer_size}</SIF_MaxBufferSize><SIF_Mode>{'Push' if push_url else 'Pull'}</SIF_Mode>"
        f"{_protocol(push_url) if push_url else ''}"
        "<SIF_NodeVendor>sif-pipeline</SIF_NodeVendor><SIF_NodeVersion>1.0</SIF_NodeVersion>"
    )


def _protocol(url: str) -> str:
    secure = url.startswith("https:")
    return (
        f'<SIF_Protocol Type="{"HTTPS" if secure else "HTTP"}" Secure="{"Yes" if secure else "No"}">'
        f"{_element('SIF_URL', url)}<SIF_Property><SIF_Name>Accept-Encoding</SIF_Name>"
        "<SIF_Value>gzip;q=1.0, identity;q=0.5</SIF_Value></SIF_Property></SIF_Protocol>"
    )


def provision(lists: dict[str, Sequence[str]]) -> str:
    """Write the lists of a SIF_Provision; `lists` gives object names by list, such as SIF_ProvideObjects."""
    return "".join(f"<{name}>{named_objects(lists.get(name, ()))}</{name}>" for name in PROVISION_LISTS)


def named_objects(names: Iterable[str]) -> str:
    """Write SIF_Objects, as SIF_Provision, SIF_Provide, SIF_Subscribe and their opposites list them."""
    return "".join(f"<SIF_Object ObjectName={quoteattr(name)}>{CONTEXTS}</SIF_Object>" for name in names)


def named_only(names: Iterable[str]) -> str:
    """Write SIF_Objects without contexts, as the older messages have them."""
    return "".join(f"<SIF_Object ObjectName={quoteattr(name)}/>" for name in names)


def event(action: str, object_name: str, *objects: bytes) -> bytes:
    """Write the SIF_ObjectData of a SIF_Event: one SIF_EventObject for each object."""
    opened = f'<SIF_EventObject ObjectName="{object_name}" Action="{action}">'.encode()
    events = (b"".join((opened, xml, b"</SIF_EventObject>")) for xml in objects)
    return b"".join((b"<SIF_ObjectData>", *events, b"</SIF_ObjectData>"))


def request(object_name: str, buffer_size: int, where: Where = EVERYTHING, versions: Sequence[str] = ANY_2) -> str:
    """Write what a SIF_Request asks: every object of a name, or those that meet the conditions; sizes in bytes."""
    return (
        f"{''.join(_element('SIF_Version', v) for v in versions)}<SIF_MaxBufferSize>{buffer_size}</SIF_MaxBufferSize>"
        f"<SIF_Query><SIF_QueryObject ObjectName={quoteattr(object_name)}/>{write_conditions(where)}</SIF_Query>"
    )


class ObjectTooLarge(ValueError):
    """An object alone is larger than the packets that were asked for; the requester must allow larger ones."""


def packets(kit: Kit, objects: Iterable[bytes], room: int) -> Iterator[bytes]:
    """Yield objects joined in portions of at most `room` bytes, one empty portion for none. Raise ObjectTooLarge."""
    portion: list[bytes] = []
    size, given = 0, False
    for xml in objects:
        length = len(xml) + (xml.count(b"<") * (len(kit.prefix) + 1) if kit.prefix else 0)
        if length > room:
            raise ObjectTooLarge(ObjectTooLarge.__doc__)
        if portion and size + length > room:
            yield b"".join(portion)
            portion, size, given = [], 0, True
        portion.append(xml)
        size += length
    if portion or not given:
        yield b"".join(portion)


def response(request_msg_id: str, number: int, content: bytes, *, more: bool) -> bytes:
    """Write a packet of a SIF_Response: `content` is its objects, or a SIF_Error."""
    wrapped = content if content.startswith(b"<SIF_Error>") else b"<SIF_ObjectData>" + content + b"</SIF_ObjectData>"
    return (
        f"{_element('SIF_RequestMsgId', request_msg_id)}<SIF_PacketNumber>{number}</SIF_PacketNumber>"
        f"<SIF_MorePackets>{'Yes' if more else 'No'}</SIF_MorePackets>"
    ).encode() + wrapped


def status(code: int) -> str:
    """Write a SIF_Status without data."""
    return f"<SIF_Status><SIF_Code>{code}</SIF_Code></SIF_Status>"


def originals(source_id: str | None, msg_id: str | None) -> str:
    """Write which message an ack is about; nil where that could not be read."""
    parts = (("SIF_OriginalSourceId", source_id), ("SIF_OriginalMsgId", msg_id))
    return "".join(f'<{name} xsi:nil="true"/>' if text is None else _element(name, text) for name, text in parts)


def control(command: str, content: str = "") -> str:
    """Write the command of a SIF_SystemControl, such as SIF_Ping."""
    return f"<SIF_SystemControlData><{command}>{content}</{command}></SIF_SystemControlData>"


def cancelled(msg_ids: Iterable[str]) -> str:
    """Write what SIF_CancelRequests names."""
    return (
        "<SIF_NotificationType>Standard</SIF_NotificationType><SIF_RequestMsgIds>"
        f"{''.join(_element('SIF_RequestMsgId', id_) for id_ in msg_ids)}</SIF_RequestMsgIds>"
    )
