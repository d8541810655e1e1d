"""Draft an object's declaration and its two examples from the XSD that states it.

What is drafted passes the contract tests as it is; what it means is left to say. Leave out the columns that nobody
will ask for: the document has them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

from lxml import etree

from sif_pipeline.reference.dictionary import StandardType, below, standard, standard_type
from sif_pipeline.sif.elements import NAMESPACE, SIF
from sif_pipeline.sif.schema import Shape, object_key, object_names, shape
from warehouse.base import snake_case

_COMMON: Final = {"SIF_Metadata", "SIF_ExtendedElements"}
_EXTENDED: Final = (("LunchStatus", "Free"), ("Homeroom colour", "blue"))
_PEOPLE: Final = {"StudentPersonal", "StaffPersonal"}
_NAMES: Final = {"Name", "LastName", "FirstName", "FullName", "ContactName"}
_PARTS_OF_NAMES: Final = {"LastName", "FirstName", "FullName"}
_MANY: Final = 8  # more leaves than this below one element are one column of JSON
_WORDS: Final = ("Words", "true", "1", "2026", "2026-09-01", "2026-09-01T08:00:00", "08:00:00")
_TYPES: Final = {
    "date": "date",
    "dateTime": "date",
    "decimal": "Decimal",
    "gYear": "int",
    "DecimalOrEmptyType": "Decimal",
}
_GUIDS: Final = {"GUIDType", "GUIDOrEmptyType"}
_NAMELESS: Final = {"Code", "OtherCode", "Type", "SIF_RefObject"}  # these are named with the element they stand in
_WIDTH: Final = 120
_MODULES: Final = {"date": "datetime", "Decimal": "decimal", "Any": "typing", "UUID": "uuid"}


# -- examples


def example(name: str, *, full: bool) -> str:
    """Write a valid example of an object: all its elements, or the mandatory ones only."""
    element = etree.Element(SIF + name, nsmap={None: NAMESPACE})
    _fill(element, shape(name), standard(name), full=full)
    etree.indent(element)
    return etree.tostring(element, encoding="unicode") + "\n"


def _fill(element: etree._Element, known: Shape, node: Any, *, full: bool) -> None:
    for name, attribute in known.attributes.items():
        if attribute.required or (full and name != "SIF_Action"):
            element.set(name, _value(node.attributes[name].type, f"{known.name}/{name}"))
    if known.name == "SIF_ExtendedElements":
        for name, text in _EXTENDED:
            etree.SubElement(element, f"{SIF}SIF_ExtendedElement", Name=name).text = text
        return
    for child in known.children.values():
        if child.name != "SIF_Metadata" and (full or child.required):
            inner = etree.SubElement(element, SIF + child.name)
            _fill(inner, child, below(node, child.name), full=full)
    if not known.children:
        element.text = _value(node.type if node.type.is_simple() else node.type.content, known.name)


def _value(type_: Any, path: str) -> str:
    """Return a value of a simple type; identifiers differ by where they stand."""
    identifier = blake2b(path.encode(), digest_size=16).hexdigest().upper()
    return next(value for value in (*_codes(type_), *_WORDS, identifier) if type_.is_valid(value))


def _codes(type_: Any) -> list[str]:
    members = [type_, *getattr(type_, "member_types", ())]
    return [member.enumeration[0] for member in members if member.enumeration]


# -- the declaration


@dataclass(frozen=True, slots=True)
class _Line:
    path: str
    known: Shape | None  #: of the element; None for an attribute
    required: bool
    json: bool = False
    repeats: bool = False


def declaration(name: str) -> str:
    """Write the module that declares an object, one line for each element; meanings are the elements' own words."""
    drafted = [line for line in _lines(shape(name), "", required=True, repeats=False) if line.path != "@RefId"]
    columns = zip(_names(name, drafted), drafted, strict=True)
    lines = [_column(name, line, column, private=_is_private(name, line)) for column, line in columns]
    used = {word for word in _MODULES if any(f"{word}]" in line or f"{word} " in line for line in lines)}
    imports = "".join(f"from {_MODULES[word]} import {word}\n" for word in _MODULES if word in used)
    return (
        f'"""{name}: what it is, in a few words."""\n\n{imports}{chr(10) if imports else ""}'
        "from sqlalchemy.orm import Mapped\n\nfrom warehouse.base import SifObject, element\n\n\n"
        f"class {name}(SifObject):\n"
        f'    """What one row of {snake_case(name)} says, in one sentence."""\n\n{_key_paths(name)}{"".join(lines)}'
    )


def _key_paths(name: str) -> str:
    key = tuple(path for path in object_key(name) if path != "@RefId")
    return f"    key_paths = {key!r}\n\n".replace("'", '"') if key else ""


def _lines(known: Shape, above: str, *, required: bool, repeats: bool) -> Iterator[_Line]:
    for name, attribute in known.attributes.items():
        if name != "SIF_Action":
            yield _Line(f"{above}@{name}", None, required and attribute.required, repeats=repeats)
    for child in known.children.values():
        if child.name not in _COMMON:
            yield from _of_element(child, above + child.name, required=required and child.required, repeats=repeats)


def _of_element(known: Shape, path: str, *, required: bool, repeats: bool) -> Iterator[_Line]:
    item = _only_item(known)
    if item is not None:
        yield from _of_element(item, f"{path}/{item.name}", required=required and item.required, repeats=repeats)
    elif known.repeats and set(known.children) == {"Code", "OtherCodeList"}:
        yield _Line(f"{path}/Code", known.children["Code"], required, repeats=True)
    elif (known.repeats and (known.children or known.attributes)) or sum(1 for _ in _leaves(known)) > _MANY:
        yield _Line(path, known, required, json=True)
    elif known.children:
        yield from _lines(known, f"{path}/", required=required, repeats=repeats or known.repeats)
    else:
        yield _Line(path, known, required, repeats=repeats or known.repeats)
        yield from _lines(known, f"{path}/", required=required, repeats=repeats or known.repeats)


def _only_item(known: Shape) -> Shape | None:
    """Return what a list is a list of; None for what is no list."""
    (item, *more) = known.children.values() if known.children else (None,)
    return item if item is not None and not more and item.repeats and not known.attributes else None


def _leaves(known: Shape) -> Iterator[Shape]:
    if not known.children:
        yield known
    for child in known.children.values():
        yield from _leaves(child)


def _names(name: str, lines: list[_Line]) -> list[str]:
    """Name the columns of an object; where two share a name, they take more of the elements they stand in."""
    above = [0] * len(lines)
    while True:
        names = [_name(name, line, more) for line, more in zip(lines, above, strict=True)]
        alike = [place for place, one in enumerate(names) if names.count(one) > 1]
        longer = [place for place in alike if above[place] < len(_steps(lines[place].path))]
        if not longer:
            return names
        for place in longer:
            above[place] += 1


def _column(name: str, line: _Line, column: str, *, private: bool) -> str:
    of_standard = standard_type(name, line.path)
    refers = _refers(line, of_standard)
    python = _python_type(line, of_standard, refers)
    optional = " | None" if not (line.required or line.json or line.repeats) else ""
    words = [
        f'"{line.path}"',
        f'"{_meaning(line.path)}"',
        *([f'codes="{" ".join(of_standard.code_sets)}"'] if of_standard.code_sets and not line.json else []),
        *([f'refers="{refers}"'] if refers else []),
        *(["pii=True"] if private and not refers and line.path != "@SchoolYear" else []),
    ]
    head = f"    {column}: Mapped[{python}{optional}] = element("
    for text in (", ".join(words), f"\n        {', '.join(words)}\n    "):
        if all(len(part) <= _WIDTH for part in f"{head}{text})".splitlines()):
            return f"{head}{text})\n"
    return f"{head}\n        " + ",\n        ".join(words) + ",\n    )\n"


def _refers(line: _Line, of_standard: StandardType) -> str:
    target = line.path.rpartition("/")[2].removeprefix("@").removesuffix("RefId")
    return target if of_standard.name in _GUIDS and target in object_names() else ""


def _python_type(line: _Line, of_standard: StandardType, refers: str) -> str:
    if line.json:
        return "list[Any]"
    if line.repeats:
        return "list[str]"
    if refers or of_standard.name in _GUIDS:
        return "UUID"
    if of_standard.name.endswith("Int"):
        return "int"
    return _TYPES.get(of_standard.name) or _TYPES.get(of_standard.primitive, "str")


def _name(name: str, line: _Line, above: int) -> str:
    """Name a column after the last steps of its path, `above` more than needed, with the suffix for what it holds."""
    of_standard, steps = standard_type(name, line.path), _steps(line.path)
    steps = steps[-(1 + above + (steps[-1] in _NAMELESS)) :]
    refers = _refers(line, of_standard)
    python = _python_type(line, of_standard, refers)
    if of_standard.name in _GUIDS and not line.json:
        base = (refers or steps[-1].removesuffix("RefId")).removesuffix("Personal").removesuffix("Info")
        spelled = _snake([*steps[:-1], base, "_ref_id" if refers else "_guid"])
    else:
        spelled = _promising(_snake(steps), python == "date", of_standard)
    return f"{spelled}s" if python.startswith("list") and not spelled.endswith("s") else spelled


def _promising(spelled: str, is_date: bool, of_standard: StandardType) -> str:  # noqa: FBT001 -- one of its three facts
    """Give a name the endings that say what a column holds, and take those it does not keep."""
    plain = spelled.removesuffix("_date_time").removesuffix("_date")
    if is_date:
        return f"{plain}_date"
    if spelled.endswith("_code") and not of_standard.code_sets and not spelled.endswith("_other_code"):
        return f"{spelled}_given"
    if not set(of_standard.code_sets) & {"YesNoType", "YesNoUnknownType"}:
        plain = re.sub("^(is|has)_", "", plain)
    return plain


def _snake(steps: list[str]) -> str:
    return re.sub("_+", "_", snake_case("".join(steps)))


def _steps(path: str) -> list[str]:
    return [step.removeprefix("@") for step in path.split("/") if step != "OtherCodeList"]


def _meaning(path: str) -> str:
    steps = _steps(path)
    words = _snake(steps[-2:] if steps[-1] == "Code" else steps[-1:]).replace("_", " ")
    if steps[-1] == "OtherCode":
        return f"State's or other codes of the {snake_case(steps[-2]).replace('_', ' ')}"
    return words.capitalize() if len(words) > 4 else f"The {words}"


def _is_private(name: str, line: _Line) -> bool:
    """Follow the rule: all that is said of a person is private; elsewhere a person's name is, and what holds names."""
    known = shape(name)
    about = {part.removesuffix("RefId") for part in (*known.attributes, *known.children)} | {name}
    if _PEOPLE & about:
        return True
    steps = list(_along(known, line.path))
    is_name = any(_PARTS_OF_NAMES & step.children.keys() for step in steps)
    return is_name or bool(steps and steps[-1].children and _NAMES & _names_within(steps[-1]))


def _along(known: Shape, path: str) -> Iterator[Shape]:
    for step in path.split("/"):
        if not step.startswith("@"):
            known = known.children[step]
            yield known


def _names_within(known: Shape) -> set[str]:
    return {known.name}.union(*(_names_within(child) for child in known.children.values()))
