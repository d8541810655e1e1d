"""What the SIF 2.7 schema says of one object: is it valid, what is wrong with it, and which shape it has.

The XSDs in `schemas/sif-2.7` state the whole-object profile; the sparse and key profiles are derived from
them here. libxml2 decides. This module turns a refusal into Notices and never passes libxml2's words on:
they contain values. Nothing here reads a file outside `schemas/`, and nothing reads the network.

`python -m sif_pipeline.sif.schema --write` writes the files that are derived: see `schemas/README.md`.
"""

import csv
import re
import sys
import threading
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Final

from lxml import etree

from sif_pipeline.notices import CATALOGUE, MOST_IN_OBJECT, OBJECT_CAPPED, Notice, Severity
from sif_pipeline.sif import xsd
from sif_pipeline.sif.expression import Expression, of_object
from sif_pipeline.sif.xsd import XS

NAMESPACE: Final = "http://www.sifinfo.org/infrastructure/2.x"
"""The namespace of every SIF 2.x US message."""

MAX_NODES: Final = 5_000
"""Elements and attributes in one object. libxml2's time grows with the square of the errors in an object:
0.2 s at worst at this size, 6 s at four times the size. No real object comes near it."""

SMALL_TEXT: Final = 4 * MAX_NODES
"""An object with fewer characters than this cannot have so many nodes: the shortest is `<a/>`."""

MANY: Final = 500
"""Objects of a kind after which an expression is made for it: that takes as long as judging so many by their trees."""


_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_P = "{urn:sif-pipeline:profile}"
_SIF = f"{{{NAMESPACE}}}"
_SCHEMAS = files("schemas")
_XSDS = _SCHEMAS / "sif-2.7"
_CODE_SETS = "codesets.xsd"


class Profile(StrEnum):
    """How much of an object a message must carry."""

    WHOLE = "whole"  #: every mandatory element: an Add, or an object of a SIF_Response
    SPARSE = "sparse"  #: whatever changed: a Change
    KEY = "key"  #: enough to say which object is meant: a Delete


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an element."""

    required: bool  #: the profile refuses the element without it
    coded: bool  #: its value comes from a code set
    ref_id: bool = False  #: its value is a RefId


@dataclass(frozen=True, slots=True)
class Shape:
    """What one element may hold."""

    name: str
    required: bool = True  #: the profile refuses the parent without it
    repeats: bool = False  #: may stand several times
    coded: bool = False  #: its value comes from a code set
    ref_id: bool = False  #: its value is a RefId
    open: bool = False  #: holds anything at all (SIF_ExtendedElement)
    keyed_by: tuple[str, ...] = ()  #: a keyed list's (ActionList's) item key: "@Type" an attribute, "Code" a child
    whole: bool = False  #: an unkeyed list (List): the one sent takes the place of the one known
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    children: Mapping[str, "Shape"] = field(default_factory=dict)  #: by name, in the standard's order


def profile_for(action: str) -> Profile:
    """Return the profile of an event's Action; everything but Change and Delete carries whole objects."""
    return {"Change": Profile.SPARSE, "Delete": Profile.KEY}.get(action, Profile.WHOLE)


@cache
def object_names() -> tuple[str, ...]:
    """Return the names of the objects that have a schema, in alphabetical order."""
    return tuple(sorted(_objects(Profile.WHOLE)))


def object_key(object_name: str) -> tuple[str, ...]:
    """Return the parts of an object's key, attributes with an @; KeyError for an object without schema."""
    return _key_parts(_objects(Profile.WHOLE)[object_name])


@cache
def shape(object_name: str, profile: Profile = Profile.WHOLE) -> Shape:
    """Return the structure of an object; KeyError for an object without schema."""
    return _element_shape(_objects(profile)[object_name], _types(profile))


def is_valid(element: etree._Element, profile: Profile) -> bool:
    """Whether the object conforms to the profile; it may stand inside a bigger document."""
    return not _is_too_big(element) and _schema(profile).validate(element)


def is_surely_valid(name: str, text: str) -> bool:
    """Whether the text of a whole object is known to be valid without a tree; of any other, `is_valid` has to tell.

    It must be that of one element of this name, well-formed, whose namespaces are SIF's as the default and xsi.
    """
    if (kind := _kinds().get(name)) is None:
        return False
    kind.seen += 1
    if kind.seen == MANY:
        kind.expression = of_object(_objects(Profile.WHOLE)[name], _types(Profile.WHOLE))
    return kind.expression is not None and len(text) < SMALL_TEXT and kind.expression.matches(text)


@dataclass(slots=True)
class _Kind:
    """An object's expression, made when so many objects were seen that it saves more time than it takes."""

    seen: int = 0
    expression: Expression | None = None


@cache
def _kinds() -> Mapping[str, _Kind]:
    return {name: _Kind() for name in object_names()}


def findings(element: etree._Element, profile: Profile, *, errors_only: bool = False) -> list[Notice]:
    """Return everything that is wrong with an object, in document order; nothing for a valid one.

    At most MOST_IN_OBJECT, and one that counts the rest. Lines are those of the received document.
    """
    name = etree.QName(element).localname
    if name not in object_names():
        return [Notice("object_unknown", _name(element), _line(element))]
    if element.tag != _SIF + name:
        return [Notice("namespace_wrong", name, _line(element))]
    if _is_too_big(element):
        return [Notice("object_too_large", name, _line(element))]
    return _Inspection(element, profile).notices(errors_only=errors_only)


def acceptable(notices: Iterable[Notice]) -> bool:
    """Whether an object with these findings may be loaded: nothing weighs more than a warning."""
    return all(notice.type.severity is not Severity.ERROR for notice in notices)


_has_foreign_attributes = etree.XPath("boolean(descendant-or-self::*/@*[namespace-uri()])")
_exceeds = etree.XPath(f"count(descendant::*) + count(descendant-or-self::*/@*) > {MAX_NODES}")


def _is_too_big(element: etree._Element) -> bool:
    return _exceeds(element) is True


def _line(element: etree._Element) -> int:
    return element.sourceline or 0


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname[:80]  # the sender chose an unknown element's name, and its length


# -- what is wrong with one refused object

_judging = threading.Lock()  # a schema's error log belongs to the schema, not to the call
_NEVER_UNKNOWN = {_XSI + "nil", _XSI + "schemaLocation", _XSI + "noNamespaceSchemaLocation"}
_ATTRIBUTE = re.compile(r"Element '[^']*', attribute '(?:\{[^}']*\})?([^']*)'")
_CODES = {"SCHEMAV_CVC_ELT_3_1": "element_missing", "SCHEMAV_CVC_IDC": "element_out_of_place"}
_FOUND_BEFORE = {"SCHEMAV_CVC_COMPLEX_TYPE_4", "SCHEMAV_ELEMENT_CONTENT"}  # a missing attribute; a missing element
_OF_VALUES = re.compile(r"SCHEMAV_CVC_(DATATYPE|ENUMERATION|PATTERN|LENGTH|M(IN|AX)(LENGTH|INCLUSIVE)|\w+DIGITS)_VALID")
_Error = tuple[int, str, str]
"""Number of an element, kind of error in libxml2's names, and the attribute it is about or nothing."""


@dataclass(frozen=True, slots=True, order=True)
class _Finding:
    number: int
    tail: str
    code: str


class _Inspection:
    """One refused object: where its structure is wrong it is compared with its Shape, then libxml2 judges its values.

    libxml2 passes over what follows a misplaced element. So the comparison is ours: it mends a copy (unknown
    content removed, order restored), and the sparse profile, which lets anything be absent, then reaches
    every value of it. In the copy an element's line is its running number: an error tells the line only.
    """

    def __init__(self, element: etree._Element, profile: Profile) -> None:
        self._profile = profile
        self._shape = shape(etree.QName(element).localname, profile)
        self._originals = list(element.iter(etree.Element))
        self._copy = deepcopy(element)
        for number, node in enumerate(self._copy.iter(etree.Element)):
            node.sourceline = number + 1  # type: ignore[misc]  # the stubs are stricter than lxml
        self._found: set[_Finding] = set()

    def notices(self, *, errors_only: bool) -> list[Notice]:
        errors = self._errors(self._profile)
        if _has_foreign_attributes(self._copy) or not all(_OF_VALUES.match(kind) for _, kind, _ in errors):
            self._compare(self._copy, self._shape)
            errors = self._errors(Profile.SPARSE)
        self._judge_values(errors)
        if not self._found and not is_valid(self._originals[0], self._profile):
            return [Notice("object_invalid", self._shape.name, _line(self._originals[0]))]
        found = sorted(finding for finding in self._found if not errors_only or _is_error(finding))
        kept = _capped(found)
        notices = [self._notice(finding) for finding in kept]
        if more := len(found) - len(kept):
            notices.append(Notice(OBJECT_CAPPED, self._shape.name, _line(self._originals[0]), more))
        return notices

    def _notice(self, finding: _Finding) -> Notice:
        original = self._originals[finding.number - 1]
        path = _path(original, self._originals[0])
        return Notice(finding.code, path + finding.tail, _line(original))

    def _find(self, code: str, node: etree._Element, tail: str = "") -> None:
        self._found.add(_Finding(_line(node), tail, code))

    def _compare(self, node: etree._Element, known: Shape) -> None:
        self._compare_attributes(node, known)
        if known.open:
            return
        placed = self._place_children(node, known) if len(node) else set()
        if (node.get(_XSI + "nil") or "").strip() not in {"true", "1"}:
            for child in known.children.values():
                if child.required and child.name not in placed:
                    self._find("element_missing", node, f"/{child.name}")

    def _compare_attributes(self, node: etree._Element, known: Shape) -> None:
        names = set(node.attrib)
        for name in names - known.attributes.keys() - _NEVER_UNKNOWN:
            self._find("element_unknown", node, f"/@{etree.QName(name).localname[:80]}")
            del node.attrib[name]
        for name, attribute in known.attributes.items():
            if attribute.required and name not in names:
                is_key = node is self._copy and f"@{name}" in object_key(self._shape.name)
                self._find("key_missing" if is_key else "element_missing", node, f"/@{name}")

    def _place_children(self, node: etree._Element, known: Shape) -> set[str]:
        """Compare the children, leave them in the standard's order, and return their names."""
        placed: list[tuple[Shape, etree._Element]] = []
        for child in node.findall("*"):
            tag = str(child.tag)
            name = tag[len(_SIF) :] if tag.startswith(_SIF) else ""
            if below := known.children.get(name):
                placed.append((below, child))
            else:
                displaced = name in _names_within(self._shape.name)
                self._find("element_out_of_place" if displaced else "element_unknown", child)
                node.remove(child)
        self._put_in_order(node, known, placed)
        return {below.name for below, _ in placed}

    def _put_in_order(self, node: etree._Element, known: Shape, placed: list[tuple[Shape, etree._Element]]) -> None:
        ranks = {name: rank for rank, name in enumerate(known.children)}
        in_order = _longest_run([ranks[below.name] for below, _ in placed])
        seen: set[str] = set()
        for index, (below, child) in enumerate(placed):
            repeated = below.name in seen and not below.repeats
            if repeated or index not in in_order:
                self._find("element_out_of_place", child)
            if repeated:
                node.remove(child)
            else:
                self._compare(child, below)
            seen.add(below.name)
        if len(in_order) < len(placed):
            node.extend(sorted(node.findall("*"), key=lambda child: ranks[_name(child)]))

    def _errors(self, profile: Profile) -> list[_Error]:
        judge = _judge(profile)
        with _judging:
            judge.validate(self._copy)
            errors = [(e.line, e.type_name, _ATTRIBUTE.match(e.message)) for e in judge.error_log]
        return [(line, kind, match[1] if match else "") for line, kind, match in errors]

    def _judge_values(self, errors: list[_Error]) -> None:
        cleared = {line for line, kind, _ in errors if kind == "SCHEMAV_CVC_ELT_3_1"}
        for line, kind, name in errors:
            if kind in _FOUND_BEFORE or (kind == "SCHEMAV_CVC_IDC" and name):
                continue
            if line in cleared and not name and kind != "SCHEMAV_CVC_ELT_3_1":
                continue  # the empty value of an element that may not be nil
            self._found.add(_Finding(line, f"/@{name}" if name else "", self._code(line, kind, name)))

    def _code(self, line: int, kind: str, attribute_name: str) -> str:
        known: Shape | Attribute | None = self._shape_of(self._originals[line - 1])
        if attribute_name:
            known = self._shape_of(self._originals[line - 1]).attributes.get(attribute_name)
        return _CODES.get(kind, _code_of_value(known))

    def _shape_of(self, element: etree._Element) -> Shape:
        """Give the shape of an element that stands where the standard knows it."""
        parent = element.getparent()
        if element is self._originals[0] or parent is None:
            return self._shape
        return self._shape_of(parent).children[_name(element)]


def _code_of_value(known: Shape | Attribute | None) -> str:
    if known is not None and known.ref_id:
        return "ref_id_malformed"
    return "value_not_in_code_set" if known is not None and known.coded else "value_malformed"


def _capped(found: list[_Finding]) -> list[_Finding]:
    """Keep errors before warnings: what is left out must never make an object acceptable."""
    by_weight = sorted(found, key=lambda finding: not _is_error(finding))
    return sorted(by_weight[:MOST_IN_OBJECT])


def _is_error(finding: _Finding) -> bool:
    return CATALOGUE[finding.code].severity is Severity.ERROR


def _path(element: etree._Element, top: etree._Element) -> str:
    """Return the path from the object down, with a number where siblings have the same name."""
    steps: list[str] = []
    while element is not top and (parent := element.getparent()) is not None:
        steps.append(_name(element) + _index(element))
        element = parent
    return "/".join([_name(top), *reversed(steps)])


def _index(element: etree._Element) -> str:
    before = sum(1 for _ in element.itersiblings(str(element.tag), preceding=True))
    alone = not before and next(element.itersiblings(str(element.tag)), None) is None
    return "" if alone else f"[{before + 1}]"


@cache
def _names_within(object_name: str) -> frozenset[str]:
    """Return the names that belong somewhere in an object; those in SIF_Metadata are too common to tell."""
    return frozenset(_names(child for child in shape(object_name).children.values() if child.name != "SIF_Metadata"))


def _names(children: Iterable[Shape]) -> Iterator[str]:
    for child in children:
        yield child.name
        yield from _names(child.children.values())


def _longest_run(ranks: Sequence[int]) -> set[int]:
    """Return the places of a longest run that never falls: the rest, as few as can be, is out of order."""
    if all(rank <= following for rank, following in pairwise(ranks)):
        return set(range(len(ranks)))
    lowest: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for place, rank in enumerate(ranks):
        length = bisect_right(lowest, rank)
        before.append(ends[length - 1] if length else -1)
        lowest[length : length + 1] = [rank]
        ends[length : length + 1] = [place]
    run: set[int] = set()
    place = ends[-1] if ends else -1
    while place >= 0:
        run.add(place)
        place = before[place]
    return run


# -- the XSDs and what is derived from them


@cache
def _schema(profile: Profile) -> etree.XMLSchema:
    return etree.XMLSchema(_merged(profile))


@cache
def _judge(profile: Profile) -> etree.XMLSchema:
    """Return a schema of its own for findings: only here is an error log read."""
    return etree.XMLSchema(_merged(profile))


@cache
def _merged(profile: Profile) -> etree._Element:
    """Return one schema of all files: whatever lies in the folder is included, and libxml2 opens no file."""
    names = {"xs": XS[1:-1], "sif": NAMESPACE}
    merged = etree.Element(
        XS + "schema", {"targetNamespace": NAMESPACE, "elementFormDefault": "qualified"}, nsmap=names
    )
    for root in _documents(profile).values():
        merged.extend([part for part in root if part.tag not in {XS + "include", XS + "annotation"}])
    return merged


def _documents(profile: Profile) -> dict[str, etree._Element]:
    """Return the files of a profile, parsed anew, by name."""
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True, no_network=True)
    names = sorted(entry.name for entry in _XSDS.iterdir() if entry.name.endswith(".xsd"))
    documents = {name: etree.fromstring((_XSDS / name).read_bytes(), parser) for name in names}
    if profile is not Profile.WHOLE:
        _relax(documents, profile)
    return documents


def _relax(documents: Mapping[str, etree._Element], profile: Profile) -> None:
    """Make optional what is not part of a key; order, types and codes stay as they are."""
    types = {part.get("name", ""): part for root in documents.values() for part in root}
    keys = {part for root in documents.values() for part in _parts_of_keys(root, types, profile)}
    for root in documents.values():
        for attribute in root.iter(XS + "attribute"):
            if attribute not in keys:
                attribute.attrib.pop("use", None)
        for element in root.iter(XS + "element"):
            if element not in keys and element.getparent() is not root:
                element.set("minOccurs", "0")


def _parts_of_keys(
    root: etree._Element, types: Mapping[str, etree._Element], profile: Profile
) -> Iterator[etree._Element]:
    """Yield what stays required: keys of list items, attributes of object keys and, for KEY, elements too."""
    for holder in root.iter(XS + "element", XS + "complexType"):
        if holder.tag == XS + "complexType" and (parts := _key_parts(holder)):
            item = next(holder.iter(XS + "element"))
            yield from (_part(xsd.type_of(item, types), part, types) for part in parts)
        elif parts := _key_parts(holder):
            of_profile = [part for part in parts if part.startswith("@") or profile is Profile.KEY]
            yield from (_part(xsd.type_of(holder, types), part, types) for part in of_profile)


def _key_parts(declaration: etree._Element) -> tuple[str, ...]:
    return tuple(declaration.get(_P + "key", "").split())


def _part(type_: etree._Element | None, part: str, types: Mapping[str, etree._Element]) -> etree._Element:
    """Return the declaration of one part of a key, in the type or in one it extends."""
    kind = "attribute" if part.startswith("@") else "element"
    layers = xsd.layers(type_, types)
    return next(e for layer in layers for e in layer.iter(XS + kind) if e.get("name") == part.removeprefix("@"))


@cache
def _types(profile: Profile) -> Mapping[str, etree._Element]:
    return {part.get("name", ""): part for part in _merged(profile) if part.tag != XS + "element"}


@cache
def _objects(profile: Profile) -> Mapping[str, etree._Element]:
    return {part.get("name", ""): part for part in _merged(profile).iterchildren(XS + "element")}


def _element_shape(declaration: etree._Element, types: Mapping[str, etree._Element]) -> Shape:
    layers = list(xsd.layers(xsd.type_of(declaration, types), types))
    list_type = layers[-1] if layers else declaration
    return Shape(
        name=declaration.get("name", ""),
        required=declaration.get("minOccurs") != "0",
        repeats=declaration.get("maxOccurs") == "unbounded",
        coded=_is_coded(declaration, types),
        ref_id=_is_ref_id(declaration, types),
        open=xsd.is_open(layers),
        keyed_by=_key_parts(list_type),
        whole=list_type.get(_P + "list") == "whole",
        attributes={a.get("name", ""): _attribute(a, types) for a in xsd.attributes(layers)},
        children={e.get("name", ""): _element_shape(e, types) for e in xsd.elements(layers)},
    )


def _attribute(declaration: etree._Element, types: Mapping[str, etree._Element]) -> Attribute:
    is_required = declaration.get("use") == "required"
    return Attribute(is_required, _is_coded(declaration, types), _is_ref_id(declaration, types))


def _is_ref_id(declaration: etree._Element, types: Mapping[str, etree._Element]) -> bool:
    """Whether the value is a RefId, or may be one and nothing else but empty."""
    type_ = xsd.type_of(declaration, types)
    extended = None if type_ is None else next(type_.iterfind(f"*/{XS}extension"), None)
    name = declaration.get("type") if extended is None else extended.get("base")
    return xsd.local(name or "") in _REF_ID_TYPES


_REF_ID_TYPES = frozenset({"GUIDType", "GUIDOrEmptyType"})


def _is_coded(declaration: etree._Element, types: Mapping[str, etree._Element]) -> bool:
    """Whether the values are those of a code set, or of one of several."""
    type_ = xsd.type_of(declaration, types)
    if type_ is None:
        return False
    if (union := type_.find(XS + "union")) is not None:
        members = [types.get(xsd.local(member)) for member in union.get("memberTypes", "").split()]
        return all(member is not None and member.find(f".//{XS}enumeration") is not None for member in members)
    return type_.tag == XS + "simpleType" and type_.find(f".//{XS}enumeration") is not None


# -- the files that are written from others


def generated() -> dict[str, bytes]:
    """Return the files below `schemas/sif-2.7` that are derived from others, by their path there."""
    made = {_CODE_SETS: _code_sets()}
    for profile in (Profile.SPARSE, Profile.KEY):
        for name, root in _documents(profile).items():
            if name != _CODE_SETS:
                made[f"{profile}/{name}"] = _derived(name, root, profile)
    return made


def _code_sets() -> bytes:
    root = etree.Element(XS + "schema", {"targetNamespace": NAMESPACE}, nsmap={"xs": XS[1:-1]})
    note = etree.SubElement(etree.SubElement(root, XS + "annotation"), XS + "documentation")
    note.text = "Written from schemas/codesets/*.csv; change those."
    for entry in sorted((_SCHEMAS / "codesets").iterdir(), key=lambda entry: entry.name):
        type_ = etree.SubElement(root, XS + "simpleType", name=entry.name.removesuffix(".csv"))
        codes = etree.SubElement(type_, XS + "restriction", base="xs:token")
        for row in csv.DictReader(StringIO(entry.read_text(encoding="utf-8"))):
            etree.SubElement(codes, XS + "enumeration", value=row["code"])
    return _text(root)


def _derived(name: str, root: etree._Element, profile: Profile) -> bytes:
    note = next(root.iter(XS + "documentation"))
    note.text = f"Written from ../{name}, the {profile} profile: optional is what is not part of a key."
    for include in root.iterfind(f"{XS}include[@schemaLocation='{_CODE_SETS}']"):
        include.set("schemaLocation", f"../{_CODE_SETS}")
    return _text(root)


def _text(root: etree._Element) -> bytes:
    return etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def write() -> None:
    """Write the files that are derived from others anew."""
    _write(Path(str(_XSDS)))
    _write(Path(str(_XSDS)))  # the code sets just written are what the profiles were not yet derived from


def _write(folder: Path) -> None:
    for path, content in generated().items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m sif_pipeline.sif.schema --write")
    write()
