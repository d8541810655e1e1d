"""What is said of a RefId that is missing, empty or ill-formed: never to correct a field that no school has."""

import uuid

import pytest
import sif_text as sif

from sif_pipeline.notices import CATALOGUE
from sif_pipeline.reading import core

KEY = sif.ref("A")
GUID = str(uuid.UUID(KEY)).upper()

SPELLED = {
    "empty": "",
    "blank": "  ",
    "with hyphens": GUID,
    "in braces": f"{{{GUID}}}",
    "braces only": f"{{{KEY}}}",
    "in lower case": KEY.lower(),
    "of 31 characters": KEY[1:],
    "of 33 characters": KEY + "0",
    "no hexadecimal digits": "G" * 32,
    "a local number": "12345",
}


def findings(text, action="Response"):
    (found,) = core.read(sif.response(text) if action == "Response" else sif.event(action, text))
    assert found.outcome == "rejected"
    return [(notice.code, notice.path) for notice in found.notices]


@pytest.mark.parametrize("action", ["Response", "Add", "Change", "Delete"])
@pytest.mark.parametrize("key", SPELLED.values(), ids=SPELLED)
def test_own_key_that_is_no_ref_id(key, action):
    assert findings(sif.student().replace(KEY, key), action) == [("ref_id_malformed", "StudentPersonal/@RefId")]


@pytest.mark.parametrize("action", ["Response", "Add", "Change", "Delete"])
def test_own_key_that_is_not_there(action):
    without = sif.student().replace(f' RefId="{KEY}"', " ")  # the blank keeps the name apart for `sif.event`
    assert findings(without, action) == [("key_missing", "StudentPersonal/@RefId")]


@pytest.mark.parametrize("key", SPELLED.values(), ids=SPELLED)
def test_reference_that_is_no_ref_id(key):
    enrolled = sif.enrollment().replace(KEY, key)
    assert findings(enrolled) == [("ref_id_malformed", "StudentSchoolEnrollment/@StudentPersonalRefId")]
    assert findings(sif.school(of="A").replace(KEY, key)) == [("ref_id_malformed", "SchoolInfo/LEAInfoRefId")]


@pytest.mark.parametrize("code", ["key_missing", "ref_id_malformed"])
def test_way_out_is_the_vendor_of_the_agent_not_a_field_to_fill(code):
    assert CATALOGUE[code].remedy.startswith("Ask the SIS vendor: the agent must")
    assert "RefId" in CATALOGUE[code].title
