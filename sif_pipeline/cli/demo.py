"""`sif-pipeline demo` and `up`: the whole pipeline on this machine, with five synthetic districts."""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table

from sif_pipeline import reports, status
from sif_pipeline.cli import app
from sif_pipeline.cli.tables import print_table
from sif_pipeline.config import Settings
from sif_pipeline.local.supervision import ended_by_signals

if TYPE_CHECKING:
    from sif_pipeline.local import demo

Students = Annotated[int, typer.Option(min=50, help="Students of the five districts together.")]


@app.command("demo", epilog="Example: sif-pipeline demo --students 5000")
def run_demo(students: Students = 5000) -> None:
    """Start everything, let five synthetic districts send, load, report, compare, and stop everything.

    Takes about five minutes. Exit code 1 when the warehouse does not hold exactly what it should.
    """
    if not _demonstrate(students, keep=False):
        raise typer.Exit(1)


@app.command("up", epilog="Example: sif-pipeline up")
def run_up(students: Students = 5000) -> None:
    """Do what `demo` does, and keep everything running until Ctrl-C; prints the addresses and the login."""
    _demonstrate(students, keep=True)


def _demonstrate(students: int, *, keep: bool) -> bool:
    from sif_pipeline.local import demo  # noqa: PLC0415 -- the other commands start faster without it

    settings = demo.fresh(Settings.from_environment())
    with ended_by_signals(), demo.pipeline(settings, _say) as running:
        senders = demo.enrol(running, students)
        _say(f"Five districts send (three as agents, one full synchronisation, one by files); data in {settings.home}")
        with _watching() as watch:
            demo.play(running, senders, watch)
        good = _print_results(running, senders)
        if keep:
            _keep(running, senders)
    _say(f"Everything is stopped; the data are in {settings.home}. `make up` keeps it running to look around.")
    return good


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {words}", flush=True)  # noqa: T201 -- the command line's own voice


class _watching:  # noqa: N801 -- used as a function
    """Shows every zone's numbers: live on a terminal, a line every ten seconds elsewhere."""

    def __init__(self) -> None:
        self._live = Live(console=Console(), transient=True) if sys.stdout.isatty() else None
        self._next = 0.0

    def __enter__(self) -> Callable[[list[status.ZoneStatus]], None]:
        if self._live:
            self._live.start()
        return self._show

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def _show(self, zones: list[status.ZoneStatus]) -> None:
        if self._live:
            self._live.update(_progress_table(zones))
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + 10
            _say("  ".join(f"{zone.zone}: {zone.received} received, {zone.pending} pending" for zone in zones))


def _progress_table(zones: list[status.ZoneStatus]) -> Table:
    table = Table("district", "received", "pending", "loaded", "held", "rejected", title="Messages so far")
    for zone in zones:
        counts = (zone.received, zone.pending, zone.loaded, zone.held, zone.rejected)
        table.add_row(zone.zone, *(f"{count:,}" for count in counts))
    return table


def _print_results(running: "demo.Running", senders: list["demo.Sender"]) -> bool:
    _print_messages(running, senders)
    _print_enrollment(running)
    _print_findings(running, senders)
    return _print_differences(running, senders)


def _print_messages(running: "demo.Running", senders: list["demo.Sender"]) -> None:
    delays = {delay.zone: delay for delay in status.delays(running.url)}
    ways = {sender.zone: sender.way for sender in senders}
    lines = [
        (z.zone, ways[z.zone], z.received, z.loaded, z.held, z.rejected, z.duplicate,
         f"{delays[z.zone].p50:.2f}", f"{delays[z.zone].p95:.2f}")
        for z in status.zones(running.url) if z.zone in delays
    ]  # fmt: skip
    columns = (
        "district",
        "sends by",
        "received",
        "loaded",
        "held",
        "rejected",
        "duplicate",
        "median s",
        "95 % within s",
    )
    print_table("Messages by district; delay from receipt to loaded", columns, lines)


def _print_enrollment(running: "demo.Running") -> None:
    report = reports.run(running.url, "enrollment_by_grade", None, running.settings.timezone)
    cells = {(line[2], line[0]): line[3] for line in report.lines}
    codes = sorted({code for _, code in cells})
    grades = list(dict.fromkeys(grade for grade in reports.GRADES if any((grade, code) in cells for code in codes)))
    lines = [(grade, *(cells.get((grade, code), 0) for code in codes)) for grade in grades]
    lines.append(("all", *(sum(cells.get((grade, code), 0) for grade in grades) for code in codes)))
    print_table("Students enrolled today, by grade and district", ("grade", *codes), lines)


def _print_findings(running: "demo.Running", senders: list["demo.Sender"]) -> None:
    lines = [
        (sender.zone, found.times, found.severity, found.words, found.path)
        for sender in senders
        for found in status.findings(running.url, sender.zone, limit=4)
    ]
    print_table("The most frequent findings of each district", ("district", "times", "weight", "what", "where"), lines)


def _print_differences(running: "demo.Running", senders: list["demo.Sender"]) -> bool:
    from sif_pipeline.local import demo  # noqa: PLC0415 -- see _demonstrate

    found = demo.differences(running, senders)
    expected = {sender.zone: demo.expected_in_warehouse(sender) for sender in senders}
    lines = [
        (zone, d.object_name, d.sent, d.in_warehouse, d.rejected, d.held, d.unknown, d.deleted, d.unexplained)
        for zone, rows in found.items()
        for d in rows
        if d.sent != d.in_warehouse or d.unexplained
    ]
    every = [row for rows in found.values() for row in rows]
    lines.append(("all", "every kind", *(sum(column) for column in zip(*map(_numbers, every), strict=True))))
    columns = ("district", "object", "sent", "in warehouse", "rejected", "held", "not collected", "deleted")
    print_table("Sent against the warehouse, where they differ", (*columns, "without a finding"), lines)
    good = all(
        d.unexplained == 0 and d.in_warehouse == expected[zone][d.object_name] for zone in found for d in found[zone]
    )
    _say(
        "Every difference is explained by a finding or a deletion, and is what the districts' manifests foresaw."
        if good
        else "The warehouse does NOT hold what the districts' manifests foresaw."
    )
    return good


def _numbers(found: "demo.Difference") -> tuple[int, ...]:
    return (
        found.sent, found.in_warehouse, found.rejected, found.held, found.unknown, found.deleted, found.unexplained
    )  # fmt: skip


def _keep(running: "demo.Running", senders: list["demo.Sender"]) -> None:
    _say("Running until Ctrl-C:")
    print(f"  Airflow      {running.airflow.url}  user {running.airflow.user}, password {running.airflow.password}")  # noqa: T201
    print(f"  zone server  {running.server}")  # noqa: T201
    for sender in senders:
        print(f"    zone {sender.zone}  {sender.zone_url}")  # noqa: T201
    print(f"  database     {running.url}")  # noqa: T201
    here = f"SIF_HOME={running.settings.home} {sys.executable.removesuffix('python')}sif-pipeline status"
    print(f"  to ask it, in another terminal: {here}", flush=True)  # noqa: T201
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        _say("Stopping")
