"""What one measured process does, chosen by name: `python -m benchmarks.work NAME POSTMASTER URL PATH`.

Imports, schemas and the connection's making are not metered; the work itself is, to the last commit.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from benchmarks import orm
from benchmarks.meter import Cost, metered
from sif_pipeline import drain, files, mapping
from sif_pipeline.sif import gate, messages, schema
from warehouse.base import objects

ZONE = "bench"


def validate(postmaster: int, _: str, path: Path) -> Cost:
    """Parse packets, validate object by object and map each to its row; no database."""
    bodies = [file.read_bytes() for file in sorted(path.glob("*.xml"))]
    for name in objects():
        mapping.plan(objects()[name])
    schema.is_valid(next(messages.objects(gate.reopen(bodies[0]))).element, schema.Profile.WHOLE)
    with metered(postmaster) as cost:
        cost.objects = sum(_validate(body) for body in bodies)
    return cost


def _validate(body: bytes) -> int:
    count = 0
    for found in messages.objects(gate.reopen(body)):
        cls = objects()[str(found.element.tag).rpartition("}")[2]]
        if schema.is_valid(found.element, schema.Profile.WHOLE):
            mapping.row_key(cls, found.element)
            mapping.row(cls, found.element)
            mapping.extended(found.element)
        count += 1
    return count


def receive(postmaster: int, url: str, path: Path) -> Cost:
    """Receive a folder of messages into the inbox, each committed."""
    with metered(postmaster) as cost:
        received = files.receive(url, ZONE, [path])
    if received.refused or received.duplicates:
        sys.exit("The corpus was not received as it should be.")
    cost.objects = received.messages
    return cost


def load(postmaster: int, url: str, _: Path) -> Cost:
    """Drain the inbox: current state, history, keys, events, findings, settled messages."""
    with metered(postmaster) as cost:
        summary = drain.drain(url)
    if summary.quarantined:
        sys.exit("The drain gave up on a message.")
    cost.objects = summary.objects
    return cost


def copy(postmaster: int, url: str, path: Path) -> Cost:
    """COPY prebuilt text into unlogged tables without keys, one file a table, all in one transaction."""
    with psycopg.connect(url) as connection, metered(postmaster) as cost:
        for file in sorted(path.glob("*.copy")):
            schema_name, table = file.stem.split(".")
            statement = SQL("COPY {} FROM STDIN").format(Identifier(f"plain_{schema_name}", table))
            with connection.cursor() as cursor, cursor.copy(statement) as target, file.open("rb") as source:
                while block := source.read(1 << 18):
                    target.write(block)
        connection.commit()
    cost.objects = 1
    return cost


WORK: dict[str, Callable[[int, str, Path], Cost]] = {
    "validate": validate,
    "receive": receive,
    "load": load,
    "copy": copy,
    "orm": orm.load,
}

if __name__ == "__main__":
    name, postmaster, url, path = sys.argv[1:]
    WORK[name](int(postmaster), url, Path(path)).report()
