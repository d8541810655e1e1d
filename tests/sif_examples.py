"""The objects' examples as texts in the common spelling: one line, SIF's namespace as the default, no comments."""

import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from sif_pipeline.sif.elements import NAMESPACE
from warehouse.base import objects

EXAMPLES = Path(__file__).parent / "examples"


def plain(element: etree._Element) -> str:
    """Spell an element without the namespaces that its message declares."""
    text = etree.tostring(element, encoding="unicode", with_tail=False)
    return re.sub(r' xmlns(:xsi)?="[^"]*"', "", text)


def texts(kind: str = "*") -> Iterator[tuple[str, str]]:
    """Yield name and text of every example, or of those in the folders of one kind: `valid`, `invalid`."""
    tags = [f"{{{NAMESPACE}}}{name}" for name in objects()]
    for path in sorted(EXAMPLES.glob(f"*/{kind}/*.xml")):
        root = etree.parse(path, etree.XMLParser(remove_blank_text=True, remove_comments=True)).getroot()
        if (found := next(root.iter(*tags), None)) is not None:
            yield etree.QName(found).localname, plain(found)
