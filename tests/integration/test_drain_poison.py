"""A message on which the drain fails is taken out of the way of the others; when everything fails, nothing is."""

import pytest
import sif_text as sif
from sif_rows import failing, with_rows

from sif_pipeline.exceptions import DatabaseUnreachable
from sif_pipeline.loading import drain, writing
from sif_pipeline.loading.drain import Limits
from sif_pipeline.reading import mapping


@pytest.fixture
def zone(module_database_url):
    with sif.connected(module_database_url) as connection:
        yield sif.Inbox.new(connection)


def attempts(zone):
    return zone.all(
        "SELECT state, attempts, last_failure FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id"
    )


def students(words):
    return [sif.event("Add", sif.student(word), at=sif.minute(1)) for word in words]


def drain_until_empty(zone, messages=500):
    summary = drain.DrainSummary()
    while (done := drain.drain_batch(zone.connection, Limits(messages=messages))) is not None:
        summary.add(done)
    return summary


def test_a_poisonous_message_is_quarantined_after_three_tries_and_its_neighbours_load(zone, monkeypatch):
    with_rows(monkeypatch, failing("B"))
    zone.put(*students("ABC"))
    tried = []
    while drain.drain_batch(zone.connection, Limits()) is not None:
        tried.append(attempts(zone))
    states = [("pending", 1), ("pending", 2), ("quarantined", 3)]
    assert [rows[1] for rows in tried] == [(*state, "ZeroDivisionError") for state in states]
    assert [rows[0] for rows in tried] == [("done", 0, None)] * 3
    assert [rows[2] for rows in tried] == [("done", 0, None)] * 3
    assert set(zone.documents()) == {sif.ref("A"), sif.ref("C")}


def test_a_value_the_database_refuses_is_a_poison_too_and_named_by_its_sqlstate(zone, monkeypatch):
    def misspell(content, row):
        cells, notices = row
        if content.element.get("RefId") != sif.ref("B"):
            return row
        place = mapping.plan(content.cls).columns.index("birth_date")
        return ["no date" if n == place else cell for n, cell in enumerate(cells)], notices

    with_rows(monkeypatch, misspell)
    zone.put(*students("ABC"))
    assert drain_until_empty(zone).quarantined == 1
    assert attempts(zone)[1] == ("quarantined", 3, "InvalidDatetimeFormat 22007")
    assert zone.states() == ["done", "quarantined", "done"]


def test_a_poison_in_the_midst_of_many_costs_itself_only(zone, monkeypatch):
    words = [f"student {number}" for number in range(45)]
    with_rows(monkeypatch, failing(words[30], words[31]))
    zone.put(*students(words))
    assert drain_until_empty(zone, messages=40).quarantined == 2
    assert [n for n, state in enumerate(zone.states()) if state == "quarantined"] == [30, 31]
    assert len(zone.documents()) == 43


def test_other_zones_do_not_notice(zone, monkeypatch):
    other = sif.Inbox.new(zone.connection)
    with_rows(monkeypatch, failing("B"))
    zone.put(*students("B"))
    other.put(*students("ACD"))
    assert drain_until_empty(zone).quarantined == 1
    assert (zone.states(), other.states()) == (["quarantined"], ["done"] * 3)


@pytest.mark.parametrize("broken", ["mapping", "loading"])
def test_when_everything_fails_nothing_is_quarantined_and_it_loads_once_mended(zone, monkeypatch, broken):
    zone.put(*students("ABCDE"))
    with monkeypatch.context() as patched:
        if broken == "mapping":
            with_rows(patched, lambda *_: 1 / 0)
        else:
            patched.setattr(writing, "write", lambda *_: 1 / 0)
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                drain.drain_batch(zone.connection, Limits())
        assert attempts(zone) == [("pending", 0, None)] * 5
    assert drain_until_empty(zone).loaded == 5
    assert attempts(zone) == [("done", 0, None)] * 5


def test_a_series_of_bad_messages_at_the_head_stops_nobody(zone, monkeypatch):
    """A vendor's bug comes in series: every one of several messages fails, and still it is theirs."""
    other = sif.Inbox.new(zone.connection)
    with_rows(monkeypatch, failing(*"ABCDE"))
    zone.put(*students("ABCDEF"))
    other.put(*students("GH"))
    assert drain_until_empty(zone).quarantined == 5
    assert zone.states() == ["quarantined"] * 5 + ["done"]
    assert other.states() == ["done"] * 2


def test_the_bodies_of_poisonous_messages_stay_as_they_were(zone, monkeypatch):
    bodies = students("AB")
    with_rows(monkeypatch, failing("B"))
    zone.put(*bodies)
    drain_until_empty(zone)
    stored = zone.all("SELECT body FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id")
    assert [bytes(body) for (body,) in stored] == bodies


def test_a_stored_message_that_cannot_be_read_is_rejected_and_says_so(zone):
    zone.put(*students("AB"))
    zone.connection.execute(
        "UPDATE inbox.message SET body = substr(body, 1, 300)"
        " WHERE zone_id = %s AND message_id = (SELECT min(message_id) FROM inbox.message WHERE zone_id = %s)",
        (zone.zone_id, zone.zone_id),
    )
    zone.drain()
    assert zone.states() == ["done", "done"]
    assert zone.outcomes() == ["rejected", "applied"]
    assert zone.open_findings() == [("message_unreadable", "")]
    counts = zone.all("SELECT objects, rejected FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id")
    assert counts == [(1, 1), (1, 0)]


def test_a_database_that_is_away_is_one_sentence(tmp_path):
    with pytest.raises(DatabaseUnreachable) as caught:
        drain.drain("postgresql://sif:secret@127.0.0.1:1/sif")
    assert str(caught.value) == (
        "The database does not answer; check SIF_DATABASE_URL, or unset it to use the embedded server."
    )


def test_an_object_of_another_namespace_is_not_ours(zone):
    zone.put(sif.event("Add", sif.student("A"), at=sif.minute(1)))
    drain_until_empty(zone)
    foreign = sif.sparse("StudentPersonal", "A").replace("<StudentPersonal", '<StudentPersonal xmlns="urn:x"', 1)
    zone.put(sif.event("Delete", foreign, at=sif.minute(2)))
    drain_until_empty(zone)
    assert len(zone.documents()) == 1
    (outcome,) = zone.one("SELECT outcome FROM inbox.object_event WHERE action = 'Delete' AND zone_id = %(zone)s")
    assert outcome == "rejected"
