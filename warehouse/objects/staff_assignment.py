"""StaffAssignment: a member of staff's job in a school."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element, other_code


class StaffAssignment(SifObject):
    """A member of staff's job in one school in one school year."""

    staff_ref_id: Mapped[UUID] = element("@StaffPersonalRefId", "Member of staff assigned", refers="StaffPersonal")
    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School of the job", refers="SchoolInfo")
    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    description: Mapped[str | None] = element("Description", "Name of the job", pii=True)
    is_primary: Mapped[str] = element(
        "PrimaryAssignment", "The person's main job; there is one per year", codes="YesNoType", pii=True
    )
    job_start_date: Mapped[date | None] = element("JobStartDate", "First day of the job", pii=True)
    job_end_date: Mapped[date | None] = element("JobEndDate", "Last day of the job; empty while it lasts", pii=True)
    job_fte: Mapped[Decimal | None] = element("JobFTE", "Share of full time, 0 to 1", pii=True)
    job_function_code: Mapped[str | None] = element(
        "JobFunction/Code", "Function of the job", codes="NCES0568FunctionTypeType", pii=True
    )
    job_function_other_codes: Mapped[list[Any]] = element(
        "JobFunction/OtherCodeList/OtherCode",
        "State's or other codes of the job (WA07 in Massachusetts)",
        pii=True,
    )
    teaching_assignment_code: Mapped[str | None] = element(
        "TeachingAssignment/Code", "Subject taught", codes="TeachingAssignmentCodeType", pii=True
    )
    teaching_assignment_other_codes: Mapped[list[Any]] = element(
        "TeachingAssignment/OtherCodeList/OtherCode",
        "State's or other codes of the subject (WA08 in Massachusetts)",
        pii=True,
    )
    grade_codes: Mapped[list[str]] = element(
        "GradeLevels/GradeLevel/Code", "Grades the job is for", codes="GradeLevelCodeType", pii=True
    )
    itinerant_teacher: Mapped[str | None] = element(
        "ItinerantTeacher", "Teaches in several schools", codes="YesNoNAType", pii=True
    )
    instructional_level_code: Mapped[str | None] = element(
        "InstructionalLevel/Code", "Level of instruction", codes="NCES0437InstructionalLevelType", pii=True
    )

    state_job_code = other_code(
        "job_function_other_codes", "Other", "State's job classification", codes="WA07", excerpt=True
    )
    state_assignment_code = other_code(
        "teaching_assignment_other_codes", "Other", "State's subject assignment", codes="WA08", excerpt=True
    )
