"""What the command line lists, a program can read: JSON of every list, the same in CSV, and a table for people."""

import csv
import importlib
import io
import json
import pkgutil
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import typer
from sif_command import done
from sif_zone import SOURCE, District, event, provision, register

from sif_pipeline import cli

LISTING = {"list", "show", "refusals", "status", "findings"}
"""Names of commands that list something."""


def commands() -> dict[str, list[str]]:
    """Give the options of every command, by its words."""
    for module in pkgutil.iter_modules(cli.__path__):
        importlib.import_module(f"{cli.__name__}.{module.name}")
    return dict(_below(typer.main.get_command(cli.app), ""))


def _below(command: Any, path: str) -> Iterator[tuple[str, list[str]]]:
    for name, below in getattr(command, "commands", {}).items():
        yield from _below(below, f"{path} {name}".strip())
    if not hasattr(command, "commands"):
        yield path, [option for parameter in command.params for option in parameter.opts]


LISTS = sorted(path for path in commands() if path.split()[-1] in LISTING)


def test_every_list_comes_in_all_formats() -> None:
    assert {path for path in LISTS if "--format" not in commands()[path]} == set()
    assert {"zone list", "agent list", "queue list", "request list", "sync list", "zone certificate list"} <= set(LISTS)


@pytest.fixture(scope="module")
def listed(module_database_url: str) -> dict[str, list[str]]:
    """Give what the commands need after their words, in a zone where there is something to list."""
    zone = District(module_database_url)
    assert zone.send(register(), provision("StudentPersonal", "SchoolInfo"), event(), event(source="X")) == [
        0,
        0,
        0,
        (4, 9),
    ]
    request = ("request", "StudentPersonal", "--zone", "District-0101")
    done(module_database_url, *request)
    done(module_database_url, *request, "--sync")
    with psycopg.connect(module_database_url) as connection:
        (msg_id,) = connection.execute("SELECT msg_id FROM outbox.request WHERE sync_id IS NULL").fetchone() or ("",)
        (sync_id,) = connection.execute("SELECT sync_id FROM outbox.sync").fetchone() or (0,)
    return {
        "agent show": ["District-0101", SOURCE], "findings": ["--zone", "District-0101"],
        "queue show": ["District-0101"], "request show": [msg_id], "sync show": [str(sync_id)],
        "zone refusals": ["District-0101"], "zone show": ["District-0101"],
    }  # fmt: skip


MAY_BE_EMPTY = {"zone certificate list", "findings", "sync show"}
"""Of what the zone of this test has none: certificates, findings, differences."""


@pytest.mark.parametrize("path", LISTS)
def test_a_list_says_the_same_in_every_format(
    listed: dict[str, list[str]], module_database_url: str, path: str
) -> None:
    words = [*path.split(), *listed.get(path, [])]
    in_json = json.loads(done(module_database_url, *words, "--format", "json"))
    in_csv = list(csv.reader(io.StringIO(done(module_database_url, *words, "--format", "csv"))))
    assert [list(line) for line in in_json] == [in_csv[0]] * (len(in_csv) - 1)
    assert path in MAY_BE_EMPTY or in_json
    assert done(module_database_url, *words)
