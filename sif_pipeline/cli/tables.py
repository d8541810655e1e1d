"""Tables on a terminal, of any width: no word is broken, and every moment has its offset."""

import os
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sif_pipeline import reports
from sif_pipeline.config import Settings

IDENTIFIERS = frozenset({"number", "sync_id", "message_id"})
"""Columns whose numbers name something: written as they are typed, without commas."""

COPIED = frozenset({"zone", "agent", "sender"})
"""Columns of names, which one copies: not broken at a blank either."""

WIDE = 160
"""Letters in a line where there is no terminal to ask."""


def print_table(title: str, columns: Sequence[str], lines: Sequence[Sequence[Any]]) -> None:
    """Print a table, numbers to the right; where it would have to break words, every line as a list of its cells."""
    texts = [[spelled(column, cell) for column, cell in zip(columns, line, strict=True)] for line in lines]
    right = [bool(lines) and reports.is_number([line[place] for line in lines]) for place in range(len(columns))]
    if (table := _table(title, columns, texts, right)) is not None:
        _console().print(table)
    else:
        _print_lists(title, columns, texts)
    if not lines:
        typer.echo("Nothing to show.")


def print_one(title: str, lines: Sequence[tuple[str, Any]]) -> None:
    """Print one thing, a line for each thing that is said of it, in a table where that breaks no word."""
    told = [(name, spelled(name, value)) for name, value in lines]
    if (table := _table(title, ("what", "value"), told, (False, False))) is not None:
        _console().print(table)
    else:
        _print_lists(title, [name for name, _ in told], [[value for _, value in told]])


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDE)


def _table(title: str, columns: Sequence[str], texts: Sequence[Sequence[str]], right: Sequence[bool]) -> Table | None:
    """Make a table, a tight one if it must be; None where even that would break a word."""
    needs = [_needs(column, [line[place] for line in texts]) for place, column in enumerate(columns)]
    for padding in (1, 0):
        widths = _shared_out(_console().width - 1 - len(columns) * (1 + 2 * padding), needs)
        if widths is not None:
            table = Table(title=title or None, title_justify="left", header_style="bold", padding=(0, padding))
            for column, width, is_right in zip(columns, widths, right, strict=True):
                table.add_column(_heading(column), justify="right" if is_right else "left", width=width)
            for line in texts:
                table.add_row(*map(Text, line))
            return table
    return None


def _heading(column: str) -> str:
    return column.replace("_", " ")


def _needs(column: str, texts: Sequence[str]) -> tuple[int, int]:
    """Tell how wide a column must be so that no word is broken, and how wide so that no line is."""
    held = [_heading(column), *texts]
    most = max(cell_len(line) for text in held for line in text.split("\n"))
    return most if column in COPIED else max(cell_len(word) for text in held for word in text.split() or [""]), most


def _shared_out(room: int, needs: Sequence[tuple[int, int]]) -> list[int] | None:
    """Give each column its least and share out what is left, the modest first; None where that is not to be had."""
    widths = [least for least, _ in needs]
    left = room - sum(widths)
    if left < 0:
        return None
    modest_first = sorted(range(len(needs)), key=lambda place: needs[place][1] - needs[place][0])
    for others, place in zip(range(len(needs), 0, -1), modest_first, strict=True):
        more = min(needs[place][1] - needs[place][0], left // others)
        widths[place] += more
        left -= more
    return widths


def _print_lists(title: str, columns: Sequence[str], texts: Sequence[Sequence[str]]) -> None:
    """Print every line as a list of its cells but the empty ones, nothing after a cell: so one copies what is long."""
    names = max(len(column) for column in columns) + 2
    console = _console()
    console.print(Text(title, style="italic"))
    for line in texts:
        for column, text in zip(columns, line, strict=True):
            if not text.strip():
                continue
            room = len(text) if column in COPIED else max(console.width - names, 1)
            first, *more = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
            typer.echo(f"{_heading(column):{names}}{first}")
            for rest in more:
                typer.echo(" " * names + rest)
        typer.echo()


def spelled(column: str, cell: Any) -> str:
    """Write a cell as it is read: what agents say of themselves must not steer the terminal."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return local(cell)
    if isinstance(cell, list):
        return " ".join(spelled(column, one) for one in cell)
    is_count = isinstance(cell, int) and not isinstance(cell, bool) and column not in IDENTIFIERS
    text = f"{cell:,}" if is_count else str(cell)
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)


def local(moment: datetime) -> str:
    """Spell a moment for people: to the second, in the state's time zone, with its offset."""
    return moment.astimezone(Settings.from_environment().timezone).isoformat(" ", "seconds")
