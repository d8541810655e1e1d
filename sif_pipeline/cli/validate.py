"""`sif-pipeline validate`: findings on files, before anything is sent; no database."""

import json
from pathlib import Path
from typing import Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import one_of
from sif_pipeline.files import validation
from sif_pipeline.notices import CAPPED
from sif_pipeline.sif.naming import counted


@app.command("validate", epilog="Example: sif-pipeline validate student.xml --format json")
def validate(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, or folders with *.xml files.")],
    format_: Annotated[str, typer.Option("--format", help="text or json.", callback=one_of("text", "json"))] = "text",
) -> None:
    """Say what is wrong with SIF messages or lists of objects, as the state would say it, without a database.

    Exit code 1 when there is an error, 0 when there are at most warnings. Whether an object's parent has arrived
    is not looked at.
    """
    errors = others = 0
    for number, finding in enumerate(validation.validate(paths)):  # printed as they are found: there may be millions
        errors, others = errors + finding.is_error, others + (not finding.is_error)
        typer.echo(_as_text(finding) if format_ == "text" else ("," if number else "[") + _as_json(finding))
    if format_ == "json":
        typer.echo("]" if errors + others else "[]")
    else:
        typer.echo(f"{counted(errors, 'error')}, {counted(others, 'warning')}.", err=True)
    if errors:
        raise typer.Exit(1)


def _as_text(finding: validation.FileFinding) -> str:
    kind = finding.type
    more = f" ({finding.times:,} more.)" if kind.code in CAPPED else ""
    line = f":{finding.line}" if finding.line else ""
    where = f"{finding.file}{line}: {finding.path}".rstrip()
    return f"{where}\n  {kind.severity}: {finding.words}{more} [{kind.code}]\n  {kind.remedy}"


def _as_json(finding: validation.FileFinding) -> str:
    kind = finding.type
    return json.dumps({
        "file": str(finding.file), "line": finding.line, "path": finding.path, "code": kind.code,
        "severity": kind.severity, "message": finding.words, "remedy": kind.remedy,
        "times": finding.times,
    })  # fmt: skip
