"""`sif-pipeline bulk`: the first load of whole districts, or of a whole state."""

from pathlib import Path
from typing import Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import not_loaded, progress, warehouse
from sif_pipeline.files import receiving
from sif_pipeline.loading import bulk as bulking
from sif_pipeline.sif.naming import counted


@app.command("bulk", epilog="Example: sif-pipeline bulk --add-zones --workers 2 state/")
def bulk(
    paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, or folders.")],
    zone: Annotated[
        str | None, typer.Option("--zone", help="Zone of all files; else each file or subfolder is named like its own.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many zones are loaded at a time, a process each.")] = 1,
    add_zones: Annotated[
        bool, typer.Option("--add-zones", help="Make the zones that are missing, named as the files are.")
    ] = False,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", help="Write Parquet files below this folder instead; no database.")
    ] = None,
) -> None:
    """Load a whole district, or state, into empty zones: receive and drain in one pass.

    Stopped at any point, the same command goes on where it was. Exit code 1 when a file could not be read to its end.
    """
    if parquet is not None:
        _write(paths, parquet)
        return
    with warehouse() as url, progress("Loading") as bar:
        tasks = bulking.plan(url, zone, paths, add_zones=add_zones)
        done = bulking.load(url, tasks, workers=workers, progress=bar.bytes)
    sums = done.summary
    others = not_loaded(sums.held, sums.rejected, sums.unknown)
    typer.echo(
        f"{counted(sums.messages, 'message')}: {counted(sums.loaded, 'object')} loaded, {others}; "
        f"{done.held_already} more held already, of {counted(done.files, 'file')}."
    )
    _tell(done.refused)


def _write(paths: list[Path], folder: Path) -> None:
    from sif_pipeline.files import parquet as export  # noqa: PLC0415 -- every other command takes 30 MB less without it

    written = export.write((file for path in paths for file in receiving.below(path)), folder)
    made = f"{counted(written.rows, 'row')} and {counted(written.findings, 'finding')}"
    typer.echo(f"{made} of {counted(written.files, 'file')} are below {folder}.")
    _tell(written.refused)


def _tell(refused: list[tuple[Path, str]]) -> None:
    for path, why in refused:
        typer.echo(f"{path}: {why}", err=True)
    if refused:
        raise typer.Exit(1)
