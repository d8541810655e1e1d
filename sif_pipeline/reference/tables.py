"""The tables as SQL, and a diagram of how the objects refer to each other."""

import re
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.schema import CreateIndex, CreateSchema, CreateTable, SetColumnComment, SetTableComment

import warehouse.inbox
import warehouse.outbox  # noqa: F401 -- both register their tables
from sif_pipeline.reference.markdown import page
from warehouse.base import CURRENT, HISTORY, INBOX, OUTBOX, Base, elements, objects

_SCHEMAS = (INBOX, OUTBOX, CURRENT, HISTORY)
_DIALECT = make_url("postgresql+psycopg://").get_dialect()()


def tables_script() -> str:
    """Write the DDL of the warehouse's tables, as the metadata state it; Alembic's migrations make the same."""
    statements: list[Any] = [CreateSchema(name) for name in _SCHEMAS]
    objects()  # registers theirs
    for table in sorted(Base.metadata.sorted_tables, key=lambda table: _SCHEMAS.index(table.schema or "")):
        statements.append(CreateTable(table))
        statements += [CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
        statements += [SetTableComment(table)] if table.comment else []
        statements += [SetColumnComment(column) for column in table.columns if column.comment]
    texts = (str(statement.compile(dialect=_DIALECT)).strip() for statement in statements)
    head = (
        "-- Written by `sif-pipeline generate` from the declarations; migrations in warehouse/migrations make them.\n\n"
    )
    return head + "\n".join(
        re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE).replace("\t", "    ") + ";\n" for text in texts
    )


def diagram_page() -> str:
    """Write the diagram of the objects and their references, in Mermaid's notation, and the same as a list."""
    arrows, lines = [], []
    for name, cls in objects().items():
        for column, line in elements(cls):
            if line.refers:
                left = "|o" if column.nullable else "}o" if column.name.endswith("s") else "||"
                arrows.append(f"    {line.refers} {left}--o{{ {name} : {column.name}")
                lines.append(f"- `{name}.{column.name}` refers to [{line.refers}](objects/{line.refers}.md)")
    named = {word for arrow in arrows for word in arrow.split()}
    alone = [f"    {name}" for name in objects() if name not in named]
    diagram = "\n".join(["```mermaid", "erDiagram", *arrows, *alone, "```"])
    note = (
        "There are no foreign keys between the tables: an object that refers to one that has not arrived is held "
        "until it does, and a reference may outlive what it refers to. Both sides are of the same zone. An object "
        "without an arrow is waited for by none, and waits for none."
    )
    return page("How the objects refer to each other", note, diagram, "\n".join(lines))
