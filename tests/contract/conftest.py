"""What the contracts of the quick ways are held against: synthetic objects of every kind."""

import pytest

from sif_pipeline.synth import districts
from warehouse.base import objects


@pytest.fixture(scope="session")
def synthetic():
    """Give name and text of objects of two synthetic districts, some flawed, at most two hundred of each kind."""
    found = {}
    for district in districts(2, 600, 7, bad=0.2):
        for sent in district.adds():
            found.setdefault(sent.object.name, []).append(sent.object.xml.decode())
    return [(name, text) for name, texts in found.items() if name in objects() for text in texts[:200]]
