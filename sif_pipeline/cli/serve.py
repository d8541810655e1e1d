"""`sif-pipeline serve`: the zone server."""

from typing import Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import warehouse
from sif_pipeline.config import Settings
from sif_pipeline.sif.gate import Limits


@app.command("serve", epilog="Example: sif-pipeline serve --host 0.0.0.0 --port 7080")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 7080,
) -> None:
    """Listen for SIF messages from agents until stopped; a message is stored before it is acknowledged."""
    from sif_pipeline.zone import server  # noqa: PLC0415 -- the other commands start faster without it

    limits = Limits(size=Settings.from_environment().max_message_bytes)
    with warehouse(stays=True) as url:
        server.serve(url, host, port, limits=limits)
