"""AssessmentAdministration: a test being given."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class AssessmentAdministration(SifObject):
    """A form of a test being given: when, where, and what was unusual about it."""

    form_ref_id: Mapped[UUID] = element("@AssessmentFormRefId", "Form that is given", refers="AssessmentForm")
    administration_name: Mapped[str | None] = element("AdministrationName", "Name of the administration", pii=True)
    special_conditions: Mapped[list[Any]] = element(
        "SpecialConditions/SpecialCondition", "What was unusual, such as a fire drill, by code", pii=True
    )
    administration_date: Mapped[date] = element("AdministrationDateTime", "Day it is to be given", pii=True)
    start_date: Mapped[date | None] = element("StartDateTime", "Day testing begins", pii=True)
    finish_date: Mapped[date | None] = element("FinishDateTime", "Day testing ends", pii=True)
    due_date: Mapped[date | None] = element("DueDateTime", "Day the test is due", pii=True)
    address: Mapped[list[Any]] = element("Address", "Where it is given", pii=True)
    staff_ref_id: Mapped[UUID | None] = element(
        "StaffPersonalRefId", "Member of staff who gives it", refers="StaffPersonal"
    )
    lea_ref_id: Mapped[UUID | None] = element("LEAInfoRefId", "District that gives it", refers="LEAInfo")
    school_ref_id: Mapped[UUID | None] = element("SchoolInfoRefId", "School that gives it", refers="SchoolInfo")
