"""A message is stored exactly once, byte for byte, before it is acknowledged; agents come and go by theirs."""

import asyncio
import hashlib
from uuid import uuid4

import psycopg
import pytest

from sif_pipeline import zones
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.messages import NAMESPACE
from sif_pipeline.zone.receive import read, receive

SOURCE = "DISTRICT-0101"


def new_id():
    return uuid4().hex.upper()


def message(body, msg_id=None, source=SOURCE, version="2.6", more=""):
    head = (
        f"<SIF_Header><SIF_MsgId>{msg_id or new_id()}</SIF_MsgId><SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp>"
        f"<SIF_SourceId>{source}</SIF_SourceId>{more}</SIF_Header>"
    )
    opened, closed = body.split("|")
    return f'<SIF_Message xmlns="{NAMESPACE}" Version="{version}">{opened}{head}{closed}</SIF_Message>'.encode()


def register(mode="Pull", versions=("2.6",), **of):
    listed = "".join(f"<SIF_Version>{v}</SIF_Version>" for v in versions)
    return message(
        f"<SIF_Register>|<SIF_Name>SIS</SIF_Name>{listed}<SIF_MaxBufferSize>65536</SIF_MaxBufferSize>"
        f"<SIF_Mode>{mode}</SIF_Mode></SIF_Register>",
        **of,
    )


def event(name="Amelia", **of):
    return message(
        '<SIF_Event>|<SIF_ObjectData><SIF_EventObject ObjectName="StudentPersonal" Action="Add"><StudentPersonal '
        f'RefId="FF34557E547082FAA4E584716248B7F0"><Name><FirstName>{name}</FirstName></Name></StudentPersonal>'
        "</SIF_EventObject></SIF_ObjectData></SIF_Event>",
        **of,
    )


def control(command, **of):
    return message(
        f"<SIF_SystemControl>|<SIF_SystemControlData>{command}</SIF_SystemControlData></SIF_SystemControl>", **of
    )


def provision(*provided, publish=()):
    def listed(names):
        return "".join(f'<SIF_Object ObjectName="{n}"/>' for n in names)

    return message(
        f"<SIF_Provision>|<SIF_ProvideObjects>{listed(provided)}</SIF_ProvideObjects><SIF_SubscribeObjects/>"
        f"<SIF_PublishAddObjects>{listed(publish)}</SIF_PublishAddObjects></SIF_Provision>"
    )


def answer(ack):
    """Give the status of an ack, or category and code of its error."""
    found = {e.tag.rpartition("}")[2]: e.text for e in open_message(ack).iter()}
    return (int(found["SIF_Category"]), int(found["SIF_Code"])) if "SIF_Category" in found else int(found["SIF_Code"])


class District:
    """A zone of a test with a connection to the database it is in."""

    def __init__(self, url):
        self.url = url
        with psycopg.connect(url) as connection:
            connection.execute("TRUNCATE inbox.zone, inbox.audit CASCADE")  # faster than a database per test
            self.token = zones.add(connection, "District-0101", "01010000")

    def send(self, *bodies, together=False):
        async def one(body):
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
                zone = await zones.find(connection, zones.token_hash(self.token))
                return await receive(connection, zone, read(body))

        async def each():
            if together:
                return await asyncio.gather(*(one(body) for body in bodies))
            return [await one(body) for body in bodies]

        answers = [answer(ack) for ack in asyncio.run(each())]
        return answers if together or len(answers) > 1 else answers[0]

    def rows(self, query):
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def district(module_database_url):
    return District(module_database_url)


@pytest.fixture
def registered(district):
    assert district.send(register()) == 0
    return district


def test_an_event_is_stored_byte_for_byte_with_what_its_envelope_says(registered):
    body = event("Zo\xeb \u674e \U0001f600", msg_id="A" * 32)
    assert registered.send(body) == 0
    stored = registered.rows(
        "SELECT source_id, msg_id, message_type, sif_version, sif_timestamp::text, origin, body, body_sha256, state,"
        " duplicates FROM inbox.message WHERE message_type <> 'SIF_Register'"
    )
    assert stored == [
        (
            SOURCE, "A" * 32, "SIF_Event", "2.6", "2026-11-22 08:00:00+00", "http", body,
            hashlib.sha256(body).digest(), "pending", 0,
        )
    ]  # fmt: skip


def test_a_message_that_comes_again_is_recognised_and_kept_once(registered):
    body = event()
    assert registered.send(body, body, body) == [0, 7, 7]
    assert registered.rows("SELECT body, duplicates FROM inbox.message WHERE message_type = 'SIF_Event'") == [(body, 2)]


def test_sixteen_at_once_make_one_message(registered):
    body = event()
    assert sorted(registered.send(*[body] * 16, together=True)) == [0] + [7] * 15
    assert registered.rows("SELECT duplicates FROM inbox.message WHERE message_type = 'SIF_Event'") == [(15,)]


def test_another_message_under_a_known_id_is_refused_audited_and_not_stored(registered):
    first, second = event("Amelia", msg_id="A" * 32), event("Noah", msg_id="A" * 32)
    assert registered.send(first, second, second, first) == [0, (12, 5), (12, 5), 7]
    assert registered.rows("SELECT body, duplicates FROM inbox.message WHERE message_type = 'SIF_Event'") == [
        (first, 1)
    ]
    audits = registered.rows("SELECT event, source_id, detail FROM inbox.audit")
    hashes = [hashlib.sha256(body).hexdigest() for body in (first, second)]
    assert (
        audits
        == [("msg_id_conflict", SOURCE, f"MsgId {'A' * 32}: SHA-256 {hashes[0]} is held, {hashes[1]} was refused")] * 2
    )


def test_the_same_id_from_another_agent_is_another_message(registered):
    assert registered.send(register(source="OTHER")) == 0
    assert registered.send(event(msg_id="A" * 32), event(msg_id="A" * 32, source="OTHER")) == [0, 0]


def test_a_message_the_drain_has_in_hand_is_still_recognised_at_once(registered):
    body = event()
    assert registered.send(body) == 0
    with psycopg.connect(registered.url, options="-c lock_timeout=0") as drain:
        drain.execute("SELECT FROM inbox.message FOR UPDATE")

        async def resend():
            async with await psycopg.AsyncConnection.connect(registered.url, autocommit=True) as c:
                zone = await zones.find(c, zones.token_hash(registered.token))
                return await receive(c, zone, read(body))

        assert answer(asyncio.run(resend())) == 7


def test_an_agent_that_is_not_registered_is_refused_and_audited(district):
    body = event(msg_id="B" * 32)
    assert district.send(body, control("<SIF_GetMessage/>"), provision("LEAInfo")) == [(4, 9)] * 3
    assert district.rows("SELECT count(*) FROM inbox.message") == [(0,)]
    events = district.rows("SELECT event, source_id, detail FROM inbox.audit ORDER BY audit_id")
    assert events[0] == ("agent_not_registered", SOURCE, f"SIF_Event {'B' * 32}")
    assert {e for e, *_ in events} == {"agent_not_registered"}


def test_registering_again_renews_what_the_agent_said(district):
    assert district.send(register("Push"), register("Pull", version="2.3")) == [0, 0]
    agents = "SELECT source_id, name, sif_version, mode, max_buffer_size, unregistered_at FROM inbox.agent"
    assert district.rows(agents) == [(SOURCE, "SIS", "2.3", "Pull", 65536, None)]
    stored = district.rows("SELECT state, loaded_at IS NOT NULL FROM inbox.message")
    assert stored == [("done", True)] * 2


def test_a_registration_without_a_common_version_is_refused(district):
    assert district.send(register(versions=("1.1", "1.5r1"))) == (5, 4)
    assert district.send(register(versions=("1.5r1", "2.*"))) == 0


def test_a_provision_replaces_the_one_before(registered):
    assert registered.send(provision("LEAInfo", "SchoolInfo", publish=["LEAInfo"]), provision("StudentPersonal")) == [
        0,
        0,
    ]
    assert registered.rows("SELECT kind, object_name FROM inbox.provision") == [
        ("SIF_ProvideObjects", "StudentPersonal")
    ]


def test_the_older_provide_adds_and_unprovide_takes_away(registered):
    for verb, names in (
        ("SIF_Provide", ["LEAInfo", "SchoolInfo"]),
        ("SIF_Provide", ["LEAInfo"]),
        ("SIF_Unprovide", ["SchoolInfo"]),
    ):
        listed = "".join(f'<SIF_Object ObjectName="{n}"/>' for n in names)
        assert registered.send(message(f"<{verb}>|{listed}</{verb}>")) == 0
    assert registered.rows("SELECT kind, object_name FROM inbox.provision") == [("SIF_ProvideObjects", "LEAInfo")]


def test_an_agent_that_leaves_must_register_again_and_its_messages_stay(registered):
    leave = message("<SIF_Unregister>|</SIF_Unregister>")
    assert registered.send(event(), provision("LEAInfo"), leave, leave, event()) == [0, 0, 0, (4, 9), (4, 9)]
    assert registered.rows("SELECT count(*) FROM inbox.provision") == [(0,)]
    assert registered.rows("SELECT count(*) FROM inbox.message WHERE message_type = 'SIF_Event'") == [(1,)]
    assert registered.send(register(), event()) == [0, 0]


def test_a_registration_sent_again_takes_no_effect_again(registered):
    arrive = register("Push", msg_id="C" * 32)
    leave = message("<SIF_Unregister>|</SIF_Unregister>")
    assert registered.send(arrive, leave, arrive, event()) == [0, 0, 7, (4, 9)]


def test_registering_twelve_times_at_once_is_one_agent(district):
    assert district.send(*[register(source="SIS") for _ in range(12)], together=True) == [0] * 12
    assert district.rows("SELECT count(*) FROM inbox.agent") == [(1,)]


CONTROLS = {
    "<SIF_Ping/>": 0, "<SIF_GetMessage/>": 9, "<SIF_Sleep/>": 0, "<SIF_Wakeup/>": 0, "<SIF_GetZoneStatus/>": 0,
    "<SIF_GetAgentACL/>": 0, "<SIF_CancelRequests/>": (12, 2), "<SIF_CancelServiceInputs/>": (12, 2), "": (12, 2),
}  # fmt: skip


def test_system_control_is_answered_and_never_stored(registered):
    assert {command: registered.send(control(command)) for command in CONTROLS} == CONTROLS
    assert registered.rows("SELECT DISTINCT message_type FROM inbox.message") == [("SIF_Register",)]


def test_a_ping_is_for_everyone_and_a_push_agent_cannot_pull(district):
    assert district.send(control("<SIF_Ping/>", source="STRANGER")) == 0
    assert district.send(register("Push"), control("<SIF_GetMessage/>")) == [0, (5, 9)]


REFUSED = {
    "SIF_Request": (4, 5), "SIF_Subscribe": (4, 4), "SIF_Unsubscribe": (7, 3), "SIF_Ack": (12, 6),
    "SIF_BundledEvents": (12, 2), "SIF_ServiceInput": (12, 2), "SIF_ServiceOutput": (12, 2),
    "SIF_ServiceNotify": (12, 2),
}  # fmt: skip


def test_messages_a_collecting_zone_has_no_use_for_are_refused_each_with_its_code(registered):
    assert {kind: registered.send(message(f"<{kind}>|</{kind}>")) for kind in REFUSED} == REFUSED
    assert registered.rows("SELECT DISTINCT message_type FROM inbox.message") == [("SIF_Register",)]


BROKEN = {
    "not well-formed": (b"<SIF_Message>", (1, 2)),
    "document type": (b"<!DOCTYPE r><r/>", (1, 2)),
    "too deep": (b"<a>" * 65 + b"</a>" * 65, (12, 1)),
    "other version": (event(version="3.3"), (12, 3)),
    "other context": (event(more="<SIF_Contexts><SIF_Context>Trial</SIF_Context></SIF_Contexts>"), (12, 4)),
    "no object": (message("<SIF_Event>|<SIF_ObjectData/></SIF_Event>"), (9, 3)),
    "NUL": (event("Amelia\0"), (1, 2)),
    "empty": (b"", (1, 2)),
}


def test_what_the_gate_refuses_leaves_only_the_fact(registered):
    before = registered.rows("SELECT count(*) FROM inbox.message")
    for case, (body, expected) in BROKEN.items():
        assert registered.send(body) == expected, case
    assert registered.rows("SELECT count(*) FROM inbox.message") == before
    audits = registered.rows("SELECT event, detail FROM inbox.audit ORDER BY audit_id")
    assert [event for event, _ in audits] == ["message_refused"] * len(BROKEN)
    assert audits[0][1] == f"SIF_Error 1/2; 13 bytes, SHA-256 {hashlib.sha256(b'<SIF_Message>').hexdigest()}"
    assert not any("Amelia" in detail for _, detail in audits)


def test_odd_values_in_the_header_are_stored_and_break_nothing(registered):
    odd = {"timestamp": event().replace(b"2026-11-22T08:00:00Z", b"9999-12-31T24:00:00-14:00"),
           "no timestamp": event().replace(b"<SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp>", b""),
           "year one": event().replace(b"2026-11-22T08:00:00Z", b"0001-01-01T00:00:00Z")}  # fmt: skip
    assert [registered.send(body) for body in odd.values()] == [0, 0, 0]
    stamps = registered.rows(
        "SELECT sif_timestamp::text FROM inbox.message WHERE message_type = 'SIF_Event' ORDER BY message_id"
    )
    assert stamps == [(None,), (None,), ("0001-01-01 00:00:00+00",)]
    strange = (
        register()
        .replace(b">SIS<", b">" + "\u202eX\U0001f600 'DROP TABLE".encode() * 9 + b"<")
        .replace(b"65536", b"9" * 10)
    )
    assert registered.send(strange) == 0
    assert registered.rows("SELECT length(name), max_buffer_size FROM inbox.agent") == [(64, 9999999999)]


def test_the_drain_is_woken_by_a_new_message_only(registered):
    with psycopg.connect(registered.url, autocommit=True) as listener:
        listener.execute("LISTEN sif_inbox")
        body = event()
        registered.send(body, body, register(), control("<SIF_Ping/>"))
        assert [n.channel for n in listener.notifies(timeout=0.3)] == ["sif_inbox"]


def test_zones_keep_only_the_hash_of_their_token(module_database_url):
    with psycopg.connect(module_database_url) as connection:
        connection.execute("TRUNCATE inbox.zone CASCADE")
        token = zones.add(connection, "North", "00010000")
        assert connection.execute("SELECT token_sha256 FROM inbox.zone").fetchall() == [
            (hashlib.sha256(token.encode()).digest(),)
        ]
        assert len(token) >= 43
        with pytest.raises(ConfigurationError, match="There is a zone North already"):
            zones.add(connection, "North", "00020000")
        for name in ("", "a" * 65, "a\nb", "a\n", "<b>", "../x\0", "a/b", "a b", ".a", "..", "Zoë"):
            with pytest.raises(ConfigurationError, match="choose another"):
                zones.add(connection, name, "00020000")
        for name in ("a" * 64, "-_.", "02.North-East_1"):
            assert zones.add(connection, name, "00020000")
        connection.execute("DELETE FROM inbox.zone WHERE name <> 'North'")
        renewed = zones.renew(connection, "North")
        assert connection.execute("SELECT token_sha256 FROM inbox.zone").fetchall() == [(zones.token_hash(renewed),)]
        with pytest.raises(UnknownZone):
            zones.renew(connection, "South")
