"""How a SIF_Event's Change changes an object: the standard's list semantics on element trees.

Absent means unchanged, `xsi:nil` means cleared, items of a keyed list (ActionList) are set by key and leave with
SIF_Action="Delete", an unkeyed list (List) is replaced whole (SIF 2.7 data model, introduction). Which list is which,
and the order of elements, is read from the schemas.
"""

from copy import deepcopy

from lxml import etree

from sif_pipeline.sif.elements import local
from sif_pipeline.sif.schema import Shape, shape

NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def merged(whole: etree._Element, change: etree._Element) -> etree._Element:
    """Give a new element: the whole object as the change leaves it; neither argument is altered."""
    result = deepcopy(whole)
    result.tail = None
    _merge(result, change, shape(local(whole)))
    return result


def _merge(base: etree._Element, change: etree._Element, known: Shape) -> None:
    for name, value in change.attrib.items():
        base.set(name, value)
    brought: set[str] = set()
    for child in change:
        below = known.children.get(local(child))
        if below is not None and below.keyed_by and not _is_nil(child):
            _merge_list(base, child, known, below)
        elif below is not None and _has_parts(below) and not _is_nil(child):
            _merge_structure(base, child, known, below)
        elif str(child.tag) in brought and (below is None or below.repeats):
            _insert(base, deepcopy(child), known)  # one more of those that take the place of the ones known
        else:
            _replace(base, child, known)
        brought.add(str(child.tag))


def _has_parts(below: Shape) -> bool:
    """Tell a structure, whose elements change one by one, from a value, a list or anything repeated."""
    return bool(below.children) and not below.whole and not below.repeats and not below.open


def _merge_structure(base: etree._Element, child: etree._Element, known: Shape, below: Shape) -> None:
    old = base.find(etree.QName(child))
    if old is None or _is_nil(old):
        _replace(base, child, known)
    else:
        _merge(old, child, below)


def _replace(base: etree._Element, child: etree._Element, known: Shape) -> None:
    """Put a copy of the child where its predecessors stood; an element sent as nil leaves without a successor."""
    for old in base.findall(etree.QName(child)):
        base.remove(old)
    if not _is_nil(child):
        _insert(base, deepcopy(child), known)


def _insert(base: etree._Element, child: etree._Element, known: Shape) -> None:
    """Insert at the place the schema's sequence gives; what the schema does not know goes last."""
    child.tail = None
    rank = _rank(child, known)
    for place, sibling in enumerate(base):
        if _rank(sibling, known) > rank:
            base.insert(place, child)
            return
    base.append(child)


def _rank(element: etree._Element, known: Shape) -> int:
    name = local(element)
    return next((rank for rank, child in enumerate(known.children) if child == name), len(known.children))


def _merge_list(base: etree._Element, sent: etree._Element, known: Shape, below: Shape) -> None:
    """Set and delete items by key; an empty list changes nothing, and one left empty goes; nil ends with an item.

    A list's own attributes (MarkValueInfo/Letter/@IsAccepted) change too, and keep it there when it is left empty.
    """
    held = base.find(etree.QName(sent))
    if held is None:
        held = etree.SubElement(base, sent.tag)
        base.remove(held)
        _insert(base, held, known)
    for name in below.attributes.keys() & sent.attrib.keys():
        held.set(name, sent.attrib[name])
    for item in sent:
        _set_item(held, item, below.keyed_by)
    if len(held) > 0:
        held.attrib.pop(NIL, None)
    elif not _is_nil(held) and not below.attributes.keys() & held.attrib.keys():
        base.remove(held)


def _set_item(held: etree._Element, item: etree._Element, key: tuple[str, ...]) -> None:
    wanted = _key(item, key)
    place = next((i for i, other in enumerate(held) if _key(other, key) == wanted), None)
    if place is not None:
        held.remove(held[place])
    if item.get("SIF_Action") != "Delete":
        new = deepcopy(item)
        new.attrib.pop("SIF_Action", None)
        new.tail = None
        held.insert(len(held) if place is None else place, new)


def _key(item: etree._Element, parts: tuple[str, ...]) -> tuple[str | None, ...]:
    return tuple(_part(item, part) for part in parts)


def _part(item: etree._Element, part: str) -> str | None:
    if part.startswith("@"):
        value = item.get(part[1:])
    else:
        namespace = etree.QName(item).namespace or ""
        value = item.findtext("/".join(f"{{{namespace}}}{step}" for step in part.split("/")))
    return value.strip() if value else None


def _is_nil(element: etree._Element) -> bool:
    return element.get(NIL) in {"true", "1"}
