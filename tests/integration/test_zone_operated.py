"""What an operator does to a zone takes effect in a server that runs, on open connections, and loses nothing."""

from dataclasses import replace

import httpx
import psycopg
import pytest
from push_agent import Place, an_event
from sif_server import answer, event, message, running, wait_until

from sif_pipeline import zones

GET = "<SIF_SystemControl>|<SIF_SystemControlData><SIF_GetMessage/></SIF_SystemControlData></SIF_SystemControl>"
PING = GET.replace("SIF_GetMessage", "SIF_Ping")


@pytest.fixture(scope="module")
def server(module_database_url):
    with running(module_database_url, "server.ZONE_REMEMBERED = 0.5") as found:
        yield found


@pytest.fixture
def place(server):
    """Give a zone with a pull agent and a message that waits for it."""
    found = Place(server.database_url, None, mode="Pull")
    found.put(an_event())
    return found


def operate(place, act):
    with psycopg.connect(place.database_url) as connection:
        return act(connection, place.name)


def test_a_rotated_url_stops_on_open_connections_too_and_the_queue_stays(server, place):
    old, other = replace(server, token=place.token), server.registered()
    with httpx.Client(timeout=60) as agent:
        assert answer(agent.post(old.url, content=event())) == 0
        new = replace(server, token=operate(place, zones.rotate))
        assert answer(agent.post(new.url, content=event())) == 0
        wait_until(lambda: agent.post(old.url, content=event()).status_code == 404)
        for body in (event(), message(PING), message(GET)):
            assert agent.post(old.url, content=body).status_code == 404
        assert b"SIF_Event" in agent.post(new.url, content=message(GET)).content
        assert answer(agent.post(other.url, content=event())) == 0
    events = "SELECT event FROM inbox.audit WHERE zone_id = %(zone)s"
    assert place.rows(events) == [("zone_rotated",)]


def test_a_suspended_zone_says_so_within_moments_and_loses_nothing(server, place):
    zone = replace(server, token=place.token)
    with httpx.Client(timeout=60) as agent:
        operate(place, zones.suspend)
        wait_until(lambda: answer(agent.post(zone.url, content=event())) == (10, 1))
        held = place.rows("SELECT count(*) FROM inbox.message WHERE zone_id = %(zone)s")
        kept = event()
        assert [answer(agent.post(zone.url, content=body)) for body in (kept, message(GET), message(PING))] == [
            (10, 1), (10, 1), 8,
        ]  # fmt: skip
        assert place.rows("SELECT count(*) FROM inbox.message WHERE zone_id = %(zone)s") == held
        operate(place, zones.resume)
        wait_until(lambda: answer(agent.post(zone.url, content=kept)) in (0, 7))
        assert b"SIF_Event" in agent.post(zone.url, content=message(GET)).content
    (counted,) = place.rows("SELECT times FROM inbox.refusal WHERE zone_id = %(zone)s AND category = 10")
    assert counted >= (3,), "refusals are listed for who asks why nothing comes"
