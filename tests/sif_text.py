"""Synthetic SIF messages as text, and an inbox to put them into: what the tests of fold, drain and replay share."""

import hashlib
import itertools
import json
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg import sql

from sif_pipeline import database
from sif_pipeline.loading import drain
from sif_pipeline.loading.drain import Limits
from sif_pipeline.sif import gate, messages

NAMESPACE = "http://www.sifinfo.org/infrastructure/2.x"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SOURCE = "SYNTH-SIS"

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
"""When the synthetic day begins: late enough that every minute of it is a plausible SIF_Timestamp."""

_numbers = itertools.count(1)


def ref(word):
    """Give the RefId of an object of the tests."""
    return hashlib.sha256(word.encode()).hexdigest()[:32].upper()


def msg_id():
    return f"{next(_numbers):032X}"


def minute(number):
    return START + timedelta(minutes=number)


def lea(word="L", name="Springfield", more=""):
    return f'<LEAInfo RefId="{ref(word)}"><LocalId>1</LocalId><LEAName>{name}</LEAName>{more}</LEAInfo>'


def school(word="S", of=None, name="North", more=""):
    refers = f"<LEAInfoRefId>{ref(of)}</LEAInfoRefId>" if of else ""
    return f'<SchoolInfo RefId="{ref(word)}"><SchoolName>{name}</SchoolName>{refers}{more}</SchoolInfo>'


def student(word="A", local="1", first="Ada", more="", ids=""):
    return (
        f'<StudentPersonal RefId="{ref(word)}"><LocalId>{local}</LocalId>{ids}<Name Type="04"><LastName>Doe</LastName>'
        f"<FirstName>{first}</FirstName></Name>{more}</StudentPersonal>"
    )


def sparse(name, word, parts="", attributes=""):
    """Give an object with its key and whatever parts of it a Change brings, or a Delete's key alone."""
    return f'<{name} RefId="{ref(word)}"{attributes}>{parts}</{name}>'


def enrollment(word="E", of="A", at="S", entry="2026-09-01", more=""):
    entered = f"<EntryDate>{entry}</EntryDate>" if entry else ""
    return (
        f'<StudentSchoolEnrollment RefId="{ref(word)}" StudentPersonalRefId="{ref(of)}" SchoolInfoRefId="{ref(at)}" '
        f'MembershipType="Home" TimeFrame="Current" SchoolYear="2027">{entered}{more}</StudentSchoolEnrollment>'
    )


def _stamp(at):
    return f"<SIF_Timestamp>{at.isoformat()}</SIF_Timestamp>" if at else ""


def _message(body, at, msg, source):
    header = f"<SIF_Header><SIF_MsgId>{msg or msg_id()}</SIF_MsgId>{_stamp(at)}<SIF_SourceId>{source}</SIF_SourceId>"
    opened, closed = body.split("|")
    text = f'<SIF_Message xmlns="{NAMESPACE}" xmlns:xsi="{XSI}" Version="2.6">{opened}{header}</SIF_Header>{closed}'
    return f"{text}</SIF_Message>".encode()


def event(action, *objects, at=None, msg=None, source=SOURCE):
    """Write a SIF_Event: one SIF_EventObject for each object, all with the same Action."""
    return mixed(*((action, text) for text in objects), at=at, msg=msg, source=source)


def mixed(*happenings, at=None, msg=None, source=SOURCE):
    """Write a SIF_Event of any (Action, object)."""
    wrapped = "".join(
        f'<SIF_EventObject ObjectName="{text[1:].split()[0].rstrip(">")}" Action="{action}">{text}</SIF_EventObject>'
        for action, text in happenings
    )
    return _message(f"<SIF_Event>|<SIF_ObjectData>{wrapped}</SIF_ObjectData></SIF_Event>", at, msg, source)


def response(*objects, at=None, msg=None, source=SOURCE):
    """Write a SIF_Response: whole images."""
    data = "".join(objects)
    return _message(f"<SIF_Response>|<SIF_ObjectData>{data}</SIF_ObjectData></SIF_Response>", at, msg, source)


class Inbox:
    """A zone of its own in a test's database: messages in, drained in batches of any size, everything read out."""

    def __init__(self, connection, name):
        self.connection = connection
        (self.zone_id,) = connection.execute(
            "INSERT INTO inbox.zone (name, lea_code, token_sha256) VALUES (%s, '00350000', sha256(%s))"
            " RETURNING zone_id",
            (name, name.encode()),
        ).fetchone()
        self.name = name
        connection.commit()

    @classmethod
    def new(cls, connection):
        return cls(connection, f"zone {next(_numbers)}")

    def put(self, *bodies, received=None):
        """Store messages as a receiver does; a message whose SIF_MsgId is there already is only counted."""
        for body in bodies:
            found = messages.read_message(gate.open_message(body))
            self.connection.execute(
                """
                INSERT INTO inbox.message (zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin,
                                           body, body_sha256, received_at)
                VALUES (%s, %s, %s, %s, %s, %s, 'http', %s, sha256(%s), coalesce(%s, clock_timestamp()))
                ON CONFLICT (zone_id, source_id, msg_id) DO UPDATE SET duplicates = inbox.message.duplicates + 1
                """,
                (self.zone_id, found.source_id, found.msg_id, found.message_type, found.version, found.timestamp,
                 body, body, received),
            )  # fmt: skip
        self.connection.commit()

    def copy_of(self, other):
        """Store what another zone received, received at the same times."""
        self.connection.execute(
            """
            INSERT INTO inbox.message (zone_id, source_id, msg_id, message_type, sif_version, sif_timestamp, origin,
                                       body, body_sha256, received_at, duplicates)
            SELECT %s, source_id, msg_id, message_type, sif_version, sif_timestamp, origin, body, body_sha256,
                   received_at, duplicates
            FROM inbox.message WHERE zone_id = %s ORDER BY message_id
            """,
            (self.zone_id, other.zone_id),
        )
        self.connection.commit()
        return self

    def drain(self, *sizes):
        """Drain batches of these sizes, then what is left at once."""
        for size in (*sizes, 500):
            drain.drain_batch(self.connection, Limits(messages=size))
        return self

    def one(self, statement, **parameters):
        return self.connection.execute(statement, {"zone": self.zone_id, **parameters}).fetchone()

    def all(self, statement, **parameters):
        return self.connection.execute(statement, {"zone": self.zone_id, **parameters}).fetchall()

    def outcomes(self):
        """Give what became of every object event, in order of arrival."""
        return [outcome for (outcome,) in self.all(
            "SELECT outcome FROM inbox.object_event WHERE zone_id = %(zone)s ORDER BY message_id, position"
        )]  # fmt: skip

    def states(self):
        """Give where every message stands, in order of arrival."""
        return [state for (state,) in self.all(
            "SELECT state FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id"
        )]  # fmt: skip

    def open_findings(self):
        """Give code and path of every open finding."""
        return self.all(
            "SELECT code, path FROM inbox.notice WHERE zone_id = %(zone)s AND resolved_at IS NULL ORDER BY 1, 2"
        )

    def documents(self):
        """Give the current objects: RefId to document."""
        return {
            row["row_key"].replace("-", "").upper(): row["document"]
            for name in _object_tables(self.connection)
            for row in self.rows("sif", name)
        }

    def rows(self, schema, table):
        """Give a table's rows of this zone, as JSON values."""
        statement = sql.SQL("SELECT to_jsonb(t) FROM {} AS t WHERE zone_id = %s").format(sql.Identifier(schema, table))
        return [row for (row,) in self.connection.execute(statement, (self.zone_id,))]

    def everything(self):
        """Give all that a drain writes, by table, without generated ids and clock times: sorted lines of JSON."""
        msg_ids = dict(self.all("SELECT message_id, msg_id FROM inbox.message WHERE zone_id = %(zone)s"))
        tables = [("inbox", name) for name in ("message", "object_event", "unchanged", "notice", "outcome_change")]
        tables += [(schema, name) for schema in ("sif", "sif_history") for name in _object_tables(self.connection)]
        return {
            f"{schema}.{name}": sorted(_line(row, msg_ids) for row in self.rows(schema, name))
            for schema, name in tables
        }


GENERATED = ("zone_id", "notice_id", "loaded_at", "body", "body_sha256")


def _line(row, msg_ids):
    kept = {name: value for name, value in row.items() if name not in GENERATED}
    kept["message_id"] = msg_ids[row["message_id"]]
    return json.dumps(kept, sort_keys=True)


def _object_tables(connection):
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'sif' ORDER BY 1").fetchall()
    return [name for (name,) in found]


def connected(url):
    """Connect as a drain does, but for its patience: a test may do other things for as long as the machine needs."""
    return database.connect(url, drain.SESSION | {"idle_session_timeout": "0"}, autocommit=True)


def operator(url):
    """Connect to look and to tamper, each statement on its own."""
    return psycopg.connect(url, autocommit=True)
