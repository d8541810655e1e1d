"""Objects too large in any way, by the whole path of gate, inbox, drain and status: answered, and never quadratic."""

import time

import pytest
import sif_text as sif
from sif_zone import SOURCE, District, register

from sif_pipeline import status
from sif_pipeline.loading import drain
from sif_pipeline.loading.drain import Limits
from sif_pipeline.reading import core
from sif_pipeline.sif import gate

ZONE = "District-0101"


@pytest.fixture
def district(module_database_url):
    district = District(module_database_url)
    assert district.send(register()) == 0
    return district


def extended(number):
    items = "".join(f'<SIF_ExtendedElement Name="e{n}">x</SIF_ExtendedElement>' for n in range(number))
    return f"<SIF_ExtendedElements>{items}</SIF_ExtendedElements>"


def emails(number):
    return "<EmailList>" + '<Email Type="Primary">a</Email>' * number + "</EmailList>"


def attributes(number):
    many = " ".join(f'a{n}="1"' for n in range(number))
    return sif.student().replace("<Name ", f"<Name {many} ")


def namespaces(number):
    many = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(number))
    return sif.student(more=f"<a {many}/>")


REFUSED = {
    "40,000 attributes": attributes,
    "40,000 nested elements": lambda n: sif.student(more="<a>" * n + "</a>" * n),
    "40,000 namespaces": namespaces,
}
TOO_LARGE = {
    "40,000 repeated children": lambda n: sif.student(more=emails(n)),
    "40,000 unknown children": lambda n: sif.student(more="<N/>" * n),
    "40,000 misplaced children": lambda n: sif.student(more="<LocalId>1</LocalId>" * n),
    "40,000 extended elements": lambda n: sif.student(more=extended(n)),
}
LONG = {
    "in an element": lambda n: sif.student(first="x" * n),
    "in an identifier": lambda n: sif.student(local="y" * n),
    "in an extended element": lambda n: sif.student(more=extended(1).replace(">x<", f">{'z' * n}<")),
    "of many words": lambda n: sif.student(first="x " * (n // 2)),
    "of references": lambda n: sif.student(first="&amp;" * (n // 5)),
}
MANY = 40_000


def sent(text, *others):
    return sif.response(*others[:1], text, *others[1:], at=sif.minute(1), source=SOURCE)


def drained(district):
    with sif.connected(district.url) as connection:
        while drain.drain_batch(connection, Limits()) is not None:
            pass
    outcomes = "SELECT outcome FROM inbox.object_event JOIN inbox.zone USING (zone_id) ORDER BY message_id, position"
    return [outcome for (outcome,) in district.rows(outcomes)]


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_no_parser_should_keep_is_refused_and_not_stored(district, text):
    assert district.send(sent(text(MANY))) == (12, 1)
    assert drained(district) == []
    (zone,) = status.zones(district.url)
    assert zone.pending == zone.held == zone.rejected == zone.quarantined == 0


@pytest.mark.parametrize("text", TOO_LARGE.values(), ids=TOO_LARGE)
def test_what_is_too_large_to_judge_is_rejected_with_a_finding_and_its_neighbours_are_loaded(district, text):
    assert district.send(sent(text(MANY), sif.lea(), sif.school())) == 0
    assert drained(district) == ["applied", "rejected", "applied"]
    (zone,) = status.zones(district.url)
    assert (zone.objects_rejected, zone.quarantined) == (1, 0)
    (found,) = status.findings(district.url, ZONE)
    assert (found.code, found.object_name, found.times) == ("object_too_large", "StudentPersonal", 1)
    assert found.remedy.startswith("Ask the SIS vendor")


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_very_long_text_is_a_text(district, text):
    assert district.send(sent(text(6_000_000), sif.lea(), sif.school())) == 0
    assert drained(district) == ["applied"] * 3
    assert status.findings(district.url, ZONE) == []
    assert district.send(sent(text(9_000_000))) == (12, 1)


def seconds(text):
    """Measure the CPU time of gate and reading."""
    body = sent(text)
    started = time.process_time()
    try:
        gate.open_message(body, core.LIMITS)
        core.read(body)
    except gate.Refused:
        pass
    return time.process_time() - started


MANY_OBJECTS = {
    "objects with five findings": lambda n: "".join(sif.student(f"s{i}", more="<N/>" * 5) for i in range(n // 32)),
    "empty objects": lambda n: "<StudentPersonal/>" * (n // 16),
    "unknown objects": lambda n: "<a/>" * n,
    "sound objects": lambda n: "".join(sif.student(f"s{i}") for i in range(n // 4)),
}


@pytest.mark.parametrize("text", [*REFUSED.values(), *TOO_LARGE.values(), *LONG.values(), *MANY_OBJECTS.values()],
                         ids=[*REFUSED, *TOO_LARGE, *LONG, *MANY_OBJECTS])  # fmt: skip
def test_eight_times_as_much_takes_nothing_like_eight_times_eight_times_as_long(text):
    seconds(text(100))  # schemas and patterns are compiled once
    once, eight = (min(seconds(text(n)) for _ in range(2)) for n in (MANY // 8, MANY))
    assert eight < 24 * max(once, 0.02)
