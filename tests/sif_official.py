"""Every SIF_Ack that a test sees is held against the official SIF 2.6 schema, where that is at hand."""

from functools import cache
from pathlib import Path

from lxml import etree

SCHEMA = Path(__file__).resolve().parents[2] / "shared" / "spec" / "sif-us-2.6" / "SIF_Message.xsd"


@cache
def official() -> etree.XMLSchema | None:
    """Give the schema; None where it is not: it is no part of the project."""
    return etree.XMLSchema(etree.parse(SCHEMA)) if SCHEMA.exists() else None


def hold(ack):
    """Raise AssertionError for a SIF_Ack that is not valid; what it carries for another agent is left out."""
    root = etree.fromstring(ack)
    if official() is None or not len(root) or not root[0].tag.endswith("}SIF_Ack"):
        return
    for data in list(root[0].iter("{*}SIF_Data")):
        if data.find("{*}SIF_Message") is not None:
            data.getparent().remove(data)
    official().assertValid(root)
