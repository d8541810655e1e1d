"""From the XSDs to one regular expression per object that only valid texts match: most objects need no validator.

An expression comes from the schema that libxml2 validates with, but knows less of it: the common spelling only, and no
value whose type it cannot spell. What it matches is certainly valid, and its groups are the texts that were wanted of
it. Of what it does not match it says nothing, and libxml2 decides. `tests/contract/test_expression.py` holds the one
against the other.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from lxml import etree

from sif_pipeline.sif import xsd
from sif_pipeline.sif.xsd import XS, Types

ALL = "+" if sys.version_info >= (3, 11, 5) else ""
"""Makes a repetition keep what it took. As there is one way to match, that changes only how soon a mismatch is known.

Earlier releases of Python 3.11 do it wrong (CPython issue 106052)."""

BLANKS = rf"[ \t\n]*{ALL}"
REFERENCE = "&(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9A-Fa-f]+);"
TEXT = rf"[^<&]*{ALL}(?:{REFERENCE}[^<&]*{ALL})*{ALL}"
ATTRIBUTE = rf'[^"<&\t\n]*{ALL}(?:{REFERENCE}[^"<&\t\n]*{ALL})*{ALL}'

CODE = rf"[^<>&\"'\t\n]*{ALL}"

DATE = (
    "(?:(?!0000)[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    "|(?:0[13578]|1[02])-31)|[0-9]{2}(?:0[48]|[2468][048]|[13579][26])-02-29)"
)
"""All days but 29 February of years like 2000, which the validator knows better."""

TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6})?"
OFFSET = "(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])?"

BUILT_IN: Mapping[str, str] = {
    "xs:date": DATE,
    "xs:dateTime": f"{DATE}T{TIME}{OFFSET}",
    "xs:time": f"{TIME}{OFFSET}",
    "xs:gYear": "(?!0000)[0-9]{4}",
    "xs:gYearMonth": "(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])",
    "xs:boolean": "true|false|0|1",
    "xs:unsignedInt": "[0-9]{1,9}",
    "xs:decimal": r"-?[0-9]{1,9}(?:\.[0-9]{1,6})?",
}
"""Values that certainly are of a type of XML Schema Part 2; there are others."""

LEFT_OUT = frozenset({"SIF_Metadata"})
"""Elements that are rare, and would make an expression several times as long."""

FREE = frozenset({"xs:string", "xs:normalizedString", "xs:token"})
"""Types of any text."""

PATTERNS: Mapping[str, str] = {"[0-9A-F]{32}": "[0-9A-F]{32}"}
"""The patterns in our schemas that narrow what a type allows; `\\S+` beside a date does not."""


MANY_CODES = 20
"""Code sets with more codes are looked up: an expression of them takes long to make, and to match."""

SELF_CLOSING = re.compile(r"<([\w.-]+)((?: [\w.:-]+=\"[^\"<]*\")*) ?/>")


class Wanted(NamedTuple):
    """What is to be taken out of an object, by paths below it: `Name/LastName`, `@RefId`, `OtherIdList/OtherId`."""

    texts: AbstractSet[str] = frozenset()  #: texts of elements and attributes that stand once at most
    runs: AbstractSet[str] = frozenset()  #: elements as they are spelled, all of them where there are several


@dataclass(slots=True)
class Expression:
    """What a text must match, and what must be true of its groups besides; these are counted from 0."""

    pattern: re.Pattern[str]
    groups: Mapping[str, int]  #: what was wanted, by path; what is missing here is in no text that matches
    values: Mapping[str, str]  #: the expression of each wanted text
    required: Callable[[Sequence[Any]], tuple[Any, ...]]  #: picks the groups of attributes that must be there
    coded: Sequence[tuple[int, frozenset[str]]]  #: groups that are codes
    keys: Sequence[tuple[int, str, re.Pattern[str]]]
    """Groups that are lists, the end tag of their items, and what finds the keys that must differ."""

    def match(self, text: str) -> tuple[str | None, ...] | None:
        """Give the groups of an object's text, from its start tag to its end tag; None where it may not be valid."""
        if "/>" in text:
            text = SELF_CLOSING.sub(r"<\1\2></\1>", text)
        found = self.pattern.fullmatch(text)
        if found is None:
            return None
        groups = found.groups()
        return groups if self._hold(groups) else None

    def _hold(self, groups: Sequence[str | None]) -> bool:
        if None in self.required(groups):
            return False
        for number, codes in self.coded:
            if (code := groups[number]) is not None and code not in codes:
                return False
        for number, end_tag, key in self.keys:
            if (items := groups[number]) and items.count(end_tag) > 1 and not _differ(key.findall(items)):
                return False
        return True


def _differ(keys: Sequence[str]) -> bool:
    """Tell whether keys certainly differ; references to characters spell one and the same in many ways."""
    if any("&" in key for key in keys):
        return False
    return len({" ".join(key.split()) for key in keys}) == len(keys)


def picked(places: Sequence[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Make a function that gives the items at some places as a tuple, however few."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda items: tuple(items[place] for place in places)


def of_object(declared: etree._Element, types: Types, wanted: Wanted | None = None) -> Expression | None:
    """Make the expression of an object from its declaration and the types by name; None where it cannot be spelled."""
    of_type = xsd.attributes(xsd.layers(xsd.type_of(declared, types), types))
    required = [f"@{one.get('name')}" for one in of_type if one.get("use") == "required"]
    texts, runs = wanted or Wanted()
    writer = _Writer(types, Wanted(texts | {*required}, runs), required)
    written = writer.occurrence(declared, "", is_single=True)
    return None if written is None else writer.expression(re.compile(written + BLANKS))


@dataclass(slots=True)
class _Writer:
    """Writes one object's expression. None stands for what cannot be spelled, and then may not occur.

    `is_single` of what stands once at most, so that it can be had as a group. Groups have names while they are written:
    what cannot be spelled after all takes them with it.
    """

    types: Types
    wanted: Wanted
    required: Sequence[str]  #: attributes of the object's own element that must be there, by path
    names: int = 0
    groups: dict[str, str] = field(default_factory=dict)  #: what was wanted, by name
    values: dict[str, str] = field(default_factory=dict)  #: expressions of texts by path
    coded: dict[str, frozenset[str]] = field(default_factory=dict)  #: codes by name
    keys: dict[str, tuple[str, re.Pattern[str]]] = field(default_factory=dict)  #: end tag and key by name

    def expression(self, pattern: re.Pattern[str]) -> Expression:
        """Give what was written, compiled, with all that was noted of it."""
        place = {name: number - 1 for name, number in pattern.groupindex.items()}
        groups = {path: place[name] for name, path in self.groups.items() if name in place}
        return Expression(
            pattern,
            groups,
            self.values,
            picked([groups[path] for path in self.required]),
            [(place[name], codes) for name, codes in self.coded.items() if name in place],
            [(place[name], *found) for name, found in self.keys.items() if name in place],
        )

    def name(self) -> str:
        """Give a name for one more group."""
        self.names += 1
        return f"g{self.names}"

    def element(self, declared: etree._Element, path: str, *, is_single: bool) -> str | None:
        """Write an element as often as it may stand there."""
        several, optional = declared.get("maxOccurs") == "unbounded", declared.get("minOccurs") == "0"
        left_out, is_run = declared.get("name") in LEFT_OUT, is_single and path in self.wanted.runs
        one = None if left_out else self.occurrence(declared, path, is_single=is_single and not several and not is_run)
        if one is None:
            return "" if optional else None
        quantifier = {(True, True): "*", (True, False): "+", (False, True): "?"}.get((several, optional), "")
        written = f"(?:{one}{BLANKS}){quantifier}{quantifier and ALL}"
        return self.run(path, written) if is_run else written

    def run(self, path: str, written: str) -> str:
        """Write a run of elements as a group."""
        name = self.name()
        self.groups[name] = path
        return f"(?P<{name}>{written})"

    def occurrence(self, declared: etree._Element, path: str, *, is_single: bool) -> str | None:
        """Write one element."""
        name, layers = declared.get("name", ""), list(xsd.layers(xsd.type_of(declared, self.types), self.types))
        attributes = self.attributes(layers, path, is_single=is_single)
        content = self.content(declared, layers, path, is_single=is_single)
        if attributes is None or content is None:
            return None
        plain = f"{attributes}>{content}</{name}>"
        if declared.get("nillable") != "true" or any(a.get("use") == "required" for a in xsd.attributes(layers)):
            return f"<{name}{plain}"
        return f'<{name}(?:{plain}| xsi:nil="true"></{name}>)'

    def content(
        self, declared: etree._Element, layers: Sequence[etree._Element], path: str, *, is_single: bool
    ) -> str | None:
        """Write what may stand between an element's tags."""
        extension = layers[0].find(f"{XS}simpleContent/{XS}extension") if layers else None
        if not layers or extension is not None:
            return self.text(declared if extension is None else extension, path, TEXT, is_single=is_single)
        if xsd.is_open(layers):
            return TEXT
        unique = declared.find(XS + "unique")
        if unique is None:
            return self.children(layers, path, is_single=is_single)
        return self.keyed(unique, layers, path) if is_single else None

    def keyed(self, unique: etree._Element, layers: Sequence[etree._Element], path: str) -> str | None:
        """Write a list whose items differ in their keys, as a group."""
        inside, name = self.children(layers, path, is_single=True), self.name()
        self.keys[name] = _keys(unique)
        return inside and f"(?P<{name}>{inside})"

    def children(self, layers: Sequence[etree._Element], path: str, *, is_single: bool) -> str | None:
        """Write elements in their order."""
        parts = [
            self.element(child, f"{path}/{child.get('name')}".lstrip("/"), is_single=is_single)
            for child in xsd.elements(layers)
        ]
        return None if None in parts else BLANKS + "".join(filter(None, parts))

    def text(self, declared: etree._Element, path: str, free: str, *, is_single: bool) -> str | None:
        """Write the text of an element or attribute, as a group where it is wanted or a code to be looked up."""
        codes = self.codes(declared) if is_single else frozenset()
        written = CODE if codes else self.value(declared, free)
        if written is None or not (codes or (is_single and path in self.wanted.texts)):
            return written
        name = self.name()
        if codes:
            self.coded[name] = codes
        if path in self.wanted.texts:
            self.groups[name], self.values[path] = path, written
        return f"(?P<{name}>{written})"

    def codes(self, declared: etree._Element) -> frozenset[str]:
        """Give the codes of a large code set; none where the type is something else."""
        type_ = xsd.type_of(declared, self.types)
        found = [] if type_ is None else type_.findall(f"{XS}restriction/{XS}enumeration")
        return frozenset(_spelled(found)) if len(found) > MANY_CODES else frozenset()

    def value(self, declared: etree._Element, free: str) -> str | None:
        """Write the values of an element's or attribute's simple type; `free` stands for any text."""
        named = declared.get("type") or declared.get("base") or ""
        if named in FREE:
            return free
        if named.startswith("xs:"):
            return f"(?:{BUILT_IN[named]})" if named in BUILT_IN else None
        type_ = xsd.type_of(declared, self.types)
        return None if type_ is None else self.simple(type_, free)

    def simple(self, type_: etree._Element, free: str) -> str | None:
        """Write the values of a simple type: a union, a code set or a narrowed type."""
        if (union := type_.find(XS + "union")) is not None:
            members = [etree.Element(XS + "element", type=name) for name in union.get("memberTypes", "").split()]
            known = [found for member in members if (found := self.value(member, free)) is not None]
            return free if free in known else f"(?:{'|'.join(known)})" if known else None
        restriction = type_.find(XS + "restriction")
        if restriction is None:
            return None
        if codes := _spelled(restriction.iterfind(XS + "enumeration")):
            return _one_of(codes)
        facets = {str(facet.tag).removeprefix(XS): facet.get("value", "") for facet in restriction}
        return _narrowed(facets, self.value(restriction, free))

    def attributes(self, layers: Iterable[etree._Element], path: str, *, is_single: bool) -> str | None:
        """Write an element's attributes, in any order; well-formed text has none of them twice."""
        declared = {a.get("name", ""): a for a in xsd.attributes(layers)}
        required = [name for name, a in declared.items() if a.get("use") == "required"]
        values = {
            name: self.text(a, f"{path}/@{name}".lstrip("/"), ATTRIBUTE, is_single=is_single)
            for name, a in declared.items()
        }
        if any(values[name] is None for name in required):
            return None
        spelled = [f'{name}="{value}"' for name, value in values.items() if value is not None]
        if not spelled:
            return ""
        if required == list(declared) and len(required) == 1:
            return f" {spelled[0]}"
        looked_for = required if path else []  # those of the object itself are groups
        present = "".join(rf'(?=(?: [\w.-]+="[^"<]*")*? {name}=")' for name in looked_for)
        return f"{present}(?: (?:{'|'.join(spelled)}))*{ALL}"


def _spelled(codes: Iterable[etree._Element]) -> list[str]:
    """Give the codes of a code set that are spelled as they are."""
    found = [code.get("value", "") for code in codes]
    return [code for code in found if not set(code) & set("<>&\"'\t\n")]


def _keys(unique: etree._Element) -> tuple[str, re.Pattern[str]]:
    """Give the end tag of the items of a list, and what finds their keys."""
    item, key = (unique.find(XS + part).get("xpath", "") for part in ("selector", "field"))  # type: ignore[union-attr]
    name = xsd.local(item)
    if key.startswith("@"):
        return f"</{name}>", re.compile(rf'<{name}(?: [\w.-]+="[^"]*")*? {key[1:]}="([^"]*)"')
    return f"</{name}>", re.compile(rf"<{xsd.local(key)}[^>]*>([^<]*)<")


def _narrowed(facets: Mapping[str, str], values: str | None) -> str | None:
    """Write those values of a type that its facets certainly allow; None where that is not known."""
    match facets:
        case {"pattern": pattern}:
            return values if pattern == r"\S+" else PATTERNS.get(pattern)
        case {"length": "0"}:
            return ""
        case {"minInclusive": "0" | "1" as least}:
            decimals = values is not None and "." in values
            digits = facets.get("fractionDigits", "6") if decimals else ""
            return _number(int(least), facets.get("maxInclusive", ""), digits)
        case _:
            return None


def _number(least: int, most: str, digits: str) -> str | None:
    """Write numbers from 0 or 1 up to a power of ten, or whole ones up to nines, or to any; None for other bounds."""
    is_power, is_nines = most[:1] == "1" and not most[1:].strip("0"), not most.strip("9")
    if not is_power and (not is_nines or (most and digits)):
        return None
    places = len(most) - 1 if is_power else len(most) or 9
    decimals = rf"(?:\.[0-9]{{1,{digits}}})?" if digits else ""
    forms = [f"[1-9][0-9]{{0,{places - 1}}}{decimals}"] if places else []
    if not least:
        forms.append(f"0{decimals}")
    if is_power:
        forms.append(most + decimals.replace("[0-9]", "0"))
    return f"(?:{'|'.join(forms)})"


def _one_of(codes: Iterable[str]) -> str:
    """Write a code set as a tree of first letters: there are sets with thousands of codes."""
    found = sorted(set(codes))
    ends = "|" if "" in found else ""
    branches = [
        re.escape(first) + _one_of([code[1:] for code in rest])
        for first, rest in groupby(filter(None, found), key=lambda code: code[0])
    ]
    if not branches:
        return ""
    return branches[0] if len(branches) == 1 and not ends else f"(?:{'|'.join(branches)}{ends})"
