"""`sif-pipeline status` and `report`: where everything stands, and what it says."""

from dataclasses import astuple, fields
from typing import Annotated

import typer

from sif_pipeline import reports, status
from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import FORMATS, one_of, show, warehouse
from sif_pipeline.config import Settings

Format = Annotated[str, typer.Option("--format", help="table, csv or json.", callback=one_of(*FORMATS))]


def _reports_list() -> str:
    return "\n\n".join(f"{name}: {grain}" for name, grain in reports.names().items())


@app.command("status", epilog="Example: sif-pipeline status --format json")
def show_status(format_: Format = "table") -> None:
    """Show for every zone how many messages were received, are pending, loaded, held, rejected, or came twice."""
    with warehouse() as url:
        zones = status.zones(url)
    columns = tuple(field.name for field in fields(status.ZoneStatus))
    show(reports.Report(columns, [astuple(zone) for zone in zones]), format_, "Messages by zone, and objects in them")


@app.command("findings", epilog="Example: sif-pipeline findings --zone springfield --format csv")
def show_findings(
    zone: Annotated[str, typer.Option("--zone", help="Name of the zone.")],
    limit: Annotated[int, typer.Option(min=1, help="So many kinds of findings at most.")] = 50,
    format_: Format = "table",
) -> None:
    """Show what is wrong with a district's data now, in plain words, most frequent first, with the way out."""
    with warehouse() as url:
        found = status.findings(url, zone, limit)
    columns = ("times", "severity", "code", "what", "where", "remedy")
    lines = [(f.times, f.severity, f.code, f.words, f.path, f.remedy) for f in found]
    show(reports.Report(columns, lines), format_, f"Open findings of {zone}")


@app.command(
    "report",
    help="Run a report, now or as the state knew it at an earlier time.\n\nReports:\n\n" + _reports_list(),
    epilog="Example: sif-pipeline report enrollment_by_grade --as-of 2026-10-01 --format csv",
)
def run_report(
    name: Annotated[str, typer.Argument(help="Name of the report.")],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", help="As the state knew it at the end of this day, or at this time."),
    ] = None,
    format_: Format = "table",
) -> None:
    """Run a report."""
    timezone = Settings.from_environment().timezone
    at = reports.as_of_moment(as_of, timezone) if as_of else None
    with warehouse() as url:
        show(reports.run(url, name, at, timezone), format_, name)
