"""Releases of SIF 2.x: which are read, which are written, and which a SIF_Version with its wildcards lets in."""

import re
from collections.abc import Iterable
from typing import Final

NEWEST_ACK: Final = "2.6"
"""Version of an ack to what could not be read: OpenADK, the most common agent kit, knows none above."""

SPOKEN: Final = ("2.0", "2.0r1", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "2.7", "2.8")
"""Releases of SIF 2.x that this zone writes and announces, oldest first."""

is_release = re.compile(r"2\.[0-8](r[0-9]{1,2})?").fullmatch
"""Match a SIF_Message/@Version that this zone reads: a release, or any revision of one."""


def speaks(versions: Iterable[str], version: str) -> bool:
    """Tell whether a release is among SIF_Versions with wildcards (standard, SIF_Register: `*`, `2.*`, `2.0r*`)."""
    return any(_matches(pattern, version) for pattern in versions)


def _matches(pattern: str, version: str) -> bool:
    minor, wildcard, _ = pattern.partition("r*")
    if wildcard:
        return version == minor or version.startswith(f"{minor}r")
    return pattern in ("*", version) or (pattern.endswith(".*") and version.startswith(pattern[:-1]))


def spoken_with(versions: Iterable[str]) -> str | None:
    """Choose the release to write in to who registered these versions; None when there is none.

    The highest that it names. A wildcard promises more than its kit may know: by it alone, none above `NEWEST_ACK`.
    """
    patterns = tuple(versions)
    known = releases(patterns)
    return max((v for v in known if v in patterns or v <= NEWEST_ACK), default=None)


def releases(versions: Iterable[str]) -> list[str]:
    """Give the releases of SIF 2.x that SIF_Versions let in: those that are `SPOKEN`, and any revision that is named.

    A revision corrects a release and changes no message of it: 2.7r1 is read and written as 2.0r1 is.
    """
    patterns = tuple(versions)
    return [*(v for v in SPOKEN if speaks(patterns, v)), *(v for v in patterns if is_release(v))]
