"""Flaws are known, found by RefId alone, and their consequences are told."""

from collections import Counter

import pytest

from sif_pipeline.notices import CATALOGUE, Severity
from sif_pipeline.synth import FLAWS, Fate, districts, expectations
from sif_pipeline.synth.flaws import PARENT_MISSING, flaw_of, spoiled, student_arrives
from sif_pipeline.synth.objects import OBJECTS
from sif_pipeline.synth.state import District


@pytest.fixture(scope="module")
def district() -> District:
    (found,) = districts(1, 1500, 3, bad=0.1, varied=False)
    return found


def test_every_flaw_has_a_notice_of_the_right_weight() -> None:
    weights = {flaw.name: CATALOGUE[flaw.code].severity for flaw in FLAWS}
    for flaw in FLAWS:
        assert (weights[flaw.name] is Severity.ERROR) == (flaw.fate is Fate.REJECTED), flaw.name
        assert set(flaw.objects) <= set(OBJECTS)


def test_every_flaw_occurs(district: District) -> None:
    seen = Counter((sent.flaw.name, sent.object.name) for sent in district.adds() if sent.flaw)
    expected = {(flaw.name, name) for flaw in FLAWS for name in flaw.objects if flaw.name != "object_uncollected"}
    assert set(seen) == expected | {("object_uncollected", "StudentPicture")}


def test_the_share_of_flaws_is_as_asked(district: District) -> None:
    names = ("StudentPersonal", "StudentSchoolEnrollment", "StudentAttendanceSummary", "SectionInfo")
    flawed = [sent.flaw is not None for sent in district.adds(names)]
    assert sum(flawed) / len(flawed) == pytest.approx(0.1, abs=0.015)


def test_flawed_objects_differ_from_good_ones_and_nothing_else_does(district: District) -> None:
    for good, sent in zip(district.objects(), district.adds(), strict=True):
        assert (good == sent.object) == (sent.flaw is None)


def test_children_of_a_rejected_student_are_held(district: District) -> None:
    fates = {sent.object.ref_id: sent.fate for sent in district.adds(["StudentPersonal"])}
    held = rejected = 0
    for sent in district.adds(["StudentSchoolEnrollment", "StudentAttendanceSummary"]):
        if sent.fate in {Fate.LOADED, Fate.HELD}:
            parent = fates.get(sent.object.student, Fate.HELD)
            assert (sent.fate is Fate.LOADED) == (parent is Fate.LOADED)
            assert (PARENT_MISSING in sent.codes) == (sent.fate is Fate.HELD)
        held += sent.fate is Fate.HELD
        rejected += sent.fate is Fate.REJECTED
    assert held > 100
    assert rejected > 100


def test_no_flaw_without_a_share() -> None:
    (district,) = districts(1, 300, 3, varied=False)
    assert all(flaw_of(found.name, found.ref_id, 0.0) is None for found in district.objects())
    assert all(sent.fate is Fate.LOADED for sent in district.adds())
    assert all(spoiled(found, 0.0).object == found for found in district.objects())


def test_everything_is_flawed_that_can_be() -> None:
    (district,) = districts(1, 60, 3, bad=1.0, varied=False)
    for sent in district.adds(["StudentPersonal", "StudentSchoolEnrollment", "SectionInfo"]):
        assert sent.flaw is not None


def test_life_touches_only_what_was_loaded_and_nothing_twice(district: District) -> None:
    loaded = {sent.object.ref_id for sent in district.adds() if sent.fate is Fate.LOADED}
    touched = [happening.ref_id for happening in district.happenings()]
    assert set(touched) <= loaded
    assert len(set(touched)) == len(touched)
    assert {happening.kind for happening in district.happenings()} == {
        *("name_changed", "address_changed", "element_cleared", "item_added", "item_changed", "item_deleted"),
        *("grade_changed", "delete"),
    }


def test_expectations_balance(district: District) -> None:
    for row in expectations(district).rows():
        assert row["sent"] == row["loaded"] + row["rejected"] + row["held"] + row["unknown"]
        assert row["in_warehouse"] == row["loaded"] - row["deleted"]
    sent = {row["object"]: row["sent"] for row in expectations(district).rows()}
    assert sum(sent.values()) == sum(district.counts().values())


def test_expectations_of_several_districts_add_up() -> None:
    one, two = districts(2, 200, 9, bad=0.1)
    total = expectations(one)
    total.update(expectations(two))
    rows = {row["object"]: row for row in total.rows()}
    for district in (one, two):
        for row in expectations(district).rows():
            assert rows[row["object"]]["sent"] >= row["sent"]
    assert rows["LEAInfo"]["in_warehouse"] == 2


def test_a_student_with_a_harmless_flaw_arrives(district: District) -> None:
    for sent in district.adds(["StudentPersonal"]):
        assert student_arrives(sent.object.ref_id, 0.1) == (sent.fate is Fate.LOADED)
