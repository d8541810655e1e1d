"""StaffSectionAssignment: who teaches a section."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class StaffSectionAssignment(SifObject):
    """A member of staff's part in teaching one section."""

    staff_ref_id: Mapped[UUID] = element("StaffPersonalRefId", "Member of staff assigned", refers="StaffPersonal")
    section_ref_id: Mapped[UUID] = element("SectionInfoRefId", "Section taught", refers="SectionInfo")
    assignment_start_date: Mapped[date | None] = element(
        "AssignmentStartDate", "First day of the assignment, by the district's clock", pii=True
    )
    assignment_end_date: Mapped[date | None] = element(
        "AssignmentEndDate", "Last day of the assignment, by the district's clock", pii=True
    )
    is_teacher_of_record: Mapped[str] = element(
        "TeacherOfRecord", "Answers for the section", codes="YesNoType", pii=True
    )
    roles: Mapped[list[str]] = element("Roles/Role", "What the person does there", codes="SectionRoleType", pii=True)
    percent_responsible: Mapped[Decimal | None] = element(
        "PercentResponsible", "Share of the responsibility in percent, 0 to 100", pii=True
    )
