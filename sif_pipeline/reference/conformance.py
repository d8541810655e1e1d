"""The script of a conformance run, from the code that judges it."""

from sif_pipeline.conformance.script import STEPS
from sif_pipeline.reference.markdown import page, table


def conformance_page() -> str:
    """Write the page of steps: what an agent must show, by which clause of the standard, and how."""
    lines = [(s.title, "yes" if s.is_needed else "", s.clause, s.todo) for s in STEPS]
    return page(
        "Conformance",
        "What `sif-pipeline conformance` looks for in a sandbox. It judges what the zone recorded, in any order. A "
        "clause is a message, element or code set of the SIF 2.x Infrastructure specification.",
        table(("Step", "Needed", "Clause", "To do"), lines),
    )
