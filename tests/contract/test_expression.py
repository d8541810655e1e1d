"""What an expression matches, libxml2 accepts: values of every type, every example, and whatever is done to a text."""

import re
from collections import Counter
from copy import deepcopy

import pytest
import sif_examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from sif_pipeline.reading import compiling
from sif_pipeline.sif import expression, gate, schema, xsd
from sif_pipeline.sif.elements import SIF
from sif_pipeline.sif.schema import Profile
from sif_pipeline.sif.xsd import XS
from warehouse.base import objects

TYPES = {part.get("name"): part for part in schema._merged(Profile.WHOLE) if part.tag != XS + "element"}
OBJECTS = {part.get("name"): part for part in schema._merged(Profile.WHOLE).iterchildren(XS + "element")}
EXPRESSIONS = {name: expression.of_object(declared, TYPES) for name, declared in OBJECTS.items()}
READING = {cls.sif_name: compiling.compiled(cls).expression for cls in objects().values()}


MARKS = next(text for name, text in sif_examples.texts() if name == "MarkValueInfo" and "<ValidMark>" in text)
MARKS = re.sub("<SIF_ExtendedElements>.*</SIF_ExtendedElements>", "", MARKS, flags=re.DOTALL)


def is_valid(text):
    return schema.is_valid(gate.reopen_object(text), Profile.WHOLE)


def surely(text):
    """Ask the expression that only judges, and the one that reads too."""
    name = re.match(r"<?(\w*)", text)[1]
    found = [known[name].match(text) is not None for known in (EXPRESSIONS, READING) if name in known]
    assert len({*found}) < 2
    return any(found)


def test_every_object_has_one():
    assert [name for name, found in EXPRESSIONS.items() if found is None] == []


def test_nearly_all_valid_synthetic_objects_need_no_validator(synthetic):
    valid = [text for _, text in synthetic if is_valid(text)]
    by_validator = Counter(re.match(r"<(\w+)", text)[1] for text in valid if not surely(text))
    assert by_validator.total() < len(valid) / 20, by_validator


def test_flawed_objects_go_to_the_validator(synthetic):
    flawed = [text for _, text in synthetic if not is_valid(text)]
    assert len(flawed) > 20
    assert [text for text in flawed if surely(text)] == []


def test_invalid_examples_go_to_the_validator():
    found = [text for kind in ("invalid", "valid") for _, text in sif_examples.texts(kind)]
    assert sum(surely(text) for text in found) > 20
    assert [text for text in found if surely(text) and not is_valid(text)] == []


@pytest.mark.parametrize(("one", "other"), [("AB", "A&#66;"), ("A&amp;", "A&#38;"), ("A&quot;", 'A"'), ("A", "A&#32;")])
def test_one_key_spelled_in_two_ways_goes_to_the_validator(one, other):
    assert not is_valid(with_marks(one, other))
    assert not surely(with_marks(one, other))
    assert surely(with_marks("A", "B"))


def with_marks(*codes):
    """Write a MarkValueInfo with valid marks, whose codes are their key."""
    marks = "".join(f"<ValidMark><Code>{code}</Code></ValidMark>" for code in codes)
    return re.sub("<ValidMark>.*</ValidMark>", marks, MARKS, flags=re.DOTALL)


def simple_values():
    """Give the expression of every declaration of a simple value, with what libxml2 is asked about it."""
    writer, found = expression._Writer(TYPES, expression.Wanted(), []), {}
    for declared in schema._merged(Profile.WHOLE).iter(XS + "element", XS + "attribute", XS + "extension"):
        type_ = xsd.type_of(declared, TYPES)
        if type_ is None or type_.tag == XS + "simpleType":
            written = writer.value(declared, expression.ATTRIBUTE)
            if written not in {None, expression.ATTRIBUTE}:
                found[written] = (declared.get("type") or declared.get("base"), type_)
    return found


def judge_of(types):
    """Make a schema with an element `v0`, `v1` and so on for each simple type."""
    merged = deepcopy(schema._merged(Profile.WHOLE))
    for element in merged.findall(XS + "element"):
        merged.remove(element)
    for number, (named, type_) in enumerate(types):
        declared = etree.SubElement(merged, XS + "element", name=f"v{number}", **({"type": named} if named else {}))
        if not named:
            declared.append(deepcopy(type_))
    return etree.XMLSchema(merged)


def test_every_value_that_an_expression_allows_is_of_its_type():
    found = simple_values()
    judge = judge_of(found.values())
    numbers = {written: number for number, written in enumerate(found)}
    assert len(found) > 60

    @settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def check(data):
        written = data.draw(st.sampled_from(sorted(found)))
        root = etree.Element(f"{SIF}v{numbers[written]}")
        root.text = data.draw(st.from_regex(written.replace("*+", "*"), fullmatch=True))
        assert judge.validate(root), (found[written][0], root.text)

    check()


SPOILS = [
    *("", " ", "\n", "0", "-0", "+1", "1.", ".5", "1e3", "NaN", "INF", "00", "1.005", "100.01", "101", "10"),
    *("99999999999", "4294967296", "2027-02-29", "2028-02-29", "2027-04-31", "0000-01-01", "-0001-01-01", "2027-1-1"),
    *("2027-01-01Z", "2027-01-01+14:01", "2027", "02027", "27", "2027-00", "24:00:00", "23:59:60", "9:00:00", "12:00"),
    *("Yes", "yes", " Yes", "Yes ", "true", "TRUE", "\uff11", "\u00e9", "'", "&amp;", "&#48;", "A" * 1025, "1,5"),
    *("Delete", "0A38831A0D32CF42B4BEE4D03D122CDB", "0a38831a0d32cf42b4bee4d03d122cdb", "2027-13-01"),
]
PIECES = [
    *("", "<b/>", "<Code>01</Code>", "<Code/>", ' xsi:nil="true"', ' xsi:nil="false"', ' Type="04"', ' b="1"', "x"),
    *("<!-- c -->", "<SIF_Metadata/>", "<SIF_ExtendedElements/>"),
    '<SIF_ExtendedElement Name="a">1</SIF_ExtendedElement>',
]
VALUE, TAG = re.compile(r'(?<=>)[^<>]+(?=<)|(?<==")[^"]*(?=")'), re.compile(r"<[^>]*>")


@settings(max_examples=1500, deadline=None, suppress_health_check=list(HealthCheck))
@given(chance=st.randoms(use_true_random=False))
def test_whatever_is_done_to_a_text_it_is_valid_or_goes_to_the_validator(synthetic, chance):
    _, text = chance.choice(synthetic)
    for _ in range(chance.randint(1, 2)):
        text = chance.choice([_other_value, _other_piece, _moved])(text, chance)
    try:
        gate.reopen_object(text)
    except (gate.Refused, etree.XMLSyntaxError, IndexError):  # not one element any more
        return
    assert not surely(text) or is_valid(text)


def _other_value(text, chance):
    """Put another value in, one of the same text's or a bad one."""
    places = list(VALUE.finditer(text))
    if not places:
        return text
    place, said = chance.choice(places), chance.choice([*SPOILS, *(place[0] for place in places)])
    return text[: place.start()] + said + text[place.end() :]


def _other_piece(text, chance):
    """Put a piece in at an end of a tag."""
    tag = chance.choice(list(TAG.finditer(text)))
    at = chance.choice([tag.start(), tag.end(), tag.end() - 1])
    return text[:at] + chance.choice(PIECES) + text[at:]


def _moved(text, chance):
    """Leave an element out, say it twice, or change it for another."""
    elements = list(re.finditer(r"<(\w+)[^>]*>(?:(?!<\1[ >]).)*?</\1>|<\w+[^>]*/>", text[1:]))
    if not elements:
        return text
    one, other = chance.choice(elements)[0], chance.choice(elements)[0]
    return text[0] + text[1:].replace(one, chance.choice(["", one * 2, other, other + one, one + other]), 1)
