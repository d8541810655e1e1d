"""From an object's text to its row by one regular expression: `mapping`'s quick twin, with the same rows to the byte.

A pattern is made from an object's declaration and its schema. It knows the common spelling of a valid object only:
every element at its place, no comments, no prefix but `xsi`, double quotes. What it does not match, `schema` judges and
`mapping` walks. What it matches is valid, and it never gives a wrong row, because every part begins with a start tag
that no other part at that place could begin with: there is one way to match, or none.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, NamedTuple

from lxml import etree

from sif_pipeline import mapping
from sif_pipeline.mapping import (
    NAMESPACE,
    Converter,
    Key,
    Node,
    Plan,
    Row,
    to_date,
    to_integer,
    to_key,
    to_number,
    to_text,
)
from sif_pipeline.sif import schema
from sif_pipeline.sif.expression import ALL, BUILT_IN, TEXT, Expression, Wanted, picked
from sif_pipeline.sif.expression import ATTRIBUTE as FREE_ATTRIBUTE
from sif_pipeline.sif.gate import reopen_object
from sif_pipeline.sif.schema import Shape, shape
from warehouse.base import SifObject

ATTRIBUTES = rf'(?: [A-Za-z_][\w.-]*="[^"<]*")*{ALL}'
"""Attributes as most spell them: one blank before each, double quotes, no prefix; so xsi:nil is none of them."""

ATTRIBUTE = re.compile(r' ([^ =]+)="([^"]*)"')
TOKEN = re.compile(rf"<(?:([A-Za-z_][\w.-]*)({ATTRIBUTES})>([^<]*)(</\1>)?|/)")
"""A start tag with its text and, where nothing else is in the element, its end tag; or the beginning of an end tag."""

ADDITIONS = re.compile(
    rf'<SIF_ExtendedElement(?: (?!Name=)[\w.-]+="[^"<]*")*{ALL} Name="([^"<]*)"{ATTRIBUTES}>([^<]*)</'
)
CHARACTER = re.compile(r"&(?:#(?:x([0-9A-Fa-f]+)|([0-9]+))|(\w+));")
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}

RUNS_REMEMBERED = 5_000
"""Runs whose JSON is remembered: languages, races and codes are the same for many. Others are hardly ever seen again:
four times as many would take four times the room for a twentieth more hits."""

LONGEST_REMEMBERED = 256
"""Longer runs, in characters, are not remembered: timetables and scores are each their own."""

MANY = 200
"""Objects of a kind after which its pattern is made: that takes as long as judging and walking so many."""

Groups = Sequence[str | None]


class Image(NamedTuple):
    """What the warehouse keeps of a whole object besides its text."""

    row_key: Key
    cells: Row  #: texts of the declared columns in PostgreSQL's input form
    extended: str | None  #: SIF_ExtendedElements as JSON
    references: tuple[tuple[str, Key], ...]  #: what it refers to: SIF name and RefId


@dataclass(slots=True)
class Pattern:
    """The expression of one object, and what becomes of each of its groups; groups are counted from 0."""

    cls: type[SifObject]
    plan: Plan
    expression: Expression
    pick: Callable[[Groups], tuple[str | None, ...]]  #: from the groups, nothing, `{}` and `[]` to the cells
    key: list[int]  #: groups of the parts of the object's key
    needed: Callable[[Row], tuple[str | None, ...]]
    spelled: list[tuple[int, Callable[[str], str]]] = field(default_factory=list)
    """Places of texts that may have blanks around them, and of RefIds; what takes them to their spelling."""
    converted: list[tuple[int, Converter]] = field(default_factory=list)  #: places of what else is not plain text
    lists: list[tuple[int, int, Converter, re.Pattern[str]]] = field(default_factory=list)  #: place, run, what to find
    documents: list[tuple[int, int, re.Pattern[str] | None]] = field(default_factory=list)
    """Place of the JSON, run of elements, and what to find in it where it is not all wanted."""
    trees: dict[str, int] = field(default_factory=dict)  #: children of the root that are walked, by tag
    extended: int | None = None
    kind: int | None = None  #: group of the root's SIF_RefObject
    simple: list[tuple[str, int]] | None = None
    """Places of RefIds and of lists of them, where each says by its name alone whose it is."""
    runs: frozenset[int] = frozenset()  #: groups that are elements, and no texts


def image(cls: type[SifObject], text: str, coming: int = 1) -> Image | None:
    """Read a valid object's text, from its start tag to its end tag; None where it is not valid, or must be walked.

    The text must come from a well-formed document without CDATA, comments, processing instructions and carriage
    returns, whose only namespaces are SIF's as the default and `xsi`.
    """
    pattern = _pattern(cls, coming)
    groups: Groups | None = pattern.expression.match(text) if pattern and len(text) < schema.SMALL_TEXT else None
    if pattern is None or groups is None:
        return None
    if "xsi:" in text and any("xsi:" in (groups[run] or "") for run in pattern.runs):
        return None
    if "&" in text:
        apart = {*pattern.trees.values(), pattern.extended}
        if any("&" in (groups[group] or "") for group in apart if group is not None):
            return None
        groups = [g if number in pattern.runs else g and _characters(g) for number, g in enumerate(groups)]
    return _image(pattern, groups)


def _characters(text: str) -> str:
    """Put in the characters that references stand for."""
    if "&" not in text:
        return text
    return CHARACTER.sub(lambda m: NAMED[m[3]] if m[3] else chr(int(m[1], 16) if m[1] else int(m[2])), text)


def _image(pattern: Pattern, groups: Groups) -> Image | None:
    cells: list[Any] = list(pattern.pick([*groups, None, "{}", "[]"]))
    trees = _trees(pattern, groups) if pattern.trees else {}
    key = _row_key(pattern, groups)
    if key is None or not _take(pattern, groups, cells) or not _walk(pattern.plan, trees, cells):
        return None
    refers = _references(pattern, groups, cells, trees) if pattern.simple is None else _plain_references(pattern, cells)
    references = tuple(refers)  # before the lists they may be in are spelled
    for place, *_ in pattern.lists:
        if isinstance(cells[place], list):
            cells[place] = mapping.array(cells[place])
    if None in pattern.needed(cells):
        return None
    extended = groups[pattern.extended] if pattern.extended is not None else None
    return Image(key, cells, extended and _extended(extended), references)


def _take(pattern: Pattern, groups: Groups, cells: list[Any]) -> bool:
    """Convert what is not plain text; False when a value cannot be stored."""
    for place, spell in pattern.spelled:
        if text := cells[place]:
            cells[place] = spell(text)
    for place, convert in pattern.converted:
        if (value := convert(cells[place]) if cells[place] else None) is None and cells[place]:
            return False
        cells[place] = value
    return _take_runs(pattern, groups, cells)


def _take_runs(pattern: Pattern, groups: Groups, cells: list[Any]) -> bool:
    """Take JSON and lists out of runs of elements; False when a value cannot be stored."""
    for place, group, part in pattern.documents:
        if run := groups[group]:
            said = run if part is None else "".join(part.findall(run))
            cells[place] = _remembered(said) if len(said) <= LONGEST_REMEMBERED else _document(said)
    for place, group, convert, wanted in pattern.lists:
        if run := groups[group]:
            cells[place] = values = [convert(_characters(text)) for text in wanted.findall(run) if text]
            if None in values:
                return False
    return not pattern.plan.bounded or not mapping.too_long(pattern.plan, cells)


def _document(run: str) -> str:
    return mapping.json_text(_values(run))


_remembered = lru_cache(maxsize=RUNS_REMEMBERED)(_document)


def _values(run: str) -> list[Any]:
    """Turn a run of elements into JSON values, as `mapping.as_json` does."""
    top: list[Any] = []
    open_: list[tuple[dict[str, Any] | None, str]] = []
    current: dict[str, Any] | None = None
    characters = _characters if "&" in run else _as_it_is
    for name, attributes, text, closed in TOKEN.findall(run):
        value: Any = {f"@{key}": characters(said) for key, said in ATTRIBUTE.findall(attributes)} if attributes else {}
        if not name:
            value = current
            current, name = open_.pop()  # noqa: PLW2901 -- the end tag's name is that of the element it ends
        elif not closed:
            open_.append((current, name))
            current = value
            continue
        elif not attributes:
            value = characters(text)
        elif text and (said := characters(text)).strip():
            value["$"] = said
        if current is None:
            top.append(value)
        elif name in current:
            mapping.add(current, name, value)
        else:
            current[name] = value
    return top


def _as_it_is(text: str) -> str:
    return text


def _extended(group: str) -> str | None:
    """Spell SIF_ExtendedElements as JSON, as `mapping.extended` does."""
    return mapping.json_text({name: text or None for name, text in ADDITIONS.findall(group)})


def _row_key(pattern: Pattern, groups: Groups) -> Key | None:
    if pattern.cls.key_paths == ("@RefId",):
        return (groups[pattern.key[0]] or "").lower()
    return mapping.natural_key(pattern.cls, [groups[group] for group in pattern.key])


def _trees(pattern: Pattern, groups: Groups) -> dict[str, etree._Element]:
    """Parse the children that are walked: each alone in an element like the object's."""
    name = pattern.cls.sif_name
    found = ((tag, groups[group]) for tag, group in pattern.trees.items())
    return {tag: reopen_object(f"<{name}>{run}</{name}>") for tag, run in found if run}


def _walk(plan: Plan, trees: dict[str, etree._Element], cells: list[Any]) -> bool:
    """Take what is in the children that are walked; False when a value cannot be stored."""
    for tag, element in trees.items():
        taken: list[Any] = [None] * plan.width
        if mapping.walk(element, Node(children={tag: plan.root.children[tag]}), taken) or mapping.too_long(plan, taken):
            return False
        mapping.complete(plan, taken)
        for place in places_below(plan.root.children[tag]):
            cells[place] = taken[place]
    return True


def places_below(node: Node) -> Iterator[int]:
    """Yield the places in the row that an element and all below it go to."""
    yield from (place for place in (node.place, node.whole) if place is not None)
    yield from (place for _, place, *_ in node.attributes)
    for child in node.children.values():
        yield from places_below(child)


def _plain_references(pattern: Pattern, cells: list[Any]) -> Iterator[tuple[str, Key]]:
    """Yield what the object refers to, where the declaration alone says it; lists are not spelled yet."""
    for name, place in pattern.simple or ():
        held = cells[place]
        if isinstance(held, list):
            for key in held:
                yield name, key
        elif held:
            yield name, held


def _references(
    pattern: Pattern, groups: Groups, cells: list[Any], trees: dict[str, etree._Element]
) -> Iterator[tuple[str, Key]]:
    """Yield what the object refers to, in the order of the declaration; lists are not spelled yet."""
    for reference in pattern.plan.references:
        name, held = reference.object_name, cells[reference.place]
        if reference.steps and reference.steps[0] in trees:
            yield from mapping.referred(reference, trees[reference.steps[0]])
        elif isinstance(held, list):
            yield from ((name, key) for text in held if (key := to_key(text)))
        elif held and (reference.steps or _kind(pattern, groups, name) == name) and (key := to_key(held)):
            yield name, key


def _kind(pattern: Pattern, groups: Groups, name: str) -> str:
    """Name the kind of object that the root's attributes refer to: SIF_RefObject says it where there is one."""
    return name if pattern.kind is None else (groups[pattern.kind] or name).strip()


@dataclass(slots=True)
class _Seen:
    """How many objects of a kind were met, and their pattern once they are many."""

    objects: int = 0
    pattern: Pattern | None = None


_seen: dict[type[SifObject], _Seen] = {}


def _pattern(cls: type[SifObject], coming: int) -> Pattern | None:
    """Give the pattern of an object, once it pays to make it."""
    if (seen := _seen.get(cls)) is None:
        seen = _seen[cls] = _Seen()
    if seen.pattern is None:
        seen.objects += 1
        if seen.objects + coming > MANY:
            seen.pattern = compiled(cls)
    return seen.pattern


@cache
def compiled(cls: type[SifObject]) -> Pattern | None:
    """Make the pattern of a declared object; None where its schema cannot be spelled as an expression."""
    draft = _Draft(cls, mapping.plan(cls))
    draft.start()
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

    def start(self) -> None:
        """Note what is wanted of the object's own element and of all below it."""
        root, known = self.plan.root, shape(self.cls.sif_name)
        self.texts |= dict.fromkeys(self.cls.key_paths)
        if "SIF_RefObject" in known.attributes:
            self.texts["@SIF_RefObject"] = None
        self.attributes(root, "")
        for child in known.children.values():
            node = root.children.get(NAMESPACE + child.name)
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
            if (inner := node.children.get(NAMESPACE + child.name)) is not None:
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
            self.collect(tag.removeprefix(NAMESPACE), child, run, within=True)

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
            trees={NAMESPACE + name: group[name] for name in self.trees if name in group},
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
        if any(child.open for child in _descendants(known)):
            return False
        names = [known.name, *(child.name for child in _descendants(known))]
        return all(names.count(name) == 1 for name in _wanted_names(known.name, node))
    below = ((known.children.get(tag.removeprefix(NAMESPACE)), child) for tag, child in node.children.items())
    lists = any(repeated for *_, repeated in node.attributes)
    return not lists and all(child is not None and _is_plain(child, inner) for child, inner in below)


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
            yield tag.removeprefix(NAMESPACE)
        yield from _wanted_names(tag.removeprefix(NAMESPACE), child)


def _element(name: str) -> str:
    """Write the expression of an element with whatever is in it."""
    return rf"<{name}{ATTRIBUTES}>[^<]*(?:<(?!/?{name}[\s>])[^<]*)*{ALL}</{name}>"
