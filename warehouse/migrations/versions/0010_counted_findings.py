"""Counted findings."""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'


def upgrade() -> None:
    """Apply this step."""
    op.add_column('notice', sa.Column('times', sa.Integer(), server_default='1', nullable=False,
        comment='How many findings it stands for: more than one where it counts what is not listed'), schema='inbox')


def downgrade() -> None:
    """Take this step back."""
    op.drop_column('notice', 'times', schema='inbox')
