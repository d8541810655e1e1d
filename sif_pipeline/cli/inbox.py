"""`sif-pipeline receive`, `drain` and `replay`: messages into the inbox, and from it into the warehouse."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import not_loaded, progress, warehouse
from sif_pipeline.config import Settings
from sif_pipeline.files import receiving
from sif_pipeline.loading import drain as draining
from sif_pipeline.loading import replay as replaying
from sif_pipeline.loading import standby
from sif_pipeline.loading.drain import DrainSummary
from sif_pipeline.reports import moment
from sif_pipeline.sif.naming import counted

FOREVER = timedelta(days=36500)

ZoneName = Annotated[str, typer.Option("--zone", help="Name of the zone.")]


@app.command("receive", epilog="Example: sif-pipeline receive --zone springfield full-sync/")
def receive(
    zone: ZoneName,
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, or folders with *.xml files.")],
) -> None:
    """Take files into the inbox: any SIF_Message, or a bare list of objects, of any size.

    An object of a list that cannot be read is stored on its own, as it came; its neighbours are not touched. Exit
    code 1 when that was so, or a file was refused; the others are stored all the same.

    A SIF_Message is known again by its SIF_MsgId, a list by its path, size and time of writing: such a file is held
    already, and is not stored twice. To send a list again, write it again, or `touch` it.
    """
    with warehouse() as url, progress("Receiving") as bar:
        received = receiving.receive(url, zone, paths, lambda done, total: bar.to(done, total, f"{done >> 20} MiB"))
    stored, of = counted(received.messages, "message"), counted(received.files, "file")
    typer.echo(f"{stored} stored, {received.duplicates} held already, of {of}.")
    for path, why in (troubles := [*received.refused, *received.broken]):
        typer.echo(f"{path}: {why}", err=True)
    if troubles:
        raise typer.Exit(1)


@app.command("drain", epilog="Example: sif-pipeline drain --until-empty")
def drain(
    until_empty: Annotated[bool, typer.Option("--until-empty", help="Stop when nothing is pending (default).")] = False,
    forever: Annotated[bool, typer.Option("--forever", help="Go on until stopped, in place of Airflow.")] = False,
) -> None:
    """Load what the inbox holds into the warehouse. Any number may run at once, beside Airflow's too.

    Exit code 1 when a message was quarantined meanwhile: kept as it came, and not loaded. All others are loaded.
    """
    if until_empty and forever:
        raise typer.BadParameter("choose --until-empty or --forever, not both")
    with warehouse(stays=forever) as url, progress("Draining") as bar:
        if forever:
            summary = standby.lead(url, standby=FOREVER, leading=FOREVER)
        else:
            summary = draining.drain(url, progress=lambda done: bar.to(done.messages, None, _words(done)))
    _tell(summary)


@app.command("replay", epilog="Example: sif-pipeline replay --zone springfield --since 2026-10-01")
def replay(
    zone: ZoneName,
    since: Annotated[
        str | None,
        typer.Option("--since", help="Replay what was received from this date or time on; default all."),
    ] = None,
) -> None:
    """Rebuild a zone's objects from the messages in the inbox, in one transaction.

    With the same rules the warehouse comes out as it was; after a change of rules, as they now say. Messages in
    quarantine are tried again; exit code 1 when one fails as before.
    """
    at = moment(since, Settings.from_environment().timezone) if since else None
    with warehouse() as url, progress("Replaying") as bar:
        summary = replaying.replay(url, zone, at, lambda done: bar.to(done.messages, None, _words(done)))
    _tell(summary)


def _tell(summary: DrainSummary) -> None:
    """Say what was drained, and fail when something was quarantined."""
    typer.echo(_words(summary))
    if summary.quarantined:
        are = "is" if summary.quarantined == 1 else "are"
        typer.echo(QUARANTINED.format(f"{counted(summary.quarantined, 'message')} {are}"), err=True)
        raise typer.Exit(1)


QUARANTINED = (
    "{} in quarantine, because the drain failed three times: a fault of the pipeline, please report it. Nothing is "
    "lost: `sif-pipeline status` names the zone, `sif-pipeline replay --zone ZONE` loads it once the fault is mended."
)


def _words(summary: DrainSummary) -> str:
    unchanged = f" ({summary.unchanged} unchanged)" if summary.unchanged else ""
    others = not_loaded(summary.held, summary.rejected, summary.unknown)
    loaded = f"{counted(summary.loaded, 'object')} loaded{unchanged}, {others}"
    quarantined = f", {counted(summary.quarantined, 'message')} quarantined" if summary.quarantined else ""
    return f"{counted(summary.messages, 'message')}: {loaded}{quarantined}."
