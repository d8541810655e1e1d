"""The first load leaves the warehouse as receiving and draining the same files would, however it was interrupted."""

import json
import re

import pytest
import sif_events
import sif_text as sif
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sif_pipeline import bulk, drain, files, splitting
from sif_pipeline.drain import Limits
from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.replay import replay

NS = f'xmlns="{sif.NAMESPACE}" xmlns:xsi="{sif.XSI}"'


@pytest.fixture(scope="module")
def url(module_database_url):
    return module_database_url


@pytest.fixture(scope="module")
def connection(url):
    with sif.connected(url) as connection:
        yield connection


def drained(connection, url, paths):
    """Receive files into a new zone and drain it."""
    zone = sif.Inbox.new(connection)
    files.receive(url, zone.name, paths)
    while drain.drain_batch(connection, Limits()) is not None:
        pass
    return zone


def loaded(connection, url, paths):
    """Load files into a new zone at once."""
    zone = sif.Inbox.new(connection)
    return zone, bulk.load_zone(url, zone.zone_id, paths)


def timeless(zone):
    """Give everything of a zone with the places of times among its messages instead of the times."""
    rows = zone.everything()
    moments = sorted({at for lines in rows.values() for line in lines for at in MOMENT.findall(line)})
    recorded = [json.loads(line)["recorded_at"] for line in rows["inbox.message"]]
    places = {at: str(place) for place, at in enumerate(sorted(recorded))}
    assert set(recorded) <= set(moments)
    return {
        table: sorted(MOMENT.sub(lambda found: places.get(found[0], found[0]), line) for line in lines)
        for table, lines in rows.items()
    }


MOMENT = re.compile(r"(?<=\")\d{4}-\d\d-\d\dT[\d:.]+\+00:00(?=\")")


def students(count):
    return [sif.student(f"student {number}", str(number)) for number in range(count)]


def bare(*objects, between="\n"):
    return f"<Objects {NS}>{between}{between.join(objects)}{between}</Objects>".encode()


@pytest.fixture
def small_pieces(monkeypatch):
    """Cut as if messages had to be tiny: what takes megabytes otherwise takes a few lines."""
    monkeypatch.setattr(files, "WHOLE_BYTES", 100)
    monkeypatch.setattr(splitting, "BLOCK", 1024)
    monkeypatch.setattr(splitting, "MOST_OBJECTS", 3)
    monkeypatch.setattr(bulk, "UNIT_BYTES", 2500)


BAD = (
    sif.student("bad", more="<Nonsense/>"), sif.student("student 1").replace("<LocalId>1</LocalId>", ""),
    "<Unheard RefId='00000000000000000000000000000001'><X/></Unheard>", sif.student("student 2", "2", first="Other"),
    sif.student("student 2", "2"), sif.school("S"), sif.student("&amp;", first="&lt;&#x41;"),
    sif.student("none").replace(f'RefId="{sif.ref("none")}"', ""),
    sif.student("student 3", more="<SIF_ExtendedElements><SIF_ExtendedElement Name='a'>1</SIF_ExtendedElement>"
                "</SIF_ExtendedElements>"),
    sif.enrollment("E", "A", "S"), sif.enrollment("F", "student 1", "S"), sif.student("A"), sif.school("T", of="L"),
    sif.lea("L"), sif.enrollment("E", "A", "T"), sif.school("T", name="South"), sif.school("T", of="nobody"),
)  # fmt: skip


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.sampled_from([*BAD, *students(4)]), min_size=1, max_size=14), st.integers(1, 5), st.sampled_from("\n ")
)
def test_any_list_ends_as_if_it_had_been_received_and_drained(
    url, connection, tmp_path_factory, objects, most, between
):
    path = tmp_path_factory.mktemp("list") / "a.xml"
    path.write_bytes(bare(*objects, between=between))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(files, "WHOLE_BYTES", 10)
        patched.setattr(splitting, "MOST_OBJECTS", most)
        patched.setattr(bulk, "UNIT_BYTES", 1500)
        zone = drained(connection, url, [path])
        other, done = loaded(connection, url, [path])
    assert timeless(other) == timeless(zone)
    assert done.summary.objects == len(objects)
    assert done.summary.loaded + done.summary.held + done.summary.rejected <= len(objects)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(sif_events.messages(10), st.integers(1, 12), st.randoms())
def test_any_messages_end_as_if_they_had_been_received_and_drained(
    url, connection, tmp_path_factory, names, unit, random
):
    folder = tmp_path_factory.mktemp("messages")
    for number, place in enumerate(random.sample(range(len(names)), len(names))):
        (folder / f"{number:03}.xml").write_bytes(sif_events.body(names[place], sif.minute(place)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bulk, "UNIT_MESSAGES", unit)
        paths = list(files.below(folder))
        zone = drained(connection, url, paths)
        other, _ = loaded(connection, url, paths)
    assert timeless(other) == timeless(zone)
    before = other.everything()
    replay(url, other.name)
    assert other.everything() == before
