"""`sif-pipeline status` and `report`: where everything stands, and what it says."""

from dataclasses import astuple, fields
from difflib import get_close_matches
from typing import Annotated

import typer

from sif_pipeline import reports, status
from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import FORMATS, one_of, show, warehouse
from sif_pipeline.config import Settings
from sif_pipeline.notices import CATALOGUE

Format = Annotated[str, typer.Option("--format", help="table, csv or json.", callback=one_of(*FORMATS))]


def _reports_list() -> str:
    return "\n\n".join(f"{name}: {grain}" for name, grain in reports.names().items())


@app.command("status", epilog="Example: sif-pipeline status --format json")
def show_status(format_: Format = "table") -> None:
    """Show for every zone how many messages were received, are pending, loaded, held, rejected, or came twice.

    `objects` are those in its drained messages: taken in, some of them unchanged, held, rejected, or not collected.
    """
    with warehouse() as url:
        zones = status.zones(url)
    columns = tuple(field.name for field in fields(status.ZoneStatus))
    show(reports.Report(columns, [astuple(zone) for zone in zones]), format_, "Messages by zone, and objects in them")


def _known(code: str | None) -> str | None:
    if code is not None and code not in CATALOGUE:
        near = " or ".join(get_close_matches(code, CATALOGUE, n=3))
        raise typer.BadParameter(f"did you mean {near}?" if near else "docs/reference/findings.md has every code")
    return code


@app.command("findings", epilog="Example: sif-pipeline findings --zone springfield --each --format csv")
def show_findings(
    zone: Annotated[str, typer.Option("--zone", help="Name of the zone.")],
    code: Annotated[str | None, typer.Option("--code", help="Those of this code only.", callback=_known)] = None,
    each: Annotated[bool, typer.Option("--each", help="A line for each, with its object, message and line.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="So many lines at most.")] = 50,
    format_: Format = "table",
) -> None:
    """Show what is wrong with a district's data now, in plain words, most frequent first, with the way out.

    With --each the latest are first. `object` is the RefId, or for objects that have another key what stands for it;
    `line` is that of the district's file, or of the message where none was sent.
    """
    with warehouse() as url:
        if each:
            report = _each(status.each_finding(url, zone, limit + 1, code))
        else:
            report = _by_kind(status.findings(url, zone, limit + 1, code))
    show(reports.Report(report.columns, report.lines[:limit]), format_, f"Open findings of {zone}")
    if len(report.lines) > limit:
        typer.echo(f"There are more than these {limit}; --limit {limit * 10} shows more.", err=True)


def _by_kind(found: list[status.FindingCount]) -> reports.Report:
    columns = ("times", "severity", "code", "what", "where", "remedy")
    return reports.Report(columns, [(f.times, f.severity, f.code, f.words, f.path, f.remedy) for f in found])


def _each(found: list[status.OpenFinding]) -> reports.Report:
    columns = ("recorded_at", "severity", "code", "kind", "object", "where", "line", "msg_id", "times")
    lines = [
        (f.recorded_at, f.severity, f.code, f.object_name, f.row_key, f.path, f.line, f.msg_id, f.times) for f in found
    ]
    return reports.Report(columns, lines)


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
