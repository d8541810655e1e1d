"""`sif-pipeline zone`: the districts' connections."""

from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from sif_pipeline import zones
from sif_pipeline.cli import app
from sif_pipeline.cli.tables import local
from sif_pipeline.cli.terminal import FORMATS, one_of, show, show_one, warehouse
from sif_pipeline.database import session
from sif_pipeline.exceptions import ConfigurationError

zone = typer.Typer(no_args_is_help=True, help="The districts' connections.")
app.add_typer(zone, name="zone")


def _http(base: str) -> str:
    """Take the address agents are to use; typer prints the sentence for any other."""
    url = urlsplit(base)
    if url.scheme not in ("http", "https") or not url.netloc or url.query or url.fragment:
        raise typer.BadParameter(
            "give an address that begins with http:// or https://, such as https://sif.example.org"
        )
    return base


Name = Annotated[str, typer.Argument(help="Name of the zone.")]
Base = Annotated[
    str,
    typer.Option(
        "--url",
        envvar="SIF_ZONE_URL",
        show_envvar=False,
        callback=_http,
        help="Address under which agents reach the server; SIF_ZONE_URL says it once and for all.",
    ),
]
Format = Annotated[str, typer.Option("--format", help="table, csv or json.", callback=one_of(*FORMATS))]
AT_HOME = "http://127.0.0.1:7080"


@zone.callback()
def group() -> None:
    """Add connections for districts, look at them, change and suspend them, and give them new URLs."""


@zone.command("add", epilog="Example: sif-pipeline zone add springfield --lea 02810000 --url https://sif.example.org")
def add(
    name: Annotated[str, typer.Argument(help="Name of the zone: letters, digits, - and _.")],
    lea: Annotated[str, typer.Option("--lea", help="State code of the district.")],
    base: Base = AT_HOME,
    *,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="For trials: what arrives is answered as ever, kept, and never loaded.")
    ] = False,
) -> None:
    """Make a zone and print its URL, once: agents cannot send a password, so the URL is the secret.

    Only a hash of it is kept. Give the URL to the district over a channel you trust.
    """
    with warehouse() as url, session(url) as connection:
        token = zones.add(connection, name, lea, is_sandbox=sandbox)
    _print_url(base, token)


@zone.command("list", epilog="Example: sif-pipeline zone list --format json")
def list_(format_: Format = "table") -> None:
    """Show every zone: its district, how it stands, how many agents are in it and what waits for them."""
    with warehouse() as url, session(url) as connection:
        show(zones.listing(connection), format_, "Zones")


@zone.command("show", epilog="Example: sif-pipeline zone show springfield")
def show_(name: Name, format_: Format = "table") -> None:
    """Show every setting of a zone, and what the latest messages that it refused were refused for.

    `zone set` changes the district, solicited_only and log_entries; `zone require` the levels of security;
    `sync schedule` the time of the sync and its limit.
    """
    with warehouse() as url, session(url) as connection:
        found = zones.details(connection, name)
    lines = [line for line in found.items() if line[0] != "refused"]
    lines += [("refused", _words(refusal)) for refusal in found["refused"]]
    show_one(found, lines, format_, f"Zone {name}")


def _words(refusal: dict[str, Any]) -> str:
    often = f", {refusal['times']} times" if refusal["times"] > 1 else ""
    sender = refusal["agent"] or "unreadable sender"
    return f"{local(refusal['last_at'])} {sender} {refusal['error']}{often}: {refusal['sentence']}"


@zone.command("refusals", epilog="Example: sif-pipeline zone refusals springfield --agent SIS")
def refusals(
    name: Name,
    agent: Annotated[str | None, typer.Option("--agent", help="Of this SIF_SourceId only; '' if unreadable.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many at most, the latest.")] = 100,
    format_: Format = "table",
) -> None:
    """Show what messages and files of a zone were refused for: a line for each sender, error and sentence.

    The latest is first. Sentences that differ in numbers only are one, and of one error the latest twenty are kept.
    What was in a message is never shown, nor kept.
    """
    with warehouse() as url, session(url) as connection:
        show(zones.refusals(connection, name, agent, limit), format_, f"Refused in zone {name}")


@zone.command("rotate", epilog="Example: sif-pipeline zone rotate springfield --url https://sif.example.org")
def rotate(name: Name, base: Base = AT_HOME) -> None:
    """Give a zone a new URL and print it, once: for when the old one may have leaked.

    The old URL stops working within seconds. What the zone sent before stays, and so do its agents' queues. The address
    is not remembered: without SIF_ZONE_URL, give the --url that `zone add` was given, or the URL printed is one of
    this machine.
    """
    with warehouse() as url, session(url) as connection:
        token = zones.rotate(connection, name)
    _print_url(base, token)


@zone.command("renew", hidden=True, epilog="Example: sif-pipeline zone renew springfield")
def renew(name: Name, base: Base = AT_HOME) -> None:
    """Do what `zone rotate` does, under its former name."""
    rotate(name, base)


@zone.command("suspend", epilog="Example: sif-pipeline zone suspend springfield")
def suspend(name: Name) -> None:
    """Let a zone take and give nothing, within seconds, until it is resumed.

    Agents are answered with SIF_Error 10/1 and keep what they have; pings are told that the zone sleeps. Nothing that
    waits is lost.
    """
    with warehouse() as url, session(url) as connection:
        zones.suspend(connection, name)
    typer.echo(f"Zone {name} is suspended; `sif-pipeline zone resume {name}` ends that.")


@zone.command("resume", epilog="Example: sif-pipeline zone resume springfield")
def resume(name: Name) -> None:
    """End a zone's suspension: it takes messages within seconds, and what waits is delivered."""
    with warehouse() as url, session(url) as connection:
        zones.resume(connection, name)
    typer.echo(f"Zone {name} is open.")


@zone.command("set", epilog="Example: sif-pipeline zone set springfield --solicited-only --no-log-entries")
def set_(
    name: Name,
    *,
    lea: Annotated[str | None, typer.Option("--lea", help="State code of the district.")] = None,
    solicited_only: Annotated[
        bool | None,
        typer.Option("--solicited-only/--any-response", help="Refuse SIF_Responses nobody asked for, or take them in."),
    ] = None,
    log_entries: Annotated[
        bool | None,
        typer.Option("--log-entries/--no-log-entries", help="Tell agents of findings by SIF_LogEntry, or do not."),
    ] = None,
) -> None:
    """Change settings of a zone; what is not named stays. `zone show` shows them all."""
    if lea is None and solicited_only is None and log_entries is None:
        raise ConfigurationError("Nothing to change; `sif-pipeline zone set --help` lists the settings.")
    with warehouse() as url, session(url) as connection:
        zones.change(connection, name, lea_code=lea, solicited_only=solicited_only, log_entries=log_entries)
    typer.echo(f"Zone {name} is changed; `sif-pipeline zone show {name}` shows it.")


def _print_url(base: str, token: str) -> None:
    typer.echo(f"{base.rstrip('/')}/zone/{token}")
