"""Markdown: pages, tables, code."""

import re
from collections.abc import Sequence

MADE = "<!-- Written by `sif-pipeline generate`; change what it describes, not this page. -->"


def page(title: str, *parts: str) -> str:
    """Write a page; parts that are empty are left out."""
    return "\n\n".join([f"# {title}", MADE, *(part for part in parts if part)]) + "\n"


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Write a table."""
    rows = [header, ["---"] * len(header), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def code(text: str) -> str:
    """Mark text as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def paragraphs(text: str | None) -> str:
    """Undo the line breaks of a docstring; paragraphs stay."""
    return "\n\n".join(" ".join(part.split()) for part in re.split(r"\n\s*\n", text or "") if part.strip())
