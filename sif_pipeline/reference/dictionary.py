"""The data dictionary: an object's columns, the standard's types behind them, and what has no column."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from sqlalchemy import Column, make_url

from sif_pipeline.reference.elements import EXTENDED, fed_by, is_json, kept, reason, walk
from sif_pipeline.reference.markdown import code, page, table
from sif_pipeline.sif.schema import shape
from warehouse.base import CURRENT, HISTORY, Derived, Element, Extended, SifObject, elements

_DIALECT = make_url("postgresql+psycopg://").get_dialect()()


@dataclass(frozen=True, slots=True)
class StandardType:
    """What the standard's schema says of the values at a path."""

    name: str  #: of the type in schemas/sif-2.7, or of XML Schema's own; several are joined by a blank
    primitive: str  #: XML Schema's primitive type; `union` where several are allowed, `structure` for elements
    code_sets: tuple[str, ...]  #: files in schemas/codesets the values come from


@cache
def standard(object_name: str) -> Any:
    """Return the declaration of an object's element in its XSD, as xmlschema knows it."""
    import xmlschema  # noqa: PLC0415 -- takes a third of a second, and only these pages need it

    file = resources.files("schemas") / "sif-2.7" / f"{object_name}.xsd"
    return xmlschema.XMLSchema(str(file), allow="local").elements[object_name]


def standard_type(object_name: str, path: str) -> StandardType:
    """Look up the type of an element or attribute in the object's XSD; KeyError when the path is not in it."""
    node = standard(object_name)
    for step in path.split("/"):
        node = below(node, step)
    if node.type.is_simple():
        return _simple_type(node.type)
    return _simple_type(node.type.content) if node.type.has_simple_content() else StandardType("", "structure", ())


def below(node: Any, step: str) -> Any:
    """Return what stands at one step below a declaration: a child, or an attribute with @; KeyError for nothing."""
    if step.startswith("@"):
        return node.attributes[step[1:]]
    try:
        return next(child for child in node.type.content.iter_elements() if child.local_name == step)
    except StopIteration:
        raise KeyError(step) from None


def _simple_type(type_: Any) -> StandardType:
    members = [_simple_type(member) for member in getattr(type_, "member_types", ())]
    name = type_.local_name or " ".join(member.name for member in members) or type_.base_type.local_name
    if members:
        return StandardType(name, "union", tuple(code_set for member in members for code_set in member.code_sets))
    coded = (resources.files("schemas") / "codesets" / f"{name}.csv").is_file()
    return StandardType(name, type_.primitive_type.local_name, (name,) if coded else ())


def object_page(cls: type[SifObject]) -> str:
    """Write an object's page of the data dictionary."""
    name, stored = cls.sif_name, cls.__tablename__
    where = (
        f"One row per object in `{CURRENT}.{stored}`; closed versions in `{HISTORY}.{stored}`; both together, "
        f"without the document, in the view `reporting.{stored}_versions`. An object is known by its zone and "
        + " and ".join(code(path) for path in cls.key_paths)
        + "."
    )
    return page(
        name,
        (cls.__doc__ or "").strip().splitlines()[0],
        where,
        "## Columns from the object",
        table(
            ("Column", "Element", "Meaning", "Type", "Always there", "Codes", "Refers to", "Private", "Feeds"),
            [_dictionary_line(cls, column, line) for column, line in elements(cls)],
        ),
        _CODES_NOTE if any(line.codes for _, line in elements(cls)) else "",
        _inside_part(cls),
        _derived_part(cls),
        "## Columns of every object",
        table(("Column", "Meaning", "Type", "Private"), [_own_line(column) for column in _own_columns(cls)]),
        "## Kept in the document, without a column of their own",
        _KEPT_NOTE,
        "\n".join(f"- {code(path)}: {reason(cls, path)}" for path in kept(cls)),
    )


_CODES_NOTE = (
    "A code set is a table in `schemas/codesets`. Where two are named, the standard takes a value of either. "
    "*Always there* is what the standard makes mandatory; a list that may be empty is an empty list, not NULL. "
    "*Feeds* names fields of the state's [collections](../collections.md)."
)
_KEPT_NOTE = (
    "The column `document` holds the whole object, so these can be queried, and given a column later; see "
    "[Add an object or a column](../../how-to/add-an-object.md)."
)


def _dictionary_line(cls: type[SifObject], column: Column[Any], line: Element) -> list[str]:
    codes = [_code_set(name) for name in (line.codes or "").split()]
    of_standard = standard_type(cls.sif_name, line.path)
    return [
        code(column.name),
        code(line.path),
        line.meaning,
        f"{column.type.compile(_DIALECT)}, from {of_standard.name or of_standard.primitive}",
        "" if column.nullable else "yes",
        ", ".join(codes),
        f"[{line.refers}]({line.refers}.md)" if line.refers else "",
        "private" if line.pii else "",
        ", ".join(fed_by(cls, line.path)),
    ]


def _inside_part(cls: type[SifObject]) -> str:
    """List what stands inside the columns of JSON, with the types and codes that the schema holds it to."""
    lines = [line for column, declared in elements(cls) if is_json(column) for line in _inside(cls, column, declared)]
    if not lines:
        return ""
    head = (
        "## Inside the columns of JSON\n\nValues as they came, as text. A child has its own name as key, an attribute "
        "`@` and its name, text beside attributes `$`; several of one name are a list, one alone is not. Private where "
        "the column is.\n\n"
    )
    return head + table(("Column", "Element", "Type", "Mandatory", "Codes"), lines)


def _inside(cls: type[SifObject], column: Column[Any], declared: Element) -> Iterator[list[str]]:
    known = shape(cls.sif_name)
    for step in declared.path.split("/"):
        known = known.children[step]
    for path, mandatory in walk(known, "", set()):
        of_standard = standard_type(cls.sif_name, f"{declared.path}/{path}")
        if of_standard.primitive != "structure" and not path.endswith("@SIF_Action"):
            codes = ", ".join(_code_set(name) for name in of_standard.code_sets)
            yield [code(column.name), code(path), of_standard.name, "yes" if mandatory else "", codes]


def _code_set(name: str) -> str:
    return f"[{name}](../../../schemas/codesets/{name}.csv)"


def _derived_part(cls: type[SifObject]) -> str:
    """Describe the columns that only the view of versions has: extended elements and codes of one Codeset."""
    if not cls.derived:
        return ""
    head = (
        f"## Columns of `reporting.{cls.__tablename__}_versions` besides\n\nDeclared extended elements, and the codes "
        "of one Codeset; a value that is not of its type reads as NULL, and stays where it came from.\n\n"
    )
    header = ("Column", "From", "Meaning", "Type", "Codes", "Private", "Feeds")
    return head + table(header, [_derived_line(cls, name, derived) for name, derived in cls.derived.items()])


def _derived_line(cls: type[SifObject], name: str, derived: Derived) -> list[str]:
    codes = f"[{derived.codes}](../../../schemas/massachusetts/{derived.codes}.csv)" if derived.codes else ""
    if isinstance(derived, Extended):
        source, path = code(f"extended ->> '{derived.name}'"), f"{EXTENDED}/{derived.name}"
        type_, private = _TYPE_NAMES[derived.type], True
    else:
        (line,) = [line for column, line in elements(cls) if column.name == derived.column]
        source, path = f"{code(derived.column)}, Codeset {derived.codeset}", line.path
        type_, private = "TEXT[]" if derived.every else "TEXT", line.pii
    return [
        code(name),
        source,
        derived.meaning,
        type_,
        codes,
        "private" if private else "",
        ", ".join(fed_by(cls, path)),
    ]


_TYPE_NAMES = {str: "TEXT", int: "INTEGER", Decimal: "NUMERIC", date: "DATE"}


def _own_columns(cls: type[SifObject]) -> list[Column[Any]]:
    return [column for column in cls.history.columns if "element" not in column.info]


def _own_line(column: Column[Any]) -> list[str]:
    only = " (history only)" if column.name == "recorded_to" else ""
    private = "private" if column.info.get("pii") else ""
    return [code(column.name), f"{column.comment}{only}", column.type.compile(_DIALECT), private]
