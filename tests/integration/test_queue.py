"""An agent's queue in PostgreSQL: first in first out, taken off only by the agent's ack, held up as the agent says."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from lxml import etree

from sif_pipeline import zones
from sif_pipeline.sif import acks
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import Refused, open_message
from sif_pipeline.sif.header import NO_LEVEL, Level
from sif_pipeline.sif.messages import Message, read_message
from sif_pipeline.sif.requests import Answer
from sif_pipeline.zone import handover, queue
from warehouse.outbox import QueueState

S = f"{{{NAMESPACE}}}"
AGENT, OTHER = "SIS", "LIBRARY"


def new_id():
    return uuid4().hex.upper()


def an_event(name="StudentPersonal", sender="REGISTRY", pad=0, msg_id=None, version="2.6"):
    id_ = msg_id or new_id()
    body = (
        f'<SIF_Message xmlns="{NAMESPACE}" Version="{version}"><SIF_Event><SIF_Header><SIF_MsgId>{id_}</SIF_MsgId>'
        f"<SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>{sender}</SIF_SourceId></SIF_Header>"
        f'<SIF_ObjectData><SIF_EventObject ObjectName="{name}" Action="Delete"><{name} RefId="{new_id()}"/>'
        f"</SIF_EventObject></SIF_ObjectData></SIF_Event></SIF_Message>{' ' * pad}"
    ).encode()
    return queue.Outgoing(sender, id_, "SIF_Event", body, name)


def a_response(request_msg_id=None, sender="REGISTRY"):
    id_ = new_id()
    body = (
        f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6"><SIF_Response><SIF_Header><SIF_MsgId>{id_}</SIF_MsgId>'
        f"<SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>{sender}</SIF_SourceId>"
        f"<SIF_DestinationId>{AGENT}</SIF_DestinationId></SIF_Header><SIF_RequestMsgId>{request_msg_id or new_id()}"
        "</SIF_RequestMsgId><SIF_PacketNumber>1</SIF_PacketNumber><SIF_MorePackets>No</SIF_MorePackets>"
        "<SIF_ObjectData/></SIF_Response></SIF_Message>"
    ).encode()
    return queue.Outgoing(sender, id_, "SIF_Response", body, "StudentPersonal", request_msg_id)


class Zone:
    """A zone of a test with two agents, and what they say to the server, without HTTP."""

    def __init__(self, url):
        self.url = url
        with psycopg.connect(url) as connection:
            token = zones.add(connection, f"Zone-{uuid4().hex}", "01010000")
            self.id = connection.execute("SELECT max(zone_id) FROM inbox.zone").fetchone()[0]
            for agent in (AGENT, OTHER):
                connection.execute(
                    "INSERT INTO inbox.agent (zone_id, source_id, mode, max_buffer_size, versions)"
                    " VALUES (%s, %s, 'Pull', 20000, '{2.6}')",
                    [self.id, agent],
                )
        self.zone = self.run(lambda c: zones.find(c, zones.token_hash(token)))

    def run(self, *acts):
        """Do each of the acts on a connection of its own, together, and give what the only one gives, or all."""

        async def one(act):
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
                return await act(connection)

        async def each():
            return await asyncio.gather(*(one(act) for act in acts))

        results = asyncio.run(each())
        return results[0] if len(acts) == 1 else results

    def put(self, *messages, agent=AGENT):
        for message in messages:
            assert self.run(lambda c, m=message: queue.enqueue(c, self.id, agent, m))

    def get(self, agent=AGENT, channel=NO_LEVEL):
        """Pull: the message inside the ack and the SIF_MsgId of the ack, or None for status 9."""
        asks = Message("SIF_SystemControl", "2.6", new_id(), agent, command="SIF_GetMessage")
        status = self.run(lambda c: handover.answer_get_message(c, self.zone, asks, channel))
        if status.code == 9:
            return None
        ack = open_message(acks.write_ack(asks.original, status))
        inner = ack.find(f".//{S}SIF_Data/{S}SIF_Message")
        return Given(read_message(inner), etree.tostring(inner), ack.findtext(f".//{S}SIF_Header/{S}SIF_MsgId"))

    def ack(self, msg_id, status=1, error=None, agent=AGENT):
        answer = Answer("X", msg_id, None if error else status, error)
        message = Message("SIF_Ack", "2.6", new_id(), agent, answer=answer)
        outcome = self.run(lambda c: handover.take_ack(c, self.zone, message))
        return (outcome.category, outcome.code) if isinstance(outcome, Refused) else outcome.code

    def pulled(self, agent=AGENT):
        """Pull and acknowledge until nothing waits; the SIF_MsgIds in order."""
        found = []
        while (given := self.get(agent)) is not None:
            found.append(given.msg_id)
            assert self.ack(given.msg_id, agent=agent) == 0
        return found

    def rows(self, query):
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, {"zone": self.id}).fetchall()

    def states(self):
        return [
            tuple(row)
            for row in self.rows(
                "SELECT msg_id, state, last_failure FROM outbox.message WHERE zone_id = %(zone)s ORDER BY queue_id"
            )
        ]


class Given:
    """A message that was pulled."""

    def __init__(self, message, body, carrier):
        self.message, self.body, self.carrier = message, body, carrier
        self.msg_id = message.msg_id


@pytest.fixture
def zone(module_database_url):
    return Zone(module_database_url)


def test_messages_come_in_the_order_they_were_queued_each_agent_its_own(zone):
    mine, others = [an_event() for _ in range(5)], [an_event() for _ in range(2)]
    zone.put(*mine)
    zone.put(*others, agent=OTHER)
    assert zone.pulled() == [m.msg_id for m in mine]
    assert zone.pulled(OTHER) == [m.msg_id for m in others]
    assert zone.get() is None


def test_a_message_stays_with_the_same_bytes_until_it_is_acknowledged(zone):
    first, second = an_event(), an_event()
    zone.put(first, second)
    given = [zone.get() for _ in range(3)]
    assert {g.msg_id for g in given} == {first.msg_id}
    assert len({g.body for g in given}) == 1
    assert len({g.carrier for g in given}) == 3
    assert zone.ack(first.msg_id) == 0
    assert zone.get().msg_id == second.msg_id


@pytest.mark.parametrize("which", [0, 2], ids=["an earlier carrier", "the last carrier"])
def test_the_ack_of_the_ack_that_carried_a_message_settles_it(zone, which):
    first, second = an_event(), an_event()
    zone.put(first, second)
    carriers = [zone.get().carrier for _ in range(3)]
    assert zone.ack(carriers[which]) == 0
    assert zone.get().msg_id == second.msg_id
    assert zone.ack(carriers[which]) == 0, "the same ack, resent"
    assert zone.get().msg_id == second.msg_id


@pytest.mark.parametrize("status", [0, 1, 3, 7])
def test_a_status_that_says_the_agent_has_it_settles_a_message(zone, status):
    zone.put(first := an_event())
    zone.get()
    assert zone.ack(first.msg_id, status) == 0
    assert zone.states() == [(first.msg_id, "done", None)]
    assert zone.ack(first.msg_id, status) == 0, "the same ack, resent"


def test_asleep_keeps_the_message(zone):
    zone.put(first := an_event())
    zone.get()
    assert zone.ack(first.msg_id, 8) == 0
    assert zone.get().msg_id == first.msg_id


@pytest.mark.parametrize("status", [4, 9, None])
def test_another_status_is_refused_and_keeps_the_message(zone, status):
    zone.put(first := an_event())
    zone.get()
    assert zone.ack(first.msg_id, status) == (1, 4)
    assert zone.get().msg_id == first.msg_id


def test_an_error_takes_the_message_off_and_is_audited_without_a_value(zone):
    zone.put(first := an_event(), second := an_event())
    zone.get()
    assert zone.ack(first.msg_id, error=(1, 3)) == 0
    assert zone.states()[0] == (first.msg_id, "dropped", "SIF_Error 1/3")
    assert zone.get().msg_id == second.msg_id
    audits = zone.rows("SELECT event, source_id, detail FROM inbox.audit WHERE zone_id = %(zone)s")
    assert audits == [("refused_by_agent", AGENT, f"SIF_Event {first.msg_id}: SIF_Error 1/3")]


def test_an_ack_of_what_the_agent_never_had_is_refused(zone):
    zone.put(first := an_event())
    assert zone.ack(new_id()) == (12, 6)
    assert zone.ack(first.msg_id) == (12, 6), "not handed out yet"
    assert zone.ack(first.msg_id, agent=OTHER) == (12, 6)
    assert zone.get().msg_id == first.msg_id


def test_an_agent_cannot_settle_anothers_message(zone):
    zone.put(first := an_event())
    zone.get()
    assert zone.ack(first.msg_id, agent=OTHER) == (12, 6)
    assert zone.get().msg_id == first.msg_id


# Selective message blocking.


def test_a_blocked_event_holds_events_and_lets_the_rest_overtake_until_the_final_ack(zone):
    blocking, later, response = an_event(), an_event(), a_response()
    zone.put(blocking, later, response)
    assert zone.get().msg_id == blocking.msg_id
    assert zone.ack(blocking.msg_id, 2) == 0
    assert zone.ack(blocking.msg_id, 2) == 0, "the same ack, resent"
    assert zone.pulled() == [response.msg_id]
    assert zone.ack(blocking.msg_id, 1) == (13, 3)
    assert zone.ack(later.msg_id, 3) == (13, 4)
    assert zone.get() is None
    assert zone.ack(blocking.msg_id, 3) == 0
    assert zone.pulled() == [later.msg_id]
    assert {state for _, state, _ in zone.states()} == {"done"}


def test_only_an_event_can_block(zone):
    zone.put(response := a_response())
    zone.get()
    assert zone.ack(response.msg_id, 2) == (13, 2)
    assert zone.get().msg_id == response.msg_id


def test_an_error_for_the_blocked_event_ends_the_blocking(zone):
    zone.put(blocking := an_event(), later := an_event())
    zone.get()
    zone.ack(blocking.msg_id, 2)
    assert zone.ack(blocking.msg_id, error=(11, 1)) == 0
    assert zone.pulled() == [later.msg_id]


def test_an_agent_that_registers_again_gets_the_blocked_event_again(zone):
    zone.put(blocking := an_event(), later := an_event())
    zone.get()
    zone.ack(blocking.msg_id, 2)
    zone.run(lambda c: queue.unblock(c, zone.id, AGENT))
    assert zone.pulled() == [blocking.msg_id, later.msg_id]


# Flow control, purge, obstacles.


def test_nothing_is_delivered_to_an_agent_that_sleeps_or_in_a_suspended_zone(zone):
    zone.put(first := an_event())
    zone.run(lambda c: queue.sleep(c, zone.id, AGENT))
    assert zone.get() is None
    zone.run(lambda c: queue.wake(c, zone.id, AGENT))
    assert zone.get().msg_id == first.msg_id
    with psycopg.connect(zone.url) as connection:
        connection.execute("UPDATE inbox.zone SET suspended_at = now() WHERE zone_id = %s", [zone.id])
    assert zone.get() is None


def test_what_was_queued_is_purged_when_the_agent_leaves(zone):
    zone.put(first := an_event(), second := an_event())
    zone.get()
    zone.ack(first.msg_id, 2)
    assert zone.run(lambda c: queue.purge(c, zone.id, AGENT)) == 2
    assert zone.states() == [(m.msg_id, "dropped", "unregistered") for m in (first, second)]
    zone.put(third := an_event())
    assert zone.pulled() == [third.msg_id], "the block went with its event"


def test_nobody_queues_for_an_agent_that_is_not_registered(zone):
    assert zone.run(lambda c: queue.enqueue(c, zone.id, "NOBODY", an_event())) is False
    with psycopg.connect(zone.url) as connection:
        assert queue.enqueue_now(connection, zone.id, "NOBODY", an_event()) is False
        assert queue.enqueue_now(connection, zone.id, AGENT, an_event()) is True


def test_a_message_over_the_buffer_becomes_a_log_entry_about_it(zone):
    zone.put(large := an_event(pad=30000), small := an_event())
    assert zone.get().msg_id == small.msg_id
    assert zone.ack(small.msg_id) == 0
    entry = zone.get()
    root = open_message(entry.body)
    assert [(root.findtext(f".//{S}{name}")) for name in ("SIF_Category", "SIF_Code", "SIF_ApplicationCode")] == [
        "4", "2", "message_larger_than_buffer",
    ]  # fmt: skip
    assert root.findtext(f".//{S}SIF_OriginalHeader/{S}SIF_Header/{S}SIF_MsgId") == large.msg_id
    assert zone.ack(entry.msg_id) == 0
    assert zone.states()[0] == (large.msg_id, "dropped", "message_larger_than_buffer")


def test_pulls_at_once_have_a_message_that_cannot_be_handed_over_told_of_once(zone):
    zone.put(large := an_event(pad=30000))

    async def pull(connection):
        return await handover.take_next(connection, zone.id, AGENT, Level(), new_id())

    zone.run(*[pull] * 8)
    entries = [msg_id for msg_id, _, _ in zone.states() if msg_id != large.msg_id]
    assert zone.pulled() == entries
    assert len(entries) == 1, "one SIF_LogEntry"
    audited = zone.rows("SELECT detail FROM inbox.audit WHERE zone_id = %(zone)s AND event = 'message_not_deliverable'")
    assert audited == [(f"SIF_Event {large.msg_id}: message_larger_than_buffer",)]


def test_a_log_entry_that_does_not_fit_either_is_not_queued(zone):
    with psycopg.connect(zone.url) as connection:
        connection.execute("UPDATE inbox.agent SET max_buffer_size = 300 WHERE zone_id = %s", [zone.id])
    zone.put(large := an_event())
    assert zone.get() is None
    assert zone.states() == [(large.msg_id, "dropped", "message_larger_than_buffer")]


def test_a_message_that_asks_for_a_better_channel_goes_over_that_only(zone):
    wanted = an_event()
    wanted = queue.Outgoing(wanted.sender_id, wanted.msg_id, "SIF_Event", wanted.body, level=Level(0, 3))
    zone.put(wanted)
    assert zone.get(channel=Level(1, 4)).msg_id == wanted.msg_id
    entry = open_message(zone.get(channel=Level(1, 2)).body)
    assert (entry.findtext(f".//{S}SIF_Category"), entry.findtext(f".//{S}SIF_Code")) == ("4", "3")
    assert zone.states()[0] == (wanted.msg_id, "dropped", "channel_not_secure")


def test_two_pulls_at_once_give_the_same_message_and_settle_it_once(zone):
    zone.put(first := an_event(), second := an_event())

    async def pull(connection):
        return await handover.take_next(connection, zone.id, AGENT, Level(), new_id())

    together = zone.run(*[pull] * 8)
    assert {found.msg_id for found in together if found} == {first.msg_id}
    assert zone.ack(first.msg_id) == 0
    assert zone.pulled() == [second.msg_id]


def test_an_ack_while_another_pull_is_under_way_is_never_undone(zone):
    """A pull that had chosen the message when its ack came must not put it back on the queue."""
    sent = [an_event() for _ in range(20)]
    zone.put(*sent)
    for message in sent:
        zone.get()

        async def pull(connection):
            return await handover.take_next(connection, zone.id, AGENT, Level(), new_id())

        async def ack(connection, msg_id=message.msg_id):
            said = Message("SIF_Ack", "2.6", new_id(), AGENT, answer=Answer("X", msg_id, 1, None))
            return await handover.take_ack(connection, zone.zone, said)

        zone.run(pull, ack, pull)
    assert {state for _, state, _ in zone.states()} == {"done"}


def test_rolled_back_with_its_cause_a_message_was_never_queued(zone):
    async def cause(connection):
        async with connection.transaction():
            await queue.enqueue(connection, zone.id, AGENT, an_event())
            raise psycopg.Rollback

    zone.run(cause)
    assert zone.states() == []


# What an operator sees and does.


def test_an_operator_sees_queues_drops_and_retries(zone):
    zone.put(first := an_event(), second := an_event(), third := an_event())
    with psycopg.connect(zone.url) as connection:
        mine = {q.agent: q for q in queue.queues(connection, zone.zone.name)}
        assert (mine[AGENT].waiting, mine[OTHER].waiting) == (3, 0)
        listed = queue.messages(connection, zone.zone.name, AGENT)
        assert [m.msg_id for m in listed] == [first.msg_id, second.msg_id, third.msg_id]
        assert queue.drop(connection, [listed[0].number, listed[1].number]) == 2
        assert queue.drop(connection, [listed[0].number]) == 0
        dropped = queue.messages(connection, zone.zone.name, states=[QueueState.DROPPED])
        assert [(m.msg_id, m.last_failure) for m in dropped] == [
            (first.msg_id, "operator"),
            (second.msg_id, "operator"),
        ]
        assert queue.retry(connection, [listed[1].number]) == 1
        assert queue.retry_agent(connection, zone.zone.name, AGENT)
        assert not queue.retry_agent(connection, zone.zone.name, "NOBODY")
    assert zone.pulled() == [second.msg_id, third.msg_id]


def test_nothing_is_put_back_for_an_agent_that_has_left(zone):
    zone.put(an_event())
    with psycopg.connect(zone.url) as connection:
        (listed,) = queue.messages(connection, zone.zone.name)
        queue.drop(connection, [listed.number])
        connection.execute("UPDATE inbox.agent SET unregistered_at = now() WHERE zone_id = %s", [zone.id])
        assert queue.retry(connection, [listed.number]) == 0
        connection.execute("UPDATE inbox.agent SET unregistered_at = NULL WHERE zone_id = %s", [zone.id])
        assert queue.retry(connection, [listed.number]) == 1


def test_dropping_the_event_that_blocks_frees_the_others(zone):
    zone.put(blocking := an_event(), later := an_event())
    zone.get()
    zone.ack(blocking.msg_id, 2)
    with psycopg.connect(zone.url) as connection:
        queue.drop(connection, [queue.messages(connection, zone.zone.name)[0].number])
    assert zone.pulled() == [later.msg_id]


@pytest.mark.parametrize("settled", [0, 20000], ids=["new", "after as many settled ones"])
def test_the_next_message_is_found_by_index_however_long_the_queue(zone, settled):
    with psycopg.connect(zone.url) as connection:
        for count, state in ((settled, "done"), (20000, "queued")):
            connection.execute(
                "INSERT INTO outbox.message (zone_id, source_id, sender_id, msg_id, message_type, body, state)"
                " SELECT %s, %s, 'REGISTRY', upper(md5(n::text)), 'SIF_Event', 'x', %s"
                " FROM generate_series(1, %s) AS n",
                [zone.id, AGENT, state, count],
            )
        connection.execute("ANALYZE outbox.message")
        for blocked in (None, "X"):
            connection.execute("UPDATE inbox.agent SET blocked_by = %s WHERE zone_id = %s", [blocked, zone.id])
            plan = connection.execute(
                b"EXPLAIN (ANALYZE, FORMAT JSON) " + queue.SQL["next"], {"zone_id": zone.id, "source_id": AGENT}
            ).fetchone()[0]
            assert messages_read(plan[0]["Plan"]) <= 1


def messages_read(plan):
    """Count the rows of outbox.message that some node of a plan read, at most."""
    own = (plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"]
    return max(
        own if plan.get("Relation Name") == "message" else 0,
        *(messages_read(part) for part in plan.get("Plans", [])),
        0,
    )
