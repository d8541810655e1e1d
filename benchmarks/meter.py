"""CPU time of this process and of a PostgreSQL server on this machine, from the kernel's own accounts.

Standard library only: the peers run in an environment of their own and are measured by the same code.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
SETTLING = 0.25
"""Seconds in which a connection that was closed ends on the server's side."""


@dataclass(slots=True)
class Cost:
    """What some work took."""

    client: float = 0.0  #: CPU seconds, user and system, of the working process and its children
    server: float = 0.0  #: CPU seconds of PostgreSQL: postmaster, reaped and live children
    objects: int = 0  #: objects worked on
    peak: int = 0  #: largest resident size of the working process, bytes
    seconds: float = 0.0  #: by the clock

    @property
    def each(self) -> float:
        """CPU microseconds per object."""
        return (self.client + self.server) / self.objects * 1e6

    def report(self) -> None:
        """Print for the process that asked, as JSON on one line."""
        json.dump(asdict(self), sys.stdout)


@contextmanager
def metered(postmaster: int, worker: int = 0) -> Iterator[Cost]:
    """Meter the block; `postmaster` is the server's process id, 0 for no server.

    `worker` is a process that works for this one and lives longer than the block, such as a JVM; 0 for none.
    """
    cost, begun = Cost(), time.monotonic()
    client, server = _own_seconds() + server_seconds(worker), server_seconds(postmaster)
    yield cost
    cost.seconds = time.monotonic() - begun
    cost.client = _own_seconds() + server_seconds(worker) - client
    if postmaster:
        time.sleep(SETTLING)
        cost.server = server_seconds(postmaster) - server
    cost.peak = _peak(worker)


def _peak(worker: int) -> int:
    # Not ru_maxrss: that one remembers the process that started this one.
    status = Path(f"/proc/{worker or 'self'}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def _own_seconds() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def server_seconds(postmaster: int) -> float:
    """Sum what a server, or another process with its children, has used since it started; 0 for none."""
    if not postmaster:
        return 0.0
    parent = stat(postmaster)
    live = (found for pid in _pids() if (found := stat(pid)) and int(found[1]) == postmaster)
    ticks = sum(map(int, parent[11:15])) + sum(int(child[11]) + int(child[12]) for child in live)
    return ticks / TICKS


def stat(pid: int) -> list[str]:
    """Read /proc/PID/stat from the third field, the state, on; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
