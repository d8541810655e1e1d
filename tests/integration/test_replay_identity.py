"""A replay leaves the warehouse exactly as it was: rows, history, outcomes, findings, recorded times."""

from datetime import UTC, datetime, timedelta

import pytest
import sif_events
import sif_text as sif
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sif_rows import failing, with_rows

from sif_pipeline.exceptions import UnknownZone
from sif_pipeline.loading.replay import replay

WAITS = ("school moves to the district", "enrolled", "exit", "school of the district", "other student added",
         "student added", "district added", "enrolled as the other", "enrollment changes student")  # fmt: skip
HEALS = ("student invalid", "entry's other code", "student added", "school of nobody", "enrolled", "entry code",
         "address without a country", "phones cleared", "student added anew")  # fmt: skip


AGAIN = ("all again", "Ada again", "first name", "all again", "both students again", "student invalid", "all again",
         "all again", "Ada spelled otherwise", "Ada again")  # fmt: skip


@st.composite
def inboxes(draw):
    names = draw(st.one_of(sif_events.messages(8), sif_events.repetitions(12)))
    return names, draw(st.permutations(range(len(names)))), draw(st.lists(st.integers(1, 5), max_size=4))


def backwards(names):
    return names, list(reversed(range(len(names)))), [100]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(inboxes())
@example((WAITS, list(range(9)), [100]))
@example(backwards(WAITS))
@example(backwards(HEALS))
@example((AGAIN, list(range(10)), [3, 3]))
@example(backwards(AGAIN))
@example((AGAIN, [0, 2, 4, 6, 8, 1, 3, 5, 7, 9], [2, 2]))
@example((("Ada again", *["Ada with a vendor's element"] * 2), [1, 0, 2], [2]))
@example((HEALS, [4, 1, 5, 3, 0, 2, 8, 6, 7], [2, 2]))
def test_replay_from_any_point_changes_nothing(url, connection, inbox):
    names, arrivals, sizes = inbox
    zone = sif.Inbox.new(connection)
    zone.put(*(sif_events.body(names[number], sif.minute(number)) for number in arrivals))
    zone.drain(*sizes)
    assert set(zone.states()) == {"done"}
    before = zone.everything()
    recorded = [at for (at,) in zone.all("SELECT recorded_at FROM inbox.message WHERE zone_id = %(zone)s ORDER BY 1")]
    points = {recorded[0], recorded[len(recorded) // 2], recorded[-1]}
    for since in (None, *sorted(points, reverse=True), None):
        replay(url, zone.name, since)
        assert zone.everything() == before, since


def test_replay_twice_from_the_middle_and_between_two_messages_of_a_batch(url, connection):
    """The child that the second message of a batch releases is released again."""
    zone = sif.Inbox.new(connection)
    zone.put(
        sif.event("Add", sif.school("S", of="L"), at=sif.minute(1)), sif.event("Add", sif.lea("L"), at=sif.minute(2))
    )
    zone.drain()
    before = zone.everything()
    (parent_at,) = zone.one("SELECT max(recorded_at) FROM inbox.message WHERE zone_id = %(zone)s")
    for _ in range(2):
        summary = replay(url, zone.name, parent_at)
        assert (summary.messages, zone.outcomes()) == (1, ["applied", "applied"])
        assert zone.everything() == before


def test_replay_since_a_time_nobody_received_anything_does_nothing(url, connection):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A"), at=sif.minute(1)))
    zone.drain()
    before = zone.everything()
    assert replay(url, zone.name, datetime.now(UTC) + timedelta(days=1)).messages == 0
    assert zone.everything() == before


def test_replay_drains_what_is_pending_too_and_leaves_other_zones_alone(url, connection):
    other = sif.Inbox.new(connection)
    other.put(sif.event("Add", sif.student("A"), at=sif.minute(1)))
    other.drain()
    before = other.everything()
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A"), at=sif.minute(1)))
    zone.drain()
    zone.put(sif.event("Add", sif.student("B"), at=sif.minute(2)))
    assert replay(url, zone.name).messages == 2
    assert set(zone.documents()) == {sif.ref("A"), sif.ref("B")}
    assert other.everything() == before


def test_replay_applies_changed_rules(url, connection, monkeypatch):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A", "1"), at=sif.minute(1)))
    zone.drain()
    with_rows(monkeypatch, _with_last_name_in_capitals)
    replay(url, zone.name)
    assert zone.one("SELECT last_name FROM sif.student_personal WHERE zone_id = %(zone)s") == ("DOE",)


def _with_last_name_in_capitals(_content, row):
    cells, notices = row
    return [cell.upper() if cell == "Doe" else cell for cell in cells], notices


def test_a_quarantined_message_is_loaded_by_a_replay_once_the_bug_is_mended(url, connection, monkeypatch):
    zone = sif.Inbox.new(connection)
    zone.put(*(sif.event("Add", sif.student(word), at=sif.minute(1)) for word in "ABC"))
    with monkeypatch.context() as broken:
        with_rows(broken, failing("B"))
        zone.drain(*[5] * 4)
        assert zone.states() == ["done", "quarantined", "done"]
        summary = replay(url, zone.name)
        assert (summary.loaded, summary.quarantined) == (2, 1)
        assert zone.states() == ["done", "quarantined", "done"]
        assert set(zone.documents()) == {sif.ref("A"), sif.ref("C")}
    replay(url, zone.name)
    assert zone.states() == ["done"] * 3
    assert set(zone.documents()) == {sif.ref("A"), sif.ref("B"), sif.ref("C")}


def test_a_replay_that_cannot_load_what_was_loaded_changes_nothing(url, connection, monkeypatch):
    zone = sif.Inbox.new(connection)
    zone.put(*(sif.event("Add", sif.student(word), at=sif.minute(1)) for word in "ABCD"))
    zone.drain()
    before = zone.everything()
    with monkeypatch.context() as broken:
        with_rows(broken, failing("C"))
        with pytest.raises(ZeroDivisionError):
            replay(url, zone.name)
    assert zone.everything() == before


def test_an_unknown_zone_is_said_to_be_one(url):
    with pytest.raises(UnknownZone, match="nowhere"):
        replay(url, "nowhere")
