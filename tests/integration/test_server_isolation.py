"""One zone's agent against another zone: no header, id or name reaches its messages, queues or requests."""

import random
import socket
import statistics
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import httpx
import psycopg
import pytest
from psycopg import sql
from sif_server import REGISTER, answer, event, message, running, wait_until

from sif_pipeline.zone.server import ZONE_AT_ONCE

CONTROL = "<SIF_SystemControl>|<SIF_SystemControlData>{}</SIF_SystemControlData></SIF_SystemControl>"
LISTED = (
    '<SIF_Object ObjectName="LEAInfo"><SIF_Contexts><SIF_Context>SIF_Default</SIF_Context></SIF_Contexts></SIF_Object>'
)
REQUEST = (
    "<SIF_Request>|<SIF_Version>2.6</SIF_Version><SIF_MaxBufferSize>65536</SIF_MaxBufferSize>"
    '<SIF_Query><SIF_QueryObject ObjectName="LEAInfo"/></SIF_Query></SIF_Request>'
)
RIGHTS = ("SIF_SubscribeAccess", "SIF_RequestAccess", "SIF_ProvideAccess", "SIF_RespondAccess")


@pytest.fixture(scope="module")
def server(module_database_url):
    with running(module_database_url) as found:
        yield found


def upper():
    return uuid4().hex.upper()


def to(body, destination):
    """Address a message."""
    return body.replace(
        b"</SIF_SourceId>", f"</SIF_SourceId><SIF_DestinationId>{destination}</SIF_DestinationId>".encode(), 1
    )


class Victim:
    """A zone in which a message waits in a queue and a request is open; both agents' names are known to everybody."""

    def __init__(self, server):
        self.own = server.zone()
        self.own.allow("LIB", *RIGHTS)
        for source in ("SIS", "LIB"):
            assert answer(self.own.post(message(REGISTER, source=source))) == 0
        assert answer(self.own.post(message(f"<SIF_Provide>|{LISTED}</SIF_Provide>"))) == 0
        assert answer(self.own.post(message(f"<SIF_Subscribe>|{LISTED}</SIF_Subscribe>", source="LIB"))) == 0
        self.event, self.request = upper(), upper()
        assert answer(self.own.post(event(self.event, "of the victim"))) == 0
        assert answer(self.own.post(message(REQUEST, self.request, source="LIB"))) == 0
        self.pulled = self.own.post(message(CONTROL.format("<SIF_GetMessage/>"), source="LIB")).text
        assert self.event in self.pulled

    def rows(self):
        """Give everything the database holds of the zone."""
        found = {}
        with psycopg.connect(self.own.database_url) as connection:
            tables = connection.execute(
                "SELECT table_schema, table_name FROM information_schema.columns WHERE column_name = 'zone_id'"
                " AND table_schema IN ('inbox', 'outbox') AND table_name <> 'audit' ORDER BY 1, 2"
            ).fetchall()
            zone_id = connection.execute(
                "SELECT zone_id FROM inbox.zone WHERE token_sha256 = sha256(%s::text::bytea)", [self.own.token]
            ).fetchone()[0]
            for table in tables:
                query = sql.SQL("SELECT t::text FROM {} AS t WHERE zone_id = %s ORDER BY 1").format(
                    sql.Identifier(*table)
                )
                found[table] = connection.execute(query, [zone_id]).fetchall()
        return found


@pytest.fixture
def victim(server):
    return Victim(server)


@pytest.fixture
def attacker(server):
    """Give a zone whose agents have every right in it, and the same names as the victim's."""
    own = server.zone()
    own.allow("*", *RIGHTS)
    for source in ("SIS", "LIB"):
        assert answer(own.post(message(REGISTER, source=source))) == 0
    assert answer(own.post(message(f"<SIF_Provide>|{LISTED}</SIF_Provide>"))) == 0
    return own


def response(request, packet=1, more="No"):
    return message(
        f"<SIF_Response>|<SIF_RequestMsgId>{request}</SIF_RequestMsgId><SIF_PacketNumber>{packet}</SIF_PacketNumber>"
        f"<SIF_MorePackets>{more}</SIF_MorePackets><SIF_ObjectData/></SIF_Response>"
    )


def ack(msg_id, source):
    return message(
        f"<SIF_Ack>|<SIF_OriginalSourceId>SIS</SIF_OriginalSourceId><SIF_OriginalMsgId>{msg_id}</SIF_OriginalMsgId>"
        "<SIF_Status><SIF_Code>1</SIF_Code></SIF_Status></SIF_Ack>",
        source=source,
    )


def attacks(victim):
    """Give what an attacker sends who knows every id of the victim's zone, and the answer that tells nothing."""
    get = CONTROL.format("<SIF_GetMessage/>")
    cancel = CONTROL.format(
        "<SIF_CancelRequests><SIF_NotificationType>Standard</SIF_NotificationType><SIF_RequestMsgIds><SIF_RequestMsgId>"
        f"{victim.request}</SIF_RequestMsgId></SIF_RequestMsgIds></SIF_CancelRequests>"
    )
    return {
        "fetch its queue": (message(get, source="LIB"), 9),
        "settle its message": (ack(victim.event, "LIB"), (12, 6)),
        "use its MsgId": (event(victim.event), 0),
        "answer its request": (to(response(victim.request), "LIB"), (8, 10)),
        "answer its request to the state": (to(response(victim.request), "SIF-PIPELINE"), {0, (8, 10)}),
        "cancel its request": (message(cancel, source="LIB"), {0, (8, 10)}),
        "use its request's MsgId": (message(REQUEST, victim.request, source="LIB"), 0),
        "ask its provider": (to(message(REQUEST, source="LIB"), "SIS"), 0),
        "leave": (message("<SIF_Unregister>|</SIF_Unregister>", source="LIB"), 0),
    }


def test_whoever_knows_every_id_of_another_zone_changes_nothing_in_it_and_learns_nothing(victim, attacker):
    before = victim.rows()
    assert sum(map(len, before.values())) >= 8
    told = {}
    for name, (body, expected) in attacks(victim).items():
        response = attacker.post(body)
        told[name] = answer(response), expected
        assert "of the victim" not in response.text
        assert victim.rows() == before, name
    good = {name: expected if isinstance(expected, set) else {expected} for name, (_, expected) in told.items()}
    assert {name: found for name, (found, _) in told.items() if found not in good[name]} == {}


def test_the_same_message_in_two_zones_is_two_messages(victim, attacker):
    body = event(victim.event, "of the victim")
    assert answer(victim.own.post(body)) == 7
    assert answer(attacker.post(body)) == 0


HEADERS = {
    "x-original-url": "/zone/{}", "x-rewrite-url": "/zone/{}", "x-forwarded-path": "/zone/{}", "host": "{}",
    "x-http-method-override": "GET", "forwarded": "host={};proto=https", "x-forwarded-for": "127.0.0.1",
    "x-zone": "{}", "authorization": "Bearer {}", "cookie": "zone={}", "referer": "/zone/{}", "x-forwarded-host": "{}",
    "x-ssl-client-dn": "CN=SIS", "x-client-cert": "{}",
}  # fmt: skip


def test_no_header_leads_into_another_zone_even_with_its_token(victim, attacker):
    before = victim.rows()
    for header, value in HEADERS.items():
        response = attacker.post(event(), headers={header: value.format(victim.own.token)})
        assert (header, answer(response)) == (header, 0)
    assert victim.rows() == before
    other = attacker.post(event(), params={"zone": victim.own.token})
    assert answer(other) == 0
    assert victim.rows() == before


def test_the_path_alone_names_the_zone_whatever_the_request_line_looks_like(server, victim):
    """Give each spelling its answer: none but the plain one leads anywhere."""
    before, token = victim.rows(), victim.own.token
    spellings = (
        f"/ZONE/{token}", f"/zone/{token}%20", f"/zone/%20{token}", f"/zone/{token}%00", f"/zone/{token};x=1",
        f"//zone/{token}", f"/./zone/{token}", f"/x/../zone/{token}", f"/zone/./{token}", f"/zone/{token}//",
        f"/zone%2f{token}x",
        f"/zone/{token[:-1]}", f"/zone/{token.swapcase()}", f"/zone/{token}\\", f"/zone/{token}/..",
    )  # fmt: skip
    statuses = {path: status(server, path) for path in spellings}
    assert {path: found for path, found in statuses.items() if found not in (b"404", b"400")} == {}
    assert victim.rows() == before


def status(server, path):
    body = event()
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=60)) as link:
        link.sendall(head.encode() + body)
        return link.recv(1000)[9:12]


ODD = [
    "../x", "..%2f..%2fetc%2fpasswd", "%2e%2e", "C:\\x", "/etc/passwd", "SIS\u0000", "x" * 4096, "S\u0406S",
    "\u202eSIS", "SIS\u200b", " SIS ", "SIS\n", "S;I--S", "'; DROP TABLE inbox.message; --", "{0}", "%s%n",
    "$(id)", "`id`", "SIS-PIPELINE", "*", "\u212aSIS",
]  # fmt: skip


def test_odd_names_are_refused_or_mere_text(victim, attacker):
    before = victim.rows()
    for name in ODD:
        spelt = name.replace("\0", "&#0;").replace("\n", "&#10;")
        for body in (
            message(REGISTER, source=spelt),
            to(message(REQUEST, source="LIB"), spelt),
            to(response(upper()), spelt),
            message(REQUEST.replace("LEAInfo", spelt), source="LIB"),
            message(f"<SIF_Provide>|{LISTED.replace('LEAInfo', spelt)}</SIF_Provide>"),
        ):
            assert attacker.post(body).status_code == 200, name
    assert victim.rows() == before
    assert answer(attacker.post(event())) == 0


def test_how_long_an_answer_takes_tells_nothing_of_a_token(server, victim):
    """Compare wrong tokens that share nothing, or all but the last letter, with a good one; medians, in turns.

    What tells something does so each time; what else the machine does in between does not.
    """
    token = victim.own.token
    cases = {
        "nothing right": "A" * len(token), "short": token[:10],
        "one wrong": token[:-1] + ("A" if token[-1] != "A" else "B"),
    }  # fmt: skip
    for _ in range(5):
        taken = {name: [] for name in cases}
        with httpx.Client(timeout=60) as agent:
            for name in (name for _ in range(250) for name in random.sample(list(cases), len(cases))):
                start = time.perf_counter()
                assert agent.post(f"{server.base}/zone/{cases[name]}", content=b"x").status_code == 404
                taken[name].append(time.perf_counter() - start)
        middles = sorted(statistics.median(times) for times in taken.values())
        if middles[-1] < 1.25 * middles[0]:
            return
    pytest.fail("each time one took longer than the others")


FLOOD = """
import asyncio, sys, httpx
async def flood(url, body, client):
    while True:
        try: await client.post(url, content=body)
        except httpx.TransportError: pass
async def main():
    body = sys.stdin.buffer.read()
    async with httpx.AsyncClient(timeout=None, limits=httpx.Limits(max_connections=None)) as client:
        await asyncio.gather(*(flood(sys.argv[1], body, client) for _ in range(100)))
asyncio.run(main())
"""


WAITS = """
server.WAIT = server.DATABASE_SECONDS = 600
server._SESSION = server._SESSION.replace("statement_timeout=10s", "statement_timeout=600s")
server._SESSION = server._SESSION.replace("lock_timeout=3s", "lock_timeout=600s")
"""


def waiting(connection):
    """Count the sessions that wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    return connection.execute(query).fetchone()[0]


def test_a_zone_whose_messages_cannot_be_stored_does_not_hold_back_the_others(module_database_url, victim, attacker):
    """Lock a row that one zone's messages need, and have a hundred of them wait for it, as long as it takes here.

    Who had to wait for one of them would wait for the lock, which is kept until the others are answered.
    """
    with (
        running(module_database_url, WAITS) as server,
        psycopg.connect(module_database_url) as locker,
        psycopg.connect(module_database_url, autocommit=True) as watching,
    ):
        locker.execute(
            "SELECT FROM inbox.agent JOIN inbox.zone USING (zone_id)"
            " WHERE token_sha256 = sha256(%s::text::bytea) FOR UPDATE",
            [attacker.token],
        )
        url = replace(attacker, port=server.port).url
        flood = subprocess.Popen([sys.executable, "-c", FLOOD, url], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        try:
            flood.stdin.write(message(REGISTER))
            flood.stdin.close()
            wait_until(lambda: waiting(watching) >= ZONE_AT_ONCE)
            url = replace(victim.own, port=server.port).url
            with httpx.Client(timeout=60) as agent:
                for _ in range(40):
                    assert answer(agent.post(url, content=event())) == 0
            assert waiting(watching) >= ZONE_AT_ONCE
        finally:
            flood.kill()
            flood.wait()
            locker.rollback()
