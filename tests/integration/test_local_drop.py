"""The drop folder: what is complete enters the inbox, what is broken says why, and nothing blocks the rest."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from sif_pipeline import zones
from sif_pipeline.config import PROJECT
from sif_pipeline.exceptions import DatabaseFull, DatabaseUnreachable
from sif_pipeline.files import drop
from sif_pipeline.files.receiving import Received

EXAMPLE = PROJECT / "tests/examples/LEAInfo/valid/minimal.xml"


@pytest.fixture
def url(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        zones.add(connection, "North", "0001")
    return database_url


@pytest.fixture
def north(tmp_path: Path) -> Path:
    folder = tmp_path / "North"
    folder.mkdir()
    return folder


def take(url: str, folder: Path, looks: int = 2) -> Received:
    total, seen = Received(), drop.Seen()
    for _ in range(looks):
        seen = drop.sweep(url, folder, seen, total)
    return total


def inbox(url: str) -> list[bytes]:
    with psycopg.connect(url) as connection:
        lines = connection.execute("SELECT body FROM inbox.message ORDER BY message_id").fetchall()
    return [body for (body,) in lines]


def test_file_at_rest_is_received_and_moved(url: str, north: Path) -> None:
    shutil.copy(EXAMPLE, north / "a.xml")
    assert take(url, north.parent).messages == 1
    assert [path.name for path in north.iterdir()] == ["done"]
    assert (north / "done/a.xml").read_bytes() == EXAMPLE.read_bytes()
    assert len(inbox(url)) == 1


def test_file_is_left_until_it_rests(url: str, north: Path) -> None:
    total, seen = Received(), drop.Seen()
    file = north / "slow.xml"
    for length in (10, 100, 1000):
        file.write_bytes(EXAMPLE.read_bytes()[:length])
        seen = drop.sweep(url, north.parent, seen, total)
    assert file.exists()
    assert total == Received()


@pytest.mark.parametrize("name", ["a.xml.part", ".a.xml"])
def test_unfinished_names_are_left(url: str, north: Path, name: str) -> None:
    shutil.copy(EXAMPLE, north / name)
    assert take(url, north.parent) == Received()
    assert (north / name).exists()


def test_broken_file_says_why_and_blocks_nobody(url: str, north: Path) -> None:
    (north / "broken.xml").write_text("<SIF_Message")
    os.utime(north / "broken.xml", ns=(0, 0))  # the oldest, so the first
    shutil.copy(EXAMPLE, north / "good.xml")
    total = take(url, north.parent)
    assert (total.files, total.messages, len(total.refused)) == (2, 1, 1)
    assert (north / "refused/broken.xml").read_text() == "<SIF_Message"
    why = (north / "refused/broken.xml.why.txt").read_text()
    assert why.endswith(".\n")
    assert (north / "done/good.xml").exists()


def test_list_with_an_object_that_cannot_be_read_is_taken_and_says_which(url: str, north: Path) -> None:
    lea = EXAMPLE.read_text(encoding="utf-8").strip()
    (north / "a.xml").write_text(f"<Objects>\n{lea}\n<LEAInfo>R&D</LEAInfo>\n{lea}\n</Objects>", encoding="utf-8")
    assert take(url, north.parent).refused == []
    assert sorted(path.name for path in north.rglob("*.*")) == ["a.xml", "a.xml.why.txt"]
    said = (north / "done/a.xml.why.txt").read_text(encoding="utf-8")
    first = 2 + lea.count("\n") + 1
    assert said.startswith(f"The object that begins at line {first} cannot be read.")
    assert [body.count(b"<LEAInfo") for body in inbox(url)] == [1, 1, 1]


def test_fault_of_ours_is_kept_apart_without_its_words(url: str, north: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Received:
        raise ZeroDivisionError("Mustermann")

    monkeypatch.setattr("sif_pipeline.files.receiving.receive_path", fail)
    shutil.copy(EXAMPLE, north / "a.xml")
    assert take(url, north.parent).files == 1
    why = (north / "refused/a.xml.why.txt").read_text()
    assert "ZeroDivisionError" in why
    assert "Mustermann" not in why


def test_folder_named_like_no_zone_waits(url: str, north: Path) -> None:
    nowhere = north.parent / "Nowhere"
    nowhere.mkdir()
    shutil.copy(EXAMPLE, nowhere / "a.xml")
    shutil.copy(EXAMPLE, north / "a.xml")
    assert take(url, north.parent, looks=3).messages == 1
    assert (nowhere / "a.xml").exists()


def test_later_file_of_the_same_name_overwrites_nothing(url: str, north: Path) -> None:
    for number in range(3):
        (north / "a.xml").write_text(f"not SIF {number}")
        take(url, north.parent)
    texts = [(north / "refused" / name).read_text() for name in ("a.xml", "a.xml.2", "a.xml.3")]
    assert texts == ["not SIF 0", "not SIF 1", "not SIF 2"]


def test_unreachable_inbox_leaves_the_files(north: Path) -> None:
    shutil.copy(EXAMPLE, north / "a.xml")
    with pytest.raises(DatabaseUnreachable):
        take("postgresql://sif:x@127.0.0.1:1/sif", north.parent)
    assert (north / "a.xml").exists()


def test_watch_makes_the_folder_and_ends_in_time(url: str, tmp_path: Path) -> None:
    assert drop.watch(url, tmp_path / "drop", lasting=timedelta(0)) == Received()
    assert (tmp_path / "drop").is_dir()


def test_full_database_leaves_the_files(url: str, north: Path) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'no space left' USING ERRCODE = '53100'; END $$"
        )
        connection.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON inbox.message FOR EACH ROW EXECUTE FUNCTION full_disk()"
        )
    shutil.copy(EXAMPLE, north / "a.xml")
    with pytest.raises(DatabaseFull):
        take(url, north.parent)
    assert [path.name for path in north.iterdir()] == ["a.xml"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP TRIGGER full_disk ON inbox.message")
    assert take(url, north.parent).messages == 1


@pytest.mark.parametrize("name", ["done", "refused"])
def test_file_named_like_our_folder_makes_way(url: str, north: Path, name: str) -> None:
    shutil.copy(EXAMPLE, north / name)
    shutil.copy(EXAMPLE, north / "a.xml")
    (north / "b.xml").write_text("not SIF")
    os.utime(north / "b.xml", ns=(0, 0))
    total = take(url, north.parent, looks=4)
    assert (total.messages, len(total.refused)) == (2, 1)
    assert {path.name for path in (north / "done").iterdir()} >= {"a.xml", f"{name}.file"} - {"refused.file"}
    assert {path.name for path in north.iterdir()} == {"done", "refused"}
    assert (north / "refused/b.xml.why.txt").exists()


@pytest.mark.parametrize("name", ["a" * 251 + ".xml", "é" * 127, "x" * 252])
def test_refused_file_with_the_longest_name_is_kept_with_its_reason(url: str, north: Path, name: str) -> None:
    for number in range(3):
        (north / name).write_text(f"not SIF {number}")
        assert len(take(url, north.parent).refused) == 1
    kept = sorted((north / "refused").iterdir())
    assert len(kept) == 6
    assert {path.read_text() for path in kept if path.suffix != ".txt"} == {f"not SIF {n}" for n in range(3)}


def test_trouble_with_a_folder_stops_no_other_zone_and_names_no_file(
    url: str, north: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(url) as connection:
        zones.add(connection, "South", "0002")
    south = north.parent / "South"
    south.mkdir()
    shutil.copy(EXAMPLE, south / "mustermann.xml")
    os.utime(south / "mustermann.xml", ns=(0, 0))
    (south / "done").symlink_to("done")  # a loop: no folder can be made, and nothing moved there
    shutil.copy(EXAMPLE, north / "a.xml")
    total = take(url, north.parent, looks=5)
    assert total.messages == 2
    assert (north / "done/a.xml").exists()
    assert (south / "mustermann.xml").exists()
    (said,) = [record.getMessage() for record in caplog.records]
    assert "zone South" in said
    assert "mustermann" not in caplog.text


def test_folder_that_cannot_be_read_stops_no_other_zone(
    url: str, north: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, whom no mode keeps out; so the refusal of the system is played."""
    listed = Path.iterdir

    def refuse(folder: Path) -> object:
        if folder.name == "South":
            raise PermissionError(13, "Permission denied", "mustermann.xml")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refuse)
    (north.parent / "South").mkdir()
    shutil.copy(EXAMPLE, north / "a.xml")
    assert take(url, north.parent, looks=4).messages == 1
    (said,) = [record.getMessage() for record in caplog.records]
    assert "zone South cannot be read or moved (errno 13)" in said
