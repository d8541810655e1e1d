"""What the command line lists, a program can read: JSON of every list, the same in CSV, and a table for people."""

import csv
import importlib
import io
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import typer
from sif_command import done
from sif_zone import SOURCE, District, event, provision, register

from sif_pipeline import cli

LISTING = {"list", "show", "rights", "refusals", "status", "findings"}
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
    done(module_database_url, "agent", "deny", "District-0101", "X", "register")
    request = ("request", "StudentPersonal", "--zone", "District-0101")
    done(module_database_url, *request)
    done(module_database_url, *request, "--sync")
    with psycopg.connect(module_database_url) as connection:
        (msg_id,) = connection.execute("SELECT msg_id FROM outbox.request WHERE sync_id IS NULL").fetchone() or ("",)
        (sync_id,) = connection.execute("SELECT sync_id FROM outbox.sync").fetchone() or (0,)
    return {
        "agent show": ["District-0101", SOURCE], "findings": ["--zone", "District-0101"],
        "agent rights": ["District-0101"],
        "queue show": ["District-0101"], "request show": [msg_id], "sync show": [str(sync_id)],
        "zone refusals": ["District-0101"], "zone show": ["District-0101"],
    }  # fmt: skip


MAY_BE_EMPTY = {"zone certificate list", "findings", "sync show"}
"""Of what the zone of this test has none: certificates, findings, differences."""


OF_ONE = {"zone show", "agent show", "request show"}
"""What shows one thing: in JSON an object, whose names are the lines of the others."""


@pytest.mark.parametrize("path", LISTS)
def test_a_list_says_the_same_in_every_format(
    listed: dict[str, list[str]], module_database_url: str, path: str
) -> None:
    words = [*path.split(), *listed.get(path, [])]
    in_json = json.loads(done(module_database_url, *words, "--format", "json"))
    in_csv = list(csv.reader(io.StringIO(done(module_database_url, *words, "--format", "csv"))))
    if path in OF_ONE:
        assert {name for name, value in in_json.items() if not isinstance(value, dict | list)} <= {n for n, _ in in_csv}
    else:
        lines = in_json["differences"] if path == "sync show" else in_json
        assert [list(line) for line in lines] == [in_csv[0]] * (len(in_csv) - 1)
    assert path in MAY_BE_EMPTY or in_json
    assert done(module_database_url, *words)


def cells(found: Any) -> Iterator[tuple[str, Any]]:
    """Give the names and values of all that a command told in JSON."""
    for one in found if isinstance(found, list) else [found]:
        for name, value in one.items() if isinstance(one, dict) else ():
            yield name, value
            yield from cells(value if isinstance(value, list | dict) else [])


def test_a_sync_shows_all_that_is_listed_of_it(listed: dict[str, list[str]], module_database_url: str) -> None:
    (line,) = json.loads(done(module_database_url, "sync", "list", "--format", "json"))
    shown = json.loads(done(module_database_url, "sync", "show", *listed["sync show"], "--format", "json"))
    assert shown == {**line, "differences": []}


FORMER = {"lea", "source_id", "queue_id", "asked", "oldest", "made", "is_asleep", "next_try", "at", "left"}
"""Names that things had in one command and not in the others."""


@pytest.mark.parametrize("path", LISTS)
def test_a_thing_has_one_name_and_a_moment_one_spelling(
    listed: dict[str, list[str]], module_database_url: str, path: str
) -> None:
    words = [*path.split(), *listed.get(path, [])]
    found = list(cells(json.loads(done(module_database_url, *words, "--format", "json"))))
    assert {name for name, _ in found} & FORMER == set()
    moments = {value for _, value in found if re.match(r"\d{4}-\d\d-\d\d.\d\d:", str(value))}
    assert [at for at in moments if not re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]{8,15}[+-]\d\d:\d\d", at)] == []
    in_table = re.findall(r"\d{4}-\d\d-\d\d .{14}", done(module_database_url, *words))
    assert bool(in_table) == bool(moments) or path == "sync show"  # people get a sentence there, without moments
    assert [at for at in in_table if not re.fullmatch(r".{10} \d\d:\d\d:\d\d-0[45]:00", at)] == []


@pytest.mark.parametrize("path", LISTS)
def test_no_word_is_broken_in_a_narrow_terminal(
    listed: dict[str, list[str]], module_database_url: str, path: str
) -> None:
    words = [*path.split(), *listed.get(path, [])]
    printed = [done(module_database_url, *words, width=width) for width in (999, 160, 120, 80)]
    wide, *narrow = (set(re.findall(r"[^\s\u2500-\u257f]+", re.sub(r"\d+\.\d{3,}", "", one))) for one in printed)
    assert [words - wide for words in narrow] == [set(), set(), set()]  # half a word would stand in no other table
