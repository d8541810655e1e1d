"""The captured conversations of the most common agent kit, replayed in order against a live zone.

They are held against what they mean: who gets what was sent, byte for byte, and what settles it. The captures leave
out what repeats itself, so some messages are made from captured ones: another SIF_MsgId, another agent, the port that
listens here. They are read as bytes everywhere; a parser in between would hide what kits write.
"""

import re
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from lxml import etree

from sif_pipeline.agent.answers import read_answer
from sif_pipeline.agent.listener import Address, listening
from sif_pipeline.sif.acks import SOURCE_ID
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.testing import zone_server

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CAPTURES = SHARED / "interop" / "captures"
DISTRICT, STATE = "DISTRICT-0101", "STATE-COLLECTOR"
NS = {"s": NAMESPACE}

pytestmark = pytest.mark.skipif(
    not CAPTURES.exists(), reason="needs the captured conversations, which are not part of the project"
)


@pytest.fixture(scope="module")
def server(module_database_url):
    with zone_server(module_database_url) as found:
        yield found


@pytest.fixture
def replay(server, official):
    """Give a function that begins to replay a family of captures in a zone where the second agent may read."""
    zone = server.zone()
    with psycopg.connect(server.database_url) as connection:
        connection.execute(
            "INSERT INTO inbox.access (zone_id, source_id, kind, object_name, allowed) SELECT zone_id, %s,"
            " unnest(ARRAY['SIF_SubscribeAccess', 'SIF_RequestAccess']), '*', true FROM inbox.zone WHERE name = %s",
            [STATE, zone.name],
        )
    with httpx.Client(timeout=60) as client:
        yield lambda family: Replay(zone, client, official, family)


class Replay:
    """One family of captures against one zone."""

    def __init__(self, zone, client, official, family):
        self.zone, self.client, self.official, self.family = zone, client, official, family

    def body(self, name):
        return (CAPTURES / f"{self.family}--{name}.xml").read_bytes()

    def headers(self, name):
        lines = (CAPTURES / f"{self.family}--{name}.headers.txt").read_text().splitlines()
        pairs = dict(line.split(": ", 1) for line in lines if ": " in line)
        return {k: v for k, v in pairs.items() if k in ("Content-Type", "Accept", "User-Agent", "Accept-Encoding")}

    def say(self, name, **changes):
        """Send a captured message, or one made from it, and read the answer; it must be valid and to the point."""
        body = changed(self.body(name), **changes) if changes else self.body(name)
        response = self.client.post(self.zone.url, content=body, headers=self.headers(name))
        assert response.status_code == 200
        root = open_message(response.content)
        self.official.assertValid(root)
        found = read_answer(response.content)
        assert (found.version, found.original_msg_id) == (text_of(body, "Version"), text_of(body, "SIF_MsgId"))
        assert root.findtext(".//s:SIF_OriginalSourceId", namespaces=NS) == text_of(body, "SIF_SourceId")
        return found

    def good(self, *names):
        for name in names:
            assert (name, self.say(name).words) == (name, "status 0")

    def get(self, source=DISTRICT):
        """Pull, and give the answer; every time with a SIF_MsgId of its own."""
        return self.say("SIF_SystemControl.SIF_GetMessage", msg_id=uuid4().hex.upper(), source=source)

    def pulled(self, source, *names):
        """Pull messages and acknowledge each by name: they must be the captured ones in this order, byte for byte."""
        for name in names:
            found = self.get(source)
            assert (name, found.words, same(found.delivered.body, self.body(name))) == (name, "status 0", True)
            assert self.ack(source, found.delivered.original).code == 0

    def ack(self, source, original, status="1"):
        return self.say(
            f"SIF_Ack.status{status}",
            msg_id=uuid4().hex.upper(), source=source, original=original.msg_id, original_source=original.source_id,
        )  # fmt: skip

    def queue(self):
        return self.zone.rows(
            "SELECT source_id, message_type, state FROM outbox.message JOIN inbox.zone USING (zone_id)"
            " WHERE name = %(zone)s ORDER BY queue_id"
        )


def text_of(body, name):
    pattern = rb'Version="([^"]+)"' if name == "Version" else rb"<%s>([^<]+)<" % name.encode()
    return re.search(pattern, body.partition(b"?>")[2] or body)[1].decode()


def changed(body, *, msg_id=None, source=None, original=None, original_source=None, **other):
    """Change what identifies a message, and text by text whatever else; the rest stays as it was captured."""
    named = {"SIF_MsgId": msg_id, "SIF_SourceId": source, "SIF_OriginalMsgId": original,
             "SIF_OriginalSourceId": original_source}  # fmt: skip
    for name, value in named.items():
        if value is not None:
            pattern = rb"(<%s>)[^<]+(<)" % name.encode()
            body = re.sub(pattern, lambda found, v=value: found[1] + v.encode() + found[2], body, count=1)
    for before, after in other.items():
        assert before.encode() in body
        body = body.replace(before.encode(), after.encode())
    return body


def same(one, other):
    """Whether two messages are the same but for white space between elements, which a carrying ack may lose."""
    return canonical(one) == canonical(other)


def canonical(body):
    root = etree.fromstring(body, etree.XMLParser(remove_blank_text=True))
    for element in root.iter():
        if len(element) and not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None
    return etree.tostring(root, method="c14n", exclusive=True)


def listed(answer, part):
    """Give the objects that a list of an ACL or a zone status names, each with its contexts."""
    return {
        found.get("ObjectName"): [c.text for c in found.iterfind("s:SIF_Contexts/s:SIF_Context", NS)]
        for found in answer.data.iterfind(f".//s:{part}//s:SIF_Object", NS)
    }


def join(replay):
    """Enter as the kit does: register, look, declare."""
    registered = replay.say("SIF_Register")
    assert registered.words == "status 0"
    replay.good("SIF_SystemControl.SIF_Ping")
    if (CAPTURES / f"{replay.family}--SIF_Provision.xml").exists():
        status = replay.say("SIF_SystemControl.SIF_GetZoneStatus")
        assert b"<SIF_Name>Accept-Encoding</SIF_Name><SIF_Value>gzip</SIF_Value>" in status.body
        replay.good("SIF_Provision")
    return registered


# Pull


def test_pull_provision(replay):
    found = replay("pull-provision")
    registered = join(found)
    assert listed(registered, "SIF_ProvideAccess")["StudentPersonal"] == ["SIF_Default"]
    assert listed(registered, "SIF_RespondAccess")["SchoolInfo"] == ["SIF_Default"]
    assert "StudentPersonal" not in listed(registered, "SIF_RequestAccess")
    assert found.get().words == "status 9"
    reader = found.say("SIF_Register.2")
    assert listed(reader, "SIF_RequestAccess")["StudentPersonal"] == ["SIF_Default"]

    found.good("SIF_Request.StudentPersonal")
    asked = found.get()
    assert same(asked.delivered.body, found.body("SIF_Request.StudentPersonal"))
    assert asked.delivered.original.source_id == STATE
    again = found.get()  # not acknowledged: it comes again, in another ack
    assert same(again.delivered.body, asked.delivered.body)
    assert again.original.msg_id != asked.original.msg_id
    found.good("SIF_Response.packet1-moreYes", "SIF_Response.packet2-moreNo", "SIF_Ack.status1")
    assert found.get().words == "status 9"
    found.pulled(STATE, "SIF_Response.packet1-moreYes", "SIF_Response.packet2-moreNo")
    assert found.say("SIF_Response.packet1-moreYes").code == 7

    for request, response in (
        ("SIF_Request.StudentPersonal.conditions", "SIF_Response.packet1-moreNo"),
        ("SIF_Request.SchoolInfo", "SIF_Response.packet1-moreNo.2"),
    ):
        found.good(request)
        found.pulled(DISTRICT, request)
        found.good(response)
        found.pulled(STATE, response)

    found.good("SIF_SystemControl.SIF_Sleep")
    found.say("SIF_Request.SchoolInfo", msg_id="A" * 32)
    answered = text_of(found.body("SIF_Response.packet1-moreNo.2"), "SIF_RequestMsgId")
    found.say("SIF_Response.packet1-moreNo.2", **{answered: "A" * 32}, msg_id="B" * 32)
    assert found.queue()[-1] == (STATE, "SIF_Response", "queued")
    found.good("SIF_SystemControl.SIF_Wakeup")
    assert found.get(STATE).delivered.original.msg_id == "B" * 32
    found.good("SIF_Unregister")
    assert found.get(STATE).error == (4, 9)
    assert (found.queue()[0][2], found.queue()[-1][2]) == ("done", "dropped")


def test_acknowledging_the_ack_that_carried_it(replay):
    found = replay("ackack")
    join(found)
    found.good("SIF_Register.2", "SIF_Request.StudentPersonal")
    asked = found.get()
    found.good("SIF_Response.packet1-moreNo")
    assert found.ack(DISTRICT, asked.original).code == 0  # the outer one, and its sender, which is the zone
    assert asked.original.source_id == SOURCE_ID
    assert found.get().words == "status 9"
    carrier = found.get(STATE)
    assert same(carrier.delivered.body, found.body("SIF_Response.packet1-moreNo"))
    assert found.ack(STATE, carrier.original, status="7").code == 0
    assert found.get(STATE).words == "status 9"
    assert {state for _, _, state in found.queue()} == {"done"}
    found.good("SIF_Unregister")


def test_acknowledging_an_earlier_carrier(replay):
    found = replay("ackack")
    join(found)
    found.good("SIF_Register.2", "SIF_Request.StudentPersonal")
    first, second = found.get(), found.get()
    assert same(first.delivered.body, second.delivered.body)
    assert found.ack(DISTRICT, first.original).code == 0
    assert found.get().words == "status 9"


def test_object_by_object(replay):
    found = replay("legacy")
    join(found)
    for name in ("StudentPersonal", "SchoolInfo"):
        made = {"StudentSchoolEnrollment": name, "msg_id": uuid4().hex.upper()}
        assert found.say("SIF_Provide", **made).code == 0
    found.good("SIF_Provide", "SIF_Register.2", "SIF_Subscribe", "SIF_Request.StudentPersonal")
    found.pulled(DISTRICT, "SIF_Request.StudentPersonal")
    found.good("SIF_Response.packet1-moreNo")
    assert found.ack(DISTRICT, read_answer(found.say("SIF_SystemControl.SIF_Ping").body).original).error == (12, 6)
    found.pulled(STATE, "SIF_Response.packet1-moreNo")
    access = found.say("SIF_SystemControl.SIF_GetAgentACL")
    assert listed(access, "SIF_SubscribeAccess")["StudentSchoolEnrollment"] == ["SIF_Default"]
    status = found.say("SIF_SystemControl.SIF_GetZoneStatus")
    assert {"StudentPersonal", "SchoolInfo", "StudentSchoolEnrollment"} <= set(listed(status, "SIF_Provider"))
    found.good("SIF_SystemControl.SIF_CancelRequests", "SIF_Unsubscribe", "SIF_Unprovide")
    assert found.say("SIF_Request.StudentPersonal", msg_id="C" * 32).error == (8, 4)
    found.good("SIF_Unregister")


def test_the_release_of_2008(replay):
    found = replay("v2.3")
    join(found)
    found.good("SIF_Register.2")
    for name in (
        "SIF_Event.StudentPersonal.Add",
        "SIF_Event.StudentPersonal.Change",
        "SIF_Event.StudentPersonal.Delete",
    ):
        found.good(name)
        assert found.say(name).code == 7
    found.good("SIF_Request.StudentPersonal")
    asked = found.get()
    assert (asked.version, asked.delivered.original.version) == ("2.3", "2.0r1")
    found.good("SIF_Response.packet1-moreNo", "SIF_Ack.status1")
    found.pulled(STATE, "SIF_Response.packet1-moreNo")
    found.good("SIF_Unregister")
    stored = found.zone.rows(
        "SELECT message_type, sif_version, state FROM inbox.message JOIN inbox.zone USING (zone_id)"
        " WHERE name = %(zone)s AND message_type = 'SIF_Event' ORDER BY message_id"
    )
    assert stored == [("SIF_Event", "2.3", "pending")] * 3


# Push


class Pushed:
    """The port of a captured push agent: answers with the captured replies, and remembers what it was given."""

    def __init__(self, replay, source):
        self.replay, self.source, self.got = replay, source, []
        self.arrived = threading.Condition()

    def handle(self, body):
        with self.arrived:
            self.got.append(body)
            self.arrived.notify_all()
        kind = re.search(rb"<(SIF_(?:Event|Request|Response))>", body)[1].decode()
        reply = self.replay.body(f"pushreply-to-{kind}.status1")
        return changed(
            reply, source=self.source, original=text_of(body, "SIF_MsgId"),
            original_source=text_of(body, "SIF_SourceId"), msg_id=uuid4().hex.upper(),
        )  # fmt: skip

    def wait(self, count):
        end = time.monotonic() + 60
        with self.arrived:
            while len(self.got) < count:
                assert self.arrived.wait(end - time.monotonic()), f"{len(self.got)} of {count} came"
        return self.got


@contextmanager
def listeners(replay):
    with ExitStack() as stack:
        found = {}
        for source in (DISTRICT, STATE):
            port = Pushed(replay, source)
            port.url = stack.enter_context(listening(Address(), port.handle))
            found[source] = port
        yield found


EVENTS = [
    "SIF_Event.LEAInfo.Add", "SIF_Event.SchoolInfo.Add", "SIF_Event.StudentPersonal.Add",
    "SIF_Event.StudentSchoolEnrollment.Add", "SIF_Event.StaffPersonal.Add", "SIF_Event.StudentPersonal.Add.multi6",
    "SIF_Event.StudentPersonal.Change", "SIF_Event.StudentPersonal.Delete",
]  # fmt: skip


def registered_url(body):
    return text_of(body, "SIF_URL")


def test_push(replay):
    found = replay("push")
    with listeners(found) as ports:
        for name, source in (("SIF_Register", DISTRICT), ("SIF_Register.2", STATE)):
            made = {registered_url(found.body(name)): ports[source].url, "msg_id": uuid4().hex.upper()}
            assert found.say(name, **made).code == 0
        found.good("SIF_SystemControl.SIF_Ping", "SIF_SystemControl.SIF_GetZoneStatus", "SIF_Provision")
        assert found.say("SIF_Provision", source=STATE, msg_id=uuid4().hex.upper(), **as_reader(found)).code == 0

        found.good(*EVENTS)
        assert ports[STATE].wait(len(EVENTS)) == [found.body(name) for name in EVENTS]
        assert [found.say(name).code for name in EVENTS] == [7] * len(EVENTS)

        found.good("SIF_Request.StudentPersonal")
        assert ports[DISTRICT].wait(1) == [found.body("SIF_Request.StudentPersonal")]
        found.good("SIF_Response.packet1-moreNo")
        assert ports[STATE].wait(len(EVENTS) + 1)[-1] == found.body("SIF_Response.packet1-moreNo")

        found.good("SIF_SystemControl.SIF_Sleep", "SIF_Request.StudentPersonal.conditions")
        ports[DISTRICT].wait(2)
        found.good("SIF_Response.packet1-moreNo.2")
        time.sleep(0.3)
        assert len(ports[STATE].got) == len(EVENTS) + 1  # it sleeps
        found.good("SIF_SystemControl.SIF_Wakeup")
        assert ports[STATE].wait(len(EVENTS) + 2)[-1] == found.body("SIF_Response.packet1-moreNo.2")
        found.good("SIF_Request.SchoolInfo")
        ports[DISTRICT].wait(3)
        wait_until(lambda: {state for _, _, state in found.queue()} == {"done"})
        found.good("SIF_Unregister")


def as_reader(found):
    """Make of the provider's captured provision that of a reader: the two lists change places."""
    body = found.body("SIF_Provision").decode()
    provided = re.search(r"<SIF_ProvideObjects>.*</SIF_ProvideObjects>", body, re.DOTALL)[0]
    responded = re.search(r"<SIF_RespondObjects>.*</SIF_RespondObjects>", body, re.DOTALL)[0]
    return {
        provided: "<SIF_ProvideObjects/>",
        "<SIF_SubscribeObjects/>": provided.replace("Provide", "Subscribe"),
        responded: "<SIF_RespondObjects/>",
    }


def wait_until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
