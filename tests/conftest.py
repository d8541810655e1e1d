"""A private embedded server per session, a new migrated database per test or module, and the official schema."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import hypothesis
import psycopg
import pytest
import sif_official
from lxml import etree
from psycopg import sql
from sqlalchemy import make_url

from benchmarks.databases import drop
from sif_pipeline import database
from sif_pipeline.config import Settings
from sif_pipeline.local import postgres

hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")
# How long a case takes says how busy the machine is.


def _on(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@contextmanager
def _fresh(server: str, template: str) -> Iterator[str]:
    """Give the URL of a new database made from `template`, and drop it afterwards, whoever is connected."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as admin:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
    try:
        yield _on(server, name)
    finally:
        drop(server, name)


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Make the settings of this session: a temporary SIF_HOME, and SIF_DATABASE_URL as it is."""
    database_url = os.environ.get("SIF_DATABASE_URL") or None
    return Settings(home=tmp_path_factory.mktemp("home"), database_url=database_url)


@pytest.fixture(scope="session")
def database_server(settings: Settings) -> Iterator[str]:
    """Give the URL of a server, embedded and durable or SIF_DATABASE_URL, whose role may create databases."""
    with postgres.running(settings) as url:
        yield url


@pytest.fixture(scope="session")
def _template(database_server: str) -> Iterator[str]:
    with _fresh(database_server, "template1") as url:
        database.upgrade(url)
        yield make_url(url).database or ""


@pytest.fixture
def empty_database_url(database_server: str) -> Iterator[str]:
    """Give a database of the test's own without any schema of ours, for migrations."""
    with _fresh(database_server, "template1") as url:
        yield url


@pytest.fixture
def database_url(database_server: str, _template: str) -> Iterator[str]:
    """Give a database of the test's own with all migrations applied."""
    with _fresh(database_server, _template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(database_server: str, _template: str) -> Iterator[str]:
    """Give a migrated database that the tests of one module share."""
    with _fresh(database_server, _template) as url:
        yield url


@pytest.fixture(scope="session")
def official() -> etree.XMLSchema:
    """Give the official SIF 2.6 schema."""
    if (schema := sif_official.official()) is None:
        pytest.skip("needs the official SIF 2.6 schema, which is not part of the project")
    return schema
