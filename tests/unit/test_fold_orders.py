"""The fold is a function of the set of events: no order of arrival changes what comes out."""

from itertools import permutations

import sif_events
import sif_fold
import sif_text as sif
from hypothesis import example, given, settings

HELD_LONG = ("exit", "enrolled", "school moves to the district", "school of the district", "district added")
UNFIT = ("student added", "address without a country")
KNOWN_THOUGH_GONE = ("student added", "school of the district", "school deleted", "enrolled", "district added")
HEALS = ("student added", "school of nobody", "enrolled", "entry code", "entry's other code")


def events_of(names):
    """Read happenings a minute apart."""
    return [
        sif_fold.read(sif_events.body(name, sif.minute(number)), sif.minute(number))
        for number, name in enumerate(names)
    ]


def outcome(arrivals):
    """Give the current documents, and every event's outcome by its SIF_Timestamp."""
    folding, events = sif_fold.fold(arrivals)
    return sif_fold.current(folding), {event.ordered_at: (event.outcome.value, event.waiting) for event in events}


@settings(max_examples=300, deadline=None)
@given(sif_events.happenings(5))
@example(HELD_LONG)
@example(HEALS)
@example(KNOWN_THOUGH_GONE)
@example(("student added", "student deleted", "local id", "student added anew", "phone deleted"))
@example((*UNFIT, "local id", "phone set", "phone deleted"))
@example(("phone set", "phones cleared", "another phone set", "student in a response", "other ids replaced"))
@example(("other student added", "school of nobody", "enrolled", "enrollment changes student", "student added"))
def test_every_order_of_arrival_ends_the_same(names):
    events = events_of(names)
    in_order = outcome(events)
    for arrivals in permutations(events):
        assert outcome(arrivals) == in_order, [event.ordered_at for event, _ in arrivals]


def test_the_happenings_reach_every_outcome():
    """The property above says something: among its events are applied, held, superseded, unfit and rejected ones."""
    reached = {
        name for names in (HELD_LONG, UNFIT, ("student invalid",)) for name, _ in outcome(events_of(names))[1].values()
    }
    assert reached == {"applied", "held", "superseded", "unfit", "rejected"}


def test_by_time_a_change_before_its_object_is_superseded_whatever_arrives_first():
    documents, outcomes = outcome(list(reversed(events_of(HELD_LONG))))
    assert [outcomes[sif.minute(number)][0] for number in range(5)] == [
        "held",
        "held",
        "superseded",
        "applied",
        "applied",
    ]
    assert {name for _, name, _ in documents} == {"LEAInfo", "SchoolInfo"}
