"""Children end with their parent, with all their descendants, however either of them ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sif_pipeline.config import PROJECT
from sif_pipeline.local.supervision import NotReadyError, child, ended_by_signals, wait_until

# A root, its child, and a grandchild that left the session and whose parent is gone.
FAMILY = """
import os, signal, subprocess, sys, time
if sys.argv[2] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
sleeper = [sys.executable, "-c", "import time; time.sleep(600)", sys.argv[1]]
subprocess.Popen(sleeper)
subprocess.run([sys.executable, "-c", f"import subprocess; subprocess.Popen({sleeper}, start_new_session=True)"])
time.sleep(600)
"""

PARENT = """
import sys, time
from pathlib import Path
from sif_pipeline.local.supervision import child, ended_by_signals
with ended_by_signals(), child("sleeper", sys.argv[2:], log=Path(sys.argv[1])):
    print("started", flush=True)
    time.sleep(600)
"""


def family(folder: Path, manners: str) -> list[str]:
    return [sys.executable, "-c", FAMILY, str(folder), manners]


def living(folder: Path) -> list[psutil.Process]:
    """Find processes, guards apart, that have this test's folder among their arguments."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        arguments = process.info["cmdline"] or []
        if str(folder) in arguments and process.info["status"] != psutil.STATUS_ZOMBIE and PARENT not in arguments:
            found += [] if "sif_pipeline.local.guard" in arguments else [process]
    return found


def soon(condition: Callable[[], bool], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


def test_tree_ends_with_the_block(tmp_path: Path) -> None:
    with child("family", family(tmp_path, "stubborn"), log=tmp_path / "log") as started:
        assert soon(lambda: len(living(tmp_path)) == 3)
    assert living(tmp_path) == []
    assert not psutil.pid_exists(started.process.pid)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_tree_ends_with_its_parent(tmp_path: Path, how: signal.Signals) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log"), *family(tmp_path, "polite")]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as parent:
        try:
            assert parent.stdout
            assert parent.stdout.readline() == b"started\n"
            assert soon(lambda: len(living(tmp_path)) == 3), told(tmp_path)
            parent.send_signal(how)
            parent.wait(timeout=60)
        finally:
            parent.kill()
    assert soon(lambda: living(tmp_path) == []), told(tmp_path)


def told(folder: Path) -> str:
    """Say what a failure cannot be understood without: what lives, and what the log holds."""
    log = folder / "log"
    return f"{living(folder)}\n{log.read_text() if log.exists() else 'no log'}"


def test_command_that_died_is_started_again(tmp_path: Path) -> None:
    once = [sys.executable, "-c", "import sys, time; print('alive', flush=True); time.sleep(600)", str(tmp_path)]
    with child("once", once, log=tmp_path / "log"):
        assert soon(lambda: len(living(tmp_path)) == 1)
        # A slow machine may have it among its processes before it has said anything.
        assert soon(lambda: (tmp_path / "log").read_text().count("alive") == 1)
        (first,) = living(tmp_path)
        first.kill()
        assert soon(lambda: [process.pid for process in living(tmp_path)] not in ([], [first.pid]))
        assert soon(lambda: (tmp_path / "log").read_text().count("alive") == 2)


def test_not_ready_names_the_process_and_its_log(tmp_path: Path) -> None:
    with (
        child("The sleeper", ["/bin/sleep", "600"], log=tmp_path / "log") as started,
        pytest.raises(NotReadyError, match=rf"^The sleeper was not ready after 0 s; its log is {tmp_path}/log\.$"),
    ):
        wait_until(lambda: False, started, 0.2)


def test_long_log_makes_room(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.touch()
    os.truncate(log, 11 * 1024 * 1024)
    with child("echo", ["/bin/echo", "new"], log=log):
        assert soon(lambda: log.exists() and "new" in log.read_text())
    assert (tmp_path / "x.old.log").stat().st_size == 11 * 1024 * 1024


def test_signals_are_given_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as raised, ended_by_signals():
        signal.raise_signal(signal.SIGTERM)
    assert raised.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == before
