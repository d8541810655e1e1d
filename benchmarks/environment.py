"""Where the figures come from: machine, versions, settings, load, commit."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psycopg
from lxml import etree

from sif_pipeline.config import PROJECT

SETTINGS = (
    "server_version", "fsync", "synchronous_commit", "full_page_writes", "wal_compression", "shared_buffers",
    "max_wal_size", "work_mem", "jit",
)  # fmt: skip


def describe(server: str) -> dict[str, object]:
    """Describe the machine, the programs and the server's settings."""
    with psycopg.connect(server) as connection:
        query = "SELECT name, current_setting(name) FROM unnest(%(names)s::text[]) AS name"
        settings: dict[str, str] = dict(connection.execute(query, {"names": list(SETTINGS)}).fetchall())
    return {
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "lxml": ".".join(map(str, etree.LXML_VERSION)),
        "libxml2": ".".join(map(str, etree.LIBXML_VERSION)),
        "psycopg": f"{version('psycopg')} ({psycopg.pq.__impl__})",
        "sqlalchemy": version("sqlalchemy"),
        "postgresql": settings,
        "load_average": os.getloadavg(),
        "commit": _commit(),
    }


def _field(file: str, name: str) -> str:
    lines = (line.partition(":") for line in Path(file).read_text(encoding="utf-8").splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "unknown")


def _commit() -> str:
    """Name the commit, with a plus sign when files that are measured differ from it."""
    try:
        commit = _git("rev-parse", "--short", "HEAD").strip()
        return commit + "+" * bool(_git("status", "--porcelain", "sif_pipeline", "warehouse", "schemas").strip())
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", PROJECT, *arguments], capture_output=True, text=True, check=True).stdout
