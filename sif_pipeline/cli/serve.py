"""`sif-pipeline serve`: the zone server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import warehouse
from sif_pipeline.config import Settings
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif.gate import Limits

if TYPE_CHECKING:
    from sif_pipeline.zone.server import Way


@app.command("serve", epilog="Example: sif-pipeline serve --host 0.0.0.0 --port 7443 --certificate s.pem --key s.key")
def serve(  # noqa: PLR0917 -- typer's way
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 7080,
    certificate: Annotated[
        Path | None, typer.Option(help="HTTPS: the server's certificate and its chain, in PEM.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="HTTPS: the certificate's private key, in PEM.")] = None,
    client_ca: Annotated[
        Path | None, typer.Option(help="HTTPS: certificates of the CAs trusted to sign those of agents, in PEM.")
    ] = None,
    behind_tls: Annotated[
        bool, typer.Option("--behind-tls", help="A proxy does HTTPS for agents, and nobody else reaches this port.")
    ] = False,
) -> None:
    """Listen for SIF messages from agents until stopped; a message is stored before it is acknowledged.

    With a certificate it listens for HTTPS only. New certificate files are taken up while it runs.
    """
    from sif_pipeline.zone import server  # noqa: PLC0415 -- the other commands start faster without it

    way = _way(certificate, key, client_ca, behind_tls)
    limits = Limits(size=Settings.from_environment().max_message_bytes)
    with warehouse(stays=True) as url:
        server.serve(url, host, port, limits=limits, way=way)


def _way(certificate: Path | None, key: Path | None, client_ca: Path | None, behind_tls: bool) -> "Way":
    from sif_pipeline.zone import server, tls  # noqa: PLC0415

    if certificate is None or key is None:
        if certificate or key or client_ca:
            raise ConfigurationError("HTTPS needs --certificate and --key; give both, or neither for plain HTTP.")
        return server.Way(behind_tls=behind_tls)
    return server.Way(tls.ServerTls(tls.Files(certificate, key, client_ca)), behind_tls)
