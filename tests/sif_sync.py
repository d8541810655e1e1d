"""A district that the state asks for everything: its agent's rows, and answers put into the inbox as the zone does."""

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sif_text as sif

from sif_pipeline.state import reconciliation, syncs


@dataclass
class District:
    inbox: sif.Inbox
    url: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    packets: dict = field(default_factory=dict)

    @classmethod
    def new(cls, connection, url):
        """Make a zone with one registered agent that provides some objects."""
        district = cls(sif.Inbox.new(connection), url)
        district.register()
        for name in ("StudentPersonal", "SchoolInfo", "StudentSchoolEnrollment", "StudentAttendanceSummary"):
            district.declare("SIF_ProvideObjects", name)
        return district

    def register(self, source=sif.SOURCE):
        """Register an agent, a day ago."""
        self.inbox.connection.execute(
            "INSERT INTO inbox.agent (zone_id, source_id, mode, versions, registered_at)"
            " VALUES (%s, %s, 'Pull', '{2.6}', now() - interval '1 day')",
            (self.inbox.zone_id, source),
        )

    def declare(self, kind, name, source=sif.SOURCE):
        row = (self.inbox.zone_id, source, kind, name)
        self.inbox.connection.execute("INSERT INTO inbox.provision VALUES (%s, %s, %s, %s)", row)

    def subscribe(self, name, source=sif.SOURCE):
        self.declare("SIF_SubscribeObjects", name, source)

    def limit(self, share):
        self.inbox.one(
            "UPDATE inbox.zone SET change_limit = %(share)s WHERE zone_id = %(zone)s RETURNING 1", share=share
        )

    def load(self, *objects, minute=0):
        """Send an event for each object that adds it, at a minute of the synthetic day, and drain them."""
        self.inbox.put(*(sif.event("Add", text, at=sif.minute(minute)) for text in objects))
        self.inbox.drain()

    def ask(self, object_name):
        return syncs.ask(self.url, self.inbox.name, object_name)

    def show(self, sync):
        return syncs.show(self.url, sync.sync_id)

    def sync(self, object_name, *packets):
        """Ask for everything, answer in packets, and let the answer be compared."""
        sync = self.ask(object_name)
        for number, objects in enumerate(packets, 1):
            self.answer(sync, objects, more=number < len(packets))
        reconciliation.advance(self.url)
        return self.show(sync)

    def answer(self, sync, objects, *, more=False, at=None):
        """Store the next packet of an answer."""
        number = self.packets[sync.sync_id] = self.packets.get(sync.sync_id, 0) + 1
        stamp = at or datetime.now(UTC).replace(microsecond=0)
        self.inbox.connection.execute(
            """
            INSERT INTO inbox.message (zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin,
                                       body, body_sha256, state, request_msg_id, packet_number, more_packets)
            VALUES (%(zone)s, %(source)s, %(msg)s, 'SIF_Response', '2.6', %(at)s, 'http', %(body)s, sha256(%(body)s),
                    'staged', %(request)s, %(number)s, %(more)s)
            """,
            {
                "zone": self.inbox.zone_id, "source": sif.SOURCE, "msg": sif.msg_id(), "at": stamp,
                "body": sif.response(*objects, at=stamp), "request": sync.request_msg_id, "number": number,
                "more": more,
            },
        )  # fmt: skip
        self.inbox.connection.execute(
            """
            UPDATE outbox.request SET next_packet = next_packet + 1,
                state = CASE WHEN %s THEN 'open' ELSE 'complete' END,
                ended_at = CASE WHEN %s THEN NULL ELSE clock_timestamp() END
            WHERE msg_id = %s
            """,
            (more, more, sync.request_msg_id),
        )

    def end(self, sync, state, error):
        """End a request before its last packet."""
        self.inbox.connection.execute(
            "UPDATE outbox.request SET state = %s, error = %s, ended_at = clock_timestamp() WHERE msg_id = %s",
            (state, error, sync.request_msg_id),
        )


@contextmanager
def always_pulling(agent):
    """Pull in a thread, as an agent does that runs by itself."""
    ended = threading.Event()

    def pull():
        while not ended.wait(0.1):
            agent.pull_all()

    thread = threading.Thread(target=pull)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
