"""From an object's text to its row by one regular expression: `mapping`'s quick twin, with the same rows to the byte.

`compiling` makes a pattern from an object's declaration and its schema. It knows the common spelling of a valid object
only: every element at its place, no comments, no prefix but `xsi`, double quotes. What it does not match, `schema`
judges and `mapping` walks. What it matches is valid, and it never gives a wrong row, because every part begins with a
start tag that no other part at that place could begin with: there is one way to match, or none.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

from lxml import etree

from sif_pipeline.reading import mapping
from sif_pipeline.reading.mapping import Converter, Key, Node, Plan, Row, to_key
from sif_pipeline.sif import schema
from sif_pipeline.sif.expression import ALL, Expression
from sif_pipeline.sif.gate import reopen_object
from warehouse.base import SifObject

ATTRIBUTES = rf'(?: [A-Za-z_][\w.-]*="[^"<]*")*{ALL}'
"""Attributes as most spell them: one blank before each, double quotes, no prefix; so xsi:nil is none of them."""

ATTRIBUTE = re.compile(r' ([^ =]+)="([^"]*)"')
TOKEN = re.compile(rf"<(?:([A-Za-z_][\w.-]*)({ATTRIBUTES})>([^<]*)(</\1>)?|/)")
"""A start tag with its text and, where nothing else is in the element, its end tag; or the beginning of an end tag."""

ADDITIONS = re.compile(
    rf'<SIF_ExtendedElement(?: (?!Name=)[\w.-]+="[^"<]*")*{ALL} Name="([^"<]*)"{ATTRIBUTES}>([^<]*)</'
)
CHARACTER = re.compile(r"&(?:#(?:x([0-9A-Fa-f]+)|0*([0-9]+))|(\w+));")
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}

RUNS_REMEMBERED = 5_000
"""Runs whose JSON is remembered: languages, races and codes are the same for many. Others are hardly ever seen again:
four times as many would take four times the room for a twentieth more hits."""

LONGEST_REMEMBERED = 256
"""Longer runs, in characters, are not remembered: timetables and scores are each their own."""

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


def image(pattern: Pattern, text: str) -> Image | None:
    """Read a valid object's text, from its start tag to its end tag; None where it is not valid, or must be walked.

    The text must come from a well-formed document without CDATA, comments, processing instructions and carriage
    returns, whose only namespaces are SIF's as the default and `xsi`.
    """
    groups: Groups | None = pattern.expression.match(text) if len(text) < schema.SMALL_TEXT else None
    if groups is None:
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
