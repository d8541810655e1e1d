"""The benchmarks measure what they say: the same bytes in every packing, real CPU time, the ratios as defined."""

import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from benchmarks import __main__ as program
from benchmarks import corpus, growth, meter, queries, rows, spark, work
from benchmarks.meter import Cost
from sif_pipeline.config import PROJECT
from sif_pipeline.loading import bulk
from sif_pipeline.sif import carried, gate, messages
from sif_pipeline.synth.school_year import year_seen_on
from warehouse.base import elements, objects


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> corpus.Corpus:
    return corpus.make(tmp_path_factory.mktemp("corpus"), 0.6)


def _objects(body: bytes) -> list[bytes]:
    found = carried.objects(gate.open_message(body))
    return [etree.tostring(one.element, method="c14n", exclusive=True) for one in found]


def _in_packets(folder: Path) -> list[bytes]:
    return [one for file in sorted(folder.glob("*.xml")) for one in _objects(file.read_bytes())]


def test_every_packing_holds_the_same_objects(made: corpus.Corpus) -> None:
    whole = _objects(made.path("objects.xml").read_bytes())
    assert _in_packets(made.path("first")) == whole
    assert _in_packets(made.path("again")) == whole
    assert len(whole) == made.objects
    assert {len(_objects(file.read_bytes())) for file in made.path("events").glob("*.xml")} == {1}


def test_packets_hold_five_hundred_objects_and_come_again_under_other_names(made: corpus.Corpus) -> None:
    first, again = ([*sorted(made.path(name).glob("*.xml"))] for name in ("first", "again"))
    assert max(len(_objects(file.read_bytes())) for file in first) <= corpus.PACKET
    assert [len(chunk) for chunk in corpus._chunks([b"x"] * 1_100)] == [corpus.PACKET, corpus.PACKET, 100]
    names = [messages.read_message(gate.open_message(file.read_bytes())).msg_id for file in (*first, *again)]
    assert len(set(names)) == len(names)


def test_the_corpus_has_the_size_asked_for(made: corpus.Corpus) -> None:
    assert made.bytes == pytest.approx(0.6e6, rel=0.15)


@pytest.mark.parametrize("name", ["objects", "peers"])
def test_a_schema_takes_the_whole_file_and_refuses_a_spoiled_one(made: corpus.Corpus, name: str) -> None:
    schema = etree.XMLSchema(etree.parse(made.path(f"{name}.xsd")))
    document = etree.parse(made.path(f"{name}.xml"))
    assert schema.validate(document)
    first = document.getroot()[0]
    first.remove(first[0])
    assert not schema.validate(document)


@pytest.fixture(scope="module")
def for_spark(made: corpus.Corpus) -> Path:
    return spark.prepare(made)


def _rows_of(folder: Path, name: str) -> list[etree._Element]:
    """Cut a file as Spark does: the texts of its rows, which lose the root's namespace."""
    text = (folder / f"{name}.xml").read_text(encoding="utf-8")
    start, tail = text.index(">") + 1, "</SIF_ObjectData>"
    return list(etree.fromstring(f"<rows>{text[start:].removesuffix(tail)}</rows>"))


def test_spark_gets_the_same_objects_by_kind(made: corpus.Corpus, for_spark: Path) -> None:
    found = [one for name in corpus.OBJECTS for one in _objects((for_spark / f"{name}.xml").read_bytes())]
    assert found == _objects(made.path("objects.xml").read_bytes())


@pytest.mark.parametrize("name", corpus.OBJECTS)
def test_spark_s_schema_takes_the_rows_of_a_kind_and_refuses_a_spoiled_one(for_spark: Path, name: str) -> None:
    schema = etree.XMLSchema(etree.parse(for_spark / "objects.xsd"))
    found = _rows_of(for_spark, name)
    assert {row.tag for row in found} == {name}
    assert all(schema.validate(row) for row in found)
    found[0].append(etree.Element("Unknown"))
    assert not schema.validate(found[0])


@pytest.mark.parametrize("name", corpus.OBJECTS)
def test_spark_takes_out_what_is_declared(name: str) -> None:
    columns = [column.rpartition(" AS ")[2] for column in spark.reading(name).columns]
    declared = [column.name for column, _ in elements(objects()[name])]
    assert columns == ["row_key"] * ("@RefId" in objects()[name].key_paths) + declared


def test_spark_is_told_types_and_repetitions() -> None:
    course, student = spark.reading("SchoolCourseInfo"), spark.reading("StudentPersonal")
    assert "`@SchoolYear` INT" in course.fields
    assert "`CourseCredits` STRUCT<`$`: DECIMAL(18, 6), `@Type`: STRING>" in course.fields
    assert {"`CourseCredits`.`$` AS course_credits", "`CourseCredits`.`@Type` AS credit_type_code"} <= {*course.columns}
    assert "`LanguageList`: STRUCT<`Language`: ARRAY<STRUCT<`Code`: STRING, " in student.fields
    assert "to_json(`Demographics`.`LanguageList`.`Language`) AS languages" in student.columns
    assert "`Demographics`.`RaceList`.`Race`.`Code` AS race_codes" in student.columns
    codes = "`Demographics`.`RaceList`.`Race`.`OtherCodeList`.`OtherCode`"
    assert f"to_json(flatten(filter({codes}, one -> one IS NOT NULL))) AS race_other_codes" in student.columns


def test_a_database_is_spelled_for_jdbc() -> None:
    url = "postgresql://sif:a%26b@127.0.0.1:54321/bench"
    assert spark.jdbc(url) == "jdbc:postgresql://127.0.0.1:54321/bench?user=sif&password=a%26b"


def test_what_spark_lacks_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "PEER", tmp_path)
    monkeypatch.setattr(spark, "DRIVERS", (tmp_path / "postgresql.jar",))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert spark.lacking() == ["PySpark", "Java", "the JDBC driver"]
    (tmp_path / "ready").touch()
    (tmp_path / "postgresql.jar").touch()
    assert spark.lacking() == ["Java"]


def test_validation_reaches_every_object(made: corpus.Corpus) -> None:
    cost = work.validate(0, "", made.path("first"))
    assert cost.objects == made.objects
    assert cost.client > 0
    assert cost.server == 0


def test_the_meter_counts_cpu_and_not_time() -> None:
    with meter.metered(0) as idle:
        time.sleep(0.3)
    with meter.metered(0) as busy:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass
    assert idle.client < 0.1
    assert busy.client == pytest.approx(0.2, abs=0.1)


def test_the_meter_counts_a_worker_that_lives_on() -> None:
    busy = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ntime.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", busy], stdout=subprocess.PIPE) as worker:
        with meter.metered(0, worker.pid) as cost:
            assert worker.stdout is not None
            worker.stdout.readline()
        worker.kill()
    assert 0.2 < cost.client < 2
    assert 1e6 < cost.peak < 5e7


def test_the_meter_counts_children_of_a_server() -> None:
    assert meter.server_seconds(1) > 0
    assert meter.server_seconds(0) == 0


def _round(**each: float) -> rows.Round:
    named = {"ref": rows.REF, "copy": rows.COPY, "load": rows.LOAD, "receive": rows.RECEIVE, "bad": rows.BAD}
    costs = {named[name]: Cost(client=value, objects=100) for name, value in each.items()}
    one = Cost(client=1.0, objects=100)
    return dict.fromkeys((rows.VALIDATE, rows.RELOAD, rows.EVENTS, rows.BULK, rows.ORM, rows.PEER), one) | costs


def test_ratios_are_medians_of_the_rounds() -> None:
    rounds = [_round(ref=1, copy=1, load=load, receive=2, bad=load) for load in (8, 2, 4)]
    found = {what: value for what, _, _, value in program.ratios(rounds)}
    assert found[rows.LOAD] == pytest.approx(2 / 4)
    assert found["receive and load"] == pytest.approx(2 / 6)
    assert found[rows.BAD] == pytest.approx(1)


def test_without_xmllint_there_are_no_ratios_to_it() -> None:
    rounds = [_round(copy=1, load=4, receive=2, bad=4)]
    del rounds[0][rows.PEER]
    assert {what for what, *_ in program.ratios(rounds)} == {rows.BAD, rows.EVENTS, rows.ORM}


def test_spark_is_compared_where_it_was_measured() -> None:
    found = _round(ref=1, copy=1, load=4, receive=2, bad=4)
    assert rows.SPARK not in {what for what, *_ in program.ratios([found])}
    measured = {what: value for what, _, _, value in program.ratios([found | {rows.SPARK: Cost(3, 6, 100)}])}
    assert measured[rows.SPARK] == pytest.approx(9 / 6)


def test_a_corpus_larger_than_a_district_is_made_of_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus, "MAX_STUDENTS", 100)
    found = corpus.state(250, first=4)
    assert [district.code for district in found] == ["09990004", "09990005", "09990006"]
    assert [district.counts()["StudentPersonal"] for district in found] == [83, 83, 83]


def test_so_many_students_have_so_many_objects() -> None:
    counts = corpus.state(corpus.students_of(3_000))[0].counts()
    assert sum(counts[name] for name in corpus.OBJECTS) == pytest.approx(3_000, rel=0.05)


def test_growth_compares_by_object_and_workers_by_the_clock() -> None:
    costs = {
        growth.FEW: Cost(1, 1, 100),
        growth.MANY: Cost(20, 5, 1_000),
        growth.ON_MANY: Cost(3, 0, 100),
        growth.ON_NONE: Cost(1, 1, 100),
        growth.ONE: Cost(8, 2, 400, seconds=12.0),
        growth.TWO: Cost(8, 2.5, 400, seconds=8.0),
    }
    assert [growth.ratio(wanted, costs) for wanted in growth.RATIOS] == pytest.approx([0.8, 1.5, 1.5])


@pytest.mark.slow
def test_growth_from_packets_to_the_file(
    database_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIF_DATABASE_URL", database_server)
    sizes = ("--few", "60", "--many", "120", "--more", "60", "--each", "60")
    growth.main([*sizes, "--out", str(tmp_path / "growth.json")])
    result = json.loads((tmp_path / "growth.json").read_text(encoding="utf-8"))
    assert {name: cost["objects"] > 0 for name, cost in result["costs"].items()} == dict.fromkeys(
        ("receive few", "few", "receive many", "many", "receive more, into many", "more, into many",
         "receive more, into none", "more, into none", "one worker", "two workers"), True,
    )  # fmt: skip
    costs = result["costs"]
    assert costs["more, into many"]["objects"] == costs["more, into none"]["objects"]
    assert costs["one worker"]["objects"] == costs["two workers"]["objects"]
    assert "throughput of many / of few" in capsys.readouterr().out


def test_quick_is_ten_megabytes_once() -> None:
    chosen = program.options(["--quick"])
    assert (chosen.megabytes, chosen.rounds) == (10.0, 1)
    assert chosen.out.parent == PROJECT / "benchmarks" / "results"


@pytest.mark.slow
def test_a_run_from_the_corpus_to_the_file(
    database_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIF_DATABASE_URL", database_server)
    program.main(["--megabytes", "0.1", "--rounds", "1", "--spark", "--out", str(tmp_path / "result.json")])
    printed, said = capsys.readouterr()
    assert "full load" in printed
    assert "lxml + ORM" in printed
    assert (rows.SPARK in printed) != ("There is no row for Spark" in said)
    assert (tmp_path / "result.json").exists()


def test_questions_are_asked_of_a_warehouse_that_is_there(
    database_url: str, made: corpus.Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    today = datetime.now(UTC).date()
    if today.month >= 7 and year_seen_on(today).number == today.year:
        pytest.skip("it is summer: nobody is a member before school begins")
    with pytest.raises(SystemExit, match="no student"):
        queries.main([database_url])
    capsys.readouterr()
    bulk.load(database_url, bulk.plan(database_url, "z", [made.path("objects.xml")], add_zones=True))
    queries.main([database_url, "--runs", "1", "--out", str(tmp_path / "q.json")])
    told = json.loads((tmp_path / "q.json").read_text(encoding="utf-8"))["questions"]
    printed = capsys.readouterr().out.splitlines()[2:]
    assert [line.split(" | ")[0].removeprefix("| ") for line in printed] == [one["question"] for one in told]
    lines = {one["question"]: one["lines"] for one in told}
    assert {name for name, number in lines.items() if not number} <= {
        "report reconciliation", "report reconciliation, as of a moment",
    }  # fmt: skip
    assert lines["a student by the state's identifier"] == lines["versions of one student"] == 1
    assert lines["report enrollment_by_grade"] == lines["members of the largest district by grade"]
