"""Counts of objects, and lines of files."""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'

UNKNOWN = 'Of those, how many are of kinds that the state does not collect'


def upgrade() -> None:
    """Apply this step; the long look through the events comes before any lock that senders would wait for."""
    op.execute("""
        CREATE TEMPORARY TABLE not_collected ON COMMIT DROP AS
        SELECT message_id, count(*) AS objects FROM inbox.object_event WHERE outcome = 'unknown' GROUP BY message_id
    """)
    op.add_column('message', sa.Column('first_line', sa.Integer(), nullable=True, comment='Line of its file that its first line stands for; empty when it came by no file'), schema='inbox')
    op.add_column('message', sa.Column('unknown', sa.Integer(), server_default='0', nullable=False, comment=UNKNOWN), schema='inbox')
    op.add_column('zone', sa.Column('objects', sa.BigInteger(), server_default='0', nullable=False, comment='Objects in its drained messages'), schema='inbox')
    op.add_column('zone', sa.Column('unknown', sa.BigInteger(), server_default='0', nullable=False, comment=UNKNOWN), schema='inbox')
    op.execute("""
        UPDATE inbox.message AS m SET unknown = n.objects FROM not_collected AS n WHERE n.message_id = m.message_id
    """)
    op.execute("""
        UPDATE inbox.zone AS z SET objects = m.objects, unknown = m.unknown
        FROM (
            SELECT zone_id, sum(objects) AS objects, sum(unknown) AS unknown FROM inbox.message GROUP BY zone_id
        ) AS m
        WHERE m.zone_id = z.zone_id
    """)


def downgrade() -> None:
    """Take this step back."""
    op.drop_column('zone', 'unknown', schema='inbox')
    op.drop_column('zone', 'objects', schema='inbox')
    op.drop_column('message', 'unknown', schema='inbox')
    op.drop_column('message', 'first_line', schema='inbox')
