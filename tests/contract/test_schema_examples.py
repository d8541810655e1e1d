"""Every example object gives what its folder and file name promise."""

from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.notices import Severity
from sif_pipeline.sif import inspection, schema
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.schema import Profile

EXAMPLES = Path(__file__).parents[1] / "examples"
VALID = sorted(EXAMPLES.glob("*/valid/*.xml"))
INVALID = sorted(EXAMPLES.glob("*/invalid/*.xml"))


def name_of(path: Path) -> str:
    return path.relative_to(EXAMPLES).as_posix()


@pytest.mark.parametrize("path", VALID, ids=name_of)
@pytest.mark.parametrize("profile", Profile)
def test_valid_example_has_no_finding(path, profile):
    element = open_message(path.read_bytes())
    assert schema.is_valid(element, profile)
    assert inspection.findings(element, profile) == []


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_invalid_example_has_exactly_the_finding_it_is_named_for(path):
    element = open_message(path.read_bytes())
    found = inspection.findings(element, Profile.WHOLE)
    assert not schema.is_valid(element, Profile.WHOLE)
    assert [notice.code for notice in found] == [path.name.partition("--")[0]]
    assert inspection.acceptable(found) is (found[0].type.severity is not Severity.ERROR)
    assert found[0].path.startswith(path.parts[-3])
    assert found[0].line > 0


@pytest.mark.parametrize("object_name", schema.object_names())
def test_every_object_has_its_smallest_and_its_fullest_example(object_name):
    assert {"minimal.xml", "full.xml"} <= {path.name for path in (EXAMPLES / object_name / "valid").iterdir()}


def without_its_key(element):
    del element.attrib[next(part[1:] for part in schema.object_key(etree.QName(element).localname) if part[0] == "@")]


def with_a_word_of_the_vendor(element):
    element.insert(0, etree.Element("{urn:example:vendor}LocalId"))


def with_its_extended_elements_first(element):
    element.insert(0, element.find("{*}SIF_ExtendedElements"))


def with_a_malformed_key(element):
    name = next(name for name in element.attrib if name.endswith("Id"))
    element.set(name, element.get(name).lower() + "-")


SPOILED = {
    "key_missing": without_its_key,
    "element_unknown": with_a_word_of_the_vendor,
    "element_out_of_place": with_its_extended_elements_first,
    "ref_id_malformed": with_a_malformed_key,
}


@pytest.mark.parametrize("object_name", schema.object_names())
@pytest.mark.parametrize("code", SPOILED)
def test_fullest_example_spoiled_has_exactly_the_finding_expected(object_name, code):
    """So that a new object needs no invalid example of its own."""
    element = open_message((EXAMPLES / object_name / "valid/full.xml").read_bytes())
    SPOILED[code](element)
    found = inspection.findings(element, Profile.WHOLE)
    assert [notice.code for notice in found] == [code]


@pytest.mark.parametrize("object_name", schema.object_names())
def test_the_full_example_holds_every_element_and_the_minimal_one_none_that_is_optional(object_name):
    full = open_message((EXAMPLES / object_name / "valid/full.xml").read_bytes())
    minimal = open_message((EXAMPLES / object_name / "valid/minimal.xml").read_bytes())
    known = schema.shape(object_name)
    assert [c.name for c in known.children.values() if full.find(f"{{*}}{c.name}") is None] in (
        [],
        ["SIF_Metadata"],
    )
    assert [etree.QName(c).localname for c in minimal] == [c.name for c in known.children.values() if c.required]
