"""The synthetic state: districts, what each of them sends, and what a warehouse must hold afterwards."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, NamedTuple

from sif_pipeline.synth import messages
from sif_pipeline.synth.flaws import Fate, Sent, spoiled
from sif_pipeline.synth.life import Happening, happenings
from sif_pipeline.synth.names import TOWNS
from sif_pipeline.synth.objects import OBJECTS, counts
from sif_pipeline.synth.parts import SynthObject
from sif_pipeline.synth.plan import Plan, plan
from sif_pipeline.synth.school_year import year_seen_on

TODAY = date(2026, 11, 22)
"""The day on which the synthetic state is seen, unless told otherwise: no clock is ever read."""

SCHOOL_YEAR = 2027


@dataclass(frozen=True, slots=True)
class District:
    """One district: `objects()` is what it holds, `adds()` what it sends first, `happenings()` the rest."""

    plan: Plan
    bad: float = 0.0  #: share of flawed objects

    @property
    def code(self) -> str:
        """The state's code of the district (LEA): 0999 and its number."""
        return self.plan.code

    @property
    def name(self) -> str:
        """The district's name, an invented town's."""
        return f"{TOWNS[self.plan.number - 1]} Public Schools"

    @property
    def source_id(self) -> str:
        """SIF_SourceId of the district's agent."""
        return f"SYNTH-{self.code}"

    def counts(self) -> dict[str, int]:
        """Return how many objects of each kind there are; flaws change kinds, not the sum."""
        return counts(self.plan)

    def objects(self, names: Iterable[str] = OBJECTS) -> Iterator[SynthObject]:
        """Yield the objects without flaws, those referred to before those that refer to them."""
        return (found for name in names for found in OBJECTS[name](self.plan))

    def adds(self, names: Iterable[str] = OBJECTS) -> Iterator[Sent]:
        """Yield the first load in the same order, with its flaws and what to expect of each object."""
        if not self.bad:
            return (Sent(found, None, Fate.LOADED, ()) for found in self.objects(names))
        return (spoiled(found, self.bad) for found in self.objects(names))

    def happenings(self) -> Iterator[Happening]:
        """Yield what changes after the first load."""
        return happenings(self.plan, bad=self.bad)

    def stamps(self, start: datetime | None = None) -> Iterator[messages.Stamp]:
        """Yield MsgIds and moments for the district's messages, by default from 06:00 UTC of the last school day.

        Give `start` (with its time zone) when that day lies too far from the real one for a zone to believe.
        """
        year = self.plan.year
        default = datetime.combine(date.fromisoformat(year.days[year.until - 1]), time(6), UTC)
        return messages.stamps(self.plan.seed, self.source_id, start or default)


def day_for_reports_of(now: date) -> date:
    """Choose the day of a state whose members are to be counted `now`: TODAY until its school year ends, then `now`.

    So figures that pages show stay what everybody gets for as long as they can.
    """
    return TODAY if now <= date(SCHOOL_YEAR, 6, 30) else now


def districts(  # noqa: PLR0913 -- each is a size or a choice of its own
    count: int,
    students: int,
    seed: int,
    *,
    bad: float = 0.0,
    varied: bool = True,
    today: date = TODAY,
) -> Iterator[District]:
    """Yield `count` districts (at most 999) of `students` students on average, each independent of others.

    With `varied` their sizes spread as Massachusetts' do; else all are alike. `bad` is the share (0 to 1)
    of objects with a flaw. They are in the school year of `today`, and tell what was so on that day. Raise
    ValueError for sizes beyond what the identifiers hold.
    """
    calendar = year_seen_on(today)
    for number in range(1, count + 1):
        yield District(plan(seed, number, students, calendar, varied=varied), bad)


class Outgoing(NamedTuple):
    """One message on its way, and the object it carries ("" for none)."""

    object_name: str
    action: str  #: Add, Change, Delete, or the message's own name
    stamp: messages.Stamp
    body: bytes


def introduction(district: District, stamps: Iterator[messages.Stamp]) -> Iterator[Outgoing]:
    """Yield how an agent enters a zone: SIF_Register, SIF_Provision."""
    stamp = next(stamps)
    yield Outgoing("", "SIF_Register", stamp, messages.register(district.source_id, stamp, name=district.name))
    stamp = next(stamps)
    yield Outgoing("", "SIF_Provision", stamp, messages.provision(district.source_id, OBJECTS, stamp))


def add_events(
    district: District, stamps: Iterator[messages.Stamp], names: Sequence[str] = tuple(OBJECTS)
) -> Iterator[Outgoing]:
    """Yield one Add event for every object of the first load."""
    for sent in district.adds(names):
        yield _event(district, sent.object.name, "Add", sent.object.xml, next(stamps))


def later_events(district: District, stamps: Iterator[messages.Stamp]) -> Iterator[Outgoing]:
    """Yield the Change and Delete events after the first load."""
    for happening in district.happenings():
        yield _event(district, happening.object_name, happening.action, happening.xml, next(stamps))


def _event(district: District, name: str, action: str, xml: bytes, stamp: messages.Stamp) -> Outgoing:
    return Outgoing(name, action, stamp, messages.event(name, action, xml, district.source_id, stamp))


@dataclass(slots=True)
class Expected:
    """What a warehouse must hold once all that districts sent was drained, by kind of object."""

    sent: Counter[str] = field(default_factory=Counter)
    fates: Counter[tuple[str, Fate]] = field(default_factory=Counter)
    deleted: Counter[str] = field(default_factory=Counter)

    def add(self, sent: Sent) -> None:
        """Count one object of the first load."""
        self.sent[sent.object.name] += 1
        self.fates[sent.object.name, sent.fate] += 1

    def happen(self, happening: Happening) -> None:
        """Count one later event; only Deletes make a difference."""
        self.deleted[happening.object_name] += happening.action == "Delete"

    def update(self, other: "Expected") -> None:
        """Add another's numbers to these."""
        self.sent.update(other.sent)
        self.fates.update(other.fates)
        self.deleted.update(other.deleted)

    def rows(self) -> list[dict[str, Any]]:
        """Return one row per kind of object: sent, loaded, rejected, held, unknown, deleted, in_warehouse."""
        return [self._row(name) for name in self.sent]

    def _row(self, name: str) -> dict[str, Any]:
        fates = {str(fate): self.fates[name, fate] for fate in Fate}
        remaining = self.fates[name, Fate.LOADED] - self.deleted[name]
        return {
            "object": name,
            "sent": self.sent[name],
            **fates,
            "deleted": self.deleted[name],
            "in_warehouse": remaining,
        }


def expectations(district: District) -> Expected:
    """Go through a whole district and return what a warehouse must hold of it in the end."""
    expected = Expected()
    for sent in district.adds():
        expected.add(sent)
    for happening in district.happenings():
        expected.happen(happening)
    return expected
