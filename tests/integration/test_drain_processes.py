"""Drains in processes of their own: killed, stopped, disconnected or many at once, they lose and repeat nothing."""

import multiprocessing
import os
import re
import signal
import sys
import threading
import time
from datetime import timedelta

import psutil
import psycopg
import pytest
import sif_text as sif

from sif_pipeline.loading import drain, standby, writing
from sif_pipeline.loading.drain import Limits

PROCESSES = multiprocessing.get_context("spawn")

SOON = 60.0
"""Seconds in which things happen on a busy machine; they take a fraction."""

SHORT = drain.SESSION | {"idle_session_timeout": "1s"}


def drain_and(url, number):
    """In a process of its own: drain, and send oneself a signal between writing and committing."""
    write = writing.write

    def write_and_stop(connection, *arguments):
        write(connection, *arguments)
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = '5s'")
        os.kill(os.getpid(), number)

    writing.write = write_and_stop
    try:
        drain.drain(url)
    except psycopg.OperationalError:
        sys.exit(7)


def drain_some(url):
    """In a process of its own: drain in small batches, beside others, until nothing is left for it."""
    drain.drain(url, limits=Limits(messages=3))


def lead(url):
    """In a process of its own: lead as soon as nobody else does, for longer than any test takes."""
    standby.SESSION = SHORT
    standby.lead(url, standby=timedelta(minutes=10), leading=timedelta(minutes=10))


@pytest.fixture
def run():
    started = []

    def start(target, *arguments):
        process = PROCESSES.Process(target=target, args=arguments)
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.fixture
def zone(database_url):
    with sif.connected(database_url) as connection:
        yield sif.Inbox.new(connection)


def eventually(condition):
    until = time.monotonic() + SOON
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def is_stopped(process):
    return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED


def students(*words):
    return [sif.event("Add", sif.student(word), at=sif.minute(1)) for word in words]


def drained(zone):
    drain.drain_batch(zone.connection, Limits())
    return set(zone.states()) == {"done"}


def test_a_killed_drain_leaves_everything_to_the_next(zone, database_url, run):
    zone.put(*students("A", "B"))
    killed = run(drain_and, database_url, signal.SIGKILL)
    killed.join(SOON)
    assert killed.exitcode == -signal.SIGKILL
    assert zone.states() == ["pending", "pending"]
    assert zone.documents() == {}
    eventually(lambda: drained(zone))
    assert zone.outcomes() == ["applied", "applied"]


def test_a_stopped_drain_loses_its_zones_and_when_it_wakes_its_work(zone, database_url, run):
    zone.put(*students("A", "B"))
    stopped = run(drain_and, database_url, signal.SIGSTOP)
    eventually(lambda: is_stopped(stopped))
    assert drain.drain_batch(zone.connection, Limits()) is None
    assert zone.states() == ["pending", "pending"]
    eventually(lambda: drained(zone))
    before = zone.everything()
    os.kill(stopped.pid, signal.SIGCONT)
    stopped.join(SOON)
    assert stopped.exitcode == 7
    assert zone.everything() == before


def test_drains_at_once_share_the_work_and_neither_lose_nor_repeat(zone, database_url, run):
    others = [zone, *(sif.Inbox.new(zone.connection) for _ in range(3))]
    for other in others:
        other.put(*students("A"))
        for number in range(40):
            change = sif.sparse("StudentPersonal", "A", f"<LocalId>{number}</LocalId>")
            other.put(sif.event("Change", change, at=sif.minute(1)))
    running = [run(drain_some, database_url) for _ in range(3)]
    for process in running:
        process.join(SOON)
        assert process.exitcode == 0
    for other in others:
        assert other.states() == ["done"] * 41
        past = other.all(
            "SELECT local_id FROM sif_history.student_personal WHERE zone_id = %(zone)s ORDER BY recorded_from"
        )
        assert [local_id for (local_id,) in past] == ["1", *(str(number) for number in range(39))]


LEADER = """
    SELECT pid FROM pg_locks
    WHERE locktype = 'advisory' AND objid = 7438 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def leader(zone):
    return zone.one(LEADER)


def test_the_next_takes_over_when_the_leader_is_killed(zone, database_url, run):
    first = run(lead, database_url)
    eventually(lambda: leader(zone))
    run(lead, database_url)
    zone.put(*students("A"))
    eventually(lambda: set(zone.states()) == {"done"})
    first.kill()
    first.join()
    zone.put(*students("B"))
    eventually(lambda: zone.states() == ["done", "done"])


def test_the_next_takes_over_when_the_leader_stands_still(zone, database_url, run):
    first = run(lead, database_url)
    eventually(lambda: leader(zone))
    led_by = leader(zone)
    os.kill(first.pid, signal.SIGSTOP)
    eventually(lambda: is_stopped(first))
    run(lead, database_url)
    eventually(lambda: leader(zone) not in (None, led_by))
    zone.put(*students("A"))
    eventually(lambda: set(zone.states()) == {"done"})
    os.kill(first.pid, signal.SIGCONT)
    assert first.is_alive()


class Clock:
    """The clock of a leader, that the test puts on by as much as it likes."""

    def __init__(self):
        self.ahead = 0.0

    def monotonic(self):
        return time.monotonic() + self.ahead

    def sleep(self, seconds):
        time.sleep(seconds)


@pytest.fixture
def clock(monkeypatch):
    found = Clock()
    monkeypatch.setattr(standby, "time", found)
    return found


HOUR = timedelta(hours=1)


@pytest.fixture
def leading(database_url, clock):
    """Lead for an hour by the clock, in a thread."""
    thread = threading.Thread(target=standby.lead, args=(database_url,), kwargs={"standby": HOUR, "leading": HOUR})
    thread.start()
    yield thread
    clock.ahead += 3 * HOUR.total_seconds()
    thread.join(SOON)


def test_a_leader_whose_connection_is_cut_comes_back_and_says_so_once(zone, leading, clock, caplog):
    eventually(lambda: leader(zone))
    zone.one("SELECT pg_terminate_backend(%(pid)s, 60000)", pid=leader(zone)[0])
    zone.put(*students("A"))
    eventually(lambda: set(zone.states()) == {"done"})
    clock.ahead += HOUR.total_seconds()
    leading.join(SOON)
    assert not leading.is_alive()
    (said,) = [record.getMessage() for record in caplog.records if record.name == standby.__name__]
    # psycopg learns of it from the server's farewell, or only by the silence after it.
    assert re.fullmatch(
        r"The database cannot be used \((AdminShutdown 57P01|OperationalError)\); trying again until it can\.", said
    )


def test_a_leader_that_cannot_write_says_what_it_is_once_and_never_of_whom(
    zone, database_url, clock, caplog, monkeypatch
):
    """A full disk is no student's business: PostgreSQL quotes the row it could not store, the log does not."""
    zone.connection.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE EXCEPTION 'no space for %', NEW.last_name USING ERRCODE = 'disk_full'; END $$;"
        "CREATE TRIGGER fail BEFORE INSERT ON sif.student_personal FOR EACH ROW EXECUTE FUNCTION fail()"
    )
    zone.put(*students("A"))
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        clock.ahead += len(waited) // 3 * HOUR.total_seconds()

    monkeypatch.setattr(clock, "sleep", sleep)
    standby.lead(database_url, standby=HOUR, leading=HOUR)
    assert waited == [standby.AWAIT_DATABASE] * 3
    assert zone.states() == ["pending"]
    assert [record.getMessage() for record in caplog.records if record.name == standby.__name__] == [
        "The database cannot be used (DiskFull 53100); trying again until it can."
    ]
    assert "Doe" not in caplog.text


@pytest.fixture
def rare_looks(monkeypatch):
    monkeypatch.setattr(standby, "AWAIT_MESSAGE", 3600.0)


def test_a_new_message_is_loaded_at_once_and_not_at_the_next_look(zone, rare_looks, leading, clock):
    """The receiver's notification wakes the leader: with looks an hour apart it would come in vain."""
    eventually(lambda: leader(zone))
    zone.put(*students("A"))
    zone.one("SELECT pg_notify('sif_inbox', '')")
    eventually(lambda: set(zone.states()) == {"done"})
    clock.ahead += HOUR.total_seconds()  # its time is over, and it does not know yet
    eventually(lambda: zone.one("SELECT pg_notify('sif_inbox', '')") and not leading.is_alive())
