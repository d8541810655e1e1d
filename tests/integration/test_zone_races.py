"""What happens to requests and queues when an agent leaves, or an operator acts, at the same moment."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from sif_zone import answer, control, message, register, request

from sif_pipeline import zones
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.messages import read_message
from sif_pipeline.zone import agents, queue, routing
from sif_pipeline.zone.receive import read, receive

PROVIDER, REQUESTER = "SIS", "LIBRARY"
LEAVES = "<SIF_Unregister>|</SIF_Unregister>"


class Zone:
    """A zone with an agent that is asked and one that asks."""

    def __init__(self, url):
        self.url, self.name = url, f"Zone-{uuid4().hex}"
        with psycopg.connect(url) as connection:
            self.token = zones.add(connection, self.name, "01010000")
            self.id = connection.execute("SELECT max(zone_id) FROM inbox.zone").fetchone()[0]
            connection.execute(
                "INSERT INTO inbox.access VALUES (%s, %s, 'SIF_RequestAccess', '*', TRUE)", [self.id, REQUESTER]
            )
        for agent in (PROVIDER, REQUESTER):
            assert self.send(register(source=agent)) == 0

    async def say(self, connection, body):
        zone = await zones.find(connection, zones.token_hash(self.token))
        return answer(await receive(connection, zone, read(body)))

    def send(self, body, options=""):
        async def run():
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True, options=options) as connection:
                return await self.say(connection, body)

        return asyncio.run(run())

    def rows(self, query):
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, {"zone": self.id}).fetchall()

    def asked(self):
        body = ask()
        assert self.send(body) == 0
        return msg_id_of(body)


def ask():
    return request(source=REQUESTER, more=f"<SIF_DestinationId>{PROVIDER}</SIF_DestinationId>")


def msg_id_of(body):
    return read_message(open_message(body)).msg_id


@pytest.fixture
def zone(module_database_url):
    return Zone(module_database_url)


async def blocked_by(connection, other):
    """Wait until a session waits for a lock that another one holds."""
    query = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid)))"
    async with asyncio.timeout(60):
        while not (await (await connection.execute(query, [other.info.backend_pid])).fetchone())[0]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def test_a_request_to_an_agent_that_leaves_at_that_moment_is_refused_and_not_remembered(zone):
    body = ask()

    async def meanwhile():
        async with (
            await psycopg.AsyncConnection.connect(zone.url) as leaving,
            await psycopg.AsyncConnection.connect(zone.url, autocommit=True) as asking,
            await psycopg.AsyncConnection.connect(zone.url, autocommit=True) as watching,
        ):
            await leaving.execute(
                "UPDATE inbox.agent SET unregistered_at = now() WHERE zone_id = %s AND source_id = %s",
                [zone.id, PROVIDER],
            )
            said = asyncio.create_task(zone.say(asking, body))
            await blocked_by(watching, leaving)
            await leaving.commit()
            return await said

    assert asyncio.run(meanwhile()) == (8, 4)
    assert zone.rows("SELECT msg_id FROM outbox.request WHERE zone_id = %(zone)s") == []
    assert zone.rows("SELECT msg_id FROM outbox.message WHERE zone_id = %(zone)s") == []


def test_an_agent_leaves_however_long_its_queue(zone, monkeypatch):
    """Each message takes its time here, and a statement may take less than all of them."""
    monkeypatch.setattr(queue, "PORTION", 2)
    with psycopg.connect(zone.url) as connection:
        connection.execute(
            "INSERT INTO outbox.message (zone_id, source_id, sender_id, msg_id, message_type, body, state)"
            " SELECT %s, %s, 'REGISTRY', upper(md5(n::text)), 'SIF_Event', 'x', 'queued' FROM generate_series(1, 30) n",
            [zone.id, PROVIDER],
        )
        connection.execute(
            "CREATE OR REPLACE FUNCTION outbox.slowly() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_sleep(0.2); RETURN NEW; END$$"
        )
        connection.execute(
            f"CREATE TRIGGER slowly BEFORE UPDATE ON outbox.message FOR EACH ROW WHEN (OLD.zone_id = {zone.id})"
            " EXECUTE FUNCTION outbox.slowly()"
        )
    try:
        assert zone.send(message(LEAVES, source=PROVIDER), options="-c statement_timeout=5000") == 0
    finally:
        with psycopg.connect(zone.url) as connection:
            connection.execute("DROP TRIGGER slowly ON outbox.message")
    states = "SELECT DISTINCT state, last_failure FROM outbox.message WHERE zone_id = %(zone)s"
    assert zone.rows(states) == [("dropped", "unregistered")]


def refuse(zone, msg_id):
    refused = (
        "<SIF_Ack>|<SIF_OriginalSourceId>X</SIF_OriginalSourceId>"
        f"<SIF_OriginalMsgId>{msg_id}</SIF_OriginalMsgId><SIF_Error><SIF_Category>8</SIF_Category>"
        "<SIF_Code>9</SIF_Code><SIF_Desc/></SIF_Error></SIF_Ack>"
    )
    return lambda: zone.send(message(refused, source=PROVIDER))


def leave(zone, _):
    return lambda: zone.send(message(LEAVES, source=PROVIDER))


def drop(zone, _):
    def act():
        with psycopg.connect(zone.url) as connection:
            (listed,) = queue.messages(connection, zone.name, PROVIDER)
            queue.drop(connection, [listed.number])
            routing.end_dropped_now(connection)

    return act


def purge(zone, _):
    def act():
        with psycopg.connect(zone.url) as connection:
            agents.purge(connection, zone.name, PROVIDER)

    return act


@pytest.mark.parametrize("act", [refuse, leave, drop, purge])
def test_whoever_ends_a_request_waits_for_it_before_touching_its_message(zone, act):
    """Another process is ending it: it has the request, and goes on to the message."""
    asked = zone.asked()
    zone.send(control("<SIF_GetMessage/>", source=PROVIDER))

    async def meanwhile():
        async with (
            await psycopg.AsyncConnection.connect(zone.url) as ending,
            await psycopg.AsyncConnection.connect(zone.url, autocommit=True) as watching,
        ):
            await ending.execute("SELECT FROM outbox.request WHERE msg_id = %s FOR UPDATE", [asked])
            acting = asyncio.create_task(asyncio.to_thread(act(zone, asked)))
            await blocked_by(watching, ending)
            found = await ending.execute(
                "SELECT msg_id FROM outbox.message WHERE msg_id = %s FOR UPDATE NOWAIT", [asked]
            )
            assert await found.fetchone() == (asked,)
            await ending.commit()
            await acting

    asyncio.run(meanwhile())
    (state,) = zone.rows("SELECT state FROM outbox.request WHERE zone_id = %(zone)s")
    assert state == ("failed",)
