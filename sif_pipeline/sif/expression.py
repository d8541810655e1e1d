"""From the XSDs to one regular expression per object that only valid texts match: most objects need no validator.

An expression comes from the schema that libxml2 validates with, but knows less of it: no references to characters, and
no value whose type it cannot spell. What it matches is certainly valid. Of what it does not match it says nothing, and
libxml2 decides. `tests/contract/test_expression.py` holds the one against the other.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from lxml import etree

from sif_pipeline.sif import xsd
from sif_pipeline.sif.xsd import XS, Types

ALL = "+" if sys.version_info >= (3, 11, 5) else ""
"""Makes a repetition keep what it took. As there is one way to match, that changes only how soon a mismatch is known.

Earlier releases of Python 3.11 do it wrong (CPython issue 106052)."""

BLANKS = rf"[ \t\n]*{ALL}"
ENTITY = "&(?:amp|lt|gt|quot|apos);"
TEXT = rf"[^<&]*{ALL}(?:{ENTITY}[^<&]*{ALL})*{ALL}"
ATTRIBUTE = rf'[^"<&\t\n]*{ALL}(?:{ENTITY}[^"<&\t\n]*{ALL})*{ALL}'

DATE = (
    "(?!0000)[0-9]{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
"""All days but 29 February, which the validator knows better."""

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


@dataclass(slots=True)
class Expression:
    """What a text must match, and the lists in it whose items must differ in their keys."""

    pattern: re.Pattern[str]
    keys: Sequence[re.Pattern[str]]  #: finds the keys in what the group of the same number matched

    def matches(self, text: str) -> bool:
        """Tell whether an object's text, from its start tag to its end tag, is certainly valid."""
        found = self.pattern.fullmatch(text)
        if found is None:
            return False
        for key, items in zip(self.keys, found.groups(), strict=True):
            if items and not _differ(key.findall(items)):
                return False
        return True


def _differ(keys: Sequence[str]) -> bool:
    return len(keys) < 2 or len({" ".join(key.split()) for key in keys}) == len(keys)


def of_object(declared: etree._Element, types: Types) -> Expression | None:
    """Make the expression of an object from its declaration and the types by name; None where it cannot be spelled."""
    writer = _Writer(types)
    written = writer.occurrence(declared, inside_items=False)
    return None if written is None else Expression(re.compile(written + BLANKS), writer.keys)


@dataclass(slots=True)
class _Writer:
    """Writes one object's expression. None stands for what cannot be spelled, and then may not occur."""

    types: Types
    keys: list[re.Pattern[str]] = field(default_factory=list)

    def element(self, declared: etree._Element, *, inside_items: bool) -> str | None:
        """Write an element as often as it may stand there."""
        several, optional = declared.get("maxOccurs") == "unbounded", declared.get("minOccurs") == "0"
        left_out = declared.get("name") in LEFT_OUT
        one = None if left_out else self.occurrence(declared, inside_items=inside_items or several)
        if one is None:
            return "" if optional else None
        quantifier = {(True, True): "*", (True, False): "+", (False, True): "?"}.get((several, optional), "")
        return f"(?:{one}{BLANKS}){quantifier}{quantifier and ALL}"

    def occurrence(self, declared: etree._Element, *, inside_items: bool) -> str | None:
        """Write one element; `inside_items` of a list it may be there many times."""
        name, layers = declared.get("name", ""), list(xsd.layers(xsd.type_of(declared, self.types), self.types))
        attributes = self.attributes(layers)
        content = self.content(declared, layers, inside_items=inside_items)
        if attributes is None or content is None:
            return None
        forms = [f"{attributes}(?:>{content}</{name}>{'|/>' if _may_be_empty(layers, content) else ''})"]
        if declared.get("nillable") == "true" and not attributes.startswith("(?="):
            forms.append(f' xsi:nil="true"(?:/>|></{name}>)')
        return f"<{name}(?:{'|'.join(forms)})"

    def content(self, declared: etree._Element, layers: Sequence[etree._Element], *, inside_items: bool) -> str | None:
        """Write what may stand between an element's tags."""
        extension = layers[0].find(f"{XS}simpleContent/{XS}extension") if layers else None
        if not layers or extension is not None:
            return self.value(declared if extension is None else extension, TEXT)
        if xsd.is_open(layers):
            return TEXT
        unique = declared.find(XS + "unique")
        if unique is None:
            return self.children(layers, inside_items=inside_items)
        return None if inside_items else self.keyed(unique, layers)

    def keyed(self, unique: etree._Element, layers: Sequence[etree._Element]) -> str | None:
        """Write a list whose items differ in their keys, as a group."""
        number = len(self.keys)
        self.keys.append(_keys(unique))
        inside = self.children(layers, inside_items=False)
        if inside is None:
            del self.keys[number:]
        return inside and f"({inside})"

    def children(self, layers: Sequence[etree._Element], *, inside_items: bool) -> str | None:
        """Write elements in their order."""
        parts = [self.element(child, inside_items=inside_items) for child in xsd.elements(layers)]
        return None if None in parts else BLANKS + "".join(filter(None, parts))

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
        if codes := [one.get("value", "") for one in restriction.iterfind(XS + "enumeration")]:
            return _one_of([code for code in codes if not set(code) & set("<>&\"'\t\n")])
        facets = {str(facet.tag).removeprefix(XS): facet.get("value", "") for facet in restriction}
        return _narrowed(facets, self.value(restriction, free))

    def attributes(self, layers: Iterable[etree._Element]) -> str | None:
        """Write an element's attributes, in any order; well-formed text has none of them twice."""
        declared = xsd.attributes(layers)
        values = {a.get("name", ""): self.value(a, ATTRIBUTE) for a in declared}
        required = [a.get("name", "") for a in declared if a.get("use") == "required"]
        if any(values[name] is None for name in required):
            return None
        spelled = [f'{name}="{value}"' for name, value in values.items() if value is not None]
        if not spelled:
            return ""
        present = "".join(rf'(?=(?: [\w.-]+="[^"<]*")*? {name}=")' for name in required)
        return f"{present}(?: (?:{'|'.join(spelled)}))*{ALL}"


def _may_be_empty(layers: Sequence[etree._Element], content: str) -> bool:
    """Tell whether an element may have nothing in it."""
    if children := xsd.elements(layers):
        return all(child.get("minOccurs") == "0" for child in children)
    return re.fullmatch(content, "") is not None


def _keys(unique: etree._Element) -> re.Pattern[str]:
    """Make what finds the keys of the items of a list."""
    item, key = (unique.find(XS + part).get("xpath", "") for part in ("selector", "field"))  # type: ignore[union-attr]
    if key.startswith("@"):
        return re.compile(rf'<{xsd.local(item)}(?: [\w.-]+="[^"]*")*? {key[1:]}="([^"]*)"')
    return re.compile(rf"<{xsd.local(key)}[^>]*>([^<]*)<")


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
