"""Origins of messages."""

from alembic import op

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    """Apply this step."""
    op.alter_column('message', 'origin', schema='inbox', existing_comment='http or file',
        comment='http, file, agent (pulled from a zone of another), or sync (a deletion of ours)')
    op.alter_column('message', 'request_msg_id', schema='inbox', existing_comment='Of a SIF_Response: SIF_RequestMsgId it answers',
        comment='SIF_MsgId of the request that it answers, or whose full sync made it')


def downgrade() -> None:
    """Take this step back."""
    # Views would stand in the way of their tables; they are published anew after every migration.
    op.execute("DROP SCHEMA IF EXISTS reporting CASCADE")
    op.alter_column('message', 'origin', schema='inbox', existing_comment='http, file, agent (pulled from a zone of another), or sync (a deletion of ours)',
        comment='http or file')
    op.alter_column('message', 'request_msg_id', schema='inbox', existing_comment='SIF_MsgId of the request that it answers, or whose full sync made it',
        comment='Of a SIF_Response: SIF_RequestMsgId it answers')
