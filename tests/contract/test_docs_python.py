"""The Python on the page about loading a whole state runs as it stands, on a state that the page's command makes."""

import re
import subprocess
import sys

from sif_pipeline.config import PROJECT

PAGE = (PROJECT / "docs" / "how-to" / "load-a-whole-state.md").read_text(encoding="utf-8")


def test_batches_of_the_page_are_made(tmp_path):
    (shown,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (command,) = re.findall(r"`sif-pipeline (synth --state [^`]*)`", PAGE)
    subprocess.run(
        [sys.executable, "-m", "sif_pipeline", *command.split()], cwd=tmp_path, check=True, capture_output=True
    )
    count = "counted = 0\n" + shown.rstrip() + "\n    counted += students.num_rows if students else 0\nprint(counted)"
    done = subprocess.run([sys.executable, "-c", count], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert int(done.stdout) > 10
