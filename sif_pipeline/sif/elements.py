"""Looking at an element of a SIF message: its name, its children of a name, and their texts."""

from typing import Final

from lxml import etree

NAMESPACE: Final = "http://www.sifinfo.org/infrastructure/2.x"
"""Namespace of every SIF 2.x message and object of the US locale."""

SIF: Final = f"{{{NAMESPACE}}}"
"""What lxml puts before the name of an element of that namespace."""


def local(element: etree._Element) -> str:
    """Give an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def local_name(name: object) -> str:
    """Give the name of an attribute, as lxml has it, without its namespace."""
    return str(name).rpartition("}")[2]


def child(parent: etree._Element | None, name: str) -> etree._Element | None:
    """Give the first child of a name in SIF's namespace; None where there is none, or no parent."""
    return next(parent.iterchildren(SIF + name), None) if parent is not None else None


def text(parent: etree._Element | None, name: str) -> str | None:
    """Read a child's text as an xs:token: white space collapsed; None when absent or empty."""
    found = child(parent, name)
    return " ".join((found.text or "").split()) or None if found is not None else None


def texts(parent: etree._Element, name: str) -> tuple[str, ...]:
    """Read the texts of all children of a name, each as an xs:token; empty ones too."""
    return tuple(" ".join((found.text or "").split()) for found in parent.iterchildren(SIF + name))
