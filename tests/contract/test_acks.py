"""Every answer a zone can give is valid against the official SIF 2.6 schema, and carries the standard's codes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.sif import acks, writing
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import Refused, open_message
from sif_pipeline.sif.messages import Original, read_message
from sif_pipeline.sif.registration import PROVISION_LISTS
from sif_pipeline.sif.zone_status import Listed, Node, Zone, write_zone_status

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
CODES = SHARED / "domain" / "infrastructure-codesets-2.x.json"

ERROR_SETS = {
    1: "XML Validation Error", 2: "Encryption Error", 3: "Authentication Error", 4: "Access and Permission Error",
    5: "Registration Error", 6: "Provision Error", 7: "Subscription Error", 8: "Request and Response Error",
    9: "Event Reporting and Processing Error", 10: "Transport Error", 11: "System Error",
    12: "Generic Message Handling Error", 13: "SMB Error", 14: "SIF Zone Service Error",
}  # fmt: skip
ORIGINALS = {
    "read": Original("2.3", "SIS-0999", "A3E90785EFDA330DACB00785EFDA330D"),
    "newest": Original("2.7", "SIS-0999", "A3E90785EFDA330DACB00785EFDA330D"),
    "without MsgId": Original("2.0r1", "A & <B>", None),
    "unreadable": Original(),
}
OBJECTS = ["LEAInfo", "SchoolInfo", "StudentPersonal"]
EVERY_RIGHT = dict.fromkeys(acks.ACCESS_LISTS, OBJECTS)
NODES = [
    Node("SIS-0999", 'A <&> "', "Push", ("2.6", "2.*", "2.0r*", "*"), 4294967295, is_secure=True, is_asleep=True),
    Node("LIB"),
]
LISTED = [Listed("SIS-0999", kind, name) for kind in PROVISION_LISTS for name in OBJECTS]
ZONES = {
    "an empty zone": Zone('Zone "7" <&> \xe9'),
    "a zone": Zone("Zone", NODES, [*LISTED, Listed("LIB", "SIF_RequestObjects", "LEAInfo")], OBJECTS, is_secure=True,
                   asks_certificates=True),
}  # fmt: skip
EVENT = writing.write_event("LEAInfo", "Delete", f'<LEAInfo RefId="{"A" * 32}"/>').body
STATUSES = {
    "stored": acks.STORED,
    "already held": acks.ALREADY_HELD,
    "sleeping": acks.SLEEPING,
    "no messages": acks.NO_MESSAGES,
    "access list": acks.Status(0, acks.agent_acl(EVERY_RIGHT)),
    "no access": acks.Status(0, acks.agent_acl({})),
    "zone status of an empty zone": acks.Status(0, write_zone_status(ZONES["an empty zone"], "2.6")),
    "zone status": acks.Status(0, write_zone_status(ZONES["a zone"], "2.6")),
    "zone status before bundles": acks.Status(0, write_zone_status(ZONES["a zone"], "2.3")),
    "message": acks.carrying(EVENT),
    "message as others write it": acks.carrying(
        b'\xef\xbb\xbf<?xml version="1.0" encoding="UTF-8"?>\n<!-- x -->' + EVENT + b"\n"
    ),
    "message in UTF-16": acks.carrying(EVENT.decode().encode("utf-16")),
}


def codes():
    if not CODES.exists():
        return []
    sets = json.loads(CODES.read_text())
    return [(c, int(code)) for c, name in ERROR_SETS.items() for code, _ in sets[f"Infrastructure/{name}"]]


@pytest.mark.parametrize("original", ORIGINALS)
@pytest.mark.parametrize("status", STATUSES)
def test_every_status_is_valid_sif(official, original, status):
    official.assertValid(etree.fromstring(acks.write_ack(ORIGINALS[original], STATUSES[status])))


@pytest.mark.parametrize("original", ORIGINALS)
def test_every_error_of_the_standard_is_valid_sif(official, original):
    assert len(codes()) > 80
    for category, code in codes():
        ack = acks.write_ack(ORIGINALS[original], Refused(category, code, "Mend <this> & send again. " * 60))
        official.assertValid(etree.fromstring(ack))


def test_an_ack_repeats_what_it_answers_and_the_gate_reads_it():
    at = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
    root = open_message(acks.write_ack(ORIGINALS["read"], acks.STORED, at))
    message = read_message(root)
    assert (message.message_type, message.version, message.source_id, message.timestamp, message.notices) == (
        "SIF_Ack", "2.3", "SIF-PIPELINE", at, (),
    )  # fmt: skip
    texts = {etree.QName(e).localname: e.text for e in root.iter() if e.text}
    assert texts["SIF_OriginalSourceId"] == "SIS-0999"
    assert texts["SIF_OriginalMsgId"] == "A3E90785EFDA330DACB00785EFDA330D"
    assert texts["SIF_Code"] == "0"


def test_each_ack_has_a_msg_id_of_its_own():
    ids = {read_message(open_message(acks.write_ack(Original(), acks.STORED))).msg_id for _ in range(100)}
    assert len(ids) == 100


def test_what_could_not_be_read_is_nil_and_not_invented():
    root = open_message(acks.write_ack(Original(), Refused(1, 2, "No.")))
    nil = "{http://www.w3.org/2001/XMLSchema-instance}nil"
    assert [e.get(nil) for e in root[0] if "Original" in e.tag] == ["true", "true"]
    assert root.get("Version") == "2.6"


def test_the_access_list_says_what_may_be_done_with_what_and_gives_every_object_its_context():
    rights = {"SIF_ProvideAccess": OBJECTS, "SIF_RequestAccess": ["LEAInfo"]}
    root = part(acks.agent_acl(rights))
    access = {etree.QName(list_).localname: [o.get("ObjectName") for o in list_] for list_ in root}
    assert access == {name: [] for name in acks.ACCESS_LISTS} | rights
    assert list(access) == list(acks.ACCESS_LISTS)
    assert {"".join(o.itertext()) for list_ in root for o in list_} == {"SIF_Default"}


def part(xml):
    """Read an element that is written to stand inside a message."""
    return open_message(xml.replace(">", f' xmlns="{NAMESPACE}">', 1).encode())


def test_the_zone_status_says_who_does_what_and_what_the_zone_speaks():
    root = part(write_zone_status(ZONES["a zone"], "2.6"))
    assert (root.get("ZoneId"), root.findtext("{*}SIF_Name"), root.findtext("{*}EventBundleSupport")) == (
        "SIF-PIPELINE", "Zone", "Yes",
    )  # fmt: skip
    lists = [e for e in root if e.find("{*}*/{*}SIF_ObjectList") is not None]
    declared = {
        etree.QName(e).localname: {n.get("SourceId"): [o.get("ObjectName") for o in n[0]] for n in e} for e in lists
    }
    same = ("SIF_Providers", "SIF_AddPublishers", "SIF_ChangePublishers", "SIF_DeletePublishers", "SIF_Responders")
    assert declared == {name: {"SIS-0999": OBJECTS} for name in same} | {
        "SIF_Subscribers": {"SIF-PIPELINE": OBJECTS, "SIS-0999": OBJECTS},
        "SIF_Requesters": {"SIS-0999": OBJECTS, "LIB": ["LEAInfo"]},
    }
    said = {etree.QName(e).localname: e.text for e in root.find("{*}SIF_SIFNodes")[0].iter() if e.text}
    assert said == {
        "SIF_Name": 'A <&> "', "SIF_SourceId": "SIS-0999", "SIF_Mode": "Push", "SIF_Version": "*",
        "SIF_MaxBufferSize": "4294967295", "SIF_Sleeping": "Yes",
    }  # fmt: skip
    protocol = root.find("{*}SIF_SupportedProtocols/{*}SIF_Protocol")
    assert (protocol.get("Type"), [e.text for e in protocol.iter() if e.text]) == ("HTTPS", ["Accept-Encoding", "gzip"])
    assert root.findtext(".//{*}SIF_ProtocolName") == "X.509"
    assert root.find("{*}SIF_SupportedVersions")[-1].text == "2.8"
    assert b"URL" not in etree.tostring(root)


def test_a_zone_tells_of_bundles_only_those_who_know_them():
    assert "EventBundleSupport" not in write_zone_status(ZONES["a zone"], "2.5")


def test_a_message_that_is_pulled_stays_as_it_was_and_its_ack_is_known_before_it_is_written():
    for case in ("message", "message as others write it", "message in UTF-16"):
        status = STATUSES[case]
        ack = acks.write_ack(ORIGINALS["read"], status)
        assert EVENT in ack
        assert read_message(open_message(ack)).msg_id == status.msg_id
