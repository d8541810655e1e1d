"""The reporting views, as their SQL files state them."""

import re
from dataclasses import dataclass
from pathlib import Path

from sif_pipeline.database import REPORTING_FILES
from sif_pipeline.reference.markdown import code, page, table
from warehouse.base import objects


@dataclass(frozen=True, slots=True)
class View:
    """A reporting view as its SQL file states it."""

    name: str
    grain: str  #: the comment at the head of the file
    columns: tuple[tuple[str, str], ...]  #: name and type


def views() -> list[View]:
    """Read the reporting views from warehouse/reporting/*.sql, by name."""
    return [_view(file) for file in sorted(REPORTING_FILES.glob("*.sql"))]


def _view(file: Path) -> View:
    text = file.read_text(encoding="utf-8")
    head = re.match(r"(?:--[^\n]*\n)*", text)
    grain = " ".join(line.removeprefix("--").strip() for line in (head[0] if head else "").splitlines())
    result = re.search(
        rf"FUNCTION\s+reporting\.{file.stem}_as_of\b.*?RETURNS\s+TABLE\s*\((.*?)\)\s*LANGUAGE", text, re.DOTALL
    )
    lines = [part.split(None, 1) for part in re.split(r",(?![^(]*\))", result[1])] if result else []
    return View(file.stem, grain, tuple((name, type_.strip()) for name, type_ in lines))


def views_page() -> str:
    """Write the page of reporting views."""
    parts = []
    for view in views():
        parts.append(f"## {view.name}\n\n{view.grain}")
        if view.name.startswith("rpt_"):
            parts.append(f"Command: `sif-pipeline report {view.name.removeprefix('rpt_')}`")
        parts.append(table(("Column", "Type"), [(code(name), type_) for name, type_ in view.columns]))
    versions = "\n".join(f"- `reporting.{cls.__tablename__}_versions`" for cls in objects().values())
    return page(
        "Reporting views",
        "Schema `reporting`. `dim_` says who or where, `fct_` what happened, `rpt_` is a finished report. Each is a "
        "view of now, and a function of the same name with `_as_of` that takes a recorded time: "
        "`SELECT * FROM reporting.dim_school_as_of('2026-10-01')`.",
        *parts,
        "## Versions of every object",
        "One row per version of an object: the columns of its table without `document` and `content_hash`, and "
        "`recorded_to`, which is empty for the version that holds now; `held_until` is infinity then, so that "
        "`recorded_from <= day AND held_until > day` finds the versions of a day, by an index.",
        versions,
    )
