"""The tutorial is played as it stands: its commands are run, and print what the page says they print."""

import re
import subprocess
from pathlib import Path

import pytest

from sif_pipeline.config import PROJECT
from sif_pipeline.local import kept

PAGE = PROJECT / "docs" / "tutorial" / "first-district.md"
BLOCKS = re.findall(r"```(sh)?\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
STEPS = [
    (block, BLOCKS[place + 1][1] if place + 1 < len(BLOCKS) and not BLOCKS[place + 1][0] else None)
    for place, (kind, block) in enumerate(BLOCKS)
    if kind
]
"""Every block of commands with the output the page shows below it; None where it shows none."""

MARK, HOME = "-- end of step --", "/tmp/first-district"  # noqa: S108 -- the page's, replaced below


def plain(text: str) -> list[str]:
    """Take out what differs from one run to the next: times, the zone's secret, the port, widths."""
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?\+00(:00)?", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+/zone/\S+", "127.0.0.1/zone/SECRET", text)
    return [" ".join(line.split()) for line in text.splitlines() if line.strip() and not re.fullmatch(r"[-+ ]+", line)]


@pytest.mark.slow
def test_tutorial_prints_what_it_says(tmp_path: Path):
    if not (PROJECT / ".venv" / "bin" / "sif-pipeline").exists():
        pytest.skip("the tutorial begins after `make setup`, which makes .venv")
    port = next(number for number in range(7180, 7280) if kept.is_free(number))
    script = f"\necho '{MARK}'\n".join(block for block, _ in STEPS).replace(HOME, str(tmp_path / "home"))
    script = script.replace("7080", str(port)).replace("serve >", f"serve --port {port} >")
    script = script.replace("--lea", f"--url http://127.0.0.1:{port} --lea")
    done = subprocess.run(
        ["bash", "-c", f"set -m\n{script}"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
    )
    printed = done.stdout.split(f"{MARK}\n")
    assert len(printed) == len(STEPS), done.stderr
    for (_, expected), actual in zip(STEPS, printed, strict=True):
        if expected is not None:
            assert plain(actual) == plain(expected)[: len(plain(actual))]
            assert set(plain(expected)[len(plain(actual)) :]) <= set(plain(done.stderr))
