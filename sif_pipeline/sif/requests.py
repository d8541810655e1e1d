"""What is asked, answered and called off: SIF_Request, SIF_Response, SIF_Ack and SIF_SystemControl, but for objects."""

import re
from dataclasses import dataclass

from lxml import etree

from sif_pipeline.sif.carried import of_response
from sif_pipeline.sif.elements import SIF, child, local, text, texts
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.header import Fields, Header, is_msg_id
from sif_pipeline.sif.naming import is_object_name


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


def read_request(body: etree._Element, _: Header) -> Fields:
    """Read SIF_Request; raise Refused (1/4, 1/6) for what is missing, and 8/3 where it names no usable object."""
    simple, extended = child(body, "SIF_Query"), child(body, "SIF_ExtendedQuery")
    query = simple if simple is not None else extended
    if query is None:
        raise Refused(1, 6, "SIF_Request has neither SIF_Query nor SIF_ExtendedQuery; say what is asked for.")
    size = text(body, "SIF_MaxBufferSize") or ""
    if not re.fullmatch(r"[0-9]{1,10}", size):
        raise Refused(1, 4 if size else 6, "SIF_Request has no usable SIF_MaxBufferSize; give a number of bytes.")
    versions = texts(body, "SIF_Version")
    if not versions:
        raise Refused(1, 6, "SIF_Request has no SIF_Version; say which releases the response may have, such as 2.*.")
    names = _asked_for(query)
    return {"request": Request(names, versions, int(size), etree.tostring(query, with_tail=False), simple is None)}


def _asked_for(query: etree._Element) -> tuple[str, ...]:
    """Name the objects of a query: of an extended one the provider's, then those of its SIF_From and its joins."""
    paths = ("SIF_DestinationProvider", "SIF_QueryObject/@ObjectName", "SIF_From/@ObjectName")
    said = (text(query, paths[0]), *(_child_attribute(query, path) for path in paths[1:]))
    joined = (element.get("ObjectName") for element in query.iter(SIF + "SIF_LeftElement", SIF + "SIF_RightElement"))
    names = tuple(dict.fromkeys(name.strip() for name in (*said, *joined) if name))
    if not names or not all(is_object_name(name) for name in names):
        raise Refused(8, 3, "The query names no usable SIF object; give the name of one, such as StudentPersonal.")
    return names


def _child_attribute(parent: etree._Element, path: str) -> str | None:
    name, _, attribute = path.partition("/@")
    found = child(parent, name)
    return found.get(attribute) if found is not None else None


def read_response(body: etree._Element, _: Header) -> Fields:
    """Read SIF_Response but for its objects; what cannot be used is None."""
    request_msg_id, number = text(body, "SIF_RequestMsgId") or "", text(body, "SIF_PacketNumber") or ""
    response = Response(
        request_msg_id=request_msg_id if is_msg_id(request_msg_id) else None,
        packet_number=int(number) if re.fullmatch(r"0{0,20}[1-9][0-9]{0,8}", number) else None,
        more_packets={"Yes": True, "No": False}.get(text(body, "SIF_MorePackets") or ""),
        error=_error(body),
        object_names=tuple(dict.fromkeys(local(element) for _, element, _ in of_response(body))),
    )
    return {"response": response}


def _error(body: etree._Element) -> tuple[int, int] | None:
    """Read category and code of a SIF_Error; 0 for what is no number of the standard."""
    error = child(body, "SIF_Error")
    if error is None:
        return None
    said = (text(error, "SIF_Category") or "", text(error, "SIF_Code") or "")
    category, code = (int(number) if re.fullmatch(r"[0-9]{1,6}", number) else 0 for number in said)
    return category, code


def read_ack(body: etree._Element, _: Header) -> Fields:
    """Read SIF_Ack; raise Refused (1/6) where it has neither status nor error."""
    source_id, msg_id = text(body, "SIF_OriginalSourceId"), text(body, "SIF_OriginalMsgId")
    code, error = text(child(body, "SIF_Status"), "SIF_Code") or "", _error(body)
    status = int(code) if re.fullmatch(r"[0-9]{1,6}", code) and error is None else None
    if status is None and error is None:
        raise Refused(1, 6, "SIF_Ack has neither a SIF_Status with a SIF_Code nor a SIF_Error; say which it is.")
    return {"answer": Answer(source_id, msg_id if msg_id and is_msg_id(msg_id) else None, status, error)}


def read_control(body: etree._Element, _: Header) -> Fields:
    """Read which command a SIF_SystemControl gives, None for none; raise Refused for an unusable SIF_CancelRequests."""
    data = child(body, "SIF_SystemControlData")
    command = next(data.iterchildren(etree.Element), None) if data is not None else None
    if command is None:
        return {"command": None}
    cancels = local(command) == "SIF_CancelRequests"
    return {"command": local(command), "cancellation": _cancellation(command) if cancels else None}


def _cancellation(command: etree._Element) -> Cancellation:
    listed = child(command, "SIF_RequestMsgIds")
    msg_ids = texts(listed, "SIF_RequestMsgId") if listed is not None else ()
    if not msg_ids:
        raise Refused(1, 6, "SIF_CancelRequests names no request; give the SIF_MsgId of each in SIF_RequestMsgIds.")
    if not all(is_msg_id(msg_id) for msg_id in msg_ids):
        raise Refused(1, 4, "A SIF_RequestMsgId is not 32 hexadecimal digits in upper case; give the request's own.")
    notification = text(command, "SIF_NotificationType")
    if notification not in ("Standard", "None"):
        raise Refused(1, 4, "SIF_NotificationType must be Standard or None; say which.")
    return Cancellation(msg_ids, notification == "Standard")
