"""Agents that behave as a test tells them: what they provide, how they acknowledge, and what they saw."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from sif_pipeline.agent.agent import Agent
from sif_pipeline.agent.answers import Answer, Delivered, read_delivered
from sif_pipeline.agent.client import Line
from sif_pipeline.agent.listener import Address, listening
from sif_pipeline.sif.gate import Refused

Outcome = Callable[[Delivered], int | Refused | None]
"""Says how a delivered message is acknowledged: a status, an error, or None for no ack at all."""


def kept(_: Delivered) -> int:
    """Acknowledge with status 1: the agent keeps the message."""
    return 1


class SampleAgent(Agent):
    """An agent with objects to provide, that remembers what it was sent."""

    def __init__(
        self,
        line: Line | str,
        source_id: str,
        *,
        holds: Mapping[str, Sequence[bytes]] | None = None,
        outcome: Outcome = kept,
        **more: Any,
    ) -> None:
        super().__init__(line, source_id, **more)
        self.holds = dict(holds or {})  #: objects by name, with which it answers requests
        self.outcome = outcome
        self.received: list[Delivered] = []  #: every delivery in order, repetitions included
        self.answered: list[Answer] = []  #: the zone's answers to its responses
        self._arrived = threading.Condition()
        self._held: set[str] = set()
        self._answering: list[threading.Thread] = []

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Finish answering what was pushed, and hang up."""
        for thread in self._answering:
            thread.join(10)
        super().__exit__(kind, error, at)

    def join(self, *, subscribes: Sequence[str] = (), requests: Sequence[str] = ()) -> list[Answer]:
        """Register, look at the zone, and declare what it holds; the zone's answers in order."""
        return [
            self.register(),
            self.zone_status(),
            *self.declare(provides=tuple(self.holds), subscribes=subscribes, requests=requests),
        ]

    def pull(self) -> Delivered | None:
        """Fetch one message, deal with it as a pull provider does: responses first, then the ack."""
        delivered = self.fetch()
        if delivered is None:
            return None
        outcome = self._deal(delivered)
        if outcome is not None:
            self.answered.append(self.ack(delivered, outcome))
        return delivered

    def pull_all(self, most: int = 1000) -> list[Delivered]:
        """Pull until nothing waits."""
        found: list[Delivered] = []
        while len(found) < most and (delivered := self.pull()) is not None:
            found.append(delivered)
        return found

    def finish(self, delivered: Delivered) -> Answer:
        """Say that an event acknowledged with status 2 is done: status 3 ends the blocking."""
        return self.ack(delivered, 3)

    def take(self, body: bytes) -> bytes | None:
        """Take a pushed message; responses to a request are sent once the ack is on its way."""
        delivered = read_delivered(body)
        outcome = self._deal(delivered, at_once=False)
        return None if outcome is None else self.write_ack(delivered, outcome).body

    def wait_for(self, count: int, seconds: float = 60.0) -> list[Delivered]:
        """Wait until so many messages have come, repetitions included; TimeoutError."""
        end = time.monotonic() + seconds
        with self._arrived:
            while len(self.received) < count:
                if not self._arrived.wait(end - time.monotonic()):
                    raise TimeoutError(f"{len(self.received)} of {count} messages came.")
            return list(self.received)

    def _deal(self, delivered: Delivered, *, at_once: bool = True) -> int | Refused | None:
        """Remember a message and decide on its ack: 7 for what is held already, else as the test says."""
        with self._arrived:
            self.received.append(delivered)
            self._arrived.notify_all()
        if isinstance(delivered.content, Refused):
            return delivered.content
        if delivered.content.msg_id in self._held:
            return 7
        outcome = self.outcome(delivered)
        if outcome == 1:
            self._held.add(delivered.content.msg_id)
            self._respond(delivered, at_once=at_once)
        return outcome

    def _respond(self, delivered: Delivered, *, at_once: bool) -> None:
        if delivered.message.message_type != "SIF_Request":
            return
        if at_once:
            self._send_responses(delivered)
        else:
            self._answering.append(threading.Thread(target=self._send_responses, args=(delivered,), daemon=True))
            self._answering[-1].start()

    def _send_responses(self, delivered: Delivered) -> None:
        asked = delivered.message.request
        found = [xml for name in (asked.object_names if asked else ()) for xml in self.holds.get(name, ())]
        self.answered.extend(self.respond(delivered, found))


@contextmanager
def pulling(line: Line | str, source_id: str = "SIS", **more: Any) -> Iterator[SampleAgent]:
    """Give an agent in pull mode; it has not registered yet. `more` is what SampleAgent takes."""
    with SampleAgent(line, source_id, **more) as agent:
        yield agent


@contextmanager
def pushing(
    line: Line | str, source_id: str = "SIS", *, address: Address | None = None, **more: Any
) -> Iterator[SampleAgent]:
    """Give an agent in push mode that listens on a port of its own; it has not registered yet."""
    with SampleAgent(line, source_id, **more) as agent, listening(address or Address(), agent.take) as url:
        agent.push_url = url
        yield agent
