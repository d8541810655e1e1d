"""The SIF_Errors a zone answers with, read from the code that raises them: category, code, and the sentences."""

import ast
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Final, NamedTuple

import sif_pipeline
from sif_pipeline.reference.markdown import page, table
from sif_pipeline.sif.naming import errors

SOURCES: Final = ("sif", "zone")
"""Where a SIF_Error is made that answers a message or a request, below the package."""

CATEGORIES: Final = {
    1: "XML", 3: "authentication", 4: "access", 5: "registration", 6: "provision", 7: "subscription", 8: "request",
    9: "event", 10: "transport", 12: "message", 13: "message blocking", 14: "zone service",
}  # fmt: skip
"""Our short words for the categories of the standard."""


class Answered(NamedTuple):
    """One SIF_Error that the code can answer with."""

    category: int
    code: int
    sentence: str  #: SIF_Desc, with ... for what is filled in


def answered() -> list[Answered]:
    """Collect what the sources can answer with, by category and code."""
    root = Path(sif_pipeline.__file__).parent
    files = [file for source in SOURCES for file in sorted((root / source).rglob("*.py")) or [root / source]]
    return sorted({found for file in files for found in _in(ast.parse(file.read_text(encoding="utf-8")))})


def _in(tree: ast.Module) -> Iterator[Answered]:
    constants = _constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refused" and len(node.args) == len(_PARTS):
            category, code = map(_numbers, node.args[:2])
            yield from (Answered(*pair, _sentence(node.args[2], constants)) for pair in product(category, code))


_PARTS = ("category", "code", "sentence")


def _constants(tree: ast.Module) -> dict[str, str]:
    """Collect the texts that have a name in a module."""
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _numbers(node: ast.expr) -> list[int]:
    """Read a number, or the two that `7 if ... else 6` may give; of what is neither, nothing."""
    if isinstance(node, ast.IfExp):
        return [*_numbers(node.body), *_numbers(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, int) else []


def _sentence(node: ast.expr, constants: Mapping[str, str]) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_filled(part) for part in node.values)
    if isinstance(node, ast.Name):
        return constants.get(node.id, "...")
    return str(node.value) if isinstance(node, ast.Constant) else "..."


def _filled(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "..."


def errors_page() -> str:
    """Write the list of what the zone answers with."""
    found = answered()
    pairs = sorted({(error.category, error.code) for error in found})
    lines = [
        [f"{pair[0]}/{pair[1]}", CATEGORIES[pair[0]], "<br>".join(e.sentence for e in found if e[:2] == pair)]
        for pair in pairs
    ]
    return page(
        "Errors",
        "Every SIF_Error the zone answers a message with, or ends a request with: SIF_Category/SIF_Code of the "
        "standard, and what SIF_Desc says. Where ... stands, a number, a name of ours or the standard's name of an "
        "object is filled in; nothing else of the message ever is.",
        "A message that is answered with a SIF_Error was not taken in; sent again, it gets the same answer until what "
        "the sentence names has changed. Two are about the moment: 10/1 of a suspended zone, and 8/4 of an object that "
        "nobody provides yet.",
        table(("SIF", "About", "What is wrong, and what to do"), lines),
        "## What agents answer",
        "The standard's words for every SIF_Error. An agent that answers a request of the state with one ends it; "
        "`sif-pipeline request list` shows these words. The agent's own SIF_Desc may hold anything, and is not shown.",
        table(("SIF", "Means"), [(f"{category}/{code}", words) for (category, code), words in errors().items()]),
    )
