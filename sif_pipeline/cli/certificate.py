"""`sif-pipeline zone certificate` and `zone require`: what proves who an agent is, and whether it must."""

from pathlib import Path
from typing import Annotated

import typer

from sif_pipeline.cli.terminal import FORMATS, one_of, show, warehouse
from sif_pipeline.cli.zone import zone
from sif_pipeline.database import session

certificate = typer.Typer(no_args_is_help=True, help="Client certificates of the agents in a zone.")
zone.add_typer(certificate, name="certificate")

ZoneName = Annotated[str, typer.Argument(help="Name of the zone.")]


@certificate.callback()
def group() -> None:
    """Add, list and revoke the client certificates by which agents are known."""


@certificate.command("add", epilog="Example: sif-pipeline zone certificate add springfield springfield.pem")
def add(
    name: ZoneName,
    file: Annotated[Path, typer.Argument(help="The agent's certificate, in PEM or DER; never its key.")],
    agent: Annotated[str | None, typer.Option(help="SIF_SourceId it is for; any agent of the zone without.")] = None,
) -> None:
    """Let a certificate in: messages sent with it are the zone's, and of the agent if one is named.

    An agent has two while it changes from an old one to a new one. Prints the fingerprint (SHA-256).
    """
    from sif_pipeline.zone import identity  # noqa: PLC0415 -- the other commands start faster without it

    with warehouse() as url, session(url) as connection:
        typer.echo(identity.add(connection, name, file, agent))


@certificate.command("list", epilog="Example: sif-pipeline zone certificate list springfield")
def list_(
    name: Annotated[str | None, typer.Argument(help="Name of the zone; all zones without.")] = None,
    format_: Annotated[str, typer.Option("--format", help="table, csv or json.", callback=one_of(*FORMATS))] = "table",
) -> None:
    """List certificates: whose they are, until when they are valid, and whether they are taken."""
    from sif_pipeline.zone import identity  # noqa: PLC0415

    with warehouse() as url, session(url) as connection:
        show(identity.certificates(connection, name), format_)


@certificate.command("revoke", epilog="Example: sif-pipeline zone certificate revoke springfield 3f1c9a60")
def revoke(
    name: ZoneName,
    fingerprint: Annotated[str, typer.Argument(help="Start of the fingerprint, at least 8 digits.")],
) -> None:
    """Stop taking a certificate, within seconds. What was sent with it stays."""
    from sif_pipeline.zone import identity  # noqa: PLC0415

    with warehouse() as url, session(url) as connection:
        typer.echo(f"revoked {identity.revoke(connection, name, fingerprint)}")


@zone.command("require", epilog="Example: sif-pipeline zone require springfield --authentication 2 --encryption 4")
def require(
    name: ZoneName,
    authentication: Annotated[
        int | None,
        typer.Option(min=0, max=3, help="0 nothing, 1 a certificate, 2 a trusted CA's, 3 and of the host it is on."),
    ] = None,
    encryption: Annotated[
        int | None, typer.Option(min=0, max=4, help="0 nothing, or keys of at least 40, 56, 80, 128 bits.")
    ] = None,
) -> None:
    """Say how secure a zone's connections must be, in the standard's levels; without options, show it.

    From authentication level 1 on, an agent must show one of the certificates added to the zone.
    """
    from sif_pipeline.zone import identity  # noqa: PLC0415

    with warehouse() as url, session(url) as connection:
        levels = identity.require(connection, name, authentication=authentication, encryption=encryption)
    typer.echo(f"authentication {levels[0]}, encryption {levels[1]}")
