"""A message is stored exactly once, byte for byte, before it is acknowledged; agents come and go by theirs."""

import asyncio
import hashlib

import psycopg
import pytest
from sif_zone import SOURCE, District, answer, control, event, message, provision, register

from sif_pipeline import zones
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.zone.receive import read, receive


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
        for code in ("", " ", "a b", "1\n", "x" * 33):
            with pytest.raises(ConfigurationError, match="give the state's"):
                zones.add(connection, "South", code)
        for name in ("a" * 64, "-_.", "02.North-East_1"):
            assert zones.add(connection, name, "00020000")
        connection.execute("DELETE FROM inbox.zone WHERE name <> 'North'")
        rotated = zones.rotate(connection, "North")
        assert connection.execute("SELECT token_sha256 FROM inbox.zone").fetchall() == [(zones.token_hash(rotated),)]
        with pytest.raises(UnknownZone):
            zones.rotate(connection, "South")
