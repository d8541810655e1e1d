"""`sif-pipeline agent`: the agents of our zones, and being one ourselves."""

import typer

from sif_pipeline.cli import app

agent = typer.Typer(no_args_is_help=True, help="The agents of our zones, and being one ourselves.")
app.add_typer(agent, name="agent")


@agent.callback()
def group() -> None:
    """Be an agent of a zone that a district runs."""
