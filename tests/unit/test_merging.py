"""A Change brings parts of an object to their place, whatever the object and in whatever order they come."""

import random
from copy import deepcopy
from itertools import groupby
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.sif import schema
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.merging import NIL, merged
from sif_pipeline.sif.schema import Profile

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(folder.name for folder in EXAMPLES.iterdir())


def example(name, kind):
    return open_message((EXAMPLES / name / "valid" / f"{kind}.xml").read_bytes())


def text(element):
    return etree.tostring(element, method="c14n", exclusive=True).decode()


def change_of(element, *children):
    """Make a Change of an object that brings copies of these children of it."""
    change = etree.Element(element.tag, dict(element.attrib), nsmap=element.nsmap)
    change.extend([deepcopy(child) for child in children])
    return change


def parts_of(element):
    """Split an object into its parts; what repeats side by side (StudentLocator's Name) is one part."""
    return [list(group) for _, group in groupby(element, key=lambda child: child.tag)]


@pytest.mark.parametrize("name", NAMES)
def test_a_change_that_brings_nothing_changes_nothing(name):
    full = example(name, "full")
    assert text(merged(full, change_of(full))) == text(full)


@pytest.mark.parametrize("name", NAMES)
def test_a_change_that_brings_everything_again_changes_nothing(name):
    full = example(name, "full")
    assert text(merged(full, full)) == text(full)


@pytest.mark.parametrize("name", NAMES)
def test_parts_find_their_places_in_whatever_order_they_come(name):
    """From the smallest valid object to the fullest, part by part; it is valid all the way."""
    full = example(name, "full")
    for seed in range(5):
        found, parts = example(name, "minimal"), parts_of(full)
        random.Random(seed).shuffle(parts)
        for part in parts:
            found = merged(found, change_of(full, *part))
            assert schema.is_valid(found, Profile.WHOLE), etree.QName(part[0]).localname
        assert text(found) == text(full)


@pytest.mark.parametrize("name", NAMES)
def test_each_optional_part_leaves_when_it_is_sent_as_nil(name):
    full, optional = example(name, "full"), schema.shape(name).children
    for part in parts_of(full):
        if optional[etree.QName(part[0]).localname].required:
            continue
        cleared = etree.Element(part[0].tag, {NIL: "true"})
        expected = deepcopy(full)
        for child in expected.findall(part[0].tag):
            expected.remove(child)
        assert text(merged(full, change_of(full, cleared))) == text(expected)


@pytest.mark.parametrize("name", NAMES)
def test_merging_twice_is_merging_once_and_alters_neither_argument(name):
    full, minimal = example(name, "full"), example(name, "minimal")
    before = text(full), text(minimal)
    once = merged(minimal, full)
    assert text(merged(once, full)) == text(once)
    assert (text(full), text(minimal)) == before


def keyed_lists():
    """Find every list that a Change sets item by item: object, list, attribute or element that is the key."""
    for name in NAMES:
        for shape in schema.shape(name).children.values():
            if shape.keyed_by:
                yield name, shape.name, shape.keyed_by[0].removeprefix("@")


def test_the_keyed_lists_are_those_of_the_standard():
    assert {(listed, key) for _, listed, key in keyed_lists()} == {
        ("AddressList", "Type"), ("EmailList", "Type"), ("OtherNames", "Type"), ("PhoneNumberList", "Type"),
        ("SIF_ExtendedElements", "Name"), ("Letter", "Code"), ("TermMarkLists", "TermInfoRefId"),
        ("SpecialConditions", "Code"),
    }  # fmt: skip


@pytest.mark.parametrize(("name", "listed", "key"), list(keyed_lists()))
def test_items_of_keyed_lists_leave_one_by_one_and_come_back(name, listed, key):
    full = example(name, "full")
    items = list(full.find(f"{{*}}{listed}"))
    found = full
    for item in items:
        gone = etree.Element(item.tag, SIF_Action="Delete")
        set_key(gone, key, key_of(item, key))
        found = merged(found, _of_list(full, listed, gone))
        left = found.find(f"{{*}}{listed}")
        assert left is None or key_of(item, key) not in [key_of(other, key) for other in left]
    empty = found.find(f"{{*}}{listed}")
    assert empty is None or (len(empty) == 0 and empty.attrib == full.find(f"{{*}}{listed}").attrib)
    for item in items:
        found = merged(found, _of_list(full, listed, deepcopy(item)))
    assert text(found) == text(full)


def key_of(item, key):
    return item.findtext(f"{{*}}{key}") or item.get(key)


def set_key(item, key, value):
    if item.tag.endswith("ValidMark"):  # the one list whose key is an element
        etree.SubElement(item, item.tag.replace("ValidMark", key)).text = value
    else:
        item.set(key, value)


def _of_list(full, listed, item):
    parent = etree.Element(full.find(f"{{*}}{listed}").tag)
    parent.append(item)
    return change_of(full, parent)


def test_what_the_standard_does_not_know_is_kept_and_goes_last():
    full = example("StudentPersonal", "full")
    vendor = etree.Element("{urn:vendor}Shoes")
    vendor.text = "40"
    found = merged(full, change_of(full, vendor))
    assert text(found[-1]) == text(vendor)
    vendor.text = "41"
    assert [child.text for child in merged(found, change_of(full, vendor)) if child.tag == vendor.tag] == ["41"]


def test_an_action_on_an_item_is_obeyed_and_not_kept():
    full = example("StudentPersonal", "full")
    item = deepcopy(full.find("{*}PhoneNumberList")[0])
    item.set("SIF_Action", "Change")
    assert "SIF_Action" not in text(merged(full, _of_list(full, "PhoneNumberList", item)))
