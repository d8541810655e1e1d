"""Let a message in and give its envelope: libxml2 sees all of it but objects in which it could find nothing more.

expat sees every byte. What it lets through and `gate.open_message` refuses is known: elements nested too deep, too many
attributes, names and texts beyond libxml2's bounds, and what `xml:id` and declared namespaces say. An object that is
short, has few `<` and `=` and neither `xml:` nor `xmlns` has none of these. For such objects libxml2 gets one empty
element of each name, so that the envelope still says what is in the message.
"""

import re
from typing import Final

from lxml import etree

from sif_pipeline.sif import cutting, gate
from sif_pipeline.sif.gate import Limits, Refused

LONGEST: Final = 32 * 1024
"""Bytes of an object that is left out: below the 50,000 of the longest name that libxml2 takes."""


def open_envelope(data: bytes, limits: Limits | None = None) -> etree._Element:
    """Let the bytes of one message in, or refuse them, as `gate.open_message` does; raise Refused.

    Give its tree, in which objects of a SIF_Response or a bare list may be missing, but for one of each name.
    """
    limits = limits or Limits()
    document = gate.look(data, limits)
    envelope = _without_objects(document, limits)
    if envelope is not None:
        try:
            return gate.build(envelope, limits)
        except Refused:
            pass  # what is wrong, and on which line, is said of the whole
    return gate.build(document, limits)


def _without_objects(document: bytes, limits: Limits) -> bytes | None:
    """Leave out of a message what libxml2 need not see; None where that is not certain."""
    found = cutting.runs(document)
    if found is None or _RESERVED.search(document, len(found.head), len(document) - len(found.tail)):
        return None
    open_there = found.head.count(b"<") - 2 * found.head.count(b"</")
    most_tags = 2 * (limits.depth - open_there)
    kept = list[bytes]()
    for name, objects in found.runs:
        doubtful = [
            one
            for one in objects
            if len(one) > LONGEST or one.count(b"<") >= most_tags or one.count(b"=") > limits.attributes
        ]
        kept += [b"<%b/>" % name, *(b"%b</%b>" % (one, name) for one in doubtful)]
    return b"".join((found.head, *kept, found.tail))


_RESERVED = re.compile(rb"xml(?:ns|:)")
