"""Repeated images."""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'

TABLES = (
    "assessment",
    "assessment_administration",
    "assessment_form",
    "assessment_registration",
    "assessment_sub_test",
    "discipline_incident",
    "employment_record",
    "lea_info",
    "mark_info",
    "mark_value_info",
    "school_course_info",
    "school_info",
    "section_info",
    "section_mark_info",
    "staff_assignment",
    "staff_evaluation",
    "staff_personal",
    "staff_section_assignment",
    "student_attendance_summary",
    "student_locator",
    "student_personal",
    "student_school_enrollment",
    "student_score_set",
    "student_section_enrollment",
    "student_section_marks",
    "student_special_education_summary",
    "term_info",
)


def upgrade() -> None:
    """Apply this step."""
    # sif_pipeline.database.upgrade has taken the reporting views down, and puts them up again with the rights on them.
    op.create_table('unchanged',
    sa.Column('message_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('zone_id', sa.Integer(), nullable=False),
    sa.Column('ordered_at', sa.DateTime(timezone=True), nullable=False, comment='Place in the fold, as of the message'),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False, comment='Recorded time of the message'),
    sa.Column('hashes', sa.LargeBinary(), nullable=False, comment='16 bytes for each object of the message: its content_hash, or zeros for an object event'),
    sa.PrimaryKeyConstraint('message_id', name=op.f('pk_unchanged')),
    schema='inbox',
    comment='Objects of messages that said again what was known'
    )
    op.create_index('ix_unchanged_order', 'unchanged', ['zone_id', 'ordered_at', 'message_id'], unique=False, schema='inbox')
    op.add_column('message', sa.Column('ordered_at', sa.DateTime(timezone=True), nullable=True, comment="Its events' place in the fold, once it is drained"), schema='inbox')
    op.add_column('message', sa.Column('unchanged', sa.Integer(), server_default='0', nullable=False, comment='Of those, how many said again what was known, and are no object events'), schema='inbox')
    op.add_column('zone', sa.Column('last_ordered_at', sa.DateTime(timezone=True), nullable=True, comment='Place in the fold of the newest drained message: its time'), schema='inbox')
    op.add_column('zone', sa.Column('last_ordered_id', sa.BigInteger(), nullable=True, comment='Place in the fold of the newest drained message: its number'), schema='inbox')
    op.add_column('zone', sa.Column('unchanged', sa.BigInteger(), server_default='0', nullable=False, comment='Objects that its messages said again, so that nobody need count them'), schema='inbox')
    for table in TABLES:
        # No row may come again until its image came once more: which ones might, only their messages would tell.
        op.add_column(table, sa.Column('repeatable', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='Whether the same image again would change nothing'), schema='sif')
        op.create_index(f'ix_{table}_repeatable', table, ['zone_id', 'content_hash'], unique=False, schema='sif', postgresql_where='repeatable')
    op.execute("""
        UPDATE inbox.message AS m SET ordered_at = e.ordered_at
        FROM (SELECT message_id, min(ordered_at) AS ordered_at FROM inbox.object_event GROUP BY message_id) AS e
        WHERE e.message_id = m.message_id
    """)
    op.execute("""
        UPDATE inbox.zone AS z SET last_ordered_at = newest.ordered_at, last_ordered_id = newest.message_id
        FROM (
            SELECT DISTINCT ON (zone_id) zone_id, ordered_at, message_id FROM inbox.message
            WHERE ordered_at IS NOT NULL ORDER BY zone_id, ordered_at DESC, message_id DESC
        ) AS newest
        WHERE z.zone_id = newest.zone_id
    """)


def downgrade() -> None:
    """Take this step back; that images were repeated is forgotten then, which no row shows."""
    # Views would stand in the way of their tables; they are published anew after every migration.
    op.execute("DROP SCHEMA IF EXISTS reporting CASCADE")
    for table in TABLES:
        op.drop_index(f'ix_{table}_repeatable', table_name=table, schema='sif', postgresql_where='repeatable')
        op.drop_column(table, 'repeatable', schema='sif')
    op.drop_column('zone', 'unchanged', schema='inbox')
    op.drop_column('zone', 'last_ordered_id', schema='inbox')
    op.drop_column('zone', 'last_ordered_at', schema='inbox')
    op.drop_column('message', 'unchanged', schema='inbox')
    op.drop_column('message', 'ordered_at', schema='inbox')
    op.drop_index('ix_unchanged_order', table_name='unchanged', schema='inbox')
    op.drop_table('unchanged', schema='inbox')
