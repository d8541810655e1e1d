"""From an object's declaration and its schema to the pattern that reads its texts."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from sif_pipeline.reading import mapping
from sif_pipeline.reading.mapping import (
    Converter,
    Node,
    Plan,
    to_date,
    to_integer,
    to_key,
    to_number,
    to_text,
)
from sif_pipeline.reading.pattern import ATTRIBUTES, Pattern
from sif_pipeline.sif import schema
from sif_pipeline.sif.elements import SIF
from sif_pipeline.sif.expression import ALL, BUILT_IN, TEXT, Expression, Wanted, picked
from sif_pipeline.sif.expression import ATTRIBUTE as FREE_ATTRIBUTE
from sif_pipeline.sif.schema import Shape, shape
from warehouse.base import SifObject

MANY = 200
"""Objects of a kind after which its pattern is made: that takes as long as judging and walking so many."""


_seen: Counter[type[SifObject]] = Counter()


def pattern_of(cls: type[SifObject], coming: int = 1) -> Pattern | None:
    """Give the pattern of an object, once it pays to make it: so many of the kind are coming now."""
    _seen[cls] += coming
    return compiled(cls) if _seen[cls] >= MANY else None


@cache
def compiled(cls: type[SifObject]) -> Pattern | None:
    """Make the pattern of a declared object; None where its schema cannot be spelled as an expression."""
    draft = _Draft(cls, mapping.plan(cls))
    draft.collect_wanted()
    expression = schema.expression(cls.sif_name, Wanted(frozenset(draft.texts), frozenset([*draft.runs, *draft.trees])))
    return None if expression is None else draft.pattern(expression)


@dataclass(slots=True)
class _Draft:
    """What a declaration wants of its object's text, by paths, before there is an expression with groups."""

    cls: type[SifObject]
    plan: Plan
    texts: dict[str, tuple[int, Converter] | None] = field(default_factory=dict)  #: to place in the row
    runs: list[str] = field(default_factory=list)
    trees: list[str] = field(default_factory=list)
    lists: list[tuple[int, str, Converter, re.Pattern[str]]] = field(default_factory=list)
    documents: list[tuple[int, str, re.Pattern[str] | None]] = field(default_factory=list)

    def collect_wanted(self) -> None:
        """Note what is wanted of the object's own element and of all below it."""
        root, known = self.plan.root, shape(self.cls.sif_name)
        self.texts |= dict.fromkeys(self.cls.key_paths)
        if "SIF_RefObject" in known.attributes:
            self.texts["@SIF_RefObject"] = None
        self.attributes(root, "")
        for child in known.children.values():
            node = root.children.get(SIF + child.name)
            if child.name == "SIF_ExtendedElements":
                self.runs.append(EXTENDED)
            elif node is not None and not _is_plain(child, node):
                self.trees.append(child.name)
            elif node is not None:
                self.part(child, node, child.name)

    def attributes(self, node: Node, path: str) -> None:
        """Note the attributes of an element that are wanted."""
        for name, place, convert, _ in node.attributes:
            self.texts[f"{path}/@{name}".lstrip("/")] = place, convert

    def part(self, known: Shape, node: Node, path: str) -> None:
        """Note what is wanted of an element."""
        if node.whole is not None or known.repeats:
            self.runs.append(path)
            self.collect(known.name, node, path)
            return
        self.attributes(node, path)
        if node.place is not None:
            self.texts[path] = node.place, node.convert
        for child in known.children.values():
            if (inner := node.children.get(SIF + child.name)) is not None:
                self.part(child, inner, f"{path}/{child.name}")

    def collect(self, name: str, node: Node, run: str, *, within: bool = False) -> None:
        """Note what is to be found in a run of repeated elements; `within` them, or they themselves."""
        if node.whole is not None:
            self.documents.append((node.whole, run, re.compile(_element(name)) if within else None))
        if node.place is not None:
            text = re.compile(rf"<{name}{ATTRIBUTES}>([^<]*)</")
            self.lists.append((node.place, run, node.convert, text))
        for attribute, place, convert, _ in node.attributes:
            value = re.compile(rf'<{name}(?: (?!{attribute}=)[\w.-]+="[^"]*")* {attribute}="([^"]*)"')
            self.lists.append((place, run, convert, value))
        for tag, child in node.children.items():
            self.collect(tag.removeprefix(SIF), child, run, within=True)

    def pattern(self, expression: Expression) -> Pattern:
        """Say of each group of an expression what becomes of it."""
        group, nothing = expression.groups, expression.pattern.groups
        places = {to[0]: group[path] for path, to in self.texts.items() if to and path in group}
        defaults = dict.fromkeys(self.plan.lists, nothing + 1) | dict.fromkeys(self.plan.documents, nothing + 2)
        pattern = Pattern(
            self.cls,
            self.plan,
            expression,
            picked([places.get(place, defaults.get(place, nothing)) for place in range(self.plan.width)]),
            [group[path] for path in self.cls.key_paths],
            picked([place for place, _ in self.plan.required]),
            lists=[(place, group[run], how, what) for place, run, how, what in self.lists if run in group],
            documents=[(place, group[run], part) for place, run, part in self.documents if run in group],
            trees={SIF + name: group[name] for name in self.trees if name in group},
            extended=group.get(EXTENDED),
            kind=group.get("@SIF_RefObject"),
            runs=frozenset(group[run] for run in self.runs if run in group),
        )
        for path, to in self.texts.items():
            if to and path in group:
                _convert(pattern, *to, expression.values[path])
        pattern.simple = _simple_references(pattern)
        return pattern


EXTENDED = "SIF_ExtendedElements/SIF_ExtendedElement"

REF_ID = "[0-9A-F]{32}"

ALREADY: set[tuple[Converter, str]] = {
    (to_date, f"(?:{BUILT_IN['xs:date']})"),
    (to_integer, f"(?:{BUILT_IN['xs:unsignedInt']})"),
    (to_integer, f"(?:{BUILT_IN['xs:gYear']})"),
}
"""Converters that leave what an expression matches as it is."""


def _convert(pattern: Pattern, place: int, convert: Converter, value: str) -> None:
    """Say how the text at a place becomes its cell, by the expression it matched."""
    is_free = value in {TEXT, FREE_ATTRIBUTE}
    if convert is to_text:
        if is_free:
            pattern.spelled.append((place, str.strip))
    elif convert is to_key and value == REF_ID:
        pattern.spelled.append((place, str.lower))
    elif (convert, value) not in ALREADY and (convert is not to_number or is_free or re.fullmatch(value, "")):
        pattern.converted.append((place, convert))


def _simple_references(pattern: Pattern) -> list[tuple[str, int]] | None:
    references = [(reference.object_name, reference.place) for reference in pattern.plan.references]
    keys = {place for place, convert in pattern.spelled if convert is str.lower}
    keys |= {place for place, convert in pattern.converted if convert is to_key}
    keys |= {place for place, _, convert, _ in pattern.lists if convert is to_key}
    plain = pattern.kind is None and keys >= {place for _, place in references}
    return references if plain else None


def _is_plain(known: Shape, node: Node) -> bool:
    """Tell whether all that is wanted of an element can be had without its tree."""
    if known.open or "SIF_RefObject" in known.attributes or (node.repeated and not known.repeats):
        return False
    if known.repeats or node.whole is not None:
        if any(child.open for child in _descendants(known)) or _says_whose(known, node):
            return False
        names = [known.name, *(child.name for child in _descendants(known))]
        return all(names.count(name) == 1 for name in _wanted_names(known.name, node))
    lists = any(repeated for *_, repeated in node.attributes)
    return not lists and all(child is not None and _is_plain(child, inner) for child, inner in _below(known, node))


def _says_whose(known: Shape, node: Node) -> bool:
    """Tell whether a text that is wanted stands beside a SIF_RefObject, which says what kind of object it refers to."""
    here = node.place is not None and "SIF_RefObject" in known.attributes
    return here or any(child is not None and _says_whose(child, inner) for child, inner in _below(known, node))


def _below(known: Shape, node: Node) -> Iterator[tuple[Shape | None, Node]]:
    """Yield the children of which something is wanted, each with its shape; None for one that the schema has not."""
    for tag, child in node.children.items():
        yield known.children.get(tag.removeprefix(SIF)), child


def _descendants(known: Shape) -> Iterator[Shape]:
    for child in known.children.values():
        yield child
        yield from _descendants(child)


def _wanted_names(name: str, node: Node) -> Iterator[str]:
    """Yield the names of the elements at and below a repeated one that something is wanted of."""
    if node.place is not None or node.attributes:
        yield name
    for tag, child in node.children.items():
        if child.whole is not None:
            yield tag.removeprefix(SIF)
        yield from _wanted_names(tag.removeprefix(SIF), child)


def _element(name: str) -> str:
    """Write the expression of an element with whatever is in it."""
    return rf"<{name}{ATTRIBUTES}>[^<]*(?:<(?!/?{name}[\s>])[^<]*)*{ALL}</{name}>"
