"""Delivery to push agents: the next message of each is POSTed to the URL it registered, and settled by its answer.

One process delivers at a time, whichever holds an advisory lock, so that an agent's messages never overtake each
other; another stands by and takes over when the first one's database session ends. One message at a time for each
agent, many agents at once. A message is settled in one transaction after the agent's answer: a crash anywhere before
leads to another delivery with the same SIF_MsgId and bytes.
"""

import asyncio
import logging
import random
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from sif_pipeline.database import first, queries
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.header import NO_LEVEL, Level
from sif_pipeline.sif.requests import Answer
from sif_pipeline.zone import handover, pushing, queue, routing
from sif_pipeline.zone.pushing import Failed
from sif_pipeline.zone.queue import AsyncConnection, Waiting
from sif_pipeline.zone.troubles import Troubles

SQL: Final = {name: query.encode() for name, query in queries("delivery").items()}

log = logging.getLogger(__name__)

LEADER_LOCK: Final = 7440
"""Session advisory lock of the one process that delivers."""

Pool = AsyncConnectionPool[AsyncConnection]
ContextFor = Callable[[int], ssl.SSLContext]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast, and how patiently, messages are delivered."""

    at_once: int = 64  #: agents delivered to at the same time
    of_a_zone: int = 8  #: of these, how many may be of one zone: its slow agents are not to take all the room
    turn: int = 10  #: messages to one agent before another gets its turn
    answer_seconds: float = 30.0  #: from sending a message to the end of the agent's answer
    first_wait: float = 1.0  #: seconds after the first failure; each further failure doubles them
    longest_wait: float = 300.0  #: seconds at most, and after an agent said that it is asleep
    look_seconds: float = 5.0  #: between two looks at the queues when nobody wakes us
    standby_seconds: float = 1.0  #: between two tries to become the one that delivers
    expiry_seconds: float = 30.0  #: between two looks for requests that have timed out
    farewell_seconds: float = 3.0  #: for what is under way when the server stops


class _Calls(NamedTuple):
    """How agents are called."""

    context_for: ContextFor
    loopback: bool  #: also on this machine


class Addressee(NamedTuple):
    """A push agent for which something waits."""

    zone_id: int
    zone: str
    source_id: str
    push_url: str | None
    accepts_gzip: bool
    failures: int  #: in a row, until now
    authentication_level: int  #: what its zone asks of certificates

    @property
    def key(self) -> tuple[int, str]:
        """What identifies it."""
        return self.zone_id, self.source_id


async def deliver(url: str, context_for: ContextFor, pace: Pace | None = None, *, loopback: bool = False) -> None:
    """Deliver what waits for push agents in the database at `url`, until cancelled; outages are sat out.

    `context_for` gives the TLS context for an authentication level of the standard. With `loopback` agents on this
    machine are called too; without, a URL that leads to it fails, for it may lead to what only this machine reaches.
    """
    pace, troubles = pace or Pace(), Troubles()
    async with _pool(url) as pool:
        while True:
            try:
                await pool.check()  # sorts out connections that a restart of the database has ended
                async with _session(url) as session:
                    troubles.is_over(_OUTAGE)  # "delivering" will say so
                    await _Deliveries(pool, session, _Calls(context_for, loopback), pace, troubles).lead()
            except Exception as error:  # noqa: BLE001 -- whatever it is, agents are not to wait for a restart
                if troubles.is_news(_OUTAGE):
                    facts = {"error": type(error).__name__, "sqlstate": getattr(error, "sqlstate", None)}
                    log.warning("delivery_interrupted", extra={"facts": facts})
            await asyncio.sleep(pace.standby_seconds)


_OUTAGE: Final = "delivery_interrupted"
"""The trouble that nothing can be delivered to anybody."""


_OPTIONS: Final = (
    "-c application_name=sif-delivery -c synchronous_commit=on -c statement_timeout=10s -c lock_timeout=3s"
    " -c idle_in_transaction_session_timeout=10s -c timezone=UTC"
)
_CONNECTION: Final[dict[str, Any]] = {
    "autocommit": True,
    "connect_timeout": 3,
    "options": _OPTIONS,
    "keepalives_idle": 10,  # a host that vanished must not hold the lock for long
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


@asynccontextmanager
async def _pool(url: str) -> AsyncIterator[Pool]:
    async with AsyncConnectionPool(
        url,
        min_size=0,
        max_size=4,
        timeout=5,
        reconnect_timeout=2,
        open=False,
        kwargs=_CONNECTION,
    ) as pool:
        yield pool


@asynccontextmanager
async def _session(url: str) -> AsyncIterator[AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(url, **_CONNECTION) as session:
        yield session


class _Deliveries:
    """What is under way while this process is the one that delivers."""

    def __init__(self, pool: Pool, session: AsyncConnection, calls: _Calls, pace: Pace, troubles: Troubles) -> None:
        self.pool = pool
        self.session = session  #: holds the lock and hears NOTIFY; when it ends, so do the deliveries
        self.calls = calls
        self.pace = pace
        self.troubles = troubles
        self.busy: dict[tuple[int, str], asyncio.Task[None]] = {}
        self.served: dict[tuple[int, str], float] = {}  #: when each agent's last turn ended
        self.spared: dict[tuple[int, str], float] = {}  #: until when an agent is left alone: the database failed
        self.woken = asyncio.Event()
        self.leaving = False

    async def lead(self) -> None:
        """Wait for the lock, then deliver until cancelled or the session ends, which raises psycopg.Error."""
        while (await first(self.session, SQL["lead"], {"lock": LEADER_LOCK})) != (True,):  # noqa: ASYNC110 -- another's lock
            await asyncio.sleep(self.pace.standby_seconds)
        log.info("delivering")
        await self.session.execute(f"LISTEN {queue.CHANNEL}".encode())
        beside = [asyncio.create_task(act()) for act in (self._listen, self._expire, self._look)]
        try:
            done, _ = await asyncio.wait(beside, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await self._leave(beside)

    async def _leave(self, beside: list[asyncio.Task[None]]) -> None:
        """Let what is under way come to its end for a moment; what does not will be delivered again.

        Without the session the lock is gone, and somebody else may be delivering already: then it ends at once.
        """
        self.leaving = True
        patience = 0.0 if self.session.closed else self.pace.farewell_seconds
        for task in beside:
            task.cancel()
        tasks = [*beside, *self.busy.values()]
        _, late = await asyncio.wait(tasks, timeout=patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _listen(self) -> None:
        async for _ in self.session.notifies():
            self.woken.set()

    async def _expire(self) -> None:
        while True:
            try:
                async with self.pool.connection() as connection:
                    while await routing.expire_requests(connection):
                        pass
            except (psycopg.Error, PoolTimeout) as error:  # deliveries go on without it
                log.warning("expiry_failed", extra={"facts": {"error": type(error).__name__}})
            await asyncio.sleep(self.pace.expiry_seconds)

    async def _look(self) -> None:
        """Begin with every agent for which something waits, as far as there is room, and wait to be woken."""
        while True:
            self.woken.clear()
            async with self.pool.connection() as connection:
                for addressee in await self._due(connection):
                    self._begin(addressee)
                pause = await self._pause(connection)
            try:
                async with asyncio.timeout(pause):
                    await self.woken.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(_GATHER)

    async def _due(self, connection: AsyncConnection) -> list[Addressee]:
        room = self.pace.at_once - len(self.busy)
        if room <= 0:
            return []
        self.spared = {key: until for key, until in self.spared.items() if until > time.monotonic()}
        left_out = [*self.busy, *self.spared]
        zone_ids, source_ids = [key[0] for key in left_out], [key[1] for key in left_out]
        values = {"zone_ids": zone_ids, "source_ids": source_ids}
        found = [Addressee(*row) async for row in await connection.execute(SQL["due"], values)]
        return self._chosen(sorted(found, key=self._place), room)

    def _chosen(self, found: list[Addressee], room: int) -> list[Addressee]:
        """Take the first ones, as many as there is room for, and no more of a zone than may be."""
        of_zone = Counter(zone_id for zone_id, _ in self.busy)
        chosen: list[Addressee] = []
        for addressee in found:
            if len(chosen) < room and of_zone[addressee.zone_id] < self.pace.of_a_zone:
                of_zone[addressee.zone_id] += 1
                chosen.append(addressee)
        return chosen

    def _place(self, addressee: Addressee) -> tuple[bool, float]:
        """Put those that were served longest ago first, and behind them those that failed: they may hold us up."""
        return addressee.failures > 0, self.served.get(addressee.key, 0.0)

    async def _pause(self, connection: AsyncConnection) -> float:
        found = await first(connection, SQL["next_try"], {})
        seconds = found[0] if found and found[0] is not None else self.pace.look_seconds
        return float(min(max(seconds, _GATHER), self.pace.look_seconds))

    def _begin(self, addressee: Addressee) -> None:
        task = asyncio.create_task(self._take_turn(addressee))
        self.busy[addressee.key] = task
        task.add_done_callback(lambda _: self._end(addressee))

    def _end(self, addressee: Addressee) -> None:
        self.busy.pop(addressee.key, None)
        self.served[addressee.key] = time.monotonic()
        self.woken.set()

    async def _take_turn(self, addressee: Addressee) -> None:
        """Deliver to one agent until nothing waits, a delivery fails or its turn is over."""
        try:
            async with AsyncExitStack() as stack:
                lines = _Lines(stack, addressee, self.calls)
                for _ in range(self.pace.turn):
                    if self.leaving or not await self._deliver_next(lines, addressee):
                        return
                    addressee = addressee._replace(failures=0)
        except (psycopg.Error, PoolTimeout) as error:
            self.spared[addressee.key] = time.monotonic() + self.pace.look_seconds  # nothing of it could be noted there
            if self.troubles.is_news((_OUTAGE, *addressee.key)):
                _log(addressee, "delivery_interrupted", kind=type(error).__name__, failures=addressee.failures)
        except Exception as error:  # noqa: BLE001 -- one agent's oddity must not end the delivery to the others
            log.error("delivery_broken", extra={"facts": {"error": type(error).__name__}})  # noqa: TRY400
            self.spared[addressee.key] = time.monotonic() + self.pace.first_wait
            with suppress(psycopg.Error, PoolTimeout):
                await self._note_failure(addressee, None, "internal")

    async def _deliver_next(self, lines: "_Lines", addressee: Addressee) -> bool:
        """Deliver one message, and tell whether to go on with the next."""
        channel = _BEST if pushing.is_secure(addressee.push_url) else NO_LEVEL
        async with self.pool.connection() as connection:
            found = await handover.take_next(connection, addressee.zone_id, addressee.source_id, channel)
        if found is None:
            return False
        try:
            answer = await self._push(lines, addressee, found)
        except Failed as failed:
            return await self._fail(addressee, found, failed)
        return await self._settle(addressee, found, answer)

    async def _push(self, lines: "_Lines", addressee: Addressee, found: Waiting) -> Answer:
        body = await pushing.push(
            await lines.line(max(addressee.authentication_level, found.authentication_level)),
            found.body,
            packed=addressee.accepts_gzip,
            seconds=self.pace.answer_seconds,
        )
        return pushing.read_answer(body, found.msg_id)

    async def _settle(self, addressee: Addressee, found: Waiting, answer: Answer) -> bool:
        """Do what the agent's answer says, and tell whether to go on with the next message."""
        zone_id, source_id = addressee.key
        async with self.pool.connection() as connection, connection.transaction():
            if answer.error is not None:
                await queue.hold_acked(connection, zone_id, source_id, found.msg_id)
            handed = await queue.handed_out(connection, zone_id, source_id, found.msg_id)
            if handed is None:
                return True  # purged, or dropped by an operator, in the meantime
            outcome = await handover.settle(connection, zone_id, source_id, handed, answer)
            if addressee.failures and not isinstance(outcome, Refused):
                await connection.execute(SQL["worked"], {"zone_id": zone_id, "source_id": source_id})
        if answer.status == handover.ASLEEP and answer.error is None:
            await self._note_failure(addressee, found, "asleep", self.pace.longest_wait)
            return False
        if isinstance(outcome, Refused):
            await self._note_failure(addressee, found, f"SIF_Error {outcome.category}/{outcome.code}")
            return False
        await self._note_success(addressee)
        return True

    async def _fail(self, addressee: Addressee, found: Waiting, failed: Failed) -> bool:
        """Leave the agent alone for a while; a message that alone asks for more of its certificate is set aside."""
        if failed.kind == pushing.NOT_TRUSTED and found.authentication_level > addressee.authentication_level:
            async with self.pool.connection() as connection, connection.transaction():
                await handover.set_aside(connection, addressee.zone_id, addressee.source_id, found, handover.NOT_SECURE)
            return True
        await self._note_failure(addressee, found, failed.kind)
        return False

    async def _note_failure(
        self, addressee: Addressee, found: Waiting | None, kind: str, wait: float | None = None
    ) -> None:
        seconds = wait if wait is not None else back_off(addressee.failures, self.pace)
        values = {
            "zone_id": addressee.zone_id,
            "source_id": addressee.source_id,
            "failure": kind,
            "wait": timedelta(seconds=seconds),
            "queue_id": found and found.queue_id,
        }
        async with self.pool.connection() as connection:
            failures, since = await first(connection, SQL["failed"], values) or (0, None)
            await connection.execute(SQL["message_failed"], values)
            if self.troubles.is_news((_FAILING, *addressee.key)):
                waiting = (await first(connection, SQL["waiting"], values) or (0,))[0]
                facts = {"kind": kind, "failures": failures, "since": since and since.isoformat("T", "seconds")}
                _log(addressee, _FAILING, **facts, waiting=waiting)

    async def _note_success(self, addressee: Addressee) -> None:
        """Tell that an agent is reached again, if it was told that it could not be."""
        over = [self.troubles.is_over((trouble, *addressee.key)) for trouble in (_FAILING, _OUTAGE)]
        if any(over):
            values = {"zone_id": addressee.zone_id, "source_id": addressee.source_id}
            async with self.pool.connection() as connection:
                waiting = (await first(connection, SQL["waiting"], values) or (0,))[0]
            _log(addressee, "delivery_works_again", failures=addressee.failures, waiting=waiting)


_FAILING: Final = "delivery_failed"
"""The trouble that an agent cannot be reached, or gives no answer that will do."""

_GATHER: Final = 0.02
"""Seconds to wait after being woken: what else is queued in them is looked at once."""


def back_off(failures: int, pace: Pace) -> float:
    """Say how many seconds to leave an agent alone after `failures` earlier ones: doubled each time, up to a bound.

    A random part keeps agents that failed together from coming back together.
    """
    return random.uniform(0.5, 1.0) * min(pace.longest_wait, pace.first_wait * 2.0 ** min(failures, 20))


_BEST: Final = Level(3, 4)
"""How well HTTPS can secure the way to an agent: TLS 1.2 or better, 128 bits at least, the certificate as asked for."""


class _Lines:
    """The connections to one agent while its turn lasts: one for each authentication level that is asked for."""

    def __init__(self, stack: AsyncExitStack, addressee: Addressee, calls: _Calls) -> None:
        self.stack = stack
        self.url = addressee.push_url
        self.calls = calls
        self.addresses: list[str] = []
        self.open: dict[int, pushing.Line] = {}

    async def line(self, level: int) -> pushing.Line:
        """Give the connection on which the agent's certificate is held to an authentication level; raise Failed."""
        if level not in self.open:
            self.addresses = self.addresses or await pushing.check(self.url, loopback=self.calls.loopback)
            context = self.calls.context_for(level) if pushing.is_secure(self.url) else None
            self.open[level] = await self.stack.enter_async_context(pushing.line(self.url, self.addresses, context))
        return self.open[level]


def _log(addressee: Addressee, event: str, **facts: Any) -> None:
    log.info(event, extra={"facts": {"zone": addressee.zone, "source_id": addressee.source_id} | facts})
