"""The benchmarks measure what they say: the same bytes in every packing, real CPU time, the ratios as defined."""

import time
from pathlib import Path

import pytest
from lxml import etree

from benchmarks import __main__ as program
from benchmarks import corpus, meter, rows, work
from benchmarks.meter import Cost
from sif_pipeline.config import PROJECT
from sif_pipeline.sif import gate, messages


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> corpus.Corpus:
    return corpus.make(tmp_path_factory.mktemp("corpus"), 0.6)


def _objects(body: bytes) -> list[bytes]:
    found = messages.objects(gate.open_message(body))
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


def test_quick_is_ten_megabytes_once() -> None:
    chosen = program.options(["--quick"])
    assert (chosen.megabytes, chosen.rounds) == (10.0, 1)
    assert chosen.out.parent == PROJECT / "benchmarks" / "results"


@pytest.mark.slow
def test_a_run_from_the_corpus_to_the_file(
    database_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIF_DATABASE_URL", database_server)
    program.main(["--megabytes", "0.1", "--rounds", "1", "--out", str(tmp_path / "result.json")])
    printed = capsys.readouterr().out
    assert "full load" in printed
    assert "lxml + ORM" in printed
    assert (tmp_path / "result.json").exists()
