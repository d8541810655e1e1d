"""What most tests of the drain stand on: a database of their module, a connection to it, a zone of their own in it."""

import pytest
import sif_text as sif


@pytest.fixture(scope="module")
def url(module_database_url):
    """Give the URL of the module's database."""
    return module_database_url


@pytest.fixture(scope="module")
def connection(url):
    """Give a connection to the module's database, by which a test drains."""
    with sif.connected(url) as connection:
        yield connection


@pytest.fixture
def zone(connection):
    """Give the inbox of a new zone."""
    return sif.Inbox.new(connection)
