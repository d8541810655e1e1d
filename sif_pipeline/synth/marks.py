"""MarkValueInfo, MarkInfo, SectionMarkInfo and StudentSectionMarks: the first quarter of grade 12, for colleges."""

from collections.abc import Iterator

from sif_pipeline.synth.learning import seated
from sif_pipeline.synth.organization import COURSES, classes, parallel, term_ref, terms_of
from sif_pipeline.synth.parts import SynthObject
from sif_pipeline.synth.plan import Plan, School

_GRADE, _CORE = "12", 4  # the last grade is marked in its first four courses, the core ones
_LETTERS = (("A", 90, "Excellent"), ("B", 80, "Good"), ("C", 70, "Fair"), ("D", 60, "Passing"), ("F", 0, "Failing"))
_VALID = "".join(
    f"<ValidMark><Code>{letter}</Code><NumericEquivalent>{least}</NumericEquivalent>"
    f"<Description>{words}</Description></ValidMark>"
    for letter, least, words in _LETTERS
)


def mark_value_info(plan: Plan) -> Iterator[SynthObject]:
    """Yield the letters and percentages of every school that has a grade 12."""
    for school in marking_schools(plan):
        ref = plan.ref_id("MarkValueInfo", school.number)
        xml = (
            f'<MarkValueInfo RefId="{ref}" SchoolInfoRefId="{school.ref_id}">'
            f"<SchoolYear>{plan.year.number}</SchoolYear>"
            '<Name>Letters and percentages</Name><Percentage IsAccepted="true"><Minimum>0</Minimum>'
            '<Maximum>100</Maximum></Percentage><Numeric IsAccepted="false"/>'
            f'<Letter IsAccepted="true">{_VALID}</Letter><Narrative IsAccepted="false"/></MarkValueInfo>'
        )
        yield SynthObject("MarkValueInfo", ref, xml.encode())


def mark_info(plan: Plan) -> Iterator[SynthObject]:
    """Yield the one kind of mark that such a school has given so far."""
    for school in marking_schools(plan):
        ref, values = _mark_ref(plan, school), plan.ref_id("MarkValueInfo", school.number)
        xml = (
            f'<MarkInfo RefId="{ref}" MarkValueInfoRefId="{values}" SchoolInfoRefId="{school.ref_id}">'
            f"<SchoolYear>{plan.year.number}</SchoolYear><Description>First quarter</Description></MarkInfo>"
        )
        yield SynthObject("MarkInfo", ref, xml.encode())


def section_mark_info(plan: Plan) -> Iterator[SynthObject]:
    """Yield what marks each core section of grade 12 gives, and in which term."""
    for one in classes(plan):
        if one.grade != _GRADE or one.course >= _CORE:
            continue
        ref, section = plan.ref_id("SectionMarkInfo", one.number), plan.ref_id("SectionInfo", one.number)
        term = term_ref(plan, one.school, terms_of(_GRADE, one.course)[0])
        xml = (
            f'<SectionMarkInfo RefId="{ref}" SectionInfoRefId="{section}" SchoolInfoRefId="{one.school.ref_id}">'
            f'<TermMarkLists><MarkInfoList TermInfoRefId="{term}"><MarkInfoRefId>{_mark_ref(plan, one.school)}'
            "</MarkInfoRefId></MarkInfoList></TermMarkLists></SectionMarkInfo>"
        )
        yield SynthObject("SectionMarkInfo", ref, xml.encode(), section=section)


def student_section_marks(plan: Plan) -> Iterator[SynthObject]:
    """Yield four marks for every student of grade 12."""
    draw = plan.random("StudentSectionMarks").random
    for spell, first, step in seated(plan, {_GRADE}):
        student, mark = plan.ref_id("StudentPersonal", spell.student), _mark_ref(plan, spell.school)
        for course in range(_CORE):
            ref = plan.ref_id("StudentSectionMarks", spell.student * COURSES + course)
            section = plan.ref_id("SectionInfo", first + course * step)
            per_cent = int(100 - 45 * draw() * draw())
            letter = next(letter for letter, least, _ in _LETTERS if per_cent >= least)
            xml = (
                f'<StudentSectionMarks RefId="{ref}" StudentPersonalRefId="{student}" SectionInfoRefId="{section}" '
                f'TermInfoRefId="{term_ref(plan, spell.school, terms_of(_GRADE, course)[0])}" '
                f'SchoolInfoRefId="{spell.school.ref_id}"><IsFinal>false</IsFinal><MarkList>'
                f'<Mark MarkInfoRefId="{mark}"><Percentage>{per_cent}</Percentage><Letter>{letter}</Letter></Mark>'
                "</MarkList></StudentSectionMarks>"
            )
            yield SynthObject("StudentSectionMarks", ref, xml.encode(), student, section)


def marking_schools(plan: Plan) -> list[School]:
    """Return the schools that have a grade 12."""
    return [school for school in plan.schools if _GRADE in dict(school.grades)]


def count_marked(plan: Plan) -> tuple[int, int]:
    """Return how many sections give marks, and how many marks there are."""
    students = [dict(school.grades)[_GRADE] for school in marking_schools(plan)]
    return _CORE * sum(parallel(count, _GRADE) for count in students), _CORE * sum(students)


def _mark_ref(plan: Plan, school: School) -> str:
    return plan.ref_id("MarkInfo", school.number)
