"""StudentSectionEnrollment of a district: the rosters of its sections."""

from collections.abc import Container, Iterator

from sif_pipeline.synth.organization import COURSES, parallel
from sif_pipeline.synth.parts import SynthObject
from sif_pipeline.synth.plan import GRADES, Plan, Spell

# Advisory has no roster; up to grade 5 only the core subjects have one of their own. Neither have PK and SP.
_TAKEN = {**dict.fromkeys(GRADES[1:7], 4), **dict.fromkeys(GRADES[7:14], COURSES - 1)}


def student_section_enrollment(plan: Plan) -> Iterator[SynthObject]:
    """Yield four sections for every student of grades K to 5 and eight of 6 to 12, while the enrollment lasts."""
    for spell, first, step in seated(plan, _TAKEN):
        student = plan.ref_id("StudentPersonal", spell.student)
        ends = (
            f'SchoolYear="{plan.year.number}">{_dates(plan, spell)}'
            '<SIF_ExtendedElements><SIF_ExtendedElement Name="CourseEnrollmentStatus">'
            f"{'01' if spell.exit is None else '04'}</SIF_ExtendedElement></SIF_ExtendedElements>"
            "</StudentSectionEnrollment>"
        )
        for course in range(_TAKEN[spell.grade]):
            ref = plan.ref_id("StudentSectionEnrollment", spell.student * COURSES + course)
            section = plan.ref_id("SectionInfo", first + course * step)
            xml = (
                f'<StudentSectionEnrollment RefId="{ref}" StudentPersonalRefId="{student}" '
                f'SectionInfoRefId="{section}" {ends}'
            )
            yield SynthObject("StudentSectionEnrollment", ref, xml.encode(), student, section)


def count_enrollments(plan: Plan) -> int:
    """Return how many section enrollments the district has."""
    return sum(_TAKEN.get(grade, 0) * count for school in plan.schools for grade, count in school.grades)


def seated(plan: Plan, grades: Container[str]) -> Iterator[tuple[Spell, int, int]]:
    """Yield (first enrollment, number of the first course's section, from there to the next course's) by grade."""
    starts = (spell for spell in plan.spells() if spell.number % 2 == 0)
    first = 0
    for school in plan.schools:
        for grade, count in school.grades:
            sections = parallel(count, grade)
            for place in range(count):
                spell = next(starts)
                if grade in grades:
                    yield spell, first + place * sections // count, sections
            first += COURSES * sections


def _dates(plan: Plan, spell: Spell) -> str:
    left = "" if spell.exit is None else f"<ExitDate>{plan.year.days[spell.exit]}</ExitDate>"
    return f"<EntryDate>{plan.year.days[spell.entry]}</EntryDate>{left}"
