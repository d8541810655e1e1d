"""Begin a new SIF object: `python -m sif_pipeline.scaffold StudentContact` writes four files, and nothing to register.

What it writes keeps the contracts as it is, so that every step from there to the whole object can be tested. Once the
XSD is complete, the same command drafts the declaration and the examples from it.
"""

import re
import sys
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from sif_pipeline import drafts
from sif_pipeline.config import PROJECT
from sif_pipeline.sif import schema
from warehouse.base import snake_case

_TEMPLATES: Final = files("sif_pipeline") / "templates"

NEXT: Final = """\
Next, after the standard:
  complete {xsd}, then once more: make add-object NAME={name}
  say what each column of {declaration} means; leave out what nobody will ask for
  sif-pipeline migration "{name}"      read what it writes
  sif-pipeline generate
  make unit
docs/how-to/add-an-object.md explains each."""
"""What is left to do once the files are there."""


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


def main(arguments: list[str]) -> None:
    """Write the files of the one object named, and those derived from its XSD; say what is next."""
    if len(arguments) != 1:
        sys.exit("usage: make add-object NAME=StudentContact")
    name = arguments[0]
    try:
        written = _written(name)
    except (ValueError, FileExistsError) as error:
        sys.exit(str(error))
    for path in written:
        print(path.relative_to(PROJECT))  # noqa: T201 -- a program for developers
    xsd, declaration, *_ = (path.relative_to(PROJECT) for path in paths(name, PROJECT).values())
    print(NEXT.format(xsd=xsd, declaration=declaration, name=name))  # noqa: T201


def _written(name: str) -> list[Path]:
    schema.write()
    if name in schema.object_names() and (drafted := draft_object(name)):
        return drafted
    begun = add_object(name)
    schema.write()
    return begun


if __name__ == "__main__":
    main(sys.argv[1:])
