"""Hot standby: of drains that never end, one leads and takes messages in as they arrive, and the others wait for it.

The leader may be killed at any time: its lock goes with its connection, and the next one leads at once.
"""

import logging
import time
from datetime import timedelta

import psycopg
from lxml import etree

from sif_pipeline.boundary import without_values
from sif_pipeline.database import Connection, connect
from sif_pipeline.exceptions import DatabaseUnreachable
from sif_pipeline.loading.drain import SESSION, DrainSummary, Limits, drain_batch, kind_of, scalar
from sif_pipeline.sif import schema

log = logging.getLogger(__name__)

CHANNEL = "sif_inbox"
"""PostgreSQL notification channel on which a receiver says that a message was stored."""

LEADER_LOCK = 7438
"""Session advisory lock of the one drain that leads while others stand by."""


def lead(url: str, *, standby: timedelta, leading: timedelta) -> DrainSummary:
    """Stand by until the leader goes, at most for `standby`, then lead for `leading`: drain as messages arrive.

    Hot standby: of two that overlap, one leads under a session advisory lock and the other takes over the moment the
    leader's connection ends, however it ends. Two leaders at once would do no harm; they would share the zones. When
    the database goes away, this comes back as soon as it does.
    """
    total, until = DrainSummary(), time.monotonic() + standby.total_seconds()
    led_until: float | None = None
    said: tuple[str, int] | None = None
    _warm_up()
    with without_values():
        while time.monotonic() < (led_until or until):
            try:
                with connect(url, SESSION, autocommit=True) as connection:
                    if not _await_leadership(connection, led_until or until):
                        break
                    led_until = led_until or time.monotonic() + leading.total_seconds()
                    _lead(connection, led_until, total)
            except (psycopg.OperationalError, DatabaseUnreachable) as error:
                said = _warn(error, total.messages, said)
                time.sleep(AWAIT_DATABASE)
    return total


def _warn(error: Exception, messages: int, said: tuple[str, int] | None) -> tuple[str, int]:
    """Log trouble with the database once, and again only when it changes or something was drained in between."""
    if (trouble := (kind_of(error), messages)) != said:
        log.warning("The database cannot be used (%s); trying again until it can.", trouble[0])
    return trouble


def _lead(connection: Connection, until: float, total: DrainSummary) -> None:
    connection.execute(f"LISTEN {CHANNEL}")
    done = None
    while time.monotonic() < until:
        if (done := drain_batch(connection, Limits().after(done))) is not None:
            total.add(done)
        else:
            _await_message(connection)


def _warm_up() -> None:
    """Compile the schemas while standing by, so that the first message does not wait for it."""
    for profile in schema.Profile:
        schema.is_valid(etree.Element("warm-up"), profile)
        schema.judge(profile)


AWAIT_LEADER, AWAIT_MESSAGE, AWAIT_DATABASE = 0.1, 1.0, 0.5
"""Seconds between two looks at the leader's lock, at an inbox that says nothing, and for a database that is away."""


def _await_leadership(connection: Connection, until: float) -> bool:
    while not scalar(connection, "SELECT pg_try_advisory_lock(%s)", LEADER_LOCK):
        if time.monotonic() > until:
            return False
        time.sleep(AWAIT_LEADER)
    return True


def _await_message(connection: Connection) -> None:
    for _ in connection.notifies(timeout=AWAIT_MESSAGE, stop_after=1):
        pass
