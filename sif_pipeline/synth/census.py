"""Count a synthetic state as it was written, and hold it against what Massachusetts publishes.

Objects are read from the files that `sif-pipeline synth --state` wrote, and not from the plan they were made by.
"""

import csv
import mmap
import re
from collections import Counter
from dataclasses import dataclass, field
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Final, NamedTuple

from sif_pipeline.synth.plan import GRADES
from sif_pipeline.synth.school_year import school_year
from sif_pipeline.synth.state import SCHOOL_YEAR, TODAY

_COUNTED: Final = (
    *("SchoolInfo", "StaffPersonal", "SchoolCourseInfo", "SectionInfo", "StudentPersonal"),
    *("StudentSchoolEnrollment", "StudentAttendanceSummary", "EmploymentRecord", "StudentSectionEnrollment"),
    "DisciplineIncident",
)
# The files are this package's own: every object is one run of text, and none holds another of its name.
_OBJECT: Final = re.compile(f"<({'|'.join(_COUNTED)}) (.*?)</\\1>".encode(), re.DOTALL)
_RACES: Final = {
    ("0998",): "American Indian or Alaska Native",
    ("0999",): "Asian",
    ("1000",): "Black or African American",
    ("1001",): "Native Hawaiian or Pacific Islander",
    ("1002",): "White",
}
_GENDERS: Final = {"M": "Male", "F": "Female", "U": "Nonbinary"}
_CHRONIC: Final = 0.1  # of the days missed
_SHARES: Final = {"white": "students", "chronic": "summaries"}  # what is counted in a district, and of how many

LEVELS: Final = ("elementary", "middle", "high", "mixed")
"""Kinds of schools by where most of their students are."""


class Figure(NamedTuple):
    """One published figure and the synthetic state's."""

    group: str
    measure: str
    unit: str  #: "%" or nothing
    year: str  #: school year of the published figure
    published: float
    synthetic: float


@dataclass(slots=True)
class Census:
    """What is counted over all districts; the keys of `counts` are (what, of whom)."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    districts: list[int] = field(default_factory=list)  #: students of each
    schools: list[tuple[str, int]] = field(default_factory=list)  #: level and students of each
    single: int = 0  #: districts of one school
    shares: dict[str, list[float]] = field(default_factory=dict)  #: per cent of each district's students, by measure


@dataclass(slots=True)
class _District:
    grades: dict[bytes, Counter[str]] = field(default_factory=dict)  #: of a school's students, by its RefId
    courses: dict[bytes, bytes] = field(default_factory=dict)  #: school of a course
    sections: dict[bytes, bytes] = field(default_factory=dict)  #: school of a section
    rosters: Counter[bytes] = field(default_factory=Counter)  #: students of a section
    levels: dict[bytes, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def level(self, school: bytes) -> str:
        """Say what kind of school it is by where most of its students are, as the published figures are cut."""
        if school not in self.levels:
            self.levels[school] = level_of(self.grades.get(school, Counter()))
        return self.levels[school]


def level_of(grades: Counter[str]) -> str:
    """Return elementary, middle, high or mixed for a school with so many students in each grade."""
    total = sum(grades[grade] for grade in GRADES[:-1]) or 1
    if sum(grades[grade] for grade in GRADES[:7]) > 0.7 * total:
        return "elementary"
    if sum(grades[grade] for grade in GRADES[7:10]) > 0.6 * total:
        return "middle"
    return "high" if sum(grades[grade] for grade in GRADES[10:14]) > 0.6 * total else "mixed"


def take(folder: Path) -> Census:
    """Count every district's file below a folder; memory holds one district's schools, courses and sections."""
    census = Census()
    for file in sorted(folder.glob("*.xml")):
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as text:
            _count_district(census, text)
    return census


def _count_district(census: Census, text: mmap.mmap) -> None:
    here, students = _District(), census.counts["StudentPersonal", ""]
    for found in _OBJECT.finditer(text):
        name, xml = found[1].decode(), found[2]
        census.counts[name, ""] += 1
        if count := _COUNTS.get(name):
            count(census, here, xml)
    for section, seats in here.rosters.items():
        for whom in ("", here.level(here.sections[section])):
            census.counts["seats", whom] += seats
            census.counts["classes", whom] += 1
    census.districts.append(census.counts["StudentPersonal", ""] - students)
    for measure, total in _SHARES.items():
        share = 100 * here.counts[measure] / max(1, here.counts[total])
        census.shares.setdefault(measure, []).append(share)
    census.schools += [(here.level(school), grades.total()) for school, grades in here.grades.items()]
    census.single += len(here.grades) == 1


def _part(before: bytes, xml: bytes) -> bytes:
    """Return what stands between some text and the end of the value that it begins."""
    start = xml.index(before) + len(before)
    return xml[start : start + _VALUE_END.search(xml, start).start() - start]  # type: ignore[union-attr]


_VALUE_END: Final = re.compile(rb'["<]')


def _count_school(_: Census, here: _District, xml: bytes) -> None:
    here.grades[_part(b'RefId="', xml)] = Counter()


def _count_course(_: Census, here: _District, xml: bytes) -> None:
    here.courses[_part(b'RefId="', xml)] = _part(b'SchoolInfoRefId="', xml)


def _count_section(_: Census, here: _District, xml: bytes) -> None:
    here.sections[_part(b'RefId="', xml)] = here.courses[_part(b'SchoolCourseInfoRefId="', xml)]


def _count_student(census: Census, here: _District, xml: bytes) -> None:
    races = tuple(code.decode() for code in re.findall(rb"<Race><Code>(\d+)", xml))
    race = "Hispanic or Latino" if b"<HispanicLatino>Yes" in xml else _RACES.get(races, "Several races, not Hispanic")
    census.counts["race", race] += 1
    here.counts["students"] += 1
    here.counts["white"] += race == "White"
    census.counts["gender", _GENDERS[_part(b"<Gender>", xml).decode()]] += 1


def _count_enrollment(census: Census, here: _District, xml: bytes) -> None:
    if b'MembershipType="Home" TimeFrame="Current"' not in xml:
        return
    code = _part(b"<GradeLevel><Code>", xml).decode()
    grade = "SP" if code == "Other" else code
    census.counts["grade", grade] += 1
    here.grades[_part(b'SchoolInfoRefId="', xml)][grade] += 1


def _count_attendance(census: Census, here: _District, xml: bytes) -> None:
    member, attended = float(_part(b"<DaysInMembership>", xml)), float(_part(b"<DaysAttended>", xml))
    level = here.level(_part(b'SchoolInfoRefId="', xml))
    here.counts["summaries"] += 1
    here.counts["chronic"] += member - attended >= _CHRONIC * member
    for whom in ("", level):
        census.counts["summaries", whom] += 1
        census.counts["half days", whom] += int(member * 2)
        census.counts["half days attended", whom] += int(attended * 2)
        census.counts["chronic", whom] += member - attended >= _CHRONIC * member


def _count_staff(census: Census, _: _District, xml: bytes) -> None:
    census.counts["teachers", ""] += b"<Title>Teacher" in xml


def _count_employment(census: Census, _: _District, xml: bytes) -> None:
    census.counts["stayed", ""] += int(_part(b"<HireDate>", xml)[:4]) < SCHOOL_YEAR - 1


def _count_seat(_: Census, here: _District, xml: bytes) -> None:
    here.rosters[_part(b'SectionInfoRefId="', xml)] += 1


def _count_incident(census: Census, here: _District, xml: bytes) -> None:
    for whom in ("", here.level(_part(b'SIF_RefObject="SchoolInfo">', xml))):
        census.counts["incidents", whom] += 1


_COUNTS: Final = {
    "SchoolInfo": _count_school,
    "SchoolCourseInfo": _count_course,
    "SectionInfo": _count_section,
    "StudentPersonal": _count_student,
    "StudentSchoolEnrollment": _count_enrollment,
    "StudentAttendanceSummary": _count_attendance,
    "StaffPersonal": _count_staff,
    "EmploymentRecord": _count_employment,
    "StudentSectionEnrollment": _count_seat,
    "DisciplineIncident": _count_incident,
}


# -- the figures, beside the published ones


def figures(census: Census) -> list[Figure]:
    """Hold a census against the published figures, in their order."""
    found = {**_of_size(census), **_of_students(census), **_of_schools(census), **_of_levels(census)}
    return [
        Figure(
            row["group"],
            row["measure"],
            row["unit"],
            row["year"],
            float(row["published"]),
            round(found[row["group"], row["measure"]], 2),
        )
        for row in published()
    ]


def published() -> list[dict[str, str]]:
    """Read the published figures: group, measure, unit, year, published."""
    text = (files("sif_pipeline") / "synth/published.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


_Found = dict[tuple[str, str], float]


def _of_size(census: Census) -> _Found:
    counts = census.counts
    return {
        ("Size", "Districts"): len(census.districts),
        ("Size", "Schools"): counts["SchoolInfo", ""],
        ("Size", "Students"): counts["StudentPersonal", ""],
        ("Size", "Teachers"): counts["teachers", ""],
        ("Size", "Classes"): counts["SectionInfo", ""],
        ("Size", "Seats in classes"): counts["seats", ""],
        ("Staffing", "students per teacher"): counts["StudentPersonal", ""] / counts["teachers", ""],
        ("Staffing", "teachers who stayed"): 100 * counts["stayed", ""] / counts["EmploymentRecord", ""],
    }


def _of_students(census: Census) -> _Found:
    groups = {"grade": "Students by grade", "race": "Students by race", "gender": "Students by gender"}
    totals = {kind: sum(n for (of, _), n in census.counts.items() if of == kind) for kind in groups}
    measures = [(row["group"], row["measure"]) for row in published()]
    return {
        (group, measure): 100 * census.counts[kind, measure] / totals[kind]
        for kind, group in groups.items()
        for other, measure in measures
        if other == group
    }


_QUARTERS: Final = {"a quarter": 1, "half": 2, "three quarters": 3}


def _of_schools(census: Census) -> _Found:
    sizes = {"Districts by students": sorted(census.districts)}
    sizes["Schools by students"] = sorted(size for _, size in census.schools)
    found: _Found = {
        (group, f"{words} are smaller than"): ranked[len(ranked) * n // 4]
        for group, ranked in sizes.items()
        for words, n in _QUARTERS.items()
    }
    for measure, shares in census.shares.items():
        ranked_shares = sorted(shares)
        for words, n in _QUARTERS.items():
            found["Between districts", f"{measure}: {words} have less than"] = ranked_shares[len(shares) * n // 4]
    found["Districts by students", "the largest has"] = max(census.districts)
    found["Districts by students", "of one school"] = census.single
    for level in LEVELS:
        of_level = [size for other, size in census.schools if other == level]
        found["Schools by students", f"{level} schools: number"] = len(of_level)
        found["Schools by students", f"{level} schools: mean size"] = sum(of_level) / max(1, len(of_level))
    return found


def _of_levels(census: Census) -> _Found:
    year, counts = school_year(SCHOOL_YEAR, TODAY), census.counts
    a_year = 100 * len(year.days) / year.until
    found: _Found = {}
    for level in ("", *LEVELS):
        schools = f"{level} schools"
        summaries = max(1, counts["summaries", level])
        rate = 100 * counts["half days attended", level] / max(1, counts["half days", level])
        found["Attendance", f"rate, {schools}" if level else "rate"] = rate
        chronic = f"a tenth or more, {schools}" if level else "absent a tenth of the days or more"
        found["Attendance", chronic] = 100 * counts["chronic", level] / summaries
        size = counts["seats", level] / max(1, counts["classes", level])
        found["Class size", schools if level else "mean"] = size
        disciplined = a_year * counts["incidents", level] / summaries
        found["Discipline", schools if level else "students disciplined in a year"] = disciplined
    return found


def table(found: list[Figure]) -> str:
    """Write figures as CSV, as they are kept beside the page."""
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Figure._fields)
    writer.writerows([*figure[:4], _plain(figure.published), _plain(figure.synthetic)] for figure in found)
    return out.getvalue()


def _plain(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def read(text: str) -> list[Figure]:
    """Read figures that `table` wrote."""
    rows = csv.DictReader(text.splitlines())
    return [
        Figure(r["group"], r["measure"], r["unit"], r["year"], float(r["published"]), float(r["synthetic"]))
        for r in rows
    ]
