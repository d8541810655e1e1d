"""The days school is in session, computed from the calendar rules Massachusetts districts follow."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_MONDAY, _THURSDAY = 0, 3


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """One school year: its number (the year it ends in), and its days in session as ISO dates."""

    number: int  #: SIF's SchoolYear: 2027 is 2026-27
    days: tuple[str, ...]  #: every day in session from the first to the last, in order
    until: int  #: how many of them lie on or before today; at least 1
    today: date  #: the day on which everything is told

    @property
    def middle(self) -> int:
        """Position in `days` of the first day of the second semester."""
        return len(self.days) // 2


def school_year(number: int, today: date) -> SchoolYear:
    """Return the year that ends in `number`, seen on `today`: 180 days from the Monday before Labor Day.

    Raise ValueError when `today` lies before the first day: nobody has entered yet, nothing is to tell.
    """
    days = tuple(_in_session(number))
    until = sum(day <= today.isoformat() for day in days)
    if not until:
        raise ValueError(f"School year {number} has not begun on {today}; give a later day or an earlier year.")
    return SchoolYear(number, days, until, today)


def year_seen_on(day: date) -> SchoolYear:
    """Return the school year that is under way on a day, or in the summer the one that is over, seen on that day."""
    number = day.year + 1
    return school_year(number if next(_in_session(number)) <= day.isoformat() else day.year, day)


def _in_session(number: int) -> Iterator[str]:
    day, left, closed = _nth(number - 1, 9, _MONDAY, 1) - timedelta(days=7), 180, _closed(number)
    while left:
        if day.weekday() < 5 and day not in closed:
            yield day.isoformat()
            left -= 1
        day += timedelta(days=1)


def _closed(number: int) -> set[date]:
    autumn, spring = number - 1, number
    return {
        _nth(autumn, 9, _MONDAY, 1),  # Labor Day
        _nth(autumn, 10, _MONDAY, 2),  # Indigenous Peoples' Day
        date(autumn, 11, 11),  # Veterans Day
        *_run(_nth(autumn, 11, _THURSDAY, 4), 2),  # Thanksgiving
        *_run(date(autumn, 12, 24), 9),  # winter recess
        _nth(spring, 1, _MONDAY, 3),  # Martin Luther King Day
        *_run(_nth(spring, 2, _MONDAY, 3), 5),  # February recess
        *_run(_nth(spring, 4, _MONDAY, 3), 5),  # April recess, from Patriots' Day
        _nth(spring, 6, _MONDAY, 1) - timedelta(days=7),  # Memorial Day
    }


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _run(first: date, length: int) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range(length))
