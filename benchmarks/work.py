"""What one measured process does, chosen by name: `python -m benchmarks.work NAME POSTMASTER URL PATH`.

Imports, schemas and the connection's making are not metered; the work itself is, to the last commit.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from benchmarks import orm
from benchmarks.meter import Cost, metered
from sif_pipeline.files import receiving
from sif_pipeline.loading import bulk, drain
from sif_pipeline.reading import core
from warehouse.base import objects

ZONE = "bench"


def validate(postmaster: int, _: str, path: Path) -> Cost:
    """Cut packets into objects, validate each and map it to its row, as a drain does; no database."""
    bodies = [file.read_bytes() for file in sorted(path.glob("*.xml"))]
    core.read(bodies[0])  # compiles schema and patterns
    with metered(postmaster) as cost:
        cost.objects = sum(_validate(body) for body in bodies)
    return cost


def _validate(body: bytes) -> int:
    found = core.read(body)
    for one in found:
        if one.content.row[1] or one.content.extended == "":
            sys.exit("The corpus has an object that cannot be kept.")
    return len(found)


def receive(postmaster: int, url: str, path: Path) -> Cost:
    """Receive a folder of messages into the inbox, each committed."""
    with metered(postmaster) as cost:
        received = receiving.receive(url, ZONE, [path])
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


def load_bulk(postmaster: int, url: str, path: Path) -> Cost:
    """Receive and load a file into an empty warehouse in one pass."""
    with metered(postmaster) as cost:
        done = bulk.load(url, bulk.plan(url, ZONE, [path]))
    return _whole(cost, done)


def load_zones(postmaster: int, url: str, path: Path, *, workers: int) -> Cost:
    """Do the same with a folder of a subfolder for each zone, so many zones at once."""
    with metered(postmaster) as cost:
        done = bulk.load(url, bulk.plan(url, None, [path]), workers=workers)
    return _whole(cost, done)


def _whole(cost: Cost, done: bulk.Loaded) -> Cost:
    if done.refused or done.summary.loaded != done.summary.objects:
        sys.exit("The corpus was not loaded as it should be.")
    cost.objects = done.summary.objects
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
    "bulk": load_bulk,
    "zones": partial(load_zones, workers=1),
    "zones at once": partial(load_zones, workers=2),
    "copy": copy,
    "orm": orm.load,
}

if __name__ == "__main__":
    name, postmaster, url, path = sys.argv[1:]
    objects()  # imports the declarations
    WORK[name](int(postmaster), url, Path(path)).report()
