"""Writing down what an agent of a sandbox said and how it was answered; no value of a student is in it."""

import re
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from sif_pipeline.database import queries
from sif_pipeline.sif.acks import STORED, Status
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.messages import Message, Original
from sif_pipeline.sif.requests import Answer

SQL: Final = {name: query.encode() for name, query in queries("recording").items()}

_CLAIMED = re.compile(rb"<(?:\w+:)?SIF_SourceId>\s*([A-Za-z0-9][A-Za-z0-9 ._:@/()#+-]{0,63}?)\s*</")
"""Who a message says it is from, where it is no XML: a conformance run is to show the vendor its own broken message."""

_LOCAL_TIME = re.compile(
    rb"<(?:\w+:)?SIF_Header\b[^>]*>(?:(?!</(?:\w+:)?SIF_Header).)*?<(?:\w+:)?SIF_Timestamp>\s*[0-9-]+T[0-9:.]+\s*</",
    re.DOTALL,
)

WITHOUT_OFFSET: Final = "timestamp_without_offset"
"""What is recorded of a SIF_Timestamp that says no offset; the zone takes it as UTC and says nothing."""

_CARRIED = re.compile(r"\s*<(?:\w+:)?SIF_Message\b.*?<(?:\w+:)?SIF_MsgId>\s*([0-9A-F]{32})\s*</", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """One message of an agent, as far as it could be read."""

    content: Message | Refused
    original: Original  #: SIF_SourceId, SIF_MsgId and Version, where there were any
    body: bytes  #: as received


class Withheld(Exception):
    """The answer is held back this once, to see whether the agent sends the message again."""


WITHHELD: Final = "withheld"
"""What is recorded as the answer to a message whose answer was held back."""


async def record(connection: psycopg.AsyncConnection[Any], zone_id: int, said: Said, outcome: Status | Refused) -> None:
    """Write down one message and how it was answered; raise Withheld where the run is to hold this answer back."""
    row = _row(zone_id, said, outcome)
    is_withheld = (
        row["said"] == "SIF_Event"
        and outcome is STORED
        and await (await connection.execute(SQL["withheld"], row)).fetchone() is not None
    )
    await connection.execute(SQL["record"], row | {"answer": WITHHELD} if is_withheld else row)
    if is_withheld:
        raise Withheld


def _row(zone_id: int, said: Said, outcome: Status | Refused) -> dict[str, Any]:
    original, message = said.original, said.content if isinstance(said.content, Message) else None
    answer = message.answer if message else None
    return {
        "zone_id": zone_id,
        "source_id": original.source_id or _claimed(said.body),
        "msg_id": original.msg_id,
        "said": (message.command or message.message_type) if message else None,
        "sif_version": original.version,
        "bytes": len(said.body),
        "original_msg_id": answer.original_msg_id if answer else None,
        "told": _words(answer) if answer else None,
        "answer": _answer(outcome),
        "carried_msg_id": _carried(outcome),
        "envelope": " ".join(_flaws(message, said.body)) or None if message else None,
    }


def _flaws(message: Message, body: bytes) -> list[str]:
    undated = [WITHOUT_OFFSET] if _LOCAL_TIME.search(body) else []
    return [*(notice.code for notice in message.notices), *undated]


def _claimed(body: bytes) -> str | None:
    found = _CLAIMED.search(body)
    return found[1].decode("ascii") if found else None


def _words(answer: Answer) -> str:
    return f"{answer.error[0]}/{answer.error[1]}" if answer.error else str(answer.status)


def _answer(outcome: Status | Refused) -> str:
    """Say our answer: a status, or an error with its sentence, which never quotes a message."""
    if isinstance(outcome, Refused):
        return f"{outcome.category}/{outcome.code} {outcome.sentence}"
    return str(outcome.code)


def _carried(outcome: Status | Refused) -> str | None:
    found = _CARRIED.match(outcome.data) if isinstance(outcome, Status) else None
    return found[1] if found else None
