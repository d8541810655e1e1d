"""The synthetic state is the same every time, hangs together, and looks like Massachusetts."""

import re
import subprocess
import sys
from collections import Counter
from datetime import date
from hashlib import sha256

import pytest

from sif_pipeline.synth import districts
from sif_pipeline.synth.names import FAMILY_NAMES, GIVEN_NAMES, TOWNS
from sif_pipeline.synth.objects import OBJECTS, counts
from sif_pipeline.synth.organization import classes
from sif_pipeline.synth.plan import GRADES, plan, shares
from sif_pipeline.synth.school_year import school_year, year_seen_on
from sif_pipeline.synth.state import District, add_events, day_for_reports_of, introduction, later_events

YEAR = school_year(2027, date(2026, 11, 22))
GOLDEN = "80b7b42cc99fa45c3f965d6d164e2ca338d803803bc14afdf7538cc821c3a52a"
"""Digest of every byte two small districts send; a change here is a change of the synthetic state: say so."""


def digest(state: list[District]) -> str:
    sha = sha256()
    for district in state:
        stamps = district.stamps()
        for generate in (introduction, add_events, later_events):
            for message in generate(district, stamps):
                sha.update(message.body)
    return sha.hexdigest()


def value(pattern: str, xml: bytes) -> str | None:
    found = re.search(pattern, xml.decode())
    return found[1] if found else None


def test_golden() -> None:
    assert digest(list(districts(2, 300, 2026, bad=0.05))) == GOLDEN


def test_same_bytes_whatever_hash_seed() -> None:
    code = (
        "from hashlib import sha256\nfrom sif_pipeline.synth import districts\n"
        "print(sha256(b''.join(o.xml for d in districts(1, 60, 4) for o in d.objects())).hexdigest())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_a_district_does_not_depend_on_how_many_there_are() -> None:
    assert digest(list(districts(4, 150, 8))[1:2]) == digest(list(districts(2, 150, 8))[1:2])


def test_an_object_stream_does_not_depend_on_the_others() -> None:
    (district,) = districts(1, 120, 8)
    everything = [found for found in district.objects() if found.name == "StudentSchoolEnrollment"]
    assert list(district.objects(["StudentSchoolEnrollment"])) == everything


def test_another_seed_is_another_state() -> None:
    assert digest(list(districts(1, 60, 1))) != digest(list(districts(1, 60, 2)))


@pytest.fixture(scope="module")
def district() -> District:
    (found,) = districts(1, 2500, 7, varied=False)
    return found


def test_references_resolve_to_what_was_sent_before(district: District) -> None:
    known: set[str] = set()
    for found in district.objects():
        text = found.xml.decode()
        referred = set(re.findall(r"\w+RefId(?:=\"|>)([0-9A-F]{32})", text)) - {found.ref_id}
        assert referred <= known, found.name
        assert found.ref_id not in known
        assert re.fullmatch(r"[0-9A-F]{32}", found.ref_id)
        known.add(found.ref_id)


def test_counts_are_those_of_the_objects(district: District) -> None:
    assert Counter(district.counts()) == Counter(found.name for found in district.objects())
    assert list(counts(district.plan)) == list(OBJECTS)


def test_identifiers_are_synthetic_and_unique(district: District) -> None:
    ids: dict[str, list[str]] = {"StudentPersonal": [], "SchoolInfo": [], "StaffPersonal": [], "LEAInfo": []}
    for found in district.objects(ids):
        ids[found.name].append(value("<StateProvinceId>([^<]+)", found.xml) or "")
    assert ids["LEAInfo"] == ["09990001"]
    assert all(re.fullmatch("99[0-9]{8}", one) for one in ids["StudentPersonal"])
    assert all(re.fullmatch("99[0-9]{6}", one) for one in ids["SchoolInfo"])
    assert all(re.fullmatch("9[0-9]{7}", one) for one in ids["StaffPersonal"])
    assert all(len(set(some)) == len(some) for some in ids.values())


def test_birth_dates_fit_the_grade(district: District) -> None:
    grades = {seat.number: seat.grade for seat in district.plan.seats()}
    for number, found in enumerate(district.objects(["StudentPersonal"])):
        born = date.fromisoformat(value("<BirthDate>([^<]+)", found.xml) or "")
        age = (date(2026, 9, 1) - born).days // 365.25
        grade = grades[number]
        low, high = {"PK": (4, 5), "SP": (18, 21)}.get(grade, (GRADES.index(grade) + 4, GRADES.index(grade) + 6))
        assert low - 1 <= age <= high, grade


def test_one_home_at_a_time_and_no_more_than_a_whole_student(district: District) -> None:
    homes: dict[int, list[tuple[int, int | None]]] = {}
    share: Counter[int] = Counter()
    for spell in district.plan.spells():
        if spell.exit is None:
            share[spell.student] += round(float(spell.share) * 100)
        if spell.membership == "Home":
            homes.setdefault(spell.student, []).append((spell.entry, spell.exit))
    assert max(share.values()) == 100
    for spells in homes.values():
        assert all(exit_ is None or entry <= exit_ < YEAR.until for entry, exit_ in spells)
        if len(spells) == 2:
            assert spells[0][1] is not None
            assert spells[0][1] < spells[1][0]


def test_enrollments_say_why_they_ended(district: District) -> None:
    seen = Counter()
    for found in district.objects(["StudentSchoolEnrollment"]):
        left = b"<ExitDate>" in found.xml
        assert left == (b"<ExitType>" in found.xml) == (b'TimeFrame="Historical"' in found.xml)
        seen["left"] += left
        seen["late"] += b"<EntryDate>2026-08-31<" not in found.xml
        seen["concurrent"] += b'MembershipType="Concurrent"' in found.xml
    assert all(0.002 < seen[kind] / 2500 < 0.07 for kind in ("left", "late", "concurrent"))


def test_attendance_adds_up_and_is_the_states() -> None:
    member = attended = chronic = number = 0.0
    for district in districts(6, 1500, 11):
        for found in district.objects(["StudentAttendanceSummary"]):
            days = {
                name: float(value(f"<{name}>([^<]+)", found.xml) or "")
                for name in ("DaysInMembership", "DaysAttended", "ExcusedAbsences", "UnexcusedAbsences")
            }
            missed = days["ExcusedAbsences"] + days["UnexcusedAbsences"]
            assert days["DaysAttended"] + missed == days["DaysInMembership"]
            assert min(days.values()) >= 0
            start, end = (int(value(f"<{day}>([^<]+)", found.xml) or "") for day in ("StartDay", "EndDay"))
            assert end - start + 1 == days["DaysInMembership"]
            member += days["DaysInMembership"]
            attended += days["DaysAttended"]
            chronic += missed * 10 >= days["DaysInMembership"]
            number += 1
    assert 0.925 < attended / member < 0.94
    assert 0.17 < chronic / number < 0.205


def test_rosters_are_of_the_students_own_school_and_as_big_as_the_states(district: District) -> None:
    seats = {district.plan.ref_id("StudentPersonal", seat.number): seat for seat in district.plan.seats()}
    taught = {district.plan.ref_id("SectionInfo", one.number): one for one in classes(district.plan)}
    sections: dict[str, set[str]] = {}
    for found in district.objects(["StudentSectionEnrollment"]):
        seat, section = seats[found.student], taught[found.section]
        assert (section.school, section.grade) == (seat.school, seat.grade)
        assert {found.student, found.section} <= set(re.findall("[0-9A-F]{32}", found.xml.decode()))
        sections.setdefault(found.student, set()).add(found.section)
    for student, taken in sections.items():
        taught_in = {taught[one].course for one in taken}
        assert len(taught_in) == len(taken) == (4 if seats[student].grade in GRADES[1:7] else 8)
    assert set(sections) == {ref for ref, seat in seats.items() if seat.grade not in {"PK", "SP"}}
    sizes = Counter(section for taken in sections.values() for section in taken)
    assert 16 < sizes.total() / len(sizes) < 18.5
    assert max(sizes.values()) <= 26


def test_everybody_who_works_has_one_employment_and_one_primary_job(district: District) -> None:
    staff = {found.ref_id for found in district.objects(["StaffPersonal"])}
    for name, attribute in (("EmploymentRecord", "SIF_RefId"), ("StaffAssignment", "StaffPersonalRefId")):
        found = [value(f'{attribute}="([^"]+)', found.xml) for found in district.objects([name])]
        assert len(found) == len(staff)
        assert set(found) == staff
    hired = Counter(value("<HireDate>(....)", found.xml) for found in district.objects(["EmploymentRecord"]))
    assert 0.1 < hired["2026"] / len(staff) < 0.2


def test_incidents_are_as_many_as_the_states_and_happen_while_the_offender_is_enrolled() -> None:
    incidents = students = 0
    for district in districts(8, 2500, 3):
        spans: dict[str, list[tuple[str, str]]] = {}
        for spell in district.plan.spells():
            last = YEAR.days[YEAR.until - 1 if spell.exit is None else spell.exit]
            student = district.plan.ref_id("StudentPersonal", spell.student)
            spans.setdefault(student, []).append((YEAR.days[spell.entry], last))
        for found in district.objects(["DisciplineIncident"]):
            day = value("<IncidentDate>([^<]+)", found.xml) or ""
            assert any(entry <= day <= last for entry, last in spans[found.student])
            incidents += 1
        students += district.plan.size
    assert incidents / students == pytest.approx(0.0332 * YEAR.until / 180, rel=0.25)


def test_special_education_is_of_those_whose_own_object_says_so(district: District) -> None:
    served = {found.ref_id for found in district.objects(["StudentPersonal"]) if b"<IDEA>Yes" in found.xml}
    summarised = [found.student for found in district.objects(["StudentSpecialEducationSummary"])]
    assert len(summarised) == len(served) == pytest.approx(0.2 * 2500, rel=0.1)
    assert set(summarised) == served


def test_marks_are_of_the_students_sections_and_of_values_their_school_has(district: District) -> None:
    rosters = {(found.student, found.section) for found in district.objects(["StudentSectionEnrollment"])}
    given = {
        value('SectionInfoRefId="([^"]+)', found.xml): (
            value('TermInfoRefId="([^"]+)', found.xml),
            value("<MarkInfoRefId>([^<]+)", found.xml),
        )
        for found in district.objects(["SectionMarkInfo"])
    }
    marked = list(district.objects(["StudentSectionMarks"]))
    assert {(found.student, found.section) for found in marked} <= rosters
    for found in marked:
        term_and_mark = (value('TermInfoRefId="([^"]+)', found.xml), value('MarkInfoRefId="([^"]+)', found.xml))
        assert term_and_mark == given[found.section]
        per_cent, letter = value("<Percentage>([^<]+)", found.xml), value("<Letter>([^<]+)", found.xml)
        assert letter == "FFFFFFDCBAA"[int(per_cent or "") // 10]


def test_students_were_tested_in_the_grade_before_or_are_registered_for_november(district: District) -> None:
    grades = {district.plan.ref_id("StudentPersonal", seat.number): seat.grade for seat in district.plan.seats()}
    given = {
        found.ref_id: value("<AdministrationName>([^<]+)", found.xml)
        for found in district.objects(["AssessmentAdministration"])
    }
    seen: Counter[str] = Counter()
    for found in district.objects(["StudentScoreSet", "AssessmentRegistration"]):
        name = given[value('AssessmentAdministrationRefId="([^"]+)', found.xml) or ""]
        before = GRADES[GRADES.index(grades[found.student]) - 1]
        assert name == f"{'Spring' if found.name == 'StudentScoreSet' else 'November'} 2026, grade {before}"
        seen[found.student] += 1
    tested = {student for student, grade in grades.items() if grade in {"04", "05", "06", "07", "08", "09", "11"}}
    assert set(seen) <= tested
    assert max(seen.values()) == 1
    assert len(seen) / len(tested) > 0.92


def test_scores_lie_on_the_scale(district: District) -> None:
    scores = [
        int(score)
        for found in district.objects(["StudentScoreSet"])
        for score in re.findall("<ScoreValue>([^<]+)", found.xml.decode())
    ]
    assert min(scores) >= 440
    assert max(scores) <= 560
    assert sum(scores) / len(scores) == pytest.approx(500, abs=3)


def test_teachers_who_stayed_were_evaluated(district: District) -> None:
    hired = {
        value('SIF_RefId="([^"]+)', found.xml): value("<HireDate>(....)", found.xml)
        for found in district.objects(["EmploymentRecord"])
    }
    evaluated = [value("<StaffPersonalRefId>([^<]+)", found.xml) for found in district.objects(["StaffEvaluation"])]
    assert len(set(evaluated)) == len(evaluated)
    assert {hired[one] for one in evaluated} <= {str(year) for year in range(1990, 2026)}
    assert len(evaluated) / district.plan.teachers == pytest.approx(0.85, abs=0.06)


def test_an_identifier_was_asked_for_whoever_came_late(district: District) -> None:
    late = {spell.student for spell in district.plan.spells() if spell.entry and spell.number % 2 == 0}
    asked = [value("<StateProvinceId>([^<]+)", found.xml) for found in district.objects(["StudentLocator"])]
    assert asked == [district.plan.state_id(student) for student in sorted(late)]


def test_students_are_distributed_as_the_states(district: District) -> None:
    seen: Counter[str] = Counter()
    for found in district.objects(["StudentPersonal"]):
        hispanic = b"<HispanicLatino>Yes" in found.xml
        races = re.findall(rb"<Race><Code>(\d+)", found.xml)
        seen["hispanic"] += hispanic
        seen["white"] += not hispanic and races == [b"1002"]
        seen["female"] += b"<Gender>F" in found.xml
        seen["learner"] += b"<ELL>Yes" in found.xml
        assert (b"<ELL>Yes" in found.xml) == (b"<EnglishProficiency><Code>2349" in found.xml)
        assert (b"<Gender>U" in found.xml) == (b'Name="MAGender">N<' in found.xml)
    shares_of = {kind: count / 2500 for kind, count in seen.items()}
    expected = {"hispanic": 0.262, "white": 0.508, "female": 0.486, "learner": 0.135}
    assert shares_of == {kind: pytest.approx(share, abs=0.03) for kind, share in expected.items()}


def test_sizes_are_spread_as_the_states() -> None:
    plans = [plan(3, number, 2361, YEAR) for number in range(1, 401)]
    sizes = sorted(one.size for one in plans)
    assert sum(sizes) == pytest.approx(953_748, rel=0.03)
    assert [sizes[100], sizes[200], sizes[300]] == pytest.approx([488, 1391, 2803], rel=0.05)
    schools = sorted(school.students for one in plans for school in one.schools)
    assert len(schools) == pytest.approx(1850, rel=0.05)
    quartiles = [schools[len(schools) * n // 4] for n in (1, 2, 3)]
    assert quartiles == pytest.approx([296, 437, 619], rel=0.1)
    assert all(sum(school.students for school in one.schools) == one.size for one in plans)


@pytest.mark.parametrize("students", [1, 2, 17, 260, 899, 900])
def test_small_districts_hang_together_too(students: int) -> None:
    (district,) = districts(1, students, 5, varied=False)
    assert Counter(district.counts()) == Counter(found.name for found in district.objects())
    assert district.plan.size == students


@pytest.mark.parametrize(("number", "students"), [(0, 10), (1000, 10), (1, 0), (1, 100_000)])
def test_sizes_that_identifiers_cannot_hold_are_refused(number: int, students: int) -> None:
    with pytest.raises(ValueError, match="synthetic"):
        plan(1, number, students, YEAR, varied=False)


def test_school_year_follows_the_calendar() -> None:
    assert YEAR.days[0] == "2026-08-31"
    assert len(YEAR.days) == 180
    closed = {"2026-09-07", "2026-10-12", "2026-11-11", "2026-11-26", "2026-11-27", "2026-12-25", "2027-05-31"}
    assert not closed & set(YEAR.days)
    assert YEAR.days[YEAR.until - 1] == "2026-11-20"
    assert all(date.fromisoformat(day).weekday() < 5 for day in YEAR.days)


def test_a_year_that_has_not_begun_is_refused() -> None:
    with pytest.raises(ValueError, match="has not begun"):
        school_year(2027, date(2026, 8, 30))


@pytest.mark.parametrize(
    ("day", "number"),
    [("2026-08-30", 2026), ("2026-08-31", 2027), ("2027-06-30", 2027), ("2027-08-29", 2027), ("2028-02-29", 2028)],
)
def test_the_year_seen_on_a_day_is_under_way_or_the_last_that_was(day: str, number: int) -> None:
    seen = year_seen_on(date.fromisoformat(day))
    assert seen.number == number
    assert seen.days[0] <= day


@pytest.mark.parametrize("day", ["2026-11-30", "2027-06-30", "2027-07-01", "2027-10-04", "2030-02-01"])
def test_a_state_told_for_reports_of_a_day_is_of_that_days_school_year(day: str) -> None:
    now = date.fromisoformat(day)
    (district,) = districts(1, 60, 5, today=day_for_reports_of(now))
    assert district.plan.year.number == year_seen_on(now).number


def test_on_the_first_day_everybody_is_there() -> None:
    (district,) = districts(1, 400, 5, varied=False, today=date(2026, 8, 31))
    summaries = list(district.objects(["StudentAttendanceSummary"]))
    assert len(summaries) == 400
    assert all(b"<DaysInMembership>1.0<" in found.xml for found in summaries)


def test_shares_add_up() -> None:
    assert shares(10, [1, 1, 1]) == [4, 3, 3]
    assert sum(shares(1_000, [0.1, 7, 3.3])) == 1_000


def test_words_are_many_and_of_many_scripts() -> None:
    assert len(set(TOWNS)) == 999
    scripts = {"Ł", "Ø", "ễ", "λ", "в", "Ա", "ל", "ل", "ក", "美", "지"}
    letters = set("".join(GIVEN_NAMES + FAMILY_NAMES))
    assert scripts <= letters
    assert not letters & set('<>"')
