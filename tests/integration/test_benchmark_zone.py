"""The load benchmark runs, and what it says of acks and the inbox is true."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks import zone
from sif_pipeline.config import PROJECT


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_a_small_load_is_acked_and_all_of_it_is_found_in_the_inbox(database_server, tmp_path, tls):
    out = tmp_path / "out.json"
    few = ["--zones", "4", "--busy", "3", "--rate", "60", "--seconds", "3", "--idle", "5", "--out", str(out)]
    made = subprocess.run(
        [sys.executable, "-m", "benchmarks.zone", *few, *["--tls"] * tls], cwd=PROJECT, capture_output=True, text=True,
        env=os.environ | {"SIF_DATABASE_URL": database_server}, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    load = json.loads(out.read_text())["load"]
    assert load["acked"] == load["sent"] > 100
    assert (load["missing"], load["other_answers"], load["errors"]) == (0, 0, 0)
    assert 0 < load["p50_ms"] <= load["p99_ms"] <= load["worst_ms"]


def test_an_ack_without_a_message_would_be_noticed(database_url):
    assert zone._missing(database_url, set()) == 0
    token = zone._zones(database_url, 1)[0]
    assert zone._missing(database_url, {(token, "A" * 32), (token, "B" * 32)}) == 2
