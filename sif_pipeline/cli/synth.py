"""`sif-pipeline synth`: a synthetic state as files."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import progress


@app.command(
    "synth",
    epilog="Example: sif-pipeline synth --districts 2 --students 1000 --seed 7 --bad 0.01 --out state/",
)
def synth(  # noqa: PLR0917 -- each is an option
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    districts: Annotated[int | None, typer.Option(min=1, help="How many districts.")] = None,
    students: Annotated[int | None, typer.Option(min=1, help="Students in each, on average.")] = None,
    bad: Annotated[float, typer.Option(min=0, max=1, help="Share of records flawed on purpose.")] = 0.0,
    state: Annotated[
        bool, typer.Option("--state", help="A whole state: 404 districts, 950,000 students, one file each.")
    ] = False,
    share: Annotated[float, typer.Option(min=0, max=1, help="With --state: this share of its districts.")] = 1.0,
    today: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Day on which it is seen, and so the school year; else 2026-11-22."),
    ] = None,
) -> None:
    """Write SIF objects of districts that do not exist, with a manifest of what must become of them.

    With --districts and --students each district is a folder of messages, first loads and later changes. With --state
    each is one file, a bare list of its objects.
    """
    if state == (districts is not None or students is not None) or (not state and None in (districts, students)):
        raise typer.BadParameter("Give --districts and --students, or --state.")
    if state:
        _state(out, seed, share, bad, _day(today))
    elif districts is not None and students is not None:
        _districts(out, districts, students, seed, bad, _day(today))


def _day(today: datetime | None) -> date:
    from sif_pipeline.synth.state import TODAY  # noqa: PLC0415 -- the other commands take 5 MB less without it

    return today.date() if today else TODAY


def _districts(out: Path, districts: int, students: int, seed: int, bad: float, today: date) -> None:  # noqa: PLR0917
    from sif_pipeline import synth as synthetic  # noqa: PLC0415

    with progress("Writing") as bar:
        expected = synthetic.write(
            out,
            districts,
            students,
            seed,
            bad=bad,
            today=today,
            progress=lambda d, t: bar.to(d, t, f"{d} objects"),
        )
    typer.echo(f"{expected.sent.total()} objects of {districts} districts are in {out}.")


def _state(out: Path, seed: int, share: float, bad: float, today: date) -> None:
    from sif_pipeline.synth import statewide  # noqa: PLC0415

    with progress("Writing") as bar:
        written = statewide.write_state(
            out, seed, share=share, bad=bad, today=today, progress=lambda d, t, n: bar.to(d, t, f"{n:,} objects")
        )
    typer.echo(
        f"{written.expected.sent.total():,} objects ({written.bytes / 1e9:.2f} GB) of {written.districts} districts, "
        f"{written.schools:,} schools and {written.students:,} students are in {out}."
    )
