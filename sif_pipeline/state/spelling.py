"""Differences that are none: the same object spelled in another way, such as with its attributes in another order."""

from collections.abc import Iterator
from itertools import groupby

from psycopg.sql import SQL, Identifier

from sif_pipeline.database import Connection
from sif_pipeline.loading.statements import INBOX
from sif_pipeline.reading import content
from sif_pipeline.reading.content import Content
from sif_pipeline.reading.mapping import Key
from warehouse.base import CURRENT, SifObject

_DIFFERENT = SQL(
    "SELECT d.message_id, d.position, d.row_key, c.document FROM outbox.difference AS d"
    " JOIN {current} AS c ON c.zone_id = %(zone_id)s AND c.row_key = d.row_key"
    " WHERE d.sync_id = %(sync_id)s AND d.kind = 'different' ORDER BY d.message_id, d.position"
)
_FORGET = "DELETE FROM outbox.difference WHERE sync_id = %(sync_id)s AND row_key = ANY(%(keys)s::uuid[])"


def forget_spellings(connection: Connection, cls: type[SifObject], zone_id: int, sync_id: int) -> int:
    """Take off a sync's list what differs from the state's object in its bytes only; give how much that was.

    One message is in memory at a time. The connection is in a transaction.
    """
    keys = list(_spellings(connection, cls, zone_id, sync_id))
    if keys:
        connection.execute(_FORGET, {"sync_id": sync_id, "keys": keys})
    return len(keys)


def _spellings(connection: Connection, cls: type[SifObject], zone_id: int, sync_id: int) -> Iterator[Key]:
    with connection.cursor("different") as differing:
        query = _DIFFERENT.format(current=Identifier(CURRENT, cls.__tablename__))
        differing.execute(query, {"zone_id": zone_id, "sync_id": sync_id})
        for message_id, lines in groupby(differing, key=lambda line: line[0]):
            sent = content.of_message(_body(connection, message_id))
            for _, position, key, document in lines:
                if sent[position].is_same(Content(cls, document=document)):
                    yield key


def _body(connection: Connection, message_id: int) -> bytes:
    (body,) = connection.execute(INBOX["body"], {"message_id": message_id}, binary=True).fetchone() or (b"",)
    return bytes(body)
