"""Full syncs against a real database: what is found, what is applied, what waits, and what a crash leaves behind."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sif_text as sif
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sif_sync import District
from typer.testing import CliRunner

from sif_pipeline import reports
from sif_pipeline.cli import sync as sync_command
from sif_pipeline.config import PROJECT
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.loading.replay import replay
from sif_pipeline.reading import mapping
from sif_pipeline.sif import carried, gate, inspection, schema
from sif_pipeline.state import reconciliation, rounds, syncs
from warehouse.base import objects

EXAMPLES = PROJECT / "tests/examples"


@pytest.fixture
def district(database_url):
    with sif.connected(database_url) as connection:
        yield District.new(connection, database_url)


def students(*words, first="Ada"):
    return [sif.student(word, local=word, first=first) for word in words]


def test_first_sync_is_applied_without_findings(district):
    sync = district.sync("StudentPersonal", students("A", "B"), students("C"))
    assert (sync.state, sync.there, sync.here, sync.missing_here) == ("applied", 3, 0, 3)
    assert set(district.inbox.drain().documents()) == {sif.ref("A"), sif.ref("B"), sif.ref("C")}
    assert district.inbox.open_findings() == []
    assert syncs.differences(district.url, sync.sync_id) == []


def test_packets_wait_until_the_last_one_is_there(district):
    sync = district.ask("StudentPersonal")
    district.answer(sync, students("A"), more=True)
    reconciliation.advance(district.url)
    assert district.show(sync).state == "receiving"
    assert district.inbox.drain().states() == ["staged"]
    district.answer(sync, students("B"))
    reconciliation.advance(district.url)
    assert district.show(sync).state == "applied"
    assert district.inbox.drain().states() == ["done", "done"]


def test_what_events_lost_is_found_and_repaired(district):
    district.load(*students("same", "changed", "gone", "more", "still more", "yet more"))
    district.limit(0.5)
    there = [*students("same", "new", "more", "still more", "yet more"), *students("changed", first="Ben")]
    sync = district.sync("StudentPersonal", there)
    assert (sync.state, sync.there, sync.here) == ("applied", 6, 6)
    assert (sync.missing_here, sync.missing_there, sync.different) == (1, 1, 1)
    assert {(d.kind, d.row_key.upper()) for d in syncs.differences(district.url, sync.sync_id)} == {
        ("missing_here", sif.ref("new")), ("missing_there", sif.ref("gone")), ("different", sif.ref("changed")),
    }  # fmt: skip
    assert [code for code, _ in district.inbox.open_findings()] == [
        "sync_different", "sync_missing_here", "sync_missing_there",
    ]  # fmt: skip
    found = district.inbox.drain().documents()
    assert set(found) == {sif.ref(word) for word in ("same", "new", "changed", "more", "still more", "yet more")}
    assert "Ben" in found[sif.ref("changed")]
    assert district.inbox.open_findings() == []


def test_spelling_of_the_answer_makes_no_difference(district):
    district.load(*students("A"))
    spelled = sif.student("A", local="A").replace("><", ">\n  <").replace("<StudentPersonal ", "<StudentPersonal\n ")
    sync = district.sync("StudentPersonal", [spelled])
    assert (sync.different, sync.missing_here, sync.missing_there) == (0, 0, 0)


def test_attributes_in_another_order_make_no_difference_either(district):
    enrollment = sif.enrollment("E", of="A", at="S", entry="2026-09-01")
    district.load(*students("A"), sif.school("S"), enrollment)
    start, rest = enrollment.split(">", 1)
    name, *attributes = start.split(" ")
    sync = district.sync("StudentSchoolEnrollment", [" ".join([name, *reversed(attributes)]) + ">" + rest])
    assert len(attributes) > 2
    assert (sync.there, sync.different, sync.missing_here, sync.missing_there) == (1, 0, 0, 0)
    assert syncs.differences(district.url, sync.sync_id) == []


def test_what_changed_after_the_answer_is_no_difference(district):
    district.load(*students("A", "B", "C"), minute=1)
    sync = district.ask("StudentPersonal")
    late = district.now + timedelta(minutes=2)
    district.inbox.put(sif.event("Change", sif.sparse("StudentPersonal", "A", "<LocalId>9</LocalId>"), at=late))
    district.inbox.put(sif.event("Delete", sif.sparse("StudentPersonal", "B"), at=late))
    district.inbox.put(sif.event("Add", *students("D"), at=late))
    district.inbox.drain()
    district.answer(sync, students("A", "B", "C"), at=district.now)
    reconciliation.advance(district.url)
    found = district.show(sync)
    assert (found.state, found.different, found.missing_here, found.missing_there) == ("applied", 0, 0, 0)
    documents = district.inbox.drain().documents()
    assert set(documents) == {sif.ref("A"), sif.ref("C"), sif.ref("D")}
    assert "<LocalId>9</LocalId>" in documents[sif.ref("A")]


def test_what_came_in_after_the_question_is_not_deleted_whatever_its_time(district):
    district.limit(1)
    district.load(*students("A"), minute=1)
    sync = district.ask("StudentPersonal")
    district.load(*students("late"), minute=2)
    district.answer(sync, students("A"))
    reconciliation.advance(district.url)
    assert district.show(sync).missing_there == 0
    assert set(district.inbox.drain().documents()) == {sif.ref("A"), sif.ref("late")}


def test_an_event_that_comes_after_a_sync_is_placed_before_it(district):
    district.limit(1)
    district.load(*students("A", "B"), minute=1)
    sync = district.sync("StudentPersonal", students("A", first="Ben"))
    assert sync.state == "applied"
    district.inbox.drain()
    district.load(*students("A", first="Cyd"), *students("B", first="Cyd"), minute=2)
    documents = district.inbox.documents()
    assert set(documents) == {sif.ref("A")}
    assert "Ben" in documents[sif.ref("A")]


def test_beyond_the_limit_a_person_decides(district):
    district.load(*students("A", "B", "C", "D"))
    sync = district.sync("StudentPersonal", students("A", "B"))
    assert (sync.state, sync.missing_there) == ("waiting", 2)
    assert sync.reason == "It would delete 2 and change 0: 50.0 % of 4 objects (10.0 % may)."
    reconciliation.advance(district.url)
    assert len(district.inbox.drain().documents()) == 4
    accepted = syncs.accept(district.url, sync.sync_id, "pat")
    assert (accepted.state, accepted.decided_by) == ("applied", "pat")
    assert set(district.inbox.drain().documents()) == {sif.ref("A"), sif.ref("B")}
    with pytest.raises(ConfigurationError, match="does not wait for a decision: it is applied"):
        syncs.accept(district.url, sync.sync_id, "pat")


def test_accepted_without_deletions_it_only_brings(district):
    district.load(*students("A", "B"))
    sync = district.sync("StudentPersonal", students("A", first="Ben"))
    syncs.accept(district.url, sync.sync_id, "pat", deletes=False)
    documents = district.inbox.drain().documents()
    assert set(documents) == {sif.ref("A"), sif.ref("B")}
    assert "Ben" in documents[sif.ref("A")]
    assert district.inbox.open_findings() == [("sync_missing_there", "StudentPersonal")]


def test_refused_it_changes_nothing_and_keeps_the_packets(district):
    district.load(*students("A", "B"))
    before = district.inbox.documents()
    sync = syncs.refuse(district.url, district.sync("StudentPersonal", students("C")).sync_id, "pat")
    assert (sync.state, sync.decided_by) == ("refused", "pat")
    assert district.inbox.drain().documents() == before
    assert district.inbox.states() == ["done", "done", "kept"]
    assert district.inbox.open_findings() == []


def test_refused_it_leaves_the_findings_of_an_accepted_one(district):
    district.load(*students("A", "B"))
    first = district.sync("StudentPersonal", students("A"))
    syncs.accept(district.url, first.sync_id, "pat", deletes=False)
    district.inbox.drain()
    second = district.sync("StudentPersonal", students("A"))
    syncs.refuse(district.url, second.sync_id, "pat")
    assert district.inbox.open_findings() == [("sync_missing_there", "StudentPersonal")]
    third = district.sync("StudentPersonal", students("A"))
    syncs.accept(district.url, third.sync_id, "pat", deletes=False)
    district.inbox.drain()
    assert district.inbox.open_findings() == [("sync_missing_there", "StudentPersonal")]


def test_between_comparison_and_decision_the_world_goes_on(district):
    district.load(*students("A", "B", "C"))
    sync = district.sync("StudentPersonal", students("A", first="Ben"))
    district.load(*students("B", first="Dee"), minute=300)
    syncs.accept(district.url, sync.sync_id, "pat")
    documents = district.inbox.drain().documents()
    assert set(documents) == {sif.ref("A"), sif.ref("B")}
    assert "Dee" in documents[sif.ref("B")]


def test_a_newer_sync_ends_one_that_waits(district):
    district.load(*students("A", "B"))
    first = district.sync("StudentPersonal", students("C"))
    second = district.sync("StudentPersonal", students("A", "B"))
    assert (second.state, district.show(first).state) == ("applied", "refused")
    assert district.show(first).reason == f"Sync {second.sync_id} has newer data."


def test_objects_whose_key_cannot_be_read_let_nothing_be_deleted_unseen(district):
    district.load(*students("A", "B"))
    district.limit(1)
    nameless = sif.student("B", local="B").replace(sif.ref("B"), "not a RefId")
    sync = district.sync("StudentPersonal", [*students("A"), nameless])
    assert sync.state == "waiting"
    assert sync.reason == "1 object of the answer without a readable key, 1 missing."


def test_years_the_answer_does_not_speak_of_are_left_alone(district):
    district.limit(1)
    parents = [sif.student("P"), sif.school("S")]
    last_year = [sif.enrollment(f"E{n}", of="P").replace("2027", "2026") for n in range(3)]
    district.load(*parents, *last_year, sif.enrollment("this", of="P"))
    sync = district.sync("StudentSchoolEnrollment", [sif.enrollment("other", of="P")])
    assert (sync.here, sync.missing_here, sync.missing_there) == (1, 1, 1)
    district.inbox.drain()
    assert {sif.ref(word) for word in ("E0", "E1", "E2", "other")} < set(district.inbox.documents())
    assert sif.ref("this") not in district.inbox.documents()


def test_what_another_agent_of_the_zone_sent_is_not_the_asked_ones_to_deny(district):
    district.limit(1)
    district.register("HR")
    district.load(*students("A", "B"))
    district.inbox.put(sif.event("Add", *students("C"), at=sif.minute(1), source="HR"))
    district.inbox.drain()
    assert district.sync("StudentPersonal", students("A")).missing_there == 1
    assert set(district.inbox.drain().documents()) == {sif.ref("A"), sif.ref("C")}
    district.inbox.connection.execute("UPDATE inbox.agent SET unregistered_at = now() WHERE source_id = 'HR'")
    assert district.sync("StudentPersonal", students("A")).missing_there == 1
    assert set(district.inbox.drain().documents()) == {sif.ref("A")}


def test_a_zone_that_is_in_other_hands_is_left_for_later(district, monkeypatch):
    sync = district.ask("StudentPersonal")
    district.answer(sync, students("A"))
    monkeypatch.setattr(reconciliation, "LOCK_TIMEOUT", "100ms")
    with district.inbox.connection.transaction():
        district.inbox.one("SELECT pg_advisory_xact_lock(7437, %(zone)s)")
        reconciliation.advance(district.url)
        assert district.show(sync).state == "receiving"
    reconciliation.advance(district.url)
    assert district.show(sync).state == "applied"


def test_an_empty_answer_waits(district):
    district.load(sif.student("P"), sif.school("S"), sif.enrollment("E", of="P"))
    sync = district.sync("StudentSchoolEnrollment", [])
    assert (sync.state, sync.there, sync.here, sync.missing_there) == ("waiting", 0, 1, 1)


@pytest.mark.parametrize("name", sorted(objects()))
def test_a_deletion_names_the_same_object(name):
    """Its key alone, valid as a Delete, and hashed to the same row key."""
    (example,) = carried.objects(gate.open_message((EXAMPLES / name / "valid/minimal.xml").read_bytes()))
    cls, element = objects()[name], example.element
    key = mapping.row_key(cls, element)
    deleted = gate.reopen_object(reconciliation._key(cls, key, mapping.document(element)))
    assert inspection.findings(deleted, schema.Profile.KEY) == []
    assert mapping.row_key(cls, deleted) == key
    assert len(deleted) < len(element) or len(element) <= len(cls.key_paths)


@pytest.mark.parametrize("step", ["_compare", "_release"])
def test_a_crash_within_a_step_is_as_if_it_had_not_begun(district, step, monkeypatch):
    district.limit(1)
    district.load(*students("A", "B"))
    sync = district.ask("StudentPersonal")
    district.answer(sync, students("A", first="Ben"))
    good = getattr(reconciliation, step)

    def dies(connection, sync_id):
        good(connection, sync_id)
        raise psycopg.OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(reconciliation, step, dies)
        reconciliation.advance(district.url)
    assert district.inbox.drain().states() == ["done", "done", "staged"]
    for _ in range(2):
        reconciliation.advance(district.url)
    assert district.show(sync).state == "applied"
    assert set(district.inbox.drain().documents()) == {sif.ref("A")}
    assert district.inbox.states() == ["done", "done", "done", "done"]


def test_what_came_before_is_drained_first(district):
    district.limit(1)
    district.load(*students("A"))
    sync = district.ask("StudentPersonal")
    district.inbox.put(sif.event("Add", *students("B"), at=sif.minute(3)))
    district.answer(sync, students("A", "B"))
    reconciliation.advance(district.url)
    assert district.show(sync).state == "receiving"
    district.inbox.drain()
    reconciliation.advance(district.url)
    assert (district.show(sync).state, district.show(sync).missing_here) == ("applied", 0)


def night(district, *objects, at, source=sif.SOURCE):
    """Send what a nightly synchronisation says, outside any full sync, and drain it."""
    district.inbox.put(sif.response(*objects, at=at, source=source))
    district.inbox.drain()


def unchanged(district):
    """Give how many objects of each message were left out, in the order of arrival."""
    return [n for (n,) in district.inbox.all(UNCHANGED)]


UNCHANGED = "SELECT unchanged FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id"


def test_syncs_that_say_again_what_is_known_are_compared_and_leave_no_events(district):
    district.load(*students("A", "B"))
    before = district.inbox.documents()
    for _ in range(2):
        sync = district.sync("StudentPersonal", students("A"), students("B"))
        assert (sync.state, sync.there, sync.here) == ("applied", 2, 2)
        assert (sync.missing_here, sync.missing_there, sync.different) == (0, 0, 0)
        assert district.inbox.drain().documents() == before
    assert unchanged(district) == [0, 0, 1, 1, 1, 1]
    assert district.inbox.outcomes() == ["applied"] * 2
    assert district.inbox.open_findings() == []


def test_a_sync_that_is_partly_known_is_repaired_where_it_is_not(district):
    district.limit(1)
    night(district, *students("same", "changed", "gone"), at=sif.minute(0))
    night(district, *students("same", "changed", "gone"), at=sif.minute(1))
    there = [*students("same", "new"), *students("changed", first="Ben")]
    sync = district.sync("StudentPersonal", there)
    assert (sync.missing_here, sync.missing_there, sync.different) == (1, 1, 1)
    found = district.inbox.drain().documents()
    assert set(found) == {sif.ref(word) for word in ("same", "new", "changed")}
    assert "Ben" in found[sif.ref("changed")]
    assert unchanged(district) == [0, 3, 1, 0]
    again = district.sync("StudentPersonal", there)
    assert (again.state, again.missing_here, again.missing_there, again.different) == ("applied", 0, 0, 0)
    assert district.inbox.drain().documents() == found
    assert unchanged(district) == [0, 3, 1, 0, 3]
    back = district.sync("StudentPersonal", [*there, *students("gone")])
    assert (back.missing_here, back.missing_there, back.different) == (1, 0, 0)
    assert sif.ref("gone") in district.inbox.drain().documents()


def test_what_was_said_again_after_the_question_is_not_deleted(district):
    district.limit(1)
    district.load(*students("A", "B", "C"), minute=1)
    sync = district.ask("StudentPersonal")
    night(district, *students("B"), at=sif.minute(2))
    district.answer(sync, students("A"))
    reconciliation.advance(district.url)
    assert district.show(sync).missing_there == 1
    assert set(district.inbox.drain().documents()) == {sif.ref("A"), sif.ref("B")}
    assert unchanged(district) == [0, 0, 0, 1, 1, 0]


def test_what_was_said_again_after_the_answer_is_no_difference(district):
    district.load(*students("A", "B"), minute=1)
    night(district, *students("A", "B"), at=district.now + timedelta(minutes=5))
    sync = district.sync("StudentPersonal", students("A", first="Ben"))
    assert (sync.state, sync.different, sync.missing_there) == ("applied", 0, 0)
    documents = district.inbox.drain().documents()
    assert set(documents) == {sif.ref("A"), sif.ref("B")}
    assert "Ben" not in documents[sif.ref("A")]
    assert unchanged(district) == [0, 0, 1, 0]  # the answer is late, and what was said again of it is an event now


def test_what_another_agent_said_again_is_not_the_asked_ones_to_deny(district):
    district.limit(1)
    district.register("HR")
    district.load(*students("A", "B", "C"))
    night(district, *students("C"), at=sif.minute(1), source="HR")
    assert unchanged(district) == [0, 0, 0, 1]
    assert district.sync("StudentPersonal", students("A")).missing_there == 1
    assert set(district.inbox.drain().documents()) == {sif.ref("A"), sif.ref("C")}


def test_what_is_said_again_while_a_sync_waits_is_not_deleted(district, monkeypatch):
    monkeypatch.setattr(reconciliation, "FINDINGS", 0)  # an object that is only listed, as beyond the cap
    district.load(*students("A", "B", "C"))
    sync = district.sync("StudentPersonal", students("A"))
    assert (sync.state, sync.missing_there) == ("waiting", 2)
    night(district, *students("B"), at=sif.minute(1))
    assert unchanged(district) == [0, 0, 0, 0, 1]
    syncs.accept(district.url, sync.sync_id, "pat")
    assert set(district.inbox.drain().documents()) == {sif.ref("A"), sif.ref("B")}


def test_the_same_image_ends_what_a_sync_found_and_is_left_out_from_then_on(district):
    district.load(*students("A", "B"))
    sync = district.sync("StudentPersonal", students("A"))
    syncs.accept(district.url, sync.sync_id, "pat", deletes=False)
    district.inbox.drain()
    assert district.inbox.open_findings() == [("sync_missing_there", "StudentPersonal")]
    for minute in (1, 2):
        night(district, *students("A", "B"), at=datetime.now(UTC) + timedelta(minutes=minute))
        assert district.inbox.open_findings() == []
    assert unchanged(district) == [0, 0, 1, 1, 2]
    rows = [district.inbox.everything()[f"{schema}.student_personal"] for schema in ("sif", "sif_history")]
    replay(district.url, district.inbox.name)
    assert rows == [district.inbox.everything()[f"{schema}.student_personal"] for schema in ("sif", "sif_history")]


def test_a_replay_after_a_refused_sync_gives_the_same_warehouse(district):
    night(district, *students("A", "B"), at=sif.minute(0))
    syncs.refuse(district.url, district.sync("StudentPersonal", students("A")).sync_id, "pat")
    night(district, *students("A", "B"), at=sif.minute(1))
    before = district.inbox.everything()
    assert unchanged(district) == [0, 0, 2]
    replay(district.url, district.inbox.name)
    assert district.inbox.everything() == before


def test_replay_after_a_sync_gives_the_same_warehouse(district):
    district.limit(1)
    district.load(*students("A", "B", "C"))
    district.sync("StudentPersonal", students("A"), students("B", "D", first="Ben"))
    district.inbox.drain()
    district.load(*students("E"), minute=300)
    before = district.inbox.everything()
    replay(district.url, district.inbox.name)
    assert district.inbox.everything() == before
    replay(district.url, district.inbox.name, datetime.now(UTC) - timedelta(minutes=1))
    assert district.inbox.everything() == before


def test_a_report_as_of_before_the_decision_does_not_change(district):
    district.load(*students("A", "B"))
    sync = district.sync("StudentPersonal", students("A", first="Ben"))
    moment = datetime.now(UTC)
    syncs.accept(district.url, sync.sync_id, "pat")
    district.inbox.drain()
    late = district.inbox.all(
        "SELECT recorded_at FROM inbox.message WHERE zone_id = %(zone)s AND recorded_at <= %(at)s"
        " AND message_type <> 'SIF_Event'", at=moment,
    )  # fmt: skip
    assert late == []


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ("failed", "The request ended with SIF_Error 8/9: Unsupported query in request."),
        ("cancelled", "The request was cancelled."),
        ("timed_out", "The answer did not come in time."),
    ],
)
def test_an_answer_that_is_not_complete_is_not_compared(district, state, reason):
    district.load(*students("A"))
    sync = district.ask("StudentPersonal")
    district.answer(sync, students("B"), more=True)
    district.end(sync, state, "8/9")
    reconciliation.advance(district.url)
    assert (district.show(sync).state, district.show(sync).reason) == ("failed", reason)
    assert district.inbox.drain().states() == ["done", "kept"]


def test_one_broken_answer_stops_no_other(district, monkeypatch):
    broken, good = district.ask("StudentPersonal"), district.ask("SchoolInfo")
    district.answer(broken, students("A"))
    district.answer(good, [sif.school("S")])
    read = reconciliation._read_answer

    def fails(connection, sync):
        if sync.sync_id == broken.sync_id:
            raise ZeroDivisionError
        return read(connection, sync)

    monkeypatch.setattr(reconciliation, "_read_answer", fails)
    reconciliation.advance(district.url)
    assert (district.show(broken).state, district.show(good).state) == ("failed", "applied")
    assert district.show(broken).reason == "It could not be compared (ZeroDivisionError): a defect of the program."


def test_a_sync_that_failed_is_no_outcome(district, monkeypatch):
    sync = district.ask("StudentPersonal")
    district.answer(sync, students("A"))
    monkeypatch.setattr(reconciliation, "_read_answer", lambda *_: 1 / 0)
    reason = f"Failed: sync {sync.sync_id} of StudentPersonal: It could not be compared \\(ZeroDivisionError\\)"
    with pytest.raises(rounds.SyncFailed, match=reason):
        rounds.outcome(district.url, [sync.request_msg_id])


def test_the_command_that_takes_syncs_on_fails_where_one_failed(district, monkeypatch):
    sync = district.ask("StudentPersonal")
    district.answer(sync, students("A"))
    monkeypatch.setattr(reconciliation, "_read_answer", lambda *_: 1 / 0)
    done = CliRunner().invoke(sync_command.sync, ["advance"], env={"SIF_DATABASE_URL": district.url})
    assert (done.exit_code, "1 sync failed" in done.stdout) == (1, True)
    said = f"Sync {sync.sync_id} of StudentPersonal in zone {district.inbox.name} failed. It could not be compared"
    assert said in done.stderr


@pytest.mark.parametrize("error", [psycopg.errors.DeadlockDetected, psycopg.errors.DiskFull])
def test_what_the_database_cannot_do_now_is_left_for_later_and_stops_no_other(district, monkeypatch, error):
    late, good = district.ask("StudentPersonal"), district.ask("SchoolInfo")
    district.answer(late, students("A"))
    district.answer(good, [sif.school("S")])
    read = reconciliation._read_answer

    def fails(connection, sync):
        if sync.sync_id == late.sync_id:
            raise error
        return read(connection, sync)

    with monkeypatch.context() as patch:
        patch.setattr(reconciliation, "_read_answer", fails)
        reconciliation.advance(district.url)
    assert (district.show(late).state, district.show(good).state) == ("receiving", "applied")
    district.inbox.drain()
    reconciliation.advance(district.url)
    assert district.show(late).state == "applied"


def test_the_report_tells_what_the_latest_comparison_found(district):
    district.load(*students("A", "B"))
    district.sync("StudentPersonal", students("C"))
    before = datetime.now(UTC)
    district.limit(1)
    latest = district.sync("StudentPersonal", students("A"))
    utc = ZoneInfo("UTC")
    ((*_, name, sync_id, _, state, there, here, missing_here, missing_there, different, share),) = reports.run(
        district.url, "reconciliation", None, utc
    ).lines
    assert (name, sync_id, state, there, here) == ("StudentPersonal", latest.sync_id, "applied", 1, 2)
    assert (missing_here, missing_there, different, share) == (0, 1, 0, 50)
    (line,) = reports.run(district.url, "reconciliation", before, utc).lines
    assert line[3] != latest.sync_id
    assert line[5] == "compared"


sides = st.dictionaries(st.sampled_from("ABCDEF"), st.sampled_from(["Ada", "Ben"]), max_size=6)


@given(
    here=sides,
    there=sides,
    packets=st.integers(1, 3),
    later=st.sampled_from(["nothing", "A changes", "B goes"]),
    nights=st.integers(0, 2),
)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_an_accepted_sync_leaves_what_the_district_has(  # noqa: PLR0917 -- drawn
    database_url, here, there, packets, later, nights
):
    """Whatever was built and said again, and however the answer is cut; what happens later counts; a replay agrees."""
    with sif.connected(database_url) as connection:
        district = District.new(connection, database_url)
        objects = [sif.student(word, local=word, first=first) for word, first in here.items()]
        district.load(*objects)
        for number in range(nights):
            night(district, *objects, at=sif.minute(10 + number))
        sync = district.ask("StudentPersonal")
        told = [sif.student(word, local=word, first=first) for word, first in there.items()]
        for number in range(packets):
            district.answer(sync, told[number::packets], more=number < packets - 1)
        expected = {sif.ref(word): first for word, first in there.items()}
        happens(district, later, expected, here)
        reconciliation.advance(district.url)
        if district.show(sync).state == "waiting":
            syncs.accept(district.url, sync.sync_id, "pat")
        documents = district.inbox.drain().documents()
        assert {key: text.split("<FirstName>")[1].split("<")[0] for key, text in documents.items()} == expected
        before = district.inbox.everything()
        replay(district.url, district.inbox.name)
        assert district.inbox.everything() == before


def happens(district, later, expected, here):
    """Send an event that is ordered after the answer, and say what it makes of what is expected."""
    at = district.now + timedelta(minutes=5)
    if later == "A changes" and sif.ref("A") in expected and "A" in here:
        change = sif.sparse("StudentPersonal", "A", '<Name Type="04"><FirstName>Cyd</FirstName></Name>')
        district.inbox.put(sif.event("Change", change, at=at))
        expected[sif.ref("A")] = "Cyd"
    elif later == "B goes":
        district.inbox.put(sif.event("Delete", sif.sparse("StudentPersonal", "B"), at=at))
        expected.pop(sif.ref("B"), None)
    district.inbox.drain()


DIES = """
import os, signal, sys
from sif_pipeline.state import reconciliation
good = getattr(reconciliation, sys.argv[2])
def dies(connection, sync_id):
    good(connection, sync_id)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(reconciliation, sys.argv[2], dies)
reconciliation.advance(sys.argv[1])
"""


def test_killed_at_each_step_it_is_done_once_all_the_same(district):
    district.limit(1)
    district.load(*students("A", "B"))
    sync = district.ask("StudentPersonal")
    district.answer(sync, students("A", first="Ben"))
    for step in ("_compare", "_compare", "_release", "_release"):
        done = subprocess.run([sys.executable, "-c", DIES, district.url, step], check=False)
        assert done.returncode == -signal.SIGKILL
    reconciliation.advance(district.url)
    assert district.show(sync).state == "applied"
    assert set(district.inbox.drain().documents()) == {sif.ref("A")}
    assert sorted(district.inbox.all("SELECT message_type, origin FROM inbox.message WHERE zone_id = %(zone)s")) == [
        ("SIF_Event", "http"), ("SIF_Event", "http"), ("SIF_Event", "sync"), ("SIF_Response", "http"),
    ]  # fmt: skip


def test_two_at_once_do_it_once(district):
    district.limit(1)
    district.load(*students("A", "B"))
    sync = district.ask("StudentPersonal")
    district.answer(sync, students("A", first="Ben"))
    with ThreadPoolExecutor(4) as pool:
        done = [one.result() for one in [pool.submit(reconciliation.advance, district.url) for _ in range(8)]]
    reconciliation.advance(district.url)
    assert sum(len(progress.applied) for progress in done) <= 1
    assert district.show(sync).state == "applied"
    assert len(district.inbox.all("SELECT FROM inbox.message WHERE zone_id = %(zone)s AND origin = 'sync'")) == 1
