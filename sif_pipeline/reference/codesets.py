"""The code sets: how many codes each has, and which columns hold them."""

import csv
from importlib.resources import files

from sif_pipeline.reference.markdown import code, page, table
from warehouse.base import elements, objects

_UNCOLUMNED = "inside columns of JSON, or of elements without a column"


def codesets_page() -> str:
    """Write the list of the standard's code sets and of the state's own."""
    return page(
        "Code sets",
        "Tables of codes in `schemas/`, one CSV file each. A value outside its set is an error "
        "(`value_not_in_code_set`) for the standard's sets. For those of the state that a column of the views below "
        "names, it is a warning (`state_code_unknown`), unless only some of their codes are known.",
        "## Of the standard",
        "A name that no code set of the standard has is that of one joined from parts of several, where an element "
        "takes codes of all of them.",
        table(("Code set", "Codes", "Columns"), _lines("codesets", _columns())),
        "## Of the state",
        "Named by the field of the collection they belong to. The column `known` in the file tells what of a code is "
        "published: both code and meaning, the code alone, or nothing.",
        table(("Code set", "Codes", "Columns of the views"), _lines("massachusetts", _derived())),
    )


def _lines(folder: str, used: dict[str, list[str]]) -> list[tuple[str, str, str]]:
    found = sorted((files("schemas") / folder).iterdir(), key=lambda entry: entry.name)
    names = [(entry.name.removesuffix(".csv"), entry) for entry in found if entry.name.endswith(".csv")]
    unused = _UNCOLUMNED if folder == "codesets" else "none yet"
    return [
        (
            f"[{name}](../../schemas/{folder}/{name}.csv)",
            str(len(list(csv.reader(entry.read_text(encoding="utf-8").splitlines()))) - 1),
            ", ".join(used.get(name, [])) or unused,
        )
        for name, entry in names
    ]


def _columns() -> dict[str, list[str]]:
    used: dict[str, list[str]] = {}
    for cls in objects().values():
        for column, line in elements(cls):
            for name in (line.codes or "").split():
                used.setdefault(name, []).append(code(f"{cls.__tablename__}.{column.name}"))
    return used


def _derived() -> dict[str, list[str]]:
    used: dict[str, list[str]] = {}
    for cls in objects().values():
        for name, derived in cls.derived.items():
            if derived.codes:
                used.setdefault(derived.codes, []).append(code(f"{cls.__tablename__}_versions.{name}"))
    return used
