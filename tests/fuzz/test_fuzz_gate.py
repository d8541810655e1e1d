"""A minute of mutated messages: the gate gives a tree or a refusal, never more; every ack is well-formed and valid."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("fuzz_gate.py")


def test_whatever_comes_is_a_tree_or_a_refusal_and_is_answered_by_a_valid_ack():
    """SIF_FUZZ_SECONDS and SIF_FUZZ_SEED say how long and from where; a failure prints the cases, in Base64."""
    seconds = os.environ.get("SIF_FUZZ_SECONDS", "60")
    seed = os.environ.get("SIF_FUZZ_SEED", str(random.randrange(1_000_000)))
    print(f"SIF_FUZZ_SEED={seed}")
    made = subprocess.run([sys.executable, PROGRAM, seconds, seed], capture_output=True, text=True, check=True)
    found = json.loads(made.stdout)
    print(found | {"broken": len(found["broken"])})
    assert found["broken"] == []
    assert {"a message", "1/2", "1/6", "12/1", "12/3"} - found["verdicts"].keys() == set()
    assert found["grown_kb"] < 64 * 1024
