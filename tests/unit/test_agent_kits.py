"""What agents write, in the way of every kit: the gate reads it, and the official schema finds it valid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from sif_pipeline.agent import Agent
from sif_pipeline.agent.answers import Delivered, read_answer, read_delivered
from sif_pipeline.agent.writing import event, packets, write
from sif_pipeline.notices import Severity
from sif_pipeline.sif import inspection, schema
from sif_pipeline.sif.acks import Status, agent_acl, write_ack
from sif_pipeline.sif.carried import objects
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import Refused, open_message
from sif_pipeline.sif.messages import Message, Original, read_message
from sif_pipeline.sif.query import Condition, Where, read_where
from sif_pipeline.sif.registration import Provided
from sif_pipeline.testing import KITS, flawed, key_of, sample_objects

OUT_OF_ORDER = {"jumbled"}
"""Kits whose messages are read, though the schema fixes an order that they do not keep."""


@pytest.fixture(params=sorted(KITS))
def agent(request):
    with Agent("http://127.0.0.1:9/zone/x", "SIS", kit=KITS[request.param], push_url="http://127.0.0.1:1/") as found:
        yield found


def everything(agent, monkeypatch):
    """Write one of each kind of message, without a zone."""
    said = []
    monkeypatch.setattr(
        agent, "send", lambda written: said.append(written) or read_answer(write_ack(Original(), Status(0)))
    )
    (student,) = sample_objects("StudentPersonal")
    agent.register()
    agent.declare(provides=["StudentPersonal", "SchoolInfo"], subscribes=["StaffPersonal"], requests=["LEAInfo"])
    agent.event("Add", "StudentPersonal", student)
    agent.bundle(("Add", "StudentPersonal", student), ("Change", "StudentPersonal", student))
    agent.send(
        agent.ask("SchoolInfo", where=Where((Condition("LocalId", "GT", "1 < 2"), Condition("SchoolName", "NE", "x"))))
    )
    request = read_delivered(said[-1].body)
    agent.respond(request, [student, student])
    agent.ack(request)
    agent.ack(request, Refused(1, 3, "Not <this>."))
    agent.cancel(request.message.msg_id)
    for say in (agent.ping, agent.sleep, agent.wakeup, agent.access, agent.zone_status, agent.unregister):
        say()
    return said


def test_every_message_of_every_kit_is_read_and_valid(agent, official, monkeypatch):
    for written in everything(agent, monkeypatch):
        root = open_message(written.body)
        message = read_message(root)
        assert (message.msg_id, message.source_id, message.notices) == (written.msg_id, "SIS", ())
        if agent.kit.name not in OUT_OF_ORDER and message.version <= "2.6":
            official.assertValid(root)


def test_habits_show(monkeypatch):
    def first(name):
        with Agent("http://127.0.0.1:9/zone/x", "SIS", kit=KITS[name]) as found:
            return [w.body for w in everything(found, monkeypatch)]

    assert first("openadk")[0].startswith(b'<SIF_Message xmlns="http://www.sifinfo.org/infrastructure/2.x" xmlns:xsi=')
    assert b"<SIF_PublishAddObjects></SIF_PublishAddObjects>" in first("openadk")[1]
    assert first("declared")[0].startswith(b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<SIF_Message Version')
    assert b"<sif:SIF_Register>" in first("prefixed")[0]
    assert b'<sif:StudentPersonal RefId="' in first("prefixed")[2]
    assert [read_message(open_message(b)).message_type for b in first("openadk-one-by-one")][1:4] == [
        "SIF_Provide", "SIF_Provide", "SIF_Subscribe",
    ]  # fmt: skip
    assert b"<SIF_Version>*</SIF_Version>" in first("wildcard")[0]


def test_a_provision_says_what_it_is_told(monkeypatch):
    with Agent("http://127.0.0.1:9/zone/x", "SIS") as agent:
        provision = everything(agent, monkeypatch)[1]
    provided = read_message(open_message(provision.body)).provided
    assert Provided("SIF_ProvideObjects", "SchoolInfo") in provided
    assert Provided("SIF_SubscribeObjects", "StaffPersonal") in provided
    assert Provided("SIF_RequestObjects", "LEAInfo") in provided
    assert Provided("SIF_PublishChangeObjects", "StudentPersonal") in provided


def asked(size):
    with Agent("http://127.0.0.1:9/zone/x", "STATE", buffer_size=size) as state:
        return read_delivered(state.ask("StudentPersonal", where=read_where("LocalId EQ 7")).body)


def test_responses_are_numbered_packets_that_stay_under_the_size_asked_for():
    students = sample_objects("StudentPersonal", 12)
    with Agent("http://127.0.0.1:9/zone/x", "SIS", kit=KITS["openadk"]) as agent:
        written = list(agent.responses(asked(6000), students))
    roots = [open_message(w.body) for w in written]
    assert len(written) > 2
    assert all(len(w.body) <= 6000 for w in written)
    ns = {"s": NAMESPACE}
    assert [r.findtext(".//s:SIF_PacketNumber", namespaces=ns) for r in roots] == [
        str(n + 1) for n in range(len(roots))
    ]
    more = [r.findtext(".//s:SIF_MorePackets", namespaces=ns) for r in roots]
    assert more == ["Yes"] * (len(roots) - 1) + ["No"]
    refs = [found.element.get("RefId") for r in roots for found in objects(r)]
    assert refs == [open_message(b).get("RefId") for b in students]


def test_no_objects_make_one_empty_packet_and_one_too_large_an_error():
    request = asked(2000)
    with Agent("http://127.0.0.1:9/zone/x", "SIS") as agent:
        (empty,) = agent.responses(request, [])
        (failed,) = agent.responses(request, [b"<StudentPersonal>" + b"x" * 3000 + b"</StudentPersonal>"])
    assert b"<SIF_MorePackets>No</SIF_MorePackets><SIF_ObjectData></SIF_ObjectData>" in empty.body
    assert b"<SIF_Category>8</SIF_Category><SIF_Code>11</SIF_Code>" in failed.body


def test_portions_fill_up():
    plain = KITS["plain"]
    assert list(packets(plain, [b"aa", b"bb", b"cc"], 4)) == [b"aabb", b"cc"]
    assert list(packets(plain, [], 4)) == [b""]
    assert list(packets(plain, [b"aaaa", b"b"], 4)) == [b"aaaa", b"b"]
    assert list(packets(KITS["prefixed"], [b"<a/>", b"<a/>"], 15)) == [b"<a/>", b"<a/>"]  # <sif:a/> takes four more


def test_a_request_is_read_back():
    found = asked(4096).message.request
    assert (found.object_names, found.max_buffer_size, found.versions) == (("StudentPersonal",), 4096, ("2.*",))
    assert b"<SIF_Operator>EQ</SIF_Operator><SIF_Value>7</SIF_Value>" in found.query


def test_answers_are_read():
    refused = read_answer(write_ack(Original("2.3", "SIS", "A" * 32), Refused(4, 9, "Register first.")))
    assert (refused.words, refused.error, refused.is_good, refused.version) == ("error 4/9", (4, 9), False, "2.3")
    assert refused.original_msg_id == "A" * 32
    listed = read_answer(write_ack(Original(), Status(0, agent_acl({"SIF_ProvideAccess": ["LEAInfo"]}))))
    assert (listed.words, listed.is_good, etree.QName(listed.data).localname) == ("status 0", True, "SIF_AgentACL")
    assert read_answer(b"<html/>") is None
    assert read_answer(b"no XML") is None


def test_a_pulled_message_is_the_same_whatever_carries_it():
    inner = asked(4096).body.decode()
    carried = [
        read_answer(write_ack(Original(), Status(0, text)))
        for text in (inner, inner.replace(f' xmlns="{NAMESPACE}"', ""))
    ]
    first, second = (answer.delivered for answer in carried)
    assert isinstance(first, Delivered)
    assert first.body == second.body
    assert first.carrier != second.carrier
    assert first.message.message_type == "SIF_Request"


def test_samples_are_cut_and_spoiled():
    (student,) = sample_objects("StudentPersonal")
    assert key_of(student).startswith(b'<StudentPersonal RefId="')
    assert open_message(key_of(student)).get("RefId") == open_message(student).get("RefId")
    good, bad = (read_delivered(wrapped(xml)).root for xml in (student, flawed(student)))
    ((valid,), (spoiled,)) = (objects(root) for root in (good, bad))
    assert schema.is_valid(valid.element, schema.Profile.WHOLE)
    assert {n.type.severity for n in inspection.findings(spoiled.element, schema.Profile.WHOLE)} == {Severity.ERROR}


def wrapped(xml):
    return write(KITS["plain"], "SIF_Event", "SIS", event("Add", "StudentPersonal", xml)).body


PIECES = [
    b"<SIF_Status>", b"</SIF_Status>", b"<SIF_Code>", b"</SIF_Code>", b"<SIF_Error>", b"\xc2\xb2", b"9" * 5000,
    b"<SIF_Data>", b"<SIF_Message/>", b"<!DOCTYPE x>", b"&x;", b"\x00", b"", b"-1", b" 7 ", b"<SIF_Ack/>", b"xmlns='x'",
]  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 700), st.integers(0, 40), st.sampled_from(PIECES)), max_size=4))
def test_whatever_a_zone_answers_is_read_or_is_none(changes):
    body = write_ack(Original("2.6", "SIS", "A" * 32), Status(0, asked(4096).body.decode()))
    for place, length, piece in changes:
        body = body[:place] + piece + body[place + length :]
    answer = read_answer(body)
    assert answer is None or (answer.code is None) == (answer.error is not None)
    if answer is not None and answer.delivered is not None:
        assert isinstance(answer.delivered.content, (Message, Refused))
    assert isinstance(read_delivered(body).content, (Message, Refused))


def test_a_message_in_a_relative_namespace_is_taken_out_of_the_answer_it_came_with():
    body = write_ack(Original("2.6", "SIS", "A" * 32), Status(0, '<SIF_Message xmlns="sif" Version="2.6"/>'))
    assert isinstance(read_answer(body).delivered.content, Refused)


@pytest.mark.parametrize("code", ["", "²", "٣", "1e1", "99999", "0x1"])
def test_a_status_that_is_no_number_is_no_answer(code):
    assert read_answer(write_ack(Original(), Status(0)).replace(b">0<", f">{code}<".encode())) is None
