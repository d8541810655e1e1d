"""Where every element of the standard stands in the warehouse, and which state collections it feeds."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from sif_pipeline.reference.markdown import code, page, table
from sif_pipeline.sif.schema import Shape, shape
from warehouse.base import Extended, SifObject, elements, objects

EXTENDED = "SIF_ExtendedElements"


@dataclass(frozen=True, slots=True)
class Feed:
    """One field of a state collection that an element feeds; a line of warehouse/collections.csv."""

    object_name: str
    path: str  #: of the element; an extended element is `SIF_ExtendedElements/Name`
    collection: str  #: SIMS, EPIMS, SCS or SSDR
    field: str  #: as the collection numbers or calls it
    required: str  #: yes, no, or sometimes
    known: str  #: published, or inferred from what is


@cache
def feeds() -> tuple[Feed, ...]:
    """Read which element feeds which field of which collection."""
    return tuple(Feed(*row.values()) for row in _rows("collections.csv"))


def fed_by(cls: type[SifObject], path: str) -> list[str]:
    """Name the fields that an element feeds; one that is inferred, and not published, has a question mark."""
    found = (feed for feed in feeds() if (feed.object_name, feed.path) == (cls.sif_name, path))
    return [f"{_field(feed)}{'' if feed.known == 'published' else ' (?)'}" for feed in found]


def _field(feed: Feed) -> str:
    named = feed.field.startswith(feed.collection)
    return feed.field if named else f"{feed.collection} {feed.field}"


def _rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((files("warehouse") / name).read_text(encoding="utf-8").splitlines()))


@cache
def _reasons() -> dict[str, str]:
    return {row["element"]: row["reason"] for row in _rows("kept.csv")}


def reasons_for(cls: type[SifObject], path: str) -> list[str]:
    """Return the lines of warehouse/kept.csv that speak of an element of an object: whole steps, from its end."""
    steps = [cls.sif_name, *path.split("/")]
    ends = ["/".join(steps[place:]) for place in range(len(steps))]
    return [end for end in ends if end in _reasons()]


def reason(cls: type[SifObject], path: str) -> str:
    """Say why an element has no column: what its declaration says, or the longest line that fits; nothing for none."""
    found = reasons_for(cls, path)
    return cls.kept.get(path) or (_reasons()[found[0]] if found else "")


def kept(cls: type[SifObject]) -> list[str]:
    """List the standard's elements and attributes of an object that no column takes, the topmost path of each."""
    declared = {line.path for _, line in elements(cls)} | {EXTENDED}
    json = {line.path for column, line in elements(cls) if is_json(column)} | {EXTENDED}
    return [path for path in _uncovered(shape(cls.sif_name), "", declared, json) if path not in cls.key_paths]


def _uncovered(known: Shape, above: str, declared: set[str], json: set[str]) -> Iterator[str]:
    names = [f"@{name}" for name in known.attributes if name != "SIF_Action"]
    for name in [*names, *known.children]:
        path = f"{above}{name}"
        if path in json or (path in declared and name.startswith("@")):
            continue
        if path in declared or any(other.startswith(f"{path}/") for other in declared):
            yield from _uncovered(known.children[name], f"{path}/", declared, json)
        else:
            yield path


def is_json(column: Any) -> bool:
    """Tell whether a column holds elements with all that is in them."""
    return type(column.type).__name__ == "JSONB"


def standing(cls: type[SifObject], path: str) -> str:
    """Say where an element stands: its column, the column of JSON it is in, or why it has none; nothing for nowhere."""
    columns = {line.path: column.name for column, line in elements(cls)}
    json = {line.path: column.name for column, line in elements(cls) if is_json(column)}
    steps = path.split("/")
    above = ["/".join(steps[:place]) for place in range(1, len(steps) + 1)]
    if path in columns:
        return f"column {code(columns[path])}"
    if inside := [json[one] for one in above if one in json]:
        return f"in {code(inside[0])}"
    if steps[0] == EXTENDED:
        return f"in {code('extended')}"
    if path == "@RefId" or path in cls.key_paths:
        return "the key"
    without = kept(cls)
    if out := [one for one in above if one in without]:
        return f"kept: {reason(cls, out[0])}"
    return "holds others" if any(other.startswith(f"{path}/") for other in [*columns, *without]) else ""


def elements_page() -> str:
    """Write the page that says of every element of every object where it stands."""
    parts = [
        f"## {name}\n\n"
        + table(
            ("Element", "Mandatory", "Where", "Feeds"),
            [
                (code(path), "yes" if mandatory else "", standing(cls, path), ", ".join(fed_by(cls, path)))
                for path, mandatory in _paths(cls)
            ],
        )
        for name, cls in objects().items()
    ]
    return page(
        "Elements",
        "Every element and attribute of every object in SIF US 2.7, and where it stands in the warehouse. What is kept "
        "without a column is in the column `document`, word for word, and can be given a column later: "
        "[Add an object or a column](../how-to/add-an-object.md). Reasons stand in the object's declaration, or in "
        "`warehouse/kept.csv` for elements of several objects. The insides of what is kept, and of `SIF_Metadata` and "
        "`SIF_ExtendedElements`, are not listed.",
        *parts,
    )


def _paths(cls: type[SifObject]) -> list[tuple[str, bool]]:
    closed = {*kept(cls), EXTENDED}
    return list(walk(shape(cls.sif_name), "", closed))


def walk(known: Shape, above: str, closed: set[str]) -> Iterator[tuple[str, bool]]:
    """Yield the path of every element and attribute below one, and whether it is mandatory; not of what is `closed`."""
    for name, attribute in known.attributes.items():
        if name != "SIF_Action":
            yield f"{above}@{name}", attribute.required
    for name, child in known.children.items():
        yield f"{above}{name}", child.required
        if f"{above}{name}" not in closed:
            yield from walk(child, f"{above}{name}/", closed)


def collections_page() -> str:
    """Write the page that says of every field of the state's collections which element feeds it."""
    parts = []
    for collection in sorted({feed.collection for feed in feeds()}):
        lines = [_feed_line(feed) for feed in feeds() if feed.collection == collection]
        header = ("Field", "Object", "Element", "Column", "Required", "Known")
        parts.append(f"## {collection}\n\n{table(header, sorted(lines))}")
    return page(
        "Collections",
        "Which element feeds which field of the state's collections: SIMS (students), EPIMS (staff), SCS (courses) and "
        "SSDR (discipline). *inferred* is our reading where nothing is published. Most of the remaining SIMS fields "
        "travel as extended elements whose names are not published.",
        *parts,
    )


def _feed_line(feed: Feed) -> tuple[str, ...]:
    target = f"[{feed.object_name}](objects/{feed.object_name}.md)"
    return feed.field, target, code(feed.path), _column(feed), feed.required, feed.known


def _column(feed: Feed) -> str:
    cls = objects()[feed.object_name]
    named = {line.path: column.name for column, line in elements(cls)}
    named |= {f"{EXTENDED}/{d.name}": name for name, d in cls.derived.items() if isinstance(d, Extended)}
    return code(named.get(feed.path, ""))
