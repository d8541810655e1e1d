"""However an inbox is cut into batches, the warehouse comes out the same to the last recorded time."""

import pytest
import sif_events
import sif_text as sif
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

RELEASES = (
    "exit", "enrolled", "school moves to the district", "school of the district", "enrolled as the other",
    "student with a vendor's element", "district added", "other student added", "local id",
)  # fmt: skip
HEALS = ("student invalid", "student added", "address without a country", "first name", "student added anew")
TURNS = ("student added", "student deleted", "phone set", "student added", "phone deleted", "student in a response")

AGAIN = (
    "all again", "Ada again", "all again", "first name", "all again", "Ada, Cyd and Ada", "Cyd again", "local id",
    "Cyd again", "Cyd again", "student invalid", "Cyd again", "Ada spelled otherwise", "Ada again", "Ada again",
)  # fmt: skip
WARNED = ("Ada again", "Ada with a vendor's element", "Ada with a vendor's element")
LATE = ("enrolled", "all again", "student added anew", "all again in another order", "Ada twice", "exit", "all again")
RELEASED = ("student added", "school of nobody", "enrolled", "enrolled")

relaxed = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def inboxes(draw):
    """Draw what arrives, in which order, what of it again, and where batches end."""
    names = draw(st.one_of(sif_events.messages(10), sif_events.repetitions(12)))
    arrivals = draw(st.permutations(range(len(names))))
    again = draw(st.lists(st.sampled_from(arrivals), max_size=3))
    sizes = draw(st.lists(st.integers(1, 5), max_size=6))
    return names, [*arrivals, *again], sizes


def in_order(names):
    return names, range(len(names)), [2, 3]


def backwards(names):
    return names, [*reversed(range(len(names))), 0], [3, 1, 2]


@relaxed
@given(inboxes())
@example(in_order(RELEASES))
@example(backwards(RELEASES))
@example(in_order(HEALS))
@example(backwards(HEALS))
@example(in_order(TURNS))
@example(backwards(TURNS))
@example(in_order(AGAIN))
@example(backwards(AGAIN))
@example((AGAIN, [0, 1, 2, 4, 6, 8, 9, 10, 3, 5, 7, 11, 12, 13, 14], [4, 3]))
@example((LATE, [1, 3, 4, 6, 2, 0, 5], [2, 2]))
@example((WARNED, [1, 0, 2], []))
def test_every_batching_writes_the_same(connection, inbox):
    names, arrivals, sizes = inbox
    bodies = [sif_events.body(name, sif.minute(number)) for number, name in enumerate(names)]
    zone = sif.Inbox.new(connection)
    for number in arrivals:
        zone.put(bodies[number])
    at_once = zone.drain().everything()
    assert set(zone.states()) == {"done"}
    for cut in ([1] * len(names), sizes):
        # A zone at a time: a drain takes the work of every zone.
        assert sif.Inbox.new(connection).copy_of(zone).drain(*cut).everything() == at_once


@relaxed
@given(inboxes())
@example(backwards(RELEASES))
@example(backwards(HEALS))
@example(backwards(TURNS))
@example(backwards(AGAIN))
@example((AGAIN, [0, 1, 2, 4, 6, 8, 9, 10, 3, 5, 7, 11, 12, 13, 14], [4, 3]))
@example((LATE, [1, 3, 4, 6, 2, 0, 5], [2, 2]))
@example((RELEASED, [0, 3, 1, 2], [2, 2]))
def test_every_order_and_repetition_ends_with_the_same_objects(connection, inbox):
    names, arrivals, sizes = inbox
    bodies = [sif_events.body(name, sif.minute(number)) for number, name in enumerate(names)]
    by_time, otherwise = sif.Inbox.new(connection), sif.Inbox.new(connection)
    by_time.put(*bodies)
    by_time.drain()
    otherwise.put(*(bodies[number] for number in arrivals))
    otherwise.drain(*sizes)
    assert {*otherwise.states(), *by_time.states()} == {"done"}
    assert sense(otherwise.documents()) == sense(by_time.documents())
    said_again = {*unchanged_by_time(otherwise), *unchanged_by_time(by_time)}
    assert settled(otherwise, said_again) == settled(by_time, said_again)
    assert len(otherwise.states()) == len(names)


def sense(documents):
    """Give documents without their spelling, which is that of the image that came first of those that say the same."""
    return {key: etree.tostring(etree.fromstring(text), method="c14n") for key, text in documents.items()}


def settled(zone, said_again):
    """Give what became of every object, by SIF_Timestamp; what some order left out as unchanged counts as applied."""
    found = dict.fromkeys(unchanged_by_time(zone), ("applied", None, None))
    for ordered_at, position, *became in outcomes_by_time(zone):
        assert (ordered_at, position) not in found
        found[ordered_at, position] = tuple(became)
    assert {found[place] for place in said_again} <= {("applied", None, None)}
    return found


def unchanged_by_time(zone):
    """Give (SIF_Timestamp, position) of everything that was left out as unchanged."""
    return [
        (ordered_at, number + 1)
        for ordered_at, hashes in zone.all("SELECT ordered_at, hashes FROM inbox.unchanged WHERE zone_id = %(zone)s")
        for number in range(len(hashes) // 16)
        if any(hashes[number * 16 : number * 16 + 16])
    ]


def outcomes_by_time(zone):
    return zone.all(
        """
        SELECT e.ordered_at, e.position, e.outcome, e.waiting_object, e.waiting_key
        FROM inbox.object_event AS e WHERE e.zone_id = %(zone)s ORDER BY 1, e.position
        """
    )


def test_recorded_times_rise_in_the_zone_whatever_the_clock_says(connection):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A")), received=sif.minute(60))
    zone.put(sif.event("Add", sif.student("B")), received=sif.minute(50))
    zone.put(sif.event("Add", sif.student("C")), received=sif.minute(70))
    zone.drain(1)
    recorded = [at for (at,) in zone.all(
        "SELECT recorded_at FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id"
    )]  # fmt: skip
    assert recorded == [sif.minute(60), sif.minute(60).replace(microsecond=1), sif.minute(70)]


def test_a_message_without_objects_is_done(connection):
    zone = sif.Inbox.new(connection)
    zone.put(sif.response(), sif.event("Add", sif.student("A")))
    zone.drain(1)
    assert zone.states() == ["done", "done"]
    assert zone.outcomes() == ["applied"]


def test_one_bad_object_in_a_message_costs_that_object_only(connection):
    zone = sif.Inbox.new(connection)
    wrong = sif.student("B").replace("<LocalId>1</LocalId>", "")
    unknown = f'<BusInfo RefId="{sif.ref("X")}"/>'
    zone.put(sif.event("Add", sif.student("A"), wrong, unknown, sif.enrollment("E", "A", "S"), sif.student("C")))
    zone.drain()
    assert zone.outcomes() == ["applied", "rejected", "unknown", "held", "applied"]
    assert set(zone.documents()) == {sif.ref("A"), sif.ref("C")}
    assert zone.one("SELECT objects, held, rejected FROM inbox.message WHERE zone_id = %(zone)s") == (5, 1, 1)


def test_zones_do_not_see_each_other(connection):
    one, other = sif.Inbox.new(connection), sif.Inbox.new(connection)
    one.put(sif.event("Add", sif.lea("L")))
    other.put(sif.event("Add", sif.school("S", of="L")))
    one.put(sif.event("Add", sif.school("S", of="L", name="Mine")))
    one.drain()
    assert one.outcomes() == ["applied", "applied"]
    assert other.outcomes() == ["held"]


POISONOUS = {
    "a RefId that is no number": sif.student("A").replace(sif.ref("A"), "Z" * 32),
    "a RefId in another script": sif.student("A").replace(sif.ref("A"), "\u0664" * 32),
    "an endless number": sif.school("S", more=f"<ActiveSchoolYear>{'9' * 5000}</ActiveSchoolYear>"),
    "a date that is none": sif.student("A", more="<Demographics><BirthDate>2011-02-29</BirthDate></Demographics>"),
    "the year 0": sif.student("A", more="<Demographics><BirthDate>0000-01-01</BirthDate></Demographics>"),
}


@pytest.mark.parametrize("text", POISONOUS.values(), ids=POISONOUS)
def test_odd_values_are_findings_and_never_failures(connection, text):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", text))
    zone.drain()
    assert zone.states() == ["done"]
    assert zone.outcomes() == ["rejected"]
    assert zone.open_findings()


ODD = {
    "blanks around a RefId": sif.student("A").replace(sif.ref("A"), f" {sif.ref('A')}\n"),
    "a partial date": sif.student("A", more="<GraduationDate>2030-06</GraduationDate>"),
    "a year for a date": sif.student("A", more="<GraduationDate>2030</GraduationDate>"),
    "a date with its time zone": sif.student(
        "A", more="<Demographics><BirthDate>2011-02-28-05:00</BirthDate></Demographics>"
    ),
    "what COPY and arrays quote": sif.student(
        "A", first='\\N "{a,b}" \\t\\.', more=f"<AddressList>{''}</AddressList>" * 0
    ),
    "a vendor's element in a relative namespace": sif.student("A", more='<v:x xmlns:v="vendor" v:y="1"/>'),
    "signs around a number": sif.school("S", more="<ActiveSchoolYear> 2027 </ActiveSchoolYear>"),
    "every script": sif.student("A", first="李 \U0001f600 ᐅ é\u202e"),
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_but_valid_values_are_kept(connection, text):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", text))
    zone.drain()
    assert zone.outcomes() == ["applied"]


def test_line_breaks_tabs_and_backslashes_arrive_as_they_were(connection):
    zone = sif.Inbox.new(connection)
    title = 'a\\b\tc\nd\re\\N,{"x"}'
    written = title.replace('"', "&quot;").replace("\t", "&#9;").replace("\n", "&#10;").replace("\r", "&#13;")
    zone.put(
        sif.event("Add", sif.student("A", ids=f'<OtherIdList><OtherId Type="0164">{written}</OtherId></OtherIdList>'))
    )
    zone.drain()
    (found,) = zone.one("SELECT other_ids FROM sif.student_personal WHERE zone_id = %(zone)s")
    assert found == [{"@Type": "0164", "$": title}]
