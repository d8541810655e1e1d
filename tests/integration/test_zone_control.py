"""SIF_SystemControl: what an agent asks the zone is answered at once, and what it says of itself is heeded."""

import pytest
from lxml import etree
from sif_zone import (
    SOURCE,
    District,
    ack,
    answer,
    control,
    event,
    new_id,
    of_objects,
    provision,
    register,
    request,
    response,
)

from warehouse.base import objects

LIBRARY = {"source": "LIBRARY"}


@pytest.fixture
def district(module_database_url):
    """Give a zone with a district's agent that provides students, and a library that reads them."""
    found = District(module_database_url)
    for kind in ("SIF_SubscribeAccess", "SIF_RequestAccess"):
        found.rule("LIBRARY", kind, "StudentPersonal")
    assert found.send(register(), register(**LIBRARY), provision("StudentPersonal")) == [0, 0, 0]
    assert found.send(provision(subscribe=["StudentPersonal"], request=["StudentPersonal"], **LIBRARY)) == 0
    return found


def cancel(*msg_ids, notification="Standard", **of):
    ids = "".join(f"<SIF_RequestMsgId>{msg_id}</SIF_RequestMsgId>" for msg_id in msg_ids)
    return control(
        f"<SIF_CancelRequests><SIF_NotificationType>{notification}</SIF_NotificationType>"
        f"<SIF_RequestMsgIds>{ids}</SIF_RequestMsgIds></SIF_CancelRequests>",
        **of,
    )


CONTROLS = {
    "<SIF_Ping/>": 0, "<SIF_GetMessage/>": 9, "<SIF_Sleep/>": 0, "<SIF_Wakeup/>": 0, "<SIF_GetZoneStatus/>": 0,
    "<SIF_GetAgentACL/>": 0, "<SIF_CancelServiceInputs/>": (12, 2), "<SIF_Shutdown/>": (12, 2), "": (12, 2),
}  # fmt: skip


def test_every_command_has_its_answer_and_none_is_stored(district):
    assert {command: district.send(control(command)) for command in CONTROLS} == CONTROLS
    assert district.rows("SELECT DISTINCT message_type FROM inbox.message ORDER BY 1") == [
        ("SIF_Provision",), ("SIF_Register",),
    ]  # fmt: skip


def test_a_ping_is_for_everyone_and_a_push_agent_cannot_pull(district):
    assert district.send(control("<SIF_Ping/>", source="STRANGER")) == 0
    assert district.send(register("Push"), control("<SIF_GetMessage/>")) == [0, (5, 9)]


def test_messages_are_fetched_one_by_one_in_their_order_and_settled_by_either_ack(district):
    bodies = [event(name, msg_id=new_id()) for name in ("Amelia", "Noah", "Ana")]
    assert district.send(*bodies) == [0, 0, 0]
    fetched = []
    for by_inner in (True, False, True):
        (root,) = district.acks(control("<SIF_GetMessage/>", **LIBRARY))
        inner = root.find(".//{*}SIF_Data/{*}SIF_Message")
        fetched.append(inner.findtext(".//{*}FirstName"))
        named = (inner if by_inner else root).findtext(".//{*}SIF_MsgId")
        assert district.send(ack(named, **LIBRARY), ack(named, **LIBRARY)) == [0, 0]
    assert fetched == ["Amelia", "Noah", "Ana"]
    assert district.send(control("<SIF_GetMessage/>", **LIBRARY), ack(new_id(), **LIBRARY)) == [9, (12, 6)]


def test_an_ack_that_names_no_message_is_refused_and_settles_nothing(district):
    assert district.send(event(), control("<SIF_GetMessage/>", **LIBRARY)) == [0, 0]
    nameless = ack("X", **LIBRARY).replace(b"<SIF_OriginalMsgId>X</SIF_OriginalMsgId>", b"<SIF_OriginalMsgId/>")
    assert district.send(nameless) == (1, 6)
    assert len(district.pull("LIBRARY")) == 1


def test_an_agent_that_sleeps_gets_nothing_until_it_wakes_up_or_registers(district):
    assert district.send(event(), control("<SIF_Sleep/>", **LIBRARY)) == [0, 0]
    assert district.send(control("<SIF_GetMessage/>", **LIBRARY)) == 9
    assert district.send(control("<SIF_Wakeup/>", **LIBRARY), control("<SIF_GetMessage/>", **LIBRARY)) == [0, 0]
    assert district.send(control("<SIF_Sleep/>", **LIBRARY), register(**LIBRARY)) == [0, 0]
    assert len(district.pull("LIBRARY")) == 1


@pytest.mark.parametrize("how", [control("<SIF_Wakeup/>", **LIBRARY), register(**LIBRARY)])
def test_waking_up_and_registering_end_message_blocking(district, how):
    first = event(msg_id=new_id())
    assert district.send(first, event()) == [0, 0]
    (root,) = district.acks(control("<SIF_GetMessage/>", **LIBRARY))
    inner = root.findtext(".//{*}SIF_Data//{*}SIF_MsgId")
    assert district.send(ack(inner, 2, **LIBRARY), control("<SIF_GetMessage/>", **LIBRARY)) == [0, 9]
    assert district.send(how.replace(how.split(b"SIF_MsgId>")[1][:32], new_id().encode())) == 0
    assert district.pull("LIBRARY")[0].findtext(".//{*}SIF_MsgId") == inner


def test_a_cancelled_request_is_ended_and_who_asked_for_it_is_told(district):
    msg_id = new_id()
    assert district.send(request(msg_id=msg_id, **LIBRARY), cancel(msg_id, **LIBRARY)) == [0, 0]
    assert district.pull() == []
    (told,) = district.pull("LIBRARY")
    assert (told.findtext(".//{*}SIF_RequestMsgId"), told.findtext(".//{*}SIF_MorePackets")) == (msg_id, "No")
    assert (told.findtext(".//{*}SIF_Category"), told.findtext(".//{*}SIF_Code")) == ("8", "18")
    assert district.send(response(msg_id, destination="LIBRARY")) == (8, 18)
    quiet = new_id()
    assert district.send(request(msg_id=quiet, **LIBRARY), cancel(quiet, notification="None", **LIBRARY)) == [0, 0]
    assert district.pull("LIBRARY") == []


def test_requests_are_cancelled_by_who_made_them_only(district):
    msg_id = new_id()
    assert district.send(request(msg_id=msg_id, **LIBRARY), cancel(msg_id)) == [0, 0]
    assert [found.findtext(".//{*}SIF_MsgId") for found in district.pull()] == [msg_id]


def test_the_zone_status_tells_of_every_agent_and_what_it_declared(district, official):
    assert district.send(control("<SIF_Sleep/>", **LIBRARY)) == 0
    (root,) = district.acks(control("<SIF_GetZoneStatus/>"))
    official.assertValid(root)
    status = root.find(".//{*}SIF_ZoneStatus")
    assert status.findtext("{*}SIF_Name") == "District-0101"
    nodes = {n.findtext("{*}SIF_SourceId"): n.findtext("{*}SIF_Sleeping") for n in status.iter("{*}SIF_SIFNode")}
    assert nodes == {SOURCE: "No", "LIBRARY": "Yes"}
    lists = {
        name: {
            entry.get("SourceId"): {o.get("ObjectName") for o in entry.iter("{*}SIF_Object")}
            for entry in status.iterfind(f"{{*}}{name}/*")
        }
        for name in ("SIF_Providers", "SIF_Subscribers", "SIF_Requesters", "SIF_Responders")
    }
    assert lists == {
        "SIF_Providers": {SOURCE: {"StudentPersonal"}},
        "SIF_Subscribers": {"SIF-PIPELINE": set(objects()), "LIBRARY": {"StudentPersonal"}},
        "SIF_Requesters": {"LIBRARY": {"StudentPersonal"}},
        "SIF_Responders": {},
    }
    assert district.token not in etree.tostring(root).decode()


def test_the_access_list_says_what_the_state_allowed(district, official):
    (root,) = district.acks(control("<SIF_GetAgentACL/>", **LIBRARY))
    official.assertValid(root)
    requests = [o.get("ObjectName") for o in root.iterfind(".//{*}SIF_RequestAccess/{*}SIF_Object")]
    assert requests == ["StudentPersonal", "SIF_ZoneStatus", "SIF_AgentACL"]


@pytest.mark.parametrize("name", ["SIF_ZoneStatus", "SIF_AgentACL"])
def test_the_zones_own_objects_can_be_requested_too(district, official, name):
    msg_id = new_id()
    body = request(name, msg_id=msg_id)
    assert district.send(body, body) == [0, 7]
    (answered,) = district.pull()
    official.assertValid(answered)
    assert answered.findtext(".//{*}SIF_RequestMsgId") == msg_id
    assert [e.tag.rpartition("}")[2] for e in answered.find(".//{*}SIF_ObjectData")] == [name]


def test_a_request_that_takes_too_little_for_the_zones_status_is_answered_with_an_error(district):
    assert district.send(request("SIF_ZoneStatus", size=4096)) == 0
    (answered,) = district.pull()
    assert (answered.findtext(".//{*}SIF_Category"), answered.findtext(".//{*}SIF_Code")) == ("8", "11")


def test_answers_speak_the_version_of_what_they_answer(district, official):
    for version in ("2.0", "2.0r1", "2.3", "2.6"):
        roots = district.acks(
            *(control(f"<{c}/>", version=version) for c in ("SIF_GetZoneStatus", "SIF_GetAgentACL", "SIF_Ping")),
            register(version=version), of_objects("SIF_Provide", "LEAInfo", version=version),
        )  # fmt: skip
        for root in roots:
            official.assertValid(root)
            assert (root.get("Version"), answer(etree.tostring(root))) == (version, 0)
    assert district.send(control("<SIF_Ping/>", version="2.8")) == 0
