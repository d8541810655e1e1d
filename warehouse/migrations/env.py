"""Alembic's entry: migrations run on the connection that the pipeline hands over."""

from alembic import context
from sqlalchemy import text

import warehouse.inbox
import warehouse.outbox  # noqa: F401 -- both register their tables
from warehouse.base import CURRENT, HISTORY, INBOX, OUTBOX, Base, objects

objects()

connection = context.config.attributes["connection"]
# The role is named sif, as one schema is; "$user" in its search path would make Alembic take that one for unnamed.
connection.execute(text("SET LOCAL search_path TO public"))
connection.dialect.default_schema_name = "public"
for schema in (INBOX, OUTBOX, CURRENT, HISTORY):
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """Tell Alembic which schemas are the warehouse's own."""
    return kind != "schema" or name in {INBOX, OUTBOX, CURRENT, HISTORY}


context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    include_schemas=True,
    include_name=ours,
    compare_type=True,
    compare_server_default=True,
    version_table_schema=INBOX,
)
with context.begin_transaction():
    context.run_migrations()
