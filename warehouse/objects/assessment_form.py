"""AssessmentForm: one set of a test's questions."""

from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class AssessmentForm(SifObject):
    """One set of a test's questions, as a booklet is, and the sub-tests it gives scores in."""

    assessment_ref_id: Mapped[UUID] = element("@AssessmentRefId", "Test it is a form of", refers="Assessment")
    assessment_type_code: Mapped[str | None] = element(
        "AssessmentType", "Standard or alternate administration", codes="AssessmentFormTypeType"
    )
    form_name: Mapped[str] = element("FormName", "Name of the form")
    form_numbers: Mapped[list[str]] = element("FormNumbers/FormNumber", "Publisher's numbers of the form")
    level: Mapped[str | None] = element("Level", "Level of the form, such as a grade, in words")
    period: Mapped[str | None] = element("Period", "Part of the year it is meant for, in words")
    grade_codes: Mapped[list[str]] = element(
        "GradeLevels/GradeLevel/Code", "Grades it is meant for", codes="GradeLevelCodeType"
    )
    # Not references that are waited for: a form can be read without knowing all that it measures.
    sub_test_guids: Mapped[list[str]] = element(
        "AssessmentSubTestRefIds/AssessmentSubTestRefId", "Sub-tests it gives scores in"
    )
