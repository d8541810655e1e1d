"""The first load leaves the warehouse as receiving and draining the same files would, however it was interrupted."""

import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sif_events
import sif_text as sif
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sif_pipeline import status
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.files import parquet, receiving, splitting, validation
from sif_pipeline.loading import bulk, drain, known
from sif_pipeline.loading.drain import Limits
from sif_pipeline.loading.replay import replay

NS = f'xmlns="{sif.NAMESPACE}" xmlns:xsi="{sif.XSI}"'


def drained(connection, url, paths):
    """Receive files into a new zone and drain it."""
    zone = sif.Inbox.new(connection)
    receiving.receive(url, zone.name, paths)
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
    monkeypatch.setattr(receiving, "WHOLE_BYTES", 100)
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
def test_any_list_ends_as_if_it_had_been_received_and_drained(  # noqa: PLR0917 -- fixtures
    url, connection, tmp_path_factory, objects, most, between
):
    path = tmp_path_factory.mktemp("list") / "a.xml"
    path.write_bytes(bare(*objects, between=between))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(receiving, "WHOLE_BYTES", 10)
        patched.setattr(splitting, "MOST_OBJECTS", most)
        patched.setattr(bulk, "UNIT_BYTES", 1500)
        patched.setattr(known, "referred", lambda: frozenset({"LEAInfo", "SchoolInfo", "StudentPersonal"}))
        zone = drained(connection, url, [path])
        other, done = loaded(connection, url, [path])
    assert timeless(other) == timeless(zone)
    assert done.summary.objects == len(objects)
    assert done.summary.loaded + done.summary.held + done.summary.rejected <= len(objects)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(sif_events.messages(10), sif_events.repetitions(10)), st.integers(1, 12), st.randoms())
def test_any_messages_end_as_if_they_had_been_received_and_drained(  # noqa: PLR0917 -- fixtures
    url, connection, tmp_path_factory, names, unit, random
):
    folder = tmp_path_factory.mktemp("messages")
    for number, place in enumerate(random.sample(range(len(names)), len(names))):
        (folder / f"{number:03}.xml").write_bytes(sif_events.body(names[place], sif.minute(place)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bulk, "UNIT_MESSAGES", unit)
        patched.setattr(known, "referred", lambda: frozenset({"LEAInfo", "SchoolInfo", "StudentPersonal"}))
        paths = list(receiving.below(folder))
        zone = drained(connection, url, paths)
        other, _ = loaded(connection, url, paths)
    assert timeless(other) == timeless(zone)
    before = other.everything()
    replay(url, other.name)
    assert other.everything() == before


def test_what_is_loaded_is_known_when_the_first_night_says_it_again(url, connection, tmp_path):
    good = (*students(3), sif.lea("L"), sif.school("S", of="L"), sif.enrollment("E", "student 1", "S"))
    flawed = (sif.student("odd", more="<Shoes>40</Shoes>"), sif.school("T", of="nobody"))
    (tmp_path / "a.xml").write_bytes(bare(*good, *flawed))
    zone, _ = loaded(connection, url, [tmp_path / "a.xml"])
    outcomes = zone.outcomes()
    for minute in (1, 2):
        zone.put(sif.response(*good, at=datetime.now(UTC) + timedelta(minutes=minute)))
        zone.put(*(sif.response(text, at=datetime.now(UTC) + timedelta(minutes=minute)) for text in flawed))
        zone.drain()
    said = zone.all("SELECT objects, unchanged FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id")
    assert said == [(8, 0), *[(6, 6), (1, 0), (1, 0)] * 2]
    assert sorted(zone.outcomes()) == sorted([*outcomes, *["applied", "held"] * 2])


@pytest.fixture
def list_of_nine(tmp_path, small_pieces):
    path = tmp_path / "a.xml"
    path.write_bytes(bare(*students(9)))
    return path


def test_stopped_at_any_message_the_next_run_goes_on_and_loads_nothing_twice(
    url, connection, list_of_nine, monkeypatch
):
    whole, _ = loaded(connection, url, [list_of_nine])
    for reached in (1, 2):
        zone, written = sif.Inbox.new(connection), []
        with monkeypatch.context() as broken:
            broken.setattr(bulk, "UNIT_BYTES", 1)
            broken.setattr(bulk, "_write_plain", _failing_after(reached, bulk._write_plain, written))
            with pytest.raises(KeyboardInterrupt):
                bulk.load_zone(url, zone.zone_id, [list_of_nine])
        assert zone.states() == ["done"] * reached
        done = bulk.load_zone(url, zone.zone_id, [list_of_nine])
        assert (done.held_already, done.summary.messages) == (reached, 3 - reached)
        assert timeless(zone) == timeless(whole)
        again = bulk.load_zone(url, zone.zone_id, [list_of_nine])
        assert (again.held_already, again.summary.objects) == (3, 0)
        assert timeless(zone) == timeless(whole)


def _failing_after(number, function, written):
    def fail(*arguments):
        if len(written) == number:
            raise KeyboardInterrupt
        written.append(arguments)
        return function(*arguments)

    return fail


LOAD = """
import sys
from pathlib import Path
from sif_pipeline.loading import bulk
bulk.load_zone(sys.argv[1], int(sys.argv[2]), [Path(sys.argv[3])])
"""


def test_killed_while_it_loads_the_next_run_ends_as_if_nothing_had_been(url, connection, tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(bare(*students(12_000), between=""))
    zone = sif.Inbox.new(connection)
    worker = subprocess.Popen([sys.executable, "-c", LOAD, url, str(zone.zone_id), str(path)])
    while not zone.states() and worker.poll() is None:
        time.sleep(0.02)
    worker.kill()
    worker.wait()
    done = bulk.load_zone(url, zone.zone_id, [path])
    assert done.held_already >= 1
    assert done.held_already + done.summary.messages == 12
    assert zone.one("SELECT count(*) FROM sif.student_personal WHERE zone_id = %(zone)s") == (12_000,)
    assert zone.one("SELECT count(*) FROM inbox.object_event WHERE zone_id = %(zone)s") == (12_000,)


BULK = """
import sys
from pathlib import Path
from sif_pipeline.loading import bulk
if __name__ == "__main__":
    bulk.load(sys.argv[1], bulk.plan(sys.argv[1], None, [Path(sys.argv[2])], add_zones=True), workers=2)
"""


def test_workers_end_with_the_command_that_is_killed_and_the_next_run_finishes(url, connection, tmp_path):
    names, folder, script = (
        [f"k{sif.msg_id()[-6:]}{number}" for number in range(2)],
        tmp_path / "state",
        tmp_path / "b.py",
    )
    folder.mkdir()
    for name in names:
        (folder / f"{name}.xml").write_bytes(bare(*students(12_000), between=""))
    script.write_text(BULK)
    command = subprocess.Popen([sys.executable, str(script), url, str(folder)])
    ask = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sif-bulk' AND datname = current_database()"
    while connection.execute(ask).fetchone() == (0,) and command.poll() is None:
        time.sleep(0.02)
    workers = children(command.pid)
    command.kill()
    command.wait()
    until = time.monotonic() + 60
    while alive := [pid for pid in workers if Path(f"/proc/{pid}").exists() and time.monotonic() < until]:
        time.sleep(0.05)
    assert len(workers) >= 2
    assert alive == []
    bulk.load(url, bulk.plan(url, None, [folder]))
    rows = connection.execute(
        "SELECT z.name, count(*), count(DISTINCT e.row_key) FROM inbox.object_event AS e JOIN inbox.zone AS z"
        " USING (zone_id) WHERE z.name = ANY(%s) GROUP BY 1 ORDER BY 1", (names,),
    ).fetchall()  # fmt: skip
    assert rows == [(name, 12_000, 12_000) for name in sorted(names)]


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_zone_with_other_messages_is_left_alone_and_receive_is_named(url, connection, list_of_nine):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A"), at=sif.minute(1)))
    before = zone.everything()
    with pytest.raises(ConfigurationError, match="sif-pipeline receive"):
        bulk.load_zone(url, zone.zone_id, [list_of_nine])
    assert zone.everything() == before


def test_a_message_that_comes_twice_is_not_taken_for_one_that_the_zone_holds(url, connection, tmp_path):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A"), at=sif.minute(1)))
    zone.drain()
    before, text = zone.everything(), sif.response(*students(2), at=sif.minute(2))
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).write_bytes(text)
    with pytest.raises(ConfigurationError, match="sif-pipeline receive"):
        bulk.load_zone(url, zone.zone_id, list(receiving.below(tmp_path)))
    assert zone.everything() == before


def test_zones_are_found_by_name_or_code_and_made_when_asked(url, connection, tmp_path, small_pieces):
    names = [f"b{sif.msg_id()[-6:]}{number}" for number in range(3)]
    (tmp_path / names[0]).mkdir()
    (tmp_path / names[0] / "1.xml").write_bytes(sif.response(*students(2), at=sif.minute(1)))
    (tmp_path / f"{names[1]}.xml").write_bytes(bare(*students(5)))
    (tmp_path / f"{names[2]}.xml").write_bytes(bare(sif.lea()))
    (tmp_path / "manifest.jsonl").write_text("{}\n")
    with pytest.raises(UnknownZone, match="--add-zones"):
        bulk.plan(url, None, [tmp_path])
    tasks = bulk.plan(url, None, [tmp_path], add_zones=True)
    assert sorted(task.zone for task in tasks) == names
    seen = []
    done = bulk.load(url, tasks, workers=2, progress=lambda reached, total: seen.append((reached, total)))
    assert (done.files, done.summary.loaded, done.refused) == (3, 8, [])
    assert {total for _, total in seen} == {sum(task.bytes for task in tasks)}
    found = connection.execute(
        "SELECT z.name, count(*) FROM inbox.object_event JOIN inbox.zone AS z USING (zone_id)"
        " WHERE z.name = ANY(%s) GROUP BY 1 ORDER BY 1", (names,),
    ).fetchall()  # fmt: skip
    assert found == [(names[0], 2), (names[1], 5), (names[2], 1)]
    assert bulk.load(url, bulk.plan(url, None, [tmp_path]), workers=2).held_already == done.summary.messages


def test_the_fault_of_one_zone_is_told_by_its_worker(url, connection, tmp_path):
    zones = [sif.Inbox.new(connection) for _ in range(2)]
    zones[0].put(sif.event("Add", sif.student("A"), at=sif.minute(1)))
    path = tmp_path / "a.xml"
    path.write_bytes(bare(*students(2)))
    tasks = [bulk.Task(zone.zone_id, zone.name, [path], 100) for zone in zones]
    with pytest.raises(ConfigurationError, match="first load"):
        bulk.load(url, tasks, workers=2)


def codes(zone):
    return zone.all("SELECT code, path FROM inbox.notice WHERE zone_id = %(zone)s ORDER BY 1, 2")


MANY, SAME = " ".join(f"a{number}='1'" for number in range(40_000)), "a='1' " * 40_000

BROKEN = {
    "a sign that must be escaped": "<StudentPersonal RefId='1'><LocalId>&</LocalId></StudentPersonal>",
    "tags that cross": "<StudentPersonal RefId='1'><Name><LastName></Name></LastName></StudentPersonal>",
    "a prefix of nobody": "<StudentPersonal RefId='1'><x:LocalId/></StudentPersonal>",
    "40,000 attributes": f"<StudentPersonal {MANY}></StudentPersonal>",
    "40,000 of the same": f"<StudentPersonal {SAME}></StudentPersonal>",
    "a list within": f'<StudentPersonal xmlns="{sif.NAMESPACE}"><LEAInfo RefId="2">&</LEAInfo></StudentPersonal>',
    "two lists within": (
        f'<StudentPersonal xmlns="{sif.NAMESPACE}"><LEAInfo RefId="2"><a></b></LEAInfo><LEAInfo RefId="2"/>'
        "</StudentPersonal>"
    ),
    "very deep": f"<StudentPersonal RefId='1'>{'<a>' * 5000}{'</a>' * 5000}</StudentPersonal>",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_the_neighbours_of_an_object_that_cannot_be_read_survive(url, connection, tmp_path, text, small_pieces):
    path = tmp_path / "a.xml"
    path.write_bytes(bare(*students(4), text, *students(9)[4:]))
    started = time.process_time()
    zone, done = loaded(connection, url, [path])
    assert time.process_time() - started < 25
    ((_, why),) = done.refused
    assert "begins at line 6 cannot be read" in why
    assert len(zone.documents()) == 9
    assert sorted(zone.outcomes(), key=str) == ["applied"] * 9 + zone.outcomes()[4:5]
    assert {code for code, _ in codes(zone)} <= {"message_unreadable", "object_too_large", "object_name_unknown"}
    (body,) = zone.one(
        "SELECT m.body FROM inbox.message AS m JOIN inbox.notice USING (message_id) WHERE m.zone_id = %(zone)s LIMIT 1"
    )
    assert text.encode() in bytes(body)
    assert [one.line for one in status.each_finding(url, zone.name)] == [6]
    before = zone.everything()
    replay(url, zone.name)
    assert zone.everything() == before
    assert bulk.load_zone(url, zone.zone_id, [path]).summary.objects == 0
    other = sif.Inbox.new(connection)
    received = receiving.receive(url, other.name, [path])
    assert (received.refused, received.broken) == ([], done.refused)
    while drain.drain_batch(connection, Limits()) is not None:
        pass
    assert timeless(other) == timeless(zone)
    assert [one.line for one in status.each_finding(url, other.name)] == [6]
    assert [(one.line, one.type.code, one.path) for one in validation.validate([path])] == [(6, *codes(zone)[0])]
    written = parquet.write([path], tmp_path / "out")
    assert (written.rows, written.findings, written.refused) == (9, 1, done.refused)


def test_a_file_that_breaks_off_is_refused_before_anything_of_it_is_loaded(url, connection, tmp_path):
    path, block = tmp_path / "a.xml", "".join(students(1000)).encode()
    with path.open("wb") as file:
        file.write(f"<Objects {NS}>".encode())
        for _ in range(20):
            file.write(block)
        file.write(block[:100])
    zone, done = loaded(connection, url, [path])
    assert (zone.states(), done.summary.messages) == ([], 0)
    ((_, why),) = done.refused
    assert "breaks off at line 1, before its list ends" in why


def test_findings_of_an_object_are_capped_and_the_rest_is_counted(url, connection, tmp_path, small_pieces):
    wrong = "".join(f"<Nonsense{number}/>" for number in range(1000))
    path = tmp_path / "a.xml"
    path.write_bytes(bare(*(sif.student(f"student {n}", more=wrong) for n in range(100))))
    started = time.process_time()
    zone, done = loaded(connection, url, [path])
    assert time.process_time() - started < 100
    found = zone.all(
        "SELECT position, count(*) FROM inbox.notice WHERE zone_id = %(zone)s GROUP BY message_id, position"
    )
    assert {number for _, number in found} == {101}
    assert len(found) == done.summary.objects == 100


def test_the_command_loads_says_what_it_did_and_is_silent_in_a_pipe(url, connection, tmp_path):
    zone = sif.Inbox.new(connection)
    (tmp_path / "a.xml").write_bytes(bare(*students(3), sif.school("S", of="nobody")))
    (tmp_path / "b.xml").write_bytes(b"<torn")
    command = [sys.executable, "-m", "sif_pipeline", "bulk", "--zone", zone.name, str(tmp_path)]
    environment = {**os.environ, "SIF_DATABASE_URL": url}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ("1 message: 3 objects loaded, 1 held, 0 rejected; 0 more held already, of 2 files.\n")
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{tmp_path / 'b.xml'}: ")
    assert "not well-formed" in line
    assert zone.outcomes() == ["applied"] * 3 + ["held"]
