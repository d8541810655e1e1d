"""What lasts, told to the log when it begins, rarely while it lasts, and when it is over: not at every try."""

import math
import time
from collections.abc import Hashable
from typing import Final

RARELY: Final = 3600.0
"""Seconds between two lines about the same trouble that lasts."""

AGAIN: Final = 60.0
"""Seconds after which it is told that a trouble is back: one that comes and goes is not told each time."""


class Troubles:
    """Which troubles are known to last, and when each was last told of."""

    def __init__(self, rarely: float = RARELY, again: float = AGAIN) -> None:
        self.rarely, self.again = rarely, again
        self.told: dict[Hashable, float] = {}
        self.lasting: set[Hashable] = set()

    def is_news(self, trouble: Hashable) -> bool:
        """Note that there is trouble, and say whether to tell of it."""
        now = time.monotonic()
        pause = self.rarely if trouble in self.lasting else self.again
        if now - self.told.get(trouble, -math.inf) < pause:
            return False
        self.told[trouble] = now
        self.lasting.add(trouble)
        return True

    def is_over(self, trouble: Hashable) -> bool:
        """Note that there is no trouble, and say whether to tell that it is over: only where it was told of."""
        if trouble not in self.lasting:
            return False
        self.lasting.remove(trouble)
        return True
