"""The embedded server: shared by processes, gone after the last, up again after every kind of crash."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from sif_pipeline.config import PROJECT, Settings
from sif_pipeline.exceptions import ConfigurationError, DatabaseUnreachable
from sif_pipeline.local import kept, postgres

USER = """
import os, sys
from sif_pipeline.config import Settings
from sif_pipeline.local import postgres
with postgres.running(Settings.from_environment()) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Make a cluster once; starting it again takes a tenth of a second."""
    settings = Settings(home=tmp_path_factory.mktemp("cluster"), database_url=None)
    with postgres.running(settings) as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (word text PRIMARY KEY)")
    return settings


@contextmanager
def another_process(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "SIF_HOME": str(settings.home), "SIF_DATABASE_URL": ""}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", USER], env=environment, cwd=PROJECT, stdin=pipe, stdout=pipe, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("postgresql://")
        yield process


def postmaster(settings: Settings) -> psutil.Process:
    return psutil.Process(int((settings.home / "postgres/data/postmaster.pid").read_text().split("\n")[0]))


def test_runs_as_long_as_somebody_uses_it(made: Settings) -> None:
    with postgres.running(made) as first, postgres.running(made) as second:
        assert first == second
    assert not postgres.is_running(made)


def test_is_shared_with_another_process(made: Settings) -> None:
    with another_process(made) as other:
        with postgres.running(made):
            pass
        assert postgres.is_running(made)
        other.communicate()
    assert not postgres.is_running(made)


def test_is_adopted_from_a_user_that_was_killed(made: Settings) -> None:
    with another_process(made) as other:
        other.kill()
        other.wait()
        before = postmaster(made).pid
        with postgres.running(made):
            assert postmaster(made).pid == before
    assert not postgres.is_running(made)


def test_recovers_what_was_committed_after_a_crash(made: Settings) -> None:
    with postgres.running(made) as url:
        with psycopg.connect(url) as connection:
            connection.execute("INSERT INTO kept VALUES ('committed') ON CONFLICT DO NOTHING")
        server = postmaster(made)
        children = server.children(recursive=True)
        server.send_signal(signal.SIGKILL)
        psutil.wait_procs([server, *children], timeout=60)
        with postgres.running(made) as again, psycopg.connect(again) as connection:
            assert ("committed",) in connection.execute("SELECT word FROM kept").fetchall()


def test_starts_over_a_pid_that_is_another_program_by_now(made: Settings) -> None:
    pid_file = made.home / "postgres/data/postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{made.home / 'postgres/data'}\n0\n54320\n\n127.0.0.1\n\nready\n")
    with postgres.running(made):
        assert postmaster(made).name() == "postgres"


def test_takes_the_next_port_when_its_own_is_taken(made: Settings) -> None:
    with postgres.running(made) as url:
        port = psycopg.conninfo.conninfo_to_dict(url)["port"]
    with socket.create_server(("127.0.0.1", int(str(port)))), postgres.running(made) as url:
        moved = psycopg.conninfo.conninfo_to_dict(url)["port"]
        assert moved != port
    with postgres.running(made) as url:
        assert psycopg.conninfo.conninfo_to_dict(url)["port"] == moved


def test_started_explicitly_it_outlives_its_users(made: Settings) -> None:
    postgres.start(made)
    try:
        with postgres.running(made):
            pass
        assert postgres.is_running(made)
    finally:
        postgres.stop(made)
    assert not postgres.is_running(made)


def test_password_is_readable_by_its_owner_only_and_needed(made: Settings) -> None:
    assert (made.home / "postgres/password").stat().st_mode & 0o777 == 0o600
    with postgres.running(made) as url, pytest.raises(psycopg.OperationalError):
        psycopg.connect(psycopg.conninfo.make_conninfo(url, password="guess"))


def test_pipeline_is_no_superuser_and_commits_durably(made: Settings) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "is_superuser")
    with postgres.running(made) as url, psycopg.connect(url) as connection:
        found = {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in names}
    assert found == {name: ("off" if name == "is_superuser" else "on",) for name in names}


def test_log_holds_no_value(made: Settings) -> None:
    with postgres.running(made) as url, psycopg.connect(url, autocommit=True) as connection:
        for statement in ("SELECT 'Mustermann'::int", "INSERT INTO kept VALUES ('Mustermann'), ('Mustermann')"):
            with pytest.raises(psycopg.DataError if "int" in statement[:26] else psycopg.IntegrityError):
                connection.execute(statement.encode())
    logs = list((made.home / "postgres/log").iterdir())
    assert logs
    assert all("Mustermann" not in log.read_text() for log in logs)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may enter a folder that is closed to all")
def test_root_runs_it_below_a_closed_folder_and_opens_nothing(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with postgres.running(Settings(home=closed / "home", database_url=None)) as url:
        psycopg.connect(url).close()
        assert postmaster(Settings(home=closed / "home", database_url=None)).username() == "nobody"
    assert closed.stat().st_mode & 0o777 == 0o700
    assert closed.stat().st_uid == 0


def test_another_major_version_is_one_sentence(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=None)
    with postgres.running(settings):
        pass
    (tmp_path / "postgres/data/PG_VERSION").write_text("12\n")
    with pytest.raises(ConfigurationError, match="was made by PostgreSQL 12") as raised, postgres.running(settings):
        pass
    assert "\n" not in str(raised.value)


def test_interrupted_making_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres/data.new").mkdir(parents=True)
    (tmp_path / "postgres/data.new/PG_VERSION").write_text("18\n")
    with postgres.running(Settings(home=tmp_path, database_url=None)) as url:
        psycopg.connect(url).close()


def test_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(ConfigurationError, match="SIF_HOME cannot be written"),
        postgres.running(Settings(home=tmp_path / "file", database_url=None)),
    ):
        pass


def test_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The threshold is moved instead of filling a disk: which sentence is said is what matters here.
    monkeypatch.setattr("sif_pipeline.local.cluster._MINIMUM_FREE_BYTES", 2**63)
    with (
        pytest.raises(DatabaseUnreachable, match=r"^The disk under .* is full"),
        postgres.running(Settings(home=tmp_path, database_url=None)),
    ):
        pass


def test_server_by_url_is_used_as_it_is(tmp_path: Path, database_server: str) -> None:
    with postgres.running(Settings(home=tmp_path, database_url=database_server)) as url:
        assert url == database_server
    assert not list(tmp_path.iterdir())


def test_airflow_has_a_database_of_its_own(database_server: str) -> None:
    for _twice in range(2):
        with psycopg.connect(postgres.airflow_url(database_server)) as connection:
            assert connection.info.dbname == "airflow"


def test_secret_is_made_once(tmp_path: Path) -> None:
    first = kept.secret(tmp_path / "secret")
    assert kept.secret(tmp_path / "secret") == first
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
