"""What a status says: counts add up to what the messages themselves say, and findings to what is wrong."""

import random

import pytest
import sif_text as sif

from sif_pipeline import status
from sif_pipeline.database import queries
from sif_pipeline.loading import bulk, replay

PLAIN = """
SELECT
    z.name, count(m.message_id),
    count(*) FILTER (WHERE m.state = 'pending'),
    count(*) FILTER (WHERE m.state = 'done' AND m.held = 0 AND (m.objects = 0 OR m.rejected < m.objects)),
    count(*) FILTER (WHERE m.state = 'done' AND m.held > 0),
    count(*) FILTER (WHERE m.state = 'done' AND m.held = 0 AND m.objects > 0 AND m.rejected = m.objects),
    count(*) FILTER (WHERE m.state = 'quarantined'),
    count(*) FILTER (WHERE m.state = 'staged'),
    count(*) FILTER (WHERE m.state = 'kept'),
    coalesce(sum(m.duplicates), 0), max(m.received_at), coalesce(sum(m.unchanged), 0),
    (
        SELECT ARRAY[
            count(*) FILTER (WHERE e.outcome IN ('applied', 'superseded')) + coalesce(sum(m.unchanged), 0)::bigint,
            count(*) FILTER (WHERE e.outcome = 'held'),
            count(*) FILTER (WHERE e.outcome IN ('rejected', 'unfit')),
            count(*) FILTER (WHERE e.outcome = 'unknown')
        ]
        FROM inbox.object_event AS e
        WHERE e.zone_id = z.zone_id
    )
FROM inbox.zone AS z
LEFT JOIN inbox.message AS m USING (zone_id)
GROUP BY z.zone_id
ORDER BY z.name
"""
"""All of it counted message by message, and object by object."""


def said(url):
    return [
        (z.zone, z.received, z.pending, z.loaded, z.held, z.rejected, z.quarantined, z.staged, z.kept, z.duplicate,
         z.last_received, z.objects_unchanged,
         [z.objects_loaded, z.objects_held, z.objects_rejected, z.objects_not_collected])
        for z in status.zones(url)
    ]  # fmt: skip


@pytest.fixture
def connection(database_url):
    with sif.connected(database_url) as connection:
        yield connection


def some(chance):
    """Give a message of one of the kinds that a status tells apart."""
    word, wrong = f"{chance.randrange(30)}", "<SchoolInfo RefId='x'/>"
    foreign = sif.sparse("LibraryPatronStatus", word)
    return chance.choice(
        [
            sif.event("Add", sif.student(word), at=sif.minute(chance.randrange(9))),
            sif.event(
                "Add", sif.school("S"), sif.enrollment(f"E{word}", word, "S"), at=sif.minute(chance.randrange(9))
            ),
            sif.event("Add", wrong, at=sif.minute(1)),
            sif.event("Add", wrong, sif.student(word), at=sif.minute(2)),
            sif.event("Add", foreign, sif.student(word), at=sif.minute(2)),
            sif.event("Add", sif.student(word), at=sif.minute(3), msg=f"{chance.randrange(6):032X}"),
            sif.response(sif.student("again"), at=sif.minute(chance.randrange(4, 9))),
            sif.event("Delete", sif.sparse("StudentPersonal", "again"), at=sif.minute(chance.randrange(4, 9))),
        ]
    )


def settle(connection, chance):
    """Put one message aside as a sandbox, a full sync, the server or three failures do."""
    state = chance.choice(["kept", "staged", "done", "quarantined"])
    connection.execute(
        "UPDATE inbox.message SET state = %s WHERE message_id = (SELECT max(message_id) FROM inbox.message"
        " WHERE state = 'pending')",
        [state],
    )


@pytest.mark.parametrize("seed", range(2))
def test_status_says_what_the_messages_say_after_any_course_of_things(connection, database_url, seed):
    chance = random.Random(seed)
    inboxes = [sif.Inbox.new(connection) for _ in range(3)]
    for _ in range(40):
        inbox = chance.choice(inboxes[:2])
        act = chance.choice(["put", "put", "put", "drain", "settle", "replay"])
        if act == "put":
            inbox.put(some(chance))
        elif act == "drain":
            inbox.drain(chance.randrange(1, 4))
        elif act == "settle":
            settle(connection, chance)
        else:
            replay.replay(database_url, inbox.name, sif.minute(chance.randrange(9)))
        assert said(database_url) == connection.execute(PLAIN).fetchall()


def test_a_bulk_load_is_counted_once_however_often_it_begins(connection, database_url, tmp_path):
    zone = sif.Inbox.new(connection)
    files = [sif.response(sif.student(word), sif.enrollment(f"E{word}", word, "S")) for word in "ABC"]
    files += [
        sif.response(sif.sparse("LibraryPatronStatus", "P"), sif.student("A")),
        sif.event("Change", sif.sparse("StudentPersonal", "B", "")),
    ]
    for number, body in enumerate(files):
        (tmp_path / f"{number}.xml").write_bytes(body)
    for _ in range(2):
        bulk.load(database_url, bulk.plan(database_url, zone.name, [tmp_path]))
        assert said(database_url) == connection.execute(PLAIN).fetchall()
        assert said(database_url)[0][1] == len(files)


def test_status_reads_no_message_that_was_simply_loaded(connection):
    """Its cost is that of what is pending or stands apart, not that of the years before."""
    zone = sif.Inbox.new(connection)
    connection.execute(
        """
        INSERT INTO inbox.message (zone_id, source_id, msg_id, message_type, origin, body, body_sha256, state, objects,
                                   recorded_at, rejected)
        SELECT %(zone)s, 'S', n::text, 'SIF_Event', 'http', '', '', 'done', 1, now() + n * interval '1 us', n %% 500
        FROM generate_series(1, 20000) AS n
        """,
        {"zone": zone.zone_id},
    )
    connection.execute("UPDATE inbox.message SET rejected = 0 WHERE rejected > 1")
    connection.execute("VACUUM (ANALYZE) inbox.message")
    plan = "\n".join(line for (line,) in connection.execute("EXPLAIN " + queries("status")["zones"]))
    assert "using ix_message_apart" in plan
    assert "Seq Scan on message" not in plan


def test_findings_are_said_one_by_one_with_object_message_and_line(connection, database_url):
    zone = sif.Inbox.new(connection)
    bad = sif.student("bad", more="\n<Demographics>\n<Gender>?</Gender></Demographics>")
    zone.put(sif.event("Add", bad, at=sif.minute(1), msg="A" * 32))
    zone.put(sif.event("Add", sif.enrollment("E", "A", "S"), at=sif.minute(2), msg="B" * 32))
    zone.drain()
    held, wrong = status.each_finding(database_url, zone.name)
    assert (held.code, held.row_key, held.msg_id) == ("parent_missing", sif.ref("E"), "B" * 32)
    assert (wrong.code, wrong.row_key, wrong.msg_id) == ("value_not_in_code_set", sif.ref("bad"), "A" * 32)
    assert wrong.line is not None
    assert status.each_finding(database_url, zone.name, code="value_not_in_code_set") == [wrong]
    assert status.each_finding(database_url, zone.name, limit=1) == [held]
    assert [found.code for found in status.findings(database_url, zone.name, code="parent_missing")] == [held.code]
    zone.put(sif.event("Add", sif.student("bad"), at=sif.minute(3)))
    zone.drain()
    assert status.each_finding(database_url, zone.name) == [held]


def test_what_a_change_makes_invalid_is_said_at_the_change(connection, database_url):
    """The object is of two messages by then: the lines of its elements are of neither."""
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A"), at=sif.minute(1)))
    address = '<AddressList>\n<Address Type="0123">\n<City>Athol</City></Address></AddressList>'
    change = sif.event("Change", sif.sparse("StudentPersonal", "A", address), at=sif.minute(2))
    zone.put(change.replace(b"<StudentPersonal", b"\n\n\n<StudentPersonal"))
    zone.drain()
    found = status.each_finding(database_url, zone.name)
    assert "change_makes_invalid" in {one.code for one in found}
    assert {one.line for one in found} == {4}
