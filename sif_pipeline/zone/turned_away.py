"""Messages and files that were refused, for people: who sent them, what they were told, how often and when last.

One row for each sender, error and fault, so that an agent that sends the same for days, or a flood, takes no room. A
fault is a sentence without its numbers: a line of the message, a place in a list. Sentences name objects of the
standard too, in as many combinations as a sender likes; so of one error no more than MOST faults are kept. A row holds
what the answer said, whose sentence never quotes a message, and ids.
"""

import re
from contextlib import suppress
from typing import Final

import psycopg

from sif_pipeline.database import queries
from sif_pipeline.sif.gate import Refused
from sif_pipeline.zone.storing import Connection, Incoming
from sif_pipeline.zones import Zone

SQL: Final = {name: query.encode() for name, query in queries("turned_away").items()}

MOST: Final = 20
"""Faults of one error that are kept of a sender, the latest."""

_KEY: Final = 200
"""Characters of a sentence that tell faults apart; the key of a table has no room for all."""


def _fault(sentence: str) -> str:
    return re.sub("[0-9]+", "#", sentence)[:_KEY]


def facts(zone_id: int, source_id: str, refused: Refused) -> dict[str, object]:
    """Give what the query `note` takes of a refusal; nothing is said of the message that was refused."""
    return {
        "zone_id": zone_id,
        "source_id": source_id,
        "category": refused.category,
        "code": refused.code,
        "fault": _fault(refused.sentence),
        "most": MOST,
        "sentence": refused.sentence,
        "message_type": None,
        "msg_id": None,
    }


async def note(connection: Connection, zone: Zone, incoming: Incoming, refused: Refused) -> None:
    """Note that a message was refused; its sender is who it says, as far as that could be read.

    Where another is noting the same, the count is let go: the answer matters more.
    """
    message = incoming.content
    values = facts(zone.zone_id, incoming.original.source_id or "", refused) | {
        "message_type": None if isinstance(message, Refused) else message.message_type,
        "msg_id": incoming.original.msg_id,
    }
    with suppress(psycopg.errors.LockNotAvailable):
        async with connection.transaction():
            await connection.execute(SQL["hurry"])
            await connection.execute(SQL["note"], values)
