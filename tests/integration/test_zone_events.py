"""Events reach the state's inbox always, and other agents of the same zone where the state allows it."""

import threading

import psycopg
import pytest
from lxml import etree
from sif_zone import (
    SOURCE,
    STUDENT,
    District,
    control,
    event,
    message,
    new_id,
    of_objects,
    provision,
    register,
    request,
    response,
)

from sif_pipeline import database, zones
from sif_pipeline.loading import drain
from sif_pipeline.sif.gate import open_message
from sif_pipeline.zone import events, handover

LIBRARY, KITCHEN = {"source": "LIBRARY"}, {"source": "KITCHEN"}


@pytest.fixture
def district(module_database_url):
    """Give a zone with three agents, of which the library subscribed to students."""
    found = District(module_database_url)
    found.rule("LIBRARY", "SIF_SubscribeAccess", "StudentPersonal")
    assert found.send(register(), register(**LIBRARY), register(**KITCHEN)) == [0, 0, 0]
    assert found.send(provision(subscribe=["StudentPersonal"], **LIBRARY)) == 0
    return found


def queued(district):
    return district.rows(
        "SELECT source_id, sender_id, msg_id, message_type, object_name, body FROM outbox.message ORDER BY queue_id"
    )


def stored(district):
    return district.rows(
        "SELECT source_id, message_type, state FROM inbox.message WHERE state <> 'done' ORDER BY message_id"
    )


def test_an_event_goes_to_the_state_and_as_it_came_to_who_subscribed(district):
    body = event(msg_id="A" * 32)
    assert district.send(body, body) == [0, 7]
    assert stored(district) == [(SOURCE, "SIF_Event", "pending")]
    assert queued(district) == [("LIBRARY", SOURCE, "A" * 32, "SIF_Event", "StudentPersonal", body)]


def test_nobody_gets_an_event_of_its_own(district):
    assert district.send(event(**LIBRARY)) == 0
    assert queued(district) == []


def test_an_event_meant_for_one_agent_goes_to_the_state_and_to_that_one(district):
    district.rule("KITCHEN", "SIF_SubscribeAccess", "StudentPersonal")
    assert district.send(of_objects("SIF_Subscribe", "StudentPersonal", **KITCHEN)) == 0
    assert district.send(event(more="<SIF_DestinationId>KITCHEN</SIF_DestinationId>")) == 0
    assert stored(district) == [(SOURCE, "SIF_Event", "pending")]
    assert [row[0] for row in queued(district)] == ["KITCHEN"]


def test_nothing_crosses_zones(district):
    with psycopg.connect(district.url) as connection:
        token = zones.add(connection, "District-0102", "01020000")
    other = District.__new__(District)
    other.url, other.token = district.url, token
    assert other.send(register(), event()) == [0, 0]
    assert queued(district) == []


OTHER_OBJECT = '<SIF_EventObject ObjectName="SchoolInfo" Action="Add"><SchoolInfo RefId="1"/></SIF_EventObject>'


def wrapped(action, inner=f"<{STUDENT}/>"):
    return f'<SIF_EventObject ObjectName="StudentPersonal" Action="{action}">{inner}</SIF_EventObject>'


def test_of_an_event_about_several_kinds_of_objects_a_subscriber_gets_its_own_kind(district):
    data = f"<SIF_ObjectData>{wrapped('Add')}{OTHER_OBJECT}</SIF_ObjectData>"
    body = message(f"<SIF_Event>|{data}</SIF_Event>")
    assert district.send(body) == 0
    (row,) = queued(district)
    passed = open_message(row[5])
    assert [e.get("ObjectName") for e in passed.iter("{*}SIF_EventObject")] == ["StudentPersonal"]
    assert passed.findtext(".//{*}SIF_MsgId") == row[2] not in body.decode()
    assert passed.findtext(".//{*}SIF_SourceId") == SOURCE
    assert district.rows("SELECT body FROM inbox.message WHERE state = 'pending'") == [(body,)]


def large(msg_id=None):
    data = "".join(wrapped("Add") for _ in range(600))
    return message(f"<SIF_Event>|<SIF_ObjectData>{data}{OTHER_OBJECT}</SIF_ObjectData></SIF_Event>", msg_id)


def threads_of(monkeypatch, module):
    """Note for every message that a module parses anew whether it did so in a thread of its own."""
    reopen, found = module.reopen, []

    def noted(body):
        found.append(threading.current_thread() is not threading.main_thread())
        return reopen(body)

    monkeypatch.setattr(module, "reopen", noted)
    return found


def test_a_large_event_is_taken_apart_off_the_loop(district, monkeypatch):
    threads = threads_of(monkeypatch, events)
    assert district.send(large()) == 0
    assert [(row[0], row[4]) for row in queued(district)] == [("LIBRARY", "StudentPersonal")]
    assert threads == [True]


def test_a_large_message_that_cannot_be_handed_over_is_read_off_the_loop(district, monkeypatch):
    assert district.send(large()) == 0
    threads = threads_of(monkeypatch, handover)
    told = district.pull("LIBRARY")
    assert [root.findtext(".//{*}SIF_ApplicationCode") for root in told] == ["message_larger_than_buffer"]
    assert threads == [True]


def bundled(action, msg_id, source=SOURCE):
    one = message(f"<SIF_Event>|<SIF_ObjectData>{wrapped(action)}</SIF_ObjectData></SIF_Event>", msg_id, source)
    return etree.tostring(open_message(one)[0]).decode()


def bundle(*events, **of):
    return message(f"<SIF_BundledEvents>|<SIF_Events>{''.join(events)}</SIF_Events></SIF_BundledEvents>", **of)


def test_a_bundle_is_kept_whole_and_passed_on_one_by_one(district):
    ids = [new_id() for _ in range(3)]
    body = bundle(bundled("Add", ids[0]), bundled("Change", ids[1]), bundled("Delete", ids[2]))
    assert district.send(body, body) == [0, 7]
    assert stored(district) == [(SOURCE, "SIF_BundledEvents", "pending")]
    assert [(row[2], row[3]) for row in queued(district)] == [(msg_id, "SIF_Event") for msg_id in ids]
    passed = [open_message(row[5]) for row in queued(district)]
    assert [root.find(".//{*}SIF_EventObject").get("Action") for root in passed] == ["Add", "Change", "Delete"]
    assert {(root.get("Version"), len(root)) for root in passed} == {("2.6", 1)}


def test_the_drain_takes_the_events_of_a_bundle_in_order(district):
    leas = [
        f'<SIF_EventObject ObjectName="LEAInfo" Action="{action}"><LEAInfo RefId="{"A" * 32}"><LocalId>01</LocalId>'
        f"<LEAName>{name}</LEAName></LEAInfo></SIF_EventObject>"
        for action, name in (("Add", "North"), ("Change", "South"))
    ]
    events = [message(f"<SIF_Event>|<SIF_ObjectData>{lea}</SIF_ObjectData></SIF_Event>") for lea in leas]
    inner = [etree.tostring(open_message(one)[0]).decode() for one in events]
    assert district.send(bundle(*inner)) == 0
    database.upgrade(district.url)
    assert drain.drain(district.url).messages == 1
    assert district.rows("SELECT action, outcome FROM inbox.object_event ORDER BY position") == [
        ("Add", "applied"), ("Change", "applied"),
    ]  # fmt: skip
    assert district.rows("SELECT lea_name FROM sif.lea_info") == [("South",)]


def test_what_an_agent_may_not_publish_is_refused_by_action(district):
    for kind in ("SIF_PublishAddAccess", "SIF_PublishChangeAccess", "SIF_PublishDeleteAccess"):
        district.rule(SOURCE, kind, "StudentPersonal", allowed=False)
    actions = {"Add": (4, 10), "Change": (4, 11), "Delete": (4, 12)}
    assert {action: district.send(event(action=action)) for action in actions} == actions
    assert district.send(bundle(bundled("Change", new_id()))) == (4, 11)
    assert district.send(event(**KITCHEN)) == 0
    assert stored(district) == [("KITCHEN", "SIF_Event", "pending")]


def test_a_right_that_is_given_again_lets_the_same_message_in(district):
    district.rule("*", "SIF_PublishAddAccess", allowed=False)
    body = event()
    assert district.send(body) == (4, 10)
    district.rule("*", "SIF_PublishAddAccess")
    assert district.send(body) == 0


def test_what_an_agent_may_not_respond_with_is_refused(district):
    district.rule(SOURCE, "SIF_RespondAccess", "StudentPersonal", allowed=False)
    student = f"<SIF_ObjectData><{STUDENT}/></SIF_ObjectData>"
    school = '<SIF_ObjectData><SchoolInfo RefId="1"/></SIF_ObjectData>'
    assert district.send(response(new_id(), content=student), response(new_id(), content=school)) == [(4, 6), 0]


def test_an_agents_log_is_read_by_the_state_only(district):
    entry = '<SIF_LogEntry Source="Agent" LogLevel="Error"><SIF_Desc>Could not save Amelia</SIF_Desc></SIF_LogEntry>'
    data = f'<SIF_EventObject ObjectName="SIF_LogEntry" Action="Add">{entry}</SIF_EventObject>'
    assert district.send(provision(subscribe=["SIF_LogEntry"], **KITCHEN)) == 0
    assert district.send(message(f"<SIF_Event>|<SIF_ObjectData>{data}</SIF_ObjectData></SIF_Event>")) == 0
    assert queued(district) == []
    assert stored(district) == [(SOURCE, "SIF_Event", "pending")]


def test_a_sandbox_keeps_what_it_gets_and_nothing_is_drained(district):
    district.run("UPDATE inbox.zone SET is_sandbox = TRUE")
    assert district.send(event(), bundle(bundled("Add", new_id())), response(new_id())) == [0, 0, 0]
    assert {state for _, _, state in stored(district)} == {"kept"}
    assert drain.drain(district.url).messages == 0
    assert district.send(provision("LEAInfo")) == 0


@pytest.mark.parametrize(
    ("registered", "version", "delivered"),
    [
        (["2.6"], "2.0r1", True),
        (["2.6"], "2.6", True),
        (["2.0", "2.3"], "2.6", False),
        (["2.3", "2.*"], "2.8", True),
        (["*"], "2.8", True),
        (["2.6"], "2.7", False),
        (["2.7"], "2.7", True),
    ],
)
def test_an_agent_gets_no_later_release_than_it_reads(district, official, registered, version, delivered):
    assert district.send(register(versions=registered, **LIBRARY), event(version=version)) == [0, 0]
    (got,) = district.pull("LIBRARY")
    name = got.find(".//{*}SIF_EventObject").get("ObjectName")
    assert name == ("StudentPersonal" if delivered else "SIF_LogEntry")
    if not delivered:
        official.assertValid(got)
        assert (got.findtext(".//{*}SIF_Category"), got.findtext(".//{*}SIF_Code")) == ("4", "4")
        assert got.findtext(".//{*}SIF_OriginalHeader//{*}SIF_SourceId") == SOURCE
        assert got.get("Version") in registered


def test_a_message_larger_than_an_agent_takes_becomes_a_log_entry_that_it_takes(district, official):
    assert district.send(register(size="2048", **LIBRARY), event("Amelia" * 400), event("Noah")) == [0, 0, 0]
    got, told = district.pull("LIBRARY")
    official.assertValid(told)
    assert (told.findtext(".//{*}SIF_Category"), told.findtext(".//{*}SIF_Code")) == ("4", "2")
    assert len(etree.tostring(told)) < 2048
    assert got.findtext(".//{*}FirstName") == "Noah"


def test_a_suspended_zone_takes_nothing_and_what_it_held_stays(district):
    assert district.send(event()) == 0
    district.run("UPDATE inbox.zone SET suspended_at = now()")
    body = event()
    suspended = (10, 1)
    assert district.send(body, register(), provision(), request(), control("<SIF_GetMessage/>", **LIBRARY)) == (
        [suspended] * 5
    )
    assert district.send(control("<SIF_Ping/>")) == 8
    district.run("UPDATE inbox.zone SET suspended_at = NULL")
    assert district.send(body) == 0
    assert [row[0] for row in queued(district)] == ["LIBRARY", "LIBRARY"]
    assert len(district.pull("LIBRARY")) == 2
