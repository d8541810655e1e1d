"""Sample objects: synthetic, valid against the schema, and ways to make them invalid."""

import re
from itertools import islice

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
    """Give an object an element that no schema has, at the end of it: a finding, and never loaded."""
    name = re.match(rb"<(\w+)", xml)
    closing = b"</%s>" % (name[1] if name else b"")
    return xml.removesuffix(closing) + b"<NotOfThisStandard>1</NotOfThisStandard>" + closing
