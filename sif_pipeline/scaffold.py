"""Begin a new SIF object: `python -m sif_pipeline.scaffold StudentContact` writes four files, and nothing to register.

What it writes passes the tests as it is, so that every step from there to the whole object can be tested.
"""

import re
import sys
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Final

from sif_pipeline.config import PROJECT
from sif_pipeline.sif import schema
from warehouse.base import snake_case

_TEMPLATES: Final = files("sif_pipeline") / "templates"

NEXT: Final = """\
Next, after the standard:
  complete {xsd}, then: python -m sif_pipeline.sif.schema --write
  complete {declaration} and the two examples
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
        text = Template((_TEMPLATES / template).read_text(encoding="utf-8"))
        path.write_text(text.substitute(name=name, table=snake_case(name)), encoding="utf-8")
    return list(targets.values())


def main(arguments: list[str]) -> None:
    """Write the files of the one object named, and those derived from its XSD; say what is next."""
    if len(arguments) != 1:
        sys.exit("usage: make add-object NAME=StudentContact")
    try:
        xsd, declaration, *examples = (str(path.relative_to(PROJECT)) for path in add_object(arguments[0]))
    except (ValueError, FileExistsError) as error:
        sys.exit(str(error))
    schema.write()
    for path in (xsd, declaration, *examples):
        print(path)  # noqa: T201 -- a program for developers
    print(NEXT.format(xsd=xsd, declaration=declaration, name=arguments[0]))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1:])
