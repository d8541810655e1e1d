"""The quick way from text to row against the walk over the tree: the same key, row, additions and references."""

import re
from collections import Counter

import pytest
import sif_examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from sif_pipeline.reading import compiling, content, mapping, pattern
from sif_pipeline.sif import carried, cutting, gate, schema
from sif_pipeline.sif.elements import NAMESPACE
from warehouse.base import objects

START = '<SIF_ObjectData xmlns="http://www.sifinfo.org/infrastructure/2.x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
MESSAGE = (
    f'<SIF_Message xmlns="{NAMESPACE}" xmlns:xsi="{cutting.XSI}" Version="2.7"><SIF_Response>'
    "<SIF_Header><SIF_MsgId>A</SIF_MsgId></SIF_Header><SIF_PacketNumber>1</SIF_PacketNumber>"
    "<SIF_ObjectData>{}</SIF_ObjectData></SIF_Response></SIF_Message>"
)


@pytest.fixture(autouse=True, scope="module")
def _patterns():
    """Make every pattern at once: what is read must not depend on how much was."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiling, "MANY", 1)
        yield


def walked(cls, element):
    """Give what the tree says, as the pattern gives it; None where a value cannot be stored."""
    cells, unfit = mapping.row(cls, element)
    key = mapping.row_key(cls, element)
    if unfit or key is None:
        return None
    return key, cells, mapping.extended(element), tuple(mapping.references(cls, element))


def agrees(name, text):
    """Check one text; say whether its pattern read it."""
    image = pattern.image(compiling.compiled(objects()[name]), text)
    if image is not None:
        assert tuple(image) == walked(objects()[name], gate.reopen_object(text))
    return image is not None


def test_the_examples_read_the_same():
    for name, text in sif_examples.texts():
        agrees(name, text)


def test_synthetic_objects_are_read_by_their_patterns_and_read_the_same(synthetic):
    read = [agrees(name, text) for name, text in synthetic]
    valid = [schema.is_valid(gate.reopen_object(text), schema.Profile.WHOLE) for _, text in synthetic]
    left = [pair for pair, by_pattern, is_valid in zip(synthetic, read, valid, strict=True) if is_valid > by_pattern]
    assert len(left) < len(read) / 50
    assert {name for (name, _), by_pattern in zip(synthetic, read, strict=True) if by_pattern} >= {
        "StudentPersonal", "StudentSchoolEnrollment", "SectionInfo", "DisciplineIncident", "StaffPersonal",
    }  # fmt: skip


SPOILS = ["", "\n  b='>\n'", "<", ">", '"', "&amp;", "&#233;", "&#x1F600;", "&lt;b&gt;", " ", "\n", "\t", "0", "é",
          "<b/>", "<b>1</b>", ' xsi:nil="true"', "<!-- c -->", "99999999999", "&#128;", "\u00a0", "'", "]", "{", "\\",
          ","]  # fmt: skip


def assert_same_pieces(body, slices, kept):
    """Hold the pieces of a message against its slices: where all of them are kept, and the kept ones of as many."""
    pieces = cutting.pieces(body)
    if pieces is None:
        return
    digests, of_slices = content.digests(pieces), [content.digest(cut) for cut in slices]
    if set(digests) <= kept:
        assert [f"<{pieces.name} {part.decode()}" for part in pieces.parts] == [cut.text for cut in slices]
        assert digests == of_slices
    if len(digests) == len(of_slices):
        assert [pair for pair in zip(digests, of_slices, strict=True) if pair[0] in kept and pair[0] != pair[1]] == []


def digest_of(text):
    """Give the hash that an object has in the usual spelling."""
    return content.digest(cutting.Slice(1, carried.Action.RESPONSE, re.match(r"<(\w+)", text)[1], text, 1))


ENVELOPES = {
    "declared": lambda text: f'<?xml version="1.0" encoding="UTF-8"?>\n{text}',
    "indented": lambda text: text.replace("<Student", "\n  <Student").replace(
        "</SIF_ObjectData>", "\n</SIF_ObjectData>"
    ),
    "with a byte order mark": lambda text: f"\ufeff{text}",
    "commented": lambda text: text.replace("<SIF_ObjectData>", "<SIF_ObjectData><!-- x -->"),
    "with an instruction": lambda text: f"{text}<?x?>",
    "with another prefix": lambda text: text.replace("<SIF_Message ", '<SIF_Message xmlns:v="v" '),
    "without xsi": lambda text: text.replace(f' xmlns:xsi="{cutting.XSI}"', ""),
    "as it is": lambda text: text,
}


@pytest.mark.parametrize("change", ENVELOPES.values(), ids=ENVELOPES)
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_pieces_of_a_message_are_its_slices(change, count):
    one = '<StudentPersonal RefId="A"><LocalId>é!?:</LocalId><IDEA xsi:nil="true"/></StudentPersonal>'
    other = '<StudentPersonal RefId="B"><LocalId>1</LocalId></StudentPersonal>'
    body = change(MESSAGE.format("".join([one, other, one][:count]))).encode()
    slices = cutting.cut(body)
    if slices is None:
        assert cutting.pieces(body) is None
    else:
        assert_same_pieces(body, slices, {digest_of(one), digest_of(other)})


@pytest.mark.parametrize("envelope", ["declared", "indented", "as it is"])
def test_usual_messages_are_taken_apart_easily(envelope):
    text = '<StudentPersonal RefId="A"><LocalId>1</LocalId></StudentPersonal>' * 3
    assert cutting.pieces(ENVELOPES[envelope](MESSAGE.format(text)).encode()) is not None


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_done_to_a_text_it_reads_the_same_or_not_at_all(synthetic, data):
    """Cut out, doubled, moved and spoilt: the pattern may pass, but it may not see anything that is not there."""
    _, text = data.draw(st.sampled_from(synthetic))
    kept = {digest_of(text)}
    for _ in range(data.draw(st.integers(1, 3))):
        a = data.draw(st.integers(0, len(text)))
        b = data.draw(st.one_of(st.just(a), st.integers(a, min(len(text), a + 60))))
        text = text[:a] + data.draw(st.one_of(st.sampled_from(SPOILS), st.just(text[a:b] * 2))) + text[b:]
    message = MESSAGE.replace("{}", text)
    try:
        found = {one.position: one for one in carried.objects(gate.open_message(message.encode()))}
    except gate.Refused:
        return
    slices = cutting.cut(message.encode())
    if slices is None:
        return
    assert_same_pieces(message.encode(), slices, kept)
    assert [cut.name for cut in slices] == [etree.QName(one.element).localname for one in found.values()]
    for cut in slices:
        element = found[cut.position].element
        if cut.name in objects():
            is_valid = schema.is_valid(element, schema.Profile.WHOLE)
            (read,) = content.of_slices([cut])
            assert element.sourceline == gate.reopen_object(cut.text, cut.line).sourceline
            assert element.sourceline == content.Content(objects()[cut.name], cut=cut).line
            if read is not None:
                assert is_valid
                assert tuple(read.image) == walked(objects()[cut.name], element)
                assert read.is_same(content.Content(read.cls, element))


def test_a_pattern_is_made_once_it_pays(monkeypatch):
    monkeypatch.setattr(compiling, "_seen", Counter())
    monkeypatch.setattr(compiling, "MANY", 20)
    term, section = objects()["TermInfo"], objects()["SectionInfo"]
    assert [compiling.pattern_of(term) is not None for _ in range(21)] == [False] * 19 + [True, True]
    assert compiling.pattern_of(section, 20) is not None


def test_an_object_that_refers_to_another_kind_refers_to_none_of_the_usual(synthetic):
    student, staff = 'SIF_RefObject="StudentPersonal"', 'SIF_RefObject="StaffPersonal"'
    texts = [(name, text.replace(student, staff)) for name, text in synthetic if student in text]
    assert {name for name, text in texts if agrees(name, text)} >= {"DisciplineIncident"}


def test_a_reference_to_a_character_may_be_long(synthetic):
    name, text = next(pair for pair in synthetic if pair[0] == "LEAInfo")
    assert agrees(name, re.sub("(?<=<LEAName>)", "&#" + "0" * 4400 + "65;", text))
