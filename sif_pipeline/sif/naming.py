"""Naming objects and errors in a sentence that leaves us: by the standard's words, and never by a sender's own.

An ObjectName is what a sender wrote. One of the standard's is nobody's secret; any other may hold anything.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

MOST: Final = 10
"""Objects that one sentence names; a SIF_Desc has 1,024 characters."""


is_object_name = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}").fullmatch
"""Match what an object can be called, by the standard or by a sender."""


@cache
def of_the_standard() -> frozenset[str]:
    """Give the names of the objects of SIF US 2.0 to 2.7, whether the state collects them or not."""
    with (files("schemas") / "objects.csv").open(encoding="utf-8") as lines:
        return frozenset(line["object"] for line in csv.DictReader(lines))


@cache
def _categories() -> dict[int, str]:
    with (files("schemas") / "codesets" / "InfrastructureErrorCategoryType.csv").open(encoding="utf-8") as lines:
        return {int(line["code"]): line["meaning"] for line in csv.DictReader(lines)}


def category(number: int) -> str:
    """Give the standard's words for a SIF_Category; `Unknown` for one that the standard does not have."""
    return _categories().get(number, _categories()[0])


@cache
def errors() -> dict[tuple[int, int], str]:
    """Give the standard's words for every SIF_Error, by SIF_Category and SIF_Code."""
    with (files("schemas") / "errors.csv").open(encoding="utf-8") as lines:
        return {(int(line["category"]), int(line["code"])): line["meaning"] for line in csv.DictReader(lines)}


def meaning(error: str | None) -> str | None:
    """Give the standard's words for an error such as 8/9; for a generic one, or one of its own, those for its category.

    They take the place of SIF_Desc, which whoever made the error wrote, and which may hold anything.
    """
    if not error:
        return None
    number, code = map(int, error.split("/"))
    words = errors().get((number, code), _GENERIC)
    return category(number) if words == _GENERIC else words


_GENERIC: Final = "Generic error"


def counted(number: int, noun: str) -> str:
    """Say how many of a thing there are: 1 message, 2 messages."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def in_words(names: Iterable[str], listed: Sequence[str] = ()) -> str:
    """Name objects for a sentence; those that the standard does not have only by their place among `listed`."""
    found = dict.fromkeys(names)
    known = [name for name in found if name in of_the_standard()]
    others = [name for name in found if name not in of_the_standard()]
    words = known[:MOST]
    if len(known) > MOST:
        words.append(f"{len(known) - MOST} more")
    if others:
        words.append(_unnamed(others, listed))
    return ", ".join(words)


def _unnamed(others: Sequence[str], listed: Sequence[str]) -> str:
    places = [str(place) for place, name in enumerate(listed, 1) if name in others][:MOST]
    where = f" (at place {', '.join(places)} of its list)" if places else ""
    return f"{counted(len(others), 'object')} that SIF US does not have{where}"
