"""`sif-pipeline request`: the state asks a district, and looks at how far it is answered."""

import time
from dataclasses import asdict, fields
from datetime import timedelta
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import FORMATS, one_of, progress, show, show_one, warehouse
from sif_pipeline.config import Settings
from sif_pipeline.database import session
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.reports import Report, moment
from sif_pipeline.sif.naming import counted
from sif_pipeline.sif.query import EVERYTHING, Where, read_where
from sif_pipeline.state import reconciliation, requests, syncs
from warehouse.outbox import RequestState

AWAITED = ("open",)

STATES = tuple(state.value for state in RequestState)

DRAIN_PATIENCE = 10
"""Seconds after which one is told that only the drain is awaited: perhaps none runs."""


class ObjectFirst(TyperGroup):
    """Takes `request StudentPersonal` for `request ask StudentPersonal`: no object is named like a command."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find the command that is meant."""
        known = bool(args) and (args[0] in self.commands or args[0].startswith("-"))
        return super().resolve_command(ctx, args if known or not args else ["ask", *args])


request = typer.Typer(
    cls=ObjectFirst,
    no_args_is_help=True,
    help="Ask districts, and see how far they answered; `request OBJECT` is short for `request ask OBJECT`.",
)
app.add_typer(request, name="request")

Format = Annotated[str, typer.Option("--format", help="table, csv or json.", callback=one_of(*FORMATS))]
ZoneName = Annotated[str | None, typer.Option("--zone", help="Of this zone only.")]
MsgId = Annotated[str, typer.Argument(help="SIF_MsgId of the request.")]


@request.callback()
def group() -> None:
    """Ask districts for objects; `request StudentPersonal --zone springfield` is short for `request ask ...`."""


@request.command("ask", epilog='Example: sif-pipeline request StudentPersonal --zone north --where "LocalId GE 100"')
def ask(  # noqa: PLR0917 -- the options of one command
    object_name: Annotated[str, typer.Argument(metavar="OBJECT", help="SIF object, such as StudentPersonal.")],
    zone: Annotated[str, typer.Option("--zone", help="Name of the zone.")],
    where: Annotated[
        str | None, typer.Option("--where", help='Conditions, such as "SchoolYear EQ 2027 AND LocalId GE 100".')
    ] = None,
    end_date: Annotated[
        str | None, typer.Option("--end-date", help="Summaries as of this day: adds EndDate EQ 2026-10-01.")
    ] = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="Everything there is, compared with what the state has before it is applied.")
    ] = False,
    hours: Annotated[float, typer.Option(min=0.01, help="Give up after so many hours without an answer.")] = 24,
    wait: Annotated[
        bool,
        typer.Option("--wait", help="Stay until the answer is there; exit code 1 if none comes or its sync fails."),
    ] = False,
) -> None:
    """Send a SIF_Request from SIF-PIPELINE to whoever provides the object in the zone.

    What comes back enters the inbox as any message does. With --sync it is first compared with what the state has:
    `sif-pipeline sync show` tells what was found.
    """
    chosen = _where(where, end_date)
    if sync and chosen.conditions:
        raise typer.BadParameter("--sync asks for everything; leave out --where and --end-date")
    with warehouse() as url:
        msg_id = _ask(url, zone, requests.Question(object_name, chosen, timedelta(hours=hours)), sync=sync)
        if wait:
            _wait(url, msg_id)


def _where(where: str | None, end_date: str | None) -> Where:
    chosen = read_where(where) if where else EVERYTHING
    if end_date is None:
        return chosen
    if chosen.joined == "Or":
        raise typer.BadParameter("--end-date cannot be added to conditions joined by OR")
    day = moment(end_date, Settings.from_environment().timezone).date()
    return chosen._replace(conditions=(*chosen.conditions, requests.until(day)))


def _ask(url: str, zone: str, question: requests.Question, *, sync: bool) -> str:
    if sync:
        made = syncs.ask(url, zone, question.object_name, question.lifetime)
        msg_id, kind = made.request_msg_id, f"Full sync {made.sync_id}"
    else:
        with session(url) as connection:
            msg_id, kind = requests.ask(connection, zone, question), "Request"
    (asked,) = requests.listed(url, msg_ids=[msg_id])
    typer.echo(f"{kind}: {asked.agent} in zone {zone} is asked for {asked.object_name}; SIF_MsgId {msg_id}.")
    return msg_id


def _wait(url: str, msg_id: str) -> None:
    """Stay until a request has ended and its sync, if it is one, was compared; what it needs is done meanwhile."""
    waited = 0
    with progress("Waiting for the answer") as bar:
        while True:
            reconciliation.advance(url)
            (asked,) = requests.listed(url, msg_ids=[msg_id])
            bar.to(asked.packets, None, counted(asked.packets, "packet"))
            if asked.state not in AWAITED and not _is_awaited(url, asked.sync_id):
                break
            time.sleep(1)
            waited += asked.state not in AWAITED
            if waited == DRAIN_PATIENCE:
                typer.echo("The answer is there; it is compared when what came before it is drained.", err=True)
    typer.echo(f"The request is {asked.state} after {counted(asked.packets, 'packet')}{_error(asked)}.")
    sync = None if asked.sync_id is None else syncs.show(url, asked.sync_id)
    if sync is not None:
        typer.echo(words(sync))
    if asked.state != "complete" or (sync is not None and sync.state == "failed"):
        raise typer.Exit(1)


def _is_awaited(url: str, sync_id: int | None) -> bool:
    return sync_id is not None and syncs.show(url, sync_id).state in ("asked", "receiving", "compared")


def _error(asked: requests.Asked) -> str:
    return f": SIF_Error {asked.error}, {asked.meaning}" if asked.error else ""


WAYS_OUT = "`sif-pipeline sync show {0}` lists what differs; `sync accept {0}` applies it, `sync refuse {0}` leaves it."
"""What can be done about a sync that waits."""


def words(sync: syncs.Sync) -> str:
    """Say in a sentence where a full sync stands."""
    found = ""
    if sync.there is not None:
        found = (
            f": {sync.there:,} there and {sync.here or 0:,} here, {sync.missing_here or 0:,} missing here, "
            f"{sync.missing_there or 0:,} missing there, {sync.different or 0:,} different"
        )
    reason = f" {sync.reason}" if sync.reason else ""
    hint = f" {WAYS_OUT.format(sync.sync_id)}" if sync.state == "waiting" else ""
    by = f" by {sync.decided_by}" if sync.decided_by not in (None, "limit") else ""
    kept = ", without deletions" if sync.state == "applied" and not sync.deletes else ""
    return (
        f"Sync {sync.sync_id} of {sync.object_name} in zone {sync.zone} is {sync.state}{by}{kept}{found}.{reason}{hint}"
    )


@request.command("list", epilog="Example: sif-pipeline request list --zone springfield")
def list_(
    zone: ZoneName = None,
    state: Annotated[str | None, typer.Option(help=", ".join(STATES))] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many at most, the newest.")] = 50,
    format_: Format = "table",
) -> None:
    """Show what the state asked, whom, and how far it is answered."""
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"choose one of {', '.join(STATES)}")
    with warehouse() as url:
        found = [_line(one) for one in requests.listed(url, zone=zone, state=state, most=limit)]
    columns = IN_TABLE if format_ == "table" else (*(field.name for field in fields(requests.Asked)), "meaning")
    show(Report(columns, [tuple(one[name] for name in columns) for one in found]), format_, "Requests of the state")


IN_TABLE = (
    "msg_id", "zone", "object_name", "agent", "created_at", "state", "packets", "error", "meaning", "purpose",
    "sync_id",
)  # fmt: skip


def _line(asked: requests.Asked) -> dict[str, Any]:
    return asdict(asked) | {"meaning": asked.meaning}


@request.command("show", epilog="Example: sif-pipeline request show 5C0FFEE5C0FFEE5C0FFEE5C0FFEE5C0F")
def show_(msg_id: MsgId, format_: Format = "table") -> None:
    """Show one request: whether the agent has taken it, and what came in for it."""
    with warehouse() as url:
        found = requests.show(url, msg_id)
    delivery = {f"delivery_{f.name}": getattr(found.delivery, f.name, None) for f in fields(requests.Delivery)}
    received = {"received_packets": found.packets, "received_objects": found.objects, "received_bytes": found.bytes}
    thing = _line(found.request) | delivery | received
    show_one(thing, thing.items(), format_, f"Request {msg_id}")


@request.command("cancel", epilog="Example: sif-pipeline request cancel 5C0FFEE5C0FFEE5C0FFEE5C0FFEE5C0F")
def cancel(msg_id: MsgId) -> None:
    """Call a request off: packets that still come are refused (8/18). Those that came stay."""
    with warehouse() as url:
        if not requests.cancel(url, msg_id):
            state = requests.show(url, msg_id).request.state
            raise ConfigurationError(f"Request {msg_id} is over already: it is {state}.")
        reconciliation.advance(url)
    typer.echo(f"Request {msg_id} is cancelled.")
