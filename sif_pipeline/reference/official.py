"""Where our schemas judge otherwise than the official ones, and why."""

import csv
from dataclasses import dataclass
from importlib.resources import files

from sif_pipeline.reference.markdown import page, table


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which our judgement differs on purpose; a line of schemas/differences.csv."""

    judges: tuple[str, ...]  #: releases of the official schema, or `definitions`: the standard's tables of elements
    where: str  #: an object, or the path of an element; `*` is any object
    case: str  #: what was done to a valid object, or what the definitions say of the element
    ours: str
    why: str


def explained_differences() -> list[Difference]:
    """Read the differences that are known and wanted."""
    text = (files("schemas") / "differences.csv").read_text(encoding="utf-8")
    return [
        Difference(tuple(row["judge"].split()), row["where"], row["case"], row["ours"], row["why"])
        for row in csv.DictReader(text.splitlines())
    ]


def official_page() -> str:
    """Write the page of differences to the official schemas."""
    found = explained_differences()
    judged = [
        [", ".join(line.judges), line.where, line.case, line.ours, line.why]
        for line in found
        if "definitions" not in line.judges
    ]
    stated = [[line.where, line.case, line.ours, line.why] for line in found if "definitions" in line.judges]
    return page(
        "Differences to the official schemas",
        "The schemas in `schemas/sif-2.7` are written from the definitions of SIF US 2.7. Three judges compare them "
        "with the standard, in `tests/contract/test_schema_judges.py`, for every object both know. The official XSD of "
        "2.6, which leaves every element optional, judges the sparse and the key profile; that of 2.2, which asks for "
        "the mandatory ones, judges the whole profile, as does the column of mandatory elements in the definitions. "
        "The test makes random objects that the official schema accepts, spoils each in every way it knows, and "
        "compares the verdicts; and it compares which elements and attributes an object may have at all. A difference "
        "that is not listed here fails the test.",
        "## Objects judged otherwise",
        table(("Judge", "Object", "What was done to a valid object", "Ours", "Why"), judged),
        "## Elements declared otherwise",
        table(("Element", "The definitions", "Ours", "Why"), stated),
        "A Change, a Delete and an object as a whole are judged by different profiles; "
        "[schemas](../../schemas/README.md) says what each asks for.",
    )
