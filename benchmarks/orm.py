"""The peer most projects begin with: lxml, findtext per column, one mapped instance per object, session.add.

It validates each object by the same schema and fills the same current tables. It keeps no inbox, no events, no
findings, no references and no history, and it can only insert.
"""

import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from lxml import etree
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from benchmarks.meter import Cost, metered
from sif_pipeline.database import engine
from sif_pipeline.reading import mapping
from sif_pipeline.sif import schema
from sif_pipeline.sif.elements import NAMESPACE, SIF
from warehouse.base import Element, SifObject, elements, objects

NAMES = {"s": NAMESPACE}
FLUSH_AT = 500
"""Objects a transaction takes, as many as a packet has."""

CONVERT: dict[type, Any] = {
    date: lambda text: date.fromisoformat(text[:10]),
    Decimal: Decimal,
    int: int,
    UUID: UUID,
    str: str,
}


def load(postmaster: int, url: str, path: Path) -> Cost:
    """Load a file of objects into empty tables."""
    declared = {SIF + name: cls for name, cls in objects().items()}
    columns = {cls: [_column(*line) for line in elements(cls)] for cls in declared.values()}
    schema.is_valid(etree.Element("warm"), schema.Profile.WHOLE)
    with Session(engine(url)) as session, metered(postmaster) as cost:
        for _, element in etree.iterparse(path, tag=list(declared)):
            if not schema.is_valid(element, schema.Profile.WHOLE):
                sys.exit("The corpus has an invalid object.")
            session.add(_instance(declared[str(element.tag)], element, columns))
            cost.objects += 1
            if cost.objects % FLUSH_AT == 0:
                session.commit()
                session.expunge_all()
            element.clear()
        session.commit()
    return cost


def _column(column: Any, line: Element) -> tuple[str, str, str | None, str, Any]:
    """Prepare a column: its name, the path of its element, an attribute there, how many values, their converter."""
    *steps, last = line.path.split("/")
    path = "/".join(f"s:{step}" for step in (steps if last.startswith("@") else [*steps, last]))
    kind = "json" if isinstance(column.type, JSONB) else "list" if column.type.python_type is list else "one"
    convert = CONVERT.get(column.type.python_type, str)
    return column.name, path, last[1:] if last.startswith("@") else None, kind, convert


def _instance(cls: type[SifObject], element: etree._Element, columns: Any) -> SifObject:
    text = mapping.document(element)
    return cls(
        zone_id=1,
        row_key=mapping.row_key(cls, element),
        recorded_from=datetime.now(UTC),
        message_id=1,
        content_hash=mapping.content_hash(text),
        document=text,
        **{name: _value(element, *rest) for name, *rest in columns[cls]},
    )


def _value(element: etree._Element, path: str, attribute: str | None, kind: str, convert: Any) -> Any:
    if kind == "json":
        return [mapping.as_json(found) for found in element.findall(path, NAMES)]
    if kind == "list":
        holders = element.findall(path, NAMES) if path else [element]
        return [found.text if attribute is None else found.get(attribute) for found in holders]
    if attribute is None:
        text = element.findtext(path, None, NAMES)
    else:
        holder = element.find(path, NAMES) if path else element
        text = holder.get(attribute) if holder is not None else None
    return convert(text.strip()) if text else None
