"""However much is wrong, so many findings are listed, the rest is counted exactly, and every way in says the same."""

import random
from collections import Counter

import pyarrow.parquet as pq
import pytest
import sif_text as sif

from sif_pipeline import notices, status
from sif_pipeline.files import parquet, receiving, validation
from sif_pipeline.loading import bulk, drain
from sif_pipeline.loading.drain import Limits
from sif_pipeline.notices import MESSAGE_CAPPED, MOST_IN_OBJECT, OBJECT_CAPPED

WRONG = "<N1/><N2/><N3/><N4/><Migrant>Perhaps</Migrant>"
"""Five findings: four warnings and an error."""

FAR = "12026-09-01"
"""A date to the schema, and none to the warehouse."""


def kept(zone):
    """Give code, path and number of every finding kept."""
    return Counter(zone.all("SELECT code, path, times FROM inbox.notice WHERE zone_id = %(zone)s"))


def times(found, *codes):
    return {code: sum(times * lines for (c, _, times), lines in found.items() if c == code) for code in codes}


def lines(found, *codes):
    return {code: sum(lines for (c, *_), lines in found.items() if c == code) for code in codes}


def test_a_packet_of_100_000_errors(url, zone):
    objects = [sif.student(f"student {n}", more=WRONG) for n in range(20_000)]
    zone.put(sif.response(*objects, sif.student("sound"), at=sif.minute(1)))
    zone.drain()
    most, codes = notices.MOST_IN_MESSAGE, ("element_unknown", "value_not_in_code_set", MESSAGE_CAPPED)
    assert sum(lines(kept(zone), *codes).values()) == sum(kept(zone).values()) == most + 1
    assert times(kept(zone), *codes) == {codes[0]: most * 4 // 5, codes[1]: most // 5, codes[2]: 100_000 - most}
    assert zone.one("SELECT objects, held, rejected FROM inbox.message WHERE zone_id = %(zone)s") == (20_001, 0, 20_000)
    assert set(zone.documents()) == {sif.ref("sound")}
    assert status.findings(url, zone.name)[0].times == 100_000 - most


def test_a_drain_that_thinks_for_long_tells_the_database_that_it_lives(url, connection, zone, monkeypatch):
    """Or the session would be ended as that of a process that stopped, and the message never be loaded."""
    monkeypatch.setattr(drain, "BEAT_SECONDS", 0.0)
    spoken = []
    execute = connection.execute
    monkeypatch.setattr(connection, "execute", lambda *said, **how: spoken.append(said[0]) or execute(*said, **how))
    zone.put(sif.response(*(sif.student(f"student {n}", more=WRONG) for n in range(50)), at=sif.minute(1)))
    with connection.transaction():
        claimed = drain.claim(connection, [zone.zone_id], Limits())
        spoken.clear()
        drain.load(connection, claimed)
    assert spoken.count("SELECT") >= 100  # while it reads, and while it folds
    assert zone.outcomes() == ["rejected"] * 50


def test_an_object_of_many_errors_within_its_size(zone):
    zone.put(sif.response(sif.student("A", more="<N/>" * 4000), sif.student("B"), at=sif.minute(1)))
    zone.drain()
    assert lines(kept(zone), "element_unknown") == {"element_unknown": MOST_IN_OBJECT}
    assert times(kept(zone), OBJECT_CAPPED) == {OBJECT_CAPPED: 4000 - MOST_IN_OBJECT}
    assert zone.outcomes() == ["applied", "applied"]


@pytest.mark.parametrize(
    "text", ["<Migrant>Perhaps</Migrant>" * 100_000, "<N/>" * 100_000], ids=["errors", "unknown elements"]
)
def test_an_object_of_100_000_errors_is_refused_for_its_size_and_its_neighbour_is_not(zone, text):
    zone.put(sif.response(sif.student("A", more=text), sif.student("B"), at=sif.minute(1)))
    zone.drain()
    assert kept(zone) == {("object_too_large", "StudentPersonal", 1): 1}
    assert zone.outcomes() == ["rejected", "applied"]


def test_100_000_objects_of_an_unknown_kind(zone):
    zone.put(sif.response(*(["<a/>"] * 100_000), at=sif.minute(1)))
    zone.drain()
    most = notices.MOST_IN_MESSAGE
    assert kept(zone) == {("object_name_unknown", "a", 1): most, (MESSAGE_CAPPED, "a", 100_000 - most): 1}
    counts = zone.one("SELECT objects, held, rejected FROM inbox.message WHERE zone_id = %(zone)s")
    assert counts == (100_000, 0, 100_000)


def test_who_waits_is_always_said(zone, monkeypatch):
    monkeypatch.setattr(notices, "MOST_IN_MESSAGE", 3)
    zone.put(sif.response(*(sif.enrollment(f"E{n}", of=f"nobody {n}") for n in range(9)), at=sif.minute(1)))
    zone.drain()
    assert lines(kept(zone), "parent_missing", MESSAGE_CAPPED) == {"parent_missing": 9, MESSAGE_CAPPED: 0}


def test_the_count_closes_with_the_object_at_which_the_list_ends(zone, monkeypatch):
    monkeypatch.setattr(notices, "MOST_IN_MESSAGE", 7)
    zone.put(sif.response(*(sif.student(f"student {n}", more=WRONG) for n in range(4)), at=sif.minute(1)))
    zone.drain()
    opened = "SELECT code, times, position FROM inbox.notice WHERE zone_id = %(zone)s AND resolved_at IS NULL"
    assert (MESSAGE_CAPPED, 13, 2) in zone.all(opened)
    zone.put(sif.response(sif.student("student 1"), at=sif.minute(2)))
    zone.drain()
    assert {position for *_, position in zone.all(opened)} == {1}


def file_of_all_kinds(seed):
    some = random.Random(seed)
    kinds = (
        lambda n: sif.student(f"student {n}", more=WRONG),
        lambda n: sif.student(f"student {n}", more="<N/>" * 130),
        lambda n: sif.student(f"student {n}", more="<N/>"),
        lambda n: sif.student(f"student {n}"),
        lambda n: sif.enrollment(f"enrollment {n}", entry=FAR, more=f"<ExitDate>{FAR}</ExitDate>"),
        lambda n: f"<Unheard RefId='{sif.ref(str(n))}'/>",
        lambda n: sif.lea(f"lea {n}").replace(sif.ref(f"lea {n}"), "1"),
    )
    objects = [some.choice(kinds)(n) for n in range(60)]
    head = f'<Objects xmlns="{sif.NAMESPACE}" xmlns:xsi="{sif.XSI}">'
    return "\n".join([head, sif.lea(), sif.school(), sif.student(), *objects, "</Objects>"])


@pytest.mark.parametrize("most", [0, 1, 10, 100, 10_000])
def test_every_way_in_says_the_same(url, connection, tmp_path, monkeypatch, most):
    monkeypatch.setattr(notices, "MOST_IN_MESSAGE", most)
    path = tmp_path / "a.xml"
    path.write_text(file_of_all_kinds(most))
    zone, other = sif.Inbox.new(connection), sif.Inbox.new(connection)
    receiving.receive(url, zone.name, [path])
    drained(zone)
    bulk.load_zone(url, other.zone_id, [path])
    assert kept(other) == kept(zone)
    said = list(validation.validate([path]))
    assert Counter((one.type.code, one.path, one.times) for one in said) == kept(zone)
    parquet.write([path], tmp_path / "out")
    table = pq.read_table(tmp_path / "out/findings/a.parquet").to_pylist()
    assert Counter((row["code"], row["path"], row["times"]) for row in table) == kept(zone)
    assert sorted(row["line"] for row in table) == sorted(one.line for one in said)
    everything = zone.everything()
    assert sum(times(kept(zone), MESSAGE_CAPPED).values()) > 0 or most > 1000
    bulk_rows = other.rows("sif", "student_personal")
    assert len(bulk_rows) == len(zone.rows("sif", "student_personal")) == table_rows(tmp_path)
    assert everything["inbox.notice"]


def with_attributes(number):
    return sif.student().replace("<Name ", "<Name " + " ".join(f'a{n}="1"' for n in range(number)) + " ")


BEYOND = {
    "attributes": (with_attributes(80), {"element_unknown"}),
    "far more attributes": (with_attributes(6_000), {"object_too_large"}),
    "depth": (sif.student(more="<a>" * 100 + "</a>" * 100), {"element_unknown"}),
    "depth that no parser follows": (sif.student(more="<a>" * 300 + "</a>" * 300), {"message_unreadable"}),
    "no XML": (sif.student().replace("</Name>", "</Nam>"), {"message_unreadable"}),
}


@pytest.mark.parametrize(("text", "codes"), BEYOND.values(), ids=BEYOND)
def test_every_way_in_says_the_same_of_what_http_would_refuse(url, connection, tmp_path, text, codes):
    """An object of a list that can be read after all is loaded, and nobody is told that it cannot."""
    path = tmp_path / "a.xml"
    head = f'<Objects xmlns="{sif.NAMESPACE}" xmlns:xsi="{sif.XSI}">'
    path.write_text(f"{head}\n{sif.lea()}\n{text}\n{sif.school()}\n</Objects>")
    zone, other = sif.Inbox.new(connection), sif.Inbox.new(connection)
    received = receiving.receive(url, zone.name, [path])
    drained(zone)
    loaded = bulk.load_zone(url, other.zone_id, [path])
    is_lost = not codes <= {"element_unknown"}
    assert (bool(received.broken), bool(loaded.refused)) == (is_lost, is_lost)
    assert kept(other) == kept(zone)
    assert {code for code, *_ in kept(zone)} == codes
    assert len(zone.rows("sif", "student_personal")) == (not is_lost)
    said = list(validation.validate([path]))
    assert Counter((one.type.code, one.path, one.times) for one in said) == kept(zone)
    assert {one.line for one in said} == {3}


@pytest.mark.parametrize("between", ["", "\n", "\n\n"])
def test_lines_are_those_of_the_file_on_both_sides_of_an_object_that_cannot_be_read(tmp_path, between):
    path = tmp_path / "a.xml"
    flawed = [sif.student(f"student {n}", more="<N/>") for n in range(4)]
    objects = "\n".join([*flawed[:2], "<StudentPersonal><LocalId>&</LocalId></StudentPersonal>", *flawed[2:]])
    path.write_text(f'<Objects xmlns="{sif.NAMESPACE}" xmlns:xsi="{sif.XSI}">{between}{objects}</Objects>')
    first = 1 + len(between)
    found = [(one.line, one.type.code) for one in validation.validate([path])]
    assert found == [
        *((first + n, "element_unknown") for n in (0, 1)),
        (first + 2, "message_unreadable"),
        *((first + n, "element_unknown") for n in (3, 4)),
    ]


def table_rows(folder):
    return pq.read_table(folder / "out/student_personal/a.parquet").num_rows


def drained(zone):
    while drain.drain_batch(zone.connection, Limits()) is not None:
        pass
