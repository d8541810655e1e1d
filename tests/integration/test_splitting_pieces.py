"""However a file is cut, its pieces hold its objects, each once, in order, and with the same action and header."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import sif_text as sif
from hypothesis import given, settings
from hypothesis import strategies as st

from sif_pipeline.files import splitting
from sif_pipeline.sif import carried, gate, messages
from sif_pipeline.sif.gate import Refused

NS = f'xmlns="{sif.NAMESPACE}"'

EMPTY = f'<StudentPersonal RefId="{sif.ref("A")}"/>'
OBJECTS = [
    EMPTY, sif.student("A"), sif.lea("L"), sif.student("B", more="<IDEA/>\n"), "<!-- <X/> -->" + sif.school("S"),
    sif.student("C", first="\U0001f600 > &amp; <![CDATA[</Objects>]]>"),
    sif.sparse("SchoolInfo", "S", "<SIF_ObjectData><SIF_EventObject/></SIF_ObjectData>"),
]  # fmt: skip

lists = st.lists(st.sampled_from(OBJECTS), min_size=1, max_size=8)
gaps = st.sampled_from(["", "\n", "\r\n  ", "<!-- </SIF_EventObject> -->"])


@st.composite
def events(draw):
    """Draw a SIF_Event of several SIF_EventObjects, in one or several SIF_ObjectData."""
    gap = draw(gaps)
    body = sif.event("Add", "<X/>").decode()
    start, end = body.index("<SIF_ObjectData>"), body.index("</SIF_Event>")
    groups = draw(st.lists(st.tuples(st.sampled_from(["Add", "Change", "Delete"]), lists), min_size=1, max_size=4))
    wrapped = [
        f'<SIF_EventObject ObjectName="a&quot;>" Action="{action}">{gap}{gap.join(objects)}{gap}</SIF_EventObject>'
        for action, objects in groups
    ]
    again = draw(st.sampled_from(["", "</SIF_ObjectData><SIF_ObjectData>"]))
    return f"{body[:start]}<SIF_ObjectData>{gap}{again.join(wrapped)}</SIF_ObjectData>{body[end:]}"


@st.composite
def responses(draw):
    gap = draw(gaps)
    return sif.response(gap, gap.join(draw(lists)), gap).decode()


@st.composite
def bare_lists(draw):
    gap = draw(gaps)
    return f'<Objects {NS} note="&lt;>">{gap}{gap.join(draw(lists))}{gap}</Objects>'


def contents(root):
    """Say what a message or list holds: action, object and text of each."""
    return [
        (str(found.action), found.element.tag, found.element.get("RefId"), "".join(found.element.itertext()))
        for found in carried.objects(root)
    ]


def envelope(root):
    """Read a message's envelope without the names of its objects, which each piece has its own of."""
    return replace(messages.read_message(root), events=(), response=None)


def pieces(text):
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(text.encode())
        file.flush()
        return [piece.text for piece in splitting.pieces(Path(file.name))]


@settings(max_examples=300, deadline=None)
@given(st.one_of(events(), responses(), bare_lists()), st.integers(1, 4), st.integers(40, 2000), st.integers(1, 200))
def test_every_cut_keeps_every_object_with_its_action_and_header(text, most_objects, most_bytes, block):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(splitting, "MOST_OBJECTS", most_objects)
        patched.setattr(splitting, "MOST_BYTES", most_bytes)
        patched.setattr(splitting, "BLOCK", block)
        roots = [gate.open_message(piece) for piece in pieces(text)]
    whole = gate.open_message(text.encode())
    assert [found for root in roots for found in contents(root)] == contents(whole)
    assert all(1 <= len(contents(root)) <= most_objects for root in roots)
    if carried.is_message(whole):
        expected = envelope(whole)
        assert all(envelope(root) == expected for root in roots)


def test_a_file_that_fits_is_one_piece_with_its_own_bytes():
    for text in (
        sif.response(*OBJECTS).decode(),
        f"<Objects {NS}>{EMPTY}</Objects>",
        sif.event("Add", *OBJECTS).decode(),
    ):
        assert pieces(text) == [text.encode()]


@pytest.mark.parametrize("before", [f"<Objects {NS}><!--{{}}-->", f"<SIF_Message {NS}><x>{{}}</x>"])
def test_what_is_too_large_to_hold_is_refused_before_it_is_held(monkeypatch, before):
    monkeypatch.setattr(splitting, "MOST_HELD", 100_000)
    monkeypatch.setattr(splitting, "BLOCK", 10_000)
    with pytest.raises(Refused, match="more than 100000 bytes"):
        pieces(before.format("x" * 200_000))
    with pytest.raises(Refused, match="more than 100000 bytes"):
        pieces(f"<Objects {NS}>{sif.student('A', more='x' * 200_000)}")


@pytest.mark.parametrize(
    "declared",
    [
        b'<?xml version="1.0" encoding="ISO-8859-1"?>',
        b"<?xml version='1.0'\n  encoding='windows-1252' standalone='yes'?>\n",
        b'<?xml version="1.0" encoding="UTF-16"?>',
        b'<?xml version="1.1" encoding="UTF-8"?>',
        b"\xef\xbb\xbf\xef\xbb\xbf",
    ],
)
def test_a_file_is_refused_for_its_declaration_as_a_message_is(tmp_path, declared):
    """Its bytes happen to be good UTF-8, in which every letter with an accent would be read as two others."""
    body = declared + f"<Objects {NS}>{sif.student('A', first='Zoë')}</Objects>".encode()
    with pytest.raises(Refused) as of_message:
        gate.open_message(body)
    file = tmp_path / "a.xml"
    file.write_bytes(body)
    with pytest.raises(Refused) as of_file:
        list(splitting.pieces(file))
    assert of_file.value.sentence == of_message.value.sentence


def test_an_instruction_that_only_looks_like_a_declaration_stays():
    text = f"<?xml-stylesheet href='a'?>\n<Objects {NS}>{EMPTY}</Objects>"
    assert pieces(text) == [text.encode()]


plain_lists = st.lists(st.sampled_from([sif.student("A"), sif.lea("L"), sif.school("S"), EMPTY]), max_size=12)


@settings(max_examples=200, deadline=None)
@given(
    plain_lists, st.sampled_from(["", "\n", "\n  "]), st.integers(1, 4), st.integers(40, 3000),
    st.integers(1, 400),
)  # fmt: skip
def test_plainly_spelled_lists_are_cut_as_if_every_tag_were_followed(objects, gap, most_objects, most_bytes, block):
    text = f"<Objects {NS}>\n{gap.join(objects)}</Objects>\n"
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(splitting, "MOST_OBJECTS", most_objects)
        patched.setattr(splitting, "MOST_BYTES", most_bytes)
        cutter = splitting.Cutter()
        cutter.feed(text.encode())
        cutter.feed(b"", final=True)
        patched.setattr(splitting, "BLOCK", block)
        assert pieces(text) == [piece.text for piece in cutter.ready]
