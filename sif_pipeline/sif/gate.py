"""The only way bytes from outside become an XML tree: strict decoding, two parsers, hard limits.

Two parsers, because each has let through what the other stops: libxml2 forgives namespace errors when a
warning follows them, expat has no limits of its own. No byte of a document type declaration reaches
libxml2, so neither entities nor external files exist in what we read. It knows XML only; what a message
means is the business of `messages`. `envelope` lets a plainly spelled message in at less cost.
"""

import codecs
import re
from dataclasses import dataclass
from functools import cache
from typing import Final, NoReturn
from xml.parsers import expat

from lxml import etree

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif.elements import NAMESPACE

OLDEST_LXML: Final = (6, 1, 3)
"""Older releases read local files through parameter entities (lxml 6.1.3 changelog, LP#2165901)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a message may cost before it is refused."""

    size: int = 8 * 1024 * 1024  #: bytes
    elements: int = 250_000  #: elements in the message, and as many attributes
    depth: int = 64  #: elements within elements
    attributes: int = 64  #: on one element
    namespaces: int = 256  #: declarations in scope at one place


@dataclass(eq=False)
class Refused(Exception):
    """A message that is not taken in: its SIF_Error, whose sentence names the way out.

    The sentence never quotes the message.
    """

    category: int  #: SIF_Error/SIF_Category
    code: int  #: SIF_Error/SIF_Code within the category
    sentence: str  #: SIF_Error/SIF_Desc

    def __str__(self) -> str:
        """Name category and code with the sentence."""
        return f"SIF_Error {self.category}/{self.code}: {self.sentence}"


def check_parser() -> None:
    """Raise ConfigurationError when the installed lxml is one that reads files a message names."""
    if etree.LXML_VERSION[:3] < OLDEST_LXML:
        found = ".".join(str(part) for part in etree.LXML_VERSION[:3])
        raise ConfigurationError(
            f"lxml {found} can be made to read local files by a message; install lxml 6.1.3 or newer."
        )


def open_message(data: bytes, limits: Limits | None = None) -> etree._Element:
    """Turn the bytes of one message into a tree, or raise Refused; comments and blank text are left out.

    Lines are numbered as received. Nothing is loaded, expanded or defaulted: the tree says what the bytes
    say.
    """
    limits = limits or Limits()
    return build(look(data, limits), limits)


def look(data: bytes, limits: Limits) -> bytes:
    """Do what `open_message` does before libxml2 sees the message, and give it in UTF-8 undeclared; raise Refused."""
    if not data.strip():
        raise Refused(1, 2, "The message is empty.")
    if len(data) > limits.size:
        raise too_large(limits)
    document = undeclared(data)
    if len(document) > 3 * limits.elements:  # the shortest element is `<a>`, so a smaller document cannot exceed it
        _count_elements(document, limits)
    _check_with_expat(document, limits)
    return document


def build(document: bytes, limits: Limits) -> etree._Element:
    """Do the rest of `open_message` for what `look` gave; raise Refused."""
    root = _parse_with_libxml2(document)
    _check_shape(root, limits)
    return root


def too_large(limits: Limits) -> Refused:
    """Refuse a message for its size; the server uses it before it has read such a message."""
    return Refused(12, 1, f"The message is larger than {limits.size} bytes; send fewer objects in each message.")


_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8", frozenset({"utf-8", "utf8"})),
    (codecs.BOM_UTF16_LE, "utf-16-le", frozenset({"utf-16", "utf-16le"})),
    (codecs.BOM_UTF16_BE, "utf-16-be", frozenset({"utf-16", "utf-16be"})),
)
_ASCII = frozenset({"us-ascii", "ascii"})
_NO_MARK = (b"", "utf-8", frozenset({"utf-8", "utf8", "us-ascii", "ascii"}))
"""Without a mark it is UTF-8, of which US-ASCII is a part."""

_DECLARATION = re.compile(
    r"""<\?xml
        [ \t\r\n]+ version [ \t\r\n]*=[ \t\r\n]* (?:"1\.0"|'1\.0')
        (?:[ \t\r\n]+ encoding [ \t\r\n]*=[ \t\r\n]*
            (?:"(?P<a>[A-Za-z][A-Za-z0-9._-]*)"|'(?P<b>[A-Za-z][A-Za-z0-9._-]*)'))?
        (?:[ \t\r\n]+ standalone [ \t\r\n]*=[ \t\r\n]* (?:"(?:yes|no)"|'(?:yes|no)'))?
        [ \t\r\n]* \?>""",
    re.VERBOSE,
)
_LOOKS_DECLARED = re.compile(r"<\?xml(?=[ \t\r\n?])", re.IGNORECASE)


def text_of(data: bytes) -> str:
    """Decode a message strictly by its byte order mark and take its XML declaration off, or raise Refused."""
    if data.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise Refused(1, 2, "The message is in UTF-32; send it in UTF-8.")
    mark, encoding, names = next((m for m in _BYTE_ORDER_MARKS if data.startswith(m[0])), _NO_MARK)
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        declaration = _DECLARATION.match(data[:200].decode("latin-1"))
        if declaration and _named(declaration) not in names:
            raise _declares_another() from None
        raise Refused(
            1, 2, "The message is not in the encoding it says it has; send it in UTF-8, as SIF requires."
        ) from None
    return _undeclared(text, names)


def _named(declaration: re.Match[str]) -> str:
    return (declaration["a"] or declaration["b"] or "utf-8").lower()


def _declares_another() -> Refused:
    return Refused(1, 2, "The message declares another encoding; SIF requires UTF-8: declare and send it.")


def _undeclared(text: str, names: frozenset[str]) -> str:
    """Take off the XML declaration: it must be XML 1.0's, name the encoding really used, and stand alone."""
    declaration = _DECLARATION.match(text)
    if declaration:
        named = declaration["a"] or declaration["b"]
        if named and (named.lower() not in names or (named.lower() in _ASCII and not text.isascii())):
            raise _declares_another()
        text = text[declaration.end() :]
    if _LOOKS_DECLARED.match(text) or text.startswith("\ufeff"):  # both parsers would skip a second mark
        raise Refused(1, 2, "The XML declaration cannot be used; send XML 1.0 in UTF-8 with one declaration or none.")
    # Its line breaks stay, so that lines are those of the message.
    return "\n" * declaration[0].count("\n") + text if declaration else text


def _count_elements(document: bytes, limits: Limits) -> None:
    """Bound elements and attributes before any parser keeps one, by counting what each cannot do without.

    Comments, CDATA sections and `=` in text count too: that errs on the safe side, far above real messages.
    """
    tags = document.count(b"<")
    many_elements = tags > limits.elements and tags - document.count(b"</") > limits.elements
    if many_elements or document.count(b"=") > limits.elements:
        raise Refused(
            12,
            1,
            f"The message has more than {limits.elements} elements; send fewer objects in each message.",
        )


_CHUNK = 1024 * 1024
"""Bytes expat gets at a time: it holds the interpreter's lock, and other connections want their turn."""


def _check_with_expat(document: bytes, limits: Limits) -> None:
    """Let expat, namespaces on, find the document well-formed, without DOCTYPE, its namespaces sane."""
    parser = expat.ParserCreate("utf-8", "}")
    parser.StartDoctypeDeclHandler = _refuse_doctype
    if len(document) > 8 * limits.namespaces:  # the shortest declaration is ` xmlns=""`
        _watch_namespaces(parser, limits)
    try:
        for start in range(0, len(document) or 1, _CHUNK):
            # A chunk that is not said to be the last is read once more, to count its lines.
            parser.Parse(document[start : start + _CHUNK], start + _CHUNK >= len(document))
    except expat.ExpatError as error:
        raise _not_well_formed(error.lineno) from None


def _refuse_doctype(*_: object) -> NoReturn:
    raise Refused(1, 2, "The message has a document type declaration (DOCTYPE), which SIF does not use; leave it out.")


def _watch_namespaces(parser: expat.XMLParserType, limits: Limits) -> None:
    """Refuse too many namespaces in scope at once; the same few declared again and again are fine."""
    in_scope = 0

    def start(*_: object) -> None:
        nonlocal in_scope
        in_scope += 1
        if in_scope > limits.namespaces:
            raise Refused(12, 1, f"More than {limits.namespaces} namespaces are declared at one place; SIF needs two.")

    def end(*_: object) -> None:
        nonlocal in_scope
        in_scope -= 1

    parser.StartNamespaceDeclHandler = start
    parser.EndNamespaceDeclHandler = end


def _parse_with_libxml2(document: bytes) -> etree._Element:
    # 'internal', not False: False leaves silent holes where an entity stood. A parser per message: parsers
    # keep state. Every option is written out, so that a changed default changes nothing.
    parser: etree.XMLParser[etree._Element] = etree.XMLParser(  # type: ignore[call-overload]  # decompress
        encoding="utf-8",
        resolve_entities="internal",
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
        collect_ids=True,
        decompress=False,
        remove_comments=True,
        remove_pis=True,
        remove_blank_text=True,
    )
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError as error:
        if error.code == etree.ErrorTypes.ERR_RESOURCE_LIMIT:
            raise Refused(12, 1, "Elements are nested too deep, or a value is too long; no SIF object is so.") from None
        raise _not_well_formed(error.lineno or 0) from None
    docinfo = root.getroottree().docinfo
    if docinfo.internalDTD is not None or docinfo.externalDTD is not None:
        _refuse_doctype()
    return root


def _not_well_formed(line: int) -> Refused:
    where = f" at line {line}" if line else ""
    return Refused(1, 2, f"The message is not well-formed XML{where}; it was not stored. Ask the vendor of the agent.")


def _check_shape(root: etree._Element, limits: Limits) -> None:
    """Check depth and attributes of a message's tree; raise Refused.

    With XPath, which libxml2 evaluates in one pass at its own speed.
    """
    if _compiled("boolean(" + "/*" * (limits.depth + 1) + ")")(root):
        raise Refused(12, 1, f"Elements are nested more than {limits.depth} deep; no SIF object is.")
    if _compiled(f"boolean(/descendant::*/@*[{limits.attributes + 1}])")(root):
        raise Refused(12, 1, f"An element has more than {limits.attributes} attributes; no SIF element has.")


@cache
def _compiled(path: str) -> etree.XPath:
    return etree.XPath(path)


def undeclared(data: bytes) -> bytes:
    """Give a message as UTF-8 without byte order mark and XML declaration, or raise Refused.

    So it can stand inside another document; nothing else of it changes.
    """
    text = text_of(data)
    # Without a mark it is UTF-8, and what begins with an element has no declaration.
    return data if data[:1] == b"<" and data[1:2] != b"?" else text.encode()


def reopen(data: bytes) -> etree._Element:
    """Turn the bytes of a message that once passed `open_message` into the same tree, unasked.

    The drain reads what the inbox holds, and the inbox holds only what the gate let in.
    """
    return _parse_with_libxml2(text_of(data).encode())


def reopen_object(text: str, line: int = 1) -> etree._Element:
    """Turn the text of one object, cut from a message that once passed, into its element; its first line is `line`."""
    lines = "\n" * (line - 1)
    return _parse_with_libxml2(f"{_OBJECTS}{lines}{text}</SIF_ObjectData>".encode())[0]


_OBJECTS: Final = f'<SIF_ObjectData xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
"""What an object stands in when it is read alone."""
