"""A synthetic state: districts, schools, students and staff that never existed, as SIF messages.

The same seed gives the same bytes. Start with `districts`, `write` (files) or `play` (HTTP).
"""

from sif_pipeline.synth.agent import Line, play, send
from sif_pipeline.synth.flaws import FLAWS, Fate, Flaw
from sif_pipeline.synth.folder import write
from sif_pipeline.synth.state import District, Expected, districts, expectations

__all__ = [
    "FLAWS",
    "District",
    "Expected",
    "Fate",
    "Flaw",
    "Line",
    "districts",
    "expectations",
    "play",
    "send",
    "write",
]
