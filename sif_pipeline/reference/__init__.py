"""Write the reference pages from what they describe: declarations, findings, errors, views, commands and DAGs.

`sif-pipeline generate` writes them to docs/reference; a test fails when they are stale. They hold no times, so the
same sources give the same bytes. DAG files are read as text: nothing here imports Airflow, or needs a database.
"""

from collections.abc import Sequence
from pathlib import Path

from typer import Typer

from sif_pipeline.config import PROJECT
from sif_pipeline.notices import CATALOGUE
from sif_pipeline.reference import (
    codesets,
    commands,
    conformance,
    dags,
    dictionary,
    elements,
    errors,
    official,
    tables,
    views,
)
from sif_pipeline.reference.markdown import code, page, table
from warehouse.base import objects

FOLDER = PROJECT / "docs" / "reference"
"""Where the pages lie."""


def pages(command_line: Typer) -> dict[str, str]:
    """Make every page, by its path below docs/reference; the page of commands is made of `command_line`."""
    made = {
        "findings.md": findings_page(),
        "errors.md": errors.errors_page(),
        "conformance.md": conformance.conformance_page(),
        "reports.md": views.views_page(),
        "commands.md": commands.commands_page(command_line),
        "dags.md": dags.dags_page(PROJECT / "dags"),
        "tables.sql": tables.tables_script(),
        "erd.md": tables.diagram_page(),
        "official-schemas.md": official.official_page(),
        "elements.md": elements.elements_page(),
        "collections.md": elements.collections_page(),
        "codesets.md": codesets.codesets_page(),
    }
    made.update({f"objects/{name}.md": dictionary.object_page(cls) for name, cls in objects().items()})
    made["index.md"] = index_page(sorted(made))
    return made


def write(command_line: Typer, folder: Path = FOLDER) -> list[str]:
    """Write the pages, remove those that nothing makes any more, and return the paths that changed."""
    made = pages(command_line)
    changed = [path for path in _present(folder) if path not in made]
    for path in changed:
        (folder / path).unlink()
    for path, text in made.items():
        file = folder / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            changed.append(path)
    return sorted(changed)


def stale(command_line: Typer, folder: Path = FOLDER) -> list[str]:
    """Return the paths of pages that are missing, left over, or say something else than they should."""
    made = pages(command_line)
    present = {path: (folder / path).read_text(encoding="utf-8") for path in _present(folder)}
    return sorted(path for path in {*made, *present} if made.get(path) != present.get(path))


def _present(folder: Path) -> list[str]:
    return sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())


def index_page(paths: Sequence[str]) -> str:
    """Write the list of the other pages."""
    known = {
        "findings.md": "every finding: its code, what it says, what to do",
        "errors.md": "every SIF_Error the zone answers with",
        "conformance.md": "every step of a conformance run, with its clause",
        "reports.md": "every reporting view: what a row is, and its columns",
        "commands.md": "every command of `sif-pipeline`",
        "dags.md": "every Airflow DAG, with its manual",
        "erd.md": "how the objects refer to each other",
        "elements.md": "every element of every object: its column, or why it has none",
        "collections.md": "which element feeds which field of the state's collections",
        "codesets.md": "every code set of the standard and the state's own, and the columns that hold its codes",
        "official-schemas.md": "where our schemas judge otherwise than the official ones, and why",
        "tables.sql": "the tables of the schemas inbox, sif and sif_history",
    }
    lines = [f"- [{path}]({path}): {words}" for path, words in known.items()]
    lines += [f"- [{Path(path).stem}]({path}): data dictionary" for path in paths if path.startswith("objects/")]
    return page("Reference", "Written from the code by one command, `sif-pipeline generate`.", "\n".join(lines))


def findings_page() -> str:
    """Write the catalogue of findings."""
    lines = [
        [f'<a id="{n.code}"></a>{code(n.code)}', n.severity, n.title, n.remedy, f"{n.sif_category}/{n.sif_code}"]
        for n in sorted(CATALOGUE.values(), key=lambda n: n.code)
    ]
    return page(
        "Findings",
        "What the pipeline can find in a message or an object. A finding holds the code, the path of the element and "
        "the line in the message as received; never the value. **error**: not loaded until it is corrected. "
        "**warning**: loaded, look at it. **info**: nothing to do yet.",
        "Codes are stable: they are never renamed or used again for something else. SIF is the category and code of a "
        "SIF_Error that means the same.",
        table(("Code", "Weight", "What is wrong", "What to do", "SIF"), lines),
    )
