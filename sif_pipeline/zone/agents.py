"""The agents of zones as an operator sees and steers them, beside what they say themselves."""

import asyncio
from typing import Any, Final, NamedTuple

import psycopg

from sif_pipeline import zones
from sif_pipeline.database import Connection, queries
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.reports import Report
from sif_pipeline.sif.naming import counted
from sif_pipeline.sif.registration import PROVISION_LISTS
from sif_pipeline.zone import access, provisioning, queue, routing

SQL: Final = {name: query.encode() for name, query in queries("agents").items()}


def listing(connection: Connection, zone: str | None = None) -> Report:
    """List the agents of a zone by its name, or of all zones, with what waits for each. Raise UnknownZone."""
    zones.check(connection, zone)
    return _report(connection, "list", {"zone": zone})


def details(connection: Connection, zone: str, source_id: str) -> dict[str, Any]:
    """Give what an agent said and how it stands; what it `declared`, by list; the `rights` that concern it.

    Raise ConfigurationError when there is no such agent.
    """
    values = {"zone": zone, "source_id": source_id}
    found = _report(connection, "show", values)
    if not found.lines:
        raise _unknown(zone, source_id)
    declared: dict[str, list[str]] = {kind: [] for kind in PROVISION_LISTS}
    declared |= dict(connection.execute(SQL["declared"], values).fetchall())
    rights = [right for right in _rights(connection, zone) if right["agent"] in (source_id, access.ANYTHING)]
    return dict(zip(found.columns, found.lines[0], strict=True)) | {"declared": declared, "rights": rights}


def rights(connection: Connection, zone: str) -> Report:
    """List what was allowed and denied in a zone, '*' standing for every agent or object. Raise UnknownZone."""
    zones.check(connection, zone)
    return Report(RIGHT, [tuple(right.values()) for right in _rights(connection, zone)])


RIGHT: Final = ("agent", "right", "object_name", "allowed")
"""What is told of a right that was given or taken."""


def _rights(connection: Connection, zone: str) -> list[dict[str, Any]]:
    words = {kind: word for word, kind in access.WORDS.items()}
    return [
        dict(zip(RIGHT, (rule.source_id, words.get(rule.kind, rule.kind), *rule[2:]), strict=True))
        for rule in access.rules_in(connection, zone)
    ]


def check(connection: Connection, zone: str, source_id: str) -> None:
    """Raise UnknownZone, or ConfigurationError where a zone has no such agent, nor had one that left."""
    zones.check(connection, zone)
    _key(connection, zone, source_id)


def wake(connection: Connection, zone: str, source_id: str) -> None:
    """Deliver to an agent again at once, though it sleeps, failed or blocks its events. Raise ConfigurationError."""
    key = _key(connection, zone, source_id)
    connection.execute(queue.SQL["wake"], key)
    connection.execute(queue.SQL["unblock"], key)
    _audit(connection, "agent_woken", key)


def purge(connection: Connection, zone: str, source_id: str) -> int:
    """Take everything off an agent's queue and return how much that was. Raise ConfigurationError."""
    key = _key(connection, zone, source_id)
    connection.execute(routing.SQL["open_with"], key)
    count = queue.purge_now(connection, key["zone_id"], source_id, "operator")
    routing.end_dropped_now(connection)
    _audit(connection, "queue_purged", key, counted(count, "message"))
    return count


class Standing(NamedTuple):
    """What ends when an agent's registration does, as counts."""

    zone_id: int
    registered: bool
    waiting: int  #: messages on its queue, requests among them
    asked: int  #: requests it was asked and has not answered to the end
    made: int  #: requests of its own that are not answered to the end
    declared: int  #: objects it declared, for each list


def standing(connection: Connection, zone: str, source_id: str) -> Standing:
    """Tell what would end with an agent's registration. Raise ConfigurationError when there is no such agent."""
    found = connection.execute(SQL["standing"], {"zone": zone, "source_id": source_id}).fetchone()
    if found is None:
        raise _unknown(zone, source_id)
    return Standing(*found)


def is_registered(connection: Connection, zone: str, source_id: str) -> bool:
    """Tell whether an agent is in a zone now."""
    found = connection.execute(SQL["standing"], {"zone": zone, "source_id": source_id}).fetchone()
    return found is not None and Standing(*found).registered


def remove(url: str, zone: str, source_id: str) -> Standing | None:
    """End an agent's registration as its own SIF_Unregister does, and tell what ended; None: it had left already.

    It may register again. Raise ConfigurationError when there is no such agent.
    """
    return asyncio.run(_remove(url, zone, source_id))


async def _remove(url: str, zone: str, source_id: str) -> Standing | None:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        found = await (await connection.execute(SQL["standing"], {"zone": zone, "source_id": source_id})).fetchone()
        if found is None:
            raise _unknown(zone, source_id)
        ended = Standing(*found)
        if not await provisioning.end_registration(connection, ended.zone_id, source_id):
            return None
        asked, declared = counted(ended.asked, "request"), counted(ended.declared, "object")
        detail = f"{counted(ended.waiting, 'message')}, {asked} asked, {ended.made} made, {declared}"
        values = {"event": "agent_removed", "zone_id": ended.zone_id, "source_id": source_id, "detail": detail}
        await connection.execute(SQL["audit"], values)
    return ended


def _key(connection: Connection, zone: str, source_id: str) -> dict[str, Any]:
    found = connection.execute(SQL["key"], {"zone": zone, "source_id": source_id}).fetchone()
    if found is None:
        raise _unknown(zone, source_id)
    return {"zone_id": found[0], "source_id": source_id}


def _unknown(zone: str, source_id: str) -> ConfigurationError:
    return ConfigurationError(f"There is no agent {source_id} in a zone {zone}; `sif-pipeline agent list` lists them.")


def _audit(connection: Connection, event: str, key: dict[str, Any], detail: str = "") -> None:
    connection.execute(SQL["audit"], key | {"event": event, "detail": detail})


def _report(connection: Connection, name: str, values: dict[str, Any]) -> Report:
    found = connection.execute(SQL[name], values)
    return Report(tuple(column.name for column in found.description or ()), found.fetchall())
