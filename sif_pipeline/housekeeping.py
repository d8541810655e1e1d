"""What keeps a warehouse and its folders small over the years; messages that came in are never deleted."""

import time
from datetime import timedelta
from pathlib import Path

from sif_pipeline.database import connect, queries, vacuum_covered

SQL = queries("housekeeping")

AUDIT_KEPT = timedelta(days=366)
"""How long an audit row is kept."""

DELIVERED_KEPT = timedelta(days=30)
"""How long a message to an agent is kept after it was taken off the agent's queue."""


def tidy(url: str, *, audit_kept: timedelta = AUDIT_KEPT, delivered_kept: timedelta = DELIVERED_KEPT) -> int:
    """Delete old audit rows, refusals and sandboxes' records, what was settled, asked or compared long ago.

    Return how many rows went. Vacuum and analyze. What came in, events, notices and history stay: every row of the
    warehouse can be derived from them again.
    """
    with connect(url, {"application_name": "sif-housekeeping"}, autocommit=True) as connection:
        deleted = connection.execute(SQL["delete_audit"].encode(), {"keep": audit_kept}).rowcount
        deleted += connection.execute(SQL["delete_settled"].encode(), {"keep": delivered_kept}).rowcount
        deleted += connection.execute(SQL["delete_exchanges"].encode(), {"keep": audit_kept}).rowcount
        deleted += connection.execute(SQL["delete_refusals"].encode(), {"keep": audit_kept}).rowcount
        deleted += connection.execute(SQL["delete_requests"].encode(), {"keep": audit_kept}).rowcount
        deleted += connection.execute(SQL["delete_differences"].encode(), {"keep": audit_kept}).rowcount
        connection.execute(SQL["vacuum"].encode())
        vacuum_covered(connection)
    return deleted


def remove_old_files(folder: Path, *, kept: timedelta) -> int:
    """Remove files below `folder` that nobody wrote to for longer than `kept`, and folders left empty.

    Return how many files were removed. For logs only.
    """
    oldest, removed = time.time() - kept.total_seconds(), 0
    for path in sorted(folder.rglob("*"), reverse=True):  # what a folder holds comes before the folder
        if path.is_dir() and not path.is_symlink() and not any(path.iterdir()):
            path.rmdir()
        elif path.is_file() and path.lstat().st_mtime < oldest:
            path.unlink()
            removed += 1
    return removed
