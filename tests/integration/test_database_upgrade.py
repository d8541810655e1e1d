"""Upgrading a database that others use or upgrade too."""

import os
import subprocess
import sys

from sif_pipeline import database

UPGRADE = "import sys; from sif_pipeline import database; database.upgrade(sys.argv[1])"


def test_four_processes_at_once_upgrade_an_empty_database(empty_database_url):
    command = [sys.executable, "-c", UPGRADE, empty_database_url]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, env=dict(os.environ)) for _ in range(4)]
    errors = [process.communicate(timeout=120)[1].decode() for process in processes]
    assert (errors, [process.returncode for process in processes]) == ([""] * 4, [0] * 4)
    with database.session(empty_database_url) as connection:
        assert connection.execute("SELECT count(*) FROM reporting.dim_district").fetchone() == (0,)
