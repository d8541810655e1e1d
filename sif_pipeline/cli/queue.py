"""`sif-pipeline queue`: what waits for the agents of our zones."""

from dataclasses import astuple, fields
from typing import Annotated

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import FORMATS, one_of, show, warehouse
from sif_pipeline.database import session
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.reports import Report
from sif_pipeline.sif.naming import counted
from sif_pipeline.zone import agents, routing
from sif_pipeline.zone import queue as queues
from warehouse.outbox import QueueState

queue = typer.Typer(no_args_is_help=True, help="What waits for the agents of our zones.")
app.add_typer(queue, name="queue")

Format = Annotated[str, typer.Option("--format", help="table, csv or json.", callback=one_of(*FORMATS))]
Numbers = Annotated[
    list[int], typer.Argument(metavar="NUMBER...", help="Numbers of messages, as `queue show` has them.")
]
STATES = ("waiting", *(state.value for state in QueueState))


@queue.callback()
def group() -> None:
    """Look at the agents' queues, and take messages off or put them back. What is in a message is never shown."""


@queue.command("list", epilog="Example: sif-pipeline queue list --zone springfield")
def list_(
    zone: Annotated[str | None, typer.Option("--zone", help="Of this zone only.")] = None, format_: Format = "table"
) -> None:
    """Show every agent's queue: how much waits, since when, and what holds it up."""
    with warehouse() as url, session(url) as connection:
        found = queues.queues(connection, zone)
    columns = tuple(field.name for field in fields(queues.Queue))
    show(Report(columns, [astuple(line) for line in found]), format_, "Queues")


@queue.command("show", epilog="Example: sif-pipeline queue show springfield LIBRARY --state dropped")
def show_(
    zone: Annotated[str, typer.Argument(metavar="ZONE", help="Name of the zone.")],
    source_id: Annotated[
        str | None, typer.Argument(metavar="[AGENT]", help="SIF_SourceId; all agents without.")
    ] = None,
    state: Annotated[str, typer.Option(help=", ".join(STATES), callback=one_of(*STATES))] = "waiting",
    limit: Annotated[int, typer.Option(min=1, help="So many at most, the oldest.")] = 100,
    format_: Format = "table",
) -> None:
    """Show the messages of a zone's queues, in the order in which they are delivered."""
    states = queues.WAITING if state == "waiting" else (QueueState(state),)
    with warehouse() as url, session(url) as connection:
        if source_id is not None:
            agents.check(connection, zone, source_id)
        found = queues.messages(connection, zone, source_id, states=states, most=limit)
    columns = tuple(field.name for field in fields(queues.Queued))
    show(Report(columns, [astuple(line) for line in found]), format_, f"Messages, {state}")


@queue.command("retry", epilog="Example: sif-pipeline queue retry 4711 4712")
def retry(numbers: Numbers) -> None:
    """Put dropped messages back in their old place of the queue, with the same SIF_MsgId.

    A request that is over stays away: ask again, by `sif-pipeline request`.
    """
    with warehouse() as url, session(url) as connection:
        count = queues.retry(connection, numbers)
    _said(count, numbers, "put back", "was dropped and can be put back; a request that is over is asked again")


@queue.command("drop", epilog="Example: sif-pipeline queue drop 4711 --yes")
def drop(
    numbers: Numbers, *, yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False
) -> None:
    """Take waiting messages off their queues: for one that its agent chokes on. `queue retry` puts them back.

    But for requests: one that is dropped is over. Who made it is told, and asks again.
    """
    with warehouse() as url:
        with session(url) as connection:
            found = queues.waiting_of(connection, numbers)
        if found.messages and not yes:
            typer.confirm(f"Take {taken(found)} their queues?", abort=True)
        with session(url) as connection:
            count = queues.drop(connection, numbers)
            routing.end_dropped_now(connection)
    _said(count, numbers, "taken off", "waits")


def taken(found: queues.OnQueue) -> str:
    """Say what would be taken off a queue, and what is over with it."""
    ends = f" (with {counted(found.requests, 'request')}, which {'ends' if found.requests == 1 else 'end'})"
    return f"{counted(found.messages, 'message')}{ends if found.requests else ''} off"


def _said(count: int, numbers: list[int], done: str, condition: str) -> None:
    if count:
        typer.echo(f"{counted(count, 'message')} {done}.")
    if others := len(numbers) - count:
        are = "is" if others == 1 else "are"
        raise ConfigurationError(f"{others} of the numbers {are} of no message that {condition}.")
