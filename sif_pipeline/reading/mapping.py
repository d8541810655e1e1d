"""From an object's element to its row: one walk, driven by a plan compiled from the declaration.

Values are checked here, in Python, so that PostgreSQL never has to refuse one: its words would repeat the value.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

import orjson
from lxml import etree
from sqlalchemy import Column

from sif_pipeline.notices import Notice
from sif_pipeline.sif.elements import SIF, local
from sif_pipeline.sif.writing import canonical
from warehouse.base import Element, SifObject, elements, objects

XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"

INTEGER = re.compile(r"([+-]?[0-9]+)(?:Z|(?<=[0-9]{4})[+-][0-9]{2}:[0-9]{2})?")
"""An xs:integer, or an xs:gYear with its time zone."""

_is_ref_id = re.compile(r"[0-9a-f]{32}").fullmatch

Key = str
"""A row key or a RefId: 32 lower-case hexadecimal digits. As text it is cheaper to make and hash than a UUID object."""

Row = list[str | None]
Converter = Callable[[str], str | None]

Attribute = tuple[str, int, Converter, bool]
"""An attribute to take: name, place in the row, converter, and whether it is one of a list."""

SMALLEST_INT, LARGEST_INT, LONGEST_NUMBER = -(2**31), 2**31 - 1, 40

LONGEST_LIST = 50
"""So many codes at most may a list have that stands in an index: PostgreSQL takes no entry of more than 2,700 bytes."""


to_text: Converter = str.strip
"""Takes text as it is, without the white space around it."""


def to_date(text: str) -> str | None:
    """Take an xs:date of the years 1 to 9999 without its time zone; None for any other."""
    day = text.strip()[:10]
    return day if day[4:5] == "-" and day[0] != "-" else None


def to_number(text: str) -> str | None:
    """Take an xs:decimal of at most forty characters; None for a longer one."""
    number = text.strip()
    return number if 0 < len(number) <= LONGEST_NUMBER else None


def to_integer(text: str) -> str | None:
    """Take an xs:integer of 32 bits, or the year of an xs:gYear; None for any other."""
    if len(text) < 10 and text.isascii() and text.isdigit():
        return text
    found = INTEGER.fullmatch(text.strip())
    if found is None or len(found[1]) > len(str(SMALLEST_INT)):
        return None
    return found[1] if SMALLEST_INT <= int(found[1]) <= LARGEST_INT else None


def to_key(text: str) -> str | None:
    """Take a RefId, 32 hexadecimal digits, in lower case as PostgreSQL spells it; None for anything else."""
    key = text.strip().lower()
    return key if _is_ref_id(key) else None


CONVERTERS: dict[type, Converter] = {
    str: to_text,
    date: to_date,
    Decimal: to_number,
    int: to_integer,
    UUID: to_key,
}


@dataclass(slots=True)
class Node:
    """What the walk does at one element: where its text goes, which attributes and children it looks at."""

    place: int | None = None  #: index in the row that takes the element's text
    convert: Converter = to_text
    repeated: bool = False  #: the text is one of a list
    whole: int | None = None  #: index in the row that takes the element with all below it as JSON
    attributes: list[Attribute] = field(default_factory=list)
    children: dict[str, "Node"] = field(default_factory=dict)
    is_deep: bool = False  #: there is more to take than the text

    def child(self, tag: str) -> "Node":
        """Give the node of a child element, made when it is first named."""
        return self.children.setdefault(SIF + tag, Node())


@dataclass(frozen=True, slots=True)
class Reference:
    """A RefId in an object that points at another object, unless a SIF_RefObject beside it names another kind."""

    object_name: str
    path: str  #: as declared
    steps: tuple[str, ...]  #: elements down to the one that holds it; empty for the object's own element
    attribute: str | None  #: the attribute that holds it; None when the element's text does
    place: int  #: of its column in the row


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the mapping of one declared object needs."""

    root: Node
    columns: tuple[str, ...]  #: declared columns, in the order of the row
    required: tuple[tuple[int, str], ...]  #: index and element path of columns that may not be empty
    lists: tuple[int, ...]  #: indexes of text[] columns
    documents: tuple[int, ...]  #: indexes of jsonb columns
    bounded: tuple[tuple[int, str], ...]  #: index and element path of lists that stand in an index
    width: int
    references: tuple[Reference, ...]  #: to objects that are collected


@cache
def plan(cls: type[SifObject]) -> Plan:
    """Compile the declaration of an object into the plan of its walk."""
    root, declared = Node(), list(elements(cls))
    held = cls.covering.holds if cls.covering else ()
    for place, (column, line) in enumerate(declared):
        _plan_element(root, place, column, line)
    return Plan(
        root,
        tuple(column.name for column, _ in declared),
        tuple((i, line.path) for i, (c, line) in enumerate(declared) if not c.nullable and not _is_list(c)),
        tuple(i for i, (c, _) in enumerate(declared) if _is_list(c) and not _is_json(c)),
        tuple(i for i, (c, _) in enumerate(declared) if _is_json(c)),
        tuple((i, line.path) for i, (c, line) in enumerate(declared) if _is_list(c) and c.name in held),
        len(declared),
        tuple(
            _reference(line.refers, line.path, place)
            for place, (_, line) in enumerate(declared)
            if line.refers in objects()
        ),
    )


def _plan_element(root: Node, place: int, column: Column[Any], line: Element) -> None:
    *steps, last = line.path.split("/")
    node = root
    for step in steps:
        node = node.child(step)
        node.is_deep = True
    if last.startswith("@"):
        node.is_deep = True
        node.attributes.append((last[1:], place, _converter(column), _is_list(column)))
    elif _is_json(column):
        node.child(last).whole, node.child(last).is_deep = place, True
    else:
        leaf = node.child(last)
        leaf.place, leaf.convert, leaf.repeated = place, _converter(column), _is_list(column)


def _is_list(column: Column[Any]) -> bool:
    return column.type.python_type is list or _is_json(column)


def _is_json(column: Column[Any]) -> bool:
    return column.type.__class__.__name__ == "JSONB"


def _converter(column: Column[Any]) -> Converter:
    return CONVERTERS.get(column.type.python_type, to_text)


def _reference(object_name: str, path: str, place: int) -> Reference:
    head, _, last = path.rpartition("/")
    if last.startswith("@"):
        return Reference(object_name, path, _qualified(head), last[1:], place)
    return Reference(object_name, path, _qualified(path), None, place)


def _qualified(path: str) -> tuple[str, ...]:
    return tuple(SIF + step for step in path.split("/")) if path else ()


def row(cls: type[SifObject], element: etree._Element) -> tuple[Row, list[Notice]]:
    """Map an object's element to the texts of its declared columns, and say which values cannot be stored.

    Texts are in PostgreSQL's input form: `{a,b}` for lists, JSON for elements with structure, None for no value.
    """
    compiled = plan(cls)
    cells: list[Any] = [None] * compiled.width
    unfit = walk(element, compiled.root, cells)
    unfit += [
        Notice("value_out_of_range", f"{cls.sif_name}/{path}", element.sourceline or 0)
        for path in too_long(compiled, cells)
    ]
    missing = complete(compiled, cells)
    unfit += [Notice("element_missing", f"{cls.sif_name}/{path}", element.sourceline or 0) for path in missing]
    return cells, unfit


def too_long(compiled: Plan, cells: Sequence[Any]) -> list[str]:
    """Give the paths of lists that are too long for the index they stand in; lists are not spelled yet."""
    return [path for place, path in compiled.bounded if cells[place] and len(cells[place]) > LONGEST_LIST]


def complete(compiled: Plan, cells: list[Any]) -> list[str]:
    """Spell a row's lists and JSON as texts; give the paths of required values that are missing."""
    for place in compiled.lists:
        cells[place] = array(cells[place]) if cells[place] else "{}"
    for place in compiled.documents:
        cells[place] = json_text(cells[place]) if cells[place] else "[]"
    return [path for place, path in compiled.required if cells[place] is None]


def walk(element: etree._Element, node: Node, cells: list[Any]) -> list[Notice]:
    """Take an element's values to their cells; give the values that cannot be stored."""
    unfit: list[Notice] = []
    _walk(element, node, cells, unfit)
    return unfit


def _walk(  # noqa: C901, PLR0912 -- the hottest loop of all: every call taken out of it shows in the benchmarks
    element: etree._Element, node: Node, cells: list[Any], unfit: list[Notice]
) -> None:
    for name, at, convert, repeated in node.attributes:
        if (text := element.get(name)) is not None:
            if (value := convert(text)) is None or repeated:
                _put(element, cells, at, value, unfit)
            else:
                cells[at] = value
    find = node.children.get
    for child in element:
        found = find(child.tag)  # type: ignore[arg-type]
        if found is None:
            continue
        if (place := found.place) is not None:
            if text := child.text:
                if (value := found.convert(text)) is None or found.repeated:
                    _put(child, cells, place, value, unfit)
                else:
                    cells[place] = value
            elif found.convert is to_text and not found.repeated and child.get(XSI_NIL) is None:
                cells[place] = ""
        if found.is_deep:
            if found.whole is not None:
                _collect(cells, found.whole, as_json(child))
            if found.children or found.attributes:
                _walk(child, found, cells, unfit)


def _put(element: etree._Element, cells: list[Any], place: int, value: str | None, unfit: list[Notice]) -> None:
    """Take what is not plain: one value of a list, or one that cannot be stored."""
    if value is None:
        unfit.append(Notice("value_out_of_range", path_of(element), element.sourceline or 0))
    else:
        _collect(cells, place, value)


def _collect(cells: list[Any], place: int, value: Any) -> None:
    if cells[place] is None:
        cells[place] = [value]
    else:
        cells[place].append(value)


def path_of(element: etree._Element) -> str:
    """Spell the path of an element from its object down, by local names; values never appear in it."""
    names = [local(element)]
    for parent in element.iterancestors():
        name = local(parent)
        if name.startswith("SIF_") and name != "SIF_ExtendedElements":
            break
        names.append(name)
    return "/".join(reversed(names))


def array(values: list[str]) -> str:
    """Spell a list of texts as a PostgreSQL array literal."""
    return "{" + ",".join('"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values) + "}"


def as_json(element: etree._Element) -> Any:
    """Turn an element into JSON values: its text, or an object of attributes (`@name`) and children (lists)."""
    attributes, text = element.items(), element.text
    if not attributes and len(element) == 0:
        return text or ""
    value: dict[str, Any] = {f"@{_local(str(k))}": v for k, v in attributes if k != XSI_NIL}
    for child in element:
        add(value, _local(child.tag), as_json(child))  # type: ignore[arg-type]
    if text and text.strip():
        value["$"] = text
    return value


def json_text(value: Any) -> str:
    """Spell a JSON value."""
    return orjson.dumps(value).decode()


@lru_cache(maxsize=4096)
def _local(name: str) -> str:
    return name.rpartition("}")[2]


def add(value: dict[str, Any], name: str, item: Any) -> None:
    """Add a child to an element's JSON; from the second of its name on, they are a list."""
    if name not in value:
        value[name] = item
    elif isinstance(value[name], list):
        value[name].append(item)
    else:
        value[name] = [value[name], item]


def extended(element: etree._Element) -> str | None:
    """Give SIF_ExtendedElements as a JSON object of name to value; None when there are none."""
    container = next(element.iterchildren(SIF + "SIF_ExtendedElements"), None)
    if container is None or len(container) == 0:
        return None
    return json_text({item.get("Name", ""): as_json(item) if len(item) else item.text for item in container})


def references(cls: type[SifObject], element: etree._Element) -> Iterator[tuple[str, Key]]:
    """Yield the objects an element refers to: SIF object name and RefId."""
    for reference in plan(cls).references:
        yield from referred(reference, element)


def referred(reference: Reference, element: etree._Element) -> Iterator[tuple[str, Key]]:
    """Yield what one declared reference of an object's element points at."""
    holders = _below(element, reference.steps) if reference.steps else (element,)
    name = reference.object_name
    for holder in holders:
        text = holder.text if reference.attribute is None else holder.get(reference.attribute)
        if text and holder.get("SIF_RefObject", name) == name and (key := to_key(text)):
            yield name, key


def _below(element: etree._Element, steps: tuple[str, ...]) -> list[etree._Element]:
    found = [element]
    for step in steps:
        found = [child for parent in found for child in parent.iterchildren(step)]
    return found


def row_key(cls: type[SifObject], element: etree._Element) -> Key | None:
    """Give an object's key: its RefId, or a hash of its natural key; None when a part of it is missing."""
    if cls.key_paths == ("@RefId",):
        text = element.get("RefId")
        return to_key(text) if text else None
    return natural_key(cls, [_value_at(element, path) for path in cls.key_paths])


def natural_key(cls: type[SifObject], parts: Sequence[str | None]) -> Key | None:
    """Hash the parts of an object's natural key; None when one is missing."""
    stripped = [part.strip() if part else "" for part in parts]
    if not all(stripped):
        return None
    return hashlib.sha256("\x1f".join([cls.sif_name, *stripped]).encode()).hexdigest()[:32]


def _value_at(element: etree._Element, path: str) -> str | None:
    if path.startswith("@"):
        return element.get(path[1:])
    return next((child.text for child in element.iterchildren(SIF + path)), None)


def document(element: etree._Element) -> str:
    """Serialise an object's element as exclusive canonical XML.

    The same object is the same text, whatever namespaces its message declared and in whatever order its attributes
    came. It is kept so where it could not be cut from its message; two that differ as kept are compared by it.
    """
    return canonical(element).decode()


def content_hash(text: str) -> Key:
    """Hash a document: the first sixteen bytes of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]
