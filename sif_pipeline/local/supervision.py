"""Child processes that end with their parent: started under a guard, awaited, stopped as whole trees."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from sif_pipeline.exceptions import SifPipelineError

_LOG_BYTES = 10 * 1024 * 1024  # a log that is longer at a start makes room for a new one; one old log is kept
_STOP_SECONDS = 15  # more than a guard's own steps together


class NotReadyError(SifPipelineError):
    """A process did not become ready in time; see its log."""


@dataclass(frozen=True, slots=True)
class Child:
    """A command that runs under a guard, and is started again when it dies."""

    name: str  #: for people
    log: Path  #: where its standard output and error go
    process: subprocess.Popen[bytes]  #: the guard; its pid stays when the command is started again


@contextmanager
def child(
    name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run `command` in `environment` (None: this process's) for as long as the block lasts.

    It ends, with all its descendants, at the end of the block and when this process dies, however it dies.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > _LOG_BYTES:
        log.replace(log.with_suffix(".old.log"))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "sif_pipeline.local.guard", str(log), "--", *command],
        stdin=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    try:
        yield Child(name, log, process)
    finally:
        _stop(process)


def wait_until(ready: Callable[[], bool], awaited: Child, seconds: float) -> None:
    """Return as soon as `ready` says so, asking ten times a second; raise NotReadyError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise NotReadyError(f"{awaited.name} was not ready after {seconds:.0f} s; its log is {awaited.log}.")
        time.sleep(0.1)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as ctrl-C does, so that it can tidy up; main thread only."""

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    with ExitStack() as restored:
        for number in (signal.SIGTERM, signal.SIGHUP):
            restored.callback(signal.signal, number, signal.signal(number, end))
        yield


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        process.stdin.close()  # this is what the guard waits for
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
