"""Every element of the standard is a column, or is named as kept without one with the reason; its use is told."""

import csv
from pathlib import Path

import pytest

from sif_pipeline.config import PROJECT
from sif_pipeline.reference import elements as reference
from sif_pipeline.reference.elements import fed_by, feeds, kept, reason, reasons_for, standing
from sif_pipeline.sif.schema import shape
from warehouse.base import Extended, OtherCode, elements, objects

SHARED = Path(__file__).resolve().parents[3] / "shared"
OBJECTS = [pytest.param(cls, id=name) for name, cls in objects().items()]
DERIVED = [
    pytest.param(cls, name, derived, id=f"{cls.sif_name}.{name}")
    for cls in objects().values()
    for name, derived in cls.derived.items()
]
KEPT_WITH_A_LINE = {line for cls in objects().values() for path in kept(cls) for line in reasons_for(cls, path)[:1]}


def codes(folder: str, name: str) -> set[str]:
    with (PROJECT / "schemas" / folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"] for row in csv.DictReader(file)}


@pytest.mark.parametrize("cls", OBJECTS)
def test_every_element_of_the_schema_stands_somewhere(cls):
    def paths(known, above):
        yield from (f"{above}@{name}" for name in known.attributes if name != "SIF_Action")
        for child in known.children.values():
            yield f"{above}{child.name}"
            yield from paths(child, f"{above}{child.name}/")

    assert [path for path in paths(shape(cls.sif_name), "") if not standing(cls, path)] == []


@pytest.mark.parametrize("cls", OBJECTS)
def test_what_is_kept_without_a_column_has_a_reason(cls):
    assert [path for path in kept(cls) if len(reason(cls, path)) < 15] == []
    assert set(cls.kept) <= set(kept(cls))


def test_no_reason_is_left_over():
    """A line of warehouse/kept.csv that nothing needs any more hides the next element of its name."""
    with (PROJECT / "warehouse/kept.csv").open(encoding="utf-8", newline="") as file:
        lines = [row["element"] for row in csv.DictReader(file)]
    assert len(lines) == len(set(lines))
    assert set(lines) == KEPT_WITH_A_LINE


def test_every_element_of_the_definitions_stands_somewhere():
    if not SHARED.is_dir():
        pytest.skip("the definitions' table is not part of the project (../shared)")
    with (SHARED / "domain/ma-object-elements-2.7m.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 1134
    assert [(r["object"], r["path"]) for r in rows if not standing(objects()[r["object"]], r["path"])] == []


def test_what_feeds_a_collection_is_a_column():
    nowhere = []
    for feed in feeds():
        cls = objects()[feed.object_name]
        columns = {line.path for _, line in elements(cls)}
        columns |= {f"{reference.EXTENDED}/{d.name}" for d in cls.derived.values() if isinstance(d, Extended)}
        if feed.path not in columns:
            nowhere.append(feed)
    assert nowhere == []
    assert {feed.collection for feed in feeds()} == {"SIMS", "EPIMS", "SCS", "SSDR"}
    assert {feed.required for feed in feeds()} <= {"yes", "no", "sometimes"}
    assert {feed.known for feed in feeds()} == {"published", "inferred"}


def test_an_inferred_field_is_marked():
    assert fed_by(objects()["StudentPersonal"], "LocalId") == ["SIMS DOE001", "SCS01"]
    assert fed_by(objects()["StudentPersonal"], "AddressList/Address") == ["SIMS DOE014 (?)"]


@pytest.mark.parametrize(("cls", "name", "derived"), DERIVED)
def test_derived_column_is_of_what_there_is(cls, name, derived):
    assert name not in cls.history.columns
    assert len(name) <= 63
    assert len(derived.meaning) > 10
    if derived.codes:
        assert codes("massachusetts", derived.codes)
    if isinstance(derived, OtherCode):
        (line,) = [line for column, line in elements(cls) if column.name == derived.column]
        assert line.path.endswith("OtherCodeList/OtherCode")
        assert derived.codeset in codes("codesets", "OtherCodeCodesetType")
        assert derived.every is name.endswith("s")


@pytest.mark.parametrize("path", sorted((PROJECT / "schemas/massachusetts").glob("*.csv")), ids=lambda path: path.stem)
def test_code_set_of_the_state_says_what_is_published(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["code", "meaning", "known"]
    assert len({code for code, _, _ in rows}) == len(rows)
    assert {known for _, _, known in rows} <= {"published", "code published", "unconfirmed"}
    assert all(meaning and meaning == " ".join(meaning.split()) for _, meaning, _ in rows)
