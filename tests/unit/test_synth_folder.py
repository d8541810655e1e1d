"""The folder holds what the manifest says, in messages the pipeline can read."""

import json
from collections import Counter
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif import carried, messages
from sif_pipeline.sif.gate import open_message
from sif_pipeline.synth import write


def records(folder: Path) -> list[dict[str, object]]:
    with (folder / "manifest.jsonl").open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("synth")
    write(out, 2, 300, 5, bad=0.1, buffer_size=50_000)
    return out


def test_one_folder_for_each_district(out: Path) -> None:
    assert sorted(folder.name for folder in out.iterdir()) == ["09990001", "09990002"]
    assert sorted(entry.name for entry in (out / "09990001").iterdir()) == [
        *("01-adds", "02-later", "README.txt", "manifest.jsonl"),
    ]
    assert "09990001" in (out / "09990001" / "README.txt").read_text(encoding="utf-8")


def test_messages_are_what_the_manifest_counts(out: Path) -> None:
    for folder in out.iterdir():
        sent: Counter[str] = Counter()
        for file in sorted((folder / "01-adds").iterdir()):
            assert file.stat().st_size <= 50_000
            for found in carried.objects(open_message(file.read_bytes())):
                sent[etree.QName(found.element).localname] += 1
        counted = {row["object"]: row["sent"] for row in records(folder) if row["record"] == "count"}
        assert counted == sent


def test_manifest_names_every_exception(out: Path) -> None:
    for folder in out.iterdir():
        rows = records(folder)
        outcomes = Counter((row["object"], row["outcome"]) for row in rows if row["record"] == "object")
        deleted = Counter(row["object"] for row in rows if row["record"] == "delete")
        for row in (row for row in rows if row["record"] == "count"):
            assert row["rejected"] == outcomes[row["object"], "rejected"]
            assert row["held"] == outcomes[row["object"], "held"]
            assert row["deleted"] == deleted[row["object"]]
        later = Counter(file.name.rsplit("-", 1)[1].removesuffix(".xml") for file in (folder / "02-later").iterdir())
        assert later["Delete"] == deleted.total()
        assert later["Change"] == sum(row["record"] == "change" for row in rows)


def test_timestamps_rise_from_file_to_file(out: Path) -> None:
    for folder in out.iterdir():
        files = [*sorted((folder / "01-adds").iterdir()), *sorted((folder / "02-later").iterdir())]
        moments = [messages.read_message(open_message(file.read_bytes())).timestamp for file in files]
        assert moments == sorted(set(moments))


def test_same_seed_same_files(out: Path, tmp_path: Path) -> None:
    write(tmp_path / "again", 1, 300, 5, bad=0.1, buffer_size=50_000)

    def digests(folder: Path) -> dict[str, str]:
        files = (file for file in folder.rglob("*") if file.is_file())
        return {str(file.relative_to(folder)): sha256(file.read_bytes()).hexdigest() for file in files}

    assert digests(tmp_path / "again" / "09990001") == digests(out / "09990001")


def test_progress_ends_with_everything(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    expected = write(tmp_path, 2, 80, 5, progress=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (expected.sent.total(), expected.sent.total())


def test_messages_begin_when_told(tmp_path: Path) -> None:
    start = datetime(2031, 1, 2, 3, tzinfo=UTC)
    write(tmp_path, 1, 20, 5, start=start)
    first = min((tmp_path / "09990001" / "01-adds").iterdir())
    assert messages.read_message(open_message(first.read_bytes())).timestamp == start


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path, 1, 20, 5)
    with pytest.raises(ConfigurationError, match="there already"):
        write(tmp_path, 1, 20, 6)
