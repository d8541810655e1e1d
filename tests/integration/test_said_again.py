"""What a SIF_Response says again is left out where it changes nothing, and taken in again where it matters."""

import pytest
import sif_text as sif

from sif_pipeline import repeats

NICKNAME = "<StateProvinceId>9</StateProvinceId>"


def events(zone):
    """Give (minute, position, outcome) of every object event."""
    found = zone.all(
        "SELECT ordered_at, position, outcome FROM inbox.object_event WHERE zone_id = %(zone)s ORDER BY 1, 2"
    )
    return [((at - sif.START).seconds // 60, position, outcome) for at, position, outcome in found]


def unchanged(zone):
    """Give how many objects of each message were left out, by SIF_Timestamp."""
    return [n for (n,) in zone.all("SELECT unchanged FROM inbox.message WHERE zone_id = %(zone)s ORDER BY ordered_at")]


def repeatable(zone):
    """Give the local ids of the students whose image would change nothing if it came again."""
    found = zone.all("SELECT local_id FROM sif.student_personal WHERE zone_id = %(zone)s AND repeatable ORDER BY 1")
    return [local_id for (local_id,) in found]


def night(*objects, at):
    return sif.response(*objects, at=sif.minute(at))


@pytest.mark.parametrize("sizes", [(), (1, 1, 1)], ids=["one batch", "a batch each"])
def test_a_night_without_news_leaves_no_events(connection, sizes):
    zone = sif.Inbox.new(connection)
    zone.put(*(night(sif.student("A", "1"), sif.student("B", "2"), at=number) for number in range(3)))
    zone.drain(*sizes)
    assert events(zone) == [(0, 1, "applied"), (0, 2, "applied")]
    assert unchanged(zone) == [0, 2, 2]
    assert zone.all("SELECT objects FROM inbox.message WHERE zone_id = %(zone)s") == [(2,)] * 3
    assert repeatable(zone) == ["1", "2"]


def test_what_is_new_among_what_is_known_is_taken_in(connection):
    zone = sif.Inbox.new(connection)
    zone.put(night(sif.student("A", "1"), sif.student("B", "2"), at=0))
    zone.drain()
    zone.put(night(sif.student("A", "1"), sif.student("B", "3"), sif.student("C", "4"), at=1))
    zone.drain()
    assert events(zone) == [(0, 1, "applied"), (0, 2, "applied"), (1, 2, "applied"), (1, 3, "applied")]
    assert unchanged(zone) == [0, 1]
    assert repeatable(zone) == ["1", "3", "4"]


@pytest.mark.parametrize(
    "between",
    [
        sif.event("Change", sif.sparse("StudentPersonal", "A", NICKNAME), at=sif.minute(1)),
        sif.event("Delete", sif.sparse("StudentPersonal", "A"), at=sif.minute(1)),
        sif.event("Add", sif.student("A", "1", more="<IDEA>Perhaps</IDEA>"), at=sif.minute(1)),
        sif.event("Add", sif.student("A", "1", more="<Shoes>40</Shoes>"), at=sif.minute(1)),
    ],
    ids=["changed", "deleted", "an open finding", "an open warning"],
)
def test_an_image_that_makes_something_good_again_is_read(connection, between):
    zone = sif.Inbox.new(connection)
    zone.put(night(sif.student("A", "1"), at=0), between)
    zone.drain(1)
    assert repeatable(zone) == []
    zone.put(night(sif.student("A", "1"), at=2), night(sif.student("A", "1"), at=3))
    zone.drain(1)
    assert unchanged(zone) == [0, 0, 0, 1]
    assert repeatable(zone) == ["1"]
    assert zone.open_findings() == []


@pytest.mark.parametrize("few", [0, repeats.FEW], ids=["looked up", "searched for"])
@pytest.mark.parametrize("sizes", [(), (1, 1, 1)], ids=["one batch", "a batch each"])
def test_a_late_change_comes_before_what_was_said_again(connection, sizes, few, monkeypatch):
    monkeypatch.setattr(repeats, "FEW", few)
    zone = sif.Inbox.new(connection)
    zone.put(night(sif.student("A", "1"), at=0), night(sif.student("B", "2"), sif.student("A", "1"), at=2))
    zone.put(night(sif.student("A", "1"), at=4))
    zone.put(sif.event("Change", sif.sparse("StudentPersonal", "A", NICKNAME), at=sif.minute(3)))
    zone.drain(*sizes)
    assert "StateProvinceId" not in zone.documents()[sif.ref("A")]
    assert events(zone) == [(0, 1, "applied"), (2, 1, "applied"), (3, 1, "applied"), (4, 1, "applied")]
    assert unchanged(zone) == [0, 1, 0, 0]


def test_a_message_that_is_not_the_newest_is_read(connection):
    zone = sif.Inbox.new(connection)
    zone.put(night(sif.student("A", "1"), at=0), night(sif.student("B", "2"), at=2), night(sif.student("A", "1"), at=1))
    zone.drain(1)
    assert events(zone) == [(0, 1, "applied"), (1, 1, "applied"), (2, 1, "applied")]


def test_one_whose_clock_is_wrong_is_read(connection):
    zone = sif.Inbox.new(connection)
    zone.put(night(sif.student("A", "1"), at=0), night(sif.student("A", "1"), at=10_000))
    zone.drain(1)
    assert unchanged(zone) == [0, 0]
    assert ("timestamp_implausible", "SIF_Header/SIF_Timestamp") in zone.open_findings()


def test_zones_know_their_own_images_only(connection):
    one, other = sif.Inbox.new(connection), sif.Inbox.new(connection)
    one.put(night(sif.student("A", "1"), at=0))
    one.drain()
    other.put(night(sif.student("A", "1"), at=1))
    other.drain()
    assert (unchanged(one), unchanged(other)) == ([0], [0])
