"""The embedded PostgreSQL: started when needed, shared by all processes of one SIF_HOME, stopped by the last.

Everything lives under <SIF_HOME>/postgres; sif_pipeline.local.cluster makes and runs it.
"""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psycopg
from sqlalchemy import make_url

from sif_pipeline.config import Settings
from sif_pipeline.exceptions import ConfigurationError, DatabaseUnreachable, SifPipelineError
from sif_pipeline.local import cluster

REVIVAL_SECONDS = 2.0
"""How often a command that stays looks whether the server is still there."""


@contextmanager
def running(settings: Settings) -> Iterator[str]:
    """Give the URL of the pipeline's database, with a server behind it for as long as the block runs.

    With SIF_DATABASE_URL set that is the URL, and nothing is started. Otherwise the embedded server is
    started unless it is up, and the last process to leave stops it. A process that is killed leaves it
    running; the next one adopts it. Raise ConfigurationError or DatabaseUnreachable when it cannot run.
    """
    if settings.database_url:
        yield settings.database_url
        return
    root = _root(settings)
    with _open(root / "users.lock") as users:
        with _turn(root):
            url = cluster.ensure(root)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield url
        finally:
            with _turn(root):
                _leave(root, users)


@contextmanager
def kept_up(settings: Settings) -> Iterator[str]:
    """Do as `running` does, and start the embedded server again when it dies: for commands that stay."""
    done = threading.Event()
    with running(settings) as url:
        watch = threading.Thread(target=_watch, args=(settings, done), daemon=True)
        if not settings.database_url:
            watch.start()
        try:
            yield url
        finally:
            done.set()


def _watch(settings: Settings, done: threading.Event) -> None:
    while not done.wait(REVIVAL_SECONDS):
        if not is_running(settings):
            with suppress(SifPipelineError, OSError), _turn(_root(settings)):  # tried again in a moment
                cluster.ensure(_root(settings))


def start(settings: Settings) -> str:
    """Start the embedded server unless it is up, let it run until `stop`, and return the URL."""
    if settings.database_url:
        return settings.database_url
    root = _root(settings)
    with _turn(root):
        url = cluster.ensure(root)
        (root / "keep").touch()
    return url


def stop(settings: Settings) -> None:
    """Stop the embedded server, whoever uses it; does nothing when it is down."""
    root = _root(settings)
    with _turn(root):
        (root / "keep").unlink(missing_ok=True)
        cluster.stop(root)


def is_running(settings: Settings) -> bool:
    """Tell whether this SIF_HOME's embedded server is up and answers."""
    return cluster.state(_root(settings)) == "up"


def airflow_url(url: str) -> str:
    """Return the URL of database `airflow` on the server of `url`; create the database when it is absent.

    Raise DatabaseUnreachable when the server does not answer, ConfigurationError when the role may not
    create databases.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = 'airflow'").fetchone():
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute("CREATE DATABASE airflow")
    except psycopg.OperationalError:
        raise DatabaseUnreachable from None
    except psycopg.errors.InsufficientPrivilege:
        raise ConfigurationError(
            "Airflow needs a database named airflow beside the pipeline's; create it, owned by the same role."
        ) from None
    return make_url(url).set(database="airflow").render_as_string(hide_password=False)


def _root(settings: Settings) -> Path:
    return settings.home / "postgres"


def _open(lock: Path) -> IO[bytes]:
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        return lock.open("ab")
    except OSError as error:
        raise ConfigurationError(f"SIF_HOME cannot be written: {error.strerror} ({lock.parent}).") from None


@contextmanager
def _turn(root: Path) -> Iterator[None]:
    """Keep other processes from starting or stopping the server meanwhile."""
    with _open(root / "start.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _leave(root: Path, users: IO[bytes]) -> None:
    try:
        # Nobody can come in meanwhile: that takes a turn, and this process has it.
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    if not (root / "keep").exists():
        cluster.stop(root)
