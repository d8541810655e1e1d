"""The demonstration writes into no database that is somebody's."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize("command", ["demo", "up"])
def test_a_demonstration_refuses_a_database_that_was_set(tmp_path, command):
    run = subprocess.run(
        [sys.executable, "-m", "sif_pipeline", command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "SIF_HOME": str(tmp_path), "SIF_DATABASE_URL": "postgresql://127.0.0.1:1/nobody"},
    )
    (line,) = run.stderr.strip().splitlines()
    assert (run.returncode, run.stdout) == (2, "")
    assert "unset SIF_DATABASE_URL" in line
    assert list(tmp_path.iterdir()) == []
