"""The core gives other engines the rows that the drain gives PostgreSQL."""

import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest
import sif_text as sif

from sif_pipeline.files import parquet, receiving
from sif_pipeline.loading import bulk
from sif_pipeline.reading import arrow, core
from sif_pipeline.synth.messages import object_list
from sif_pipeline.synth.statewide import state
from warehouse.base import elements, objects

BROKEN = sif.student("bad", more="<IDEA>Perhaps</IDEA>")


@pytest.fixture(scope="module")
def district(tmp_path_factory):
    """Write a small district of every object, one bad student and a second image of another."""
    path = tmp_path_factory.mktemp("district") / "0001.xml"
    smallest = min(state(7), key=lambda found: abs(found.plan.size - 40))
    texts = [sent.object.xml for sent in smallest.adds()]
    path.write_bytes(b"".join(object_list([*texts, BROKEN.encode()])))
    return path


def hexadecimal(value):
    return value.replace("-", "") if isinstance(value, str) else value


def test_every_row_is_the_drains(module_database_url, connection, district):
    """Each declared column, key, document and hash, as PostgreSQL gives them back as JSON."""
    zone = sif.Inbox.new(connection)
    receiving.receive(module_database_url, zone.name, [district])
    zone.drain()
    found = list(arrow.batches([district.read_bytes()]))
    kinds = {name for one in found for name in one.objects}
    assert len(kinds) > 15
    for name in kinds:
        cls = objects()[name]
        here = {row["row_key"]: row for one in found if name in one.objects for row in one.objects[name].to_pylist()}
        there = {hexadecimal(row["row_key"]): row for row in zone.rows("sif", cls.__tablename__)}
        assert here.keys() == there.keys()
        for key, row in here.items():
            assert row["document"] == there[key]["document"]
            assert row["content_hash"] == hexadecimal(there[key]["content_hash"])
            assert json.loads(row["extended"] or "null") == there[key]["extended"]
            for column, _ in elements(cls):
                assert alike(row[column.name], there[key][column.name]), (name, column.name)


def alike(ours, theirs):
    """Tell whether Arrow's value and PostgreSQL's, which came as JSON, are the same."""
    if ours is None or theirs is None or isinstance(ours, list):
        return ours == theirs
    if isinstance(theirs, (dict, list)):
        return json.loads(ours) == theirs
    if isinstance(theirs, (int, float)):
        return float(ours) == float(theirs)
    return hexadecimal(str(ours)) == hexadecimal(theirs) or str(ours) == theirs


def test_findings_name_object_code_path_and_line(district):
    (found,) = arrow.batches([district.read_bytes()])
    (line,) = [line for line in found.findings.to_pylist() if line["row_key"] == sif.ref("bad").lower()]
    assert (line["object_name"], line["code"], line["path"]) == (
        "StudentPersonal", "value_not_in_code_set", "StudentPersonal/IDEA",
    )  # fmt: skip
    assert line["outcome"] == "rejected"


def test_one_object_given_alone_is_read_as_in_its_message(district):
    body = district.read_bytes()
    assert [(one.name, one.row_key) for one in core.read(body)] == [
        (one.name, one.row_key) for one in core.accept(body)
    ]


def test_the_command_writes_parquet_that_reads_back(district, tmp_path):
    command = [sys.executable, "-m", "sif_pipeline", "bulk", "--parquet", str(tmp_path / "out"), str(district)]
    subprocess.run(command, check=True)
    students = pq.read_table(tmp_path / "out" / "student_personal" / "0001.parquet")
    (made,) = arrow.batches([district.read_bytes()])
    assert students.to_pylist() == made.objects["StudentPersonal"].to_pylist()
    assert pq.read_table(tmp_path / "out" / "findings" / "0001.parquet").num_rows == made.findings.num_rows


def test_parquet_of_a_file_is_that_of_its_last_run(tmp_path):
    """Findings and objects that are not in the file any more are not in the folder either; nothing wrong is a table."""
    path, out = tmp_path / "a.xml", tmp_path / "out"
    path.write_bytes(sif.response(sif.school(), sif.student(more="<IDEA>?</IDEA>")))
    parquet.write([path], out)
    assert {file.parent.name for file in out.rglob("a.parquet")} == {"school_info", "findings"}
    assert pq.read_table(out / "findings" / "a.parquet").num_rows > 0
    path.write_bytes(sif.response(sif.student()))
    parquet.write([path], out)
    assert {file.parent.name for file in out.rglob("a.parquet")} == {"student_personal", "findings"}
    assert pq.read_table(out / "findings" / "a.parquet").num_rows == 0


def test_bulk_has_as_many_rows(module_database_url, connection, district):
    zone = sif.Inbox.new(connection)
    done = bulk.load_zone(module_database_url, zone.zone_id, [district])
    (made,) = arrow.batches([district.read_bytes()])
    assert done.summary.loaded == sum(records.num_rows for records in made.objects.values())
