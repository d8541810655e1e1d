"""`sif-pipeline validate`: findings on files, before anything is sent; no database."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from sif_pipeline import validation
from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import one_of


@app.command("validate", epilog="Example: sif-pipeline validate student.xml --format json")
def validate(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, or folders with *.xml files.")],
    format_: Annotated[str, typer.Option("--format", help="text or json.", callback=one_of("text", "json"))] = "text",
) -> None:
    """Say what is wrong with SIF messages or lists of objects, as the state would say it, without a database.

    Exit code 1 when there is an error, 0 when there are at most warnings. Whether an object's parent has arrived
    is not looked at.
    """
    found = list(validation.validate(paths))
    if format_ == "json":
        typer.echo(json.dumps([_as_json(finding) for finding in found], indent=1))
    else:
        for finding in found:
            typer.echo(_as_text(finding))
        typer.echo(
            f"{sum(f.is_error for f in found)} errors, {sum(not f.is_error for f in found)} warnings.",
            err=True,
        )
    if any(finding.is_error for finding in found):
        raise typer.Exit(1)


def _as_text(finding: validation.FileFinding) -> str:
    kind = finding.type
    where = f"{finding.file}:{finding.line}: {finding.path}"
    return f"{where}\n  {kind.severity}: {finding.words} [{kind.code}]\n  {kind.remedy}"


def _as_json(finding: validation.FileFinding) -> dict[str, Any]:
    kind = finding.type
    return {
        "file": str(finding.file), "line": finding.line, "path": finding.path, "code": kind.code,
        "severity": kind.severity, "message": finding.words, "remedy": kind.remedy,
    }  # fmt: skip
