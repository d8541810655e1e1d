"""A district's day full of sudden deaths: nothing acknowledged is lost, doubled, altered or out of order."""

import random
import time
from contextlib import suppress

import psutil
import psycopg
import pytest
from proof_actors import Agent, Cluster, Nursery, Server, add_zone, stop_for
from proof_checker import check
from proof_traffic import District

from sif_pipeline import status

SEED = 20261122
ZONES, MESSAGES, DRAINS, SECONDS = 4, 300, 3, 40.0

DEATHS = {"drain": 36, "server": 4, "postgres": 3, "connection": 6, "pause": 3}
"""What happens to whom, how often, at random moments of the day."""


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path / "home")
    yield cluster
    cluster.stop()


@pytest.fixture
def nursery(cluster, tmp_path):
    nursery = Nursery(cluster.url, tmp_path / "drains.log")
    yield nursery
    nursery.close()


@pytest.fixture
def server(cluster, tmp_path):
    server = Server(cluster.url, tmp_path / "server.log")
    server.wait_until_ready()
    yield server
    server.kill()


class Fate:
    """Strikes at random moments and sees to it that the dead are replaced."""

    def __init__(self, cluster, nursery, server):
        self.cluster, self.nursery, self.server = cluster, nursery, server
        self.rng = random.Random(SEED)
        self.drains = [nursery.fork(seed) for seed in range(DRAINS)]
        self.struck = dict.fromkeys(DEATHS, 0)

    def moments(self):
        found = [(self.rng.random() * SECONDS, what) for what, times in DEATHS.items() for _ in range(times)]
        return sorted(found)

    def strike(self, what):
        getattr(self, f"_{what}")()
        self.struck[what] += 1

    def _drain(self):
        place = self.rng.randrange(DRAINS)
        assert self.drains[place].is_running(), "a drain ended by itself"
        self.drains[place].kill()
        self.drains[place] = self.nursery.fork(self.rng.randrange(10**6))

    def _server(self):
        self.server.kill()
        self.server.start()

    def _postgres(self):
        self.cluster.kill()
        self.cluster.restart()

    def _connection(self):
        with psycopg.connect(self.cluster.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database() AND backend_type = 'client backend' ORDER BY random() LIMIT 1"
            )

    def _pause(self):
        stop_for(self.drains[self.rng.randrange(DRAINS)], 2.5)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_doubled_altered_or_out_of_order(cluster, nursery, server, tmp_path):
    ledgers = [District(f"District-{number}", SEED + number).ledger(MESSAGES) for number in range(ZONES)]
    for ledger in ledgers:
        add_zone(cluster.url, ledger)
    fate = Fate(cluster, nursery, server)
    agents = [Agent(ledger, server.port, pause=SECONDS * 0.9 / MESSAGES, again=10) for ledger in ledgers]
    began = time.monotonic()
    for agent in agents:
        agent.start()
    for moment, what in fate.moments():
        time.sleep(max(0.0, began + moment - time.monotonic()))
        fate.strike(what)
    for agent in agents:
        agent.join(600)
        assert (agent.is_alive(), agent.trouble) == (False, "")
    wait_until_drained(cluster.url)
    assert fate.struck == DEATHS
    for process in fate.drains:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    assert [sent.msg_id for ledger in ledgers for sent in ledger.messages if not sent.acked] == []
    assert check(cluster.url, ledgers) == []
    assert_counts_add_up(cluster.url)
    assert (tmp_path / "drains.log").read_text() == ""


def wait_until_drained(url):
    until = time.monotonic() + 300
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute("SELECT count(*) FROM inbox.message WHERE state = 'pending'").fetchone() != (0,):
            assert time.monotonic() < until, "the inbox is not drained in time"
            time.sleep(0.1)


def assert_counts_add_up(url):
    """Compare what `status` says of each zone with what was sent to it."""
    for zone in status.zones(url):
        assert zone.received == MESSAGES + 1  # its registration
        assert (zone.pending, zone.quarantined) == (0, 0)
        assert zone.received == zone.loaded + zone.held + zone.rejected
        assert zone.duplicate >= MESSAGES / 10
