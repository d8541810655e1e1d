"""Airflow on one machine: api-server, scheduler with LocalExecutor and dag-processor as child processes.

No triggerer: nothing here defers, watches assets by trigger or has asynchronous deadlines, and it would cost
250 MB. Everything lives under <SIF_HOME>/airflow; the metadata is database `airflow` of the pipeline's server.
"""

import fcntl
import json
import os
import string
import subprocess
import sys
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata, resources
from pathlib import Path

import httpx
import psycopg

from sif_pipeline.config import PROJECT, Settings
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.local import kept, postgres
from sif_pipeline.local.supervision import Child, child, wait_until

FIRST_PORT = 8080
"""The port tried first for Airflow's page; the next free one is taken, and remembered, when it is taken."""

_READY_SECONDS = 180
_SCHEDULER = [sys.executable, "-P", "-m", __spec__.name]


@dataclass(frozen=True, slots=True)
class Airflow:
    """A running Airflow."""

    port: int  #: of its page and API, on 127.0.0.1
    user: str  #: the only user, an admin
    password: str = field(repr=False)  #: generated once for this SIF_HOME
    home: Path  #: AIRFLOW_HOME, with airflow.cfg and logs
    environment: dict[str, str] = field(repr=False)  #: what a command `airflow ...` needs to act on it

    @property
    def url(self) -> str:
        """The address of its page."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(settings: Settings, dags: Path = PROJECT / "dags") -> Iterator[Airflow]:
    """Run Airflow, healthy and warm, with the DAGs in folder `dags` for as long as the block lasts.

    Nothing of it is left behind, however this process ends. Raise ConfigurationError when this SIF_HOME's
    Airflow runs already, NotReadyError when a component does not come up within three minutes.
    """
    with ExitStack() as stack:
        home = settings.home / "airflow"
        stack.enter_context(_alone(home))
        url = stack.enter_context(postgres.running(settings))
        airflow = _configure(settings, home, dags, url)
        _migrate(airflow, postgres.airflow_url(url))
        _declare_pools(postgres.airflow_url(url))
        server = stack.enter_context(_component(airflow, "api-server", _command("api-server")))
        stack.enter_context(_component(airflow, "dag-processor", _command("dag-processor")))
        # The scheduler comes last: its tasks fail while nobody takes their reports. So it also goes first.
        wait_until(lambda: not kept.is_free(airflow.port), server, _READY_SECONDS)
        scheduler = stack.enter_context(_component(airflow, "scheduler", _SCHEDULER))
        wait_until(lambda: _is_warm(airflow), server, _READY_SECONDS)
        wait_until(lambda: _is_healthy(airflow), scheduler, _READY_SECONDS)
        yield airflow


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(f"Airflow runs already for {home.parent}; stop that one first.") from None
        yield


def _configure(settings: Settings, home: Path, dags: Path, url: str) -> Airflow:
    """Write airflow.cfg from the template, and what must be kept from one start to the next."""
    port = kept.port(home / "port", FIRST_PORT)
    password = kept.secret(home / "password")
    if not (home / "passwords.json").exists():
        kept.new_secret(home / "passwords.json", json.dumps({"admin": password}))
    values = {
        "home": str(home),
        "dags": str(dags),
        "port": str(port),
        "database": postgres.airflow_url(url).replace("postgresql:", "postgresql+psycopg:"),
        "fernet_key": urlsafe_b64encode(sha256(kept.secret(home / "fernet_key").encode()).digest()).decode(),
        "secret_key": kept.secret(home / "secret_key"),
        "jwt_secret": kept.secret(home / "jwt_secret"),
    }
    template = (resources.files("sif_pipeline.local") / "airflow.cfg").read_text(encoding="utf-8")
    # A percent sign would start an interpolation in Airflow's files.
    escaped = {name: value.replace("%", "%%") for name, value in values.items()}
    kept.new_secret(home / "airflow.cfg", string.Template(template).substitute(escaped))
    environment = {
        "AIRFLOW_HOME": str(home),
        "SIF_HOME": str(settings.home),
        "SIF_DATABASE_URL": url,
        "SIF_AIRFLOW_METADATA": postgres.airflow_url(url),
        "SIF_TIMEZONE": settings.timezone.key,
        "SIF_MAX_MESSAGE_BYTES": str(settings.max_message_bytes),
    }
    return Airflow(port, "admin", password, home, environment)


def _environment(airflow: Airflow) -> dict[str, str]:
    # Another installation's AIRFLOW_ variables would win over the file.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    return inherited | airflow.environment


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-P", "-m", "airflow", *arguments]


def _component(airflow: Airflow, name: str, command: list[str]) -> AbstractContextManager[Child]:
    log = airflow.home / "logs" / f"{name}.log"
    return child(f"Airflow's {name}", command, log=log, environment=_environment(airflow))


def _migrate(airflow: Airflow, url: str) -> None:
    """Bring the metadata to this Airflow's version, unless it is known to be there: to ask takes seconds."""
    stamp, version = airflow.home / "migrated", metadata.version("apache-airflow")
    if stamp.exists() and stamp.read_text(encoding="utf-8") == f"{version} {_revision(url)}":
        return
    log = airflow.home / "logs" / "migrate.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as output:
        command, environment = _command("db", "migrate"), _environment(airflow)
        done = subprocess.run(command, env=environment, stdout=output, stderr=output, check=False)
    if done.returncode != 0:
        raise ConfigurationError(f"Airflow could not prepare its database; its log is {log}.")
    stamp.write_text(f"{version} {_revision(url)}", encoding="utf-8")


POOLS = {"districts": (2, "District syncs: so many districts are asked or looked at at the same time")}
"""Pools by name: slots and what they are for. Two of the six places of tasks; the ingestion needs three."""


def _declare_pools(url: str) -> None:
    """Make the pools that DAGs name, unless they are there: an operator may have changed them.

    A task in a pool that is not there would never start. By SQL, since a command would take seconds.
    """
    insert = """INSERT INTO slot_pool (pool, slots, description, include_deferred) VALUES (%s, %s, %s, false)
                ON CONFLICT (pool) DO NOTHING"""
    with psycopg.connect(url, connect_timeout=10) as connection:
        for name, (slots, description) in POOLS.items():
            connection.execute(insert, (name, slots, description))


def _revision(url: str) -> str | None:
    with psycopg.connect(url, connect_timeout=10) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return None
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found[0]) if found else None


def _is_warm(airflow: Airflow) -> bool:
    """Tell whether the API that tasks report to is built; that takes seconds, and happens at the first request."""
    return _get(airflow, "/execution/health") is not None


def _is_healthy(airflow: Airflow) -> bool:
    health = _get(airflow, "/api/v2/monitor/health")
    parts = ("metadatabase", "scheduler", "dag_processor")
    return health is not None and all(health[part]["status"] == "healthy" for part in parts)


def _get(airflow: Airflow, path: str) -> dict[str, dict[str, str]] | None:
    try:
        answer = httpx.get(airflow.url + path, timeout=10)
    except httpx.TransportError:
        return None
    return answer.json() if answer.is_success else None


def _become_scheduler() -> None:
    """Declare earlier schedulers of this metadata dead, then become the scheduler.

    Airflow would wait for their heartbeats to grow old, and so long leave their tasks, among them the ingestion,
    neither running nor started again. There is no other scheduler: this SIF_HOME is locked.
    """
    with psycopg.connect(os.environ["SIF_AIRFLOW_METADATA"], connect_timeout=10) as connection:
        connection.execute("UPDATE job SET state = 'failed' WHERE job_type = 'SchedulerJob' AND state = 'running'")
    arguments = _command("scheduler", "--skip-serve-logs")
    os.execv(arguments[0], arguments)  # noqa: S606 -- no shell is wanted


if __name__ == "__main__":
    _become_scheduler()
