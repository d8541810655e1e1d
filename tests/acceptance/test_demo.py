"""The README's first command: the whole pipeline with a real Airflow, and nothing left running afterwards."""

import os
import subprocess
import sys
from pathlib import Path


def test_demo_loads_what_was_sent_and_stops_everything(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SIF_DATABASE_URL"}
    run = subprocess.run(
        [sys.executable, "-m", "sif_pipeline", "demo", "--students", "400"],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        env={**environment, "SIF_HOME": str(tmp_path), "COLUMNS": "200"},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Every difference is explained by a finding or a deletion" in run.stdout
    for title in (
        "Messages by district; delay from receipt to loaded",
        "Students enrolled today, by grade and district",
        "The most frequent findings of each district",
        "Sent against the warehouse, where they differ",
    ):
        assert title in run.stdout
    assert _processes_that_mention(str(tmp_path)) == []


def _processes_that_mention(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            facts = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if text.encode() in facts and process.name != str(os.getpid()):
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found
