"""`sif-pipeline generate`: the reference pages, for those who change the code."""

import typer

from sif_pipeline.cli import app


@app.command("generate", hidden=True, epilog="Example: sif-pipeline generate")
def generate() -> None:
    """Write docs/reference anew from the code it describes. For developers: a test fails when it is stale."""
    from sif_pipeline import reference  # noqa: PLC0415 -- the other commands start faster without it

    changed = reference.write()
    for path in changed:
        typer.echo(f"docs/reference/{path}")
    typer.echo(f"{len(changed)} pages changed.")
