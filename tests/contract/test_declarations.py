"""Every declaration in warehouse/objects keeps what it promises; a new object is tested without a line here."""

import csv
import re
from datetime import date
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from uuid import UUID

import pytest

from sif_pipeline.reading import mapping
from sif_pipeline.reference.dictionary import StandardType, standard_type
from sif_pipeline.reference.elements import kept
from sif_pipeline.sif import schema
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.schema import Shape
from warehouse.base import CURRENT_ONLY, elements, objects, snake_case

EXAMPLES = Path(__file__).parents[1] / "examples"
CODE_SETS = {Path(entry.name).stem for entry in (files("schemas") / "codesets").iterdir()}

OBJECTS = [pytest.param(cls, id=name) for name, cls in objects().items()]
LINES = [
    pytest.param(cls, column, line, id=f"{name}.{column.name}")
    for name, cls in objects().items()
    for column, line in elements(cls)
]

REFERENCE_TYPES = {"GUIDType", "GUIDOrEmptyType"}
OF_A_PERSON = {"StudentPersonal", "StaffPersonal"}
NAMES_OF_PEOPLE = {"Name", "LastName", "FirstName", "FullName", "ContactName"}
PARTS_OF_NAMES = {"LastName", "FirstName", "FullName"}

FORMS = {
    "string": {str},
    "anyURI": {str},
    "date": {date},
    "gYear": {int},
    "gYearMonth": {str},
    "time": {str},
    "duration": {str},
    "decimal": {Decimal},
    "boolean": {str},
    "dateTime": {date},
    "union": {str},
}
"""What a value of XML Schema's primitive types may become; decimals derived from integers may be int too.

Of a dateTime the day is kept; the document has the rest."""


def along(cls: type, path: str) -> list[object]:
    """Give the shapes of the elements, and last perhaps the attribute, along a path; KeyError when it leads nowhere."""
    found: list[object] = []
    known: Shape = schema.shape(cls.sif_name)
    for step in path.split("/"):
        if step.startswith("@"):
            found.append(known.attributes[step[1:]])
        else:
            known = known.children[step]
            found.append(known)
    return found


def is_list(column) -> bool:
    return column.type.python_type is list


def is_json(column) -> bool:
    return type(column.type).__name__ == "JSONB"


def names_within(known: Shape) -> set[str]:
    return {known.name}.union(*(names_within(child) for child in known.children.values()))


# -- objects


def test_every_object_with_a_schema_is_declared_and_the_reverse():
    assert set(objects()) == set(schema.object_names())


@pytest.mark.parametrize("cls", OBJECTS)
def test_object_is_alone_in_a_module_of_its_name(cls):
    assert cls.__module__ == f"warehouse.objects.{snake_case(cls.sif_name)}"
    assert [other.sif_name for other in objects().values() if other.__module__ == cls.__module__] == [cls.sif_name]


@pytest.mark.parametrize("cls", OBJECTS)
def test_object_says_in_one_sentence_what_it_is(cls):
    assert re.fullmatch(r"[A-Z][^\n]+\.", (cls.__doc__ or "").strip().splitlines()[0])
    assert cls.__table__.comment == cls.__doc__.strip().splitlines()[0]


@pytest.mark.parametrize("cls", OBJECTS)
def test_key_is_the_standards(cls):
    natural = tuple(path for path in schema.object_key(cls.sif_name) if path != "@RefId")
    assert cls.key_paths == (natural or ("@RefId",))


@pytest.mark.parametrize("cls", OBJECTS)
def test_no_two_columns_have_one_name_or_one_path(cls):
    names = [column.name for column in cls.__table__.columns]
    paths = [line.path for _, line in elements(cls)]
    assert len(set(names)) == len(names)
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("cls", OBJECTS)
def test_history_has_the_columns_of_the_present_and_an_end(cls):
    kept = (c for c in cls.__table__.columns if c.name not in CURRENT_ONLY)
    present = [(c.name, str(c.type), c.nullable, c.comment) for c in kept]
    past = [(c.name, str(c.type), c.nullable, c.comment) for c in cls.history.columns]
    assert past[:-1] == present
    assert past[-1][0] == "recorded_to"


@pytest.mark.parametrize("cls", OBJECTS)
def test_names_fit_postgresql(cls):
    names = [cls.__tablename__, f"{cls.__tablename__}_versions"]
    for table in (cls.__table__, cls.history):
        names += [column.name for column in table.columns]
        names += [str(index.name) for index in table.indexes]
        names += [f"pk_{table.name}"]
    assert [name for name in names if len(name.encode()) > 63 or not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []


@pytest.mark.parametrize("cls", OBJECTS)
def test_every_element_of_the_standard_has_a_column_or_is_listed_as_kept(cls):
    paths = {line.path for _, line in elements(cls)} | set(kept(cls)) | set(cls.key_paths) | {"SIF_ExtendedElements"}
    known = schema.shape(cls.sif_name)
    tops = {path.partition("/")[0] for path in paths}
    assert {f"@{name}" for name in known.attributes} | set(known.children) <= tops | {"@RefId"}


@pytest.mark.parametrize("cls", OBJECTS)
def test_full_example_fills_every_column(cls):
    """A path that is spelled wrong would stay empty for ever."""
    element = open_message((EXAMPLES / cls.sif_name / "valid/full.xml").read_bytes())
    cells, unfit = mapping.row(cls, element)
    columns = mapping.plan(cls).columns
    assert unfit == []
    assert [name for name, cell in zip(columns, cells, strict=True) if cell in (None, "{}", "[]")] == []


# -- columns


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_path_is_in_the_standard(cls, column, line):
    assert along(cls, line.path)


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_meaning_says_more_than_the_name(cls, column, line):
    assert re.fullmatch(r"[A-Z].{3,}[^.]", line.meaning)
    assert column.comment == line.meaning


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_required_is_what_the_standard_makes_mandatory(cls, column, line):
    mandatory = all(step.required for step in along(cls, line.path))
    assert column.nullable is (not mandatory and not is_list(column) and not is_json(column))


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_list_is_what_the_standard_repeats(cls, column, line):
    steps = [step for step in along(cls, line.path) if isinstance(step, Shape)]
    repeats = any(step.repeats for step in steps)
    attributes = set(steps[-1].attributes) if steps else set()
    if line.refers:
        attributes.discard("SIF_RefObject")
    has_parts = not line.path.split("/")[-1].startswith("@") and bool(steps[-1].children or attributes)
    if is_json(column):
        assert has_parts
    else:
        assert is_list(column) is repeats
        assert not (repeats and has_parts), "an element with parts that repeats is kept as JSON: Mapped[list[Any]]"


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_type_fits_the_standards(cls, column, line):
    of_standard = standard_type(cls.sif_name, line.path)
    if is_json(column):
        return
    allowed = forms(of_standard) | ({UUID} if of_standard.name in REFERENCE_TYPES else set())
    stored = str if is_list(column) else column.type.python_type
    assert stored in allowed


def forms(of_standard: StandardType) -> set[type]:
    if of_standard.name.endswith("Int"):
        return {int}
    if of_standard.name == "DecimalOrEmptyType":
        return {Decimal}
    return FORMS[of_standard.primitive]


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_code_sets_are_the_standards(cls, column, line):
    named = tuple((line.codes or "").split())
    assert set(named) <= CODE_SETS
    if not is_json(column):
        assert named == standard_type(cls.sif_name, line.path).code_sets


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_suffix_says_what_the_column_holds(cls, column, line):
    name = column.name
    if re.search(r"_codes?$", name):
        assert line.codes or re.search(r"(School|District|State)'s .*codes?\b", line.meaning), "whose code is it?"
    assert name.endswith("_date") is (column.type.python_type is date)
    assert bool(re.search(r"_ref_ids?$", name)) is bool(line.refers)
    if re.match(r"(is|has)_", name):
        assert line.codes in {"YesNoType", "YesNoUnknownType"}
    assert name.endswith("s") or not is_list(column) or is_json(column)


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_reference_is_to_a_declared_object(cls, column, line):
    if line.refers:
        assert line.refers in objects()
        assert standard_type(cls.sif_name, line.path).name in REFERENCE_TYPES
        named = line.path.rpartition("/")[2].removeprefix("@").startswith(line.refers)
        assert named or line.refers in kinds_beside(cls, line.path)


def kinds_beside(cls, path: str) -> set[str]:
    """Give the objects that the SIF_RefObject of the same element may name."""
    head, _, last = path.rpartition("/")
    holder = head if last.startswith("@") else path
    (name,) = standard_type(cls.sif_name, f"{holder}/@SIF_RefObject".removeprefix("/")).code_sets
    with (files("schemas") / "codesets" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"] for row in csv.DictReader(file)}


@pytest.mark.parametrize(("cls", "column", "line"), LINES)
def test_privacy_follows_the_rule(cls, column, line):
    """What an object about a person says is private, but for RefIds and the school year; elsewhere, names of people."""
    known = schema.shape(cls.sif_name)
    named = {name.removesuffix("RefId") for name in (*known.attributes, *known.children)}
    about = {other.refers for _, other in elements(cls)} | {cls.sif_name} | named
    if OF_A_PERSON & about:
        private = not line.refers and line.path != "@SchoolYear"
    else:
        steps = [step for step in along(cls, line.path) if isinstance(step, Shape)]
        is_name = any(PARTS_OF_NAMES & step.children.keys() for step in steps)
        private = is_name or bool(steps and steps[-1].children and names_within(steps[-1]) & NAMES_OF_PEOPLE)
    assert line.pii is private


@pytest.mark.parametrize("cls", OBJECTS)
def test_whole_documents_are_private(cls):
    assert [name for name in ("document", "extended") if not cls.__table__.columns[name].info.get("pii")] == []


COVERED = [pytest.param(cls, cls.covering, id=name) for name, cls in objects().items() if cls.covering]


@pytest.mark.parametrize(("cls", "covering"), COVERED)
def test_an_index_holds_only_what_is_short(cls, covering):
    """PostgreSQL refuses an entry of more than 2,700 bytes: free text, JSON and the document have no place in one."""
    lines = {column.name: line for column, line in elements(cls)}
    types = {column.name: column.type.python_type for column in cls.__table__.columns}
    for name in [*(name.removeprefix("-") for name in covering.by), *covering.holds]:
        assert types[name] in {int, date, Decimal, UUID} or lines[name].codes is not None, name
        assert cls.__table__.columns[name].type.__class__.__name__ != "JSONB"
