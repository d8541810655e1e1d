"""Messages of the synthetic agent are deterministic and keep to the buffer."""

import re
from datetime import UTC, datetime
from itertools import islice

import pytest
from lxml import etree

from sif_pipeline.sif import carried
from sif_pipeline.sif import messages as read
from sif_pipeline.sif.gate import open_message
from sif_pipeline.synth import messages

START = datetime(2026, 11, 20, 6, tzinfo=UTC)
STUDENT = b'<StudentPersonal RefId="0123456789ABCDEF0123456789ABCDEF"/>'
REQUEST = "F" * 32


def packets(objects: list[bytes], buffer_size: int = 1200) -> list[bytes]:
    stamps = messages.stamps(1, "SIS", START)
    return list(messages.response_packets(objects, "SIS", "STATE", REQUEST, stamps, buffer_size=buffer_size))


def test_stamps_are_deterministic_and_a_millisecond_apart() -> None:
    first, second = islice(messages.stamps(1, "SIS", START), 2)
    assert (first.timestamp, second.timestamp) == ("2026-11-20T06:00:00.000Z", "2026-11-20T06:00:00.001Z")
    assert re.fullmatch("[0-9A-F]{32}", first.msg_id)
    assert next(messages.stamps(1, "SIS", START)) == first
    others = {next(messages.stamps(seed, name, START)).msg_id for seed, name in ((2, "SIS"), (1, "SIS-2"))}
    assert len({first.msg_id, second.msg_id, *others}) == 4


def test_event_is_read_back() -> None:
    stamp = next(messages.stamps(1, "SIS", START))
    root = open_message(messages.event("StudentPersonal", "Change", STUDENT, "SIS", stamp))
    envelope = read.read_message(root)
    assert (envelope.message_type, envelope.version, envelope.source_id) == ("SIF_Event", "2.7", "SIS")
    assert (envelope.msg_id, envelope.timestamp) == (stamp.msg_id, START)
    (found,) = carried.objects(root)
    assert found.action == "Change"
    assert etree.QName(found.element).localname == "StudentPersonal"


def test_packets_are_numbered_and_stay_under_the_buffer() -> None:
    sent = packets([STUDENT] * 25)
    assert len(sent) > 1
    assert all(len(packet) <= 1200 for packet in sent)
    numbers = [re.findall(rb"<SIF_PacketNumber>(\d+)", packet) for packet in sent]
    assert numbers == [[str(n).encode()] for n in range(1, len(sent) + 1)]
    more = [re.findall(rb"<SIF_MorePackets>(\w+)", packet) for packet in sent]
    assert more == [[b"Yes"]] * (len(sent) - 1) + [[b"No"]]
    assert sum(packet.count(STUDENT) for packet in sent) == 25
    assert all(open_message(packet) is not None for packet in sent)


def test_no_objects_make_one_empty_packet() -> None:
    (packet,) = packets([])
    assert b"<SIF_MorePackets>No</SIF_MorePackets><SIF_ObjectData></SIF_ObjectData>" in packet


def test_an_object_beyond_the_buffer_is_refused() -> None:
    with pytest.raises(ValueError, match="larger than the buffer"):
        packets([STUDENT * 30])


def test_registration_and_provision_are_read_back() -> None:
    stamp = next(messages.stamps(1, "SIS", START))
    registered = read.read_message(open_message(messages.register("SIS", stamp, name="A & B <Schools>")))
    assert registered.registration is not None
    assert registered.registration.name == "A & B <Schools>"
    provided = read.read_message(open_message(messages.provision("SIS", ["LEAInfo", "SchoolInfo"], stamp)))
    assert {entry.object_name for entry in provided.provided} == {"LEAInfo", "SchoolInfo"}


def test_ping_and_unregister_are_read_back() -> None:
    stamp = next(messages.stamps(1, "SIS", START))
    assert read.read_message(open_message(messages.ping("SIS", stamp))).command == "SIF_Ping"
    assert read.read_message(open_message(messages.unregister("SIS", stamp))).message_type == "SIF_Unregister"


def test_a_bare_list_is_read_back() -> None:
    root = open_message(b"".join(messages.object_list([STUDENT, STUDENT])))
    assert not carried.is_message(root)
    assert [found.element.get("RefId") for found in carried.objects(root)] == ["0123456789ABCDEF0123456789ABCDEF"] * 2
