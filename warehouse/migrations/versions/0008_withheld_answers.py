"""Withheld answers."""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    """Apply this step."""
    op.add_column('agent', sa.Column('withhold_answer', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='In a sandbox: whether the answer to its next event is held back, once'), schema='inbox')


def downgrade() -> None:
    """Take this step back."""
    # Views would stand in the way of their tables; they are published anew after every migration.
    op.execute("DROP SCHEMA IF EXISTS reporting CASCADE")
    op.drop_column('agent', 'withhold_answer', schema='inbox')
