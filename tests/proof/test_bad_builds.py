"""A proof nobody can fail proves nothing: builds with one safeguard taken away are caught, each by the same checker."""

import psycopg
import pytest
from proof_actors import Agent, Cluster, Nursery, Server, add_zone, deliver
from proof_checker import check
from proof_traffic import District, Sent

from sif_pipeline.sif import acks
from sif_pipeline.zone import storing


@pytest.fixture
def ledger(database_url):
    """Give a district's first day and some more, not sent yet."""
    ledger = District("District", 7).ledger(60)
    add_zone(database_url, ledger)
    return ledger


@pytest.fixture
def nursery(database_url, tmp_path):
    nursery = Nursery(database_url, tmp_path / "drains.log")
    yield nursery
    nursery.close()


# -- drains

DRAINS = {
    "three_transactions": "is pending",
    "settled_first": "should be applied, is []",
    "unordered": "not drained in the order",
    "untimed": "versions, end to end",
    "never_released": "should be applied, is ['held']",
    "clock_for_order": "not drained in the order",
}
"""Bad build to what the checker says of it, among other things."""


def drained_after_a_death(url, ledger, nursery, build):
    """Deliver, drain with a build that dies at its worst moment, drain again, and check."""
    deliver(url, ledger)
    nursery.drain(f"{build} dies")
    nursery.drain(build)
    return check(url, [ledger])


def test_the_good_drain_survives_its_death_at_the_worst_moment(database_url, ledger, nursery):
    deliver(database_url, ledger)
    assert nursery.drain("good dies") == -9
    assert any("pending" in problem for problem in check(database_url, [ledger]))
    assert nursery.drain("good") == 0
    assert check(database_url, [ledger]) == []


@pytest.mark.parametrize(("build", "problem"), DRAINS.items(), ids=DRAINS)
def test_a_bad_drain_is_caught(database_url, ledger, nursery, build, problem):
    problems = drained_after_a_death(database_url, ledger, nursery, build)
    assert any(problem in found for found in problems), problems[:5]


def test_a_bad_drain_without_the_ledger_of_events_applies_twice_and_is_caught(database_url, ledger, nursery):
    """The primary key of the events is a second line of defence; without it, three transactions apply twice."""
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE inbox.object_event DROP CONSTRAINT pk_object_event")
    problems = drained_after_a_death(database_url, ledger, nursery, "three_transactions")
    assert any("is ['applied', 'applied']" in found for found in problems), problems[:5]


# -- receivers, without HTTP


def test_the_good_receiver_takes_every_message_once_and_refuses_another_under_its_id(database_url, ledger, nursery):
    answers = twice_and_once_with_other_content(database_url, ledger)
    assert answers == ["12/5"]
    nursery.drain("good")
    assert check(database_url, [ledger]) == []


def twice_and_once_with_other_content(url, ledger):
    """Deliver everything twice, as after lost acks, and the first message a third time with other content."""
    deliver(url, ledger)
    for sent, answer in zip(ledger.messages, deliver(url, ledger), strict=True):
        sent.sent_again += answer == "7"
    first = ledger.messages[0]
    altered = Sent(first.msg_id, first.body.replace(b"2.6", b"2.5"))
    answers = deliver(url, type(ledger)(ledger.zone, ledger.source_id, [altered], ledger.token))
    if altered.acked:  # the agent forgets what was acknowledged, so the zone must have it
        ledger.messages[0] = altered
    return answers


def test_a_receiver_without_a_unique_key_is_caught(database_url, ledger, nursery, monkeypatch):
    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE inbox.message DROP CONSTRAINT uq_message_zone_id_source_id_msg_id")
    without = storing.SQL["store"].replace(b"ON CONFLICT (zone_id, source_id, msg_id) DO NOTHING", b"")
    assert without != storing.SQL["store"]
    monkeypatch.setitem(storing.SQL, "store", without)
    twice_and_once_with_other_content(database_url, ledger)
    nursery.drain("good")
    problems = check(database_url, [ledger])
    assert any("is there 2 times" in found for found in problems), problems[:5]


def test_a_receiver_that_does_not_look_at_the_hash_is_caught(database_url, ledger, nursery, monkeypatch):
    async def known(*_):
        return acks.ALREADY_HELD

    monkeypatch.setattr(storing, "_known_msg_id", known)
    assert twice_and_once_with_other_content(database_url, ledger) == ["7"]
    nursery.drain("good")
    problems = check(database_url, [ledger])
    assert any("is not what was sent" in found for found in problems), problems[:5]


# -- receivers and databases that die

ACK_BEFORE_COMMIT = """
import asyncio
import psycopg
from sif_pipeline.sif import acks
from sif_pipeline.zone import storing
store = storing._store
async def later(url, *arguments):
    await asyncio.sleep(3600)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await store(connection, *arguments)
tasks = []
async def ack_first(connection, zone, incoming, message, state, is_checked):
    if message.message_type == "SIF_Register":
        return await store(connection, zone, incoming, message, state, is_checked)
    tasks.append(asyncio.create_task(later(sys.argv[1], zone, incoming, message, state, is_checked)))
    return acks.STORED
storing._store = ack_first
"""

NO_FLUSH = """
server._SESSION = server._SESSION.replace("synchronous_commit=on", "synchronous_commit=off")
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    cluster = Cluster(tmp_path_factory.mktemp("bad") / "home")
    # What is not flushed by a commit stays in memory for ten seconds, the longest there is.
    cluster.stop()
    cluster.configure("wal_writer_delay = 10000")
    cluster.restart()
    yield cluster
    cluster.stop()


def sent_over_http(cluster, server, number):
    """Send a few messages until they are acknowledged."""
    ledger = District(f"District-{number}", number).ledger(8)
    add_zone(cluster.url, ledger)
    agent = Agent(ledger, server.port, pause=0)
    agent.run()
    assert agent.trouble == ""
    return ledger


def lost(cluster, ledger):
    return [found for found in check(cluster.url, [ledger]) if "is lost" in found]


@pytest.mark.parametrize("change", ["", ACK_BEFORE_COMMIT], ids=["good", "ack before commit"])
def test_a_server_that_acknowledges_before_it_commits_is_caught(cluster, tmp_path, change):
    server = Server(cluster.url, tmp_path / "server.log", change)
    server.wait_until_ready()
    ledger = sent_over_http(cluster, server, 100 + len(change))
    server.kill()
    assert len(lost(cluster, ledger)) == (8 if change else 0)


@pytest.mark.parametrize("change", ["", NO_FLUSH], ids=["good", "synchronous_commit off"])
def test_a_commit_that_does_not_wait_for_the_disk_is_caught(cluster, tmp_path, change):
    server = Server(cluster.url, tmp_path / "server.log", change)
    server.wait_until_ready()
    for attempt in range(10 if change else 1):  # a checkpoint, or a pause, may come to the bad build's help
        ledger = sent_over_http(cluster, server, 10_000 + 10 * len(change) + attempt)
        cluster.kill()
        cluster.restart()
        if found := lost(cluster, ledger):
            break
        server.wait_until_ready()
    server.kill()
    assert bool(found) == bool(change)
