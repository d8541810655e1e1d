"""The time left: told from the pace of late, and only once there is one."""

from collections import deque
from types import SimpleNamespace

import pytest

from sif_pipeline.cli import terminal


def left(*reached, total=1000):
    return terminal.seconds_left(deque(reached), total)


def test_nothing_is_said_before_the_pace_is_known():
    assert left() is None
    assert left((100.0, 10)) is None
    assert left((100.0, 10), (104.0, 90)) is None
    assert left((100.0, 10), (140.0, 10)) is None


def test_what_came_before_the_first_of_it_does_not_count():
    """However long the schemas took, 80 bytes in 8 seconds are 10 in one."""
    assert left((100.0, 20), (104.0, 60), (108.0, 100)) == pytest.approx(90)


def test_the_pace_is_that_of_late():
    """What was skipped, because it was there already, went fast; it is forgotten after a while."""
    skipped = [(n / 10, n * 10) for n in range(50)]
    slow = [(5.0 + n, 500 + n) for n in range(200)]
    assert left(*skipped, *slow) == pytest.approx(1000 - 699, rel=0.05)


def test_moments_long_gone_are_let_go_of():
    reached = deque()
    for second in range(10_000):
        reached.append((float(second), second + 1))
        assert terminal.seconds_left(reached, 20_000) == (None if second < terminal.SOON else 20_000 - second - 1)
    assert len(reached) <= terminal.LATELY + 2


def test_a_bar_tells_it(monkeypatch):
    shown, moments = [], iter((100.0, 120.0))
    monkeypatch.setattr(terminal, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    with terminal.progress("Loading") as bar:
        bar.to = lambda *words: shown.append(words[2])
        bar.bytes(0, 100 << 20)
        bar.bytes(1 << 20, 100 << 20)
        bar.bytes(11 << 20, 100 << 20)
    assert shown[:2] == ["0 of 100 MiB", "1 of 100 MiB"]
    assert shown[2] == "11 of 100 MiB, about 3 min left"
