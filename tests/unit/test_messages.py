"""The envelope is read as agents really write it, and refused with the standard's own codes."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sif_pipeline.notices import Notice
from sif_pipeline.sif.carried import Action, is_message, objects
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.events import Event
from sif_pipeline.sif.gate import Refused, open_message
from sif_pipeline.sif.messages import Message, Original, read_message, read_original
from sif_pipeline.sif.registration import Provided, Registration
from sif_pipeline.sif.releases import speaks, spoken_with
from sif_pipeline.sif.requests import Answer, Cancellation, Response
from sif_pipeline.sif.timestamps import read_timestamp

NS = NAMESPACE
MSG_ID = "A3E90785EFDA330DACB00785EFDA330D"
CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "interop" / "captures"


def header(msg_id=MSG_ID, source="SIS-0999", timestamp="2026-11-22T08:00:00-04:00", more=""):
    return (
        f"<SIF_Header><SIF_MsgId>{msg_id}</SIF_MsgId><SIF_Timestamp>{timestamp}</SIF_Timestamp>"
        f"<SIF_SourceId>{source}</SIF_SourceId>{more}</SIF_Header>"
    )


def tree(body, version="2.7", ns=NS):
    return open_message(f'<SIF_Message xmlns="{ns}" Version="{version}">{body}</SIF_Message>'.encode())


def event(inner, head=None):
    return tree(f"<SIF_Event>{head or header()}<SIF_ObjectData>{inner}</SIF_ObjectData></SIF_Event>")


def refusal(root):
    with pytest.raises(Refused) as caught:
        read_message(root)
    return caught.value.category, caught.value.code


def capture(name):
    path = CAPTURES / name
    if not path.exists():
        pytest.skip(f"needs the captured message {name}, which is not part of the project")
    return open_message(path.read_bytes())


def test_an_envelope_is_read_whole():
    contexts = "<SIF_Contexts><SIF_Context> SIF_Default </SIF_Context></SIF_Contexts>"
    more = f"<SIF_DestinationId>ZONE</SIF_DestinationId>{contexts}"
    assert read_message(event("", header(more=more))) == Message(
        message_type="SIF_Event",
        version="2.7",
        msg_id=MSG_ID,
        source_id="SIS-0999",
        destination_id="ZONE",
        timestamp=datetime(2026, 11, 22, 12, tzinfo=UTC),
        contexts=("SIF_Default",),
        events=(Event(MSG_ID, "ZONE", ()),),
    )


def test_the_parts_of_an_envelope_may_come_in_any_order():
    root = tree(
        "<SIF_Ack><SIF_OriginalSourceId>ZONE</SIF_OriginalSourceId><SIF_OriginalMsgId>0</SIF_OriginalMsgId>"
        "<SIF_Header><SIF_Contexts/><SIF_SourceId>\n SIS-0999\n</SIF_SourceId><SIF_Timestamp>2026-11-22T08:00:00Z"
        f"</SIF_Timestamp><SIF_MsgId> {MSG_ID} </SIF_MsgId></SIF_Header><SIF_Status><SIF_Code>1</SIF_Code></SIF_Status>"
        "</SIF_Ack>"
    )
    read = read_message(root)
    assert (read.message_type, read.msg_id, read.source_id) == ("SIF_Ack", MSG_ID, "SIS-0999")
    assert read.answer == Answer("ZONE", None, 1, None)


@pytest.mark.parametrize("version", ["2.0", "2.0r1", "2.1", "2.2", "2.3", "2.4", "2.5", "2.5r1", "2.6", "2.7", "2.8"])
def test_every_release_of_2_x_is_spoken(version):
    assert read_message(tree(f"<SIF_Event>{header()}</SIF_Event>", version)).version == version


@pytest.mark.parametrize(
    "version", ["1.1", "1.5r1", "2.9", "3.3", "2.10", "2", "2.x", "*", "2.*", "2.7M", "2.0r", "2.0r1000"]
)
def test_other_releases_are_refused_as_such(version):
    assert refusal(tree(f"<SIF_Event>{header()}</SIF_Event>", version)) == (12, 3)


@pytest.mark.parametrize(
    "ns",
    [
        "http://www.sifinfo.org/infrastructure/1.x",
        "http://www.sifinfo.org/au/infrastructure/2.x",
        "http://www.sifinfo.org/uk/infrastructure/2.x",
        "http://www.sifassociation.org/infrastructure/3.3",
        "http://www.sifassociation.org/datamodel/na/4.x",
        "",
    ],
)
def test_other_namespaces_are_refused_as_other_versions(ns):
    assert refusal(tree(f"<SIF_Event>{header()}</SIF_Event>", ns=ns)) == (12, 3)


def request(query, versions="<SIF_Version>2.*</SIF_Version>", size="65536"):
    said = f"{versions}<SIF_MaxBufferSize>{size}</SIF_MaxBufferSize>{query}"
    return tree(f"<SIF_Request>{header()}{said}</SIF_Request>")


def bundle(events):
    return tree(f"<SIF_BundledEvents>{header()}<SIF_Events>{events}</SIF_Events></SIF_BundledEvents>")


def cancel(msg_ids, notification="None"):
    said = f"<SIF_NotificationType>{notification}</SIF_NotificationType>{msg_ids}"
    data = f"<SIF_SystemControlData><SIF_CancelRequests>{said}</SIF_CancelRequests></SIF_SystemControlData>"
    return tree(f"<SIF_SystemControl>{header()}{data}</SIF_SystemControl>")


TRIAL = "<SIF_Contexts><SIF_Context>Trial</SIF_Context></SIF_Contexts>"
CANCELLED = "<SIF_RequestMsgIds><SIF_RequestMsgId>?</SIF_RequestMsgId></SIF_RequestMsgIds>"
REFUSALS = {
    "no version": (open_message(f'<SIF_Message xmlns="{NS}"/>'.encode()), (1, 6)),
    "no message": (tree(""), (1, 6)),
    "two messages": (tree(f"<SIF_Event>{header()}</SIF_Event><SIF_Event>{header()}</SIF_Event>"), (1, 3)),
    "unknown message": (tree(f"<SIF_Gossip>{header()}</SIF_Gossip>"), (12, 2)),
    "foreign message": (tree(f'<SIF_Event xmlns="other">{header()}</SIF_Event>'), (12, 2)),
    "no header": (tree("<SIF_Event/>"), (1, 6)),
    "no MsgId": (
        tree("<SIF_Event><SIF_Header><SIF_SourceId>A</SIF_SourceId></SIF_Header></SIF_Event>"),
        (1, 6),
    ),
    "no SourceId": (
        tree(f"<SIF_Event><SIF_Header><SIF_MsgId>{MSG_ID}</SIF_MsgId></SIF_Header></SIF_Event>"),
        (1, 6),
    ),
    "empty MsgId": (event("", header(msg_id=" ")), (1, 6)),
    "MsgId in lower case": (event("", header(msg_id=MSG_ID.lower())), (1, 4)),
    "MsgId with hyphens": (event("", header(msg_id="A3E90785-EFDA-330D-ACB0-0785EFDA330D")), (1, 4)),
    "MsgId too long": (event("", header(msg_id=MSG_ID + "0")), (1, 4)),
    "MsgId with other digits": (event("", header(msg_id="\u0661" * 32)), (1, 4)),
    "SourceId as a path": (event("", header(source="../../etc/passwd")), (1, 4)),
    "SourceId too long": (event("", header(source="A" * 65)), (1, 4)),
    "SourceId of look-alikes": (event("", header(source="\u0405IS-0999")), (1, 4)),
    "SourceId with a terminal sequence": (event("", header(source="A\u009b31m")), (1, 4)),
    "SourceId with markup": (event("", header(source="&lt;script&gt;")), (1, 4)),
    "SourceId unfit to register": (tree(f"<SIF_Register>{header(source='%2e%2e')}</SIF_Register>"), (5, 2)),
    "DestinationId as a path": (
        event("", header(more="<SIF_DestinationId>../x</SIF_DestinationId>")),
        (1, 4),
    ),
    "request without a query": (request(""), (1, 6)),
    "request without a version": (request('<SIF_Query><SIF_QueryObject ObjectName="A"/></SIF_Query>', ""), (1, 6)),
    "request without a buffer": (request('<SIF_Query><SIF_QueryObject ObjectName="A"/></SIF_Query>', size=""), (1, 6)),
    "request with an odd buffer": (request("<SIF_Query/>", size="lots"), (1, 4)),
    "request for nothing": (request("<SIF_Query/>"), (8, 3)),
    "request for what is no object": (request('<SIF_Query><SIF_QueryObject ObjectName="1;"/></SIF_Query>'), (8, 3)),
    "ack that says nothing": (tree(f"<SIF_Ack>{header()}</SIF_Ack>"), (1, 6)),
    "bundle in a bundle": (bundle("<SIF_BundledEvents/>"), (9, 3)),
    "bundled event without header": (bundle("<SIF_Event/>"), (1, 6)),
    "bundled event of another agent": (bundle(f"<SIF_Event>{header(source='SIS-1000')}</SIF_Event>"), (9, 3)),
    "bundled event in another context": (bundle(f"<SIF_Event>{header(more=TRIAL)}</SIF_Event>"), (12, 4)),
    "cancelling nothing": (cancel("<SIF_RequestMsgIds/>"), (1, 6)),
    "cancelling by what is no MsgId": (cancel(CANCELLED.replace("?", "x")), (1, 4)),
    "cancelling in some odd way": (cancel(CANCELLED.replace("?", MSG_ID), "Loudly"), (1, 4)),
    "unnamed subscription": (tree(f"<SIF_Subscribe>{header()}<SIF_Object/></SIF_Subscribe>"), (7, 3)),
    "provision in another context": (
        tree(f'<SIF_Provide>{header()}<SIF_Object ObjectName="LEAInfo">{TRIAL}</SIF_Object></SIF_Provide>'),
        (12, 4),
    ),
    "unnamed provision": (tree(f"<SIF_Provide>{header()}<SIF_Object/></SIF_Provide>"), (6, 3)),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_an_unusable_envelope_is_refused_with_the_codes_of_the_standard(case):
    root, expected = REFUSALS[case]
    assert refusal(root) == expected


def test_refusals_do_not_repeat_what_was_sent():
    for root, _ in REFUSALS.values():
        with pytest.raises(Refused) as caught:
            read_message(root)
        assert not {"passwd", "script", "Gossip", "\u0661", "AAAA"} & set(caught.value.sentence.split())


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-22T08:00:00Z", "2026-11-22T08:00:00+00:00"),
        ("2026-11-22T08:00:00", "2026-11-22T08:00:00+00:00"),
        ("2026-11-22T08:00:00+05:30", "2026-11-22T02:30:00+00:00"),
        ("2026-11-22T08:00:00-14:00", "2026-11-22T22:00:00+00:00"),
        ("2026-11-22T24:00:00Z", "2026-11-23T00:00:00+00:00"),
        ("2026-12-31T24:00:00.000-05:00", "2027-01-01T05:00:00+00:00"),
        ("2026-11-22T08:00:00.1Z", "2026-11-22T08:00:00.100000+00:00"),
        ("2026-11-22T08:00:00.123456789012345678901234567890Z", "2026-11-22T08:00:00.123456+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
    ],
)
def test_a_timestamp_becomes_an_instant(text, instant):
    assert read_timestamp(text) == datetime.fromisoformat(instant)
    assert read_timestamp(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "", "2026-11-22", "20261122T080000Z", "2026-11-22 08:00:00Z", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z",
        "2026-11-22T24:00:01Z", "2026-11-22T24:00:00.1Z", "2026-11-22T23:59:60Z", "2026-11-22T08:00:00+14:01",
        "2026-11-22T08:00:00+05:60", "2026-11-22T08:00:00+5", "2026-11-22T08:00:00 Z", "2026-11-22T08:00Z",
        "0000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:00:00-02:00", "9999-12-31T24:00:00Z", "2026-11-22T08:00:00.Z",
        "\u0662026-11-22T08:00:00Z", "now",
    ],
)  # fmt: skip
def test_an_unusable_timestamp_is_a_finding_and_the_message_stays_good(text):
    assert read_timestamp(text) is None
    read = read_message(event("", header(timestamp=text)))
    assert (read.timestamp, read.notices) == (
        None,
        (Notice("timestamp_implausible", "SIF_Header/SIF_Timestamp"),),
    )


@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_a_timestamp(text):
    assert read_timestamp(text) is None or text[:4].isdigit()


FIRST, LAST = datetime(2, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 -- local times


@given(st.datetimes(FIRST, LAST), st.integers(-14 * 60, 14 * 60))
def test_every_instant_survives_being_written_as_xs_date_time(local, offset):
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset)))
    assert read_timestamp(moment.isoformat()) == moment


def objects_of(root):
    return [(o.position, o.action, o.element.get("RefId"), o.notice and o.notice.code) for o in objects(root)]


def test_an_event_yields_its_object_with_its_action():
    for action in ("Add", "Change", "Delete"):
        root = event(
            f'<SIF_EventObject ObjectName="SchoolInfo" Action="{action}"><SchoolInfo RefId="1"/></SIF_EventObject>'
        )
        assert objects_of(root) == [(1, Action(action), "1", None)]


def test_several_objects_in_an_event_are_taken_one_by_one():
    root = event(
        '<SIF_EventObject ObjectName="SchoolInfo" Action="Add"><SchoolInfo RefId="1"/><SchoolInfo RefId="2"/>'
        '</SIF_EventObject><SIF_EventObject ObjectName="LEAInfo" Action="Delete"><LEAInfo RefId="3"/></SIF_EventObject>'
    )
    assert objects_of(root) == [(1, "Add", "1", None), (2, "Add", "2", "event_of_several"), (3, "Delete", "3", None)]
    assert read_message(root).events[0].objects == (("SchoolInfo", "Add"), ("SchoolInfo", "Add"), ("LEAInfo", "Delete"))


def test_the_events_of_a_bundle_follow_each_other_and_each_keeps_its_own_header():
    def bundled(number, inner):
        data = f"<SIF_ObjectData>{inner}</SIF_ObjectData>"
        return f"<SIF_Event>{header(msg_id=f'{number:032X}')}{data}</SIF_Event>"

    school = '<SIF_EventObject ObjectName="SchoolInfo" Action="{}"><SchoolInfo RefId="{}"/></SIF_EventObject>'
    events = bundled(1, school.format("Add", 1)) + bundled(2, school.format("Change", 2) + school.format("Delete", 3))
    root = tree(f"<SIF_BundledEvents>{header()}<SIF_Events>{events}</SIF_Events></SIF_BundledEvents>")
    assert objects_of(root) == [(1, "Add", "1", None), (2, "Change", "2", None), (3, "Delete", "3", "event_of_several")]
    assert read_message(root).events == (
        Event(f"{1:032X}", None, (("SchoolInfo", Action.ADD),)),
        Event(f"{2:032X}", None, (("SchoolInfo", Action.CHANGE), ("SchoolInfo", Action.DELETE))),
    )


def test_wrappings_that_contradict_their_object_are_findings():
    root = event(
        '<SIF_EventObject ObjectName="LEAInfo" Action="Add"><SchoolInfo RefId="1"/></SIF_EventObject>\n'
        '<SIF_EventObject ObjectName="SchoolInfo" Action="Upsert"><SchoolInfo RefId="2"/></SIF_EventObject>\n'
        '<SIF_EventObject Action="add"/>'
    )
    assert [(o.position, o.action, o.notice) for o in objects(root)] == [
        (1, Action.ADD, Notice("object_name_differs", "SIF_EventObject/@ObjectName", 1)),
        (2, None, Notice("action_unknown", "SIF_EventObject/@Action", 2)),
    ]


def test_the_objects_of_a_response_are_whole_images():
    root = tree(
        f"<SIF_Response>{header()}<SIF_RequestMsgId>{MSG_ID}</SIF_RequestMsgId><SIF_PacketNumber>1</SIF_PacketNumber>"
        "<SIF_MorePackets>No</SIF_MorePackets>"
        '<SIF_ObjectData><SchoolInfo RefId="1"/><LEAInfo RefId="2"/></SIF_ObjectData>'
        "</SIF_Response>"
    )
    assert objects_of(root) == [(1, "Response", "1", None), (2, "Response", "2", None)]


BARE = {
    "list of objects": (
        '<StudentPersonals><StudentPersonal RefId="1"/><StudentPersonal RefId="2"/></StudentPersonals>',
        2,
    ),
    "one object": ('<StudentPersonal RefId="1"><LocalId>1</LocalId></StudentPersonal>', 1),
    "natural key": (
        '<StudentAttendanceSummary StudentPersonalRefId="1"><DaysTardy>1</DaysTardy></StudentAttendanceSummary>',
        1,
    ),
    "object without key": ("<StudentPersonal><LocalId>1</LocalId></StudentPersonal>", 1),
    "list with a keyless object": ('<Objects><LEAInfo/><LEAInfo RefId="2"/></Objects>', 2),
    "list of one keyless object": ("<Objects><LEAInfo><LocalId>1</LocalId></LEAInfo></Objects>", 1),
    "list whose objects need no RefId": (
        '<Objects><StudentLocator TransactionId="1"/><StudentLocator TransactionId="2"/></Objects>',
        2,
    ),
    "list of objects outside the standard": ('<Objects><Locker RefId="1"/><Locker RefId="2"/></Objects>', 2),
    "empty list": ("<StudentPersonals/>", 0),
}


@pytest.mark.parametrize("case", BARE)
def test_bare_objects_are_whole_images(case):
    xml, count = BARE[case]
    root = open_message(xml.encode())
    assert not is_message(root)
    assert [(o.position, o.action) for o in objects(root)] == [(n, Action.RESPONSE) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    "root",
    [tree(""), tree(f"<SIF_Event>{header()}</SIF_Event>"), tree(f"<SIF_Register>{header()}</SIF_Register>")],
)
def test_messages_without_objects_yield_none(root):
    assert list(objects(root)) == []


def test_a_registration_is_read():
    message = read_message(capture("push--SIF_Register.xml"))
    assert message.registration == Registration(
        name="District 0101 SIS",
        versions=("2.6", "1.1", "1.5r1", "2.0", "2.0r1", "2.1", "2.2", "2.3", "2.4", "2.5"),
        max_buffer_size=393216,
        mode="Push",
        takes_bundles=False,
        protocol="HTTP",
        secure=False,
        push_url="http://127.0.0.1:12121/zone/Zone1/",
        accept_encoding="gzip;q=1.0, deflate;q=0.7, compress;q=0.6, identity;q=0.5, *;q=0",
        vendor="Test Vendor 1.0",
        application="TestSIS 9.1",
    )


def test_bundles_and_security_are_read():
    secure = (
        "<SIF_Security><SIF_SecureChannel><SIF_AuthenticationLevel>{}</SIF_AuthenticationLevel>"
        "<SIF_EncryptionLevel>{}</SIF_EncryptionLevel></SIF_SecureChannel></SIF_Security>"
    )
    root = tree(
        f"<SIF_Register>{header(more=secure.format(3, 4))}<EventBundleSupport>Yes</EventBundleSupport></SIF_Register>"
    )
    read = read_message(root)
    assert (read.registration.takes_bundles, read.level) == (True, (3, 4))
    assert read_message(event("", header(more=secure.format(4, "high")))).level == (0, 0)


VERSIONS = {
    ("2.6", "1.1", "2.7"): "2.7",
    ("2.*",): "2.6",
    ("*",): "2.6",
    ("2.0r*",): "2.0r1",
    ("2.0r1",): "2.0r1",
    ("2.3",): "2.3",
    ("2.3", "2.*"): "2.6",
    ("2.8", "2.*"): "2.8",
    ("1.*", "1.5r1"): None,
    ("2.5r1",): "2.5r1",
    ("2.7r1", "1.5r1"): "2.7r1",
    ("2.7", "2.7r1", "2.*"): "2.7r1",
    ("2.9r1", "2.7M", "2.7r"): None,
    ("3.0",): None,
    (): None,
    ("x",): None,
}


@pytest.mark.parametrize("versions", VERSIONS)
def test_the_highest_release_an_agent_names_is_spoken_and_none_above_2_6_by_a_wildcard(versions):
    assert spoken_with(versions) == VERSIONS[versions]


def test_wildcards_of_versions_match_as_the_standard_says():
    spoken = {p: [v for v in ("1.1", "2.0", "2.0r1", "2.0r2", "2.1", "2.6") if speaks([p], v)] for p in (
        "*", "2.*", "2.0r*", "2.0", "1.*", "2.6r*",
    )}  # fmt: skip
    assert spoken == {
        "*": ["1.1", "2.0", "2.0r1", "2.0r2", "2.1", "2.6"], "2.*": ["2.0", "2.0r1", "2.0r2", "2.1", "2.6"],
        "2.0r*": ["2.0", "2.0r1", "2.0r2"], "2.0": ["2.0"], "1.*": ["1.1"], "2.6r*": ["2.6"],
    }  # fmt: skip


def test_a_request_is_read():
    read = read_message(capture("pull-provision--SIF_Request.StudentPersonal.conditions.xml")).request
    assert (read.object_names, read.versions, read.max_buffer_size, read.is_extended) == (
        ("StudentPersonal",), ("2.*",), 16384, False,
    )  # fmt: skip
    query = open_message(read.query)
    assert [query.tag, len(query)] == [f"{{{NS}}}SIF_Query", 2]


def test_an_extended_query_names_the_objects_of_its_joins_and_the_provider_first():
    joined = (
        '<SIF_Join Type="Inner"><SIF_JoinOn><SIF_LeftElement ObjectName="StudentPersonal">@RefId</SIF_LeftElement>'
        '<SIF_RightElement ObjectName="StudentSchoolEnrollment">@StudentPersonalRefId</SIF_RightElement></SIF_JoinOn>'
        "</SIF_Join>"
    )
    query = (
        "<SIF_ExtendedQuery><SIF_DestinationProvider>SchoolInfo</SIF_DestinationProvider>"
        f'<SIF_From ObjectName="StudentPersonal">{joined}</SIF_From></SIF_ExtendedQuery>'
    )
    read = read_message(request(query)).request
    assert read.object_names == ("SchoolInfo", "StudentPersonal", "StudentSchoolEnrollment")
    assert read.is_extended


def test_a_response_is_read_whatever_it_leaves_out():
    read = read_message(capture("pull-provision--SIF_Response.packet1-moreYes.xml"))
    assert read.destination_id == "STATE-COLLECTOR"
    assert read.response == Response(
        "0A5B0288EEA34EC5B97D8C5EBF70F8FC", 1, more_packets=True, object_names=("StudentPersonal",)
    )
    odd = "<SIF_RequestMsgId>x</SIF_RequestMsgId><SIF_PacketNumber>0</SIF_PacketNumber>"
    assert read_message(tree(f"<SIF_Response>{header()}{odd}</SIF_Response>")).response == Response()
    error = "<SIF_Error><SIF_Category>8</SIF_Category><SIF_Code>four</SIF_Code></SIF_Error>"
    assert read_message(tree(f"<SIF_Response>{header()}{error}</SIF_Response>")).response.error == (8, 0)


def test_an_ack_is_read():
    assert read_message(capture("ackack--SIF_Ack.status1.xml")).answer == Answer(
        "StubZIS", "BFE6D371D738418E87050359215F0591", 1, None
    )
    error = "<SIF_Error><SIF_Category>1</SIF_Category><SIF_Code>3</SIF_Code><SIF_Desc>No.</SIF_Desc></SIF_Error>"
    assert read_message(tree(f"<SIF_Ack>{header()}{error}</SIF_Ack>")).answer == Answer(None, None, None, (1, 3))


def test_a_cancellation_is_read():
    read = read_message(capture("legacy--SIF_SystemControl.SIF_CancelRequests.xml"))
    assert read.cancellation == Cancellation(("9B1CC0E12CCF478084155DFBFBD70840",), wants_notice=True)
    assert read_message(capture("legacy--SIF_SystemControl.SIF_Ping.xml")).cancellation is None


@pytest.mark.parametrize("size", ["", "-1", "99999999999", "12e3", "\u0661", "lots"])
def test_a_buffer_size_that_is_no_number_is_none(size):
    root = tree(f"<SIF_Register>{header()}<SIF_MaxBufferSize>{size}</SIF_MaxBufferSize></SIF_Register>")
    assert read_message(root).registration == Registration()


def test_a_provision_is_read_by_list():
    names = ["StudentSchoolEnrollment", "SchoolInfo", "StaffPersonal", "StudentPersonal", "LEAInfo"]
    assert read_message(capture("push--SIF_Provision.xml")).provided == tuple(
        Provided(kind, name) for kind in ("SIF_ProvideObjects", "SIF_RespondObjects") for name in names
    )


def test_the_older_messages_provide_one_by_one():
    provide = read_message(capture("legacy--SIF_Provide.xml"))
    unprovide = read_message(capture("legacy--SIF_Unprovide.xml"))
    assert provide.provided == (Provided("SIF_ProvideObjects", "StudentSchoolEnrollment"),)
    assert unprovide.provided == (Provided("SIF_ProvideObjects", "StudentPersonal"),)


def test_commands_of_system_control_are_named():
    for path in CAPTURES.glob("*SystemControl*.xml"):
        assert read_message(capture(path.name)).command == path.name.split(".")[-2]
    assert read_message(tree(f"<SIF_SystemControl>{header()}</SIF_SystemControl>")).command is None


@pytest.mark.parametrize(
    ("root", "original"),
    [
        (event(""), Original("2.7", "SIS-0999", MSG_ID)),
        (event("", header(msg_id="x")), Original("2.7", "SIS-0999", None)),
        (event("", header(source="../x")), Original("2.7", None, MSG_ID)),
        (tree("<SIF_Event/>", version="9.9"), Original()),
        (tree(f"<SIF_Event>{header()}</SIF_Event>", version="1.1"), Original("2.6", "SIS-0999", MSG_ID)),
        (
            tree(f"<SIF_Event>{header()}</SIF_Event>", ns="http://www.sifinfo.org/infrastructure/1.x"),
            Original(),
        ),
        (open_message(b"<r/>"), Original()),
    ],
)
def test_what_an_ack_repeats_is_read_from_anything(root, original):
    assert read_original(root) == original
