"""What a declaration in an XSD says: its type, the types that one extends, and what may stand in it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from lxml import etree

XS: Final = "{http://www.w3.org/2001/XMLSchema}"

Types = Mapping[str, etree._Element]  # noqa: SLF001 -- lxml has no other name for its elements
"""The types of a schema by their names, without prefix."""


def local(reference: str) -> str:
    """Give a type's name without the prefix of SIF."""
    return reference.removeprefix("sif:")


def type_of(declared: etree._Element, types: Types) -> etree._Element | None:
    """Find the type of an element, an attribute, an extension or a restriction; None for one of XML Schema's own."""
    inner = next((part for part in declared if part.tag in {XS + "complexType", XS + "simpleType"}), None)
    named = declared.get("type") or declared.get("base") or ""
    return types.get(local(named)) if inner is None else inner


def layers(type_: etree._Element | None, types: Types) -> Iterator[etree._Element]:
    """Yield a complex type and those it extends, the most general first; nothing for a simple type."""
    if type_ is None or type_.tag != XS + "complexType":
        return
    if (extension := type_.find(f"*/{XS}extension")) is not None:
        yield from layers(type_of(extension, types), types)
    yield type_


def elements(of: Iterable[etree._Element]) -> list[etree._Element]:
    """Give the elements that types declare, in the order in which they stand."""
    return [element for layer in of for element in layer.iterfind(f"{XS}sequence/{XS}element")]


def attributes(of: Iterable[etree._Element]) -> list[etree._Element]:
    """Give the attributes that types declare."""
    paths = (XS + "attribute", f"*/*/{XS}attribute")
    return [attribute for layer in of for path in paths for attribute in layer.iterfind(path)]


def is_open(of: Iterable[etree._Element]) -> bool:
    """Tell whether types let anything at all stand in their element."""
    return any(layer.find(f"{XS}sequence/{XS}any") is not None for layer in of)
