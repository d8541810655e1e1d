"""The edge of the program, where an exception becomes a sentence: never with the words of a library.

psycopg, SQLAlchemy, lxml and Python itself put the offending value into their messages, and the value may be a
student's. What leaves here is the kind of the exception, its SQLSTATE, and where in our code it happened.
"""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc

from sif_pipeline.config import PROJECT
from sif_pipeline.exceptions import DatabaseBehind, DatabaseFull, DatabaseUnreachable, Defect, SifPipelineError

NO_SPACE = frozenset({"53100", "53200", "58030"})
"""SQLSTATEs of a server that is out of disk or memory, or whose disk fails."""

NOT_THERE = frozenset({"42P01", "42703", "3F000", "42883"})
"""SQLSTATEs of a table, column, schema or function that is not there."""


@contextmanager
def without_values() -> Iterator[None]:
    """Let through our own exceptions, and turn any other into one whose text holds no value from the data."""
    try:
        yield
    except (SifPipelineError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 -- the point of a boundary
        raise _translated(error) from None


def _translated(error: Exception) -> SifPipelineError:
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) and error.orig else error
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate in NO_SPACE:
        return DatabaseFull()
    if sqlstate in NOT_THERE:
        return DatabaseBehind()
    if isinstance(cause, psycopg.OperationalError):
        return DatabaseUnreachable()
    kind = f"{type(cause).__name__} {sqlstate}" if sqlstate else type(cause).__name__
    return Defect(f"{kind} at {_where(error)}. {Defect.__doc__}")


def _where(error: Exception) -> str:
    """Name the frames of our own code, innermost last; frames hold names and lines, no values."""
    ours = [
        f"{frame.filename.removeprefix(f'{PROJECT}/')}:{frame.lineno} {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename.startswith(str(PROJECT)) and "site-packages" not in frame.filename
    ]
    return " < ".join(reversed(ours[-6:])) or "an unknown place"
