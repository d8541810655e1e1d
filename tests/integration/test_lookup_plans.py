"""Look-ups by the batch go by an index, key by key: none becomes a join with a whole table, analyzed or not."""

import pytest
import sif_text as sif
from psycopg.sql import SQL

from sif_pipeline.loading.arrays import hashes
from sif_pipeline.loading.statements import INBOX, statements
from sif_pipeline.loading.store import DatabaseStore
from warehouse.base import objects

MANY, ASKED = 30_000, 2_000
"""Objects there, and asked for at once: above some ten thousand the planner used to join."""


EVENTS = """
    INSERT INTO inbox.object_event (
        message_id, position, zone_id, object_name, row_key, action, ordered_at, outcome, waiting_object, waiting_key
    )
    SELECT %(message)s, n, %(zone)s, 'StudentPersonal', gen_random_uuid(), 'Response', now(),
        CASE WHEN n %% 10 = 0 THEN 'held' ELSE 'applied' END, CASE WHEN n %% 10 = 0 THEN 'SchoolInfo' END,
        CASE WHEN n %% 10 = 0 THEN gen_random_uuid() END
    FROM generate_series(2, %(many)s) AS n
"""
FINDINGS = """
    INSERT INTO inbox.notice (
        zone_id, message_id, position, object_name, row_key, code, severity, path, line, times, recorded_at
    )
    SELECT zone_id, message_id, position, object_name, row_key, 'element_unknown', 'warning', 'x', 1, 1, now()
    FROM inbox.object_event
    WHERE zone_id = %(zone)s
"""
ROWS = """
    INSERT INTO sif.student_personal
    SELECT (jsonb_populate_record(s, jsonb_build_object('row_key', e.row_key, 'content_hash', e.row_key))).*
    FROM sif.student_personal AS s
    JOIN inbox.object_event AS e ON e.zone_id = s.zone_id AND e.row_key <> s.row_key
    WHERE s.zone_id = %(zone_id)s
"""
JOINS = ("Hash Join", "Merge Join", "Hash Anti", "Hash Right")


@pytest.fixture(scope="module")
def keys(connection):
    """Fill a zone with students' events, one in ten of them held, and with findings; give keys of some, in arrays."""
    zone = sif.Inbox.new(connection)
    zone.put(sif.response(sif.student("A", "1"), at=sif.minute(0)))
    zone.drain()
    ((message_id,),) = zone.all("SELECT message_id FROM inbox.message WHERE zone_id = %(zone)s")
    fill = {"message": message_id, "zone": zone.zone_id, "many": MANY}
    connection.execute(EVENTS, fill)
    connection.execute(FINDINGS, fill)
    connection.commit()
    found = zone.all("SELECT row_key FROM inbox.object_event WHERE zone_id = %(zone)s LIMIT %(n)s", n=ASKED)
    return {
        "zone_id": zone.zone_id,
        "object_name": "StudentPersonal",
        "zone_ids": [zone.zone_id] * ASKED,
        "names": ["StudentPersonal"] * ASKED,
        "keys": [key for (key,) in found],
        "message_ids": [message_id] * ASKED,
        "positions": list(range(1, ASKED + 1)),
        "recorded": [sif.minute(1)] * ASKED,
        "elements": [None] * ASKED,
        "repeatable": [True] * ASKED,
        "hashes": hashes([bytes([n % 256]) * 16 for n in range(ASKED)]),
    }


def joins(connection, statement, parameters):
    """Name the joins of a statement's plan."""
    DatabaseStore(connection)  # knows how hashes are sent
    lines = connection.execute(SQL("EXPLAIN ") + SQL(statement), parameters).fetchall()
    return {kind for (line,) in lines for kind in JOINS if kind in line}


@pytest.mark.parametrize("is_analyzed", [False, True], ids=["never analyzed", "analyzed"])
@pytest.mark.parametrize("name", ["heads", "missing", "waiting", "open_findings", "places", "resolve"])
def test_look_ups_in_the_inbox_are_no_joins(connection, keys, name, is_analyzed):
    with connection.transaction(force_rollback=True):
        if is_analyzed:
            connection.execute("ANALYZE inbox.object_event, inbox.notice")
        assert joins(connection, INBOX[name], keys) == set()


def test_asking_what_is_known_is_no_join(connection, keys):
    assert joins(connection, statements(objects()["StudentPersonal"]).unknown.as_string(connection), keys) == set()


@pytest.mark.parametrize("name", ["close", "mark", "hashes", "documents"])
def test_statements_on_current_rows_are_no_joins(connection, keys, name):
    with connection.transaction(force_rollback=True):
        connection.execute(ROWS, keys)
        connection.execute("ANALYZE sif.student_personal")
        statement = getattr(statements(objects()["StudentPersonal"]), name)
        assert joins(connection, statement.as_string(connection), keys) == set()
