"""${message}."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Apply this step."""
    # sif_pipeline.database.upgrade has taken the reporting views down, and puts them up again with the rights on them.
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take this step back."""
    # Views would stand in the way of their tables; they are published anew after every migration.
    op.execute("DROP SCHEMA IF EXISTS reporting CASCADE")
    ${downgrades if downgrades else "pass"}
