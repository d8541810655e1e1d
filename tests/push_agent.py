"""A push agent of a few lines over a real socket, that answers as a test says, rubbish included."""

import gzip
import random
import socket
import threading
import time
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

import psycopg

from sif_pipeline import zones
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.messages import read_message
from sif_pipeline.zone import queue

FAST = """
from sif_pipeline.zone import delivery
pace = delivery.Pace(first_wait=0.05, longest_wait=0.4, look_seconds=0.5, standby_seconds=0.1, answer_seconds={answer},
    farewell_seconds=0.5)
delivery.Pace = lambda: pace
"""


def fast(answer=60.0):
    """Write what makes the server of a test deliver at a test's pace; for answers it waits as a busy machine needs."""
    return FAST.format(answer=answer)


def new_id():
    return uuid4().hex.upper()


def an_event(sender="REGISTRY", pad=""):
    """Make a SIF_Event that another agent sent, to be put on a queue."""
    id_ = new_id()
    body = (
        f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6"><SIF_Event><SIF_Header><SIF_MsgId>{id_}</SIF_MsgId>'
        f"<SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>{sender}</SIF_SourceId></SIF_Header>"
        f'<SIF_ObjectData><SIF_EventObject ObjectName="SchoolInfo" Action="Delete"><SchoolInfo RefId="{new_id()}"/>'
        f"</SIF_EventObject></SIF_ObjectData></SIF_Event></SIF_Message>{pad}"
    ).encode()
    return queue.Outgoing(sender, id_, "SIF_Event", body, "SchoolInfo")


def ack_of(msg_id, status=1, error=None, kind="SIF_Ack"):
    """Write an agent's SIF_Ack to a message."""
    outcome = (
        f"<SIF_Error><SIF_Category>{error[0]}</SIF_Category><SIF_Code>{error[1]}</SIF_Code><SIF_Desc/></SIF_Error>"
        if error
        else f"<SIF_Status><SIF_Code>{status}</SIF_Code></SIF_Status>"
    )
    return (
        f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6"><{kind}><SIF_Header><SIF_MsgId>{new_id()}</SIF_MsgId>'
        f"<SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>SIS</SIF_SourceId></SIF_Header>"
        f"<SIF_OriginalSourceId>X</SIF_OriginalSourceId><SIF_OriginalMsgId>{msg_id}</SIF_OriginalMsgId>{outcome}"
        f"</{kind}></SIF_Message>"
    ).encode()


@dataclass
class Reply:
    """An HTTP answer."""

    body: bytes = b""
    status: int = 200
    headers: dict = field(default_factory=dict)
    delay: float = 0.0
    held: threading.Event | None = None  #: nothing is answered before this, or at all where it never comes


class PushAgent:
    """What an agent saw, and how it answers: `answers` are used up one by one, then every message is acknowledged."""

    def __init__(self):
        self.seen = []  #: (SIF_MsgId, bytes as sent, headers) of every delivery, in order
        self.answers = []
        self.always = None
        self.url = ""
        self.changed = threading.Condition()

    def msg_ids(self):
        return [msg_id for msg_id, _, _ in self.seen]

    def answer(self, body, headers):
        plain = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        msg_id = read_message(open_message(plain)).msg_id
        with self.changed:
            self.seen.append((msg_id, plain, headers))
            answer = self.answers.pop(0) if self.answers else self.always
            self.changed.notify_all()
        if answer is None:
            return Reply(ack_of(msg_id))
        return answer(msg_id) if callable(answer) else answer

    def wait_for(self, count, seconds=60):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, seconds), f"{len(self.seen)} of {count} came"
            return self.msg_ids()


def quiet_port():
    """Find a port that stays free while nobody listens: below those that clients, and other tests' servers, get."""
    while True:
        port = random.SystemRandom().randrange(20_000, 30_000)
        with suppress(OSError), closing(socket.create_server(("127.0.0.1", port))):
            return port


@contextmanager
def push_agent(port=0):
    """Give an agent that listens."""
    agent = PushAgent()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            reply = agent.answer(body, {k.lower(): v for k, v in self.headers.items()})
            time.sleep(reply.delay)
            if reply.held:
                reply.held.wait(120)
            self.send_response(reply.status)
            for name, value in {"content-length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True
        request_queue_size = 64

        def handle_error(self, *_):
            """Say nothing of clients that went away: tests kill them."""

    with Server(("127.0.0.1", port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        agent.url = f"http://127.0.0.1:{server.server_address[1]}/agent"
        try:
            yield agent
        finally:
            server.shutdown()
            thread.join(5)


class Place:
    """A zone of a test's own in a database, with a push agent registered in it."""

    def __init__(self, database_url, push_url, source_id="SIS", **columns):
        self.database_url, self.source_id = database_url, source_id
        with psycopg.connect(database_url) as connection:
            self.name = f"Zone-{uuid4().hex}"
            self.token = zones.add(connection, self.name, "01010000")
            self.id = connection.execute("SELECT max(zone_id) FROM inbox.zone").fetchone()[0]
        self.join(push_url, source_id, **columns)

    def join(self, push_url, source_id, **columns):
        values = {"mode": "Push", "max_buffer_size": 100000, "versions": ["2.6"], **columns}
        with psycopg.connect(self.database_url) as connection:
            statement = psycopg.sql.SQL(
                "INSERT INTO inbox.agent (zone_id, source_id, push_url, {}) VALUES ({})"
            ).format(
                psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, values)),
                psycopg.sql.SQL(", ").join(psycopg.sql.Placeholder() * (3 + len(values))),
            )
            connection.execute(statement, [self.id, source_id, push_url, *values.values()])

    def put(self, *messages):
        with psycopg.connect(self.database_url) as connection:
            for message in messages:
                assert queue.enqueue_now(connection, self.id, self.source_id, message)
        return [message.msg_id for message in messages]

    def rows(self, query):
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query, {"zone": self.id}).fetchall()

    def states(self):
        return self.rows("SELECT msg_id, state FROM outbox.message WHERE zone_id = %(zone)s ORDER BY queue_id")

    def agent(self):
        """Give what is noted of the agent: failures in a row, the last one, and whether it is left alone for now."""
        return self.rows(
            "SELECT failures, last_failure, next_try_at > now() FROM inbox.agent WHERE zone_id = %(zone)s"
        )[0]
