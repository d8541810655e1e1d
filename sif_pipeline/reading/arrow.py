"""The objects of messages as Arrow record batches, for any engine: a pure function, without database and state."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any, Final

import pyarrow as pa

from sif_pipeline.notices import Notice
from sif_pipeline.reading import core
from sif_pipeline.reading.core import Found
from warehouse.base import SifObject, elements, objects
from warehouse.inbox import Outcome

FINDINGS: Final = pa.schema([
    ("position", pa.int32()), ("object_name", pa.string()), ("row_key", pa.string()), ("code", pa.string()),
    ("severity", pa.string()), ("path", pa.string()), ("line", pa.int32()), ("times", pa.int32()),
    ("outcome", pa.string()),
])  # fmt: skip
"""Columns of the findings: what is wrong with which object, never the value."""

_REFERENCE = pa.struct([("object_name", pa.string()), ("row_key", pa.string())])
_OURS = (
    ("position", pa.int32()), ("action", pa.string()), ("row_key", pa.string()), ("references", pa.list_(_REFERENCE)),
    ("extended", pa.string()), ("document", pa.string()), ("content_hash", pa.string()),
)  # fmt: skip


@dataclass(slots=True)
class Batch:
    """What one message, or piece of a file, holds."""

    objects: dict[str, pa.RecordBatch] = field(default_factory=dict)  #: whole images that can be kept, by object name
    findings: pa.RecordBatch = None  #: columns FINDINGS


@cache
def schema_of(cls: type[SifObject]) -> pa.Schema:
    """Give the columns of an object: its declared ones, and what the warehouse keeps beside them.

    Texts, numbers beyond integers, times and RefIds are strings, as exact as they came; lists are lists of strings,
    elements with structure JSON.
    """
    declared = [pa.field(column.name, _type(column)) for column, _ in elements(cls)]
    return pa.schema([*(pa.field(name, type_) for name, type_ in _OURS), *declared])


def _type(column: Any) -> pa.DataType:
    if column.type.__class__.__name__ == "JSONB":
        return pa.string()
    return {date: pa.date32(), int: pa.int32(), list: pa.list_(pa.string())}.get(column.type.python_type, pa.string())


def batches(bodies: Iterable[bytes]) -> Iterator[Batch]:
    """Turn messages or bare lists that once passed the gate into a batch each."""
    return (batch(core.read(body)) for body in bodies)


def batch(found: Sequence[Found], lines: int = 0) -> Batch:
    """Turn the objects of one message into record batches: those that can be kept, and what is wrong with others.

    `lines` are added to those of the findings: as many as stand before the message in its file.
    """
    kept: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        if one.outcome is Outcome.APPLIED and one.action in core.WHOLE_IMAGES and not one.content.row[1]:
            kept[one.name].append(one)
    findings = [_finding(one, notice, lines) for one, notice in core.findings(found)]
    return Batch(
        {name: _records(objects()[name], ones) for name, ones in kept.items()},
        pa.RecordBatch.from_pydict(_columns(findings, FINDINGS), schema=FINDINGS),
    )


def _finding(one: Found, notice: Notice, lines: int) -> tuple[Any, ...]:
    severity, line = notice.type.severity.value, notice.line and notice.line + lines
    return (
        one.position, one.name, one.row_key, notice.code, severity, notice.path, line, notice.times, one.outcome.value,
    )  # fmt: skip


def _columns(lines: Sequence[Sequence[Any]], schema: pa.Schema) -> dict[str, list[Any]]:
    return {name: [line[place] for line in lines] for place, name in enumerate(schema.names)}


def _records(cls: type[SifObject], found: Sequence[Found]) -> pa.RecordBatch:
    schema = schema_of(cls)
    ours: list[Sequence[Any]] = [
        [one.position for one in found],
        [one.action for one in found],
        [one.row_key for one in found],
        [[{"object_name": name, "row_key": key} for name, key in one.content.references] for one in found],
        [one.content.extended for one in found],
        [one.content.document for one in found],
        [one.content.content_hash for one in found],
    ]
    declared = zip(*[one.content.row[0] for one in found], strict=True)
    types = [schema.field(place).type for place in range(len(ours), len(schema))]
    arrays = [pa.array(values, type=schema.field(place).type) for place, values in enumerate(ours)]
    arrays += [_array(list(cells), type_) for cells, type_ in zip(declared, types, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _array(cells: list[str | None], type_: pa.DataType) -> pa.Array:
    """Turn texts in PostgreSQL's input form into an array."""
    if type_ == pa.int32():
        return pa.array([None if cell is None else int(cell) for cell in cells], type=type_)
    if pa.types.is_list(type_):
        return pa.array([_items(cell or "{}") for cell in cells], type=type_)
    return pa.array(cells, type=pa.string()).cast(type_)


_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def _items(literal: str) -> list[str]:
    """Take a PostgreSQL array literal apart, as `mapping.array` writes it."""
    return [_ESCAPED.sub(r"\1", item) for item in _ITEM.findall(literal)]
