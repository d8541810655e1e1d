"""`sif-pipeline agent run`: the pipeline as an agent of a zone that a district runs itself."""

import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sif_pipeline.cli.agent import agent
from sif_pipeline.cli.terminal import warehouse
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.naming import counted
from warehouse.base import objects

if TYPE_CHECKING:
    from sif_pipeline.agent.listener import Address


@agent.command(
    "run", epilog="Example: sif-pipeline agent run --zone springfield --url https://zis.example.org/zone --pull"
)
def run(
    *,
    zone: Annotated[str, typer.Option("--zone", help="Our zone that takes the messages in.")],
    url: Annotated[str, typer.Option("--url", help="URL of the zone to join.", envvar="SIF_AGENT_URL")],
    source_id: Annotated[str, typer.Option("--source-id", help="Our SIF_SourceId in the zone to join.")] = SOURCE_ID,
    pull: Annotated[bool, typer.Option("--pull/--push", help="Fetch messages, or have them posted here.")] = True,
    listen: Annotated[str, typer.Option("--listen", help="With --push: host:port to listen on.")] = "127.0.0.1:7081",
    push_url: Annotated[
        str, typer.Option("--push-url", help="With --push: how the zone reaches it, where that is another address.")
    ] = "",
    names: Annotated[str, typer.Option("--objects", help="Objects to subscribe to, by commas; default all.")] = "",
    requests: Annotated[str, typer.Option("--request", help="Objects to ask for in full, by commas; or all.")] = "",
    again: Annotated[
        bool, typer.Option("--again", help="With --request: ask also for what was answered in full before.")
    ] = False,
    every: Annotated[float, typer.Option("--every", min=0.1, help="Seconds between two looks at the zone.")] = 30.0,
    certificate: Annotated[
        Path | None, typer.Option("--client-cert", exists=True, help="Our certificate, PEM; for --push our port's too.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--client-key", exists=True, help="Its private key, PEM.")] = None,
    callers: Annotated[
        Path | None,
        typer.Option("--listen-ca", exists=True, help="With --push: the zone must show a certificate these vouch for."),
    ] = None,
    authorities: Annotated[
        Path | None, typer.Option("--ca", exists=True, help="Who vouches for the zone's certificate, PEM.")
    ] = None,
) -> None:
    """Join a zone that a district runs, and take what it delivers into our inbox, until stopped.

    A message is stored before it is acknowledged. The zone's own URL is a secret where it holds a token; give it as
    SIF_AGENT_URL to keep it out of the list of processes.
    """
    from sif_pipeline.agent import joining  # noqa: PLC0415 -- the other commands start faster without it
    from sif_pipeline.agent.client import Line  # noqa: PLC0415
    from sif_pipeline.zone.server import log_to_stderr  # noqa: PLC0415

    log_to_stderr()
    wanted = joining.Joining(
        zone,
        Line(url, certificate, key, authorities, patience=10.0),
        source_id,
        None if pull else _address(listen, certificate, key, callers),
        push_url,
        _names(names) or tuple(objects()),
        tuple(objects()) if requests == "all" else _names(requests),
        again=again,
        period=every,
    )
    with warehouse(stays=True) as database:
        taken = joining.run(database, wanted, _stopped())
    typer.echo(f"{counted(taken, 'message')} taken in.")


def _address(listen: str, certificate: Path | None, key: Path | None, callers: Path | None) -> "Address":
    from sif_pipeline.agent.listener import Address  # noqa: PLC0415

    host, _, port = listen.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter("give host:port, such as 0.0.0.0:7081", param_hint="--listen")
    if callers and not certificate:
        raise typer.BadParameter(
            "give --client-cert too: callers show certificates over HTTPS only", param_hint="--listen-ca"
        )
    return Address(host.strip("[]"), int(port), certificate, key, callers)


def _names(text: str) -> tuple[str, ...]:
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    if unknown := [name for name in found if name not in objects()]:
        raise typer.BadParameter(f"not declared: {', '.join(unknown)}; docs/reference lists the objects")
    return found


def _stopped() -> threading.Event:
    """Make the event that SIGTERM and SIGINT set."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
