"""The schema files agree with each other: derived ones are fresh, lists say how they merge, code sets are tables."""

import csv
import json
from importlib.resources import files
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.sif import naming, schema
from sif_pipeline.sif.schema import Profile, Shape
from sif_pipeline.sif.xsd import XS
from warehouse.base import objects

SCHEMAS = Path(str(files("schemas")))
DOMAIN = Path(__file__).resolve().parents[2].parent / "shared" / "domain" / "all-objects-keys-2.7m.json"
XSDS = SCHEMAS / "sif-2.7"
P = "{urn:sif-pipeline:profile}"
CODE_SETS = sorted((SCHEMAS / "codesets").iterdir())
WHOLE = sorted(XSDS.glob("*.xsd"))


def test_derived_files_are_fresh():
    """After a change of an XSD or a code set: python -m sif_pipeline.sif.schema --write."""
    stale = [path for path, content in schema.generated().items() if (XSDS / path).read_bytes() != content]
    assert stale == []


def test_the_objects_of_the_standard_are_listed():
    assert set(objects()) <= naming.of_the_standard()
    if not DOMAIN.exists():
        pytest.skip("needs the list of the standard's objects, which is not part of the project")
    everything = json.loads(DOMAIN.read_text())["objects"]
    assert naming.of_the_standard() == {*everything, "SIF_AgentACL", "SIF_LogEntry", "SIF_ZoneStatus"}


def test_the_errors_of_the_standard_are_listed():
    found = naming.errors()
    assert naming.meaning("8/9") == "Unsupported query in request"
    assert [naming.meaning(error) for error in ("8/1", "8/99", "99/1", None)] == [
        "Request and response", "Request and response", "Unknown", None,
    ]  # fmt: skip
    if not DOMAIN.exists():
        pytest.skip("needs the list of the standard's errors, which is not part of the project")
    sets = json.loads((DOMAIN.parent / "infrastructure-codesets-2.x.json").read_text())
    errors = [codes for name, codes in sets.items() if name.startswith("Infrastructure/") and name.endswith("Error")]
    assert list(found.items()) == [
        ((category, int(code)), meaning.rstrip("."))
        for category, codes in enumerate(errors, 1)
        for code, meaning in codes
    ]


def test_no_derived_file_is_left_behind():
    present = {path.relative_to(XSDS).as_posix() for path in XSDS.glob("*/*")}
    assert present == set(schema.generated()) - {"codesets.xsd"}


@pytest.mark.parametrize("path", sorted(XSDS.rglob("*.xsd")), ids=lambda path: path.relative_to(XSDS).as_posix())
def test_every_file_compiles_alone_from_disk(path):
    etree.XMLSchema(etree.parse(path))


@pytest.mark.parametrize("path", CODE_SETS, ids=lambda path: path.stem)
def test_code_set_is_a_table_of_code_and_meaning(path):
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    codes = [code for code, _ in rows]
    assert header == ["code", "meaning"]
    assert len(set(codes)) == len(codes)
    assert [row for row in rows if not all(cell and cell == " ".join(cell.split()) for cell in row)] == []


def test_every_code_set_is_used_and_every_enumeration_of_more_than_one_code_is_a_code_set():
    roots = [etree.parse(path).getroot() for path in WHOLE if path.name != "codesets.xsd"]
    used = {
        name.removeprefix("sif:")
        for root in roots
        for node in root.iter(etree.Element)
        for name in f"{node.get('type', '')} {node.get('memberTypes', '')}".split()
    }
    inline = [node.getparent() for root in roots for node in root.iter(XS + "enumeration")]
    assert {path.stem for path in CODE_SETS} - used == set()
    assert [node for node in inline if len(node) > 1] == []


@pytest.mark.parametrize("path", WHOLE, ids=lambda path: path.stem)
def test_every_list_says_how_it_merges(path):
    for type_ in etree.parse(path).iter(XS + "complexType"):
        items = type_.findall(f"{XS}sequence/{XS}element")
        is_list = len(items) == 1 and items[0].get("maxOccurs") == "unbounded"
        assert (type_.get(P + "list") is not None) is is_list
        assert (type_.get(P + "key") is not None) is (type_.get(P + "list") == "keyed")


def test_every_keyed_list_is_unique_by_its_key():
    roots = [etree.parse(path).getroot() for path in WHOLE]
    named = {f"sif:{part.get('name')}": part for root in roots for part in root}
    elements = [element for root in roots for element in root.iter(XS + "element")]
    types = [(element, named.get(element.get("type"), element.find(XS + "complexType"))) for element in elements]
    keyed = [(element, type_.get(P + "key")) for element, type_ in types if type_ is not None and type_.get(P + "key")]
    assert {"AddressList", "Letter", "SIF_ExtendedElements", "TermMarkLists"} <= {e.get("name") for e, _ in keyed}
    for element, key in keyed:
        fields = [field.get("xpath").removeprefix("sif:") for field in element.iterfind(f"{XS}unique/{XS}field")]
        assert " ".join(fields) == key


def flat(known: Shape, path: str = "") -> dict[str, Shape]:
    found = {path: known}
    for child in known.children.values():
        found |= flat(child, f"{path}/{child.name}")
    return found


@pytest.mark.parametrize("object_name", schema.object_names())
@pytest.mark.parametrize("profile", [Profile.SPARSE, Profile.KEY])
def test_derived_profiles_require_keys_only(object_name, profile):
    known = flat(schema.shape(object_name, profile))
    keys = {f"/{part}" for part in schema.object_key(object_name) if part.startswith("@") or profile is Profile.KEY}
    required = {path for path, node in known.items() if path and node.required}
    required |= {f"{path}/@{name}" for path, node in known.items() for name, a in node.attributes.items() if a.required}
    by_list = {
        f"{path}/{item}/{key}" for path, node in known.items() for item in node.children for key in node.keyed_by
    }
    assert keys | by_list <= required
    # An Address that is no list item is of the same type as one that is, and keeps its Type.
    assert {path for path in required - keys - by_list if not path.endswith("/Address/@Type")} == set()


def test_the_notice_of_the_standard_goes_with_what_is_derived_from_it():
    assert "SIF Association" in (SCHEMAS / "NOTICE").read_text(encoding="utf-8")
