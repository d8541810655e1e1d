"""`sif-pipeline agent`: the agents of our zones, and being one ourselves."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sif_pipeline.cli import app
from sif_pipeline.cli.terminal import FORMATS, one_of, show, show_one, warehouse
from sif_pipeline.database import session
from sif_pipeline.sif.naming import counted

if TYPE_CHECKING:
    from sif_pipeline.zone.agents import Standing

agent = typer.Typer(no_args_is_help=True, help="The agents of our zones, and being one ourselves.")
app.add_typer(agent, name="agent")

RIGHTS = ("register", "provide", "subscribe", "publish-add", "publish-change", "publish-delete", "request", "respond")
"""Plain words for the rights of an agent; `access.WORDS` has the standard's."""

ZoneName = Annotated[str, typer.Argument(metavar="ZONE", help="Name of the zone.")]
Source = Annotated[str, typer.Argument(metavar="AGENT", help="SIF_SourceId of the agent.")]
SourceOrAll = Annotated[str, typer.Argument(metavar="AGENT", help="SIF_SourceId; '*' for every agent of the zone.")]
Right = Annotated[str, typer.Argument(metavar="RIGHT", help=f"One of {', '.join(RIGHTS)}.", callback=one_of(*RIGHTS))]
Object = Annotated[str, typer.Argument(metavar="OBJECT", help="SIF object; '*' for every object.")]
Format = Annotated[str, typer.Option("--format", help="table, csv or json.", callback=one_of(*FORMATS))]


@agent.callback()
def group() -> None:
    """Look at the agents of our zones and steer them, or be an agent of a zone that a district runs."""


@agent.command("list", epilog="Example: sif-pipeline agent list springfield --format json")
def list_(
    zone: Annotated[str | None, typer.Argument(metavar="[ZONE]", help="Name of the zone; all zones without.")] = None,
    format_: Format = "table",
) -> None:
    """Show the agents of a zone, or of all: how each stands, and what waits for it."""
    from sif_pipeline.zone import agents  # noqa: PLC0415 -- the other commands start faster without it

    with warehouse() as url, session(url) as connection:
        show(agents.listing(connection, zone), format_, "Agents")


@agent.command("show", epilog="Example: sif-pipeline agent show springfield SIS")
def show_(zone: ZoneName, source_id: Source, format_: Format = "table") -> None:
    """Show what an agent said of itself, what it declared, and what it may do beyond or short of the usual."""
    from sif_pipeline.zone import agents  # noqa: PLC0415

    with warehouse() as url, session(url) as connection:
        found = agents.details(connection, zone, source_id)
    lines = [line for line in found.items() if line[0] not in ("declared", "rights")]
    lines += [line for line in found["declared"].items() if line[1]]
    lines += [("allowed" if right["allowed"] else "denied", _words(right)) for right in found["rights"]]
    show_one(found, lines, format_, f"Agent {source_id}")


def _words(right: dict[str, Any]) -> str:
    return f"{right['right']} {right['object_name']}{' (every agent)' if right['agent'] == '*' else ''}"


@agent.command("rights", epilog="Example: sif-pipeline agent rights springfield")
def rights(zone: ZoneName, format_: Format = "table") -> None:
    """Show every right that was given or taken in a zone, also of agents that have not registered, and of every agent.

    What nobody ruled on is as `agent allow` says.
    """
    from sif_pipeline.zone import agents  # noqa: PLC0415

    with warehouse() as url, session(url) as connection:
        show(agents.rights(connection, zone), format_, f"Rights in zone {zone}")


@agent.command("wake", epilog="Example: sif-pipeline agent wake springfield SIS")
def wake(zone: ZoneName, source_id: Source) -> None:
    """Deliver to an agent again at once, though it sleeps, could not be reached, or holds its events back.

    What SIF_Wakeup of the agent does; for when the agent forgets it.
    """
    from sif_pipeline.zone import agents  # noqa: PLC0415

    with warehouse() as url, session(url) as connection:
        agents.wake(connection, zone, source_id)
    typer.echo(f"Agent {source_id} is awake.")


@agent.command("purge", epilog="Example: sif-pipeline agent purge springfield SIS --yes")
def purge(
    zone: ZoneName,
    source_id: Source,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Take everything off an agent's queue; `queue retry` puts it back, message by message, but for requests.

    A request is over then: who made it is told, and asks again.
    """
    from sif_pipeline.cli.queue import taken  # noqa: PLC0415
    from sif_pipeline.zone import agents, queue  # noqa: PLC0415

    with warehouse() as url:
        with session(url) as connection:
            agents.check(connection, zone, source_id)
            found = queue.waiting_for(connection, zone, source_id)
        if found.messages and not yes:
            typer.confirm(f"Take {taken(found)} the queue of {source_id}?", abort=True)
        with session(url) as connection:
            count = agents.purge(connection, zone, source_id)
    typer.echo(f"{counted(count, 'message')} taken off the queue of {source_id}.")


@agent.command("remove", epilog="Example: sif-pipeline agent remove springfield SIS-OLD --yes")
def remove(
    zone: ZoneName,
    source_id: Source,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking, also where messages wait.")] = False,
) -> None:
    """End an agent's registration, for one that is gone and did not say so: what its SIF_Unregister would do.

    What waits for it is thrown away. Requests it was asked end with 8/4, its own are called off. What it declared
    ends, so that another agent can provide it. What it sent stays. It may register again; `agent deny` keeps it away.
    """
    from sif_pipeline.zone import agents  # noqa: PLC0415

    with warehouse() as url:
        with session(url) as connection:
            found = agents.standing(connection, zone, source_id)
        if found.registered and found.waiting + found.asked and not yes:
            typer.confirm(f"{_ends(found)}: these end. Remove {source_id}?", abort=True)
        ended = agents.remove(url, zone, source_id)
    if ended is None:
        typer.echo(f"Agent {source_id} is not registered in zone {zone}: nothing to end.")
        return
    typer.echo(f"Agent {source_id} is removed from zone {zone}. Ended with it: {_ends(ended)}.")
    typer.echo(f"It may register again; `sif-pipeline agent deny {zone} {source_id} register` keeps it away.")


def _ends(standing: "Standing") -> str:
    return (
        f"{counted(standing.waiting, 'message')} on its queue, {counted(standing.asked, 'request')} it was asked, "
        f"{standing.made} of its own, {counted(standing.declared, 'declaration')}"
    )


@agent.command("allow", epilog="Example: sif-pipeline agent allow springfield LIBRARY subscribe StudentPersonal")
def allow(zone: ZoneName, source_id: SourceOrAll, right: Right, object_name: Object = "*") -> None:
    """Give an agent a right it does not have otherwise.

    Agents may provide, publish and respond with every object the state collects, and read none: subscribe and request
    must be allowed. The closest word counts: on an agent before on every agent, on an object before on every object.
    An agent learns of it with its next SIF_Register or SIF_GetAgentACL. It need not be registered yet.
    """
    from sif_pipeline.zone import access  # noqa: PLC0415

    access.check_object(object_name)
    _rule(zone, source_id, right, object_name, allowed=True)


@agent.command("deny", epilog="Example: sif-pipeline agent deny springfield SIS publish-delete")
def deny(
    zone: ZoneName,
    source_id: SourceOrAll,
    right: Right,
    object_name: Object = "*",
    *,
    as_spelled: Annotated[
        bool, typer.Option("--as-spelled", help="Also an object that SIF does not have and that looks mistyped.")
    ] = False,
) -> None:
    """Take a right from an agent; what it declared by it before ends at once, and nothing more is queued for it.

    An object of the agent's own, which SIF does not have, can be denied.
    """
    from sif_pipeline.zone import access  # noqa: PLC0415

    if not as_spelled:
        access.check_object(object_name, only_mistyped=True)
    _rule(zone, source_id, right, object_name, allowed=False)


def _rule(zone: str, source_id: str, right: str, object_name: str, *, allowed: bool) -> None:
    from sif_pipeline.zone import access, agents  # noqa: PLC0415

    rule = access.Rule(source_id, access.WORDS[right], object_name, allowed)
    with warehouse() as url, session(url) as connection:
        ended = access.set_rule(connection, zone, rule)
        is_there = source_id == access.ANYTHING or agents.is_registered(connection, zone, source_id)
    typer.echo(f"{'Allowed' if allowed else 'Denied'}." + (f" {counted(ended, 'declaration')} ended." if ended else ""))
    if not is_there:
        typer.echo(f"Agent {source_id} is not registered in zone {zone}; this counts once it registers.")
