"""Fail every single statement of a drain, one run after the other: each time the next drain ends as if nothing was."""

import psycopg
import pytest
import sif_events
import sif_text as sif
from psycopg import Cursor

from sif_pipeline.loading import drain
from sif_pipeline.loading.drain import Limits

DAY = (
    "exit", "enrolled", "school of the district", "student invalid", ("other student added", "student added"),
    "district added", "address without a country", "student deleted", ("first name", "student added anew"),
)  # fmt: skip


class Faults:
    """Counts the statements of a drain, and fails the one whose turn it is."""

    def __init__(self, monkeypatch):
        self.error, self.turn, self.count = None, 0, 0
        for name in ("execute", "copy"):
            monkeypatch.setattr(Cursor, name, self._failing(getattr(Cursor, name)))

    def _failing(self, statement):
        def call(*arguments, **options):
            self.count += 1
            if self.error is not None and self.count == self.turn:
                raise self.error
            return statement(*arguments, **options)

        return call

    def at(self, turn, error):
        self.turn, self.error, self.count = turn, error, 0

    def none(self):
        self.error, self.count = None, 0


@pytest.fixture
def faults(monkeypatch):
    return Faults(monkeypatch)


@pytest.fixture
def zones(database_url):
    """Give a way to make zones with the same inbox, and what a drain without faults makes of it, in two batches."""
    with sif.connected(database_url) as connection:
        first = sif.Inbox.new(connection)
        first.put(*(sif_events.body(names, sif.minute(number)) for number, names in enumerate(reversed(DAY))))
        first.drain(5)
        yield lambda: sif.Inbox.new(connection).copy_of(first), first


def count_statements(faults, zone):
    faults.none()
    zone.drain(5)
    return faults.count


def test_a_database_that_fails_at_any_statement_costs_nothing(zones, faults):
    another, first = zones
    expected = first.everything()
    statements = count_statements(faults, another())
    assert statements > 20
    for turn in range(1, statements + 1):
        zone = another()
        faults.at(turn, psycopg.OperationalError("the wire was cut"))
        with pytest.raises(psycopg.OperationalError):
            zone.drain(5)
        faults.none()
        assert zone.drain(5).everything() == expected, turn


def test_a_bug_at_any_statement_costs_nothing_but_order(zones, faults):
    """A message that failed once may come after its neighbours: same objects and outcomes, later versions."""
    another, first = zones
    statements = count_statements(faults, another())
    for turn in range(1, statements + 1):
        zone = another()
        faults.at(turn, ZeroDivisionError())
        while drain.drain_batch(zone.connection, Limits(messages=5)) is not None:
            pass
        faults.none()
        assert zone.documents() == first.documents(), turn
        assert zone.outcomes() == first.outcomes(), turn
