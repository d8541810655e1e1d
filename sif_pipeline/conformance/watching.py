"""Watching an agent go through the script, step by step, as it happens."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import datetime

from sif_pipeline.conformance import evidence as record
from sif_pipeline.conformance import prompting
from sif_pipeline.conformance.evidence import SQL, Evidence
from sif_pipeline.conformance.prompting import Prompted
from sif_pipeline.conformance.report import Report, report
from sif_pipeline.conformance.script import Result
from sif_pipeline.database import Connection, connect
from sif_pipeline.exceptions import SifPipelineError


class NobodyThere(SifPipelineError):
    """No agent has said anything in the sandbox; give it the zone's URL, and start it."""


class AnotherThere(SifPipelineError):
    """The agent that was named has said nothing in the sandbox, and others have."""

    def __init__(self, source_id: str, others: list[str]) -> None:
        super().__init__(
            f"The agent {source_id} has said nothing in this sandbox in that time; heard were: {', '.join(others)}."
        )


EVER = datetime.fromisoformat("0001-01-02T00:00:00+00:00")
"""A moment before any record."""


def after_the_fact(url: str, zone: str, source_id: str | None = None, since: datetime = EVER) -> Report:
    """Judge what a sandbox recorded of one agent, the one heard last unless named; raise NobodyThere, AnotherThere."""
    with connect(url, {"application_name": "sif-conformance"}) as connection:
        zone_id = record.sandbox(connection, zone)
        found = _agent(connection, zone_id, source_id, since)
        if found is None:
            raise _nobody(connection, zone_id, source_id, since)
        return report(record.look(connection, Evidence(zone, zone_id, found, since)), _now(connection))


def begin(url: str, zone: str) -> datetime:
    """Give the moment at which a run begins, by the database's clock; raise as `watch` does for a zone that is none."""
    with connect(url) as connection:
        record.sandbox(connection, zone)
        return _now(connection)


def watch(  # noqa: PLR0913 -- what is watched, for how long, and how it is shown
    url: str,
    zone: str,
    source_id: str | None = None,
    *,
    since: datetime,
    seconds: float = float("inf"),
    asks: bool = True,
    changed: Callable[[Result], None] = lambda _: None,
    period: float = 0.5,
) -> Generator[Report]:
    """Yield the report at every look, until everything was seen, the agent has left or `seconds` are over.

    `since` is where the run begins. `changed` gets each step whose verdict is another than before. With `asks` the
    zone asks the agent for objects, tells it of findings, and holds one answer back. Raise NobodyThere when no agent
    came, AnotherThere when not the one that is named.
    """
    end, before = time.monotonic() + seconds, dict[str, Result]()
    prompted = Prompted() if asks else None
    seen: Evidence | None = None
    with _released(url, lambda: seen), connect(url, {"application_name": "sif-conformance"}) as connection:
        zone_id = record.sandbox(connection, zone)
        while True:
            seen = seen or _begin(connection, zone, zone_id, source_id, since)
            if seen is not None:
                seen = record.look(connection, seen)
                if prompted:
                    prompting.prompt(connection, seen, prompted)
                found = report(seen, _now(connection))
                _tell_changes(found, before, changed)
                yield found
                if found.is_complete or _has_left(seen):
                    break
            if time.monotonic() >= end:
                break
            time.sleep(period)
        if seen is None:
            raise _nobody(connection, zone_id, source_id, since)


@contextmanager
def _released(url: str, watched: Callable[[], Evidence | None]) -> Iterator[None]:
    """Hold no answer back after a run, however it ends: by Ctrl-C its own connection may be of no use any more."""
    try:
        yield
    finally:
        if (seen := watched()) is not None:
            with connect(url) as connection:
                prompting.release(connection, seen)


def _begin(connection: Connection, zone: str, zone_id: int, source_id: str | None, since: datetime) -> Evidence | None:
    found = _agent(connection, zone_id, source_id, since)
    return Evidence(zone, zone_id, found, since) if found else None


def _agent(connection: Connection, zone_id: int, source_id: str | None, since: datetime) -> str | None:
    known = record.agents(connection, zone_id, since)
    connection.commit()
    return next((name for name in known if source_id in (None, name)), None)


def _nobody(connection: Connection, zone_id: int, source_id: str | None, since: datetime) -> SifPipelineError:
    others = record.agents(connection, zone_id, since)
    return AnotherThere(source_id, others[:10]) if source_id and others else NobodyThere()


def _tell_changes(found: Report, before: dict[str, Result], changed: Callable[[Result], None]) -> None:
    for result in found.results:
        known = before.get(result.step.name)
        if known is None or known.verdict.outcome is not result.verdict.outcome:
            before[result.step.name] = result
            changed(result)


def _has_left(seen: Evidence) -> bool:
    """Whether the last word of the agent is that it leaves."""
    return bool(seen.exchanges) and seen.exchanges[-1].said == "SIF_Unregister" and seen.exchanges[-1].is_good


def _now(connection: Connection) -> datetime:
    ((now,),) = connection.execute(SQL["now"]).fetchall()
    connection.commit()
    return now  # type: ignore[no-any-return]  # a timestamptz
