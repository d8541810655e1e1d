"""`sif-pipeline synth`: a synthetic state as files."""

from pathlib import Path
from typing import Annotated

import typer

from sif_pipeline import synth as synthetic
from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import progress


@app.command(
    "synth",
    epilog="Example: sif-pipeline synth --districts 2 --students 1000 --seed 7 --bad 0.01 --out state/",
)
def synth(
    districts: Annotated[int, typer.Option(min=1, help="How many districts.")],
    students: Annotated[int, typer.Option(min=1, help="Students in each, on average.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    bad: Annotated[float, typer.Option(min=0, max=1, help="Share of records flawed on purpose.")] = 0.0,
) -> None:
    """Write the SIF messages of districts that do not exist, with a manifest of what must become of them."""
    with progress("Writing") as bar:
        expected = synthetic.write(
            out, districts, students, seed, bad=bad, progress=lambda d, t: bar.to(d, t, f"{d} objects")
        )
    typer.echo(f"{expected.sent.total()} objects of {districts} districts are in {out}.")
