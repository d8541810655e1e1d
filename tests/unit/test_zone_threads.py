"""What grows with a message's size is done in a thread where the message is large, and only there."""

import asyncio
import gzip
import threading

import pytest

from sif_pipeline.zone import server
from sif_pipeline.zone.threads import THREAD_FROM, off_the_loop

TAKES_GZIP = {"headers": [(b"accept-encoding", b"gzip")]}


@pytest.mark.parametrize(("size", "is_apart"), [(THREAD_FROM - 1, False), (THREAD_FROM, True)])
def test_only_what_is_large_leaves_the_loop(size, is_apart):
    thread = asyncio.run(off_the_loop(size, threading.get_ident))
    assert (thread != threading.get_ident()) is is_apart


def test_what_the_work_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        asyncio.run(off_the_loop(THREAD_FROM, divmod, 1, 0))


@pytest.mark.parametrize(("size", "is_apart"), [(server.PACKED_FROM, False), (8 << 20, True)])
def test_a_large_answer_is_compressed_off_the_loop(monkeypatch, size, is_apart):
    compress, threads = gzip.compress, []

    def noted(*args, **named):
        threads.append(threading.get_ident())
        return compress(*args, **named)

    monkeypatch.setattr(gzip, "compress", noted)
    answer = asyncio.run(server._packed(TAKES_GZIP, server.Answer(200, b"x" * size)))
    assert gzip.decompress(answer.body) == b"x" * size
    assert [thread != threading.get_ident() for thread in threads] == [is_apart]
