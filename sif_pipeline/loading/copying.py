"""Lines of COPY: rows as texts, spelled for many at once, with separators that no XML has."""

from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import TypeVar

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Composed, Literal

T = TypeVar("T")

Line = tuple[str | None, ...]
"""What COPY takes: the texts of a row's cells, in PostgreSQL's input form."""


@lru_cache(maxsize=1024)
def spelled(at: datetime) -> str:
    """Spell a point in time as PostgreSQL takes it; a batch has few."""
    return at.isoformat()


LINES_AT_ONCE = 200
"""Lines of COPY whose text is made together: megabytes in one piece are fetched from the system each time, and given
back, which takes four times as long as to write them."""


def copy_lines(cursor: Cursor[TupleRow], statement: Composed, lines: Iterable[Line]) -> None:
    """Write lines by a COPY statement `FROM_LINES`."""
    copy_by(cursor, statement, lines, copy_text)


def copy_by(
    cursor: Cursor[TupleRow], statement: Composed, things: Iterable[T], spell: Callable[[list[T]], bytes]
) -> None:
    """Write things by a COPY statement, so many at a time as `spell` should put into one text."""
    rest = iter(things)
    with cursor.copy(statement) as copy:
        while some := list(islice(rest, LINES_AT_ONCE)):
            copy.write(spell(some))


NULL, CELL, LINE = "\x1d", "\x1e", "\x1f"
"""Stand for no value, end of cell and, until the text is escaped, end of line: XML 1.0 has no such characters, so no
value does."""

FROM_LINES = SQL("FROM STDIN (NULL {}, DELIMITER {})").format(Literal(NULL), Literal(CELL))
"""How COPY is told of them."""


def copy_text(lines: Iterable[Line]) -> bytes:
    """Spell lines of texts in the text format of COPY, in UTF-8; escaping all at once is what makes it quick."""
    cells = [CELL.join([NULL if cell is None else cell for cell in line]) for line in lines]
    # As bytes: one letter beyond Latin-1 makes every character of a Python text two or four bytes wide.
    raw = LINE.join(cells).encode()
    raw = raw.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return raw.replace(LINE.encode(), b"\n") + b"\n" * bool(cells)
