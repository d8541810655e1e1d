"""Where a push agent's URL may lead, and that finding out holds up nothing else."""

import asyncio
import socket
import threading

import pytest
from push_agent import ack_of, push_agent

from sif_pipeline.zone import names, pushing, tls

REAL = socket.getaddrinfo


@pytest.fixture
def resolver(monkeypatch):
    """Give a resolver that knows hosts of `.test` as the test says, and has no answer for those of `.slow` yet."""
    known, asked, found_out = {}, [], threading.Event()

    def look_up(host, *arguments, **options):
        if not isinstance(host, str) or not host.endswith((".test", ".slow")):
            return REAL(host, *arguments, **options)
        asked.append(host)
        if host.endswith(".slow"):
            known["outwaited"] = not found_out.wait(60)
        return [found for address in known.get(host, ["203.0.113.9"]) for found in REAL(address, 0, type=1)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    known["asked"], known["found out"] = asked, found_out
    yield known
    found_out.set()


def failure_of(url, *, loopback=False):
    try:
        asyncio.run(pushing.check(url, loopback=loopback))
    except pushing.Failed as failed:
        return failed.kind
    return None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.8.9.10", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "localhost"],
)
def test_this_machine_is_called_only_where_that_is_allowed(host):
    assert failure_of(f"http://{host}:7080/") == "url"
    assert failure_of(f"http://{host}:7080/", loopback=True) is None


@pytest.mark.parametrize(
    "host",
    [
        "[64:ff9b::a9fe:a9fe]",  # 169.254.169.254, translated
        "[2002:a9fe:a9fe::1]",  # by 6to4
        "[2001:0:4136:e378:8000:63bf:5601:5601]",  # by Teredo
        "[fd00:ec2::254]",
    ],
)
def test_no_way_round_leads_to_the_services_of_a_network(host):
    assert failure_of(f"http://{host}/", loopback=True) == "url"


@pytest.mark.parametrize("host", ["[64:ff9b::7f00:1]", "[2002:7f00:1::1]"])
def test_no_way_round_leads_to_this_machine(host):
    assert failure_of(f"http://{host}/") == "url"


@pytest.mark.parametrize("host", ["10.1.2.3", "192.0.2.1", "[2001:db8::1]", "[64:ff9b::c000:201]"])
def test_other_addresses_are_called(host):
    assert failure_of(f"https://{host}/") is None


def test_one_address_that_may_not_be_called_is_enough(resolver):
    resolver["two.test"] = ["192.0.2.1", "169.254.169.254"]
    assert failure_of("http://two.test/") == "url"


def test_silent_name_servers_hold_up_only_names(resolver, monkeypatch):
    monkeypatch.setattr(pushing, "CONNECT_SECONDS", 60)

    async def beside():
        looking = [asyncio.create_task(pushing.check(f"http://a{n}.slow/", loopback=False)) for n in range(40)]
        while not resolver["asked"]:  # noqa: ASYNC110 -- by threads
            await asyncio.sleep(0.01)
        await asyncio.to_thread(len, "")
        still = [task.done() for task in looking]
        resolver["found out"].set()
        await asyncio.gather(*looking)
        return still

    assert asyncio.run(beside()) == [False] * 40


def test_a_name_that_takes_too_long_is_given_up(resolver, monkeypatch):
    monkeypatch.setattr(pushing, "CONNECT_SECONDS", 0.1)
    assert failure_of("http://b.slow/") == "no_connection"
    with pytest.raises(OSError):
        asyncio.run(names.addresses(names.threads("test"), "c.slow", 0.1))


def test_the_address_that_was_checked_is_called_under_the_name(resolver):
    """The name means another address as soon as it was checked."""
    with push_agent() as agent:
        port = agent.url.rsplit(":", 1)[1].partition("/")[0]
        resolver["agent.test"] = ["127.0.0.2", "127.0.0.1"]  # nobody is at the first
        body = ack_of("X", kind="SIF_Unregister")

        async def push():
            url = f"http://agent.test:{port}/agent"
            found = await pushing.check(url, loopback=True)
            resolver["agent.test"] = ["192.0.2.1"]
            async with pushing.line(url, found, None) as line:
                first = await pushing.push(line, body, packed=False, seconds=60)
                return first, await pushing.push(line, body, packed=False, seconds=60)

        first, second = asyncio.run(push())
        assert b"SIF_Ack" in first
        assert b"SIF_Ack" in second
        assert [headers["host"] for *_, headers in agent.seen] == [f"agent.test:{port}"] * 2
    assert resolver["asked"] == ["agent.test"]


def test_the_hosts_of_a_certificate_are_looked_up_once_a_minute_and_not_for_long(resolver, monkeypatch):
    resolver["sis.test"] = ["192.0.2.7"]

    async def twice():
        found = [await tls.is_host(frozenset({"sis.test"}), "192.0.2.7") for _ in range(2)]
        monkeypatch.setattr(tls, "NAME_SECONDS", 0.2)
        found.append(await tls.is_host(frozenset({"d.slow", "e.slow", "f.slow"}), "192.0.2.7"))
        return found, "outwaited" in resolver

    assert asyncio.run(twice()) == ([True, True, False], False)
    assert resolver["asked"].count("sis.test") == 1
