"""StaffPersonal and StudentPersonal of a district: people who do not exist."""

from collections.abc import Iterator
from datetime import date
from functools import lru_cache

from sif_pipeline.synth.names import BIRTH_COUNTRIES, STREETS, TOWNS
from sif_pipeline.synth.parts import (
    Draw,
    SynthObject,
    address,
    email,
    ethnicity,
    lot,
    name_of_record,
    one_of,
    phone,
    table,
    yes,
)
from sif_pipeline.synth.plan import GRADES, Plan, Seat
from sif_pipeline.synth.services import SERVED

# Massachusetts 2025-26. SIF's codes are M, F and U; the state's N (non-binary) travels beside U, see below.
_GENDER = table(("M", 5128), ("F", 4858), ("U", 14))
_NON_BINARY = (
    '<SIF_ExtendedElements><SIF_ExtendedElement Name="MAGender">N</SIF_ExtendedElement></SIF_ExtendedElements>'
)
# About a quarter of the students first spoke another language than English, half of them are learning it.
_LANGUAGES = (
    *(("eng", 7400), ("spa", 1300), ("por", 480), ("hat", 160), ("chi", 150), ("vie", 90), ("ara", 90)),
    *(("cpp", 80), ("rus", 50), ("khm", 40), ("fre", 40), ("som", 20), ("nep", 20), ("amh", 20), ("ukr", 60)),
)
_LEARNERS, _NEWCOMERS = 0.52, 0.3
_NATIVE_SPEAKER, _LEARNER, _REDESIGNATED = "1633", "2349", "1636"
# Years from the autumn of the school year back to the September in which the birthdays of a grade begin.
_YEARS_BACK = {"PK": 5, **{grade: 5 + n for n, grade in enumerate(GRADES[1:], 1)}}


def staff_personal(plan: Plan) -> Iterator[SynthObject]:
    """Yield the teachers first, then everyone else who works in the district."""
    draw = plan.random("StaffPersonal").random
    oldest = date(plan.year.number - 67, 1, 1).toordinal()
    for number in range(plan.staff):
        ref = plan.ref_id("StaffPersonal", number)
        licence = f'<OtherIdList><OtherId Type="0399">9{number:06d}</OtherId></OtherIdList>'
        xml = (
            f'<StaffPersonal RefId="{ref}"><LocalId>T{number:05d}</LocalId>'
            f"<StateProvinceId>9{plan.number:03d}{number:04d}</StateProvinceId>"
            f"{licence if draw() < 0.8 else ''}{name_of_record(draw)}"
            f"<Demographics>{one_of(draw, ethnicity())}<Gender>{'F' if draw() < 0.76 else 'M'}</Gender>"
            f"<BirthDate>{date.fromordinal(oldest + int(draw() * 16_000)).isoformat()}</BirthDate>"
            f"</Demographics><Title>{'Teacher' if number < plan.teachers else 'Paraprofessional'}</Title>"
            f"{email(f't{number:05d}', plan.code)}</StaffPersonal>"
        )
        yield SynthObject("StaffPersonal", ref, xml.encode())


def student_personal(plan: Plan) -> Iterator[SynthObject]:
    """Yield every student, school by school and grade by grade."""
    draw = plan.random("StudentPersonal").random
    for seat in plan.seats():
        ref = plan.ref_id("StudentPersonal", seat.number)
        yield SynthObject("StudentPersonal", ref, _student(plan, seat, ref, draw).encode())


def _student(plan: Plan, seat: Seat, ref: str, draw: Draw) -> str:
    number, year = seat.number, plan.year.number
    language, gender = one_of(draw, _languages(plan.need)), one_of(draw, _GENDER)
    learner = language != "eng" and draw() < _LEARNERS
    newcomer = learner and draw() < _NEWCOMERS
    proficiency = _LEARNER if learner else _NATIVE_SPEAKER if language == "eng" else _REDESIGNATED
    line = f"{1 + int(draw() * 400)} {one_of(draw, STREETS)}"
    return (
        f'<StudentPersonal RefId="{ref}"><LocalId>S{number:05d}</LocalId>'
        f"<StateProvinceId>{plan.state_id(number)}</StateProvinceId>{name_of_record(draw)}"
        f"<Demographics>{one_of(draw, ethnicity(plan.need))}<Gender>{gender}</Gender>"
        f"<BirthDate>{_birth_date(seat.grade, year, draw)}</BirthDate>"
        f"<PlaceOfBirth>{one_of(draw, TOWNS)}</PlaceOfBirth>"
        f"<CountryOfBirth>{one_of(draw, BIRTH_COUNTRIES) if newcomer else 'US'}</CountryOfBirth>"
        f"<EnglishProficiency><Code>{proficiency}</Code></EnglishProficiency><LanguageList><Language>"
        f"<Code>{language}</Code><LanguageType>1038</LanguageType></Language></LanguageList></Demographics>"
        f"{address(line, TOWNS[plan.number - 1], plan.number)}{phone(int(draw() * 98))}"
        f"{email(f's{number:05d}', plan.code)}"
        f"<OnTimeGraduationYear>{year + max(0, 13 - GRADES.index(seat.grade))}</OnTimeGraduationYear>"
        f"<IDEA>{'Yes' if lot(ref) < SERVED else 'No'}</IDEA><Migrant>{yes(draw, 0.0005)}</Migrant>"
        f"<EconomicDisadvantage>{yes(draw, 0.42 * (1 + 0.8 * plan.need))}</EconomicDisadvantage>"
        f"<ELL>{'Yes' if learner else 'No'}</ELL><Homeless>{yes(draw, 0.03)}</Homeless>"
        f"<Section504>{yes(draw, 0.06)}</Section504><Immigrant>{'Yes' if newcomer else 'No'}</Immigrant>"
        f"{_first_enrollment(plan, draw) if newcomer else ''}{_NON_BINARY if gender == 'U' else ''}"
        "</StudentPersonal>"
    )


@lru_cache(maxsize=4)
def _languages(need: float) -> tuple[str, ...]:
    """Return the first languages in their shares: English, and the others moved by a district's need."""
    (english, _), *others = _LANGUAGES
    moved = [(language, round(share * (1 + 0.9 * need))) for language, share in others]
    return table((english, 10_000 - sum(share for _, share in moved)), *moved)


def _first_enrollment(plan: Plan, draw: Draw) -> str:
    """Write when a newcomer entered a school on the first day of this year or in the last."""
    first = plan.year.days[0] if draw() < 0.2 else f"{plan.year.number - 1}-04-0{1 + int(draw() * 9)}"
    return f"<FirstUSEnrollment>{first}</FirstUSEnrollment>"


def _birth_date(grade: str, year: int, draw: Draw) -> str:
    """Draw a birthday that makes the student the grade's age on 1 September; one in 25 is a year older."""
    back = _YEARS_BACK[grade]
    if grade == "SP":
        back += int(draw() * 3)
    elif grade != "PK" and draw() < 0.04:
        back += 1
    return date.fromordinal(date(year - 1 - back, 9, 1).toordinal() + int(draw() * 365)).isoformat()
