"""Agents coming, going, and declaring what they do: SIF_Register, SIF_Provision and their kin.

Each message is stored and carried out in one transaction, or neither: what is refused leaves no trace but the answer,
and the same message may come again. One that was carried out before is not carried out again.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

from sif_pipeline.database import queries
from sif_pipeline.sif import acks
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.messages import Message
from sif_pipeline.sif.naming import in_words
from sif_pipeline.sif.registration import Registration
from sif_pipeline.sif.releases import spoken_with
from sif_pipeline.zone import access, queue, routing
from sif_pipeline.zone.storing import Connection, Incoming, Outcome, audit, store
from sif_pipeline.zones import Zone
from warehouse.inbox import MessageState

SQL: Final = {name: query.encode() for name, query in queries("provisioning").items()}

SMALLEST_BUFFER: Final = 2048
"""Least SIF_MaxBufferSize of an agent, bytes: a SIF_LogEntry that stands for what is too large must fit."""

LARGEST_BUFFER: Final = 2**32 - 1
"""What SIF_MaxBufferSize can say at most (an xs:unsignedInt); who says more means as much."""

LONGEST_URL: Final = 256
"""Characters of a SIF_URL (2.6 schema)."""

DECLARING: Final = 7441
"""First key of the advisory lock of the agent that declares in a zone; the second is the zone."""

Act = Callable[[Connection, Zone, Message], Awaitable[None]]


async def carry_out(connection: Connection, zone: Zone, incoming: Incoming, message: Message) -> Outcome:
    """Do what a message about the agent itself says, all of it or nothing.

    The ack to a registration holds the ACL, also when it came again: the first ack may have been lost.
    """
    try:
        async with connection.transaction():
            outcome = await store(connection, zone, incoming, message, MessageState.DONE)
            if outcome is acks.STORED:
                await ACTS[message.message_type](connection, zone, message)
    except Refused as refused:
        return refused
    if isinstance(outcome, acks.Status) and message.message_type == "SIF_Register":
        rules = await access.rules_of(connection, zone, message.source_id)
        return acks.Status(outcome.code, acks.agent_acl(access.rights(rules)))
    return outcome


async def _register(connection: Connection, zone: Zone, message: Message) -> None:
    """Write down who the agent is; it is awake again, and what it blocked is delivered (standard, SIF_Register)."""
    said = message.registration or Registration()
    check_registration(zone, message.source_id, said)
    refused = await access.refusal(connection, zone, message.source_id, access.REGISTER, [access.ANYTHING])
    if refused is not None:
        raise refused
    row = _agent(zone, message) | _said(message, said)
    await _audit_redirection(connection, zone, message.source_id, (row["mode"], row["push_url"]))
    await connection.execute(SQL["register"], row)
    await queue.wake(connection, zone.zone_id, message.source_id)
    await queue.unblock(connection, zone.zone_id, message.source_id)


async def _audit_redirection(connection: Connection, zone: Zone, source_id: str, after: tuple[str, str | None]) -> None:
    """Audit that an agent is reached another way from now on.

    Where certificates are not asked for, who has the URL of the zone can say so in any agent's name.
    """
    values = {"zone_id": zone.zone_id, "source_id": source_id}
    before = await (await connection.execute(SQL["way"], values)).fetchone()
    if before is not None and before != after:
        detail = f"{_way(*before)} to {_way(*after)}"
        await audit(connection, "agent_redirected", zone=zone, source_id=source_id, detail=detail)


def _way(mode: str, push_url: str | None) -> str:
    """Say how an agent is reached; the rest of its SIF_URL may be its secret."""
    url = urlsplit(push_url or "")
    return f"{mode} by {url.scheme} to {url.hostname}" if push_url else mode


def check_registration(zone: Zone, source_id: str, said: Registration) -> None:
    """Raise Refused for an agent that this zone cannot work with, with the standard's code for the reason."""
    if source_id == SOURCE_ID:
        raise Refused(5, 2, "This SIF_SourceId is the zone's own; register under another one.")
    if not said.versions:
        raise Refused(1, 6, "SIF_Register has no SIF_Version; say which releases the agent reads, such as 2.6.")
    if spoken_with(said.versions) is None:
        raise Refused(5, 4, "This zone speaks SIF 2.0 to 2.8; register with one of these versions.")
    if said.max_buffer_size is None:
        raise Refused(1, 4, "SIF_MaxBufferSize is missing or no number; give the bytes of the largest message taken.")
    if said.max_buffer_size < SMALLEST_BUFFER:
        raise Refused(5, 6, f"SIF_MaxBufferSize is below {SMALLEST_BUFFER} bytes; set the agent to take larger ones.")
    if said.mode not in ("Push", "Pull"):
        raise Refused(1, 4, "SIF_Mode must be Push or Pull; say which.")
    if said.mode == "Push":
        _check_push(zone, said)


def _check_push(zone: Zone, said: Registration) -> None:
    if len(said.push_url or "") > LONGEST_URL:
        raise Refused(5, 3, f"SIF_URL is longer than {LONGEST_URL} characters; register a shorter address.")
    scheme = _scheme(said.push_url or "")
    if scheme not in ("http", "https"):
        raise Refused(
            5, 3, "An agent in push mode gives an http or https SIF_URL in SIF_Protocol; this zone knows both."
        )
    if zone.asks_security and scheme != "https":
        raise Refused(5, 7, "This zone sends by HTTPS only; register an https SIF_URL, or for pull.")
    if said.accept_encoding is not None and not _takes_ours(said.accept_encoding):
        raise Refused(5, 10, "This zone sends plain or gzip; name one of them in the property Accept-Encoding.")


def _scheme(push_url: str) -> str | None:
    """Read the scheme of a SIF_URL; None for what is no address."""
    try:
        url = urlsplit(push_url)
        is_address = bool(url.hostname) and url.port != 0
    except ValueError:  # it holds the address
        return None
    return url.scheme if is_address else None


def _takes_ours(accept_encoding: str) -> bool:
    """Read Accept-Encoding as HTTP does: what is not named is what * says, and plain is taken unless denied."""
    weights = _weights(accept_encoding)
    return weights.get("gzip", weights.get("*", 0)) > 0 or weights.get("identity", weights.get("*", 1)) > 0


def _takes_gzip(accept_encoding: str | None) -> bool:
    weights = _weights(accept_encoding or "")
    return max(weights.get("gzip", 0), weights.get("x-gzip", 0)) > 0


def _weights(accept_encoding: str) -> dict[str, float]:
    """Read the encodings and their weights; what is no weight counts as full."""
    found = {}
    for part in accept_encoding.lower().split(","):
        name, _, parameter = (text.strip() for text in part.partition(";"))
        weight = re.fullmatch(r"q\s*=\s*([01](?:\.[0-9]{0,3})?)", parameter)
        found[name] = float(weight[1]) if weight else 1.0
    return {name: weight for name, weight in found.items() if name}


_VERSION = re.compile(r"\*|[0-9]{1,2}\.(\*|[0-9]{1,2}(r(\*|[0-9]{1,2}))?)")
_MOST_VERSIONS = 64


def _said(message: Message, said: Registration) -> dict[str, Any]:
    """Give what is remembered of a registration, in the lengths of the schema."""
    is_push = said.mode == "Push"
    return {
        "sif_version": message.version,
        "name": said.name and said.name[:64],
        "versions": [version for version in said.versions if _VERSION.fullmatch(version)][:_MOST_VERSIONS],
        "mode": said.mode,
        "max_buffer_size": min(said.max_buffer_size or 0, LARGEST_BUFFER),
        "push_url": said.push_url if is_push else None,
        "secure": (said.push_url or "").startswith("https:") if is_push else None,
        "accepts_gzip": _takes_gzip(said.accept_encoding),
        "takes_bundles": said.takes_bundles,
        "vendor": said.vendor and said.vendor[:289],
        "application": said.application and said.application[:289],
    }


async def _unregister(connection: Connection, zone: Zone, message: Message) -> None:
    await end_registration(connection, zone.zone_id, message.source_id)


async def end_registration(connection: Connection, zone_id: int, source_id: str) -> bool:
    """Let an agent go: what it declared and what waits for it is given up, what it sent stays. False: it had left.

    In the caller's transaction.
    """
    values = {"zone_id": zone_id, "source_id": source_id}
    if await (await connection.execute(SQL["unregister"], values)).fetchone() is None:
        return False
    await routing.leave(connection, zone_id, source_id)
    await connection.execute(SQL["withdraw_all"], values)
    return True


async def _provision(connection: Connection, zone: Zone, message: Message) -> None:
    """Replace everything the agent declared before, or nothing of it."""
    await _check(connection, zone, message)
    await connection.execute(SQL["withdraw_all"], _agent(zone, message))
    await connection.execute(SQL["provide"], _named(zone, message))


async def _provide(connection: Connection, zone: Zone, message: Message) -> None:
    _check_names_any(message)
    await _check(connection, zone, message)
    await connection.execute(SQL["provide"], _named(zone, message))


async def _withdraw(connection: Connection, zone: Zone, message: Message) -> None:
    """Take objects off a list; one that is not on it is off already."""
    _check_names_any(message)
    await connection.execute(SQL["withdraw"], _named(zone, message))


def _check_names_any(message: Message) -> None:
    if not message.provided:
        raise Refused(
            7 if "ubscribe" in message.message_type else 6, 3, "The message names no object; say which in SIF_Object."
        )


async def _check(connection: Connection, zone: Zone, message: Message) -> None:
    """Raise Refused where a right is missing or another agent provides an object already; it names the objects."""
    if (refused := await access.provision_refusal(connection, zone, message)) is not None:
        raise refused
    provided = [name for kind, name in message.provided if kind == "SIF_ProvideObjects"]
    if not provided:
        return
    await connection.execute(SQL["one_at_a_time"], {"lock": DECLARING, "zone_id": zone.zone_id})
    values = _agent(zone, message) | {"object_names": provided}
    if taken := [name async for (name,) in await connection.execute(SQL["provided_by_others"], values)]:
        raise Refused(6, 4, f"Another agent of the zone provides {in_words(taken)}; of an object only one can.")


def _agent(zone: Zone, message: Message) -> dict[str, Any]:
    return {"zone_id": zone.zone_id, "source_id": message.source_id}


def _named(zone: Zone, message: Message) -> dict[str, Any]:
    return _agent(zone, message) | {
        "kinds": [provided.kind for provided in message.provided],
        "object_names": [provided.object_name for provided in message.provided],
    }


ACTS: Final[dict[str, Act]] = {
    "SIF_Register": _register,
    "SIF_Unregister": _unregister,
    "SIF_Provision": _provision,
    "SIF_Provide": _provide,
    "SIF_Unprovide": _withdraw,
    "SIF_Subscribe": _provide,
    "SIF_Unsubscribe": _withdraw,
}
"""What is done for each message about the agent itself."""
