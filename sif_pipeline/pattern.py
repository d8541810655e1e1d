"""From an object's text to its row by one regular expression: `mapping`'s quick twin, with the same rows to the byte.

A pattern is made from an object's declaration and its schema. It knows the common spelling of a valid object only:
every element at its place, no comments, no prefix but `xsi`, double quotes, no line breaks in attributes. What is
spelled otherwise it does not match, and `mapping` walks its tree. It never gives a wrong row, because every part begins
with a start tag that no other part at that place could begin with: there is one way to match, or none.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from lxml import etree

from sif_pipeline import mapping
from sif_pipeline.mapping import NAMESPACE, Converter, Key, Node, Plan, Row, to_key, to_text
from sif_pipeline.sif.expression import ALL, BLANKS
from sif_pipeline.sif.gate import reopen_object
from sif_pipeline.sif.schema import Shape, shape
from warehouse.base import SifObject

VALUE = r'="[^"<\t\n]*"'
ATTRIBUTES = rf"(?: [A-Za-z_][\w.-]*{VALUE})*{ALL}"
"""Attributes as most spell them: one blank before each, double quotes, no prefix; so xsi:nil is none of them."""

CLEARED = r' xsi:nil="true"(?:/>|></{}>)'

ATTRIBUTE = re.compile(r' ([^ =]+)="([^"]*)"')
TOKEN = re.compile(rf"<(?:([A-Za-z_][\w.-]*)({ATTRIBUTES})(?:>([^<]*)(</\1>)?|(/)>)|/)")
"""A start tag with its text and, where nothing else is in the element, its end tag; or the beginning of an end tag."""

ADDITION = rf'<SIF_ExtendedElement Name="([^"<\t\n]*)"{ATTRIBUTES}(?:>([^<]*)</SIF_ExtendedElement>|/>){BLANKS}'
ADDITIONS = re.compile(ADDITION)
CHARACTER = re.compile(r"&(?:#(?:x([0-9A-Fa-f]+)|([0-9]+))|(\w+));")
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
    groups: int = 0
    texts: dict[int, int] = field(default_factory=dict)  #: place in the row to group: texts and attributes
    converted: list[tuple[int, Converter]] = field(default_factory=list)  #: places of those that are not plain text
    lists: list[tuple[int, int, Converter, re.Pattern[str]]] = field(default_factory=list)  #: place, run, what to find
    documents: list[tuple[int, int, re.Pattern[str] | None]] = field(default_factory=list)
    """Place of the JSON, run of elements, and what to find in it where it is not all wanted."""
    trees: dict[str, int] = field(default_factory=dict)  #: children of the root that are walked, by tag
    extended: int | None = None
    key: list[int] = field(default_factory=list)  #: groups of the parts of the object's key
    named: dict[str, int] = field(default_factory=dict)  #: groups of texts and attributes by path
    simple: list[tuple[str, int]] | None = None  #: places of RefIds, where each says whose it is by its name alone
    expression: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    pick: Callable[[list[str | None]], tuple[str | None, ...]] = field(default=tuple)
    needed: Callable[[Row], tuple[str | None, ...]] = field(default=tuple)

    def group(self) -> int:
        """Count one more group and give its index."""
        self.groups += 1
        return self.groups - 1


def image(cls: type[SifObject], text: str) -> Image | None:
    """Read a valid object's text, from its start tag to its end tag; None where its tree must be walked.

    The text must come from a document without CDATA, comments, processing instructions and carriage returns, whose
    only namespaces are SIF's as the default and `xsi`.
    """
    pattern = compiled(cls)
    found = pattern.expression.fullmatch(text)
    if found is None:
        return None
    groups: Groups = found.groups()
    if "&" in text:
        apart = {*pattern.trees.values(), pattern.extended}
        if any("&" in (groups[group] or "") for group in apart if group is not None):
            return None
        runs = {group for _, group, *_ in (*pattern.documents, *pattern.lists)}
        groups = [g if number in runs else g and _characters(g) for number, g in enumerate(groups)]
    return _image(pattern, groups)


def _characters(text: str) -> str:
    """Put in the characters that references stand for."""
    if "&" not in text:
        return text
    return CHARACTER.sub(lambda m: NAMED[m[3]] if m[3] else chr(int(m[1], 16) if m[1] else int(m[2])), text)


def _image(pattern: Pattern, groups: Groups) -> Image | None:
    texts = [group and group.strip() for group in groups]
    cells: list[Any] = list(pattern.pick([*texts, None, "{}", "[]"]))
    trees = _trees(pattern, groups) if pattern.trees else {}
    key = _row_key(pattern, texts)
    if key is None or not _take(pattern, texts, cells) or not _walk(pattern.plan, trees, cells):
        return None
    if pattern.simple is None:
        found = tuple(_references(pattern, texts, cells, trees))
    else:
        found = tuple([(name, cells[place]) for name, place in pattern.simple if cells[place] is not None])
    for place, *_ in pattern.lists:
        if isinstance(cells[place], list):
            cells[place] = mapping.array(cells[place])
    if None in pattern.needed(cells):
        return None
    extended = texts[pattern.extended] if pattern.extended is not None else None
    return Image(key, cells, extended and _extended(extended), found)


def _take(pattern: Pattern, texts: list[str | None], cells: list[Any]) -> bool:
    """Convert what is not plain text; False when a value cannot be stored."""
    for place, convert in pattern.converted:
        if text := cells[place]:
            if (value := convert(text)) is None:
                return False
            cells[place] = value
        else:
            cells[place] = None
    for place, group, part in pattern.documents:
        if run := texts[group]:
            said = run if part is None else "".join(part.findall(run))
            cells[place] = _remembered(said) if len(said) <= LONGEST_REMEMBERED else _document(said)
    for place, group, convert, wanted in pattern.lists:
        if run := texts[group]:
            cells[place] = values = [convert(_characters(text)) for text in wanted.findall(run) if text]
            if None in values:
                return False
    return not mapping.too_long(pattern.plan, cells)


def _document(run: str) -> str:
    return mapping.json_text(_values(run))


_remembered = lru_cache(maxsize=RUNS_REMEMBERED)(_document)


def _values(run: str) -> list[Any]:
    """Turn a run of elements into JSON values, as `mapping.as_json` does."""
    top: list[Any] = []
    open_: list[tuple[dict[str, Any] | None, str]] = []
    current: dict[str, Any] | None = None
    for name, attributes, text, closed, empty in TOKEN.findall(run):
        value: Any = {f"@{key}": _characters(said) for key, said in ATTRIBUTE.findall(attributes)} if attributes else {}
        if not name:
            value = current
            current, name = open_.pop()  # noqa: PLW2901 -- the end tag's name is that of the element it ends
        elif not (closed or empty):
            open_.append((current, name))
            current = value
            continue
        elif not attributes:
            value = _characters(text)
        elif text and (said := _characters(text)).strip():
            value["$"] = said
        if current is None:
            top.append(value)
        else:
            mapping.add(current, name, value)
    return top


def _extended(group: str) -> str | None:
    """Spell SIF_ExtendedElements as JSON, as `mapping.extended` does."""
    return mapping.json_text({name: text or None for name, text in ADDITIONS.findall(group)})


def _row_key(pattern: Pattern, texts: list[str | None]) -> Key | None:
    if pattern.cls.key_paths == ("@RefId",):
        return to_key(texts[pattern.key[0]] or "")
    return mapping.natural_key(pattern.cls, [texts[group] for group in pattern.key])


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


def _references(
    pattern: Pattern, texts: list[str | None], cells: list[Any], trees: dict[str, etree._Element]
) -> Iterator[tuple[str, Key]]:
    """Yield what the object refers to, in the order of the declaration; lists are not spelled yet."""
    for reference in pattern.plan.references:
        name, held = reference.object_name, cells[reference.place]
        if reference.steps and reference.steps[0] in trees:
            yield from mapping.referred(reference, trees[reference.steps[0]])
        elif isinstance(held, list):
            yield from ((name, key) for text in held if (key := to_key(text)))
        elif held and (reference.steps or _kind(pattern, texts, name) == name) and (key := to_key(held)):
            yield name, key


def _kind(pattern: Pattern, texts: list[str | None], name: str) -> str:
    """Name the kind of object that the root's attributes refer to: SIF_RefObject says it where there is one."""
    group = pattern.named.get("@SIF_RefObject")
    return name if group is None else texts[group] or name


@cache
def compiled(cls: type[SifObject]) -> Pattern:
    """Make the pattern of a declared object."""
    pattern = Pattern(cls, mapping.plan(cls))
    root, known = pattern.plan.root, shape(cls.sif_name)
    also = {path[1:] for path in cls.key_paths if path.startswith("@")} | ({"SIF_RefObject"} & known.attributes.keys())
    start = _attributes(pattern, root, also=also)
    children = "".join(
        _child(pattern, child, root.children.get(NAMESPACE + child.name)) for child in known.children.values()
    )
    pattern.expression = re.compile(rf"<{cls.sif_name}{start}>{BLANKS}{children}</{cls.sif_name}>{BLANKS}")
    pattern.key = [pattern.named[path] for path in cls.key_paths]
    pattern.simple = _simple_references(pattern)
    defaults = dict.fromkeys(pattern.plan.lists, pattern.groups + 1) | dict.fromkeys(
        pattern.plan.documents, pattern.groups + 2
    )
    pattern.pick = _picked([pattern.texts.get(p, defaults.get(p, pattern.groups)) for p in range(pattern.plan.width)])
    pattern.needed = _picked([place for place, _ in pattern.plan.required])
    return pattern


def _simple_references(pattern: Pattern) -> list[tuple[str, int]] | None:
    references = [(reference.object_name, reference.place) for reference in pattern.plan.references]
    keys = {place for place, convert in pattern.converted if convert is to_key}
    plain = "@SIF_RefObject" not in pattern.named and keys >= {place for _, place in references}
    return references if plain else None


def _picked(places: list[int]) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """Make a function that gives the items at some places as a tuple, however few."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda items: tuple(items[place] for place in places)


def _attributes(pattern: Pattern, node: Node, path: str = "", also: Iterable[str] = ()) -> str:
    """Write the expression of an element's attributes in any order, with a group for each that is wanted."""
    wanted = sorted({name for name, *_ in node.attributes} | set(also))
    if not wanted:
        return ATTRIBUTES
    groups = {name: pattern.group() for name in wanted}
    for name, place, convert, _ in node.attributes:
        _text(pattern, place, groups[name], convert)
    pattern.named |= {f"{path}@{name}": group for name, group in groups.items()}
    either = "|".join(rf'{name}="([^"<\t\n]*)"' for name in wanted)
    return rf"(?: (?:{either}|[A-Za-z_][\w.-]*{VALUE}))*{ALL}"


def _text(pattern: Pattern, place: int, group: int, convert: Converter) -> None:
    pattern.texts[place] = group
    if convert is not to_text:
        pattern.converted.append((place, convert))


def _child(pattern: Pattern, known: Shape, node: Node | None) -> str:
    """Write the expression of a child of the object's element."""
    if known.name == "SIF_ExtendedElements":
        pattern.extended = pattern.group()
        addition = re.sub(r"\((?!\?)", "(?:", ADDITION)
        return rf"(?:<{known.name}>{BLANKS}((?:{addition})*{ALL})</{known.name}>{BLANKS})?{ALL}"
    if node is None and known.name in pattern.cls.key_paths:
        node = Node()
    if node is not None and not _is_plain(known, node):
        pattern.trees[NAMESPACE + known.name] = pattern.group()
        return f"({_anything(known)})"
    return _part(pattern, known, node, known.name)


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


def _part(pattern: Pattern, known: Shape, node: Node | None, path: str) -> str:
    """Write the expression of an element, with groups for what is wanted of it."""
    name, cleared = known.name, CLEARED.format(known.name)
    if node is None:
        return _anything(known)
    if node.whole is not None or known.repeats:
        _collect(pattern, name, node, pattern.group())
        return _run(known)
    start = _attributes(pattern, node, path)
    if known.children:
        below = ((child, node.children.get(NAMESPACE + child.name)) for child in known.children.values())
        content = BLANKS + "".join(_part(pattern, child, inner, f"{path}/{child.name}") for child, inner in below)
        return rf"(?:<{name}(?:{start}(?:>{content}</{name}>|/>)|{cleared}){BLANKS})?{ALL}"
    if node.place is None and path not in pattern.cls.key_paths:
        return rf"(?:<{name}(?:{start}(?:>[^<]*</{name}>|/>)|{cleared}){BLANKS})?{ALL}"
    group = pattern.named[path] = pattern.group()
    if node.place is not None:
        _text(pattern, node.place, group, node.convert)
    # An empty element's text is what follows it, blanks. One without its end tag cannot match: nothing else takes it.
    return rf"(?:<{name}(?:{start}/?>([^<]*{ALL})(?:</{name}>)?|{cleared}){BLANKS})?{ALL}"


def _collect(pattern: Pattern, name: str, node: Node, group: int, *, within: bool = False) -> None:
    """Say what is to be found in a run of repeated elements; `within` them, or they themselves."""
    if node.whole is not None:
        pattern.documents.append((node.whole, group, re.compile(_element(name)) if within else None))
    if node.place is not None:
        text = re.compile(rf"<{name}{ATTRIBUTES}>([^<]*)</")
        pattern.lists.append((node.place, group, node.convert, text))
    for attribute, place, convert, _ in node.attributes:
        value = re.compile(rf'<{name}(?: (?!{attribute}=)[\w.-]+="[^"]*")* {attribute}="([^"]*)"')
        pattern.lists.append((place, group, convert, value))
    for tag, child in node.children.items():
        _collect(pattern, tag.removeprefix(NAMESPACE), child, group, within=True)


def _element(name: str) -> str:
    """Write the expression of an element with whatever is in it."""
    return rf"<{name}{ATTRIBUTES}(?:>[^<]*(?:<(?!/?{name}[\s/>])[^<]*)*{ALL}</{name}>|/>)"


def _anything(known: Shape) -> str:
    """Write the expression of an element, or of a run of them, with whatever is in it."""
    name, cleared = known.name, CLEARED.format(known.name)
    content = rf"[^<]*(?:<(?!/?{name}[\s/>])[^<]*)*{ALL}" if known.children or known.open else "[^<]*"
    quantifier = "*" if known.repeats else "?"
    return rf"(?:<{name}(?:{ATTRIBUTES}(?:>{content}</{name}>|/>)|{cleared}){BLANKS}){quantifier}{ALL}"


def _run(known: Shape) -> str:
    """Write the expression of a run of elements that is taken apart by TOKEN, so that every tag in it is one."""
    name = known.name
    tag = rf"<(?!/?{name}[\s/>])(?:/[A-Za-z_][\w.-]*|[A-Za-z_][\w.-]*{ATTRIBUTES}/?)>[^<]*"
    content = rf"[^<]*(?:{tag})*{ALL}" if known.children else "[^<]*"
    return rf"((?:<{name}{ATTRIBUTES}(?:>{content}</{name}>|/>){BLANKS})*{ALL})"
