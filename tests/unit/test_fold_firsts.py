"""An object of which nothing was known is kept as its first event: all comes out as by the fold alone."""

import sif_events
import sif_fold
import sif_text as sif
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sif_pipeline.loading import claimed, writing
from sif_pipeline.loading.folding import Fold, changed


class New(sif_fold.Nothing):
    """A Store of which the same is asked as of a warehouse: all objects are new, but for those it was told of."""

    def __init__(self, told=frozenset()):
        self.told = told

    def is_new(self, key):
        return key[2] not in self.told


def arrivals(messages, order):
    """Read messages that were sent a minute apart and arrive in an order: events, each with its notices."""
    for arrived, number in enumerate(order):
        at = sif.minute(number)
        body = sif_events.body(messages[number], at)
        recorded = sif.minute(300 + arrived)
        message = claimed.Claimed(arrived, 1, sif.SOURCE, "SIF_Event", at, sif_fold.RECEIVED, recorded, body)
        claimed.read([message])
        yield from ((event, message.notices.get(event.position, [])) for event in message.events)


def by_the_fold_alone(found):
    folding = Fold(New())
    for event, notices in found:
        folding.take(event, notices)
    return folding


def with_firsts(found, told):
    folding = Fold(New(told))
    for event, notices in found:
        if notices or not folding.take_first(event):
            folding.take(event, notices)
    return folding


def written(folding, found):
    """Give what a drain writes down: current rows, versions, outcomes and findings."""
    states = changed(folding.states)
    rows = sorted(writing.current_lines(states, folding.firsts.values()), key=str)
    closed = sorted((state.key, state.versions[:-1]) for state in states if len(state.versions) > 1)
    gone = sorted((state.key, state.versions[-1]) for state in states if state.versions[-1].document is None)
    outcomes = [(event.message_id, event.position, event.outcome, event.waiting) for event, _ in found]
    findings = [
        (f.event.message_id, f.event.position, f.notice, f.recorded_at, f.resolved_at) for f in folding.findings
    ]
    return rows, closed, gone, outcomes, findings, list(folding.changes)


ordered_messages = sif_events.messages(6).flatmap(
    lambda messages: st.tuples(st.just(messages), st.permutations(range(len(messages))))
)
some_keys = st.sets(st.sampled_from([sif.ref(word).lower() for word in "ABELS"]))


@settings(max_examples=400, deadline=None)
@given(ordered_messages, some_keys)
@example((["student added", "school of nobody", "enrolled"], [0, 1, 2]), set())
@example((["enrolled", "student added", "school of nobody"], [0, 1, 2]), set())
@example((["student added", "student deleted"], [1, 0]), set())
@example(([("district added", "school of the district"), "school renamed", "student invalid"], [0, 1, 2]), set())
@example(([("student added", "student added anew"), "local id"], [0, 1]), {sif.ref("A").lower()})
def test_all_comes_out_as_by_the_fold_alone(sent, told):
    one, other = list(arrivals(*sent)), list(arrivals(*sent))
    assert written(with_firsts(one, told), one) == written(by_the_fold_alone(other), other)


def test_most_of_a_first_load_is_kept_so():
    """The property above says something: of a district that comes in order, all objects are firsts."""
    found = list(arrivals(["district added", "school of the district", "student added", "enrolled"], range(4)))
    folding = with_firsts(found, set())
    assert list(folding.firsts) == [event.key for event, _ in found]
    assert not folding.states
