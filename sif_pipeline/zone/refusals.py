"""Refused connections, told to the log at most once a second for each reason: a flood must not fill the disk."""

import logging
import math
import time
from collections import Counter
from typing import Final

log = logging.getLogger(__name__)

SECONDS: Final = 1.0
"""Between two lines about the same reason."""

_untold: Counter[tuple[str, str]] = Counter()
_told: dict[tuple[str, str], float] = {}


def tell(event: str, reason: str) -> None:
    """Log that a connection was refused, with how many were since the last such line; `reason` holds no value."""
    kind = event, reason
    _untold[kind] += 1
    now = time.monotonic()
    if now - _told.get(kind, -math.inf) >= SECONDS:
        log.info(event, extra={"facts": {"reason": reason, "connections": _untold.pop(kind)}})
        _told[kind] = now
