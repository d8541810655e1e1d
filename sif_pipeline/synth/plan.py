"""How a district is cut into schools and grades, and who goes where, before any object is written.

Everything is a pure function of (seed, district number): a district never depends on how many others there
are. Sizes follow the figures Massachusetts publishes: median district 1,391 students, median school 437, the
grades of 2025-26.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from random import Random
from typing import NamedTuple

from sif_pipeline.synth.names import SCHOOL_NAMES
from sif_pipeline.synth.school_year import SchoolYear

GRADES = ("PK", "KG", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11", "12", "SP")
STATE_ENROLLMENT = (
    *(30779, 60871, 62836, 64067, 65117, 67343, 65468, 66427),
    *(67088, 67427, 71173, 69998, 69622, 70385, 1886),
)
"""Students of each grade in 2025-26."""

# District sizes as multiples of their mean at even steps of rank, read off the 2016-17 quantiles (2 to 53,263
# students); the last one stands for the few cities.
_DISTRICT_SIZES = (
    *(0.01, 0.05, 0.09, 0.13, 0.17, 0.21, 0.27, 0.34, 0.42, 0.50, 0.59),
    *(0.68, 0.78, 0.90, 1.03, 1.19, 1.42, 1.75, 2.26, 3.40, 7.64),
)
MAX_DISTRICTS, MAX_STUDENTS = 999, 99_999


class Cuts(NamedTuple):
    """How a district is cut into schools, by its students and theirs."""

    single: int = 600  #: a smaller district is one school
    two: int = 1_200  #: a smaller one has an elementary and a high school
    elementary: int = 430  #: students of a typical school
    middle: int = 590
    high: int = 1_100


class Character(NamedTuple):
    """In what a district differs from the state as a whole."""

    weights: Sequence[float] = STATE_ENROLLMENT  #: how many students each grade has, relative to the others
    single: bool = False  #: it is one school
    need: float = 0.0  #: -1 to 1: poverty, mixture and absence below or above the state's means
    cuts: Cuts = Cuts()


class School(NamedTuple):
    """One school: its place in the district, and how many students each grade has."""

    number: int
    ref_id: str
    code: str  #: the eight digits the state knows it by
    level: str  #: SIF's SchoolType
    name: str
    grades: tuple[tuple[str, int], ...]  #: (grade, students), lowest grade first

    @property
    def students(self) -> int:
        """Return how many students go here."""
        return sum(count for _, count in self.grades)


class Seat(NamedTuple):
    """One student's place at the start of the year."""

    number: int  #: of the student within the district, from 0
    school: School
    grade: str


class Spell(NamedTuple):
    """One enrollment of one student: from where to where in the school year's days, and why it ended."""

    number: int  #: of the enrollment: twice the student's, plus one for the second
    student: int
    school: School
    grade: str
    membership: str  #: Home or Concurrent
    entry: int  #: position of the first day in SchoolYear.days
    exit: int | None  #: position of the last day, None while it lasts
    reason: tuple[str, str] | None  #: SIF exit type and the state's DOE012 code ("" for none)
    share: str  #: FTE


@dataclass(frozen=True, slots=True)
class Plan:
    """A district's numbers: who it is, its schools, and the seed everything else is drawn from."""

    seed: int
    number: int  #: of the district, from 1
    code: str  #: 0999 and the number: an LEA code no Massachusetts district has
    size: int  #: students
    year: SchoolYear
    schools: tuple[School, ...]
    need: float = 0.0  #: as in Character

    def random(self, stream: str) -> Random:
        """Return the generator of one stream of choices; streams do not disturb each other."""
        return Random(f"{self.seed}/{self.code}/{stream}")

    def ref_id(self, kind: str, number: int) -> str:
        """Return the RefId of one object of a kind by its number: 32 hexadecimal digits, computed."""
        return ref_id(self.seed, self.code, kind, number)

    def state_id(self, student: int) -> str:
        """Return the state's identifier (SASID) of a student: 99, district and number."""
        return f"99{self.number:03d}{student:05d}"

    @property
    def teachers(self) -> int:
        """How many of the staff teach; they are the first numbers."""
        return max(2 * len(self.schools), round(self.size / 11.05))

    @property
    def staff(self) -> int:
        """How many work here: teachers, and one other for every four of them."""
        return self.teachers + self.teachers // 4 + 1

    def seats(self) -> Iterator[Seat]:
        """Every student in the order of schools and grades."""
        number = 0
        for school in self.schools:
            for grade, count in school.grades:
                for _ in range(count):
                    yield Seat(number, school, grade)
                    number += 1

    def spells(self) -> Iterator[Spell]:
        """Every enrollment in the order of students; always the same ones, so that they need not be kept."""
        draw = self.random("spells").random
        by_grade = _schools_by_grade(self.schools)
        last = self.year.until - 1
        for seat in self.seats():
            yield from _spells_of(seat, by_grade, last, draw(), draw())


def ref_id(seed: int, code: str, kind: str, number: int) -> str:
    """Return an identifier of 32 upper-case hexadecimal digits that depends on nothing but the arguments."""
    return blake2b(f"{seed}/{code}/{kind}/{number}".encode(), digest_size=16).hexdigest().upper()


def plan(  # noqa: PLR0913 -- what a district follows from
    seed: int,
    number: int,
    students: int,
    year: SchoolYear,
    *,
    varied: bool = True,
    character: Character = Character(),  # noqa: B008 -- never changes
) -> Plan:
    """Return the plan of district `number` (1 to 999) of a state whose districts have `students` on average.

    With `varied` the sizes spread as Massachusetts' do, evenly over any run of districts; without it every
    district has exactly `students`. Raise ValueError outside those limits.
    """
    if not 1 <= number <= MAX_DISTRICTS or students < 1:
        raise ValueError(f"A synthetic state has 1 to {MAX_DISTRICTS} districts of at least one student.")
    size = _varied_size(seed, number, students) if varied else students
    if size > MAX_STUDENTS:
        raise ValueError(f"A synthetic district has at most {MAX_STUDENTS} students.")
    code = f"0999{number:04d}"
    random = Random(f"{seed}/{code}/schools")
    schools = tuple(_schools(random, seed, number, code, size, character))
    return Plan(seed, number, code, size, year, schools, character.need)


def _varied_size(seed: int, number: int, mean: int) -> int:
    # The golden ratio's multiples fill the unit interval evenly, however many are taken: the mean holds.
    rank = (0.5 + (number - 1) * 0.6180339887498949 + Random(f"{seed}/sizes").random() * 0.1) % 1.0 * 20
    step = int(rank)
    low, high = _DISTRICT_SIZES[step : step + 2]
    return max(2, min(MAX_STUDENTS, round(mean * (low + (high - low) * (rank - step)))))


def _schools(  # noqa: PLR0913, PLR0917 -- what schools follow from
    random: Random, seed: int, number: int, code: str, size: int, character: Character
) -> Iterator[School]:
    in_grade = dict(zip(GRADES, shares(size, character.weights), strict=True))
    school_number = 0
    levels = _one_level(in_grade) if character.single else _levels(random, size, character.cuts)
    for level, span, typical in levels:
        count = max(1, round(sum(in_grade[grade] for grade in span) / typical))
        weights = [0.4 + 1.5 * random.random() ** 2 for _ in range(count)]
        per_school = list(zip(*(shares(in_grade[grade], weights) for grade in span), strict=True))
        for students in per_school:
            grades = tuple((grade, n) for grade, n in zip(span, students, strict=True) if n)
            if grades:
                school_number += 1
                yield School(
                    school_number,
                    ref_id(seed, code, "SchoolInfo", school_number),
                    f"99{number:03d}{school_number:03d}",
                    level,
                    _school_name(random, level),
                    grades,
                )


_SUFFIX = {"1302": "School", "1304": "Elementary School", "2400": "Middle School", "2402": "High School"}


def _school_name(random: Random, level: str) -> str:
    return f"{SCHOOL_NAMES[int(random.random() * len(SCHOOL_NAMES))]} {_SUFFIX[level]}"


def _one_level(in_grade: Mapping[str, int]) -> Sequence[tuple[str, tuple[str, ...], int]]:
    """Put all grades into one school, whatever its size."""
    taught = [place for place, grade in enumerate(GRADES) if in_grade[grade]]
    high = GRADES.index("09")
    level = "2402" if taught[0] >= high else "1304" if taught[-1] < high else "1302"
    return ((level, GRADES, sum(in_grade.values())),)


def _levels(random: Random, size: int, cuts: Cuts) -> Sequence[tuple[str, tuple[str, ...], int]]:
    """Return how a district cuts its grades: (school level, grades, typical number of students)."""
    if size < cuts.single:
        return (("1302", GRADES, size),)
    middle = ("05", "06", "07")[int(random.random() * 3)] if size >= cuts.two else "07"
    cut, high = GRADES.index(middle), GRADES.index("09")
    if size < cuts.two:
        return (("1304", GRADES[:cut], size), ("2402", GRADES[cut:], size))
    return (
        ("1304", GRADES[:cut], cuts.elementary),
        ("2400", GRADES[cut:high], cuts.middle),
        ("2402", GRADES[high:], cuts.high),
    )


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """Split `total` by `weights` into whole numbers that add up to it, the largest remainders first."""
    scale = total / sum(weights)
    exact = [weight * scale for weight in weights]
    whole = [int(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda n: (whole[n] - exact[n], n))
    for n in by_remainder[: total - sum(whole)]:
        whole[n] += 1
    return whole


def _schools_by_grade(schools: Sequence[School]) -> dict[str, list[School]]:
    return {grade: [school for school in schools if grade in dict(school.grades)] for grade in GRADES}


_LATE, _LEAVING, _MOVING, _SHARED = 0.04, 0.055, 0.063, 0.073
_LEFT_FOR = (
    (("1908", "20"),) * 10
    + (("1909", "22"),) * 4
    + (("1911", "21"),) * 2
    + (("1918", "23"), ("1918", "23"), ("1916", "22"), ("1916", "22"))
)
_LEFT_SCHOOL = (("1927", "35"), ("1931", "36"), ("3500", "30"))


def _spells_of(seat: Seat, by_grade: dict[str, list[School]], last: int, fate: float, when: float) -> Iterator[Spell]:
    """Yield the enrollments of one student, decided by two numbers from 0 to below 1."""
    student, school, grade = seat
    day = 1 + int(when * last) if last else 0
    first, second = 2 * student, 2 * student + 1
    others = len(by_grade[grade]) > 1
    if fate < _LATE:
        yield Spell(first, student, school, grade, "Home", day, None, None, "1.00")
    elif fate < _LEAVING:
        yield Spell(first, student, school, grade, "Home", 0, day, _reason(grade, when), "1.00")
    elif fate < _MOVING and others and 0 < day < last:
        to = _another(school, by_grade[grade], when)
        yield Spell(first, student, school, grade, "Home", 0, day, ("1907", ""), "1.00")
        yield Spell(second, student, to, grade, "Home", day + 1, None, None, "1.00")
    elif _MOVING <= fate < _SHARED and others:
        to = _another(school, by_grade[grade], when)
        yield Spell(first, student, school, grade, "Home", 0, None, None, "0.80")
        yield Spell(second, student, to, grade, "Concurrent", 0, None, None, "0.20")
    else:
        yield Spell(first, student, school, grade, "Home", 0, None, None, "1.00")


def _reason(grade: str, when: float) -> tuple[str, str]:
    lot = int(when * 1000)
    if grade in GRADES[-5:] and lot % 4 == 0:
        return _LEFT_SCHOOL[lot // 4 % len(_LEFT_SCHOOL)]
    return _LEFT_FOR[lot % len(_LEFT_FOR)]


def _another(school: School, elsewhere: list[School], when: float) -> School:
    others = [other for other in elsewhere if other.number != school.number]
    return others[int(when * 997) % len(others)]
