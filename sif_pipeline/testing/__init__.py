"""For tests of agents and zones: a zone server on a real port, agents that behave as told, kits old and odd.

Everything here talks real HTTP: to a zone that `zone_server` starts, or to any other by its URL. The functions are
context managers and need no test framework; as pytest fixtures they take one line each.
"""

from sif_pipeline.testing.agents import SampleAgent, pulling, pushing
from sif_pipeline.testing.kits import KITS
from sif_pipeline.testing.samples import flawed, key_of, sample_objects
from sif_pipeline.testing.servers import ZoneServer, ZoneUnderTest, zone_server

__all__ = [
    "KITS",
    "SampleAgent",
    "ZoneServer",
    "ZoneUnderTest",
    "flawed",
    "key_of",
    "pulling",
    "pushing",
    "sample_objects",
    "zone_server",
]
