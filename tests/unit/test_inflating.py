"""gzip is undone piece by piece, within bounds, whole or not at all."""

import gzip
import random

import pytest

from sif_pipeline.zone.inflating import PIECE, Inflater, NotGzip, TooLarge, inflated

PLAIN = random.Random(1).randbytes(50_000) + b" " * 200_000
PACKED = gzip.compress(PLAIN)


def test_what_was_packed_comes_back_however_it_was_cut():
    for size in (1, 7, 1000, len(PACKED)):
        inflater = Inflater()
        parts = (PACKED[start : start + size] for start in range(0, len(PACKED), size))
        pieces = [piece for part in parts for piece in inflater.pieces(part)]
        inflater.end()
        assert b"".join(pieces) == PLAIN
        assert max(map(len, pieces)) <= PIECE


def test_a_piece_is_made_when_it_is_asked_for():
    bomb = gzip.compress(bytes(100_000_000))
    pieces = Inflater().pieces(bomb)
    assert [len(next(pieces)) for _ in range(3)] == [PIECE] * 3


@pytest.mark.parametrize("most", [len(PLAIN), len(PLAIN) + 1])
def test_the_bound_is_what_it_may_have(most):
    assert inflated(PACKED, most) == PLAIN
    with pytest.raises(TooLarge):
        inflated(PACKED, len(PLAIN) - 1)


BROKEN = {
    "nothing": b"",
    "no gzip": b"plain",
    "without its last byte": PACKED[:-1],
    "without its end": PACKED[:30],
    "with a byte more": PACKED + b"x",
    "twice": PACKED + PACKED,
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_whole_or_not_at_all(broken):
    with pytest.raises(NotGzip):
        inflated(broken, 1_000_000)
