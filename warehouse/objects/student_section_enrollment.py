"""StudentSectionEnrollment: a student's membership in a section."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element, extended


class StudentSectionEnrollment(SifObject):
    """A student's membership in one section over one span of dates."""

    student_ref_id: Mapped[UUID] = element("@StudentPersonalRefId", "Student in the section", refers="StudentPersonal")
    section_ref_id: Mapped[UUID] = element("@SectionInfoRefId", "Section attended", refers="SectionInfo")
    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    entry_date: Mapped[date | None] = element("EntryDate", "First day in the section", pii=True)
    exit_date: Mapped[date | None] = element("ExitDate", "Last day in the section; empty while there", pii=True)
    schedule_overrides: Mapped[list[Any]] = element(
        "ScheduleInfoOverrideList/ScheduleInfoOverride", "Meeting times that are the student's own, by term", pii=True
    )
    credits_attempted: Mapped[Decimal | None] = element("CreditsAttempted", "Credits the student can earn", pii=True)
    credit_type_code: Mapped[str | None] = element(
        "CreditsAttempted/@Type", "Kind of credit", codes="NCES0108CreditTypeEarnedType", pii=True
    )
    dual_credit: Mapped[str | None] = element("DualCredit", "Also earns college credit", codes="YesNoType", pii=True)
    cte_concentrator: Mapped[str | None] = element(
        "CTEConcentrator", "Concentrates on career and technical education", codes="YesNoType", pii=True
    )

    enrollment_status_code = extended("CourseEnrollmentStatus", "State's status in the section", codes="SCS08")
    pathways_course = extended("PathwaysCourse", "Course of a career pathway")
