"""Being a SIF agent: the other end of a zone, for joining one that a district runs, and for tests."""

from sif_pipeline.agent.agent import Agent
from sif_pipeline.agent.answers import Answer, Delivered
from sif_pipeline.agent.client import Line, ZoneRefuses, ZoneSilent
from sif_pipeline.agent.kit import PLAIN, Kit

__all__ = ["PLAIN", "Agent", "Answer", "Delivered", "Kit", "Line", "ZoneRefuses", "ZoneSilent"]
