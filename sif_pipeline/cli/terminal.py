"""What commands have in common: the database they work on, progress on a terminal, formats."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sif_pipeline import database, reports
from sif_pipeline.cli.tables import print_one, print_table
from sif_pipeline.config import Settings
from sif_pipeline.local import postgres
from sif_pipeline.local.supervision import ended_by_signals

FORMATS = ("table", "csv", "json")
"""How reports are printed."""


@contextmanager
def warehouse(*, stays: bool = False) -> Iterator[str]:
    """Give the URL of the warehouse at its current version; the embedded server runs for as long as it is needed.

    For a command that `stays`, a server that dies is started again. SIGTERM ends a command as Ctrl-C does: what it
    started, it stops.
    """
    open_ = postgres.kept_up if stays else postgres.running
    with ended_by_signals(), open_(Settings.from_environment()) as url:
        database.upgrade(url)
        yield url


@contextmanager
def progress(label: str, total: float | None = None) -> Iterator["Reporter"]:
    """Show a bar on a terminal; print nothing in a pipe."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        yield Reporter(bar, bar.add_task(label, total=total, words=""))


class Reporter:
    """Moves a progress bar on."""

    def __init__(self, bar: Progress, task: Any) -> None:
        self._bar, self._task = bar, task
        self._reached: deque[tuple[float, int]] = deque()

    def to(self, done: float, total: float | None = None, words: str = "") -> None:
        """Show how much of how much is done."""
        self._bar.update(self._task, completed=done, total=total, words=words)

    def bytes(self, done: int, total: int) -> None:
        """Show how many of how many bytes are done, and the time left at the pace of late, once that can be told."""
        if done > 0:
            self._reached.append((time.monotonic(), done))
        left = seconds_left(self._reached, total)
        words = f"{done >> 20} of {total >> 20} MiB"
        self.to(done, total, words + (f", about {_duration(left)} left" if left is not None else ""))


SOON, LATELY = 5.0, 60.0
"""Seconds for which a pace must be known before anything is said of the time left, and those that count for it."""


def seconds_left(reached: deque[tuple[float, int]], total: int) -> float | None:
    """Tell from moments and what was done by each how long the rest takes; None while that cannot be told.

    The first is when something was done for the first time: what had to be made before is not the pace. Moments long
    gone are dropped, so that files which were there already, or smaller zones, do not count for ever.
    """
    while len(reached) > 2 and reached[-1][0] - reached[1][0] >= LATELY:
        reached.popleft()
    if not reached or reached[-1][0] - reached[0][0] < SOON or reached[-1][1] == reached[0][1]:
        return None
    (began, before), (now, done) = reached[0], reached[-1]
    return (total - done) * (now - began) / (done - before)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def show(report: reports.Report, format_: str, title: str = "") -> None:
    """Print a report as a table, CSV or JSON."""
    if format_ == "csv":
        sys.stdout.write(reports.as_csv(report))
    elif format_ == "json":
        typer.echo(reports.as_json(report))
    else:
        print_table(title, report.columns, report.lines)


def show_one(thing: Mapping[str, Any], lines: Iterable[tuple[str, Any]], format_: str, title: str) -> None:
    """Print one thing: in JSON an object, for people and as CSV its lines, which may spell what is a list in words."""
    if format_ == "json":
        typer.echo(reports.json_text(thing))
    elif format_ == "csv":
        show(reports.Report(("what", "value"), list(lines)), format_)
    else:
        print_one(title, list(lines))


def not_loaded(held: int, rejected: int, unknown: int) -> str:
    """Say how many objects were not loaded, and why; of kinds that the state does not collect only if any."""
    return f"{held} held, {rejected} rejected" + (f", {unknown} not collected" if unknown else "")


def one_of(*allowed: str) -> Callable[[str], str]:
    """Make the check of an option with a few values; typer prints its sentence otherwise."""

    def check(value: str) -> str:
        if value not in allowed:
            raise typer.BadParameter(f"choose one of {', '.join(allowed)}")
        return value

    return check
