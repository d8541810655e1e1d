"""SIF_LogEntry to the agent whose data was not loaded: once, to nobody else, valid, and without a value."""

from datetime import timedelta
from pathlib import Path

import pytest
import sif_text as sif
from lxml import etree
from sif_sync import District

from sif_pipeline.loading.replay import replay
from sif_pipeline.notices import CATALOGUE
from sif_pipeline.sif import gate
from sif_pipeline.zone import log_entries

SCHEMA = Path(__file__).resolve().parents[2].parent / "shared/spec/sif-us-2.6/SIF_Message.xsd"
AT_ONCE = timedelta(0)


@pytest.fixture
def district(database_url):
    with sif.connected(database_url) as connection:
        found = District.new(connection, database_url)
        found.subscribe("SIF_LogEntry")
        yield found


def invalid(word="A"):
    return sif.student(word, first="Canary", more="<IDEA>Perhaps</IDEA>")


def entries(district, source=sif.SOURCE):
    """Give the entries on an agent's queue, as trees."""
    bodies = district.inbox.all(
        "SELECT body FROM outbox.message WHERE zone_id = %(zone)s AND source_id = %(source)s ORDER BY queue_id",
        source=source,
    )
    return [gate.open_message(bytes(body)) for (body,) in bodies]


def said(entry, name):
    return next((element.text for element in entry.iter(f"{{*}}{name}")), None)


def test_a_rejected_object_is_told_once(district):
    message = sif.event("Add", invalid(), at=sif.minute(1))
    district.inbox.put(message)
    district.inbox.drain()
    assert [log_entries.tell(district.url, after=AT_ONCE) for _ in range(2)] == [1, 0]
    (entry,) = entries(district)
    assert [said(entry, name) for name in ("SIF_Category", "SIF_Code", "SIF_ApplicationCode")] == [
        "3", "2", "value_not_in_code_set",
    ]  # fmt: skip
    assert said(entry, "SIF_Desc").startswith("1 object of this message is not loaded. A code is not in the standard's")
    assert said(entry, "SIF_ExtendedDesc").startswith("value_not_in_code_set at StudentPersonal/IDEA (1): ")
    (original,) = entry.iter("{*}SIF_OriginalHeader")
    assert said(original, "SIF_MsgId") == said(gate.open_message(message), "SIF_MsgId")
    (named,) = entry.iter("{*}SIF_LogObject")
    assert (named.get("ObjectName"), named[0].get("RefId")) == ("StudentPersonal", sif.ref("A"))
    assert "Canary" not in etree.tostring(entry, encoding="unicode")
    assert "Perhaps" not in etree.tostring(entry, encoding="unicode")


def test_a_missing_parent_is_told_when_it_has_not_come_for_a_while(district):
    district.load(sif.enrollment("E", of="A", at="S"))
    assert log_entries.tell(district.url) == 0
    assert log_entries.tell(district.url, after=AT_ONCE) == 1
    (entry,) = entries(district)
    assert [said(entry, name) for name in ("SIF_Category", "SIF_Code", "SIF_ApplicationCode")] == [
        "3", "3", "parent_missing",
    ]  # fmt: skip


def test_what_is_good_again_is_not_told(district):
    district.load(sif.enrollment("E", of="A", at="S"))
    district.load(sif.student("A"), sif.school("S"))
    assert log_entries.tell(district.url, after=AT_ONCE) == 0


def test_nobody_else_is_told(district):
    district.register("OTHER")
    district.subscribe("SIF_LogEntry", "OTHER")
    district.load(invalid())
    assert log_entries.tell(district.url, after=AT_ONCE) == 1
    assert entries(district, "OTHER") == []


def test_an_agent_that_cannot_be_told_keeps_no_other_from_it(district, monkeypatch, caplog):
    other = District.new(district.inbox.connection, district.url)
    other.subscribe("SIF_LogEntry")
    district.load(invalid("A"))
    other.load(invalid("B"))
    told = log_entries._tell_agent

    def fails(connection, zone_id, *more):
        if zone_id == min(district.inbox.zone_id, other.inbox.zone_id):
            connection.execute("SELECT 1 / 0")
        return told(connection, zone_id, *more)

    caplog.set_level("INFO", log_entries.log.name)
    with monkeypatch.context() as patch:
        patch.setattr(log_entries, "_tell_agent", fails)
        assert [log_entries.tell(district.url, after=AT_ONCE) for _ in range(3)] == [1, 0, 0]
    assert log_entries.tell(district.url, after=AT_ONCE) == 1  # it is told when it can be
    said = [(line.message, line.facts["zone_id"]) for line in caplog.records if line.name == log_entries.log.name]
    failing = min(district.inbox.zone_id, other.inbox.zone_id)
    assert said == [("agent_not_told", failing), ("agent_told_again", failing)], "once, however often it is tried"


def test_a_finding_of_another_release_is_told_by_its_code(district):
    district.load(invalid())
    district.inbox.connection.execute("UPDATE inbox.notice SET code = 'of_an_older_release'")
    assert log_entries.tell(district.url, after=AT_ONCE) == 1
    (entry,) = entries(district)
    assert said(entry, "SIF_ApplicationCode") == "of_an_older_release"
    assert said(entry, "SIF_Desc").endswith("not loaded. Finding: of_an_older_release.")


def test_findings_resolved_while_an_entry_is_written_are_not_told(district, monkeypatch):
    district.load(invalid())
    monkeypatch.setitem(log_entries.QUERIES, "findings", b"SELECT code, path, 1 FROM inbox.notice WHERE false")
    assert log_entries.tell(district.url, after=AT_ONCE) == 0
    assert entries(district) == []


@pytest.mark.parametrize("change", ["UPDATE inbox.zone SET log_entries = false", "DELETE FROM inbox.provision"])
def test_who_does_not_want_it_is_not_told(district, change):
    district.inbox.connection.execute(change)
    district.load(invalid())
    assert log_entries.tell(district.url, after=AT_ONCE) == 0


def test_many_bad_messages_make_few_entries(district, monkeypatch):
    monkeypatch.setattr(log_entries, "QUEUED", 3)
    for number in range(7):
        district.load(invalid(f"A{number}"))
    assert log_entries.tell(district.url, after=AT_ONCE) == 3
    last = entries(district)[-1]
    assert said(last, "SIF_Desc").startswith("5 more messages hold 5 objects that are not loaded.")
    district.load(invalid("B"))
    assert log_entries.tell(district.url, after=AT_ONCE) == 0  # the queue is full; what is new is counted later
    district.inbox.connection.execute("UPDATE outbox.message SET state = 'done'")
    assert log_entries.tell(district.url, after=AT_ONCE) == 1


def test_a_replay_tells_nothing_again(district):
    district.load(invalid(), sif.enrollment("E", of="A", at="S"))
    assert log_entries.tell(district.url, after=AT_ONCE) == 2
    replay(district.url, district.inbox.name)
    assert log_entries.tell(district.url, after=AT_ONCE) == 0


def test_a_crash_tells_nothing_twice_and_loses_nothing(district, monkeypatch):
    district.load(invalid())

    def dies(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(log_entries, "_tell_span", lambda *given: dies() if given else 0)
        with pytest.raises(KeyboardInterrupt):
            log_entries.tell(district.url, after=AT_ONCE)
    assert [log_entries.tell(district.url, after=AT_ONCE) for _ in range(2)] == [1, 0]


def test_entries_are_valid_sif(district, monkeypatch):
    if not SCHEMA.exists():
        pytest.skip("needs the official SIF 2.6 schema, which is not part of the project")
    monkeypatch.setattr(log_entries, "QUEUED", 3)
    district.load(invalid(), sif.enrollment("E", of="A", at="S"))
    district.inbox.put(sif.event("Add", *(invalid(f"A{n}") for n in range(20)), at=sif.minute(1)))
    district.inbox.put(sif.event("Add", sif.student("x").replace(sif.ref("x"), "no key"), at=sif.minute(1)))
    district.inbox.drain()
    log_entries.tell(district.url, after=AT_ONCE)
    official = etree.XMLSchema(etree.parse(SCHEMA))
    found = entries(district)
    assert len(found) == 3
    for entry in found:
        official.assertValid(entry)


def test_every_finding_has_words_that_fit():
    assert max(len(kind.title) + len(kind.remedy) for kind in CATALOGUE.values()) < 1024 - 60
