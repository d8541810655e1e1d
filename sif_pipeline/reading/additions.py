"""What a district may add to the standard: declared extended elements and state codes, and which of them do not fit.

Such a value never keeps an object out. It stays in the document and in `extended`, with a finding; the typed column of
the view of versions is empty, as the functions of `sql/readings.sql` read it.
"""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Final

import orjson

from sif_pipeline.notices import Notice
from sif_pipeline.reading import mapping
from sif_pipeline.reading.content import Content
from sif_pipeline.sif.elements import SIF
from warehouse.base import Derived, Extended, OtherCode, SifObject, elements

Fits = Callable[[str], bool]

EXTENDED: Final = "SIF_ExtendedElements"

MISSPELLED, UNLISTED = "extended_value_malformed", "state_code_unknown"
"""A value is not of the declared type; a code is not in the state's code set."""


@dataclass(slots=True)
class _Expected:
    """What is expected of one object's additions."""

    extended: dict[str, tuple[Fits, str]] = field(default_factory=dict)  #: by Name: test, and code of its finding
    codes: list[tuple[int, str, str, frozenset[str]]] = field(default_factory=list)
    """Place of the column in the row, path of the OtherCodes, Codeset, and the codes it has."""


def findings(content: Content) -> list[Notice]:
    """Say which additions of an object do not fit what is declared of them."""
    expected = _expected(content.cls)
    if expected is None or (content.image is not None and _is_fit(expected, content)):
        return []
    return [*_of_extended(expected, content), *_of_codes(expected, content)]


def _is_fit(expected: _Expected, content: Content) -> bool:
    """Tell from an object's row that all of its additions fit, without its tree."""
    cells, said = content.row[0], content.extended
    if said and expected.extended and not _all_fit(content.cls, said):
        return False
    return all((cell := cells[place]) in {None, "[]"} or _all_listed(content.cls, place, str(cell))
               for place, *_ in expected.codes)  # fmt: skip


@lru_cache(maxsize=20_000)
def _all_fit(cls: type[SifObject], said: str) -> bool:
    expected = _expected(cls)
    assert expected is not None  # noqa: S101 -- it was asked for
    values = orjson.loads(said)
    return all(_is_good(fits, values.get(name)) for name, (fits, _) in expected.extended.items())


def _is_good(fits: Fits, value: Any) -> bool:
    return not isinstance(value, dict) and (not value or not value.strip() or fits(value))


@lru_cache(maxsize=20_000)
def _all_listed(cls: type[SifObject], place: int, cell: str) -> bool:
    expected = _expected(cls)
    assert expected is not None  # noqa: S101 -- it was asked for
    wanted = {codeset: codes for at, _, codeset, codes in expected.codes if at == place}
    items = (item for item in orjson.loads(cell) if isinstance(item, dict))
    return all(_is_listed(wanted.get(str(item.get("@Codeset"))), item.get("$")) for item in items)


def _is_listed(codes: frozenset[str] | None, text: str | None) -> bool:
    return codes is None or not text or not text.strip() or text.strip() in codes


def _of_extended(expected: _Expected, content: Content) -> Iterator[Notice]:
    for item in content.element.iterfind(f"{SIF}{EXTENDED}/*") if expected.extended else ():
        name = item.get("Name", "")
        if name not in expected.extended:
            continue
        fits, code = expected.extended[name]
        if len(item) or not _is_good(fits, item.text):
            yield Notice(code, f"{content.cls.sif_name}/{EXTENDED}/{name}", item.sourceline or 0)


def _of_codes(expected: _Expected, content: Content) -> Iterator[Notice]:
    for _, path, codeset, codes in expected.codes:
        steps = "/".join(SIF + step for step in path.split("/"))
        for item in content.element.iterfind(steps):
            if item.get("Codeset") == codeset and not _is_listed(codes, item.text):
                yield Notice(UNLISTED, f"{content.cls.sif_name}/{path}", item.sourceline or 0)


@cache
def _expected(cls: type[SifObject]) -> _Expected | None:
    """Read what is declared of an object's additions; None where there is nothing to hold them against."""
    expected = _Expected()
    for derived in getattr(cls, "derived", {}).values():
        codes = _codes(derived)
        if isinstance(derived, OtherCode) and codes is not None:
            expected.codes.append((*_place(cls, derived.column), derived.codeset, codes))
        elif isinstance(derived, Extended) and codes is not None:
            expected.extended[derived.name] = _one_of(codes), UNLISTED
        elif isinstance(derived, Extended) and derived.type in _FORMS:
            expected.extended[derived.name] = _FORMS[derived.type], MISSPELLED
    return expected if expected.extended or expected.codes else None


def _place(cls: type[SifObject], column: str) -> tuple[int, str]:
    """Give the place of a column in an object's row and its path."""
    (path,) = [line.path for declared, line in elements(cls) if declared.name == column]
    return mapping.plan(cls).columns.index(column), path


def _codes(derived: Derived) -> frozenset[str] | None:
    """Read the state's code set; None where there is none, or it is known in part only."""
    if derived.codes is None or derived.excerpt:
        return None
    text = (files("schemas") / "massachusetts" / f"{derived.codes}.csv").read_text(encoding="utf-8")
    return frozenset(row["code"] for row in csv.DictReader(text.splitlines()))


def _one_of(codes: frozenset[str]) -> Fits:
    return lambda text: text.strip() in codes


_BLANK = " \t\r\n"
_INTEGER = re.compile(r"[+-]?[0-9]{1,9}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")


def is_integer(text: str) -> bool:
    """Tell what `reporting.as_integer` reads."""
    return _INTEGER.fullmatch(text.strip(_BLANK)) is not None


def is_number(text: str) -> bool:
    """Tell what `reporting.as_numeric` reads."""
    return _NUMBER.fullmatch(text.strip(_BLANK)) is not None


def is_date(text: str) -> bool:
    """Tell what `reporting.as_date` reads."""
    found = _DATE.fullmatch(text.strip(_BLANK))
    try:
        return found is not None and bool(date.fromisoformat(found[1]))
    except ValueError:
        return False


_FORMS: Final[dict[type, Fits]] = {int: is_integer, Decimal: is_number, date: is_date}
