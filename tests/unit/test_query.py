"""Conditions as people write them, and the SIF_Request they make."""

from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.messages import read_message
from sif_pipeline.sif.query import Condition, Where, read_where, spelled_for, write_request

SCHEMA = Path(__file__).resolve().parents[2].parent / "shared/spec/sif-us-2.6/SIF_Message.xsd"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("SchoolYear EQ 2027", Where((Condition("SchoolYear", "EQ", "2027"),))),
        ("SchoolYear = 2027", Where((Condition("SchoolYear", "EQ", "2027"),))),
        ("a>=1 and b<>'x y'", Where((Condition("a", "GE", "1"), Condition("b", "NE", "x y")))),
        ('@SchoolYear ge 2026 or Name/LastName eq "O\'Brien and"', Where((
            Condition("@SchoolYear", "GE", "2026"), Condition("Name/LastName", "EQ", "O'Brien and")), "Or")),
        ("Name[@Type='04' or @Type = \"a/b\"]/LastName EQ Doe AND a[b='='] < 9", Where((
            Condition("Name[@Type='04' or @Type = \"a/b\"]/LastName", "EQ", "Doe"), Condition("a[b='=']", "LT", "9")))),
    ],
)  # fmt: skip
def test_conditions_are_read_as_written(text, where):
    assert read_where(text) == where


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SchoolYear",
        "SchoolYear LIKE 2",
        "a = 1 b = 2",
        "a = 1 AND",
        "a = 1 AND b = 2 OR c = 3",
        "a = 'x",
        "1 = 2",
        "a[b] = 2",
        "a[@b=1] = 2",
        "a[@b='1' = 2",
        "a[@b='1' and @c='2'] = 2",
        "[@b='1'] = 2",
    ],
)
def test_what_is_no_condition_is_said_to_be_none(text):
    with pytest.raises(ConfigurationError, match="A condition is written"):
        read_where(text)


EXTENDED = "SIF_ExtendedElements/SIF_ExtendedElement"
SPELLED = {
    "LocalId": "LocalId", "RefId": "@RefId", "@RefId": "@RefId", "Demographics/BirthDate": "Demographics/BirthDate",
    "Name/Type": "Name/@Type", "Name/@Type": "Name/@Type", "SIF_Metadata/LifeCycle/Created/DateTime":
    "SIF_Metadata/LifeCycle/Created/DateTime", EXTENDED: EXTENDED, f"{EXTENDED}/Name": f"{EXTENDED}/Name",
    f"{EXTENDED}/@Name": f"{EXTENDED}/@Name", f"{EXTENDED}/eye/@colour": f"{EXTENDED}/eye/@colour",
    "Name[@Type='04']/LastName": "Name[@Type='04']/LastName", "OtherIdList/OtherId[@Type='a/b']":
    "OtherIdList/OtherId[@Type='a/b']", "Name[LastName='x']/Type": "Name[LastName='x']/@Type",
}  # fmt: skip


@pytest.mark.parametrize("path", SPELLED)
def test_a_condition_is_about_what_the_object_has(path):
    where = Where((Condition(path, "EQ", "1"), Condition("LocalId", "EQ", "1")), "Or")
    spelled = Where((Condition(SPELLED[path], "EQ", "1"), Condition("LocalId", "EQ", "1")), "Or")
    assert spelled_for("StudentPersonal", where) == spelled


NOT_THERE = {
    "Nonsense": "no Nonsense; leave the object's name out",
    "BirthDate": "no BirthDate; perhaps Demographics/BirthDate.",
    "Demographics/BirthDat": "perhaps Demographics/BirthDate",
    "StudentPersonal/Name/FirstName": "perhaps Name/FirstName",
    "@LocalId": "no @LocalId; perhaps LocalId.",
    "LocalId/Name": "no LocalId/Name;",
    "Name[Type='04']/LastName": "no Name[Type='04']/LastName; perhaps Name/LastName",
    "LocalId[@Type='04']": "no LocalId[@Type='04']; perhaps LocalId.",
    f"{EXTENDED}/@Colour": f"no {EXTENDED}/@Colour",
}


@pytest.mark.parametrize("path", NOT_THERE)
def test_a_condition_about_what_the_object_does_not_have_is_refused(path):
    with pytest.raises(ConfigurationError) as refused:
        spelled_for("StudentPersonal", Where((Condition(path, "GE", "100"),)))
    assert NOT_THERE[path] in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "LocalId GE 1",
        "LocalId GE 1 AND LocalId LT '<9>'",
        "LocalId EQ 1 OR LocalId EQ 2",
        "Name[@Type='04']/LastName EQ Doe",
    ],
)
def test_requests_are_valid_and_read_back(text):
    if not SCHEMA.exists():
        pytest.skip("the official schema is not here")
    where = read_where(text) if text else Where()
    written = write_request("StudentPersonal", where, max_buffer_size=65536, version="2.6", destination_id="SIS")
    root = open_message(written.body)
    official().assertValid(root)
    found = read_message(root)
    assert (found.msg_id, found.destination_id) == (written.msg_id, "SIS")
    assert found.request is not None
    assert (found.request.object_names, found.request.versions) == (("StudentPersonal",), ("2.*",))
    values = [e.text for e in etree.fromstring(found.request.query).iter("{*}SIF_Value")]
    assert values == [condition.value for condition in where.conditions]


@cache
def official():
    return etree.XMLSchema(etree.parse(SCHEMA))
