"""Joining a zone that somebody else runs: register, declare, ask, and take in what comes, until told to stop.

Whichever side restarts, the other goes on: the agent registers again when the zone has forgotten it, asks again only
for what was not answered to the end, and acknowledges nothing that is not committed.
"""

import logging
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg
from lxml import etree
from psycopg_pool import ConnectionPool

from sif_pipeline.agent.agent import Agent
from sif_pipeline.agent.answers import Answer, Delivered, read_delivered
from sif_pipeline.agent.client import Line, ZoneRefuses, ZoneSilent
from sif_pipeline.agent.intake import SQL, Outcome, Pool, take, zone_facts
from sif_pipeline.agent.kit import PLAIN, Kit
from sif_pipeline.agent.listener import Address, listening
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.elements import SIF, local
from sif_pipeline.sif.query import ANY_2
from sif_pipeline.sif.writing import Written

log = logging.getLogger(__name__)

_NOT_REGISTERED = (4, 9)
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Joining:
    """Which zone to join, as whom, how, and for what."""

    zone: str  #: our name of the zone: where its messages are kept
    line: Line  #: to the zone's server
    source_id: str = SOURCE_ID  #: our name in the zone
    address: Address | None = None  #: where to listen; None for pull
    push_url: str = ""  #: how the zone reaches that address, where it is not the address itself
    objects: tuple[str, ...] = ()  #: to subscribe to
    requests: tuple[str, ...] = ()  #: to ask for in full, once: what was answered to the end is not asked for again
    again: bool = False  #: ask once more for what was answered before this run
    period: float = 30.0  #: seconds between two looks into an empty queue, or at the registration for push
    kit: Kit = PLAIN


@dataclass(slots=True)
class _Membership:
    agent: Agent
    joining: Joining
    pool: Pool
    stop: threading.Event
    since: datetime | None = None  #: answers to what was asked from here on count; None for every one
    taken: int = 0

    def take(self, delivered: Delivered) -> Outcome:
        outcome = take(self.pool, self.joining.zone, self.joining.source_id, delivered)
        self.taken += outcome == 1
        return outcome


def run(url: str, joining: Joining, stop: threading.Event) -> int:
    """Be an agent of the zone until `stop` is set; return how many messages were taken in.

    `url` is the warehouse. Raise UnknownZone for a zone we do not have, ConfigurationError for a line that cannot be; a
    zone server that is away or refuses us is waited for, and logged.
    """
    agent = Agent(joining.line, joining.source_id, kit=joining.kit, name="State data collection")
    with psycopg.connect(url) as connection:
        zone_facts(connection, joining.zone)
        (began,) = connection.execute("SELECT clock_timestamp()").fetchone() or (None,)
    pool: Pool = ConnectionPool(url, min_size=1, max_size=4, timeout=5, open=True, kwargs={"connect_timeout": 3})
    with pool, agent:
        membership = _Membership(agent, joining, pool, stop, began if joining.again else None)
        with _listening(membership):
            _stay(membership)
    return membership.taken


def _stay(membership: _Membership) -> None:
    """Take part until told to stop, however often the zone or our database is away; then wait longer each time."""
    wait = 1.0
    while not membership.stop.is_set():
        try:
            _take_part(membership)
        except ZoneSilent:
            log.warning("zone_silent")
        except ZoneRefuses as refusal:
            log.warning("zone_refuses", extra={"facts": refusal.facts})
        except psycopg.OperationalError as trouble:  # PoolTimeout is one; its words may hold addresses
            log.warning("database_away", extra={"facts": {"error": type(trouble).__name__}})
        else:
            wait = 1.0
            continue
        membership.stop.wait(wait)
        wait = min(wait * 2, _LONGEST_WAIT)


@contextmanager
def _listening(membership: _Membership) -> Iterator[None]:
    """Listen where the agent is to be pushed to, if it is: under a path that only the zone learns."""
    joining, agent = membership.joining, membership.agent

    def handle(body: bytes) -> bytes | None:
        delivered = read_delivered(body)
        outcome = membership.take(delivered)
        return None if outcome is None else agent.write_ack(delivered, outcome).body

    if joining.address is None:
        yield
        return
    secret = replace(joining.address, path=secrets.token_urlsafe(32))
    with listening(secret, handle) as url:
        agent.push_url = f"{joining.push_url.rstrip('/')}/{secret.path}" if joining.push_url else url
        yield


def _take_part(membership: _Membership) -> None:
    """Introduce the agent, ask, and then pull or stand by; return when stopped or forgotten by the zone."""
    joining, stop = membership.joining, membership.stop
    introduce(membership.agent, joining)
    for name in joining.requests:
        _ask(membership, name)
    go_on = _pull_all if joining.address is None else _is_still_known
    while not stop.is_set():
        if not go_on(membership):
            log.info("registering_again")
            return
        stop.wait(joining.period)


def introduce(agent: Agent, joining: Joining) -> None:
    """Register, look what the zone speaks and lets us do, and declare as much of what we want; raise ZoneRefuses."""
    registered = _granted(agent.register(), "SIF_Register")
    agent.zone_status()
    access = registered.data if registered.data is not None else agent.access().data
    subscribes = _allowed(access, "SIF_SubscribeAccess", joining.objects)
    requests = _allowed(access, "SIF_RequestAccess", joining.requests)
    answer = agent.provision(subscribes=subscribes, requests=requests)
    if answer.error is not None:
        log.warning("provision_refused", extra={"facts": {"answer": answer.words}})
        for name in subscribes:
            _granted_or_logged(agent.subscribe(name), name)
    log.info("joined", extra={"facts": {"subscribed": len(subscribes), "wanted": len(joining.objects)}})


def _granted(answer: Answer, what: str) -> Answer:
    if not answer.is_good:
        raise ZoneRefuses(what, answer.words, answer.error)
    return answer


def _granted_or_logged(answer: Answer, object_name: str) -> None:
    if not answer.is_good:
        log.warning("subscription_refused", extra={"facts": {"object": object_name, "answer": answer.words}})


def _allowed(access: etree._Element | None, part: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Keep the objects that the access list allows: one that is not allowed fails a whole SIF_Provision."""
    if access is None or local(access) != "SIF_AgentACL":
        return tuple(wanted)
    listed = access.iterfind(f"{SIF}{part}/{SIF}SIF_Object")
    names = {found.get("ObjectName") for found in listed}
    return tuple(name for name in wanted if name in names)


def _ask(membership: _Membership, object_name: str) -> None:
    """Ask for every object of a kind, unless it was answered to the end, or the answer is coming in.

    The request is on record before it is sent: its answer may come at once. One that nothing came of may never have
    been sent, when we crashed at the wrong moment; it is called off, and asked anew.
    """
    agent, joining = membership.agent, membership.joining
    with membership.pool.connection() as connection:
        zone_id, _, _ = zone_facts(connection, joining.zone)
        about = {"zone_id": zone_id, "source_id": joining.source_id, "object_name": object_name, "destination_id": ""}
        if connection.execute(SQL["is_answered"], about | {"since": membership.since}).fetchone() == (True,):
            return
        unanswered = connection.execute(SQL["open_requests"], about).fetchall()
    if any(is_begun for _, is_begun in unanswered):
        log.info("answer_coming_in", extra={"facts": {"object": object_name}})
        return
    written = agent.ask(object_name)
    with membership.pool.connection() as connection:
        for msg_id, _ in unanswered:
            connection.execute(SQL["cancel_request"], about | {"msg_id": msg_id})
        asked = {"msg_id": written.msg_id, "versions": list(ANY_2), "max_buffer_size": agent.buffer_size}
        connection.execute(SQL["ask"], about | asked)
    if unanswered:
        agent.cancel(*(msg_id for msg_id, _ in unanswered))
    _send_request(membership, written, about)


def _send_request(membership: _Membership, written: Written, about: dict[str, object]) -> None:
    answer = membership.agent.send(written)
    log.info("asked", extra={"facts": {"object": about["object_name"], "answer": answer.words}})
    if answer.error is not None:
        category, code = answer.error
        with membership.pool.connection() as connection:
            values = about | {"msg_id": written.msg_id, "error": f"{category}/{code}"}
            connection.execute(SQL["end_request"], values)


def _is_still_known(membership: _Membership) -> bool:
    """Ask the zone to go on pushing; it says when it does not know us any more."""
    return membership.agent.wakeup().error != _NOT_REGISTERED


def _pull_all(membership: _Membership) -> bool:
    """Pull until the queue is empty or a message cannot be taken now; tell whether the zone still knows us."""
    while not membership.stop.is_set():
        answer = membership.agent.control("SIF_GetMessage")
        if answer.error == _NOT_REGISTERED:
            return False
        if answer.error is not None:
            raise ZoneRefuses("SIF_GetMessage", answer.words, answer.error)
        delivered = answer.delivered
        if delivered is None or not _settle(membership, delivered):
            break
    return True


def _settle(membership: _Membership, delivered: Delivered) -> bool:
    """Store a pulled message, and acknowledge it; without an ack the zone gives it again."""
    outcome = membership.take(delivered)
    if outcome is None:
        return False
    membership.agent.ack(delivered, outcome)
    return True
