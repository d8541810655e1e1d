"""What lasts is told when it begins, rarely while it lasts, and when it is over."""

import pytest

from sif_pipeline.zone import troubles


@pytest.fixture
def clock(monkeypatch):
    """Give a clock that a test moves."""
    now = [1000.0]
    monkeypatch.setattr(troubles.time, "monotonic", lambda: now[0])
    return now


def test_it_is_told_when_it_begins_rarely_and_when_it_is_over(clock):
    known, told = troubles.Troubles(), []
    for second in range(0, 3 * 3600, 5):
        clock[0] = 1000.0 + second
        if known.is_news("SIS"):
            told.append(second)
    assert told == [0, 3600, 7200]
    assert [known.is_over("SIS") for _ in range(3)] == [True, False, False]


def test_what_comes_and_goes_is_told_once_a_minute(clock):
    known, told = troubles.Troubles(), []
    for second in range(180):
        clock[0] = 1000.0 + second
        told += [(second, word) for word, does in (("bad", known.is_news), ("good", known.is_over)) if does("SIS")]
    assert told == [(0, "bad"), (0, "good"), (60, "bad"), (60, "good"), (120, "bad"), (120, "good")]


def test_each_has_its_own():
    known = troubles.Troubles()
    assert [known.is_news(trouble) for trouble in ("SIS", "LIBRARY", "SIS")] == [True, True, False]
    assert [known.is_over(trouble) for trouble in ("LIBRARY", "KITCHEN", "SIS")] == [True, False, True]
