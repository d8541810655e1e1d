"""Databases to measure in: made once in each state the rows need, cloned for every measurement, dropped after it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
from psycopg.errors import InsufficientPrivilege
from psycopg.sql import SQL, Identifier
from sqlalchemy import make_url

from benchmarks.meter import stat
from benchmarks.work import ZONE
from sif_pipeline import database
from sif_pipeline.config import Settings
from sif_pipeline.local import postgres
from warehouse.base import CURRENT, INBOX


@contextmanager
def serving() -> Iterator[tuple[Path, str]]:
    """Give a temporary folder, and the URL of SIF_DATABASE_URL's server or of an embedded one of its own."""
    with TemporaryDirectory(prefix="sif-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root, the embedded server runs as another user
        settings = Settings(folder / "home", Settings.from_environment().database_url)
        settings.home.mkdir()
        with postgres.running(settings) as server:
            yield folder, server


@contextmanager
def clone(server: str, template: str = "template1") -> Iterator[str]:
    """Give the URL of a new database like `template`, a database's name; it is dropped at the end."""
    name = f"bench_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        # FILE_COPY ends with a checkpoint: no measurement pays for the writing of what came before it.
        create = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        admin.execute(create.format(Identifier(name), Identifier(template)))
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        drop(server, name)


def drop(server: str, name: str) -> None:
    """Drop a database of this role's, whoever is connected to it."""
    with psycopg.connect(server, autocommit=True) as admin:
        try:
            admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
        except InsufficientPrivilege:
            # Autovacuum is at work in it: FORCE may not end a superuser's process, a plain DROP asks it to leave.
            admin.execute(SQL("DROP DATABASE {}").format(Identifier(name)))


def migrate(url: str) -> None:
    """Give a database our tables and one zone."""
    database.upgrade(url)
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO inbox.zone (name, lea_code, token_sha256) VALUES (%(name)s, '09990001', ''::bytea)",
            {"name": ZONE},
        )


def vacuum(url: str) -> None:
    """Do what autovacuum does after a load, or it would do it while something else is measured."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


def name_of(url: str) -> str:
    """Give the name of a URL's database."""
    return make_url(url).database or ""


def postmaster_of(server: str) -> int:
    """Find the server's process on this machine, so that its CPU can be counted; 0 when it is elsewhere."""
    with psycopg.connect(server) as connection:
        backend = stat(connection.info.backend_pid)
        return int(backend[1]) if backend and _is_postgres(connection.info.backend_pid) else 0


def _is_postgres(pid: int) -> bool:
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").startswith("postgres")


def export(url: str, folder: Path) -> None:
    """Write the rows of a loaded database as COPY text: current tables and object events, one file each."""
    folder.mkdir()
    with psycopg.connect(url) as connection:
        for schema, table in _tables(connection):
            statement = SQL("COPY {} TO STDOUT").format(Identifier(schema, table))
            with connection.cursor() as cursor, cursor.copy(statement) as source:
                (folder / f"{schema}.{table}.copy").write_bytes(b"".join(source))


def make_plain(url: str) -> None:
    """Make the tables of `export` again, unlogged and without keys, in schemas named plain_..."""
    with psycopg.connect(url) as connection:
        for name in (CURRENT, INBOX):
            connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(f"plain_{name}")))
        for schema, table in _tables(connection):
            create = SQL("CREATE UNLOGGED TABLE {} (LIKE {})")
            connection.execute(create.format(Identifier(f"plain_{schema}", table), Identifier(schema, table)))


def _tables(connection: psycopg.Connection[tuple[str, str]]) -> list[tuple[str, str]]:
    found = connection.execute(
        "SELECT schemaname, tablename FROM pg_tables"
        " WHERE schemaname = 'sif' OR (schemaname, tablename) = ('inbox', 'object_event') ORDER BY 1, 2"
    )
    return found.fetchall()
