"""`sif-pipeline conformance`: whether a vendor's agent keeps the standard."""

import contextlib
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import one_of, warehouse
from sif_pipeline.config import Settings
from sif_pipeline.reports import moment

if TYPE_CHECKING:
    from collections.abc import Generator

    from sif_pipeline.conformance.report import Report
    from sif_pipeline.conformance.script import Result

FORMATS = ("text", "markdown", "html", "json")


@app.command("conformance", epilog="Example: sif-pipeline conformance --zone sandbox --out report.html --format html")
def conformance(
    *,
    zone: Annotated[str, typer.Option("--zone", help="A sandbox: a zone added with --sandbox.")],
    agent: Annotated[str | None, typer.Option("--agent", help="SIF_SourceId; default: whoever spoke last.")] = None,
    once: Annotated[bool, typer.Option("--once", help="Judge what was recorded, and do not watch.")] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Judge from this date or time on; default now, with --once everything."),
    ] = None,
    minutes: Annotated[float, typer.Option("--minutes", min=0.0, help="Watch for so long at most.")] = 60.0,
    asks: Annotated[
        bool, typer.Option("--ask/--no-ask", help="Let the zone ask for objects, and hold one answer back.")
    ] = True,
    format_: Annotated[
        str, typer.Option("--format", callback=one_of(*FORMATS), help=f"One of {', '.join(FORMATS)}.")
    ] = "text",
    out: Annotated[Path | None, typer.Option("--out", help="File for the report; default standard output.")] = None,
) -> None:
    """Watch a vendor's agent go through the standard in a sandbox, and report what passed, failed and was not seen.

    The run ends when every step was seen, when the agent unregisters, after --minutes, or by Ctrl-C or SIGTERM.
    Exit code 1 when a step failed or was not seen that is needed.
    """
    from sif_pipeline.conformance import watching  # noqa: PLC0415 -- other commands start faster without it
    from sif_pipeline.conformance.report import FORMATS as WRITERS  # noqa: PLC0415

    begun = moment(since, Settings.from_environment().timezone) if since else None
    if not once:
        typer.echo("Opening the warehouse; wait with the agent until it is watched.", err=True)
    with warehouse(stays=not once) as url:
        if once:
            found = watching.after_the_fact(url, zone, agent, begun or watching.EVER)
        else:
            begun = begun or watching.begin(url, zone)
            typer.echo(f"Watching {zone}: start the agent now. Ctrl-C ends the run and writes the report.", err=True)
            looks = watching.watch(url, zone, agent, since=begun, seconds=minutes * 60, asks=asks, changed=_show)
            found = _last(looks) or watching.after_the_fact(url, zone, agent, begun)  # which says who is missing
    written = WRITERS[format_](found)
    if out is None:
        typer.echo(written, nl=False)
    else:
        out.write_text(written, encoding="utf-8")
        typer.echo(found.summary)
    if not found.is_complete:
        raise typer.Exit(1)


def _last(looks: "Generator[Report]") -> "Report | None":
    """Give the last look at a run, None where there was none; Ctrl-C or SIGTERM ends it."""
    found = None
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)  # a service manager ends it so
    try:
        with contextlib.suppress(KeyboardInterrupt), contextlib.closing(looks):
            for found in looks:  # noqa: B007
                pass
    finally:
        signal.signal(signal.SIGTERM, before)
    return found


def _show(result: "Result") -> None:
    """Show a step as it comes out, on standard error."""
    from sif_pipeline.conformance.script import Outcome  # noqa: PLC0415

    step, verdict = result
    if verdict.outcome is not Outcome.NOT_SEEN:
        typer.echo(f"{verdict.outcome.upper():8} {step.title}: {verdict.reason}", err=True)
