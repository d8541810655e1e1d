"""Builds of the drain with one thing taken away, made by patching a process of the test; `good` takes nothing away.

Each is killed at its worst moment when it is told to die, and otherwise runs to the end.
"""

import os
import signal
from datetime import UTC, datetime

from sif_pipeline.database import connect
from sif_pipeline.loading import drain, events, folding, statements
from sif_pipeline.loading.claimed import Claimed
from sif_pipeline.loading.drain import Limits

BATCH = Limits(messages=12)


told_to_die = False


def worst_moment() -> None:
    if told_to_die:
        os.kill(os.getpid(), signal.SIGKILL)


def good(url: str) -> None:
    """Claim, apply and settle in one transaction; the worst moment is when all is written and nothing committed."""
    settle = drain._settle

    def settled(*arguments):
        summary = settle(*arguments)
        worst_moment()
        return summary

    drain._settle = settled
    drain.drain(url, limits=BATCH)


def three_transactions(url: str) -> None:
    """Claim, apply and settle each in a transaction of its own."""
    settle = drain._settle
    drain._settle = lambda *_: drain.DrainSummary()
    with connect(url, drain.SESSION, autocommit=True) as connection:
        while claimed := _claimed(connection):
            with connection.transaction():
                drain.load(connection, claimed)
            worst_moment()
            with connection.transaction():
                settle(connection, claimed, drain.zones_of(connection, claimed)[1])


def settled_first(url: str) -> None:
    """Settle the messages before what they say is applied."""
    settle = drain._settle
    drain._settle = lambda *_: drain.DrainSummary()
    with connect(url, drain.SESSION, autocommit=True) as connection:
        while claimed := _claimed(connection):
            with connection.transaction():
                latest, newest = drain.zones_of(connection, claimed)
                drain.record(claimed, latest)
                settle(connection, claimed, newest)
            worst_moment()
            with connection.transaction():
                drain.load(connection, claimed)


def _claimed(connection) -> list[Claimed]:
    zone_ids = [zone_id for (zone_id,) in connection.execute("SELECT zone_id FROM inbox.zone ORDER BY 1")]
    return drain.claim(connection, zone_ids, BATCH)


def unordered(url: str) -> None:
    """Take whatever message comes to hand first, as SKIP LOCKED without an order does."""
    statements.INBOX["claim"] = statements.INBOX["claim"].replace(
        "ORDER BY recorded_at, message_id", "ORDER BY sha256(body)"
    ).replace("ORDER BY p.recorded_at, p.message_id", "ORDER BY sha256(p.body)")  # fmt: skip
    drain.drain(url, limits=BATCH)


def untimed(url: str) -> None:
    """Apply the events of an object as they come, and take the latest messages first."""
    statements.INBOX["claim"] = statements.INBOX["claim"].replace(
        "ORDER BY zone_id, place", "ORDER BY zone_id, place DESC"
    )
    events.ObjectEvent.order = property(lambda _: (datetime(2000, 1, 1, tzinfo=UTC), 0, 0))
    drain.drain(url, limits=BATCH)


def never_released(url: str) -> None:
    """Leave what was held held."""
    folding.Fold._make_known = lambda _fold, state, _cause: setattr(state, "known", True)
    drain.drain(url, limits=BATCH)


def clock_for_order(url: str) -> None:
    """Take the second of receipt for the recorded time, though several messages share it."""
    record = drain.record

    def by_the_clock(claimed, latest):
        record(claimed, latest)
        for message in claimed:
            message.recorded_at = message.received_at.replace(microsecond=0)

    drain.record = by_the_clock
    drain.drain(url, limits=BATCH)


BUILDS = {
    build.__name__: build
    for build in (good, three_transactions, settled_first, unordered, untimed, never_released, clock_for_order)
}


def drain_with(command: str, url: str) -> None:
    """Drain everything with a build: its name, and `dies` when it is to be killed."""
    global told_to_die  # noqa: PLW0603 -- of this process, which is forked for this one build
    name, _, fate = command.partition(" ")
    told_to_die = fate == "dies"
    BUILDS[name](url)
