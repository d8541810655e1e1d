"""What is wrong with one object that the schema refused, as Notices.

libxml2's words are never passed on: they contain values.
"""

import re
import threading
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from lxml import etree

from sif_pipeline.notices import CATALOGUE, MOST_IN_OBJECT, OBJECT_CAPPED, Notice, Severity
from sif_pipeline.sif import schema
from sif_pipeline.sif.elements import SIF, local, local_name
from sif_pipeline.sif.naming import of_the_standard
from sif_pipeline.sif.schema import Attribute, Profile, Shape, shape

_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


def findings(element: etree._Element, profile: Profile, *, errors_only: bool = False) -> list[Notice]:
    """Return everything that is wrong with an object, in document order; nothing for a valid one.

    At most MOST_IN_OBJECT, and one that counts the rest. Lines are those of the received document.
    """
    name = local(element)
    if name not in schema.object_names():
        return [not_collected(element)]
    if element.tag != SIF + name:
        return [Notice("namespace_wrong", name, _line(element))]
    if schema.is_too_big(element):
        return [Notice("object_too_large", name, _line(element))]
    return _Inspection(element, profile).notices(errors_only=errors_only)


def not_collected(element: etree._Element) -> Notice:
    """Say of an object that the state does not collect it, or that the standard has none of its name."""
    name = _name(element)
    return Notice("object_unknown" if name in of_the_standard() else "object_name_unknown", name, _line(element))


def acceptable(notices: Iterable[Notice]) -> bool:
    """Whether an object with these findings may be loaded: nothing weighs more than a warning."""
    return all(notice.type.severity is not Severity.ERROR for notice in notices)


def _line(element: etree._Element) -> int:
    return element.sourceline or 0


def _name(element: etree._Element) -> str:
    return local(element)[:80]  # the sender chose an unknown element's name, and its length


_has_foreign_attributes = etree.XPath("boolean(descendant-or-self::*/@*[namespace-uri()])")
_judging = threading.Lock()  # a schema's error log belongs to the schema, not to the call
_NEVER_UNKNOWN = {_XSI + "nil", _XSI + "schemaLocation", _XSI + "noNamespaceSchemaLocation"}
_ATTRIBUTE = re.compile(r"Element '[^']*', attribute '(?:\{[^}']*\})?([^']*)'")
_CODES = {"SCHEMAV_CVC_ELT_3_1": "element_missing", "SCHEMAV_CVC_IDC": "element_out_of_place"}
_BROKEN = "SCHEMAV_ELEMENT_CONTENT"
_FOUND_BEFORE = {"SCHEMAV_CVC_COMPLEX_TYPE_4", _BROKEN}  # a missing attribute; a missing element
_OF_VALUES = re.compile(r"SCHEMAV_CVC_(DATATYPE|ENUMERATION|PATTERN|LENGTH|M(IN|AX)(LENGTH|INCLUSIVE)|\w+DIGITS)_VALID")
_Error = tuple[int, str, str]
"""Number of an element, kind of error in libxml2's names, and the attribute it is about or nothing."""


@dataclass(frozen=True, slots=True, order=True)
class _Finding:
    number: int
    tail: str
    code: str


class _Inspection:
    """One object: libxml2 judges it; what it did not get to see is compared with the Shape, then its values are judged.

    libxml2 passes over what follows a misplaced element. So the comparison is ours: it mends a copy (unknown
    content removed, order restored), and the sparse profile, which lets anything be absent, then reaches
    every value of it. Elements have running numbers, those of the copy the same.
    """

    def __init__(self, element: etree._Element, profile: Profile) -> None:
        self._profile = profile
        self._shape = shape(local(element), profile)
        self._originals = list(element.iter(etree.Element))
        self._copies: list[etree._Element] = []
        self._numbers = {node: number for number, node in enumerate(self._originals)}
        self._seen: set[etree._Element] = set()  # of the copy: what libxml2 judged, with all that is below
        self._unseen = False  # whether there is more
        self._found: set[_Finding] = set()

    def notices(self, *, errors_only: bool) -> list[Notice]:
        top = self._originals[0]
        errors = self._errors(top, self._profile)
        if not errors:
            return []
        has_foreign = _has_foreign_attributes(top)
        if has_foreign or not all(_OF_VALUES.match(kind) for _, kind, _ in errors):
            errors = self._mended([] if has_foreign else errors)
        self._judge_values(errors)
        if not self._found:
            return [Notice("object_invalid", self._shape.name, _line(top))]
        found = sorted(finding for finding in self._found if not errors_only or _is_error(finding))
        kept = _capped(found)
        notices = [self._notice(finding) for finding in kept]
        if more := len(found) - len(kept):
            notices.append(Notice(OBJECT_CAPPED, self._shape.name, _line(top), more))
        return notices

    def _mended(self, errors: list[_Error]) -> list[_Error]:
        """Compare a copy where its content is broken, as errors say, or all of it; give what is wrong in it now."""
        self._copies = list(deepcopy(self._originals[0]).iter(etree.Element))
        self._numbers.update({node: number for number, node in enumerate(self._copies)})
        broken = [number for number, kind, _ in errors if kind == _BROKEN]
        if broken and all(kind == _BROKEN or _OF_VALUES.match(kind) for _, kind, _ in errors):
            self._compare_from(broken)
        else:
            self._unseen = True
            self._compare(self._copies[0], self._shape)
        return self._errors(self._copies[0], Profile.SPARSE) if self._unseen else errors

    def _compare_from(self, broken: Sequence[int]) -> None:
        """Compare where these elements are not expected, or lack something at their end: libxml2 saw what is before."""
        nodes = [self._copies[number] for number in broken]
        for node in nodes:
            self._seen.update(node if node is self._copies[0] else node.itersiblings(preceding=True))
        self._seen.difference_update(nodes)
        for number in broken:
            parent = self._originals[number].getparent() if number else None
            above = self._numbers[parent] if parent is not None else 0
            self._compare(self._copies[above], self._shape_of(self._originals[above]))

    def _notice(self, finding: _Finding) -> Notice:
        original = self._originals[finding.number]
        path = _path(original, self._originals[0])
        return Notice(finding.code, path + finding.tail, _line(original))

    def _find(self, code: str, node: etree._Element, tail: str = "") -> None:
        self._found.add(_Finding(self._numbers[node], tail, code))

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
            self._find("element_unknown", node, f"/@{local_name(name)[:80]}")
            del node.attrib[name]
        for name, attribute in known.attributes.items():
            if attribute.required and name not in names:
                is_key = node is self._copies[0] and f"@{name}" in schema.object_key(self._shape.name)
                self._find("key_missing" if is_key else "element_missing", node, f"/@{name}")

    def _place_children(self, node: etree._Element, known: Shape) -> set[str]:
        """Compare the children, leave them in the standard's order, and return their names."""
        placed: list[tuple[Shape, etree._Element]] = []
        for child in node.findall("*"):
            tag = str(child.tag)
            name = tag[len(SIF) :] if tag.startswith(SIF) else ""
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
            elif child not in self._seen:
                self._unseen = True
                self._compare(child, below)
            seen.add(below.name)
        if len(in_order) < len(placed):
            node.extend(sorted(node.findall("*"), key=lambda child: ranks[_name(child)]))

    def _errors(self, top: etree._Element, profile: Profile) -> list[_Error]:
        judge = schema.judge(profile)
        with _judging:
            if judge.validate(top):
                return []
            errors = [(e.path or "", e.type_name, _ATTRIBUTE.match(e.message)) for e in judge.error_log]
        places = _Places(top)
        return [(self._numbers[places.at(path)], kind, match[1] if match else "") for path, kind, match in errors]

    def _judge_values(self, errors: list[_Error]) -> None:
        cleared = {number for number, kind, _ in errors if kind == "SCHEMAV_CVC_ELT_3_1"}
        for number, kind, name in errors:
            if kind in _FOUND_BEFORE or (kind == "SCHEMAV_CVC_IDC" and name):
                continue
            if number in cleared and not name and kind != "SCHEMAV_CVC_ELT_3_1":
                continue  # the empty value of an element that may not be nil
            self._found.add(_Finding(number, f"/@{name}" if name else "", self._code(number, kind, name)))

    def _code(self, number: int, kind: str, attribute_name: str) -> str:
        known: Shape | Attribute | None = self._shape_of(self._originals[number])
        if attribute_name:
            known = self._shape_of(self._originals[number]).attributes.get(attribute_name)
        return _CODES.get(kind, _code_of_value(known))

    def _shape_of(self, element: etree._Element) -> Shape:
        """Give the shape of an element that stands where the standard knows it."""
        parent = element.getparent()
        if element is self._originals[0] or parent is None:
            return self._shape
        return self._shape_of(parent).children[_name(element)]


class _Places:
    """The elements of an object by libxml2's paths, such as `/*/*[3]/v:x[2]`; each is looked up but once."""

    def __init__(self, top: etree._Element) -> None:
        self._found = {"": top}
        self._children: dict[tuple[etree._Element, str], list[etree._Element]] = {}

    def at(self, path: str) -> etree._Element:
        """Give the element at a path, whose first step is the object itself."""
        _, slash, steps = path[1:].partition("/")
        return self._below(slash + steps)

    def _below(self, steps: str) -> etree._Element:
        if steps not in self._found:
            parent, _, step = steps.rpartition("/")
            name, _, place = step.partition("[")
            named = self._named(self._below(parent), name)
            self._found[steps] = named[int(place[:-1]) - 1 if place else 0]
        return self._found[steps]

    def _named(self, node: etree._Element, name: str) -> list[etree._Element]:
        """Give a node's elements of a name as it is spelled, `*` for all: a default namespace cannot be spelled."""
        if (node, name) not in self._children:
            found = node.iterchildren(etree.Element)
            self._children[node, name] = [child for child in found if name == "*" or _spelled(child) == name]
        return self._children[node, name]


def _spelled(element: etree._Element) -> str:
    name = local(element)
    return f"{element.prefix}:{name}" if element.prefix else name


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
    found: set[str] = set()
    left = [child for child in shape(object_name).children.values() if child.name != "SIF_Metadata"]
    while left:
        below = left.pop()
        found.add(below.name)
        left.extend(below.children.values())
    return frozenset(found)


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
