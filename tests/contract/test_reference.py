"""The generated reference is fresh and leaves nothing out."""

import re

import pytest

from sif_pipeline import cli, reference, reports
from sif_pipeline.config import PROJECT
from sif_pipeline.notices import CATALOGUE
from sif_pipeline.reference import dags, views
from sif_pipeline.reference.elements import is_json, kept, reason
from sif_pipeline.sif.schema import shape
from warehouse.base import elements, objects

PAGES = reference.pages(cli.whole())


def test_pages_on_disk_are_what_the_code_says():
    """Otherwise: sif-pipeline generate (or make generate), look at the difference, commit it."""
    assert reference.stale(cli.whole()) == []


def test_writing_twice_changes_nothing_and_what_nothing_makes_is_removed(tmp_path):
    assert reference.write(cli.whole(), tmp_path) == sorted(PAGES)
    (tmp_path / "objects" / "Gone.md").write_text("left over", encoding="utf-8")
    (tmp_path / "erd.md").write_text("stale", encoding="utf-8")
    assert reference.stale(cli.whole(), tmp_path) == ["erd.md", "objects/Gone.md"]
    assert reference.write(cli.whole(), tmp_path) == ["erd.md", "objects/Gone.md"]
    assert reference.stale(cli.whole(), tmp_path) == []


def test_pages_hold_no_time_and_no_place():
    found = {path for path, text in PAGES.items() if re.search(r"\d\d:\d\d:\d\d|/home/|/work/|/tmp/", text)}
    assert found - {"commands.md", "dags.md"} == set()


@pytest.mark.parametrize("name", objects())
def test_dictionary_names_every_column_and_every_element_without_one(name):
    page = PAGES[f"objects/{name}.md"]
    for column, line in elements(objects()[name]):
        assert f"| `{column.name}` | `{line.path}` | {line.meaning} |" in page
    without = [(path, reason(objects()[name], path)) for path in kept(objects()[name])]
    assert re.findall(r"(?m)^- `(.*?)`: (.*)$", page) == without
    for column, derived in objects()[name].derived.items():
        assert f"| `{column}` | " in page
        assert derived.meaning in page


def below(known, above=""):
    yield from (f"{above}@{name}" for name in known.attributes if name != "SIF_Action")
    for child in known.children.values():
        yield from below(child, f"{above}{child.name}/") if child.children else [f"{above}{child.name}"]


@pytest.mark.parametrize("name", objects())
def test_dictionary_names_every_value_inside_a_column_of_json(name):
    page, cls = PAGES[f"objects/{name}.md"], objects()[name]
    for column, line in ((column, line) for column, line in elements(cls) if is_json(column)):
        known = shape(name)
        for step in line.path.split("/"):
            known = known.children[step]
        assert [path for path in below(known) if f"| `{column.name}` | `{path}` | " not in page] == []


def test_every_object_is_in_the_diagram():
    diagram = PAGES["erd.md"].partition("```mermaid")[2].partition("```")[0]
    assert set(objects()) <= set(diagram.split())


def test_every_finding_is_in_the_catalogue_page():
    assert set(re.findall(r'id="(\w+)"', PAGES["findings.md"])) == set(CATALOGUE)


def test_every_view_is_in_the_reports_page_with_columns():
    names = re.findall(r"(?m)^## (\w+)$", PAGES["reports.md"])
    assert names == [view.name for view in views.views()]
    assert [view.name for view in views.views() if not view.columns or not view.grain.endswith(".")] == []
    assert {f"rpt_{name}" for name in reports.names()} <= set(names)


def test_every_command_is_in_the_commands_page():
    """The commands are read from the files' decorators here, and from typer there."""
    texts = [file.read_text(encoding="utf-8") for file in (PROJECT / "sif_pipeline" / "cli").glob("*.py")]
    above = {
        group: parent for text in texts for parent, group in re.findall(r"(?m)^(\w+)\.add_typer\((\w+), name=", text)
    }
    declared = set()
    for group, name in (found for text in texts for found in re.findall(r'@(\w+)\.command\(\s*"([\w-]+)"', text)):
        words, parent = name, group
        while parent != "app":
            words, parent = f"{parent} {words}", above[parent]
        declared.add(words)
    assert set(re.findall(r"(?m)^## sif-pipeline (.+)$", PAGES["commands.md"])) == declared


def test_every_dag_is_in_the_dags_page_with_a_manual():
    found = dags.dag_texts(PROJECT / "dags")
    assert re.findall(r"(?m)^## (\S+)$", PAGES["dags.md"]) == [dag.dag_id for dag in found]
    assert {dag.file for dag in found} == {
        file.name
        for file in (PROJECT / "dags").glob("*.py")
        if re.search(r"(?m)^\s*(@dag\b|with DAG\()", file.read_text())
    }
    assert [dag.dag_id for dag in found if len(dag.manual) < 80] == []


def test_dags_are_read_as_text(tmp_path):
    (tmp_path / "one.py").write_text(
        '"""Manual of the file."""\nNAME = "two"\n'
        '@dag(schedule="0 5 * * *")\ndef one():\n    """Manual of one."""\n'
        '@dag(doc_md=__doc__)\ndef three():\n    """Other words."""\n'
        "with DAG(dag_id=NAME, schedule=None):\n    pass\n",
        encoding="utf-8",
    )
    assert [(d.dag_id, d.schedule, d.manual) for d in dags.dag_texts(tmp_path)] == [
        ("one", "every `'0 5 * * *'`, as its file says", "Manual of one."),
        ("three", "when somebody triggers it", "Manual of the file."),
        ("two", "when somebody triggers it", "Manual of the file."),
    ]
