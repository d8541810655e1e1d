"""Sandboxes."""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    """Apply this step."""
    op.create_table('exchange',
    sa.Column('exchange_id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('zone_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False),
    sa.Column('source_id', sa.Text(), nullable=True, comment='SIF_SourceId; empty where it could not be read'),
    sa.Column('msg_id', sa.Text(), nullable=True, comment='SIF_MsgId; empty where it could not be read'),
    sa.Column('said', sa.Text(), nullable=True, comment='Message type, or the command of a SIF_SystemControl'),
    sa.Column('sif_version', sa.Text(), nullable=True, comment='SIF_Message/@Version'),
    sa.Column('bytes', sa.Integer(), nullable=False, comment='Size of the message as received'),
    sa.Column('original_msg_id', sa.Text(), nullable=True, comment='Of a SIF_Ack: which message it is about'),
    sa.Column('told', sa.Text(), nullable=True, comment='Of a SIF_Ack: its status, or its error as category/code'),
    sa.Column('answer', sa.Text(), nullable=False, comment='Our answer: a status, or an error as category/code and its sentence'),
    sa.Column('carried_msg_id', sa.Text(), nullable=True, comment='SIF_MsgId of the message that our answer carried'),
    sa.Column('envelope', sa.Text(), nullable=True, comment='Findings about the envelope, by code; no values'),
    sa.ForeignKeyConstraint(['zone_id'], ['inbox.zone.zone_id'], name=op.f('fk_exchange_zone_id_zone')),
    sa.PrimaryKeyConstraint('exchange_id', name=op.f('pk_exchange')),
    schema='inbox',
    comment='What agents of sandboxes said, and the answers'
    )
    op.create_index('ix_exchange_agent', 'exchange', ['zone_id', 'source_id', 'exchange_id'], unique=False, schema='inbox')


def downgrade() -> None:
    """Take this step back."""
    op.drop_table('exchange', schema='inbox')
