"""Since when an agent cannot be reached, and what messages were refused for."""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    """Apply this step."""
    op.add_column('agent', sa.Column('failing_since', sa.DateTime(timezone=True), nullable=True, comment='When the first of these failures was'), schema='inbox')
    op.create_table('refusal',
        sa.Column('zone_id', sa.Integer(), nullable=False),
        sa.Column('source_id', sa.Text(), nullable=False, comment='SIF_SourceId as the message had it; empty where it could not be read'),
        sa.Column('category', sa.Integer(), autoincrement=False, nullable=False, comment='SIF_Category of the answer'),
        sa.Column('code', sa.Integer(), autoincrement=False, nullable=False, comment='SIF_Code of the answer'),
        sa.Column('sentence', sa.Text(), nullable=False, comment='SIF_Desc of the latest answer; never a value of a message'),
        sa.Column('message_type', sa.Text(), nullable=True, comment='Type of the latest message, as far as it could be read'),
        sa.Column('msg_id', sa.Text(), nullable=True, comment='SIF_MsgId of the latest message, as far as it could be read'),
        sa.Column('times', sa.BigInteger(), server_default='1', nullable=False, comment='How many messages were refused so'),
        sa.Column('first_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
        sa.Column('last_at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
        sa.ForeignKeyConstraint(['zone_id'], ['inbox.zone.zone_id'], name=op.f('fk_refusal_zone_id_zone')),
        sa.PrimaryKeyConstraint('zone_id', 'source_id', 'category', 'code', name=op.f('pk_refusal')),
        schema='inbox',
        comment='Messages that were refused, by sender and error'
    )


def downgrade() -> None:
    """Take this step back."""
    # Views would stand in the way of their tables; they are published anew after every migration.
    op.execute("DROP SCHEMA IF EXISTS reporting CASCADE")
    op.drop_table('refusal', schema='inbox')
    op.drop_column('agent', 'failing_since', schema='inbox')
