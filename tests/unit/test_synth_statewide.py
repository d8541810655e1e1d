"""The whole synthetic state: the sizes are the published ones, a share is a part of it, and memory stays flat."""

import json
import subprocess
import sys
import tracemalloc
from collections import Counter
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.synth import census, portrait, statewide
from sif_pipeline.synth.plan import GRADES, STATE_ENROLLMENT, plan
from sif_pipeline.synth.school_year import school_year
from sif_pipeline.synth.state import District

SEED = 11


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("statewide") / "state"
    statewide.write_state(out, SEED, share=0.01)
    return out


def manifest(folder: Path) -> list[dict[str, object]]:
    with (folder / statewide.MANIFEST).open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_there_are_as_many_districts_and_students_as_in_massachusetts() -> None:
    found = statewide.sizes(SEED)
    assert (len(found), sum(found)) == (404, 950_000)
    assert min(found) >= 1
    assert found != sorted(found)
    assert found != statewide.sizes(SEED + 1)
    assert sorted(found) == sorted(statewide.sizes(SEED + 1))


def test_schools_are_as_many_as_in_massachusetts() -> None:
    schools = sum(len(district.plan.schools) for district in statewide.state(SEED))
    assert schools == pytest.approx(1_850, rel=0.03)


def test_districts_differ_and_come_to_the_states_means() -> None:
    plans = [district.plan for district in statewide.state(SEED)]
    grades: Counter[str] = Counter()
    for one in plans:
        for school in one.schools:
            grades.update(dict(school.grades))
    expected = [950_000 * n / sum(STATE_ENROLLMENT) for n in STATE_ENROLLMENT]
    assert [grades[grade] for grade in GRADES] == pytest.approx(expected, rel=0.01)
    assert sum(one.need * one.size for one in plans) / 950_000 == pytest.approx(0, abs=0.005)
    assert {min(one.need for one in plans), max(one.need for one in plans)} == {-0.85, 1.0}
    single = Counter(tuple(school.level for school in one.schools) for one in plans if len(one.schools) == 1)
    assert single["2402",] == 45
    assert 140 < single.total() < 210


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
def test_a_share_is_of_all_sizes_and_its_districts_are_those_of_the_whole(share: float) -> None:
    whole = {district.code: district.plan for district in statewide.state(SEED)}
    part = {district.code: district.plan for district in statewide.state(SEED, share=share)}
    assert len(part) == pytest.approx(404 * share, abs=1)
    assert all(whole[code] == plan for code, plan in part.items())
    assert sum(plan.size for plan in part.values()) == pytest.approx(950_000 * share, rel=0.35)


def test_each_district_is_a_file_of_what_the_manifest_says(out: Path) -> None:
    lines = manifest(out)
    districts = [line for line in lines if line["record"] == "district"]
    assert [line["file"] for line in districts] == sorted(file.name for file in out.glob("*.xml"))
    sent: Counter[str] = Counter()
    for line in districts:
        file = out / str(line["file"])
        here = Counter(etree.QName(found).localname for found in etree.parse(file).getroot())
        assert (file.stat().st_size, here.total()) == (line["bytes"], line["objects"])
        assert (here["StudentPersonal"], here["SchoolInfo"]) == (line["students"], line["schools"])
        sent += here
    counted = {line["object"]: line["sent"] for line in lines if line["record"] == "count"}
    assert counted == sent


def test_the_same_seed_gives_the_same_bytes(out: Path, tmp_path: Path) -> None:
    statewide.write_state(tmp_path / "again", SEED, share=0.01)
    for file in out.iterdir():
        assert sha256(file.read_bytes()).digest() == sha256((tmp_path / "again" / file.name).read_bytes()).digest()


def test_flaws_are_put_in_and_told(tmp_path: Path) -> None:
    written = statewide.write_state(tmp_path / "bad", SEED, share=0.004, bad=0.1)
    rows = {row["object"]: row for row in written.expected.rows()}
    assert rows["StudentPersonal"]["rejected"] > 0
    assert rows["StudentSchoolEnrollment"]["held"] > 0


def test_progress_ends_with_everything(tmp_path: Path) -> None:
    seen: list[tuple[int, int, int]] = []
    written = statewide.write_state(tmp_path, SEED, share=0.01, progress=lambda *done: seen.append(done))
    assert seen == sorted(seen)
    assert seen[-1] == (written.students, written.students, written.expected.sent.total())


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(ConfigurationError, match="not empty"):
        statewide.write_state(tmp_path, SEED, share=0.01)


def test_no_share_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="so small a share"):
        statewide.write_state(tmp_path / "nothing", SEED, share=0.0001)


def test_memory_does_not_grow_with_a_district() -> None:
    year = school_year(2027, date(2026, 11, 22))

    def peak(students: int) -> int:
        district = District(plan(SEED, 1, students, year, varied=False))
        tracemalloc.start()
        for found in district.adds():
            assert found.object.xml
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert peak(6_000) < peak(1_500) + 500_000


def test_census_of_what_was_written_is_like_massachusetts(out: Path) -> None:
    found = {(figure.group, figure.measure): figure for figure in census.figures(census.take(out))}
    for key in (("Attendance", "rate"), ("Class size", "mean"), ("Staffing", "students per teacher")):
        assert found[key].synthetic == pytest.approx(found[key].published, rel=0.08), key
    for group in ("Students by grade", "Students by race", "Students by gender"):
        shares = [figure.synthetic for figure in found.values() if figure.group == group]
        assert sum(shares) == pytest.approx(100, abs=0.1)
    assert found["Students by gender", "Female"].synthetic == pytest.approx(48.58, abs=3)


def test_the_page_shows_the_figures_beside_it_and_those_published() -> None:
    """After a change: python -m sif_pipeline.synth.portrait FOLDER, with the state of the command on the page."""
    kept = {name: (portrait.DISCUSSION / name).read_text(encoding="utf-8") for name in portrait.pages([])}
    shown = census.read(kept[portrait.FIGURES])
    assert portrait.pages(shown) == kept
    published = [(row["group"], row["measure"], float(row["published"])) for row in census.published()]
    assert [(figure.group, figure.measure, figure.published) for figure in shown] == published


def test_the_state_on_the_page_is_the_one_that_is_made_today() -> None:
    """Its figures come from a run that takes minutes; what can be told without one must still hold."""
    text = (portrait.DISCUSSION / portrait.FIGURES).read_text(encoding="utf-8")
    shown = {(figure.group, figure.measure): figure.synthetic for figure in census.read(text)}
    plans = [district.plan for district in statewide.state(portrait.SEED)]
    sizes = sorted(one.size for one in plans)
    assert shown["Size", "Students"] == sum(sizes)
    assert shown["Size", "Schools"] == sum(len(one.schools) for one in plans)
    assert shown["Size", "Teachers"] == sum(one.teachers for one in plans)
    assert shown["Districts by students", "half are smaller than"] == sizes[len(sizes) // 2]


def command(out: Path, *options: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "sif_pipeline", "synth", "--seed", str(SEED), "--out", str(out), *options]
    return subprocess.run(arguments, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("options", ["--districts 2", "--state --districts 2"])
def test_command_wants_a_state_or_districts(options: str, tmp_path: Path) -> None:
    run = command(tmp_path / "new", *options.split())
    assert run.returncode == 2
    assert "or --state" in run.stderr
    assert not (tmp_path / "new").exists()


def test_command_says_what_it_wrote(tmp_path: Path) -> None:
    run = command(tmp_path, "--state", "--share", "0.003")
    assert run.returncode == 0
    assert "of 1 districts" in run.stdout
