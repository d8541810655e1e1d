"""Refusals by sentence: two faults with the same category and code are two rows."""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'


def upgrade() -> None:
    """Apply this step."""
    op.add_column('refusal', sa.Column('fault', sa.Text(), server_default='', nullable=False, comment='Start of the sentence, with # for its numbers'), schema='inbox')
    op.execute("UPDATE inbox.refusal SET fault = left(regexp_replace(sentence, '[0-9]+', '#', 'g'), 200)")
    op.alter_column('refusal', 'fault', server_default=None, schema='inbox')
    op.drop_constraint('pk_refusal', 'refusal', schema='inbox')
    op.create_primary_key('pk_refusal', 'refusal', ['zone_id', 'source_id', 'category', 'code', 'fault'], schema='inbox')


def downgrade() -> None:
    """Take this step back: of each error the latest sentence stays."""
    op.execute("""
        DELETE FROM inbox.refusal AS r USING inbox.refusal AS later
        WHERE (later.zone_id, later.source_id, later.category, later.code)
            = (r.zone_id, r.source_id, r.category, r.code)
            AND (later.last_at, later.fault) > (r.last_at, r.fault)
    """)
    op.drop_constraint('pk_refusal', 'refusal', schema='inbox')
    op.create_primary_key('pk_refusal', 'refusal', ['zone_id', 'source_id', 'category', 'code'], schema='inbox')
    op.drop_column('refusal', 'fault', schema='inbox')
