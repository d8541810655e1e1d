"""`sif-pipeline db`: the database's version."""

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import warehouse

db = typer.Typer(no_args_is_help=True, help="The warehouse database.")
app.add_typer(db, name="db")


@db.command("upgrade", epilog="Example: sif-pipeline db upgrade")
def upgrade() -> None:
    """Bring the tables and reporting views to the version of this program; data stay as they are."""
    with warehouse():
        typer.echo("The database is at the current version.")
