"""The command line as a person uses it: real processes, a real database; what they read and the exit code."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from sif_pipeline.local import cluster

EXAMPLES = Path(__file__).parent.parent / "examples"


def sif_pipeline(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sif_pipeline", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "COLUMNS": "200", **environment},
    )


def sentence(run: subprocess.CompletedProcess[str]) -> str:
    """Give the one line that a failed command printed; there is nothing else, and no traceback."""
    assert run.returncode == 2, run.stderr
    (line,) = run.stderr.strip().splitlines()
    return line


@pytest.fixture
def warehouse(database_url: str) -> dict[str, str]:
    return {"SIF_DATABASE_URL": database_url}


def test_from_files_to_a_report(warehouse: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "state"
    written = sif_pipeline("synth", "--districts", "1", "--students", "60", "--seed", "3", "--out", str(out))
    assert written.returncode == 0
    (district,) = out.iterdir()
    added = sif_pipeline("zone", "add", "north", "--lea", district.name, **warehouse)
    assert added.stdout.startswith("http://127.0.0.1:7080/zone/")
    received = sif_pipeline("receive", "--zone", "north", str(district), **warehouse)
    assert received.returncode == 0
    assert " 0 held already" in received.stdout
    assert "rejected" in sif_pipeline("drain", "--until-empty", **warehouse).stdout

    (zone,) = json.loads(sif_pipeline("status", "--format", "json", **warehouse).stdout)
    assert zone["zone"] == "north"
    assert zone["pending"] == 0
    assert zone["received"] == zone["loaded"] + zone["held"] + zone["rejected"]

    manifest = [json.loads(line) for line in (district / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    expected = {line["object"]: line["in_warehouse"] for line in manifest if line["record"] == "count"}
    report = json.loads(sif_pipeline("report", "attendance", "--format", "json", **warehouse).stdout)
    assert [line["students"] for line in report] == [expected["StudentPersonal"]]


def test_receiving_a_file_again_changes_nothing(warehouse: dict[str, str], tmp_path: Path) -> None:
    sif_pipeline("zone", "add", "north", "--lea", "09990001", **warehouse)
    file = EXAMPLES / "LEAInfo" / "valid"
    first = sif_pipeline("receive", "--zone", "north", str(file), **warehouse)
    again = sif_pipeline("receive", "--zone", "north", str(file), **warehouse)
    number = len(list(file.glob("*.xml")))
    assert first.stdout.startswith(f"{number} messages stored, 0 held already")
    assert again.stdout.startswith(f"0 messages stored, {number} held already")


def test_replay_leaves_reports_as_they_were(warehouse: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "state"
    sif_pipeline("synth", "--districts", "1", "--students", "60", "--seed", "4", "--bad", "0.1", "--out", str(out))
    sif_pipeline("zone", "add", "north", "--lea", "09990001", **warehouse)
    sif_pipeline("receive", "--zone", "north", str(out), **warehouse)
    sif_pipeline("drain", **warehouse)
    names = ("attendance", "enrollment_by_grade")

    def reports() -> list[str]:
        return [sif_pipeline("report", name, "--format", "csv", **warehouse).stdout for name in names]

    before = reports()
    assert sif_pipeline("replay", "--zone", "north", **warehouse).returncode == 0
    assert reports() == before
    assert "\n09990001," in before[0]  # on any day of any year; who is enrolled is a matter of the day


def test_validate_needs_no_database_and_tells_errors_by_exit_code() -> None:
    nowhere = {"SIF_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    good = sif_pipeline("validate", str(EXAMPLES / "TermInfo" / "valid"), **nowhere)
    bad = sif_pipeline("validate", str(EXAMPLES / "TermInfo" / "invalid"), "--format", "json", **nowhere)
    assert good.returncode == 0
    assert bad.returncode == 1
    found = {(Path(finding["file"]).name.partition("--")[0], finding["code"]) for finding in json.loads(bad.stdout)}
    assert found
    assert {expected for expected, code in found if expected != code} == set()


def test_progress_is_silent_in_a_pipe(warehouse: dict[str, str]) -> None:
    assert sif_pipeline("drain", **warehouse).stderr == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("report", "no_such_report"), "enrollment_by_grade"),
        (("receive", "--zone", "nowhere", str(EXAMPLES)), "`sif-pipeline status` lists the zones"),
        (("replay", "--zone", "nowhere"), "`sif-pipeline status` lists the zones"),
        (("report", "attendance", "--as-of", "yesterday"), "2026-10-01"),
        (("zone", "add", "not a name!", "--lea", "1"), "letters"),
        (("--no-such-option",), "see `sif-pipeline --help`"),
        (("zone", "add"), "Missing argument 'name'; see `sif-pipeline zone add --help`"),
        (("zone", "lst"), "No such command 'lst'. Did you mean 'list', 'set'? See `sif-pipeline zone --help`."),
        (("report", "attendance", "--format", "pdf"), "table, csv, json"),
    ],
)
def test_what_a_person_can_mend_is_one_sentence(
    arguments: tuple[str, ...], words: str, warehouse: dict[str, str]
) -> None:
    assert words in sentence(sif_pipeline(*arguments, **warehouse))


def test_a_zone_that_is_there_already(warehouse: dict[str, str]) -> None:
    sif_pipeline("zone", "add", "north", "--lea", "09990001", **warehouse)
    assert "north" in sentence(sif_pipeline("zone", "add", "north", "--lea", "09990001", **warehouse))


def test_a_database_that_does_not_answer() -> None:
    said = sentence(sif_pipeline("status", SIF_DATABASE_URL="postgresql://nobody@127.0.0.1:1/none"))
    assert "SIF_DATABASE_URL" in said


def test_a_database_of_a_newer_release(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE inbox.alembic_version SET version_num = '9999'")
    assert "newer release" in sentence(sif_pipeline("status", SIF_DATABASE_URL=database_url))


def test_a_table_that_somebody_dropped(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE inbox.zone DROP COLUMN lea_code CASCADE")
    assert "db upgrade" in sentence(sif_pipeline("zone", "add", "a", "--lea", "1", SIF_DATABASE_URL=database_url))


def test_the_version() -> None:
    assert sif_pipeline("--version").stdout.startswith("sif-pipeline ")


def test_a_port_that_is_taken(warehouse: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "--port" in sentence(sif_pipeline("serve", "--port", port, **warehouse))


def test_a_setting_that_makes_no_sense() -> None:
    assert "SIF_TIMEZONE" in sentence(sif_pipeline("status", SIF_TIMEZONE="Boston"))


def test_a_full_disk_is_said_in_a_sentence(warehouse: dict[str, str], database_url: str) -> None:
    """The server's own 53100 (disk_full), provoked where the drain settles."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "CREATE FUNCTION inbox.full() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no space' USING ERRCODE = '53100'; END $$"
        )
        connection.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON inbox.message FOR EACH ROW EXECUTE FUNCTION inbox.full()"
        )
    sif_pipeline("zone", "add", "north", "--lea", "09990001", **warehouse)
    said = sentence(sif_pipeline("receive", "--zone", "north", str(EXAMPLES / "LEAInfo" / "valid"), **warehouse))
    assert "out of disk" in said


@pytest.mark.parametrize(
    "command",
    [
        "db",
        "zone",
        "serve",
        "receive",
        "drain",
        "validate",
        "status",
        "findings",
        "replay",
        "report",
        "synth",
        "demo",
        "up",
    ],
)
def test_help_explains_itself_with_an_example(command: str) -> None:
    arguments = {"db": ("db", "upgrade"), "zone": ("zone", "add")}.get(command, (command,))
    said = sif_pipeline(*arguments, "--help")
    assert said.returncode == 0
    assert f"Example: sif-pipeline {' '.join(arguments)}" in " ".join(said.stdout.split())


def test_a_server_that_dies_is_started_again_while_a_command_stays_and_stops_with_it(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "SIF_DATABASE_URL"}
    drain = subprocess.Popen(
        [sys.executable, "-m", "sif_pipeline", "drain", "--forever"], env={**environment, "SIF_HOME": str(tmp_path)}
    )
    pid = tmp_path / "postgres" / "data" / "postmaster.pid"
    try:
        first = _pid_in(pid, unlike=None)
        _await_drain(tmp_path / "postgres")
        os.kill(first, signal.SIGKILL)
        assert _pid_in(pid, unlike=first) != first
        drain.terminate()
        assert drain.wait(60) == 128 + signal.SIGTERM
        assert not pid.exists()
    finally:
        drain.kill()


def _await_drain(root: Path) -> None:
    deadline = time.monotonic() + 60
    at_work = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sif-drain'"
    while time.monotonic() < deadline:
        with suppress(psycopg.Error), psycopg.connect(cluster.url(root)) as connection:
            if connection.execute(at_work).fetchone() == (1,):
                return
        time.sleep(0.1)
    raise AssertionError("the drain did not start")


def _pid_in(file: Path, unlike: int | None) -> int:
    """Wait until a server has written its pid, and it answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError, ValueError, IndexError):
            lines = file.read_text(encoding="utf-8").splitlines()
            if int(lines[0]) != unlike and lines[7].strip() == "ready":
                return int(lines[0])
        time.sleep(0.1)
    raise AssertionError("no server came up")
