"""`python -m benchmarks.restart`: how soon a zone server that starts delivers, when much waits for push agents.

Fills the queues of the agents, starts a server, and counts the seconds until the first delivery, until every agent had
one, and the deliveries a second after that. The agents answer from this process, so the machine does both sides.
"""

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import psycopg

from benchmarks import databases, environment
from benchmarks.__main__ import say
from sif_pipeline import database, zones
from sif_pipeline.agent.listener import Address, listening
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.messages import read_message
from sif_pipeline.sif.writing import new_msg_id

START = "import sys; from sif_pipeline.zone import server; server.serve(sys.argv[1], '127.0.0.1', 0)"

EVENT = (
    f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6"><SIF_Event><SIF_Header><SIF_MsgId>%s</SIF_MsgId>'
    "<SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>REGISTRY</SIF_SourceId></SIF_Header>"
    '<SIF_ObjectData><SIF_EventObject ObjectName="SchoolInfo" Action="Change">'
    '<SchoolInfo RefId="FF34557E547082FAA4E584716248B7F0"><SchoolName>%s</SchoolName></SchoolInfo>'
    "</SIF_EventObject></SIF_ObjectData></SIF_Event></SIF_Message>"
)
"""A SIF_Event of about 2,000 bytes, once its name is filled up."""

ACK = (
    f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6"><SIF_Ack><SIF_Header><SIF_MsgId>%s</SIF_MsgId>'
    "<SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>SIS</SIF_SourceId></SIF_Header>"
    "<SIF_OriginalSourceId>REGISTRY</SIF_OriginalSourceId><SIF_OriginalMsgId>%s</SIF_OriginalMsgId>"
    "<SIF_Status><SIF_Code>1</SIF_Code></SIF_Status></SIF_Ack></SIF_Message>"
)


class Agents:
    """All the agents at one port: what they were sent, and when."""

    def __init__(self) -> None:
        self.first: float | None = None
        self.count: Counter[str] = Counter()

    def take(self, body: bytes) -> bytes:
        """Acknowledge a message; its name says whose it is."""
        self.first = self.first or time.monotonic()
        root = open_message(body)
        self.count[root.findtext(f".//{{{NAMESPACE}}}SchoolName", "").partition(" ")[0]] += 1
        return (ACK % (new_msg_id(), read_message(root).msg_id)).encode()


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.restart", description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000, help="messages that wait (default 100,000)")
    parser.add_argument("--agents", type=int, default=65, help="push agents they wait for (default 65)")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long to count deliveries (default 20)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure in a temporary folder, on SIF_DATABASE_URL's server or an embedded one."""
    chosen = options(arguments)
    with ExitStack() as stack:
        _, server = stack.enter_context(databases.serving())
        url = stack.enter_context(databases.clone(server))
        database.upgrade(url)
        agents = Agents()
        push_url = stack.enter_context(listening(Address(), agents.take))
        say(f"queueing {chosen.messages:,} messages for {chosen.agents} agents")
        fill(url, push_url, chosen.agents, chosen.messages)
        say("starting the server")
        found = measure(url, agents, chosen)
        described = environment.describe(server)
    print(json.dumps({"environment": described, "messages": chosen.messages, "agents": chosen.agents, **found}))


def fill(url: str, push_url: str, agents: int, messages: int) -> None:
    """Register the agents, one in each zone, and queue the messages in turn for each of them."""
    with psycopg.connect(url) as connection:
        for number in range(agents):
            zones.add(connection, f"zone-{number}", f"{number:08}")
        connection.execute(
            "INSERT INTO inbox.agent (zone_id, source_id, mode, push_url, max_buffer_size, versions)"
            " SELECT zone_id, 'SIS', 'Push', %s, 1000000, '{2.6}' FROM inbox.zone",
            [push_url],
        )
        copy = "COPY outbox.message (zone_id, source_id, sender_id, msg_id, message_type, body) FROM STDIN"
        found = [zone_id for (zone_id,) in connection.execute("SELECT zone_id FROM inbox.zone ORDER BY zone_id")]
        with connection.cursor().copy(copy) as rows:
            for number in range(messages):
                zone_id, msg_id = found[number % len(found)], new_msg_id()
                body = (EVENT % (msg_id, f"{zone_id} {'x' * 1500}")).encode()
                rows.write_row((zone_id, "SIS", "REGISTRY", msg_id, "SIF_Event", body))


def measure(url: str, agents: Agents, chosen: argparse.Namespace) -> dict[str, float | int]:
    """Start a server and count; seconds are from the start of its process."""
    began = time.monotonic()
    with _server(url):
        wanted = min(chosen.agents, chosen.messages)
        while len(agents.count) < wanted:
            time.sleep(0.001)
        every = time.monotonic()
        before = agents.count.total()
        time.sleep(chosen.seconds)
        count = agents.count.total() - before
    assert agents.first is not None  # noqa: S101 -- every agent had a delivery
    return {
        "first_delivery_seconds": round(agents.first - began, 2),
        "every_agent_seconds": round(every - began, 2),
        "deliveries_a_second": round(count / chosen.seconds),
    }


@contextmanager
def _server(url: str) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", START, url], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main()
