"""Stand over one command: keep its log, start it again when it dies, and leave no process of it behind.

Run as `python -m sif_pipeline.local.guard LOG -- COMMAND...` with a pipe as standard input. When the pipe
closes (whoever holds it is gone, even by kill -9) or a SIGTERM comes, the command and all its descendants are
ended.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import IO

import psutil

RESTART_SECONDS = 1.0
"""Pause before a command that died is started again."""

ASK_SECONDS = 1.5
"""How long a command may take to end by itself before the leaves of its tree are killed."""

REPORT_SECONDS = 5.0
"""How long a command may then take to report what became of its leaves, before everything is killed."""

_PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h: orphaned descendants become this process's children


class _Enough(Exception):
    """The guard was asked to end."""


def guard(log: Path, command: list[str]) -> None:
    """Run `command`, again and again, until standard input closes or SIGTERM comes; then end its tree."""
    with suppress(OSError, AttributeError):  # not on Linux: descendants that leave the tree cannot be followed
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, _ask_to_end)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-C is for the one who holds the pipe
    with log.open("ab", buffering=0) as output, suppress(_Enough):
        while True:
            _run_once(command, output)
            output.write(f"The command ended; it starts again in {RESTART_SECONDS:.0f} s.\n".encode())
            _watch(RESTART_SECONDS)


def _ask_to_end(_number: int, _frame: FrameType | None) -> None:
    raise _Enough


def _run_once(command: list[str], output: IO[bytes]) -> None:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        while process.poll() is None:
            _watch(0.5)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _end(process)
        signal.signal(signal.SIGTERM, _ask_to_end)


def _watch(seconds: float) -> None:
    """Wait, and raise _Enough when standard input closes meanwhile."""
    readable, _, _ = select.select([sys.stdin], [], [], seconds)
    if readable and not os.read(sys.stdin.fileno(), 1):
        raise _Enough


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a tree in three steps: ask its root; kill the leaves, whose parents then report; kill all."""
    process.terminate()
    if not _gone(process, ASK_SECONDS) and (leaves := _leaves(process.pid)):
        _kill(leaves)
        _gone(process, REPORT_SECONDS)
    while remaining := _descendants():
        _kill(remaining)
        time.sleep(0.02)
    process.wait()
    _bury()


def _gone(process: subprocess.Popen[bytes], seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
        return True
    return False


def _descendants() -> list[psutil.Process]:
    """List what lives below this process; the dead who are not yet buried do not count."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _leaves(root: int) -> list[psutil.Process]:
    living = _descendants()
    parents = {process.ppid() for process in living}
    return [process for process in living if process.pid not in parents | {root}]


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.kill()


def _bury() -> None:
    """Take the exit statuses of orphans that became this process's children."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


if __name__ == "__main__":
    guard(Path(sys.argv[1]), sys.argv[3:])
