"""`sif-pipeline sync`: full syncs, what they found, and a person's decision."""

import getpass
from collections import Counter
from dataclasses import asdict, fields
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.request import words
from sif_pipeline.cli.terminal import FORMATS, one_of, show, warehouse
from sif_pipeline.config import Settings
from sif_pipeline.exceptions import SifPipelineError
from sif_pipeline.reports import Report, json_text
from sif_pipeline.sif.naming import counted
from sif_pipeline.state import reconciliation, syncs

sync = typer.Typer(no_args_is_help=True, help="Full syncs: what they found, and what is done about it.")
app.add_typer(sync, name="sync")

Format = Annotated[str, typer.Option("--format", help="table, csv or json.", callback=one_of(*FORMATS))]
Number = Annotated[int, typer.Argument(metavar="SYNC", help="Number of the sync.")]
By = Annotated[str | None, typer.Option("--by", help="Who decides; the user of the operating system by default.")]

STATES = ("asked", "receiving", "compared", "waiting", "applied", "refused", "failed")


@sync.callback()
def group() -> None:
    """Look at full syncs, and accept or refuse those that would change much; `request --sync` makes one."""


@sync.command("list", epilog="Example: sif-pipeline sync list --state waiting")
def list_(
    zone: Annotated[str | None, typer.Option("--zone", help="Of this zone only.")] = None,
    state: Annotated[str | None, typer.Option(help=", ".join(STATES))] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many at most, the newest.")] = 50,
    format_: Format = "table",
) -> None:
    """Show full syncs with what they found, in objects."""
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"choose one of {', '.join(STATES)}")
    with warehouse() as url:
        found = syncs.listed(url, zone=zone, state=state, most=limit)
    every = tuple(field.name for field in fields(syncs.Sync))
    columns = IN_TABLE if format_ == "table" else every
    show(Report(columns, [tuple(getattr(one, name) for name in columns) for one in found]), format_, "Full syncs")


IN_TABLE = (
    "sync_id", "zone", "object_name", "state", "there", "here", "missing_here", "missing_there", "different",
    "asked_at", "reason",
)  # fmt: skip


@sync.command("show", epilog="Example: sif-pipeline sync show 12")
def show_(
    number: Number,
    limit: Annotated[int, typer.Option(min=1, help="So many differing objects at most.")] = 100,
    format_: Format = "table",
) -> None:
    """Show what one sync found: why it waits, and which objects differ, by RefId. Values are not shown.

    JSON holds all of the sync as `sync list` has it, with its differences; CSV the differences only.
    """
    with warehouse() as url:
        found = syncs.show(url, number)
        differences = syncs.differences(url, number, limit)
    columns = ("kind", "ref_id", "message_id", "position")
    lines = [(d.kind, d.row_key.upper(), d.message_id, d.position) for d in differences]
    if format_ == "json":
        listed = [dict(zip(columns, line, strict=True)) for line in lines]
        typer.echo(json_text({**asdict(found), "differences": listed}))
        return
    if format_ == "table":
        typer.echo(words(found))
    show(Report(columns, lines), format_, _title(lines))


def _title(lines: list[tuple[str, str, int | None, int | None]]) -> str:
    counts = Counter(kind for kind, *_ in lines)
    listed = ", ".join(f"{times:,} {kind.replace('_', ' ')}" for kind, times in counts.items())
    return f"Objects that differ ({listed})" if lines else "Objects that differ"


@sync.command("accept", epilog="Example: sif-pipeline sync accept 12 --without-deletions")
def accept(
    number: Number,
    without_deletions: Annotated[
        bool, typer.Option("--without-deletions", help="Keep what only the state has; take the rest.")
    ] = False,
    by: By = None,
) -> None:
    """Let a sync that waits be applied: its objects are loaded, and what only the state has is deleted."""
    with warehouse() as url:
        found = syncs.accept(url, number, by or getpass.getuser(), deletes=not without_deletions)
    typer.echo(words(found))
    if found.state == "compared":
        typer.echo("It is applied as soon as what came before has been drained.")


@sync.command("refuse", epilog="Example: sif-pipeline sync refuse 12")
def refuse(number: Number, by: By = None) -> None:
    """Decide against a sync that waits: nothing changes; what the district sent is kept and never loaded."""
    with warehouse() as url:
        typer.echo(words(syncs.refuse(url, number, by or getpass.getuser())))


@sync.command("advance", epilog="Example: sif-pipeline sync advance --ask-due")
def advance(
    ask_due: Annotated[bool, typer.Option("--ask-due", help="Also ask the zones whose time of day has come.")] = False,
) -> None:
    """Take every sync on: compare what is complete, apply what may be, give up what is late. In place of Airflow.

    Exit code 1 when a zone that is due could not be asked, or a sync failed; the others are taken on all the same.
    """
    failures: list[str] = []
    with warehouse() as url:
        if ask_due:
            failures = _ask_due(url)
        done = reconciliation.advance(url)
        failures += [_failure(syncs.show(url, number)) for number in done.failed]
    typer.echo(
        f"{counted(done.timed_out, 'request')} given up, {counted(len(done.failed), 'sync')} failed, "
        f"{len(done.compared)} compared within the limit, {len(done.waiting)} waiting for a decision, "
        f"{len(done.applied)} applied."
    )
    for failure in failures:
        typer.echo(failure, err=True)
    if failures:
        raise typer.Exit(1)


def _failure(failed: syncs.Sync) -> str:
    return f"Sync {failed.sync_id} of {failed.object_name} in zone {failed.zone} failed. {failed.reason or ''}".rstrip()


def _ask_due(url: str) -> list[str]:
    """Ask the zones that are due, each on its own; give a sentence for each that could not be asked."""
    failures = []
    for zone in syncs.due(url, Settings.from_environment().timezone, datetime.now(UTC)):
        try:
            asked = syncs.ask_district(url, zone)
            typer.echo(f"Zone {zone}: {counted(len(asked), 'request')}.")
        except SifPipelineError as error:
            failures.append(f"Zone {zone}: {error}")
    return failures


@sync.command("schedule", epilog="Example: sif-pipeline sync schedule springfield 02:00 --limit 0.1")
def schedule(
    zone: Annotated[str, typer.Argument(help="Name of the zone.")],
    time_of_day: Annotated[
        str, typer.Argument(metavar="TIME", help="Time of day in the state's time zone, 02:00, or never.")
    ],
    limit: Annotated[
        str | None,
        typer.Option(help="Share of an object's records that a sync may delete and change on its own, 0 to 1."),
    ] = None,
) -> None:
    """Set when a zone is asked every day, and how much a full sync may change without a person."""
    with warehouse() as url:
        syncs.schedule(url, zone, _time(time_of_day), _share(limit))
    typer.echo(f"Zone {zone} is asked {'never' if time_of_day == 'never' else f'every day at {time_of_day}'}.")


def _time(text: str) -> time | None:
    try:
        return None if text == "never" else time.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a time of day is written 02:00, or never") from None


def _share(text: str | None) -> Decimal | None:
    try:
        share = None if text is None else Decimal(text)
    except InvalidOperation:
        share = Decimal(-1)
    if share is not None and not 0 <= share <= 1:
        raise typer.BadParameter("a share is a number from 0 to 1, such as 0.1")
    return share
