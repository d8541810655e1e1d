"""LEAInfo, SchoolInfo, TermInfo, SchoolCourseInfo and SectionInfo of a district: all that has no student."""

from collections.abc import Iterator
from typing import NamedTuple

from sif_pipeline.synth.names import FAMILY_NAMES, GIVEN_NAMES, STREETS, TOWNS
from sif_pipeline.synth.parts import SynthObject, address, grade_levels, one_of, phone
from sif_pipeline.synth.plan import GRADES, Plan, School

HIGH_SCHOOL, MIDDLE_SCHOOL = GRADES[10:], GRADES[7:10]
"""The grades whose courses earn credits, and those before them."""

_CLASS_SIZES = {
    **dict.fromkeys(GRADES, 17.95),
    **dict.fromkeys(MIDDLE_SCHOOL, 18.1),
    **dict.fromkeys(HIGH_SCHOOL, 15.7),
}  # means of 2024-25 over elementary, middle and high schools


def lea_info(plan: Plan) -> Iterator[SynthObject]:
    """Yield the district itself."""
    ref, town = plan.ref_id("LEAInfo", 0), TOWNS[plan.number - 1]
    grades = dict.fromkeys(grade for school in plan.schools for grade, _ in school.grades)
    xml = (
        f'<LEAInfo RefId="{ref}"><LocalId>{plan.number}</LocalId>'
        f"<StateProvinceId>{plan.code}</StateProvinceId><LEAName>{town} Public Schools</LEAName>"
        f"<EducationAgencyType><Code>3486</Code></EducationAgencyType>{phone(0)}"
        f"{address(f'1 {STREETS[0]}', town, plan.number)}{grade_levels(sorted(grades, key=GRADES.index))}"
        "<OperationalStatus>0106</OperationalStatus></LEAInfo>"
    )
    yield SynthObject("LEAInfo", ref, xml.encode())


def school_info(plan: Plan) -> Iterator[SynthObject]:
    """Yield every school."""
    draw = plan.random("SchoolInfo").random
    lea, town = plan.ref_id("LEAInfo", 0), TOWNS[plan.number - 1]
    for school in plan.schools:
        principal = f"{one_of(draw, GIVEN_NAMES)} {one_of(draw, FAMILY_NAMES)}"
        line = f"{school.number} {one_of(draw, STREETS)}"
        xml = (
            f'<SchoolInfo RefId="{school.ref_id}"><LocalId>{school.number}</LocalId>'
            f"<StateProvinceId>{school.code}</StateProvinceId><SchoolName>{school.name}</SchoolName>"
            f"<LEAInfoRefId>{lea}</LEAInfoRefId><SchoolType>{school.level}</SchoolType>"
            f"<PrincipalInfo><ContactName>{principal}</ContactName></PrincipalInfo>"
            f"{address(line, town, plan.number)}{phone(school.number)}{grade_levels(dict(school.grades))}"
            f"<Title1Status>{one_of(draw, ('NA', 'Targeted', 'SchoolWide'))}</Title1Status>"
            "<OperationalStatus>0820</OperationalStatus></SchoolInfo>"
        )
        yield SynthObject("SchoolInfo", school.ref_id, xml.encode())


def term_info(plan: Plan) -> Iterator[SynthObject]:
    """Yield the full year and two semesters of every school; code 01 is the state's, S1 and S2 are ours."""
    days, middle = plan.year.days, plan.year.middle
    terms = (
        ("01", "Full year", "0827", days[0], days[-1], "1"),
        ("S1", "Semester 1", "0828", days[0], days[middle - 1], "0.5"),
        ("S2", "Semester 2", "0828", days[middle], days[-1], "0.5"),
    )
    for school in plan.schools:
        for n, (code, text, span, first, last, part) in enumerate(terms):
            ref = term_ref(plan, school, n)
            xml = (
                f'<TermInfo RefId="{ref}" SchoolInfoRefId="{school.ref_id}" SchoolYear="{plan.year.number}">'
                f"<StartDate>{first}</StartDate><EndDate>{last}</EndDate><Description>{text}</Description>"
                f"<RelativeDuration>{part}</RelativeDuration><TermCode>{code}</TermCode>"
                f"<TermSpan><Code>{span}</Code></TermSpan><MarkingTerm>Yes</MarkingTerm>"
                "<SchedulingTerm>Yes</SchedulingTerm></TermInfo>"
            )
            yield SynthObject("TermInfo", ref, xml.encode())


_SUBJECTS = (
    *(("51", "Language Arts"), ("52", "Mathematics"), ("53", "Science"), ("54", "Social Studies")),
    *(("55", "Arts"), ("56", "World Language"), ("58", "Physical Education"), ("60", "Computers")),
    ("72", "Advisory"),
)
COURSES = len(_SUBJECTS)
"""Courses that one grade is taught; the last one is advisory."""

# SCED codes of grades 9 to 12, subject by subject as above.
_HIGH_SCHOOL_CODES = (
    ("01001", "02052", "03051", "04051", "05051", "06101", "08001", "10001", "22106"),
    ("01002", "02056", "03101", "04053", "05101", "06102", "08002", "10004", "19251"),
    ("01003", "02106", "03151", "04101", "05154", "06103", "08005", "10152", "12051"),
    ("01004", "02121", "03003", "04151", "05167", "06104", "08009", "10157", "12104"),
)
_CORE = 4  # the first subjects are the core academic ones


def _courses_of(grade: str) -> Iterator[tuple[str, str]]:
    """Yield (state course code, title) of the nine courses one grade is taught."""
    place = GRADES.index(grade)
    for n, (subject, title) in enumerate(_SUBJECTS):
        if grade in HIGH_SCHOOL:
            yield _HIGH_SCHOOL_CODES[min(place - 10, 3)][n], f"{title}, grade {grade}"
        else:
            yield f"{subject}{29 + place:03d}", f"{title}, grade {grade}"


def school_course_info(plan: Plan) -> Iterator[SynthObject]:
    """Yield what every school teaches: nine courses for each of its grades."""
    for school, grade, _ in _grades(plan):
        credit = ("0585", "1.0") if grade in HIGH_SCHOOL else ("9998", "0")
        for n, (code, title) in enumerate(_courses_of(grade)):
            ref = _course_ref(plan, school, grade, n)
            xml = (
                f'<SchoolCourseInfo RefId="{ref}" SchoolInfoRefId="{school.ref_id}" '
                f'SchoolYear="{plan.year.number}"><CourseCode>{code}-{grade}</CourseCode>'
                f"<StateCourseCode>{code}</StateCourseCode>"
                f"<DistrictCourseCode>{code}-{grade}</DistrictCourseCode>"
                f"<SubjectAreaList><SubjectArea><Code>{code[:2]}</Code></SubjectArea></SubjectAreaList>"
                f"<CourseTitle>{title}</CourseTitle><InstructionalLevel><Code>0571</Code></InstructionalLevel>"
                f'<CourseCredits Type="{credit[0]}">{credit[1]}</CourseCredits>'
                f"<CoreAcademicCourse>{'Yes' if n < _CORE else 'No'}</CoreAcademicCourse></SchoolCourseInfo>"
            )
            yield SynthObject("SchoolCourseInfo", ref, xml.encode())


class Class(NamedTuple):
    """One section of a course: whom it teaches, and who teaches it."""

    number: int  #: of the section within the district, from 0
    school: School
    grade: str
    course: int  #: of the grade's courses, from 0
    section: int  #: of the course's sections, from 0
    teacher: int  #: number of the StaffPersonal


def classes(plan: Plan) -> Iterator[Class]:
    """Yield every section in the order of schools, grades and courses."""
    for number, (school, grade, course, section) in enumerate(_sections(plan)):
        yield Class(number, school, grade, course, section, number // 5 % plan.teachers)


def section_info(plan: Plan) -> Iterator[SynthObject]:
    """Yield every class: 16 to 18 students each, with its terms, its teacher and its period."""
    for number, school, grade, course, section, teacher in classes(plan):
        ref = plan.ref_id("SectionInfo", number)
        schedule = _schedule(plan, school, grade, course, section, plan.ref_id("StaffPersonal", teacher))
        xml = (
            f'<SectionInfo RefId="{ref}" SchoolYear="{plan.year.number}" '
            f'SchoolCourseInfoRefId="{_course_ref(plan, school, grade, course)}">'
            f"<LocalId>{school.number}-{grade}-{course}-{section}</LocalId>"
            f"<ScheduleInfoList>{schedule}</ScheduleInfoList>"
            "<MediumOfInstruction><Code>0605</Code></MediumOfInstruction>"
            f"<CourseSectionCode>{section + 1:02d}</CourseSectionCode>"
            f"<CountForAttendance>{'No' if course else 'Yes'}</CountForAttendance></SectionInfo>"
        )
        yield SynthObject("SectionInfo", ref, xml.encode())


def _schedule(  # noqa: PLR0913, PLR0917 -- the parts of a class's place and time
    plan: Plan, school: School, grade: str, course: int, section: int, teacher: str
) -> str:
    # In high school every third course is split over the semesters; a term stands once within a section.
    return "".join(
        f'<ScheduleInfo TermInfoRefId="{term_ref(plan, school, term)}">'
        f"<TeacherList><StaffPersonalRefId>{teacher}</StaffPersonalRefId></TeacherList>"
        f"<MeetingTimeList><MeetingTime><TimetableDay>{course % 5 + 1}</TimetableDay>"
        f"<TimetablePeriod>{section % 7 + 1}</TimetablePeriod></MeetingTime></MeetingTimeList></ScheduleInfo>"
        for term in terms_of(grade, course)
    )


def count_courses(plan: Plan) -> int:
    """Return how many courses the district has."""
    return sum(COURSES for _ in _grades(plan))


def count_sections(plan: Plan) -> int:
    """Return how many sections the district has."""
    return sum(COURSES * parallel(students, grade) for _, grade, students in _grades(plan))


def _grades(plan: Plan) -> Iterator[tuple[School, str, int]]:
    return ((school, grade, students) for school in plan.schools for grade, students in school.grades)


def _sections(plan: Plan) -> Iterator[tuple[School, str, int, int]]:
    for school, grade, students in _grades(plan):
        for course in range(COURSES):
            for section in range(parallel(students, grade)):
                yield school, grade, course, section


def parallel(students: int, grade: str) -> int:
    """Return how many classes a grade of so many students is taught in, by the state's mean class sizes."""
    return max(1, round(students / _CLASS_SIZES[grade]))


def terms_of(grade: str, course: int) -> tuple[int, ...]:
    """Return the terms a course is taught in: 0 is the full year, 1 and 2 are the semesters."""
    return (1, 2) if grade in HIGH_SCHOOL and course % 3 == 2 else (0,)


def term_ref(plan: Plan, school: School, term: int) -> str:
    """Return the RefId of a school's term by its number."""
    return plan.ref_id("TermInfo", school.number * 3 + term)


def _course_ref(plan: Plan, school: School, grade: str, course: int) -> str:
    return plan.ref_id("SchoolCourseInfo", (school.number * 16 + GRADES.index(grade)) * 16 + course)
