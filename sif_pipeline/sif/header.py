"""SIF_Header: who sent a message and when, to whom, in which contexts, and what channel it may be delivered by."""

import re
from datetime import datetime
from typing import Any, Final, NamedTuple

from lxml import etree

from sif_pipeline.notices import Notice
from sif_pipeline.sif.elements import child, text, texts
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.timestamps import read_timestamp

DEFAULT_CONTEXT: Final = "SIF_Default"
"""The only context a zone of ours has."""

is_msg_id = re.compile(r"[0-9A-F]{32}").fullmatch
"""Match a SIF_MsgId: 32 upper-case hexadecimal digits, as the 2.6 schema has it."""

is_source_id = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._:@/()#+-]{0,63}").fullmatch
"""Match a SIF_SourceId: 1 to 64 of the characters that the name of an agent can have here."""


class Level(NamedTuple):
    """What SIF_SecureChannel asks of the channel by which a message is delivered."""

    authentication: int = 0  #: SIF_AuthenticationLevel, 0 to 3
    encryption: int = 0  #: SIF_EncryptionLevel, 0 to 4


NO_LEVEL: Final = Level()
"""Any channel will do."""


class Header(NamedTuple):
    """What the SIF_Header of a message says, checked; each is a field of Message too."""

    msg_id: str  #: SIF_MsgId
    source_id: str  #: SIF_SourceId
    destination_id: str | None  #: SIF_DestinationId
    timestamp: datetime | None  #: SIF_Timestamp in UTC; None where it cannot be used
    contexts: tuple[str, ...]  #: SIF_Context; none means the default
    level: Level  #: SIF_SecureChannel
    notices: tuple[Notice, ...]  #: findings about it


Fields = dict[str, Any]
"""What the body of a message says, by the fields of Message; which body gives which is said in `messages`."""


def read_header(header: etree._Element, message_type: str) -> Header:
    """Read the SIF_Header of a message of a type; raise Refused (1/4, 1/6; 5/2 for the name of who registers)."""
    timestamp, notices = _timestamp(text(header, "SIF_Timestamp"))
    return Header(
        msg_id=msg_id_of(header),
        source_id=source_id_of(header, message_type),
        destination_id=destination_id_of(header),
        timestamp=timestamp,
        contexts=contexts_of(header),
        level=level_of(header),
        notices=notices,
    )


def _timestamp(said: str | None) -> tuple[datetime | None, tuple[Notice, ...]]:
    """Read an xs:dateTime, or find it unusable: order then falls back on arrival, and the message is good."""
    at = read_timestamp(said or "")
    return at, () if at else (Notice("timestamp_implausible", "SIF_Header/SIF_Timestamp"),)


def msg_id_of(header: etree._Element) -> str:
    """Read SIF_MsgId strictly, or raise Refused: an ack must repeat it, and the schema lets it repeat nothing else."""
    msg_id = text(header, "SIF_MsgId")
    if msg_id is None:
        raise Refused(1, 6, "SIF_MsgId is missing; every message needs one of its own.")
    if not is_msg_id(msg_id):
        raise Refused(1, 4, "SIF_MsgId is not 32 hexadecimal digits in upper case; ask the vendor of the agent.")
    return msg_id


_SOURCE_IDS = (
    "SIF_SourceId must be 1 to 64 of A to Z, a to z, 0 to 9, blank and . _ : @ / ( ) # + -, "
    "the first a letter or digit; rename the agent."
)


def source_id_of(header: etree._Element, message_type: str) -> str:
    """Read SIF_SourceId in a closed alphabet, or raise Refused: it ends up in file names, logs and reports."""
    source_id = text(header, "SIF_SourceId")
    if source_id is None:
        raise Refused(1, 6, "SIF_SourceId is missing; give the agent the name it registered under.")
    if not is_source_id(source_id):
        raise Refused(5, 2, _SOURCE_IDS) if message_type == "SIF_Register" else Refused(1, 4, _SOURCE_IDS)
    return source_id


def destination_id_of(header: etree._Element) -> str | None:
    """Read SIF_DestinationId, or raise Refused for what no agent can be named; None: for whoever it concerns."""
    destination_id = text(header, "SIF_DestinationId")
    if destination_id is not None and not is_source_id(destination_id):
        raise Refused(1, 4, "SIF_DestinationId is no name an agent can have; give the SIF_SourceId of the addressee.")
    return destination_id


def contexts_of(parent: etree._Element) -> tuple[str, ...]:
    """Read the SIF_Contexts of a SIF_Header or a SIF_Object; none means the default."""
    wrapper = child(parent, "SIF_Contexts")
    return texts(wrapper, "SIF_Context") if wrapper is not None else ()


def level_of(header: etree._Element) -> Level:
    """Read what SIF_SecureChannel asks for; nothing where it is not there."""
    channel = child(child(header, "SIF_Security"), "SIF_SecureChannel")
    return Level(_number(channel, "SIF_AuthenticationLevel", 3), _number(channel, "SIF_EncryptionLevel", 4))


def _number(channel: etree._Element | None, name: str, highest: int) -> int:
    """Read a level; what is no level asks for nothing."""
    said = text(channel, name) or ""
    return int(said) if re.fullmatch("[0-9]", said) and int(said) <= highest else 0
