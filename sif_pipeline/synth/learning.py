"""StudentSectionEnrollment of a district: the rosters of the sections whose courses earn credits."""

from collections.abc import Iterator

from sif_pipeline.synth.organization import COURSES, HIGH_SCHOOL, parallel
from sif_pipeline.synth.parts import SynthObject
from sif_pipeline.synth.plan import GRADES, Plan, Spell

_TAKEN = COURSES - 1  # eight each, as in Massachusetts; advisory earns nothing
_GRADES = frozenset(HIGH_SCHOOL) - {GRADES[-1]}


def student_section_enrollment(plan: Plan) -> Iterator[SynthObject]:
    """Yield eight sections for every student of grades 9 to 12, as long as the first enrollment lasts."""
    for spell, first, step in _seated(plan):
        student = plan.ref_id("StudentPersonal", spell.student)
        for course in range(_TAKEN):
            ref = plan.ref_id("StudentSectionEnrollment", spell.student * COURSES + course)
            section = plan.ref_id("SectionInfo", first + course * step)
            xml = (
                f'<StudentSectionEnrollment RefId="{ref}" StudentPersonalRefId="{student}" '
                f'SectionInfoRefId="{section}" SchoolYear="{plan.year.number}">{_dates(plan, spell)}'
                '<SIF_ExtendedElements><SIF_ExtendedElement Name="CourseEnrollmentStatus">'
                f"{'01' if spell.exit is None else '04'}</SIF_ExtendedElement></SIF_ExtendedElements>"
                "</StudentSectionEnrollment>"
            )
            yield SynthObject("StudentSectionEnrollment", ref, xml.encode(), student, section)


def count_enrollments(plan: Plan) -> int:
    """Return how many section enrollments the district has."""
    return sum(_TAKEN * count for school in plan.schools for grade, count in school.grades if grade in _GRADES)


def _seated(plan: Plan) -> Iterator[tuple[Spell, int, int]]:
    """Yield (first enrollment, number of the first course's section, from there to the next course's)."""
    starts = (spell for spell in plan.spells() if spell.number % 2 == 0)
    first = 0
    for school in plan.schools:
        for grade, count in school.grades:
            sections = parallel(count)
            for place in range(count):
                spell = next(starts)
                if grade in _GRADES:
                    yield spell, first + place * sections // count, sections
            first += COURSES * sections


def _dates(plan: Plan, spell: Spell) -> str:
    left = "" if spell.exit is None else f"<ExitDate>{plan.year.days[spell.exit]}</ExitDate>"
    return f"<EntryDate>{plan.year.days[spell.entry]}</EntryDate>{left}"
