"""What a SIF_Response says again is left out where it changes nothing, and taken in again where it matters."""

import pytest
import sif_text as sif

from sif_pipeline.loading import repeats
from sif_pipeline.loading.store import DatabaseStore
from sif_pipeline.reading import content
from sif_pipeline.sif.cutting import Slice

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


def digest_of(text):
    """Give the hash of an object in the usual spelling."""
    return content.digest(Slice(1, "Response", text[1 : text.index(" ")], text, 1))


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


OWN_NAMESPACE = (
    '<SIF_ExtendedElements><SIF_ExtendedElement Name="x"><v:y xmlns:v="urn:v">1</v:y></SIF_ExtendedElement>'
    "</SIF_ExtendedElements>"
)


@pytest.mark.parametrize("more", ["", OWN_NAMESPACE], ids=["cut", "parsed"])
def test_what_this_batch_changed_is_read_again(connection, more):
    """An object with a namespace of its own cannot be cut, but its hash says enough."""
    zone = sif.Inbox.new(connection)
    nights = [night(sif.student("B", "2"), sif.student("A", "1", more=more), at=at) for at in (0, 1, 3, 4)]
    zone.put(*nights[:2])
    zone.drain(1)
    assert unchanged(zone) == [0, 2]
    zone.put(sif.event("Change", sif.sparse("StudentPersonal", "A", NICKNAME), at=sif.minute(2)), *nights[2:])
    zone.drain()
    assert events(zone) == [(0, 1, "applied"), (0, 2, "applied"), (2, 1, "applied"), (3, 2, "applied")]
    assert unchanged(zone) == [0, 2, 0, 1, 2]
    assert "StateProvinceId" not in zone.documents()[sif.ref("A")]


@pytest.mark.parametrize(
    "odd",
    [
        "{a}<Shelf>{b}{c}</Shelf><Shoes/>",
        "{a}<StudentPersonal>{b}</StudentPersonal>{c}",
        "{a}<!-- {b} -->{c}",
        "{a}<SchoolInfo><SchoolName>North</SchoolName></SchoolInfo>{b}",
        "{a}{b}<Shoes/>",
        "{a} {b}\t{c}",
        "{a}<StudentPersonal RefId='9'/>{c}",
    ],
)
def test_what_is_known_is_known_in_its_place_only(connection, odd):
    """Objects within others, beside others, commented out: all is as in a zone that knew nothing before."""
    known = {one: sif.student(one.upper(), one) for one in "abc"}
    zone, fresh = sif.Inbox.new(connection), sif.Inbox.new(connection)
    zone.put(night(*known.values(), at=0))
    zone.drain()
    for one in (zone, fresh):
        one.put(night(odd.format(**known), at=1))
        one.drain()
    ((size,),) = fresh.all("SELECT objects FROM inbox.message WHERE zone_id = %(zone)s")
    sizes = zone.all("SELECT objects FROM inbox.message WHERE zone_id = %(zone)s ORDER BY ordered_at")
    assert sizes == [(3,), (size,)]
    heard = [(position, outcome) for minute, position, outcome in events(zone) if minute == 1]
    assert set(heard) <= {(position, outcome) for _, position, outcome in events(fresh)}
    assert len(heard) + unchanged(zone)[1] == size
    left = {position for _, position, _ in events(fresh)} - {position for position, _ in heard}
    assert all((1, position, "applied") in events(fresh) for position in left)
    assert sorted(zone.open_findings()) == sorted(fresh.open_findings())


@pytest.mark.parametrize("among", [(), ("C",), ("C", "D", "C")])
def test_only_what_is_new_is_unknown(connection, among):
    zone = sif.Inbox.new(connection)
    zone.put(night(sif.student("A", "1"), sif.student("B", "2"), at=0))
    zone.drain()
    store = DatabaseStore(connection)
    digests = {one: digest_of(sif.student(one, "1" if one == "A" else "2")) for one in "ABCD"}
    asked = [digests[one] for one in ("A", *among, "B", "A")]
    assert store.unknown(zone.zone_id, "StudentPersonal", asked) == {digests[one] for one in among}
    assert store.unknown(zone.zone_id + 10_000, "StudentPersonal", asked) == set(asked)
