"""Run a report of the reporting schema, now or as of a recorded time, and write it as a table, CSV or JSON."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.sql import SQL, Identifier

from sif_pipeline.database import REPORTING_FILES, connect
from sif_pipeline.exceptions import ConfigurationError, UnknownReport
from warehouse.base import REPORTING

PREFIX = "rpt_"

GRADES = ("PK", "KG", *(f"{grade:02d}" for grade in range(1, 13)), "PG", "UN", "Other", "Unknown")
"""Grade codes of the standard, in the order of schooling."""


@dataclass(frozen=True, slots=True)
class Report:
    """The answer of a report."""

    columns: tuple[str, ...]
    lines: list[tuple[Any, ...]]


def names() -> dict[str, str]:
    """Give the reports by name with the first comment of their SQL: grain and purpose."""
    found = {}
    for file in sorted(REPORTING_FILES.glob(f"{PREFIX}*.sql")):
        lines = takewhile(lambda line: line.startswith("-- "), file.read_text(encoding="utf-8").splitlines())
        found[file.stem.removeprefix(PREFIX)] = " ".join(line.removeprefix("-- ") for line in lines)
    return found


def run(url: str, name: str, as_of: datetime | None, timezone: ZoneInfo) -> Report:
    """Run a report; raise UnknownReport. `as_of` is a recorded time, None means now."""
    name = name.removeprefix(PREFIX)
    if name not in names():
        raise UnknownReport(f"There is no report {name!r}; there are: {', '.join(names())}.")
    statement = SQL("SELECT * FROM {}(%(as_of)s)").format(Identifier(REPORTING, f"{PREFIX}{name}_as_of"))
    with connect(url, {"timezone": timezone.key, "application_name": "sif-report"}) as connection:
        cursor = connection.execute(statement, {"as_of": as_of})
        return Report(tuple(column.name for column in cursor.description or ()), cursor.fetchall())


def as_of_moment(text: str, timezone: ZoneInfo) -> datetime:
    """Read when a question is asked of: a date means the end of that day, since it includes what came in on it."""
    at = moment(text, timezone)
    return at + timedelta(days=1, microseconds=-1) if len(text) == len("2026-10-01") else at


def moment(text: str, timezone: ZoneInfo) -> datetime:
    """Read a date (its first moment, in the state's time zone) or an ISO date-time.

    Raise ConfigurationError for neither.
    """
    try:
        if len(text) == len("2026-10-01"):
            return datetime.combine(date.fromisoformat(text), time(), timezone)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError("A point in time is written 2026-10-01 or 2026-10-01T08:00:00-04:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=timezone)


def as_csv(report: Report) -> str:
    """Write a report as CSV with a header line; times as in JSON, what a list holds between blanks.

    A text that a spreadsheet would take for a formula, since it starts with = + - @, a tab or a carriage return, gets
    an apostrophe before it (OWASP ASVS 5.0, 1.2.10): names and codes are the districts' words. Numbers stay numbers.
    """
    return "".join(_csv_line(line) for line in (report.columns, *report.lines))


def _csv_line(cells: Sequence[Any]) -> str:
    out = io.StringIO()
    written = [_unformulated(_listed(cell)) for cell in cells]
    csv.writer(out).writerow(written)  # with \r\n, so that it quotes either in a cell
    return out.getvalue().removesuffix("\r\n") + "\n"


def _unformulated(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else value


def _listed(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return " ".join(map(str, value)) if isinstance(value, list) else value


def as_json(report: Report) -> str:
    """Write a report as a JSON list of objects; numbers stay numbers, lists lists, and times have T and offset."""
    return json_text([dict(zip(report.columns, line, strict=True)) for line in report.lines])


def json_text(value: object) -> str:
    """Write a value of a report, or what holds some, as JSON."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=1)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def is_number(values: Sequence[Any]) -> bool:
    """Tell whether a column holds numbers, which stand to the right in a table."""
    return all(isinstance(v, int | float | Decimal | None) and not isinstance(v, bool) for v in values)
