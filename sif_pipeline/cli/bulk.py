"""`sif-pipeline bulk`: the first load of whole districts, or of a whole state."""

from pathlib import Path
from typing import Annotated

import typer

from sif_pipeline import bulk as loading
from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import progress, warehouse


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
) -> None:
    """Load a whole district, or state, into empty zones: receive and drain in one pass.

    Stopped at any point, the same command goes on where it was. Exit code 1 when a file could not be read to its end.
    """
    with warehouse() as url, progress("Loading") as bar:
        tasks = loading.plan(url, zone, paths, add_zones=add_zones)
        done = loading.load(url, tasks, workers=workers, progress=bar.bytes)
    sums = done.summary
    typer.echo(
        f"{sums.messages} messages: {sums.loaded} objects loaded, {sums.held} held, {sums.rejected} rejected; "
        f"{done.held_already} messages were there already, of {done.files} files."
    )
    for path, why in done.refused:
        typer.echo(f"{path}: {why}", err=True)
    if done.refused:
        raise typer.Exit(1)
