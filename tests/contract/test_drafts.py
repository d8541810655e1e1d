"""What `make add-object` drafts from an XSD keeps every contract of a declaration, before anybody has touched it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sif_pipeline.config import PROJECT
from sif_pipeline.scaffold import beginnings, drafts
from sif_pipeline.sif import schema

CONTRACTS = Path("tests/contract/test_declarations.py")


@pytest.fixture(scope="module")
def drafted(tmp_path_factory):
    """Give a copy of the project in which every declaration is a draft."""
    project = tmp_path_factory.mktemp("drafted")
    without = shutil.ignore_patterns("__pycache__", "versions")
    for folder in ("schemas", "warehouse", "sif_pipeline", "tests/examples"):
        shutil.copytree(PROJECT / folder, project / folder, ignore=without)
    (project / CONTRACTS).parent.mkdir()
    shutil.copy(PROJECT / CONTRACTS, project / CONTRACTS)
    for name in schema.object_names():
        beginnings.paths(name, project)["declaration.py.txt"].write_text(drafts.declaration(name), encoding="utf-8")
    return project


def test_every_draft_keeps_the_contracts_of_declarations(drafted):
    command = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider", "-c", os.devnull]
    judged = subprocess.run(
        [*command, f"--rootdir={drafted}", CONTRACTS],
        cwd=drafted,
        env={**os.environ, "PYTHONPATH": str(drafted)},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = [line for line in judged.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    assert (judged.returncode, failed) == (0, []), judged.stdout[-2000:]
