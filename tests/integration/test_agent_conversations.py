"""Conversations between agents of our own in one zone: by pull and push, by every kit, over HTTP."""

import threading
import time

import psycopg
import pytest

from sif_pipeline import zones
from sif_pipeline.agent import Line
from sif_pipeline.agent.joining import Joining, run
from sif_pipeline.agent.listener import Address
from sif_pipeline.sif.carried import CARRIERS, objects
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.query import read_where
from sif_pipeline.testing import KITS, key_of, pulling, pushing, sample_objects, zone_server

STUDENTS = sample_objects("StudentPersonal", 60)


@pytest.fixture(scope="module")
def server(module_database_url):
    with zone_server(module_database_url) as found:
        yield found


@pytest.fixture
def zone(server):
    """Give a zone in which the agent READER may subscribe and request."""
    found = server.zone()
    found.allow("READER", "subscribe", "request")
    return found


def reader(zone, way=pulling, **more):
    return way(zone.url, "READER", **more)


def joined(agent, **more):
    assert {answer.words for answer in agent.join(**more)} == {"status 0"}
    return agent


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def keys(delivered):
    return [found.element.get("RefId") for found in objects(delivered.root)]


@pytest.mark.parametrize("kit", sorted(KITS))
def test_a_request_finds_its_provider_and_the_packets_their_way_back(zone, kit):
    with (
        pulling(zone.url, "SIS", kit=KITS[kit], holds={"StudentPersonal": STUDENTS}) as sis,
        reader(zone, kit=KITS[kit], buffer_size=16384) as asking,
    ):
        joined(sis)
        joined(asking, requests=["StudentPersonal"])
        request = asking.ask("StudentPersonal", where=read_where("LocalId NE 0"))
        assert asking.send(request).code == 0
        (asked,) = sis.pull_all()
        assert asked.message.msg_id == request.msg_id
        assert {answer.code for answer in sis.answered} == {0}
        packets = asking.pull_all()
        assert len(packets) > 1
        assert [p.message.response.packet_number for p in packets] == list(range(1, len(packets) + 1))
        assert [p.message.response.more_packets for p in packets] == [True] * (len(packets) - 1) + [False]
        assert len({key for p in packets for key in keys(p)}) == len(STUDENTS)
        assert asking.fetch() is None


@pytest.mark.parametrize("way", [pulling, pushing])
@pytest.mark.parametrize("kit", ["plain", "openadk", "prefixed", "declared", "first-release"])
def test_events_reach_who_subscribed_byte_for_byte_and_in_order(zone, way, kit):
    with pulling(zone.url, "SIS", kit=KITS[kit], holds={"StudentPersonal": []}) as sis, reader(zone, way) as listening:
        joined(sis)
        joined(listening, subscribes=["StudentPersonal"])
        sent = [sis.write("SIF_Event", event) for event in _events()]
        assert [sis.send(written).code for written in sent] == [0, 0, 0]
        got = listening.pull_all() if way is pulling else listening.wait_for(3)
        assert [d.message.msg_id for d in got] == [w.msg_id for w in sent]
        assert [keys(d) for d in got] == [keys_of(w) for w in sent]
        if way is pushing:
            assert [d.body for d in got] == [w.body for w in sent]


def _events():
    from sif_pipeline.agent.writing import event  # noqa: PLC0415

    yield event("Add", "StudentPersonal", STUDENTS[0])
    yield event("Change", "StudentPersonal", STUDENTS[0])
    yield event("Delete", "StudentPersonal", key_of(STUDENTS[0]))


def keys_of(written):
    from sif_pipeline.agent.answers import read_delivered  # noqa: PLC0415

    return keys(read_delivered(written.body))


def test_an_event_under_selective_blocking_holds_others_but_no_response(zone):
    outcomes = iter([2, 1, 1])
    with (
        pulling(zone.url, "SIS", holds={"StudentPersonal": STUDENTS[:1]}) as sis,
        reader(zone, pushing, outcome=lambda _: next(outcomes)) as listening,
    ):
        joined(sis)
        joined(listening, subscribes=["StudentPersonal"], requests=["StudentPersonal"])
        for student in STUDENTS[:2]:
            assert sis.event("Add", "StudentPersonal", student).code == 0
        first = listening.wait_for(1)[0]
        assert listening.send(listening.ask("StudentPersonal")).code == 0
        sis.pull_all()
        got = listening.wait_for(2)
        assert got[1].message.message_type == "SIF_Response"
        time.sleep(0.3)
        assert len(listening.received) == 2
        assert listening.finish(first).code == 0
        assert keys(listening.wait_for(3)[2]) == keys_of_object(STUDENTS[1])


def keys_of_object(xml):
    from sif_pipeline.sif.gate import open_message  # noqa: PLC0415

    return [open_message(xml).get("RefId")]


def test_a_message_without_an_ack_comes_again_and_is_known(zone):
    outcomes = iter([None, None, 1])
    with (
        pulling(zone.url, "SIS", holds={"StudentPersonal": []}) as sis,
        reader(zone, outcome=lambda _: next(outcomes)) as listening,
    ):
        joined(sis)
        joined(listening, subscribes=["StudentPersonal"])
        sis.event("Add", "StudentPersonal", STUDENTS[0])
        got = [listening.pull() for _ in range(3)]
        assert len({d.body for d in got}) == 1
        assert len({d.carrier.msg_id for d in got}) == 3
        assert listening.pull() is None


def test_an_error_takes_a_message_off_the_queue(zone):
    with (
        pulling(zone.url, "SIS", holds={"StudentPersonal": []}) as sis,
        reader(zone, outcome=lambda _: Refused(11, 1, "No.")) as listening,
    ):
        joined(sis)
        joined(listening, subscribes=["StudentPersonal"])
        sis.event("Add", "StudentPersonal", STUDENTS[0])
        assert len(listening.pull_all(3)) == 1


def test_a_sleeping_agent_is_left_alone(zone):
    with pulling(zone.url, "SIS", holds={"StudentPersonal": []}) as sis, reader(zone, pushing) as listening:
        joined(sis)
        joined(listening, subscribes=["StudentPersonal"])
        assert listening.sleep().code == 0
        sis.event("Add", "StudentPersonal", STUDENTS[0])
        time.sleep(0.5)
        assert listening.received == []
        assert listening.wakeup().code == 0
        listening.wait_for(1)


def test_nobody_else_reads(zone):
    with (
        pulling(zone.url, "SIS", holds={"StudentPersonal": STUDENTS[:1]}) as sis,
        pulling(zone.url, "CURIOUS") as curious,
    ):
        joined(sis)
        curious.register()
        assert curious.subscribe("StudentPersonal").error == (4, 4)
        assert curious.send(curious.ask("StudentPersonal")).error == (4, 5)
        assert curious.provision(subscribes=["StudentPersonal"]).error == (4, 4)
        sis.event("Add", "StudentPersonal", STUDENTS[0])
        assert curious.fetch() is None


def test_a_cancelled_request_gets_no_more(zone):
    with pulling(zone.url, "SIS", holds={"StudentPersonal": STUDENTS[:1]}) as sis, reader(zone) as asking:
        joined(sis)
        joined(asking, requests=["StudentPersonal"])
        request = asking.ask("StudentPersonal")
        asking.send(request)
        assert asking.cancel(request.msg_id).code == 0
        assert sis.pull_all() == []
        (last,) = asking.pull_all()
        assert last.message.response.error == (8, 18)


# The pipeline as the agent, in a zone server that is ours too


@pytest.mark.parametrize("way", ["pull", "push"])
def test_the_pipeline_joins_a_zone_like_its_own(server, zone, way):
    zone.allow("STATE", "subscribe", "request")
    with psycopg.connect(server.database_url) as connection:
        zones.add(connection, f"home-{zone.name}", "01010000")
    stop = threading.Event()
    joining = Joining(
        f"home-{zone.name}", Line(zone.url, patience=2), "STATE", Address() if way == "push" else None,
        objects=("StudentPersonal",), requests=("StudentPersonal",), period=0.1,
    )  # fmt: skip
    with pulling(zone.url, "SIS", holds={"StudentPersonal": STUDENTS}) as sis:
        joined(sis)
        thread = threading.Thread(target=run, args=(server.database_url, joining, stop))
        thread.start()
        try:
            until(sis.pull_all)
            sis.event("Delete", "StudentPersonal", key_of(STUDENTS[0]))
            until(lambda: len(held(zone)) >= 2)
        finally:
            stop.set()
            thread.join(60)
    assert {row[:3] for row in held(zone)} <= {("SIS", kind, "pending") for kind in CARRIERS}
    assert held(zone)[-1][1] == "SIF_Event"
    state = zone.rows(
        "SELECT r.state FROM outbox.request AS r JOIN inbox.zone USING (zone_id) WHERE name = %(home)s",
        home=f"home-{zone.name}",
    )
    assert state == [("complete",)]


def held(zone):
    return zone.rows(
        "SELECT source_id, message_type, state FROM inbox.message JOIN inbox.zone USING (zone_id)"
        " WHERE name = %(home)s ORDER BY message_id",
        home=f"home-{zone.name}",
    )
