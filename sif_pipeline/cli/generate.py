"""`sif-pipeline generate` and `migration`: for those who change the code."""

from typing import Annotated

import typer

from sif_pipeline.cli import app, whole
from sif_pipeline.sif.naming import counted


@app.command("generate", hidden=True, epilog="Example: sif-pipeline generate")
def generate() -> None:
    """Write docs/reference anew from the code it describes. For developers: a test fails when it is stale."""
    from sif_pipeline import reference  # noqa: PLC0415 -- the other commands start faster without it

    changed = reference.write(whole())
    for path in changed:
        typer.echo(f"docs/reference/{path}")
    typer.echo(f"{counted(len(changed), 'page')} changed.")


@app.command("migration", hidden=True, epilog='Example: sif-pipeline migration "Projected graduation year"')
def migration(words: Annotated[str, typer.Argument(help="What the migration does, in a few words.")]) -> None:
    """Write a migration from the tables there are to the declared ones. For developers: read it, then commit it."""
    from alembic import command  # noqa: PLC0415 -- the other commands start faster without it
    from alembic.config import Config  # noqa: PLC0415

    from sif_pipeline.config import Settings  # noqa: PLC0415
    from sif_pipeline.database import MIGRATIONS, engine  # noqa: PLC0415
    from sif_pipeline.local import postgres  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    number = len(list((MIGRATIONS / "versions").glob("[0-9]*.py"))) + 1
    # The views are left alone: they are made from the declarations, which the tables do not follow yet.
    with postgres.running(Settings.from_environment()) as url, engine(url).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        command.revision(config, message=words, autogenerate=True, rev_id=f"{number:04d}")
