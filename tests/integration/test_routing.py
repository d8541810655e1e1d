"""Requests reach who provides, responses who asked; every packet is checked, and a request ends in one of five ways."""

import asyncio
from uuid import uuid4

import psycopg
import pytest
from lxml import etree

from sif_pipeline import zones
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.messages import read_message
from sif_pipeline.sif.writing import write_request
from sif_pipeline.zone import queue, routing
from sif_pipeline.zone.receive import read, receive

S = f"{{{NAMESPACE}}}"
PROVIDER, REQUESTER = "SIS", "LIBRARY"


def new_id():
    return uuid4().hex.upper()


def message(body, source, msg_id=None, *, version="2.6", to=None, pad=0):
    opened, closed = body.split("|")
    destination = f"<SIF_DestinationId>{to}</SIF_DestinationId>" if to else ""
    return (
        f'<SIF_Message xmlns="{NAMESPACE}" Version="{version}">{opened}<SIF_Header><SIF_MsgId>{msg_id or new_id()}'
        f"</SIF_MsgId><SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>{source}</SIF_SourceId>"
        f"{destination}</SIF_Header>{closed}</SIF_Message>{' ' * pad}"
    ).encode()


def register(source, buffer=65536, versions=("2.6",)):
    listed = "".join(f"<SIF_Version>{v}</SIF_Version>" for v in versions)
    return message(
        f"<SIF_Register>|<SIF_Name>{source}</SIF_Name>{listed}<SIF_MaxBufferSize>{buffer}</SIF_MaxBufferSize>"
        "<SIF_Mode>Pull</SIF_Mode></SIF_Register>",
        source,
    )


def provide(source, *names):
    listed = "".join(f'<SIF_Object ObjectName="{name}"/>' for name in names)
    return message(f"<SIF_Provide>|{listed}</SIF_Provide>", source)


def request(name="SchoolInfo", *, msg_id=None, to=None, buffer=16384, versions=("2.*",), source=REQUESTER, pad=0):
    listed = "".join(f"<SIF_Version>{v}</SIF_Version>" for v in versions)
    return message(
        f"<SIF_Request>|{listed}<SIF_MaxBufferSize>{buffer}</SIF_MaxBufferSize><SIF_Query>"
        f'<SIF_QueryObject ObjectName="{name}"/></SIF_Query></SIF_Request>',
        source, msg_id, to=to, pad=pad,
    )  # fmt: skip


def response(asked, number=1, more="No", *, source=PROVIDER, to=REQUESTER, error=None, **of):
    content = (
        f"<SIF_Error><SIF_Category>{error[0]}</SIF_Category><SIF_Code>{error[1]}</SIF_Code><SIF_Desc>x</SIF_Desc>"
        "</SIF_Error>"
        if error
        else f'<SIF_ObjectData><SchoolInfo RefId="{new_id()}"/></SIF_ObjectData>'
    )
    return message(
        f"<SIF_Response>|<SIF_RequestMsgId>{asked}</SIF_RequestMsgId><SIF_PacketNumber>{number}</SIF_PacketNumber>"
        f"<SIF_MorePackets>{more}</SIF_MorePackets>{content}</SIF_Response>",
        source, to=to, **of,
    )  # fmt: skip


def control(command, source):
    return message(
        f"<SIF_SystemControl>|<SIF_SystemControlData>{command}</SIF_SystemControlData></SIF_SystemControl>", source
    )


def cancel(*msg_ids, kind="Standard", source=REQUESTER):
    listed = "".join(f"<SIF_RequestMsgId>{msg_id}</SIF_RequestMsgId>" for msg_id in msg_ids)
    return control(
        f"<SIF_CancelRequests><SIF_NotificationType>{kind}</SIF_NotificationType><SIF_RequestMsgIds>{listed}"
        "</SIF_RequestMsgIds></SIF_CancelRequests>",
        source,
    )


def ack(msg_id, source, status=1, error=None):
    outcome = (
        f"<SIF_Error><SIF_Category>{error[0]}</SIF_Category><SIF_Code>{error[1]}</SIF_Code><SIF_Desc/></SIF_Error>"
        if error
        else f"<SIF_Status><SIF_Code>{status}</SIF_Code></SIF_Status>"
    )
    return message(
        f"<SIF_Ack>|<SIF_OriginalSourceId>X</SIF_OriginalSourceId><SIF_OriginalMsgId>{msg_id}</SIF_OriginalMsgId>"
        f"{outcome}</SIF_Ack>",
        source,
    )


def canonical(root):
    return etree.tostring(root, method="c14n", exclusive=True)


def msg_id_of(body):
    return read_message(open_message(body)).msg_id


def answer(root):
    found = root.find(f".//{S}SIF_Ack")
    texts = [found.findtext(f"{S}SIF_Error/{S}{name}") for name in ("SIF_Category", "SIF_Code")]
    return (int(texts[0]), int(texts[1])) if texts[0] else int(found.findtext(f"{S}SIF_Status/{S}SIF_Code"))


class Zone:
    """A zone with one agent that provides SchoolInfo and one that may ask for it."""

    def __init__(self, url):
        self.url = url
        with psycopg.connect(url) as connection:
            self.token = zones.add(connection, f"Zone-{uuid4().hex}", "01010000")
            self.id = connection.execute("SELECT max(zone_id) FROM inbox.zone").fetchone()[0]
            connection.execute(
                "INSERT INTO inbox.access VALUES (%s, %s, 'SIF_RequestAccess', '*', TRUE)", [self.id, REQUESTER]
            )
        assert self.send(register(PROVIDER), provide(PROVIDER, "SchoolInfo"), register(REQUESTER)) == [0, 0, 0]

    def acks(self, *bodies, together=False):
        async def one(body):
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
                zone = await zones.find(connection, zones.token_hash(self.token))
                return open_message(await receive(connection, zone, read(body)))

        async def each():
            if together:
                return await asyncio.gather(*(one(body) for body in bodies))
            return [await one(body) for body in bodies]

        return asyncio.run(each())

    def send(self, *bodies, together=False):
        answers = [answer(root) for root in self.acks(*bodies, together=together)]
        return answers if len(answers) > 1 else answers[0]

    def pull(self, source):
        """Give the next message of an agent and acknowledge it; None when nothing waits."""
        (root,) = self.acks(control("<SIF_GetMessage/>", source))
        inner = root.find(f".//{S}SIF_Data/{S}SIF_Message")
        if inner is None:
            return None
        found = read_message(inner)
        assert self.send(ack(found.msg_id, source)) == 0
        return found, canonical(inner)

    def pull_all(self, source):
        found = []
        while (pulled := self.pull(source)) is not None:
            found.append(pulled[0])
        return found

    def run(self, act):
        async def run():
            async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as connection:
                return await act(connection)

        return asyncio.run(run())

    def change(self, statement):
        with psycopg.connect(self.url) as connection:
            connection.execute(statement, {"zone": self.id})

    def rows(self, query):
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, {"zone": self.id}).fetchall()

    def asked(self, **of):
        """Send a request and let the provider have it; its SIF_MsgId."""
        body = request(**of)
        assert self.send(body) == 0
        self.pull(PROVIDER)
        return msg_id_of(body)

    def state(self, msg_id):
        with psycopg.connect(self.url) as connection:
            return connection.execute("SELECT state, error FROM outbox.request WHERE msg_id = %s", [msg_id]).fetchone()

    def inbox(self):
        return self.rows(
            "SELECT state, packet_number, more_packets FROM inbox.message"
            " WHERE zone_id = %(zone)s AND message_type = 'SIF_Response' ORDER BY message_id"
        )


@pytest.fixture
def zone(module_database_url):
    return Zone(module_database_url)


def test_a_request_reaches_the_provider_and_its_packets_the_requester_as_they_were_sent(zone):
    body = request()
    asked = msg_id_of(body)
    assert zone.send(body) == 0
    found, given = zone.pull(PROVIDER)
    assert (found.msg_id, found.source_id) == (asked, REQUESTER)
    assert given == canonical(open_message(body))
    packets = [response(asked, 1, "Yes"), response(asked, 2, "Yes"), response(asked, 3, "No")]
    assert zone.send(*packets) == [0, 0, 0]
    assert [m.msg_id for m in zone.pull_all(REQUESTER)] == [msg_id_of(p) for p in packets]
    assert zone.state(asked) == ("complete", None)
    assert zone.inbox() == [], "one agent's answer to another is not the state's"


def test_a_request_may_name_who_is_to_answer(zone):
    assert zone.send(register("OTHER"), request(to="OTHER")) == [0, 0]
    assert zone.pull(PROVIDER) is None
    assert zone.pull("OTHER") is not None


@pytest.mark.parametrize(
    ("body", "error"),
    [
        pytest.param(request("TermInfo"), (8, 4), id="an object nobody provides"),
        pytest.param(request("SchoolInfos"), (8, 3), id="no object"),
        pytest.param(request(to="NOBODY"), (8, 4), id="a destination that is not there"),
        pytest.param(request(buffer=4095), (8, 8), id="a small buffer"),
        pytest.param(request(versions=("2.1", "2.2")), (8, 7), id="versions the provider does not have"),
        pytest.param(request(source="NOBODY"), (4, 9), id="a requester that is not registered"),
        pytest.param(request(source=PROVIDER), (4, 5), id="a requester that may not ask"),
    ],
)
def test_a_request_that_cannot_be_passed_on_is_refused(zone, body, error):
    assert zone.send(body) == error
    assert zone.pull(PROVIDER) is None
    assert zone.state(msg_id_of(body)) is None


def test_a_revision_of_a_release_is_a_version_as_any_other(zone):
    assert zone.send(register(PROVIDER, versions=("2.7r1",)), request(versions=("2.7",))) == [0, (8, 7)]
    bodies = [request(versions=("2.*",)), request(versions=("2.7r*",)), request(versions=("2.1", "2.7r1"))]
    assert zone.send(*bodies) == [0, 0, 0]
    assert [m.msg_id for m in zone.pull_all(PROVIDER)] == [msg_id_of(body) for body in bodies]


def test_a_request_that_comes_again_is_passed_on_once(zone):
    body = request()
    assert zone.send(body, body) == [0, 7]
    assert zone.send(request("StudentPersonal", msg_id=msg_id_of(body))) == (12, 5)
    assert sorted(zone.send(*[request()] * 8, together=True)) == [0] + [7] * 7
    assert len(zone.pull_all(PROVIDER)) == 2


def test_a_packet_that_comes_again_is_passed_on_once(zone):
    asked = zone.asked()
    first, last = response(asked, 1, "Yes"), response(asked, 2, "No")
    assert zone.send(first, first, last, first, last) == [0, 7, 0, 7, 7]
    assert len(zone.pull_all(REQUESTER)) == 2
    other = response(asked, 2, "No", msg_id=msg_id_of(first))
    assert zone.send(other) == (12, 5)


def test_a_packet_sent_twice_at_the_same_time_is_passed_on_once(zone):
    asked = zone.asked()
    assert sorted(zone.send(*[response(asked)] * 8, together=True)) == [0] + [7] * 7
    assert len(zone.pull_all(REQUESTER)) == 1


@pytest.mark.parametrize(
    ("how", "error"),
    [
        pytest.param({"number": 2}, (8, 12), id="a packet too far"),
        pytest.param({"number": 0}, (8, 12), id="packet 0"),
        pytest.param({"to": "OTHER"}, (8, 14), id="another destination"),
        pytest.param({"to": None}, (8, 14), id="no destination"),
        pytest.param({"pad": 17000}, (8, 11), id="larger than the buffer"),
        pytest.param({"version": "2.3"}, (8, 13), id="a version not asked for"),
        pytest.param({"source": "OTHER"}, (8, 10), id="from who was not asked"),
    ],
)
def test_a_packet_that_is_none_of_the_answer_is_refused_and_the_right_one_still_taken(zone, how, error):
    zone.send(register("OTHER"))
    asked = zone.asked(versions=("2.6",))
    assert zone.send(response(asked, **how)) == error
    assert zone.pull(REQUESTER) is None
    assert zone.send(response(asked)) == 0
    assert zone.state(asked) == ("complete", None)


def test_after_the_last_packet_no_other_is_taken(zone):
    asked = zone.asked()
    assert zone.send(response(asked, 1, "No"), response(asked, 2, "No"), response(asked, 1, "No")) == [
        0, (8, 10), (8, 10),
    ]  # fmt: skip


def test_an_error_ends_the_answer(zone):
    asked = zone.asked()
    assert zone.send(response(asked, 1, "Yes"), response(asked, 2, "No", error=(8, 9))) == [0, 0]
    assert zone.state(asked) == ("failed", "8/9")
    assert zone.send(response(asked, 3, "No")) == (8, 10)
    assert [m.response.error for m in zone.pull_all(REQUESTER)] == [None, (8, 9)]


def test_a_response_to_no_request_goes_to_no_agent(zone):
    assert zone.send(response(new_id())) == (8, 10)
    assert zone.pull(REQUESTER) is None
    assert zone.inbox() == []


def test_a_response_to_a_request_of_another_zone_is_one_to_no_request(zone, module_database_url):
    asked = zone.asked()
    other = Zone(module_database_url)
    assert other.send(response(asked)) == (8, 10)
    assert zone.send(response(asked)) == 0


# Ends without an answer.


def test_a_request_not_answered_in_time_ends_with_an_error_to_the_requester(zone):
    asked = zone.asked()
    zone.send(response(asked, 1, "Yes"))
    zone.change("UPDATE outbox.request SET expires_at = now() - interval '1 s' WHERE zone_id = %(zone)s")
    assert zone.run(routing.expire_requests) == 1
    assert zone.run(routing.expire_requests) == 0
    assert zone.state(asked) == ("timed_out", "8/16")
    packets = zone.pull_all(REQUESTER)
    assert [(p.response.packet_number, p.response.error) for p in packets] == [(1, None), (2, (8, 16))]
    assert packets[1].response.request_msg_id == asked
    assert (packets[1].source_id, packets[1].destination_id) == ("SIF-PIPELINE", REQUESTER)
    assert zone.send(response(asked, 2, "No")) == (8, 16)


def test_a_request_given_up_is_no_longer_delivered(zone):
    body = request()
    zone.send(body)
    zone.change("UPDATE outbox.request SET expires_at = now() - interval '1 s' WHERE zone_id = %(zone)s")
    zone.run(routing.expire_requests)
    assert zone.pull(PROVIDER) is None


def test_a_packet_puts_off_the_end(zone):
    asked = zone.asked()
    zone.change("UPDATE outbox.request SET expires_at = now() + interval '1 min' WHERE zone_id = %(zone)s")
    zone.send(response(asked, 1, "Yes"))
    (left,) = zone.rows("SELECT expires_at - now() FROM outbox.request WHERE zone_id = %(zone)s")
    assert left[0] > routing.PACKET_PATIENCE / 2


@pytest.mark.parametrize(("kind", "told"), [("Standard", [(8, 18)]), ("None", [])])
def test_a_requester_calls_its_request_off_and_is_told_if_it_wants(zone, kind, told):
    body = request()
    zone.send(body)
    asked = msg_id_of(body)
    assert zone.send(cancel(asked, kind=kind)) == 0
    assert zone.state(asked) == ("cancelled", "8/18")
    assert [m.response.error for m in zone.pull_all(REQUESTER)] == told
    assert zone.pull(PROVIDER) is None
    assert zone.send(response(asked)) == (8, 18)
    assert zone.send(cancel(asked, kind=kind)) == 0, "once more"
    assert zone.pull(REQUESTER) is None


def test_nobody_calls_off_the_request_of_another(zone):
    asked = zone.asked()
    assert zone.send(cancel(asked, source=PROVIDER)) == 0
    assert zone.state(asked) == ("open", None)


def test_when_the_provider_leaves_the_requester_is_told(zone):
    asked = zone.asked()
    assert zone.send(message("<SIF_Unregister>|</SIF_Unregister>", PROVIDER)) == 0
    assert zone.state(asked) == ("failed", "8/4")
    assert [m.response.error for m in zone.pull_all(REQUESTER)] == [(8, 4)]


def test_when_the_requester_leaves_its_requests_are_called_off(zone):
    body = request()
    zone.send(body)
    assert zone.send(message("<SIF_Unregister>|</SIF_Unregister>", REQUESTER)) == 0
    assert zone.state(msg_id_of(body)) == ("cancelled", "8/18")
    assert zone.pull(PROVIDER) is None


def test_when_the_provider_refuses_the_request_itself_the_requester_is_told(zone):
    body = request()
    zone.send(body)
    (root,) = zone.acks(control("<SIF_GetMessage/>", PROVIDER))
    assert root.find(f".//{S}SIF_Data/{S}SIF_Message") is not None
    assert zone.send(ack(msg_id_of(body), PROVIDER, error=(8, 9))) == 0
    assert zone.state(msg_id_of(body)) == ("failed", "8/9")
    assert [m.response.error for m in zone.pull_all(REQUESTER)] == [(8, 9)]


def test_a_request_too_large_for_the_provider_comes_back_as_an_error(zone):
    assert zone.send(register(PROVIDER, buffer=8192)) == 0
    body = request(pad=9000)
    assert zone.send(body) == 0
    entry, _ = zone.pull(PROVIDER)
    assert entry.events[0].objects[0][0] == "SIF_LogEntry"
    assert zone.state(msg_id_of(body)) == ("failed", "8/8")
    assert [m.response.error for m in zone.pull_all(REQUESTER)] == [(8, 8)]


def test_a_request_that_no_secure_way_leads_to_comes_back_as_an_error(zone):
    secured = request().replace(
        b"<SIF_SourceId>",
        b"<SIF_Security><SIF_SecureChannel><SIF_AuthenticationLevel>0</SIF_AuthenticationLevel>"
        b"<SIF_EncryptionLevel>3</SIF_EncryptionLevel></SIF_SecureChannel></SIF_Security><SIF_SourceId>",
    )
    assert zone.send(secured) == 0
    zone.pull(PROVIDER)
    assert zone.state(msg_id_of(secured)) == ("failed", "10/3")
    assert [m.response.error for m in zone.pull_all(REQUESTER)] == [(10, 3)]


def test_a_request_that_an_operator_takes_off_is_over_and_cannot_be_put_back(zone):
    body = request()
    zone.send(body)
    (name,) = zone.rows("SELECT name FROM inbox.zone WHERE zone_id = %(zone)s")[0]
    with psycopg.connect(zone.url) as connection:
        (listed,) = queue.messages(connection, name)
        assert queue.drop(connection, [listed.number]) == 1
        assert (routing.end_dropped_now(connection), routing.end_dropped_now(connection)) == (1, 0)
        assert queue.retry(connection, [listed.number]) == 0
    assert zone.state(msg_id_of(body)) == ("failed", "8/17")
    assert [m.response.error for m in zone.pull_all(REQUESTER)] == [(8, 17)]
    assert zone.pull(PROVIDER) is None


# The state asks.


def ask(zone, **of):
    written = write_request("SchoolInfo", max_buffer_size=16384, destination_id=PROVIDER)
    question = routing.Question(written.msg_id, "SchoolInfo", PROVIDER, ("2.*",), 16384, **of)
    outgoing = queue.Outgoing("SIF-PIPELINE", written.msg_id, "SIF_Request", written.body, "SchoolInfo")
    with psycopg.connect(zone.url) as connection:
        assert routing.ask_now(connection, zone.id, question, outgoing)
    found, _ = zone.pull(PROVIDER)
    assert found.msg_id == written.msg_id
    return written.msg_id


@pytest.mark.parametrize("to", ["SIF-PIPELINE", None])
def test_the_state_is_answered_into_its_inbox(zone, to):
    asked = ask(zone)
    packets = [response(asked, 1, "Yes", to=to), response(asked, 2, "No", to=to)]
    assert zone.send(*packets, *packets) == [0, 0, 7, 7]
    assert zone.inbox() == [("pending", 1, True), ("pending", 2, False)]
    assert zone.state(asked) == ("complete", None)


def test_the_packets_of_a_sync_wait_for_their_comparison(zone):
    asked = ask(zone, purpose="sync")
    assert zone.send(response(asked, 1, "Yes", to="SIF-PIPELINE"), response(asked, 2, to="SIF-PIPELINE")) == [0, 0]
    assert zone.inbox() == [("staged", 1, True), ("staged", 2, False)]


def test_packets_for_the_state_are_checked_as_any(zone):
    asked = ask(zone)
    assert zone.send(response(asked, 2, to="SIF-PIPELINE")) == (8, 12)
    assert zone.send(response(asked, to=REQUESTER)) == (8, 14)
    assert zone.send(response(asked, to="SIF-PIPELINE", pad=17000)) == (8, 11)
    assert zone.inbox() == []
    assert zone.send(response(asked, to="SIF-PIPELINE", error=(8, 9))) == 0
    assert (zone.inbox(), zone.state(asked)) == ([("done", 1, False)], ("failed", "8/9"))


def test_a_request_of_the_state_that_times_out_is_only_noted(zone):
    asked = ask(zone)
    zone.change("UPDATE outbox.request SET expires_at = now() - interval '1 s' WHERE zone_id = %(zone)s")
    zone.run(routing.expire_requests)
    assert zone.state(asked) == ("timed_out", "8/16")
    assert zone.pull(PROVIDER) is None
    assert zone.pull(REQUESTER) is None


@pytest.mark.parametrize("to", ["SIF-PIPELINE", None])
def test_what_nobody_asked_for_is_taken_in_unless_the_zone_is_set_to_refuse_it(zone, to):
    assert zone.send(response(new_id(), to=to)) == 0
    assert zone.inbox() == [("pending", 1, False)]
    zone.change("UPDATE inbox.zone SET solicited_only = TRUE WHERE zone_id = %(zone)s")
    assert zone.send(response(new_id(), to=to)) == (8, 10)


@pytest.mark.parametrize("to", ["STATE-COLLECTOR", REQUESTER])
def test_what_nobody_asked_for_and_is_for_somebody_else_never_becomes_the_states(zone, to):
    assert zone.send(response(new_id(), to=to)) == (8, 10)
    assert zone.inbox() == []


def test_a_request_to_who_left_is_neither_queued_nor_remembered(zone):
    written = write_request("SchoolInfo", max_buffer_size=16384)
    question = routing.Question(written.msg_id, "SchoolInfo", "NOBODY", ("2.*",), 16384)
    outgoing = queue.Outgoing("SIF-PIPELINE", written.msg_id, "SIF_Request", written.body)
    with psycopg.connect(zone.url) as connection:
        assert routing.ask_now(connection, zone.id, question, outgoing) is False
    assert zone.state(written.msg_id) is None


def test_a_packet_and_its_place_in_the_answer_are_one_transaction(zone, monkeypatch):
    """If the request could not be advanced, the packet is not passed on either, and can be sent again."""
    asked = zone.asked()
    packet = response(asked)
    monkeypatch.setitem(routing.SQL, "advance", b"SELECT 1/0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        zone.send(packet)
    monkeypatch.undo()
    assert zone.pull(REQUESTER) is None
    assert zone.send(packet) == 0
    assert len(zone.pull_all(REQUESTER)) == 1
