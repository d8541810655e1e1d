"""EmploymentRecord, StaffAssignment, StaffSectionAssignment and StaffEvaluation of a district: who does what."""

from collections.abc import Iterator
from datetime import date, timedelta

from sif_pipeline.synth.organization import Class, classes
from sif_pipeline.synth.parts import Draw, SynthObject, grade_levels, lot, one_of, table
from sif_pipeline.synth.plan import Plan

_KEPT = 0.85  # of the teachers of one year are there in the next
_YEARS_STAYED = 25
_RATING = table(("Proficient", 84), ("Exemplary", 12), ("Needs improvement", 3), ("Unsatisfactory", 1))
# Classroom teacher and paraprofessional: the standard's function, the state's job class (WA07) and assignment (WA08).
_TEACHER, _AIDE = ("1000", "2305", "000"), ("1000", "4100", "000")


def employment_record(plan: Plan) -> Iterator[SynthObject]:
    """Yield one per member of staff; 15 in a hundred are new this year."""
    draw = plan.random("EmploymentRecord").random
    lea = plan.ref_id("LEAInfo", 0)
    for number in range(plan.staff):
        ref, staff = plan.ref_id("EmploymentRecord", number), plan.ref_id("StaffPersonal", number)
        years = _years_stayed(staff)
        xml = (
            f'<EmploymentRecord RefId="{ref}" SIF_RefId="{staff}" SIF_RefObject="StaffPersonal">'
            f"<LEAInfoRefId>{lea}</LEAInfoRefId><Active>true</Active><FullTimeStatus>0843</FullTimeStatus>"
            f"<HireDate>{_hired(plan, years, draw)}</HireDate>"
            f"<TotalYearsExperience>{years + int(draw() * 5)}</TotalYearsExperience>"
            '<SIF_ExtendedElements><SIF_ExtendedElement Name="MAEmploymentStatus">01</SIF_ExtendedElement>'
            "</SIF_ExtendedElements></EmploymentRecord>"
        )
        yield SynthObject("EmploymentRecord", ref, xml.encode())


def _years_stayed(staff: str) -> int:
    return 0 if lot(staff) >= _KEPT else 1 + int(lot(staff) / _KEPT * _YEARS_STAYED)


def _hired(plan: Plan, years: int, draw: Draw) -> str:
    """Return a day of the two months before a school year `years` ago."""
    first = date.fromisoformat(plan.year.days[0])
    return (first.replace(year=first.year - years, day=1) - timedelta(days=int(draw() * 60))).isoformat()


def staff_assignment(plan: Plan) -> Iterator[SynthObject]:
    """Yield the one, primary job of every member of staff: teachers where they teach first, others in turn."""
    where = _first_classes(plan)
    for number in range(plan.staff):
        ref, staff = plan.ref_id("StaffAssignment", number), plan.ref_id("StaffPersonal", number)
        first = where.get(number)
        school = first.school if first else plan.schools[number % len(plan.schools)]
        function, job, subject = _TEACHER if number < plan.teachers else _AIDE
        xml = (
            f'<StaffAssignment RefId="{ref}" SchoolInfoRefId="{school.ref_id}" SchoolYear="{plan.year.number}" '
            f'StaffPersonalRefId="{staff}"><PrimaryAssignment>Yes</PrimaryAssignment>'
            f"<JobStartDate>{plan.year.days[0]}</JobStartDate><JobFTE>1.00</JobFTE>"
            f"<JobFunction><Code>{function}</Code>{_other_code(job)}</JobFunction>"
            f"<TeachingAssignment><Code>9999</Code>{_other_code(subject)}</TeachingAssignment>"
            f"{grade_levels([first.grade] if first else [grade for grade, _ in school.grades])}</StaffAssignment>"
        )
        yield SynthObject("StaffAssignment", ref, xml.encode())


def _first_classes(plan: Plan) -> dict[int, Class]:
    found: dict[int, Class] = {}
    for one in classes(plan):
        found.setdefault(one.teacher, one)
    return found


def _other_code(code: str) -> str:
    return f'<OtherCodeList><OtherCode Codeset="Other">{code}</OtherCode></OtherCodeList>'


def staff_evaluation(plan: Plan) -> Iterator[SynthObject]:
    """Yield last spring's evaluation of every teacher who was there already."""
    draw, where = plan.random("StaffEvaluation").random, _first_classes(plan)
    for number in range(plan.teachers):
        staff = plan.ref_id("StaffPersonal", number)
        if not _years_stayed(staff):
            continue
        ref, first = plan.ref_id("StaffEvaluation", number), where.get(number)
        school = first.school if first else plan.schools[number % len(plan.schools)]
        xml = (
            f'<StaffEvaluation RefId="{ref}"><StaffPersonalRefId>{staff}</StaffPersonalRefId>'
            f"<SchoolInfoRefId>{school.ref_id}</SchoolInfoRefId>"
            f"<EvaluationDate>{plan.year.number - 1}-05-{1 + number % 28:02d}</EvaluationDate>"
            "<EvaluationSystem>Educator evaluation</EvaluationSystem>"
            f"<EvaluationHolisticScore>{one_of(draw, _RATING)}</EvaluationHolisticScore>"
            "<EvaluationHolisticScale>Four levels</EvaluationHolisticScale></StaffEvaluation>"
        )
        yield SynthObject("StaffEvaluation", ref, xml.encode())


def count_evaluations(plan: Plan) -> int:
    """Return how many teachers were evaluated last spring."""
    return sum(_years_stayed(plan.ref_id("StaffPersonal", number)) > 0 for number in range(plan.teachers))


def staff_section_assignment(plan: Plan) -> Iterator[SynthObject]:
    """Yield the teacher of record of every section."""
    for one in classes(plan):
        ref, section = plan.ref_id("StaffSectionAssignment", one.number), plan.ref_id("SectionInfo", one.number)
        xml = (
            f'<StaffSectionAssignment RefId="{ref}">'
            f"<StaffPersonalRefId>{plan.ref_id('StaffPersonal', one.teacher)}</StaffPersonalRefId>"
            f"<SectionInfoRefId>{section}</SectionInfoRefId>"
            f"<AssignmentStartDate>{plan.year.days[0]}T00:00:00</AssignmentStartDate>"
            "<TeacherOfRecord>Yes</TeacherOfRecord><Roles><Role>LeadTeacher</Role></Roles>"
            "<PercentResponsible>100</PercentResponsible></StaffSectionAssignment>"
        )
        yield SynthObject("StaffSectionAssignment", ref, xml.encode(), section=section)
