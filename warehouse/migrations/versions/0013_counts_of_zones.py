"""Counts of zones."""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'

HELD = ['state', 'objects', 'held', 'rejected', 'duplicates', 'recorded_at', 'received_at']


def upgrade() -> None:
    """Apply this step."""
    op.add_column('zone', sa.Column('recorded', sa.BigInteger(), server_default='0', nullable=False,
        comment='Messages up to last_recorded_at, so that nobody need count them'), schema='inbox')
    op.add_column('zone', sa.Column('last_received_at', sa.DateTime(timezone=True), nullable=True,
        comment='Latest receipt of any of those'), schema='inbox')
    op.execute("""
        UPDATE inbox.zone AS z SET recorded = m.messages, last_received_at = m.received_at
        FROM (
            SELECT zone_id, count(*) AS messages, max(received_at) AS received_at
            FROM inbox.message
            WHERE recorded_at IS NOT NULL
            GROUP BY zone_id
        ) AS m
        WHERE m.zone_id = z.zone_id
    """)
    op.create_index('ix_message_apart', 'message', ['zone_id'], schema='inbox', postgresql_include=HELD,
        postgresql_where=sa.text("state <> 'pending' AND (state <> 'done' OR held > 0 OR rejected > 0 OR duplicates > 0"
            " OR recorded_at IS NULL)"))


def downgrade() -> None:
    """Take this step back."""
    op.drop_index('ix_message_apart', 'message', schema='inbox')
    op.drop_column('zone', 'last_received_at', schema='inbox')
    op.drop_column('zone', 'recorded', schema='inbox')
