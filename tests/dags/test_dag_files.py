"""DAG files: import fast without database or network, carry their manual, and each runs once for real.

Airflow is imported in processes of its own: it sets up logging, warnings and metadata for the whole process.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sif_sync import always_pulling

from sif_pipeline import zones
from sif_pipeline.config import PROJECT
from sif_pipeline.files import receiving
from sif_pipeline.local.airflow import POOLS
from sif_pipeline.state import syncs
from sif_pipeline.synth import statewide as synth
from sif_pipeline.testing import pulling, sample_objects, zone_server

EXAMPLE = PROJECT / "tests/examples/LEAInfo/valid/minimal.xml"

# Reads the folder as the dag-processor does, with every way out of the process closed.
READ = """
import json, socket, sqlite3, sys, time
def refuse(*_, **__):
    raise AssertionError("a DAG file reached for a database or the network")
import airflow.sdk
from airflow.dag_processing.dagbag import DagBag
import airflow.providers.standard.operators.bash
import psycopg
socket.socket.connect = socket.getaddrinfo = psycopg.connect = sqlite3.connect = refuse
started = time.process_time()
bag = DagBag(sys.argv[1])
seconds = time.process_time() - started
print(json.dumps({
    "errors": bag.import_errors,
    "seconds": seconds,
    "dags": {dag.dag_id: {
        "manual": dag.doc_md or "", "tags": sorted(dag.tags), "max_active_runs": dag.max_active_runs,
        "catchup": dag.catchup,
        "tasks": {task.task_id: {
            "owner": task.owner, "retries": task.retries, "pool": task.pool,
            "after": sorted(task.upstream_task_ids),
            "timeout": task.execution_timeout and task.execution_timeout.total_seconds(),
        } for task in dag.tasks},
    } for dag in bag.dags.values()},
}))
"""

RUN = """
import json, sys
from airflow.utils.db import initdb
initdb()
from airflow.dag_processing.dagbag import DagBag
run = DagBag(sys.argv[1]).dags[sys.argv[2]].test(run_conf=json.loads(sys.argv[3]))
for instance in run.get_task_instances():
    place = "" if instance.map_index < 0 else f"[{instance.map_index}]"
    print(f"{instance.task_id}{place}", instance.state)
"""


def python(script: str, *arguments: object, environment: Mapping[str, str]) -> str:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def read(airflow_environment: dict[str, str]) -> dict[str, Any]:
    answer = python(READ, PROJECT / "dags", environment=airflow_environment)
    found: dict[str, Any] = json.loads(answer.strip().split("\n")[-1])
    return found


def test_files_import_without_errors_database_or_network(read: dict[str, Any]) -> None:
    assert read["errors"] == {}
    assert set(read["dags"]) == {file.stem for file in (PROJECT / "dags").glob("*.py")}


def test_files_import_in_a_few_seconds_together(read: dict[str, Any]) -> None:
    assert read["seconds"] < 5


def test_every_dag_has_what_an_operator_needs(read: dict[str, Any]) -> None:
    for dag in read["dags"].values():
        assert dag["manual"].startswith("# ")
        assert "**When something is wrong" in dag["manual"]
        assert dag["tags"]
        assert dag["max_active_runs"] <= (100 if dag["tags"] == ["districts"] else 2)
        assert dag["catchup"] is False
        for task in dag["tasks"].values():
            assert task["owner"] == "sif-pipeline"
            assert task["retries"] >= 1
            assert task["timeout"]


def test_every_pool_is_declared(read: dict[str, Any]) -> None:
    named = {task["pool"] for dag in read["dags"].values() for task in dag["tasks"].values()}
    assert named == {"default_pool", *POOLS}


def test_ingest_has_a_standby(read: dict[str, Any]) -> None:
    assert read["dags"]["ingest"]["max_active_runs"] == 2


def test_runs_that_wait_for_late_districts_leave_room_for_the_next(read: dict[str, Any]) -> None:
    """A silent district a run, every five minutes, each waited for six hours: the run after them still asks."""
    waiting = timedelta(hours=6) // timedelta(minutes=5)
    assert read["dags"]["district_sync"]["max_active_runs"] > waiting


def test_what_goes_wrong_with_the_states_traffic_keeps_no_district_from_being_asked(read: dict[str, Any]) -> None:
    tasks = read["dags"]["district_sync"]["tasks"]
    assert tasks["go_on"]["after"] == tasks["due"]["after"] == []


@pytest.fixture
def url(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        zones.add(connection, "North", "0001")
    return database_url


def states(dag_id: str, folder: Path, environment: Mapping[str, str], **params: object) -> dict[str, str]:
    there = {**environment, "AIRFLOW__CORE__DAGS_FOLDER": str(folder)}
    lines = python(RUN, folder, dag_id, json.dumps(params), environment=there).split("\n")
    known = (line.split() for line in lines)
    ended = ("success", "failed", "skipped", "None")
    return {words[0]: words[1] for words in known if len(words) == 2 and words[1] in ended}


def test_ingest_drains_what_is_pending(url: str, short_dags: Path, airflow_environment: dict[str, str]) -> None:
    receiving.receive_path(url, "North", EXAMPLE)
    assert states("ingest", short_dags, airflow_environment | {"SIF_DATABASE_URL": url}) == {"lead": "success"}
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT state FROM inbox.message").fetchall() == [("done",)]


def test_receive_files_takes_what_is_dropped(
    url: str, short_dags: Path, airflow_environment: dict[str, str], tmp_path: Path
) -> None:
    dropped = tmp_path / "drop/North/a.xml"
    dropped.parent.mkdir(parents=True)
    dropped.write_bytes(EXAMPLE.read_bytes())
    environment = airflow_environment | {"SIF_DATABASE_URL": url, "SIF_HOME": str(tmp_path)}
    assert states("receive_files", short_dags, environment) == {"watch": "success"}
    assert (tmp_path / "drop/North/done/a.xml").exists()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT state FROM inbox.message").fetchall() == [("pending",)]


def test_bulk_load_takes_a_state_and_says_what_it_refused(
    database_url: str, short_dags: Path, airflow_environment: dict[str, str], tmp_path: Path
) -> None:
    synth.write_state(tmp_path / "state", 7, share=0.005)
    codes = {file.stem for file in (tmp_path / "state").glob("*.xml")}
    found = states(
        "bulk_load", short_dags, airflow_environment | {"SIF_DATABASE_URL": database_url},
        path=str(tmp_path / "state"), add_zones=True,
    )  # fmt: skip
    assert found == {"plan": "success", "finish": "success"} | {f"load[{n}]": "success" for n in range(len(codes))}
    with psycopg.connect(database_url) as connection:
        loaded = connection.execute(
            "SELECT z.name FROM inbox.zone AS z JOIN sif.lea_info USING (zone_id) ORDER BY 1"
        ).fetchall()
        assert {name for (name,) in loaded} == codes
        assert connection.execute("SELECT DISTINCT state FROM inbox.message").fetchall() == [("done",)]


def test_district_sync_asks_and_waits_for_each_district_on_its_own(
    url: str, short_dags: Path, airflow_environment: dict[str, str]
) -> None:
    """One district answers, one has nobody who could, one does not exist: only that one's chain fails."""
    with (
        zone_server(url) as server,
        pulling(server.zone("South").url, holds={"StudentPersonal": sample_objects("StudentPersonal", 5)}) as agent,
    ):
        agent.join()
        with always_pulling(agent):
            found = states(
                "district_sync", short_dags, airflow_environment | {"SIF_DATABASE_URL": url},
                zones=["North", "South", "nowhere"], everything=True,
            )  # fmt: skip
    assert {task: state for task, state in found.items() if "[2]" not in task} == {
        "go_on": "success", "due": "success", "district.ask[0]": "success", "district.ask[1]": "success",
        "district.answered[0]": "success", "district.answered[1]": "success",
    }  # fmt: skip
    assert found["district.ask[2]"] == "failed"
    assert [(sync.zone, sync.object_name, sync.state) for sync in syncs.listed(url)] == [
        ("South", "StudentPersonal", "applied")
    ]
