"""The SIF objects of a district, written as XML text from its plan, one generator per object.

Elements stand in the order of SIF US 2.7 and carry what Massachusetts requires. Text is built with f-strings,
not element trees: every word comes escaped from `names`, everything else is a number, a date or a code.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from sif_pipeline.synth import (
    assessing,
    attending,
    discipline,
    employment,
    learning,
    marks,
    organization,
    people,
    services,
)
from sif_pipeline.synth.parts import SynthObject
from sif_pipeline.synth.plan import Plan

OBJECTS: dict[str, Callable[[Plan], Iterator[SynthObject]]] = {
    "LEAInfo": organization.lea_info,
    "SchoolInfo": organization.school_info,
    "StaffPersonal": people.staff_personal,
    "TermInfo": organization.term_info,
    "SchoolCourseInfo": organization.school_course_info,
    "SectionInfo": organization.section_info,
    "StudentPersonal": people.student_personal,
    "StudentSchoolEnrollment": attending.student_school_enrollment,
    "StudentAttendanceSummary": attending.student_attendance_summary,
    "EmploymentRecord": employment.employment_record,
    "StaffAssignment": employment.staff_assignment,
    "StaffSectionAssignment": employment.staff_section_assignment,
    "StudentSectionEnrollment": learning.student_section_enrollment,
    "DisciplineIncident": discipline.discipline_incident,
    "StaffEvaluation": employment.staff_evaluation,
    "StudentSpecialEducationSummary": services.student_special_education_summary,
    "StudentLocator": services.student_locator,
    "MarkValueInfo": marks.mark_value_info,
    "MarkInfo": marks.mark_info,
    "SectionMarkInfo": marks.section_mark_info,
    "StudentSectionMarks": marks.student_section_marks,
    "Assessment": assessing.assessment,
    "AssessmentSubTest": assessing.assessment_sub_test,
    "AssessmentForm": assessing.assessment_form,
    "AssessmentAdministration": assessing.assessment_administration,
    "AssessmentRegistration": assessing.assessment_registration,
    "StudentScoreSet": assessing.student_score_set,
}
"""How each object is written, in an order in which nothing refers to what has not been sent."""


def counts(plan: Plan) -> dict[str, int]:
    """Return how many objects of each kind the district has, without writing them."""
    memberships = Counter(spell.membership for spell in plan.spells())
    return {
        "LEAInfo": 1,
        "SchoolInfo": len(plan.schools),
        "StaffPersonal": plan.staff,
        "TermInfo": 3 * len(plan.schools),
        "SchoolCourseInfo": organization.count_courses(plan),
        "SectionInfo": organization.count_sections(plan),
        "StudentPersonal": plan.size,
        "StudentSchoolEnrollment": memberships.total(),
        "StudentAttendanceSummary": memberships["Home"],
        "EmploymentRecord": plan.staff,
        "StaffAssignment": plan.staff,
        "StaffSectionAssignment": organization.count_sections(plan),
        "StudentSectionEnrollment": learning.count_enrollments(plan),
        "DisciplineIncident": discipline.count_incidents(plan),
        **_more_counts(plan),
    }


def _more_counts(plan: Plan) -> dict[str, int]:
    """Count the objects of special education, marks and assessment."""
    served, newcomers = services.count_served(plan)
    schools = len(marks.marking_schools(plan))
    marked_sections, given_marks = marks.count_marked(plan)
    tests, (scored, registered) = assessing.tests(plan), assessing.count_tested(plan)
    return {
        "StaffEvaluation": employment.count_evaluations(plan),
        "StudentSpecialEducationSummary": served,
        "StudentLocator": newcomers,
        "MarkValueInfo": schools,
        "MarkInfo": schools,
        "SectionMarkInfo": marked_sections,
        "StudentSectionMarks": given_marks,
        "Assessment": len(tests),
        "AssessmentSubTest": 2 * len(tests),
        "AssessmentForm": len(tests),
        "AssessmentAdministration": len(tests) + (assessing.RETESTED in tests),
        "AssessmentRegistration": registered,
        "StudentScoreSet": scored,
    }
