"""Work that grows with a message's size, kept off the event loop where the message is large."""

import asyncio
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

THREAD_FROM: Final = 64 * 1024
"""Bytes of a message from which work on it is done in a thread, so that short ones need not wait for it."""

P = ParamSpec("P")
T = TypeVar("T")


async def off_the_loop(size: int, act: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Do what takes time by the `size` of a message, in bytes: of a large one in a thread, of a short one here.

    Raise whatever `act` raises.
    """
    return await asyncio.to_thread(act, *args, **named) if size >= THREAD_FROM else act(*args, **named)
