"""SIF 2.x messages as an agent writes them: events, response packets, registration and bare lists of objects.

Everything is a pure function of its arguments: the same seed gives the same MsgIds and the same bytes.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from sif_pipeline.synth.plan import ref_id

NAMESPACE = "http://www.sifinfo.org/infrastructure/2.x"
VERSION = "2.7"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


class Stamp(NamedTuple):
    """What makes one message unlike every other: its identifier and its moment."""

    msg_id: str
    timestamp: str


def stamps(seed: int, source_id: str, start: datetime) -> Iterator[Stamp]:
    """Yield MsgIds (32 upper-case hexadecimal digits) with timestamps one millisecond apart, without end.

    `start` must know its time zone; timestamps are written in UTC.
    """
    moment, number, millisecond = start.astimezone(UTC), 0, timedelta(milliseconds=1)
    while True:
        text = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        yield Stamp(ref_id(seed, source_id, "SIF_MsgId", number), text)
        number += 1
        moment += millisecond


def event(  # noqa: PLR0913 -- one argument for each thing the envelope says
    object_name: str, action: str, xml: bytes, source_id: str, stamp: Stamp, *, version: str = VERSION
) -> bytes:
    """Return a SIF_Event with one object; `action` is Add, Change or Delete."""
    head = (
        f"{_open(version)}<SIF_Event>{_header(source_id, stamp)}<SIF_ObjectData>"
        f'<SIF_EventObject ObjectName="{object_name}" Action="{action}">'
    )
    return b"".join((head.encode(), xml, b"</SIF_EventObject></SIF_ObjectData></SIF_Event></SIF_Message>"))


def response_packets(  # noqa: PLR0913 -- one argument for each thing the envelope says
    objects: Iterable[bytes],
    source_id: str,
    destination_id: str,
    request_msg_id: str,
    stamps: Iterator[Stamp],
    *,
    buffer_size: int = 393_216,
    version: str = VERSION,
) -> Iterator[bytes]:
    """Yield the SIF_Response packets that answer one request, none larger than `buffer_size` bytes.

    No objects give one empty packet, as the standard says. Raise ValueError when one object is too large.
    """
    number = 1
    chunks = _chunks(objects, buffer_size - _ENVELOPE - len(source_id) - len(destination_id))
    chunk = next(chunks, b"")
    while True:
        following = next(chunks, None)
        head = (
            f"{_open(version)}<SIF_Response>{_header(source_id, next(stamps), destination_id)}"
            f"<SIF_RequestMsgId>{request_msg_id}</SIF_RequestMsgId><SIF_PacketNumber>{number}</SIF_PacketNumber>"
            f"<SIF_MorePackets>{'No' if following is None else 'Yes'}</SIF_MorePackets><SIF_ObjectData>"
        )
        yield b"".join((head.encode(), chunk, b"</SIF_ObjectData></SIF_Response></SIF_Message>"))
        if following is None:
            return
        chunk, number = following, number + 1


_ENVELOPE = 700  # more bytes than head and tail of a packet without the two names


def _chunks(objects: Iterable[bytes], limit: int) -> Iterator[bytes]:
    chunk: list[bytes] = []
    size = 0
    for xml in objects:
        if len(xml) > limit:
            raise ValueError("An object is larger than the buffer; ask for a larger buffer.")
        if size + len(xml) > limit:
            yield b"".join(chunk)
            chunk, size = [], 0
        chunk.append(xml)
        size += len(xml)
    if chunk:
        yield b"".join(chunk)


def object_list(objects: Iterable[bytes]) -> Iterator[bytes]:
    """Yield, piece by piece, a file of objects with no message around them: a bare SIF_ObjectData."""
    yield f'<SIF_ObjectData xmlns="{NAMESPACE}" xmlns:xsi="{_XSI}">'.encode()
    yield from objects
    yield b"</SIF_ObjectData>"


def register(source_id: str, stamp: Stamp, *, name: str = "Synthetic SIS", version: str = VERSION) -> bytes:
    """Return the SIF_Register of an agent in pull mode that knows every 2.x version."""
    return _message(
        version,
        f"<SIF_Register>{_header(source_id, stamp)}<SIF_Name>{escape(name)}</SIF_Name>"
        f"<SIF_Version>{version}</SIF_Version><SIF_Version>2.*</SIF_Version>"
        "<SIF_MaxBufferSize>393216</SIF_MaxBufferSize><SIF_Mode>Pull</SIF_Mode>"
        "<SIF_NodeVendor>Synthetic state</SIF_NodeVendor><SIF_NodeVersion>1.0</SIF_NodeVersion>"
        "</SIF_Register>",
    )


def provision(source_id: str, objects: Iterable[str], stamp: Stamp, *, version: str = VERSION) -> bytes:
    """Return the SIF_Provision of an agent that provides `objects`, answers for them and publishes events."""
    listed = "".join(
        f"<SIF_Object ObjectName={quoteattr(name)}>"
        "<SIF_Contexts><SIF_Context>SIF_Default</SIF_Context></SIF_Contexts></SIF_Object>"
        for name in objects
    )
    lists = (
        ("Provide", listed),
        ("Subscribe", ""),
        ("PublishAdd", listed),
        ("PublishChange", listed),
        ("PublishDelete", listed),
        ("Request", ""),
        ("Respond", listed),
    )
    body = "".join(f"<SIF_{verb}Objects>{content}</SIF_{verb}Objects>" for verb, content in lists)
    return _message(version, f"<SIF_Provision>{_header(source_id, stamp)}{body}</SIF_Provision>")


def unregister(source_id: str, stamp: Stamp, *, version: str = VERSION) -> bytes:
    """Return the SIF_Unregister with which an agent leaves the zone."""
    return _message(version, f"<SIF_Unregister>{_header(source_id, stamp)}</SIF_Unregister>")


def ping(source_id: str, stamp: Stamp, *, version: str = VERSION) -> bytes:
    """Return a SIF_SystemControl with SIF_Ping, which asks whether the zone is there."""
    return _message(
        version,
        f"<SIF_SystemControl>{_header(source_id, stamp)}"
        "<SIF_SystemControlData><SIF_Ping/></SIF_SystemControlData></SIF_SystemControl>",
    )


def _message(version: str, body: str) -> bytes:
    return f"{_open(version)}{body}</SIF_Message>".encode()


def _open(version: str) -> str:
    return f'<SIF_Message xmlns="{NAMESPACE}" xmlns:xsi="{_XSI}" Version="{version}">'


def _header(source_id: str, stamp: Stamp, destination_id: str = "") -> str:
    destination = f"<SIF_DestinationId>{escape(destination_id)}</SIF_DestinationId>" if destination_id else ""
    return (
        f"<SIF_Header><SIF_MsgId>{stamp.msg_id}</SIF_MsgId><SIF_Timestamp>{stamp.timestamp}</SIF_Timestamp>"
        f"<SIF_SourceId>{escape(source_id)}</SIF_SourceId>{destination}</SIF_Header>"
    )
