"""Covering indexes for the reports."""

from alembic import op
from sqlalchemy import text

revision = '0012'
down_revision = '0011'

ENROLLMENT = ['school_ref_id', 'membership_type', 'school_year', 'grade_code', 'exit_date']
ATTENDANCE = ['days_in_membership', 'days_attended']
STUDENT = ['gender', 'race_codes', 'is_hispanic', 'english_proficiency_code', 'idea', 'economic_disadvantage', 'ell']

INDEXES = [
    (
        'student_attendance_summary',
        ['zone_id', 'student_ref_id', 'school_year', 'school_ref_id', '-end_date', 'start_date'],
        ATTENDANCE,
    ),
    ('student_personal', ['zone_id', 'row_key'], STUDENT),
    ('student_school_enrollment', ['zone_id', 'student_ref_id', '-entry_date', 'row_key'], ENROLLMENT),
]


def upgrade() -> None:
    """Apply this step."""
    for table, by, holds in INDEXES:
        names = [name.removeprefix('-') for name in by]
        order = [text(f'{name[1:]} DESC') if name.startswith('-') else name for name in by]
        op.create_index(f'ix_{table}_covering', table, order, schema='sif', postgresql_include=[*holds, 'recorded_from'])
        op.drop_index(f'ix_{table}_recorded_to', table, schema='sif_history')
        op.create_index(
            f'ix_{table}_recorded_to', table, ['recorded_to'], schema='sif_history',
            postgresql_include=[*names, *holds, 'recorded_from'],
        )


def downgrade() -> None:
    """Take this step back."""
    for table, _, _ in INDEXES:
        op.drop_index(f'ix_{table}_recorded_to', table, schema='sif_history')
        op.create_index(f'ix_{table}_recorded_to', table, ['recorded_to'], schema='sif_history')
        op.drop_index(f'ix_{table}_covering', table, schema='sif')
