"""Every answer a zone can give is valid against the official SIF 2.6 schema, and carries the standard's codes."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.sif import acks
from sif_pipeline.sif.gate import Refused, open_message
from sif_pipeline.sif.messages import NAMESPACE, Original, read_message

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SCHEMA = SHARED / "spec" / "sif-us-2.6" / "SIF_Message.xsd"
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
STATUSES = {
    "stored": acks.STORED,
    "already held": acks.ALREADY_HELD,
    "no messages": acks.NO_MESSAGES,
    "access list": acks.Status(0, acks.agent_acl(OBJECTS)),
    "zone status": acks.Status(0, acks.zone_status('Zone "7" <&> \xe9', secure=True)),
}


@pytest.fixture(scope="module")
def official():
    if not SCHEMA.exists():
        pytest.skip("needs the official SIF 2.6 schema, which is not part of the project")
    return etree.XMLSchema(etree.parse(SCHEMA))


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


def test_the_access_list_gives_every_object_its_context_and_nothing_to_read():
    root = open_message(
        acks.agent_acl(OBJECTS).replace("<SIF_AgentACL>", f'<SIF_AgentACL xmlns="{NAMESPACE}">').encode()
    )
    access = {etree.QName(part).localname: [o.get("ObjectName") for o in part] for part in root}
    assert access == {
        "SIF_ProvideAccess": OBJECTS, "SIF_SubscribeAccess": [], "SIF_PublishAddAccess": OBJECTS,
        "SIF_PublishChangeAccess": OBJECTS, "SIF_PublishDeleteAccess": OBJECTS, "SIF_RequestAccess": [],
        "SIF_RespondAccess": OBJECTS,
    }  # fmt: skip
    assert {"".join(o.itertext()) for part in root for o in part} == {"SIF_Default"}
