"""What a zone answers, and what it delivers inside an answer."""

import re
from dataclasses import dataclass, field

from lxml import etree

from sif_pipeline.sif.elements import SIF, local
from sif_pipeline.sif.gate import Refused, open_message
from sif_pipeline.sif.messages import Message, Original, read_message, read_original
from sif_pipeline.sif.writing import canonical


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message from the zone, pulled or pushed."""

    body: bytes  #: as it came by push; by pull, where it stood inside an ack, in canonical form
    root: etree._Element | None  #: None where it is no XML that we read
    original: Original  #: what an ack to it repeats
    content: Message | Refused  #: its envelope, or why it is none
    carrier: Original | None = None  #: the ack that carried a pulled message

    @property
    def message(self) -> Message:
        """Its envelope; raise Refused where it has none."""
        if isinstance(self.content, Refused):
            raise self.content
        return self.content


@dataclass(frozen=True, slots=True)
class Answer:
    """A zone's answer to one message: a status or an error, and what came with it."""

    body: bytes  #: the answer's bytes
    version: str = ""  #: SIF_Message/@Version
    original: Original = field(default_factory=Original)  #: the answer's own SIF_SourceId and SIF_MsgId
    original_msg_id: str | None = None  #: SIF_OriginalMsgId: which message it answers
    code: int | None = None  #: SIF_Status/SIF_Code; None for an error
    error: tuple[int, int] | None = None  #: SIF_Error's category and code
    description: str = ""  #: SIF_Desc
    data: etree._Element | None = None  #: the element in SIF_Status/SIF_Data: SIF_ZoneStatus, SIF_AgentACL, ...

    @property
    def is_good(self) -> bool:
        """Whether the zone has the message: status 0, or 7 for one it had already."""
        return self.code in (0, 7)

    @property
    def words(self) -> str:
        """The answer in a word or two: `status 0`, `error 4/9`."""
        return f"status {self.code}" if self.error is None else f"error {self.error[0]}/{self.error[1]}"

    @property
    def delivered(self) -> Delivered | None:
        """The message that came with the answer to SIF_GetMessage; None where none did."""
        if self.data is None or local(self.data) != "SIF_Message":
            return None
        body = canonical(self.data)
        return _delivered(self.data, body, self.original)


def read_answer(body: bytes) -> Answer | None:
    """Read a SIF_Ack; None for what is none: a proxy's page, a broken answer."""
    try:
        root = open_message(body)
    except Refused:
        return None
    ack = next(root.iterchildren(SIF + "SIF_Ack"), None) if root.tag == SIF + "SIF_Message" else None
    if ack is None:
        return None
    own, original_msg_id = read_original(root), ack.findtext(SIF + "SIF_OriginalMsgId")
    error, code = ack.find(SIF + "SIF_Error"), _number(ack.findtext(f"{SIF}SIF_Status/{SIF}SIF_Code"))
    about = (body, root.get("Version", ""), own, original_msg_id)
    if error is not None:
        numbers = _number(error.findtext(SIF + "SIF_Category")) or 0, _number(error.findtext(SIF + "SIF_Code")) or 0
        return Answer(*about, error=numbers, description=error.findtext(SIF + "SIF_Desc") or "")
    if code is None:
        return None
    data = ack.find(f"{SIF}SIF_Status/{SIF}SIF_Data")
    return Answer(*about, code=code, data=next(iter(data), None) if data is not None else None)


def read_delivered(body: bytes) -> Delivered:
    """Read a pushed message; what is wrong with it is in its content."""
    try:
        root = open_message(body)
    except Refused as refused:
        return Delivered(body, None, Original(), refused)
    return _delivered(root, body, None)


def _delivered(root: etree._Element, body: bytes, carrier: Original | None) -> Delivered:
    content: Message | Refused
    try:
        content = read_message(root)
    except Refused as refused:
        content = refused
    return Delivered(body, root, read_original(root), content, carrier)


def _number(text: str | None) -> int | None:
    """Read a code; None for what is none."""
    digits = (text or "").strip()
    return int(digits) if re.fullmatch("[0-9]{1,4}", digits) else None
