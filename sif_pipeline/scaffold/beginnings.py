"""Write the files of a new SIF object: from templates first, and from its XSD once that is complete.

What it writes keeps the contracts as it is, so that every step from there to the whole object can be tested.
"""

import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from sif_pipeline.config import PROJECT
from sif_pipeline.scaffold import drafts
from warehouse.base import snake_case

_TEMPLATES: Final = files("sif_pipeline.scaffold") / "templates"


def paths(name: str, project: Path) -> dict[str, Path]:
    """Return where the four files of an object go, by the name of their template."""
    examples = project / "tests/examples" / name / "valid"
    return {
        "object.xsd": project / "schemas/sif-2.7" / f"{name}.xsd",
        "declaration.py.txt": project / "warehouse/objects" / f"{snake_case(name)}.py",
        "minimal.xml": examples / "minimal.xml",
        "full.xml": examples / "full.xml",
    }


def add_object(name: str, project: Path = PROJECT) -> list[Path]:
    """Write the beginnings of an object below the project's folder, and return them.

    Raise ValueError for what is no object's name, and FileExistsError rather than write over a file.
    """
    if not re.fullmatch(r"[A-Z][A-Za-z]+", name):
        raise ValueError("An object is named as in the standard, such as StudentContact.")
    targets = paths(name, project)
    if there := [path for path in targets.values() if path.exists()]:
        raise FileExistsError(there[0])
    for template, path in targets.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_beginning(template, name), encoding="utf-8")
    return list(targets.values())


def _beginning(template: str, name: str) -> str:
    text = Template((_TEMPLATES / template).read_text(encoding="utf-8"))
    return text.substitute(name=name, table=snake_case(name))


def draft_object(name: str, project: Path = PROJECT) -> list[Path]:
    """Draft the files of an object that are still as they began from its completed XSD, and return those written.

    The XSD is the one in this project's `schemas/`. Nothing is written over that somebody has changed, and nothing
    is drafted from an XSD that is still as it began.
    """
    targets = paths(name, project)
    untouched = [t for t, path in targets.items() if path.exists() and path.read_text("utf-8") == _beginning(t, name)]
    if "object.xsd" in untouched:
        return []
    write = {
        "declaration.py.txt": lambda: drafts.declaration(name),
        "minimal.xml": lambda: drafts.example(name, full=False),
        "full.xml": lambda: drafts.example(name, full=True),
    }
    for template in untouched:
        targets[template].write_text(write[template](), encoding="utf-8")
    return [targets[template] for template in untouched]
