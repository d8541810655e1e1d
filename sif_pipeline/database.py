"""The warehouse database: connecting, and bringing it to the current version."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Identifier, Literal
from sqlalchemy import Connection as SqlConnection
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

import warehouse
from sif_pipeline.config import Settings
from sif_pipeline.exceptions import ConfigurationError, DatabaseAhead, DatabaseUnreachable
from warehouse.base import CURRENT, CURRENT_ONLY, HISTORY, INBOX, REPORTING, Derived, OtherCode, SifObject, objects

Connection = psycopg.Connection[TupleRow]

MIGRATIONS = Path(warehouse.__file__).parent / "migrations"
REPORTING_FILES = Path(warehouse.__file__).parent / "reporting"

UPGRADE_LOCK = 7439
"""Transaction advisory lock of whoever changes tables or views, since several processes may start at once."""


class Right(NamedTuple):
    """A right that somebody has on a reporting view or function."""

    kind: str  #: relation or function
    name: str
    column: str | None  #: None: the whole view
    statement: str  #: gives it again


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


async def first(
    connection: psycopg.AsyncConnection[Any], statement: bytes, values: Mapping[str, Any]
) -> tuple[Any, ...] | None:
    """Execute a statement and give the first row that comes of it."""
    found: tuple[Any, ...] | None = await (await connection.execute(statement, values)).fetchone()
    return found


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
            config.attributes["connection"] = connection
            _upgrade(config, connection, timezone)
    except OperationalError as error:
        raise DatabaseUnreachable from error
    except CommandError as error:  # Alembic's for a revision that is in none of its files
        raise DatabaseAhead from error


def _upgrade(config: Config, connection: SqlConnection, timezone: ZoneInfo) -> None:
    """Migrate and publish in one transaction: readers see the tables and views of one version."""
    driver: Connection = cast("Connection", connection.connection.driver_connection)
    driver.execute(queries("publish")["lock"].encode(), {"lock": UPGRADE_LOCK})
    rights = _take_down(driver) if _is_behind(config, connection) else []
    command.upgrade(config, "head")
    publish(driver, timezone, rights)


def _is_behind(config: Config, connection: SqlConnection) -> bool:
    context = MigrationContext.configure(connection, opts={"version_table_schema": INBOX})
    return set(context.get_current_heads()) != set(ScriptDirectory.from_config(config).get_heads())


def publish(connection: Connection, timezone: ZoneInfo, rights: Sequence[Right] = ()) -> None:
    """Create the reporting views anew from warehouse/reporting/*.sql when the files, or the time zone, changed.

    The schema stays, and who had a right on a view has it again; `rights` are of views that were taken down before.
    Raise ConfigurationError, with their names, when objects outside the schema depend on its views.
    """
    connection.execute(queries("publish")["lock"].encode(), {"lock": UPGRADE_LOCK})
    script = reporting_script(timezone)
    digest = hashlib.sha256(script.encode()).hexdigest()
    known = connection.execute("SELECT obj_description(to_regnamespace('reporting'))").fetchone()
    if known != (f"sha256:{digest}",):
        rights = [*rights, *_take_down(connection)]
        connection.execute("CREATE SCHEMA IF NOT EXISTS reporting")
        connection.execute(script.encode())
        _give_back(connection, rights)
        connection.execute(f"COMMENT ON SCHEMA reporting IS 'sha256:{digest}'".encode())


def _take_down(connection: Connection) -> list[Right]:
    """Drop the views and functions of the reporting schema, and return the rights on them."""
    if connection.execute("SELECT to_regnamespace('reporting')").fetchone() == (None,):
        return []
    sql = queries("publish")
    rights = [Right(*row) for row in connection.execute(sql["rights"].encode())]
    try:
        for (drop,) in connection.execute(sql["drops"].encode()).fetchall():
            connection.execute(drop.encode())
    except psycopg.errors.DependentObjectsStillExist as error:
        raise ConfigurationError(
            "Objects outside schema reporting depend on its views, which have to be made anew; drop them, upgrade, "
            f"and make them again: {'; '.join((error.diag.message_detail or '').splitlines())}."
        ) from None
    connection.execute("COMMENT ON SCHEMA reporting IS NULL")
    return rights


def _give_back(connection: Connection, rights: Sequence[Right]) -> None:
    exists = queries("publish")["exists"].encode()
    for right in rights:
        target = {"kind": right.kind, "name": right.name, "column": right.column}
        if connection.execute(exists, target).fetchone() == (True,):
            connection.execute(right.statement.encode())


def reporting_script(timezone: ZoneInfo) -> str:
    """Join day_of, the views of all versions of every object and the SQL files, by prefix: dim_, fct_, rpt_."""
    versions = [_versions_view(cls) for cls in objects().values()]
    files = [path.read_text(encoding="utf-8") for path in sorted(REPORTING_FILES.glob("*.sql"))]
    return "\n".join([_day_of(timezone), *queries("readings").values(), *versions, *files])


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
    kept_apart = {"document", "content_hash", *CURRENT_ONLY}
    return [column.name for column in cls.__table__.columns if column.name not in kept_apart]


def _versions_view(cls: type[SifObject]) -> str:
    """Write the view of an object's current and closed versions; recorded_to is empty for the current one.

    held_until is recorded_to, or infinity: `held_until > moment` is true of all current rows, as planners see, and a
    range of the history's index, as `recorded_to IS NULL OR recorded_to > moment` is not.
    """
    table = cls.__tablename__
    names = [Identifier(name) for name in _columns(cls)]
    derived = [SQL("{} AS {}").format(_derivation(d), Identifier(name)) for name, d in cls.derived.items()]
    return (
        SQL(
            "CREATE VIEW {view} AS SELECT {names}, NULL::timestamptz AS recorded_to{derived},"
            " 'infinity'::timestamptz AS held_until FROM {current}"
            " UNION ALL SELECT {names}, recorded_to{derived}, recorded_to FROM {past};"
        )
        .format(
            view=Identifier(REPORTING, f"{table}_versions"),
            names=SQL(", ").join(names),
            derived=Composed([part for found in derived for part in (SQL(", "), found)]),
            current=Identifier(CURRENT, table),
            past=Identifier(HISTORY, table),
        )
        .as_string()
    )


def _derivation(derived: Derived) -> Composed:
    """Write the expression that takes a declared extended element, or the codes of one Codeset, out of its JSON."""
    if isinstance(derived, OtherCode):
        path = Literal(f'$[*] ? (@."@Codeset" == "{derived.codeset}")."$"')
        reading = _ALL if derived.every else _FIRST
        return SQL(reading).format(column=Identifier(derived.column), path=path)
    text = SQL("(extended ->> {name})").format(name=Literal(derived.name))
    return SQL(_READINGS[derived.type]).format(text)


_FIRST = "jsonb_path_query_first({column}, {path}) #>> '{{}}'"
_ALL = "ARRAY(SELECT jsonb_array_elements_text(jsonb_path_query_array({column}, {path})))"
_READINGS = {
    str: "{}",
    date: "reporting.as_date({})",
    int: "reporting.as_integer({})",
    Decimal: "reporting.as_numeric({})",
}


def vacuum_covered(connection: Connection, *, analyze: bool = True) -> None:
    """Vacuum the tables whose covering indexes the reports read; the connection commits each statement.

    Without it PostgreSQL looks every new row up to see whether it may be seen. Skips what another has locked. `analyze`
    brings the planner's statistics of them up to date too.
    """
    options = SQL("ANALYZE, SKIP_LOCKED" if analyze else "SKIP_LOCKED")
    for cls in objects().values():
        if cls.covering is not None:
            tables = [Identifier(schema, cls.__tablename__) for schema in (CURRENT, HISTORY)]
            connection.execute(SQL("VACUUM ({}) {}").format(options, SQL(", ").join(tables)))


def queries(name: str) -> dict[str, str]:
    """Read sif_pipeline/sql/NAME.sql into its queries; each starts with a line `-- name: QUERY`."""
    text = (resources.files("sif_pipeline") / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    parts = text.split("-- name: ")[1:]
    return {head.strip(): body.strip() for head, _, body in (part.partition("\n") for part in parts)}
