"""Delivery to push agents over real HTTP: in order, one at a time, the same bytes again after whatever went wrong."""

import gzip
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import replace

import psycopg
import pytest
import trustme
from push_agent import Place, Reply, ack_of, an_event, fast, new_id, push_agent, quiet_port
from sif_server import answer, message, running, wait_until

from sif_pipeline.agent.listener import Address, listening
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.header import Level
from sif_pipeline.sif.messages import read_message
from sif_pipeline.zone import agents, delivery, queue


@pytest.fixture(scope="module")
def server(module_database_url):
    with running(module_database_url, change=fast()) as found:
        yield found


@pytest.fixture
def agent():
    with push_agent() as listening:
        yield listening


def done(place):
    return all(state == "done" for _, state in place.states())


def told(server, place, event):
    """Give the lines of one kind that the server logged for a zone."""
    return [line for line in server.log() if line.get("zone") == place.name and line["event"] == event]


def failures(server, place):
    """Give the kinds of failures that the server told of for a zone."""
    return [line["kind"] for line in told(server, place, "delivery_failed")]


def test_messages_come_in_order_each_after_the_last_was_acknowledged(server, agent):
    place = Place(server.database_url, agent.url)
    sent = [an_event() for _ in range(30)]
    place.put(*sent)
    agent.wait_for(30)
    wait_until(lambda: done(place))
    assert [(msg_id, body) for msg_id, body, _ in agent.seen] == [(m.msg_id, m.body) for m in sent]
    assert {headers["content-type"] for _, _, headers in agent.seen} == {"application/xml;charset=utf-8"}


def test_what_is_queued_while_nothing_waits_is_delivered_at_once(database_url, agent):
    """By itself, this server looks at the queues every ten minutes."""
    with running(database_url, change=fast().replace("look_seconds=0.5", "look_seconds=600")):
        place = Place(database_url, agent.url)
        for count in range(1, 6):
            place.put(an_event())
            agent.wait_for(count)
            wait_until(lambda: done(place))


def test_gzip_for_those_who_accept_it_and_where_it_is_worth_it(server, agent):
    place = Place(server.database_url, agent.url, accepts_gzip=True)
    small, large = an_event(), an_event(pad=" " * 5000)
    place.put(small, large)
    agent.wait_for(2)
    assert [headers.get("content-encoding") for _, _, headers in agent.seen] == [None, "gzip"]
    assert agent.seen[1][1] == large.body


def test_an_answer_may_be_compressed(server, agent):
    agent.always = lambda msg_id: Reply(gzip.compress(ack_of(msg_id)), headers={"content-encoding": "gzip"})
    place = Place(server.database_url, agent.url)
    place.put(an_event(), an_event())
    wait_until(lambda: done(place))


@pytest.mark.parametrize("status", [1, 3, 7, 0])
def test_statuses_that_settle(server, agent, status):
    agent.always = lambda msg_id: Reply(ack_of(msg_id, status))
    place = Place(server.database_url, agent.url)
    place.put(an_event(), an_event())
    wait_until(lambda: done(place))
    assert len(agent.seen) == 2


BOMB = gzip.compress(b" " * 10_000_000)

FAULTS = {
    "http_500": Reply(b"", 500),
    "http_404": Reply(b"not here", 404),
    "http_302": Reply(b"", 302, {"location": "/elsewhere"}),
    "answer_no_sif": Reply(b"<html>Welcome</html>"),
    "answer_too_large": Reply(b" " * 100_000),
    "answer_no_ack": lambda _: Reply(ack_of(new_id(), kind="SIF_Unregister")),
    "answer_to_another": lambda _: Reply(ack_of(new_id())),
    "answer_encoding": Reply(b"nonsense", headers={"content-encoding": "br"}),
    "connection": Reply(b"short", headers={"content-length": "100", "connection": "close"}),
    "SIF_Error 1/4": lambda msg_id: Reply(ack_of(msg_id, 9)),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_whatever_goes_wrong_the_same_message_comes_again(server, agent, kind):
    agent.answers = [FAULTS[kind], FAULTS[kind]]
    place = Place(server.database_url, agent.url)
    first, second = an_event(), an_event()
    place.put(first, second)
    agent.wait_for(4)
    wait_until(lambda: done(place))
    wait_until(lambda: told(server, place, "delivery_works_again"))
    assert failures(server, place) == [kind], "told once, though it failed twice"
    assert agent.msg_ids() == [first.msg_id] * 3 + [second.msg_id]
    assert {body for msg_id, body, _ in agent.seen if msg_id == first.msg_id} == {first.body}
    assert place.agent()[:2] == (0, None), "failures are forgotten when it works"
    assert not agent.answers


def test_an_agent_that_does_not_answer_in_time_gets_the_same_message_again(database_url, agent):
    with running(database_url, change=fast(answer=1.0)) as server:
        agent.answers = [Reply(held=threading.Event())] * 2
        place = Place(database_url, agent.url)
        first, second = place.put(an_event(), an_event())
        wait_until(lambda: done(place))
        wait_until(lambda: "timeout" in failures(server, place))
    assert list(dict.fromkeys(agent.msg_ids())) == [first, second]
    assert agent.msg_ids().count(first) >= 3
    assert len({body for msg_id, body, _ in agent.seen if msg_id == first}) == 1


def test_a_compressed_answer_that_would_fill_the_memory_is_cut_off(server, agent):
    agent.answers = [Reply(BOMB, headers={"content-encoding": "gzip"})]
    place = Place(server.database_url, agent.url)
    place.put(an_event())
    wait_until(lambda: done(place))
    wait_until(lambda: failures(server, place) == ["answer_too_large"])


def test_an_agent_that_was_away_gets_everything_in_order_when_it_is_back(server):
    port = quiet_port()
    place = Place(server.database_url, f"http://127.0.0.1:{port}/agent")
    sent = place.put(*[an_event() for _ in range(5)])
    wait_until(lambda: place.agent()[0] >= 2)
    assert place.agent()[1] == "no_connection"
    with push_agent(port) as agent:
        assert agent.wait_for(5) == sent
        wait_until(lambda: done(place))


def test_an_agent_that_is_away_for_long_is_told_of_when_it_begins_and_when_it_is_over(server):
    port = quiet_port()
    place = Place(server.database_url, f"http://127.0.0.1:{port}/agent")
    place.put(*[an_event() for _ in range(3)])
    wait_until(lambda: place.agent()[0] >= 6 and told(server, place, "delivery_failed"))
    (line,) = told(server, place, "delivery_failed")
    (since,) = place.rows("SELECT failing_since FROM inbox.agent WHERE zone_id = %(zone)s")[0]
    assert {name: line[name] for name in ("source_id", "kind", "failures", "waiting", "since")} == {
        "source_id": "SIS", "kind": "no_connection", "failures": 1, "waiting": 3,
        "since": since.isoformat("T", "seconds"),
    }  # fmt: skip
    with psycopg.connect(server.database_url) as connection:
        listed = agents.listing(connection, place.name)
        shown = agents.details(connection, place.name, "SIS")
    assert dict(zip(listed.columns, listed.lines[0], strict=True)).items() >= {
        "state": "failing", "waiting": 3, "failing_since": since, "last_failure": "no_connection",
    }.items()  # fmt: skip
    assert (shown["failing_since"], shown["waiting"], shown["waiting_since"] < since) == (since, 3, True)
    assert shown["state"] == "failing"
    with push_agent(port) as agent:
        agent.wait_for(3)
        wait_until(lambda: done(place))
        wait_until(lambda: told(server, place, "delivery_works_again"))
    (line,) = told(server, place, "delivery_works_again")
    assert (line["source_id"], line["failures"] >= 6, line["waiting"] <= 2) == ("SIS", True, True)
    assert place.rows("SELECT failing_since FROM inbox.agent WHERE zone_id = %(zone)s") == [(None,)]
    assert len(told(server, place, "delivery_failed")) == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/",
        "http://169.254.169.254/latest",
        "http://2852039166/latest",
        "http://0xa9.0xfe.43518/",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0/",
        "http://0/",
        "http://239.1.1.1/",
        "http:///",
        "",
        None,
    ],
)
def test_some_urls_are_never_called(server, url):
    place = Place(server.database_url, url)
    place.put(an_event())
    wait_until(lambda: place.agent()[0] >= 1)
    assert place.agent()[1] == "url"


def test_a_redirect_is_not_followed(server, agent):
    with push_agent() as elsewhere:
        agent.answers = [Reply(b"", 307, {"location": elsewhere.url})]
        place = Place(server.database_url, agent.url)
        place.put(an_event())
        wait_until(lambda: done(place))
        assert elsewhere.seen == []


def test_an_agent_that_sleeps_is_left_alone_until_it_wakes_up(server, agent):
    agent.always = lambda msg_id: Reply(ack_of(msg_id, 8))
    place = Place(server.database_url, agent.url)
    place.put(an_event())
    wait_until(lambda: place.agent()[1:] == ("asleep", True))  # no sooner than after the longest wait
    agent.always = None
    wait_until(lambda: done(place))


def test_an_agent_that_wakes_up_is_delivered_to_at_once(server, agent):
    agent.always = lambda msg_id: Reply(ack_of(msg_id, 8))
    place = Place(server.database_url, agent.url)
    place.put(an_event())
    wait_until(lambda: place.agent()[1] == "asleep")
    place.rows("UPDATE inbox.agent SET next_try_at = now() + interval '1 h' WHERE zone_id = %(zone)s RETURNING 1")
    agent.always = None
    woken = message(
        "<SIF_SystemControl>|<SIF_SystemControlData><SIF_Wakeup/></SIF_SystemControlData></SIF_SystemControl>"
    )
    assert answer(replace(server, token=place.token).post(woken)) == 0
    wait_until(lambda: done(place))


@pytest.mark.parametrize(("level", "settled"), [(0, "done"), (1, "done"), (2, None), (3, None)])
def test_https_agents_are_trusted_as_the_zone_says(server, certificate, level, settled):
    """The agent's certificate is signed by a CA that the server was not told of."""
    taken = []
    with listening(certificate, lambda body: taken.append(body) or ack_of(msg_id_of(body))) as url:
        place = Place(server.database_url, url)
        place.rows(f"UPDATE inbox.zone SET authentication_level = {level} WHERE zone_id = %(zone)s RETURNING 1")
        (msg_id,) = place.put(an_event())
        if settled:
            wait_until(lambda: place.states() == [(msg_id, settled)])
        else:
            wait_until(lambda: place.agent()[0] >= 2)
            assert place.agent()[1] == "certificate"
            assert taken == []


def test_only_the_message_that_asks_for_more_of_the_certificate_is_set_aside(server, certificate):
    taken = []
    with listening(certificate, lambda body: taken.append(msg_id_of(body)) or ack_of(msg_id_of(body))) as url:
        place = Place(server.database_url, url)
        event, later = an_event(), an_event()
        place.put(queue.Outgoing(event.sender_id, event.msg_id, "SIF_Event", event.body, level=Level(2, 1)), later)
        wait_until(lambda: len(taken) == 2)
        assert [state for _, state in place.states()][:2] == ["dropped", "done"]
        assert (taken[0], event.msg_id in taken) == (later.msg_id, False)


def test_a_handshake_that_breaks_off_says_nothing_of_the_certificate(server):
    """A port where every connection is hung up on, or answered with what is no TLS, until the real agent is back."""
    hang_ups = iter([b"", b"HTTP/1.0 400 Bad Request\r\n\r\n"] * 100)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening_socket:
        threading.Thread(target=hang_up, args=(listening_socket, hang_ups), daemon=True).start()
        place = Place(server.database_url, f"https://127.0.0.1:{listening_socket.getsockname()[1]}/agent")
        event = an_event()
        place.put(queue.Outgoing(event.sender_id, event.msg_id, "SIF_Event", event.body, level=Level(2, 1)))
        wait_until(lambda: place.agent()[0] >= 2)
        assert place.agent()[1] in {"tls", "no_connection", "connection"}
        assert place.states() == [(event.msg_id, "delivering")]
        place.rows("UPDATE inbox.agent SET is_asleep = TRUE WHERE zone_id = %(zone)s RETURNING 1")


def hang_up(listening_socket, words):
    """Accept connections, read the beginning of each, say a word that is no TLS, and close it."""
    with suppress(OSError):
        while True:
            connection, _ = listening_socket.accept()
            with connection, suppress(OSError):
                connection.recv(4096)
                connection.sendall(next(words))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    made = trustme.CA().issue_cert("127.0.0.1", "localhost")
    made.private_key_pem.write_to_path(folder / "key.pem")
    made.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    return Address(certificate=folder / "cert.pem", key=folder / "key.pem")


def msg_id_of(body):
    return read_message(open_message(body)).msg_id


def test_an_error_takes_the_message_off_and_the_next_one_comes(server, agent):
    agent.answers = [lambda msg_id: Reply(ack_of(msg_id, error=(1, 3)))]
    place = Place(server.database_url, agent.url)
    first, second = place.put(an_event(), an_event())
    wait_until(lambda: place.states()[1][1] == "done")
    assert place.states() == [(first, "dropped"), (second, "done")]
    assert agent.msg_ids() == [first, second]


def test_an_error_may_come_from_an_agent_that_could_not_read_the_message(server, agent):
    unread = ack_of("X", error=(1, 2)).replace(b"<SIF_OriginalMsgId>X</SIF_OriginalMsgId>", b"<SIF_OriginalMsgId/>")
    agent.answers = [Reply(unread)]
    place = Place(server.database_url, agent.url)
    first, second = place.put(an_event(), an_event())
    wait_until(lambda: place.states() == [(first, "dropped"), (second, "done")])


def test_a_blocking_event_holds_the_others_until_the_final_ack_is_posted(server, agent):
    agent.answers = [lambda msg_id: Reply(ack_of(msg_id, 2))]
    place = Place(server.database_url, agent.url)
    first, second = place.put(an_event(), an_event())
    wait_until(lambda: place.states() == [(first, "blocked"), (second, "queued")])
    time.sleep(0.7)
    assert agent.msg_ids() == [first]
    assert answer(replace(server, token=place.token).post(ack_of(first, 3))) == 0
    wait_until(lambda: done(place))
    assert agent.msg_ids() == [first, second]


def test_a_slow_agent_does_not_hold_back_the_others(server, agent):
    with held(agent), push_agent() as quick:
        slow = [Place(server.database_url, agent.url) for _ in range(10)]
        for place in slow:
            place.put(an_event())
        agent.wait_for(10)
        place = Place(server.database_url, quick.url)
        place.put(*[an_event() for _ in range(10)])
        wait_until(lambda: done(place), seconds=50)  # before a server would give up the slow ones
        assert {state for place in slow for _, state in place.states()} == {"delivering"}
        assert len(agent.seen) == 10
    wait_until(lambda: all(done(place) for place in slow))


@contextmanager
def held(agent):
    """Have an agent take messages and answer none of them for now."""
    until = threading.Event()
    agent.always = lambda msg_id: Reply(ack_of(msg_id), held=until)
    try:
        yield
    finally:
        agent.always = None
        until.set()


def test_slow_agents_of_one_zone_leave_room_for_other_zones(database_url, agent):
    change = fast().replace("delivery.Pace(", "delivery.Pace(at_once=6, of_a_zone=3, ")
    with running(database_url, change=change) as server, push_agent() as quick, held(agent):
        slow = Place(server.database_url, agent.url)
        slow.put(an_event())
        for number in range(9):
            slow.join(agent.url, f"SIS-{number}")
            slow.source_id = f"SIS-{number}"
            slow.put(an_event())
        agent.wait_for(3)
        place = Place(server.database_url, quick.url)
        place.put(an_event())
        quick.wait_for(1, seconds=50)  # before a server would give up the slow ones
        assert len(agent.seen) == 3


def test_when_the_session_that_holds_the_lock_is_lost_delivery_goes_on(database_url, agent):
    with running(database_url, change=fast()) as server:
        place = Place(database_url, agent.url)
        place.put(an_event())
        wait_until(lambda: done(place))  # or it comes again, as it should
        place.rows(
            "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE application_name = 'sif-delivery'"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        )
        sent = place.put(*[an_event() for _ in range(3)])
        wait_until(lambda: done(place))
        assert agent.msg_ids()[1:] == sent
        assert [line["event"] for line in server.log()].count("delivering") == 2


def tries(place):
    ((tries, called),) = place.rows("SELECT last_value, is_called FROM outbox.tries")
    return tries if called else 0


def test_while_the_database_fails_for_an_agent_it_is_tried_at_intervals(server, agent):
    """Its messages cannot be marked as handed out; nothing about it can be noted either."""
    place = Place(server.database_url, agent.url)
    with psycopg.connect(server.database_url) as connection:
        connection.execute("CREATE SEQUENCE outbox.tries")
        connection.execute(
            "CREATE OR REPLACE FUNCTION outbox.no_room() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM nextval('outbox.tries'); RAISE disk_full; END$$"  # which no rollback takes back
        )
        connection.execute(
            f"CREATE TRIGGER no_room BEFORE UPDATE ON outbox.message FOR EACH ROW WHEN (OLD.zone_id = {place.id})"
            " EXECUTE FUNCTION outbox.no_room()"
        )
    try:
        start = time.monotonic()
        sent = place.put(an_event())
        wait_until(lambda: tries(place) >= 3 and told(server, place, "delivery_interrupted"))
        assert tries(place) <= 2 + (time.monotonic() - start) / 0.5, "every half second here"
        assert [line["kind"] for line in told(server, place, "delivery_interrupted")] == ["DiskFull"]
    finally:
        with psycopg.connect(server.database_url) as connection:
            connection.execute("DROP TRIGGER no_room ON outbox.message")
    wait_until(lambda: told(server, place, "delivery_works_again"))
    assert agent.wait_for(1) == sent
    wait_until(lambda: done(place))


def test_who_asked_is_told_that_nobody_answered_in_time(database_url, agent):
    """By the server itself, which looks for such requests now and then."""
    change = fast().replace("delivery.Pace(", "delivery.Pace(expiry_seconds=0.2, ")
    with running(database_url, change=change):
        place = Place(database_url, agent.url)
        asked = new_id()
        place.rows(
            "INSERT INTO outbox.request (zone_id, source_id, msg_id, object_name, destination_id, max_buffer_size,"
            f" expires_at) VALUES (%(zone)s, 'SIS', '{asked}', 'SchoolInfo', 'REGISTRY', 4096, now()) RETURNING 1"
        )
        agent.wait_for(1)
        wait_until(lambda: done(place))
        assert place.rows("SELECT state, error FROM outbox.request") == [("timed_out", "8/16")]
    root = open_message(agent.seen[0][1])
    names = ("SIF_RequestMsgId", "SIF_MorePackets", "SIF_Category", "SIF_Code")
    assert [root.findtext(f".//{{{NAMESPACE}}}{name}") for name in names] == [asked, "No", "8", "16"]


def test_two_agents_of_a_zone_get_their_own_and_only_that(server, agent):
    with push_agent() as other:
        place = Place(server.database_url, agent.url)
        place.join(other.url, "OTHER")
        mine = place.put(an_event(), an_event())
        place.source_id = "OTHER"
        others = place.put(an_event())
        assert agent.wait_for(2) == mine
        assert other.wait_for(1) == others
        wait_until(lambda: done(place))
        assert (len(agent.seen), len(other.seen)) == (2, 1)


def test_nothing_goes_to_an_agent_asleep_or_gone_or_of_a_suspended_zone(server, agent):
    place = Place(server.database_url, agent.url, is_asleep=True)
    gone = Place(server.database_url, agent.url)
    suspended = Place(server.database_url, agent.url)
    for each in (place, gone, suspended):
        each.put(an_event())
    wait_until(lambda: done(gone) and done(suspended))
    for each, change in (
        (gone, "UPDATE inbox.agent SET unregistered_at = now() WHERE zone_id = %(zone)s RETURNING 1"),
        (suspended, "UPDATE inbox.zone SET suspended_at = now() WHERE zone_id = %(zone)s RETURNING 1"),
    ):
        each.rows(change)
    seen = len(agent.seen)
    suspended.put(an_event())
    place.put(an_event())
    time.sleep(0.8)
    assert len(agent.seen) == seen


def test_what_asks_for_a_secured_channel_does_not_go_over_plain_http(server, agent):
    place = Place(server.database_url, agent.url)
    event = an_event()
    place.put(queue.Outgoing(event.sender_id, event.msg_id, "SIF_Event", event.body, level=Level(0, 1)))
    (entry,) = agent.wait_for(1)
    assert entry != event.msg_id
    root = open_message(agent.seen[0][1])
    assert root.findtext(f".//{{{NAMESPACE}}}SIF_ApplicationCode") == "channel_not_secure"
    wait_until(lambda: place.states() == [(event.msg_id, "dropped"), (entry, "done")])


def test_two_servers_deliver_in_order_and_the_second_takes_over(module_database_url, server, agent):
    with running(module_database_url, change=fast()) as second:
        place = Place(second.database_url, agent.url)
        sent = place.put(*[an_event() for _ in range(50)])
        assert agent.wait_for(50) == sent
        leaders = [[line["event"] for line in each.log()].count("delivering") for each in (server, second)]
        assert leaders == [1, 0]


def test_the_one_that_stands_by_takes_over_when_the_other_is_killed(database_url, agent):
    with running(database_url, change=fast()) as first:
        place = Place(database_url, agent.url)
        place.put(an_event())
        wait_until(lambda: done(place))  # or it comes again, as it should
        with running(database_url, change=fast()):
            first.process.kill()
            first.process.wait(60)
            sent = place.put(*[an_event() for _ in range(3)])
            wait_until(lambda: done(place))
            assert agent.msg_ids()[1:] == sent


def test_no_log_line_has_a_url_or_anything_of_a_message(server):
    text = "".join(server.lines)
    assert "delivery_failed" in text
    assert "127.0.0.1:" not in text.replace(server.lines[0], "")
    assert "REGISTRY" not in text


def test_waiting_doubles_up_to_five_minutes():
    pace = delivery.Pace()
    for failures, longest in ((0, 1), (1, 2), (4, 16), (8, 256), (9, 300), (400, 300)):
        waits = [delivery.back_off(failures, pace) for _ in range(200)]
        assert longest / 2 <= min(waits) < max(waits) <= longest
