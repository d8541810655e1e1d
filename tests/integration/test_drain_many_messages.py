"""Events of one object that lie in many messages: a late or released one is folded without reading them all again."""

import pytest
import sif_text as sif

from sif_pipeline.loading import drain
from sif_pipeline.loading.drain import Limits
from sif_pipeline.reading import content

NIGHTS = range(40)
WORDS = tuple("ABCDE")


@pytest.fixture
def connection(database_url):
    with sif.connected(database_url) as connection:
        yield connection


@pytest.fixture
def bodies_read(monkeypatch):
    """Count the messages that are read a second time."""
    read: list[bytes] = []
    of_message = content.of_message

    def counted(body):
        read.append(body)
        return of_message(body)

    monkeypatch.setattr(content, "of_message", counted)
    return read


def night(number, first="Ada"):
    return sif.response(*(sif.student(word, first=f"{first}{number}") for word in WORDS), at=sif.minute(number))


def drain_all(connection):
    while drain.drain_batch(connection, Limits(messages=1)) is not None:
        pass


def test_a_late_packet_reads_the_messages_around_it_only(connection, bodies_read):
    zone = sif.Inbox.new(connection)
    zone.put(*(night(2 * number) for number in NIGHTS))
    drain_all(connection)
    before = zone.documents()
    zone.put(night(2 * 20 + 1, first="Late"))
    drain_all(connection)
    assert zone.documents() == before
    assert len(bodies_read) <= 2


def test_what_is_unfit_is_forgotten_once_a_whole_image_follows(connection, bodies_read):
    zone = sif.Inbox.new(connection)
    beyond = "<Demographics><BirthDate>12012-01-01</BirthDate></Demographics>"
    zone.put(sif.response(*(sif.student(word, more=beyond) for word in WORDS), at=sif.minute(0)))
    zone.put(*(night(number) for number in NIGHTS if number))
    drain_all(connection)
    assert len(zone.documents()) == len(WORDS)
    assert len(bodies_read) <= 1


def test_a_release_reads_every_message_once(connection, bodies_read):
    zone = sif.Inbox.new(connection)
    zone.put(sif.response(*(sif.student(word) for word in WORDS), at=sif.minute(0)))
    for number in NIGHTS:
        spells = (sif.enrollment(f"E{word}", of=word, at="S", entry=f"2026-09-{1 + number % 28:02d}") for word in WORDS)
        zone.put(sif.response(*spells, at=sif.minute(1 + number)))
    drain_all(connection)
    bodies_read.clear()
    zone.put(sif.event("Add", sif.school("S"), at=sif.minute(100)))
    drain_all(connection)
    assert len(zone.documents()) == 2 * len(WORDS) + 1
    assert len(bodies_read) == len(NIGHTS)
