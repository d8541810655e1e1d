"""What Spark needs to read the corpus: a file of each kind of object, an XSD without namespace, the declared columns.

Nothing is left for Spark to infer. An object's fields follow from its declared paths and, below those that are kept
as JSON, from the standard's own structure.
"""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

import psycopg
from lxml import etree
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url
from sqlalchemy.dialects.postgresql import JSONB

from benchmarks import corpus
from sif_pipeline.config import PROJECT
from sif_pipeline.sif import schema
from sif_pipeline.sif.schema import Shape
from warehouse.base import SifObject, elements, objects, snake_case

PEER = PROJECT / ".venv" / "bench-spark"
"""The environment of the peer; `make bench-spark` makes it, and writes `ready` when it is whole."""

DRIVERS = (PEER / "postgresql.jar", Path("/usr/share/java/postgresql.jar"))
"""Where PostgreSQL's JDBC driver is looked for; the second is Debian's place."""

TYPES: dict[type, str] = {date: "DATE", Decimal: "DECIMAL(18, 6)", int: "INT"}
"""Spark's types of our columns; whatever else is a STRING."""


class Reading(NamedTuple):
    """How Spark reads one kind of object."""

    table: str
    fields: str  #: all it is to look at, as a schema in DDL
    columns: list[str]  #: SQL of the declared columns, with their names


def prepare(made: corpus.Corpus) -> Path:
    """Write the corpus' objects for Spark, one kind in each file; give the folder."""
    folder, state = made.path("spark"), corpus.state(made.students)
    folder.mkdir()
    for name in corpus.OBJECTS:
        found = (one.xml for district in state for one in district.objects([name]))
        corpus.write_list(folder / f"{name}.xml", found)
    (folder / "objects.xsd").write_bytes(etree.tostring(without_namespace(corpus.one_file_schema())))
    readings = {name: reading(name) for name in corpus.OBJECTS}
    (folder / "readings.json").write_text(json.dumps(readings), encoding="utf-8")
    return folder


def without_namespace(root: etree._Element) -> etree._Element:
    """Take a schema out of its namespace: Spark validates a row's own text, in which the root's xmlns is lost."""
    del root.attrib["targetNamespace"], root.attrib["elementFormDefault"]
    for part in root.iter():
        for name, value in part.items():
            part.set(name, value.replace("sif:", ""))
    return root


def reading(name: str) -> Reading:
    """Say how Spark reads an object, by its SIF name."""
    shape, declared = schema.shape(name), list(_columns(objects()[name]))
    types = {path: type_ for _, path, type_ in declared}
    fields = [f"`{step}` {_type(types, step, part)}" for step, part in _wanted(types, "", shape)]
    columns = [f"{_value(types, path, shape)} AS {column}" for column, path, _ in declared]
    return Reading(snake_case(name), ", ".join(fields), columns)


def _columns(cls: type[SifObject]) -> Iterator[tuple[str, str, str]]:
    """Yield name, path and type of what is taken out of an object: its RefId and the declared columns."""
    if cls.key_paths == ("@RefId",):
        yield "row_key", "@RefId", "STRING"
    for column, line in elements(cls):
        is_json = isinstance(column.type, JSONB)
        yield column.name, line.path, "JSON" if is_json else TYPES.get(column.type.python_type, "STRING")


Types = dict[str, str]
"""The type of the value at each declared path; JSON for whole elements."""


def _wanted(types: Types, path: str, shape: Shape) -> Iterator[tuple[str, Shape | None]]:
    """Yield those attributes (None) and children of an element that some declared path leads to, or is above."""
    parts: dict[str, Shape | None] = {f"@{name}": None for name in shape.attributes} | dict(shape.children)
    for step, part in parts.items():
        here = f"{path}/{step}" if path else step
        if any(_leads(here, to, type_) for to, type_ in types.items()):
            yield step, part


def _leads(here: str, to: str, type_: str) -> bool:
    return f"{to}/".startswith(f"{here}/") or (type_ == "JSON" and here.startswith(f"{to}/"))


def _type(types: Types, path: str, shape: Shape | None) -> str:
    own = types.get(path, "STRING").replace("JSON", "STRING")
    if shape is None:
        return own
    parts = [f"`{step}`: {_type(types, f'{path}/{step}', part)}" for step, part in _wanted(types, path, shape)]
    if parts and not shape.children:
        parts.insert(0, f"`$`: {own}")
    kind = f"STRUCT<{', '.join(parts)}>" if parts else own
    return f"ARRAY<{kind}>" if shape.repeats else kind


def _value(types: Types, path: str, shape: Shape) -> str:
    """Spell the value at a path: lists of lists become one, whole elements JSON."""
    steps, at, repeats = path.split("/"), shape, 0
    for step in steps:
        if not step.startswith("@"):
            at = at.children[step]
            repeats += at.repeats
    is_json = types[path] == "JSON"
    if not is_json and not steps[-1].startswith("@") and any(True for _ in _wanted(types, path, at)):
        steps.append("$")
    value = ".".join(f"`{step}`" for step in steps)
    for _ in range(repeats - 1):
        value = f"flatten(filter({value}, one -> one IS NOT NULL))"
    return f"to_json({value})" if is_json else value


def driver() -> Path | None:
    """Find PostgreSQL's JDBC driver."""
    return next((path for path in DRIVERS if path.exists()), None)


def lacking() -> list[str]:
    """Name what the peer needs and this machine has not."""
    java = shutil.which("java") or os.environ.get("JAVA_HOME")
    needs = {"PySpark": (PEER / "ready").exists(), "Java": java, "the JDBC driver": driver()}
    return [name for name, found in needs.items() if not found]


def jdbc(url: str) -> str:
    """Spell a database's URL for JDBC."""
    parts = make_url(url)
    who = {"user": parts.username or "", "password": parts.password or ""}
    return f"jdbc:postgresql://{parts.host or 'localhost'}:{parts.port or 5432}/{parts.database}?{urlencode(who)}"


def count(url: str, prefix: str) -> int:
    """Count the rows of the tables Spark wrote: one of each object it found good."""
    query = SQL("SELECT count(*) FROM {}")
    with psycopg.connect(url) as connection:
        tables = [Identifier(f"{prefix}_{snake_case(name)}") for name in corpus.OBJECTS]
        return sum(rows for table in tables for (rows,) in connection.execute(query.format(table)))
