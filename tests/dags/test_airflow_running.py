"""A real Airflow under our supervision runs the DAGs: one start, then faults, one after the other."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import httpx
import psutil
import psycopg
import pytest

from sif_pipeline import zones
from sif_pipeline.config import PROJECT
from sif_pipeline.loading.standby import LEADER_LOCK

EXAMPLE = PROJECT / "tests/examples/LEAInfo/valid/minimal.xml"

UP = """
import json, sys, time
from pathlib import Path
from sif_pipeline.config import Settings
from sif_pipeline.local import airflow
from sif_pipeline.local.supervision import ended_by_signals
with ended_by_signals(), airflow.running(Settings.from_environment(), Path(sys.argv[1])) as up:
    print(json.dumps({"url": up.url, "user": up.user, "password": up.password}), flush=True)
    time.sleep(3600)
"""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Up:
    home: Path
    database: str
    api: httpx.Client
    process: subprocess.Popen[str]


@pytest.fixture(scope="module")
def up(module_database_url: str, tmp_path_factory: pytest.TempPathFactory, short_dags: Path) -> Iterator[Up]:
    if os.environ.get("SIF_DATABASE_URL"):
        pytest.skip("Airflow's metadata is database `airflow` of the server, and this server's may be somebody's")
    home = tmp_path_factory.mktemp("up")
    with psycopg.connect(module_database_url) as connection:
        zones.add(connection, "North", "0001")
    environment = {**os.environ, "SIF_HOME": str(home), "SIF_DATABASE_URL": module_database_url}
    command = [sys.executable, "-c", UP, str(short_dags)]
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            login = json.loads(process.stdout.readline())
            with httpx.Client(base_url=login.pop("url"), timeout=120) as api:
                token = api.post("/auth/token", json={"username": login["user"], "password": login["password"]})
                api.headers["Authorization"] = f"Bearer {token.raise_for_status().json()['access_token']}"
                yield Up(home, module_database_url, api, process)
        finally:
            process.terminate()
            process.wait(timeout=180)


def leader(up: Up) -> int | None:
    """Find the operating system's process that holds the leader's lock."""
    query = """SELECT client_port FROM pg_stat_activity JOIN pg_locks USING (pid)
               WHERE locktype = 'advisory' AND objid = %s AND granted AND datname = current_database()"""
    return next(iter(_clients(up, query, LEADER_LOCK)), None)


def drains(up: Up) -> set[int]:
    """Find the processes that lead or stand by."""
    query = """SELECT client_port FROM pg_stat_activity
               WHERE application_name = 'sif-drain' AND datname = current_database()"""
    return _clients(up, query)


def _clients(up: Up, query: LiteralString, *parameters: object) -> set[int]:
    """Find the operating system's processes at the other end of connections, by their ports."""
    with psycopg.connect(up.database) as connection:
        ports = {port for (port,) in connection.execute(query, parameters)}
    connections = psutil.net_connections("tcp4")
    return {found.pid for found in connections if found.pid and found.laddr and found.laddr[1] in ports}


def soon(condition: Callable[[], object], seconds: float = 300) -> None:
    """Wait until `condition` holds: a busy machine needs minutes to start what Airflow starts in seconds."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, "it did not happen in time"
        time.sleep(0.05)


class Succession:
    """Who has led, and who stood by meanwhile."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self.stood_by: set[int] = set()

    def falls_to_a_standby(self) -> bool:
        """Look once more, and tell whether the leader is one that stood by while another led."""
        now = leader(self.up)
        if now in self.stood_by:
            return True
        if now is not None:
            self.stood_by |= drains(self.up) - {now}
        return False


def ours(up: Up) -> list[psutil.Process]:
    """Find the processes of this Airflow: the guards, whose arguments name its logs, and all below them."""
    found: set[psutil.Process] = set()
    for process in psutil.process_iter():
        if str(up.home) in " ".join(_arguments(process)):
            with suppress(psutil.NoSuchProcess):
                found |= {process, *process.children(recursive=True)}
    return [process for process in found if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def drop(up: Up, name: str) -> Path:
    folder = up.home / "drop/North"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(EXAMPLE, folder / f"{name}.part")
    (folder / f"{name}.part").rename(folder / name)
    return folder / "done" / name


def done(up: Up) -> int:
    with psycopg.connect(up.database) as connection:
        line = connection.execute("SELECT count(*) FROM inbox.message WHERE state = 'done'").fetchone()
    assert line
    return int(line[0])


def test_dropped_file_is_loaded_by_scheduled_runs(up: Up) -> None:
    kept = drop(up, "first.xml")
    soon(lambda: done(up) == 1)
    assert kept.exists()


def test_standby_takes_over_when_the_leader_is_killed(up: Up) -> None:
    """Somebody who was there already leads next, and not a run that had to be started."""
    for _ in range(5):  # a standby's own time may be over at the wrong moment
        soon(lambda: leader(up) and len(drains(up)) == 2)
        killed, there = leader(up), drains(up)
        if killed in there:
            os.kill(killed, signal.SIGKILL)
            soon(lambda killed=killed: leader(up) not in (None, killed))
            if leader(up) in there:
                return
    pytest.fail("who led next was not there before")


def test_turns_go_over_to_who_stood_by(up: Up) -> None:
    succession = Succession(up)
    soon(succession.falls_to_a_standby)


def test_housekeeping_runs(up: Up) -> None:
    started = up.api.post("/api/v2/dags/housekeeping/dagRuns", json={"logical_date": None}).raise_for_status()
    run = f"/api/v2/dags/housekeeping/dagRuns/{started.json()['dag_run_id']}"
    soon(lambda: up.api.get(run).json()["state"] not in ("queued", "running"))
    instances = up.api.get(f"{run}/taskInstances").json()["task_instances"]
    assert {found["task_id"]: found["state"] for found in instances} == {
        "tidy_warehouse": "success", "remove_old_logs": "success", "clean_metadata": "success",
    }  # fmt: skip


def test_district_sync_runs_in_its_pool(up: Up) -> None:
    """North has no agent, so there is nobody to ask, and its chain is over at once."""
    asked = {"logical_date": None, "conf": {"zones": ["North"], "everything": True}}
    started = up.api.post("/api/v2/dags/district_sync/dagRuns", json=asked).raise_for_status()
    run = f"/api/v2/dags/district_sync/dagRuns/{started.json()['dag_run_id']}"
    soon(lambda: up.api.get(run).json()["state"] not in ("queued", "running"))
    instances = up.api.get(f"{run}/taskInstances").json()["task_instances"]
    assert {(found["task_id"], found["map_index"], found["state"], found["pool"]) for found in instances} == {
        ("go_on", -1, "success", "districts"),
        ("due", -1, "success", "districts"),
        ("district.ask", 0, "success", "districts"),
        ("district.answered", 0, "success", "districts"),
    }


def test_ingestion_is_back_after_the_scheduler_was_killed(up: Up) -> None:
    schedulers = [found for found in ours(up) if _arguments(found)[-2:] == ["scheduler", "--skip-serve-logs"]]
    (scheduler,) = (found for found in schedulers if found.parent() not in schedulers)  # it forks
    before = {process.pid for process in ours(up)}
    scheduler.kill()
    soon(lambda: leader(up) not in (None, *before))
    drop(up, "second.xml")
    soon(lambda: done(up) == 2)


def _connections(process: psutil.Process) -> list:
    with suppress(psutil.NoSuchProcess):
        return process.net_connections("tcp")
    return []


def test_answers_on_this_machine_only(up: Up) -> None:
    listening = {
        found.laddr[0] for process in ours(up) for found in _connections(process) if found.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}


def test_secrets_are_readable_by_their_owner_only(up: Up) -> None:
    names = ("airflow.cfg", "password", "passwords.json", "fernet_key", "jwt_secret", "secret_key")
    assert {(up.home / "airflow" / name).stat().st_mode & 0o777 for name in names} == {0o600}


def test_nothing_is_left_after_sigterm(up: Up) -> None:
    before = ours(up)
    assert len(before) > 10
    up.process.terminate()
    assert up.process.wait(timeout=180) == 128 + signal.SIGTERM
    assert [found for found in before if found.is_running()] == []
    assert leader(up) is None
