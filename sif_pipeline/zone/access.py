"""Who may do what with which objects: the access control list of each agent of a zone.

Unless told otherwise an agent may provide, publish and respond with every object the state collects, and may neither
subscribe nor request: districts send, and nobody reads but the state. What concerns the agent alone it may have: its
SIF_LogEntry, SIF_ZoneStatus and SIF_AgentACL. Exceptions are rules in inbox.access, for one agent or all, one object
or all; the closest rule counts.
"""

from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

import psycopg
from psycopg.rows import class_row

from sif_pipeline.database import queries
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.sif.acks import ACCESS_LISTS
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.messages import Message
from sif_pipeline.sif.naming import in_words, of_the_standard
from sif_pipeline.sif.registration import PROVISION_LISTS, Provided
from sif_pipeline.zone.storing import PUBLISHES, Connection, published
from sif_pipeline.zones import Zone
from warehouse.base import objects

SQL: Final = {name: query.encode() for name, query in queries("access").items()}

ANYTHING: Final = "*"
"""Every agent, or every object, in a rule."""

REGISTER: Final = "SIF_Register"
"""The kind of rule that says who may register; no list of SIF_AgentACL, and open to everyone unless told otherwise."""

ACCESS_OF: Final = dict(zip(PROVISION_LISTS, ACCESS_LISTS, strict=True))
"""The access list that each list of SIF_Provision is held against."""

READING: Final = frozenset({"SIF_SubscribeAccess", "SIF_RequestAccess"})
"""What no agent may do unless told otherwise: get to see others' data."""

OF_THE_ZONE: Final = {
    "SIF_LogEntry": frozenset({"SIF_ProvideAccess", "SIF_SubscribeAccess", "SIF_PublishAddAccess"}),
    "SIF_ZoneStatus": frozenset({"SIF_RequestAccess"}),
    "SIF_AgentACL": frozenset({"SIF_RequestAccess"}),
}
"""What every agent may do with the objects of the zone itself; no agent gets those of another."""

REFUSALS: Final[dict[str, Callable[[str], Refused]]] = {
    REGISTER: lambda _: Refused(4, 2, "The state does not let this agent register; ask the state to allow it."),
    "SIF_ProvideAccess": lambda named: Refused(
        4, 3, f"The agent may not provide {named}; SIF_GetAgentACL lists what it may."
    ),
    "SIF_SubscribeAccess": lambda named: Refused(
        4, 4, f"The agent may not subscribe to {named}; SIF_GetAgentACL lists what it may."
    ),
    "SIF_RequestAccess": lambda named: Refused(
        4, 5, f"The agent may not request {named}; SIF_GetAgentACL lists what it may."
    ),
    "SIF_RespondAccess": lambda named: Refused(
        4, 6, f"The agent may not respond with {named}; SIF_GetAgentACL lists what it may."
    ),
    "SIF_PublishAddAccess": lambda named: Refused(
        4, 10, f"The agent may not publish Add of {named}; SIF_GetAgentACL lists what it may."
    ),
    "SIF_PublishChangeAccess": lambda named: Refused(
        4, 11, f"The agent may not publish Change of {named}; SIF_GetAgentACL lists what it may."
    ),
    "SIF_PublishDeleteAccess": lambda named: Refused(
        4, 12, f"The agent may not publish Delete of {named}; SIF_GetAgentACL lists what it may."
    ),
    "SIF_ProvideService": lambda _: Refused(4, 15, "This zone has no zone services; provision objects only."),
    "SIF_RespondService": lambda _: Refused(4, 15, "This zone has no zone services; provision objects only."),
    "SIF_RequestService": lambda _: Refused(4, 14, "This zone has no zone services; provision objects only."),
    "SIF_SubscribeService": lambda _: Refused(4, 13, "This zone has no zone services; provision objects only."),
}
"""What is answered to who lacks a right, by the kind of right, from the words for the objects it is about."""

WORDS: Final = {
    "register": REGISTER,
    "provide": "SIF_ProvideAccess",
    "subscribe": "SIF_SubscribeAccess",
    "publish-add": "SIF_PublishAddAccess",
    "publish-change": "SIF_PublishChangeAccess",
    "publish-delete": "SIF_PublishDeleteAccess",
    "request": "SIF_RequestAccess",
    "respond": "SIF_RespondAccess",
}
"""Plain words for the kinds of rights, for people."""


class Rule(NamedTuple):
    """One exception to what agents may do unless told otherwise."""

    source_id: str  #: SIF_SourceId, or ANYTHING
    kind: str  #: one of WORDS' values
    object_name: str  #: SIF object, or ANYTHING
    allowed: bool


def may(rules: Iterable[Rule], kind: str, object_name: str) -> bool:
    """Judge by the rules that concern one agent: its own before everybody's, one object's before every object's."""
    ruled = _ruled(rules, kind, object_name)
    if ruled is not None:
        return ruled
    if kind in OF_THE_ZONE.get(object_name, ()):
        return True
    return kind == REGISTER or (kind in ACCESS_LISTS and kind not in READING and object_name in objects())


def may_publish(rules: Iterable[Rule], kind: str, object_name: str) -> bool:
    """Judge an event: what nobody ruled on is let in; an object the state does not collect becomes a finding."""
    return _ruled(rules, kind, object_name) is not False


def _ruled(rules: Iterable[Rule], kind: str, object_name: str) -> bool | None:
    found = [rule for rule in rules if rule.kind == kind and rule.object_name in (object_name, ANYTHING)]
    closest = max(found, key=lambda rule: (rule.source_id != ANYTHING, rule.object_name != ANYTHING), default=None)
    return closest.allowed if closest else None


def rights(rules: Sequence[Rule]) -> dict[str, list[str]]:
    """List the objects of each access list of an agent: of those declared, the zone's own, and those ruled on."""
    named = (rule.object_name for rule in rules if rule.object_name != ANYTHING)
    names = list(dict.fromkeys((*objects(), *OF_THE_ZONE, *named)))
    return {kind: [name for name in names if may(rules, kind, name)] for kind in ACCESS_LISTS}


async def rules_of(connection: Connection, zone: Zone, source_id: str) -> list[Rule]:
    """Read the rules that concern an agent."""
    values = {"zone_id": zone.zone_id, "source_id": source_id}
    async with connection.cursor(row_factory=class_row(Rule)) as cursor:
        await cursor.execute(SQL["rules_of"], values)
        return await cursor.fetchall()


async def provision_refusal(connection: Connection, zone: Zone, message: Message) -> Refused | None:
    """Hold what a message declares against the sender's rights; the first kind of right that is missing refuses it.

    All objects of that kind are named, so that the sender need not find them one by one.
    """
    rules = await rules_of(connection, zone, message.source_id)
    missing = [provided for provided in message.provided if not may(rules, _right(provided), provided.object_name)]
    if not missing:
        return None
    kind = missing[0].kind
    listed = [provided.object_name for provided in message.provided if provided.kind == kind]
    named = in_words((provided.object_name for provided in missing if provided.kind == kind), listed)
    return REFUSALS[_right(missing[0])](named)


def _right(provided: Provided) -> str:
    return ACCESS_OF.get(provided.kind, provided.kind)


async def event_refusal(connection: Connection, zone: Zone, message: Message) -> Refused | None:
    """Hold the events of a message against the sender's rights to publish."""
    rules = await rules_of(connection, zone, message.source_id)
    wanted = ((PUBLISHES[action], name) for name, action in published(message) if action in PUBLISHES)
    denied = [(kind, name) for kind, name in wanted if not may_publish(rules, kind, name)]
    return REFUSALS[denied[0][0]](in_words(name for kind, name in denied if kind == denied[0][0])) if denied else None


async def response_refusal(connection: Connection, zone: Zone, message: Message) -> Refused | None:
    """Hold the objects of a SIF_Response against the sender's right to respond with them."""
    names = message.response.object_names if message.response else ()
    rules = await rules_of(connection, zone, message.source_id)
    denied = [name for name in names if _ruled(rules, "SIF_RespondAccess", name) is False]
    return REFUSALS["SIF_RespondAccess"](in_words(denied)) if denied else None


async def refusal(
    connection: Connection, zone: Zone, source_id: str, kind: str, object_names: Iterable[str]
) -> Refused | None:
    """Hold one kind of right for some objects against an agent's rights, such as SIF_RequestAccess."""
    rules = await rules_of(connection, zone, source_id)
    missing = [name for name in object_names if not may(rules, kind, name)]
    return REFUSALS[kind](in_words(missing)) if missing else None


def check_object(object_name: str, *, only_mistyped: bool = False) -> None:
    """Raise ConfigurationError for a name that is neither of the standard nor of the state, with those that are near.

    With `only_mistyped` one that is near none is well: an agent may send objects of its own, and that can be denied.
    """
    known = of_the_standard() | set(objects()) | set(OF_THE_ZONE)
    near = " or ".join(get_close_matches(object_name, sorted(known), cutoff=0.8))
    if object_name == ANYTHING or object_name in known or (only_mistyped and not near):
        return
    way_out = f"perhaps {near}" if near else "check the spelling, or leave the object out for every object"
    raise ConfigurationError(f"SIF US has no object {object_name}; {way_out}.")


def set_rule(connection: psycopg.Connection[Any], zone: str, rule: Rule) -> int:
    """Allow or deny from now on, and return how many declarations of agents ended by that.

    Raise UnknownZone. An agent that declared before what it may no longer do is not told; it sees it at its next try.
    """
    if not connection.execute(SQL["set"], {"zone": zone} | rule._asdict()).rowcount:
        raise UnknownZone
    rules = rules_in(connection, zone)
    declared = connection.execute(SQL["declared"], {"zone": zone}).fetchall()
    ended = [row for row in declared if not _may_declare(rules, *row)]
    for source_id, kind, object_name in ended:
        values = {"zone": zone, "source_id": source_id, "kind": kind, "object_name": object_name}
        connection.execute(SQL["undeclare"], values)
    return len(ended)


def _may_declare(rules: Iterable[Rule], source_id: str, kind: str, object_name: str) -> bool:
    own = [rule for rule in rules if rule.source_id in (source_id, ANYTHING)]
    return may(own, ACCESS_OF.get(kind, kind), object_name)


def rules_in(connection: psycopg.Connection[Any], zone: str) -> list[Rule]:
    """List the rules of a zone by its name."""
    with connection.cursor(row_factory=class_row(Rule)) as cursor:
        return cursor.execute(SQL["rules_in"], {"zone": zone}).fetchall()
