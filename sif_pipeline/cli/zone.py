"""`sif-pipeline zone`: the districts' connections."""

from typing import Annotated

import typer

from sif_pipeline import zones
from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import warehouse
from sif_pipeline.database import session

zone = typer.Typer(no_args_is_help=True, help="The districts' connections.")
app.add_typer(zone, name="zone")


Base = Annotated[str, typer.Option("--url", help="Address under which agents reach the server.")]
AT_HOME = "http://127.0.0.1:7080"


@zone.callback()
def group() -> None:
    """Add connections for districts, and renew their URLs."""


@zone.command("add", epilog="Example: sif-pipeline zone add springfield --lea 02810000")
def add(
    name: Annotated[str, typer.Argument(help="Name of the zone: letters, digits, - and _.")],
    lea: Annotated[str, typer.Option("--lea", help="State code of the district.")],
    base: Base = AT_HOME,
) -> None:
    """Make a zone and print its URL, once: agents cannot send a password, so the URL is the secret.

    Only a hash of it is kept. Give the URL to the district over a channel you trust.
    """
    with warehouse() as url, session(url) as connection:
        token = zones.add(connection, name, lea)
    _print_url(base, token)


@zone.command("renew", epilog="Example: sif-pipeline zone renew springfield")
def renew(name: Annotated[str, typer.Argument(help="Name of the zone.")], base: Base = AT_HOME) -> None:
    """Give a zone a new URL and print it, once: for when the old one may have leaked.

    The old URL stops working within seconds. What the zone sent before stays.
    """
    with warehouse() as url, session(url) as connection:
        token = zones.renew(connection, name)
    _print_url(base, token)


def _print_url(base: str, token: str) -> None:
    typer.echo(f"{base.rstrip('/')}/zone/{token}")
