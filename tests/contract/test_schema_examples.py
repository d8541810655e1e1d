"""Every example object gives what its folder and file name promise."""

from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.notices import Severity
from sif_pipeline.sif import schema
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
    assert schema.findings(element, profile) == []


@pytest.mark.parametrize("path", INVALID, ids=name_of)
def test_invalid_example_has_exactly_the_finding_it_is_named_for(path):
    element = open_message(path.read_bytes())
    found = schema.findings(element, Profile.WHOLE)
    assert not schema.is_valid(element, Profile.WHOLE)
    assert [notice.code for notice in found] == [path.name.partition("--")[0]]
    assert schema.acceptable(found) is (found[0].type.severity is not Severity.ERROR)
    assert found[0].path.startswith(path.parts[-3])
    assert found[0].line > 0


@pytest.mark.parametrize("object_name", schema.object_names())
def test_every_object_has_examples_of_everything(object_name):
    folder = EXAMPLES / object_name
    codes = {path.name.partition("--")[0] for path in (folder / "invalid").iterdir()}
    assert {"minimal.xml", "full.xml"} <= {path.name for path in (folder / "valid").iterdir()}
    assert {"element_missing", "element_out_of_place", "element_unknown", "value_malformed"} <= codes


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
