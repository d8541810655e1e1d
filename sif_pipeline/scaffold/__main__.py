"""`make add-object`: `python -m sif_pipeline.scaffold StudentContact` writes four files, and nothing to register.

Once the XSD is complete, the same command drafts the declaration and the examples from it.
"""

import sys
from pathlib import Path
from typing import Final

from sif_pipeline.config import PROJECT
from sif_pipeline.scaffold.beginnings import add_object, draft_object, paths
from sif_pipeline.sif import schema

NEXT: Final = """\
Next, after the standard:
  complete {xsd}, then once more: make add-object NAME={name}
  say what each column of {declaration} means; leave out what nobody will ask for
  sif-pipeline migration "{name}"      read what it writes
  sif-pipeline generate
  make unit
docs/how-to/add-an-object.md explains each."""
"""What is left to do once the files are there."""


def main(arguments: list[str]) -> None:
    """Write the files of the one object named, and those derived from its XSD; say what is next."""
    if len(arguments) != 1:
        sys.exit("usage: make add-object NAME=StudentContact")
    name = arguments[0]
    try:
        written = _written(name)
    except ValueError as error:
        sys.exit(str(error))
    except FileExistsError as error:
        sys.exit(
            f"{Path(str(error)).relative_to(PROJECT)} is there already, as it began: complete it, then run this again."
        )
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
