"""The warehouse database: connecting, and bringing it to the current version."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

import warehouse
from sif_pipeline.config import Settings
from sif_pipeline.exceptions import DatabaseUnreachable
from warehouse.base import CURRENT, HISTORY, REPORTING, SifObject, objects

Connection = psycopg.Connection[TupleRow]

MIGRATIONS = Path(warehouse.__file__).parent / "migrations"
REPORTING_FILES = Path(warehouse.__file__).parent / "reporting"

UPGRADE_LOCK = 7439
"""Transaction advisory lock of whoever changes tables or views, since several processes may start at once."""


def connect(
    url: str, settings: Mapping[str, str] | None = None, *, autocommit: bool = False
) -> psycopg.Connection[TupleRow]:
    """Open a connection to the warehouse; `settings` are PostgreSQL settings of the session.

    Raise DatabaseUnreachable, without the server's words, when there is no answer within ten seconds.
    """
    options = " ".join(f"-c {name}={value}" for name, value in (settings or {}).items())
    try:
        connection = psycopg.connect(url, autocommit=autocommit, connect_timeout=10, options=options)
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable from error
    connection.adapters.register_loader("uuid", HexadecimalLoader)
    return connection


class HexadecimalLoader(Loader):
    """Gives a uuid as our keys are spelt, 32 hexadecimal digits: a drain reads and compares many."""

    def load(self, data: Buffer) -> str:
        """Take the hyphens out of PostgreSQL's spelling."""
        return bytes(data).decode().replace("-", "")


def engine(url: str) -> Engine:
    """Make a SQLAlchemy engine over the same driver, for migrations and metadata."""
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)


@contextmanager
def session(url: str, settings: Mapping[str, str] | None = None) -> Iterator[psycopg.Connection[TupleRow]]:
    """Give a connection for one unit of work: committed at the end, rolled back on an exception."""
    with connect(url, settings) as connection:
        yield connection


def upgrade(url: str) -> None:
    """Bring schemas, tables and reporting views to the current version; does nothing when they are.

    The days of the reports are those of the time zone in SIF_TIMEZONE.
    """
    timezone = Settings.from_environment().timezone
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    try:
        with engine(url).begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": UPGRADE_LOCK})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except OperationalError as error:
        raise DatabaseUnreachable from error
    with session(url) as connection:
        publish(connection, timezone)


def publish(connection: psycopg.Connection[TupleRow], timezone: ZoneInfo) -> None:
    """Create the reporting schema anew from warehouse/reporting/*.sql when the files, or the time zone, changed."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [UPGRADE_LOCK])
    script = reporting_script(timezone)
    digest = hashlib.sha256(script.encode()).hexdigest()
    known = connection.execute("SELECT obj_description(to_regnamespace('reporting'))").fetchone()
    if known != (f"sha256:{digest}",):
        connection.execute("DROP SCHEMA IF EXISTS reporting CASCADE; CREATE SCHEMA reporting")
        connection.execute(script.encode())
        connection.execute(f"COMMENT ON SCHEMA reporting IS 'sha256:{digest}'".encode())


def reporting_script(timezone: ZoneInfo) -> str:
    """Join day_of, the views of all versions of every object and the SQL files, by prefix: dim_, fct_, rpt_."""
    versions = [_versions_view(cls.__tablename__, _columns(cls)) for cls in objects().values()]
    files = [path.read_text(encoding="utf-8") for path in sorted(REPORTING_FILES.glob("*.sql"))]
    return "\n".join([_day_of(timezone), *versions, *files])


def _day_of(timezone: ZoneInfo) -> str:
    """Write the function that gives a moment's day in the state; a session's own time zone has no say in it."""
    return (
        SQL(
            "CREATE FUNCTION reporting.day_of(at timestamptz) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE"
            " RETURN (at AT TIME ZONE {zone})::date;"
        )
        .format(zone=Literal(timezone.key))
        .as_string()
    )


def _columns(cls: type[SifObject]) -> list[str]:
    kept_apart = {"document", "content_hash"}
    return [column.name for column in cls.__table__.columns if column.name not in kept_apart]


def _versions_view(table: str, columns: list[str]) -> str:
    """Write the view of an object's current and closed versions; recorded_to is empty for the current one."""
    names = SQL(", ").join(map(Identifier, columns))
    return (
        SQL(
            "CREATE VIEW {view} AS SELECT {names}, NULL::timestamptz AS recorded_to FROM {current}"
            " UNION ALL SELECT {names}, recorded_to FROM {past};"
        )
        .format(
            view=Identifier(REPORTING, f"{table}_versions"),
            names=names,
            current=Identifier(CURRENT, table),
            past=Identifier(HISTORY, table),
        )
        .as_string()
    )


def queries(name: str) -> dict[str, str]:
    """Read sif_pipeline/sql/NAME.sql into its queries; each starts with a line `-- name: QUERY`."""
    text = (resources.files("sif_pipeline") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    parts = text.split("-- name: ")[1:]
    return {head.strip(): body.strip() for head, _, body in (part.partition("\n") for part in parts)}
