"""What the short way lets in is what the gate lets in, to the sentence, and it reads the same envelope."""

import re
import unicodedata
import zipfile
from itertools import product
from pathlib import Path
from xml.parsers import expat

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from sif_pipeline.sif import cutting, envelope, gate
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.envelope import open_envelope
from sif_pipeline.sif.gate import Limits, Refused, open_message
from sif_pipeline.sif.messages import read_message, read_original

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
XMLCONF = SHARED / "corpora" / "w3c-xmlconf-20130923.zip"
CAPTURES = SHARED / "interop" / "captures"

HEADER = f"<SIF_Header><SIF_MsgId>{'A' * 32}</SIF_MsgId><SIF_SourceId>SIS</SIF_SourceId></SIF_Header>"
ROOT = f'<SIF_Message xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" Version="2.7">'
STUDENT = '<StudentPersonal RefId="A"><Name Type="04"><LastName>O\'Brién &amp; Sons</LastName></Name></StudentPersonal>'
SCHOOL = '<SchoolInfo RefId="B">\n<StateProvinceId>1</StateProvinceId><IDEA xsi:nil="true"/></SchoolInfo>'

ENVELOPES = {
    "response": (f"{ROOT}<SIF_Response>{HEADER}<SIF_PacketNumber>1</SIF_PacketNumber><SIF_ObjectData>",
                 "</SIF_ObjectData></SIF_Response></SIF_Message>"),
    "foreign": (ROOT.replace("xmlns=", "xmlns='urn:x' xmlns:s=") + f"<SIF_Response>{HEADER}<SIF_ObjectData>",
                "</SIF_ObjectData></SIF_Response></SIF_Message>"),
    "list": (ROOT.replace("SIF_Message", "Students").replace(' Version="2.7"', ""), "</Students>\n"),
    "event": (f'{ROOT}<SIF_Event>{HEADER}<SIF_ObjectData><SIF_EventObject ObjectName="StudentPersonal" Action="Add">',
              "</SIF_EventObject></SIF_ObjectData></SIF_Event></SIF_Message>"),
}  # fmt: skip
MESSAGES = {
    **{f"{name} of {n}": f"{head}{STUDENT * n}{tail}" for name, (head, tail) in ENVELOPES.items() for n in (0, 1, 3)},
    **{f"{name} of two kinds": f"{head}\n{STUDENT}\n{STUDENT}\n{SCHOOL}{SCHOOL}\n{tail}"
       for name, (head, tail) in ENVELOPES.items()},
}  # fmt: skip


def outcome(way, body, limits=None):
    """Say what becomes of a message: the refusal, or what is read of its envelope."""
    try:
        root = way(body, limits)
    except Refused as refused:
        return refused.category, refused.code, refused.sentence
    try:
        return read_original(root), read_message(root)
    except Refused as refused:
        return read_original(root), refused.category, refused.code, refused.sentence


def agreed(body, limits=None):
    """Hold the short way against the gate; give what both say."""
    said = outcome(open_message, body, limits)
    assert outcome(open_envelope, body, limits) == said
    return said


def built(body, monkeypatch):
    """Give what libxml2 gets to see of a message."""
    seen = []
    with monkeypatch.context() as patched:
        build = gate.build
        patched.setattr(gate, "build", lambda document, limits: seen.append(document) or build(document, limits))
        open_envelope(body)
    (document,) = seen
    return document.decode()


NESTED = {f"{n} elements deep": "<a>" * n + "</a>" * n for n in (59, 60, 61, 62, 63, 64, 300)}
NESTED |= {f"{n} deep, the last one empty": "<a>" * n + "<b/>" + "</a>" * n for n in (59, 60, 61, 62, 63)}
WIDE = {f"{n} attributes": "<a" + "".join(f' a{i}="1"' for i in range(n)) + "/>" for n in (63, 64, 65, 66)}
LONG_NAMES = {
    f"{what} of {n} letters": spelled.format("n" * n)
    for n in (49_990, 49_999, 50_000, 50_001)
    for what, spelled in (("element", "<{0}/>"), ("element with text", "<{0}>1</{0}>"), ("attribute", '<a {}="1"/>'))
}
NASTIES = {
    **NESTED,
    **WIDE,
    **LONG_NAMES,
    "many tags, but flat": "<a>1</a>" * 150,
    "many equals signs in text": "=" * 100,
    "64 attributes and text": WIDE["64 attributes"] + "==",
    "xml:id that is no name": '<a xml:id="1 2"/>',
    "xml:id twice": '<a xml:id="a"/><a xml:id="a"/>',
    "xml:id": '<a xml:id="a"/>',
    "xml:id as a reference": '<a xml:id="&#x31;"/>',
    "xml:id with blanks": '<a xml:id = "1"/>',
    "xml:space": '<a xml:space="x"/>',
    "xml:lang": '<a xml:lang="???"/>',
    "xml:base": '<a xml:base="%%"/>',
    "another xml:": '<a xml:x="1"/>',
    "element xml:": "<xml:a/>",
    "element xmlns:": "<xmlns:a/>",
    "empty namespace": '<a xmlns=""/>',
    "namespace of no prefix": '<a xmlns:b=""/>',
    "namespace that is no address": '<a xmlns="%%"/>',
    "relative namespace": '<a xmlns:b="c"/>',
    "xsi rebound": '<a xmlns:xsi="u"/>',
    "xml rebound": '<a xmlns:xml="u"/>',
    "xmlns bound": '<a xmlns:xmlns="u"/>',
    "same namespace twice": '<a xmlns:b="u" xmlns:c="u" b:x="" c:x=""/>',
    "prefix without namespace": "<b:a/>",
    "attribute's prefix without namespace": '<a b:c="1"/>',
    "XML: in upper case": "<XML:a/>",
    "name that begins with xml": '<xmlish xml="1"/>',
    "two colons": "<xsi:b:c/>",
    "colon first": "<:a/>",
    "colon last": "<a:/>",
    "known prefix": "<xsi:a/>",
    "known prefix, attribute twice": '<a xsi:nil="1" xsi:nil="1"/>',
    "attribute twice": '<a b="1" b="2"/>',
    "names of the fifth edition": "<\U00010000/>",
    "another of them": "<\u2c00/>",
    "accents": '<\xe9 \xe9="\xe9">\xe9</\xe9>',
    "combining first": "<\u0301/>",
    "digit first": "<1/>",
    "closing brackets": "]]>",
    "closing brackets in an attribute": '<a b="]]>"/>',
    "NUL": "\0",
    "escaped NUL": "&#0;",
    "escaped surrogate": "&#xD800;",
    "escaped U+FFFE": "&#xFFFE;",
    "U+FFFE": "\ufffe",
    "U+FEFF": "\ufeff",
    "escaped last character": "&#x10FFFF;",
    "beyond the last": "&#x110000;",
    "far beyond": "&#x100000041;",
    "no number": "&#;",
    "no entity": "&a;",
    "ampersand": "& ",
    "predefined": "&lt;&gt;&amp;&quot;&apos;",
    "predefined in an attribute": '<a b="&lt;&quot;"/>',
    "control": "\x01",
    "escaped control": "&#1;",
    "delete": "\x7f",
    "next line": "\x85",
    "form feed": "\x0c",
    "carriage return": "\r",
    "escaped one": "&#13;",
    "separators": "\u2028\u2029",
    "comment": "<!-- c -->",
    "comment with a tag": "<!--</StudentPersonal>-->",
    "bad comment": "<!-- -- -->",
    "CDATA": "<![CDATA[</StudentPersonal>]]>",
    "instruction": "<?x y?>",
    "declaration": '<?xml version="1.0"?>',
    "reserved instruction": "<?XML x?>",
    "warned-of instruction": "<?xmlfoo?>",
    "document type": "<!DOCTYPE a>",
    "exclamation mark": "!",
    "question mark": "?",
    "blank in an end tag": "<a></a >",
    "blank before it": "<a></ a>",
    "blank in a start tag": "< a/>",
    "blank in an empty one": "<a/ >",
    "blanks around =": '<a b\n=\n"1"/>',
    "no blank between": '<a b="1"c="2"/>',
    "less-than in an attribute": '<a b="<"/>',
    "greater-than in an attribute": '<a b=">/>"/>',
    "greater-than": ">",
    "no quotes": "<a b=1/>",
    "no value": "<a b/>",
    "single quotes": "<a b='\"'/>",
    "not closed": "<a>",
    "closed too often": "</a>",
    "crossed": "<a><b></a></b>",
    "other name": "<a></b>",
    "closed by its list": "</SIF_ObjectData><SIF_ObjectData>",
    "same name within": '<StudentPersonal a="1">x</StudentPersonal>',
    "same name within, empty": "<StudentPersonal/>",
    "same name, empty with a blank": '<StudentPersonal RefId="1" />',
    "longer name": "<StudentPersonalX/>",
    "ended and begun": '</StudentPersonal><StudentPersonal RefId="2">',
    "ended and another begun": "</StudentPersonal><SchoolInfo>",
    "ended, and more of the envelope": (
        "<StudentPersonal /></SIF_ObjectData><SIF_MorePackets>No</SIF_MorePackets><SIF_ObjectData><StudentPersonal >"
        "</StudentPersonal>"
    ),
    "header of a prefix": re.sub("(</?)", r"\1s:", HEADER),
    "object of 65 attributes": f"<TermInfo>{WIDE['65 attributes']}</TermInfo>",
    "SIF_Header": HEADER.replace("SIS", "Other"),
    "SIF_ObjectData": "<SIF_ObjectData><a/></SIF_ObjectData>",
    "SIF_Message": "<SIF_Message/>",
    "SIF_EventObject": "<SIF_EventObject/>",
    "SIF_Response": "<SIF_Response/>",
    "SIF_Error": "<SIF_Error><SIF_Code>1</SIF_Code></SIF_Error>",
    "text": "text",
    "object of another name": '<SchoolInfo RefId="1"></SchoolInfo>',
    "object without attributes": "<TermInfo></TermInfo>",
    "empty object": "<TermInfo/>",
    "object with a line break": '<TermInfo\nRefId="1"></TermInfo>',
    "object with an end tag with a blank": "<TermInfo></TermInfo >",
    "accented object": "<\xc9cole></\xc9cole>",
    "prefixed object": "<xsi:TermInfo></xsi:TermInfo>",
    "forty names": "".join(f"<N{i}></N{i}>" for i in range(40)),
    "object that is too deep": f"<TermInfo>{'<a>' * 70}{'</a>' * 70}</TermInfo>",
    "object of many tags": f"<TermInfo>{'<a>1</a>' * 90}</TermInfo>",
    "nothing": "",
}
_BEHIND = r"(?=</SIF_EventObject|</SIF_ObjectData|</Students)"
PLACES = {
    "within an object": lambda text, nasty: text.replace("<LastName>", f"<LastName>{nasty}", 1),
    "at the end of an object": lambda text, nasty: text.replace("</StudentPersonal>", f"{nasty}</StudentPersonal>", 1),
    "before the objects": lambda text, nasty: text.replace("<StudentPersonal", f"{nasty}<StudentPersonal", 1),
    "between objects": lambda text, nasty: text.replace("</StudentPersonal>", f"</StudentPersonal>{nasty}", 1),
    "behind the last object": lambda text, nasty: re.sub(_BEHIND, lambda _: nasty, text, count=1),
    "in the head": lambda text, nasty: text.replace("</SIF_MsgId>", f"</SIF_MsgId>{nasty}", 1),
    "before all": lambda text, nasty: nasty + text,
    "behind all": lambda text, nasty: text + nasty,
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_nasties_are_refused_or_let_in_as_the_gate_does_it_wherever_they_are(place):
    said = {(kind, nasty): agreed(place(text, NASTIES[nasty]).encode())
            for kind, text in MESSAGES.items() for nasty in NASTIES}  # fmt: skip
    assert len({found[:2] for found in said.values()}) > 3


@pytest.mark.parametrize(("attributes", "depth"), list(product((2, 3, 4, 64), (4, 5, 6, 7, 64))))
def test_limits_refuse_the_same(attributes, depth):
    limits = Limits(attributes=attributes, depth=depth)
    for text in MESSAGES.values():
        for body in (text, text.replace("<LastName>", "<b><c/></b><LastName a='1' b='2' c='3'>", 1)):
            agreed(body.encode(), limits)


def test_texts_beyond_the_bounds_of_libxml2_are_refused_the_same():
    limits = Limits(size=64 * 1024 * 1024)
    for much in (
        "x" * 10_100_000,
        f'<a b="{"y" * 10_100_000}"/>',
        "<a>" + "1" * 9_900_000 + "</a>",
        "<n>1</n>" * 1_000_000,
    ):
        agreed(PLACES["within an object"](MESSAGES["response of 3"], much).encode(), limits)


DECLARED = ("", '<?xml version="1.0"?>', *(f'<?xml version="1.0" encoding="{e}"?>\n' for e in ("UTF-8", "US-ASCII")))


def test_declared_encodings_and_marks_are_let_in_the_same():
    for text in MESSAGES.values():
        for declared in (
            "",
            '<?xml version="1.0"?>',
            '<?xml version="1.0" encoding="UTF-8"?>\n',
            '<?xml version="1.0" encoding="US-ASCII"?>',
        ):
            for encoding in ("utf-8", "utf-8-sig", "utf-16", "latin-1"):
                agreed((declared + text).encode(encoding))


def test_real_messages_are_read_the_same():
    if not CAPTURES.exists():
        pytest.skip("needs captured messages, which are not part of the project")
    for path in sorted(CAPTURES.glob("*.xml")):
        agreed(path.read_bytes())


def test_documents_of_the_w3c_are_refused_or_let_in_the_same_as_they_are_and_in_an_object():
    if not XMLCONF.exists():
        pytest.skip("needs the reference corpus of the W3C, which is not part of the project")
    with zipfile.ZipFile(XMLCONF) as archive:
        documents = {archive.read(name) for name in archive.namelist() if name.endswith(".xml")}
    head, tail = PLACES["within an object"](MESSAGES["response of 3"], "\0").encode().split(b"\0")
    assert len(documents) > 2_000
    for document in documents:
        agreed(document)
        agreed(head + re.sub(rb"^\s*<\?xml[^>]*\?>", b"", document) + tail)


PARTS = [
    *(nasty for nasty in NASTIES.values() if len(nasty) < 200),
    *("<", ">", '"', "'", "=", "/", "</", "/>", "<a>", "</a>", "xml", ":", "ns", ' a="1"', ' xmlns:b="u"', " b:c='1'"),
    *(STUDENT, SCHOOL, HEADER, "<SIF_ObjectData>", "</SIF_ObjectData>"),
]


@settings(max_examples=1_500, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_whatever_is_done_to_a_message_it_is_let_in_or_refused_the_same(data):
    text = MESSAGES[data.draw(st.sampled_from(sorted(MESSAGES)))]
    for _ in range(data.draw(st.integers(1, 4))):
        a = data.draw(st.integers(0, len(text)))
        b = data.draw(st.one_of(st.just(a), st.integers(a, min(len(text), a + 80))))
        text = (
            text[:a]
            + data.draw(st.one_of(st.sampled_from(PARTS), st.just(text[a:b] * 2), st.text(max_size=3)))
            + text[b:]
        )
    agreed(text.encode("utf-8", "surrogatepass"), Limits(depth=data.draw(st.sampled_from((5, 64))), attributes=3))


def expat_takes(text):
    try:
        expat.ParserCreate("utf-8", "}").Parse(text.encode(), True)  # noqa: FBT003 -- by position only
    except expat.ExpatError:
        return False
    return True


def test_every_character_that_expat_takes_in_a_name_libxml2_takes():
    assigned = [chr(n) for n in (*range(0x80, 0xD800), *range(0xE000, 0x10000), 0x10000, 0x1D400, 0x20000, 0xEFFFF)]
    firsts = [c for c in assigned if expat_takes(f"<{c}/>")]
    others = [c for c in assigned if expat_takes(f"<a{c}/>")]
    assert {unicodedata.category(c)[0] for c in firsts} >= {"L"}
    assert len(firsts) > 30_000
    assert set(firsts) < set(others)
    elements = [f"<{c}/>" for c in firsts] + [f"<a{c} a{c}=''/>" for c in others]
    open_message(f"<r>{''.join(elements)}</r>".encode())


def test_every_character_that_expat_takes_in_a_value_libxml2_takes():
    legal = "\t\n\r" + "".join(map(chr, (*range(0x20, 0xD800), *range(0xE000, 0xFFFE), 0x10000, 0x10FFFF)))
    escaped = "".join(f"&#{ord(c)};" for c in legal)
    plain = re.sub(r"[&<>]", "", legal)
    open_message(f"<r a='{plain.replace(chr(39), '')}' b='{escaped}'>{plain}<b>{escaped}</b></r>".encode())
    for n in (*set(range(0x20)) - {9, 10, 13}, 0xFFFE, 0xFFFF):
        assert not expat_takes(f"<r>{chr(n)}</r>")
        assert not expat_takes(f"<r>&#{n};</r>")
    assert not any(expat_takes(f"<r>&#{n};</r>") for n in (*range(0xD800, 0xE000), 0x110000, 1 << 32 | 65))


def test_of_plain_objects_libxml2_sees_a_name(monkeypatch):
    head, tail = ENVELOPES["response"]
    assert built(f"{head}{STUDENT * 100}{SCHOOL * 100}{tail}".encode(), monkeypatch) == (
        f"{head}<StudentPersonal/><SchoolInfo/>{tail}"
    )
    head, tail = ENVELOPES["list"]
    assert built(f"{head}\n{STUDENT}\n{STUDENT}\n{tail}".encode(), monkeypatch) == f"{head}\n<StudentPersonal/>{tail}"


def test_of_doubtful_objects_libxml2_sees_all(monkeypatch):
    head, tail = ENVELOPES["response"]
    for nasty in ("<a>1</a>" * 70, WIDE["64 attributes"] + "=", "x" * envelope.LONGEST):
        doubtful = STUDENT.replace("</StudentPersonal>", f"{nasty}</StudentPersonal>")
        seen = built(f"{head}{STUDENT}{doubtful}{STUDENT}{tail}".encode(), monkeypatch)
        assert seen == f"{head}<StudentPersonal/>{doubtful}{tail}"


@pytest.mark.parametrize("nasty", ["<!-- c -->", "<?x?>", '<a xml:id="b"/>', '<a xmlns="u"/>', "<StudentPersonal/>"])
def test_of_other_messages_libxml2_sees_all(nasty, monkeypatch):
    text = PLACES["within an object"](MESSAGES["response of 3"], nasty)
    assert built(text.encode(), monkeypatch) == text


@pytest.mark.parametrize("name", ["StudentPersonal", "StudentPersonals", "SIF_ObjectData", "SIF_Response"])
def test_objects_with_a_name_from_around_them_are_no_runs(name):
    head, tail = ENVELOPES["response"]
    found = cutting.runs(f"{head}<{name}></{name}><{name} />{tail}".encode())
    assert found is None
    found = cutting.runs(f"{head}<{name}></{name}><{name} ></{name}>{tail}".encode())
    assert (found is None) == name.startswith("SIF_")


def test_an_event_keeps_its_objects():
    root = open_envelope(MESSAGES["event of 3"].encode())
    assert etree.tostring(root) == etree.tostring(open_message(MESSAGES["event of 3"].encode()))
