"""Sample objects: synthetic, valid against the schema, and ways to make them invalid."""

import re
from copy import deepcopy
from itertools import islice

from lxml import etree

from sif_pipeline.sif.gate import open_message
from sif_pipeline.synth.state import districts


def sample_objects(object_name: str, count: int = 1, *, seed: int = 1) -> list[bytes]:
    """Give up to `count` different objects of one kind as SIF XML; the same seed gives the same ones.

    Raise KeyError for an object that the synthetic state does not have.
    """
    (district,) = districts(1, max(40, count), seed, varied=False)
    return [found.xml for found in islice(district.objects([object_name]), count)]


def key_of(xml: bytes) -> bytes:
    """Cut an object down to its RefId, as a Delete carries it."""
    found = re.match(rb'<(\w+)[^>]*? (RefId="[^"]*")', xml)
    if found is None:
        raise ValueError("The object has no RefId.")
    return b"<%s %s/>" % found.groups()


def flawed(xml: bytes) -> bytes:
    """Repeat an object's first element at its end, where it does not belong: a finding, and never loaded."""
    root = open_message(xml)
    root.append(deepcopy(root[0]))
    return etree.tostring(root)
