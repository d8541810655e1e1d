"""Migrations and metadata agree, go both ways, and the reporting views follow their files."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from sif_pipeline import database
from sif_pipeline.config import Settings
from sif_pipeline.reference import views
from warehouse.base import CURRENT, HISTORY, INBOX, OUTBOX, objects

ZONE = Settings.from_environment().timezone
SCHEMAS = {INBOX, OUTBOX, CURRENT, HISTORY}


@contextmanager
def alembic(url: str) -> Iterator[Config]:
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    with database.engine(url).begin() as connection:
        config.attributes["connection"] = connection
        yield config


def tables(url: str) -> set[tuple[str, str]]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema = ANY(%s)",
            [[*SCHEMAS, "reporting"]],
        )
        return {(schema, name) for schema, name in found}


def columns(url: str) -> dict[str, list[tuple[str, str]]]:
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a"
            " JOIN pg_class AS c ON c.oid = a.attrelid WHERE c.relnamespace = 'reporting'::regnamespace"
            " AND c.relkind IN ('v', 'm') AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
        ).fetchall()
    by_view: dict[str, list[tuple[str, str]]] = {}
    for view, column, type_ in found:
        by_view.setdefault(view, []).append((column, type_))
    return by_view


def fingerprint(url: str) -> str:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT string_agg(c.oid::text, ' ' ORDER BY c.oid) FROM pg_class AS c").fetchone()[0]


def test_migrations_make_what_the_metadata_state(empty_database_url):
    """Types, defaults and comments too, as warehouse/migrations/env.py sets it up for autogenerate."""
    database.upgrade(empty_database_url)
    with alembic(empty_database_url) as config:
        command.check(config)


def test_upgrading_twice_changes_nothing(database_url):
    before = fingerprint(database_url)
    database.upgrade(database_url)
    assert fingerprint(database_url) == before


def test_downgrading_takes_everything_back_and_upgrading_makes_it_again(database_url):
    before = tables(database_url)
    with alembic(database_url) as config:
        command.downgrade(config, "base")
    assert tables(database_url) == {(INBOX, "alembic_version")}
    database.upgrade(database_url)
    assert tables(database_url) == before


@pytest.mark.parametrize("view", views.views(), ids=lambda view: view.name)
def test_reporting_view_returns_the_documented_columns_now_and_as_of(module_database_url, view):
    now = psycopg.sql.SQL("SELECT * FROM {}").format(psycopg.sql.Identifier("reporting", view.name))
    then = psycopg.sql.SQL("SELECT * FROM {}('2026-10-01')").format(
        psycopg.sql.Identifier("reporting", f"{view.name}_as_of")
    )
    names = [name for name, _ in view.columns]
    with psycopg.connect(module_database_url) as connection:
        for statement in (now, then):
            cursor = connection.execute(statement)
            assert [column.name for column in cursor.description] == names
            cursor.fetchall()
    assert columns(module_database_url)[view.name] == list(view.columns)


@pytest.mark.parametrize("cls", [pytest.param(cls, id=name) for name, cls in objects().items()])
def test_versions_view_has_every_column_but_the_document(module_database_url, cls):
    expected = [c.name for c in cls.history.columns if c.name not in {"document", "content_hash"}]
    expected += [*cls.derived, "held_until"]
    assert [name for name, _ in columns(module_database_url)[f"{cls.__tablename__}_versions"]] == expected


def test_views_are_made_anew_when_a_file_changes_and_only_then(database_url, tmp_path, monkeypatch):
    for file in database.REPORTING_FILES.glob("*.sql"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(database, "REPORTING_FILES", tmp_path)
    with database.session(database_url) as connection:
        database.publish(connection, ZONE)
    before = fingerprint(database_url)
    (tmp_path / "rpt_zones.sql").write_text(
        "-- One row per zone.\nCREATE VIEW reporting.rpt_zones AS SELECT name FROM inbox.zone;\n", encoding="utf-8"
    )
    with database.session(database_url) as connection:
        database.publish(connection, ZONE)
    assert columns(database_url)["rpt_zones"] == [("name", "text")]
    changed = fingerprint(database_url)
    assert changed != before
    with database.session(database_url) as connection:
        database.publish(connection, ZONE)
    assert fingerprint(database_url) == changed
