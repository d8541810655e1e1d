"""StudentSpecialEducationSummary: a student's special education, as of a day."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element, extended, other_code


class StudentSpecialEducationSummary(SifObject):
    """A student's participation and placement in special education, as of one day of one school year."""

    # Its RefId is made anew for every response (SIF 2.7, StudentSpecialEducationSummary/@RefId), so it identifies
    # nothing.
    key_paths = ("@SummaryDate", "@StudentPersonalRefId", "@SchoolYear")

    student_ref_id: Mapped[UUID] = element("@StudentPersonalRefId", "Student summarised", refers="StudentPersonal")
    summary_date: Mapped[date] = element("@SummaryDate", "Day the summary was taken", pii=True)
    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    special_education_fte: Mapped[Decimal | None] = element(
        "StudentSpecialEducationFTE", "Share of time in special education, 0 to 1", pii=True
    )
    primary_disability_code: Mapped[str | None] = element(
        "PrimaryDisabilityCode",
        "Primary disability (DOE036 in Massachusetts)",
        codes="NCES0768PrimaryDisabilityTypeType",
        pii=True,
    )
    neglected_or_delinquent: Mapped[list[Any]] = element(
        "NeglectedOrDelinquentParticipationList/NeglectedOrDelinquentParticipation",
        "Programs for neglected or delinquent students, with days",
        pii=True,
    )
    program_type_other_codes: Mapped[list[Any]] = element(
        "StudentParticipationList/StudentParticipationData/ProgramType/OtherCodeList/OtherCode",
        "State's or other codes of the placement (DOE032 and DOE034 in Massachusetts)",
        pii=True,
    )
    program_status_other_codes: Mapped[list[Any]] = element(
        "StudentParticipationList/StudentParticipationData/ProgramStatus/OtherCodeList/OtherCode",
        "State's or other codes of the evaluation's result (DOE040 in Massachusetts)",
        pii=True,
    )
    participation: Mapped[list[Any]] = element(
        "StudentParticipationList/StudentParticipationData", "Programs the student takes part in", pii=True
    )
    placement: Mapped[list[Any]] = element(
        "StudentPlacementList/StudentPlacementData", "Services the student is given", pii=True
    )

    state_placement_code = other_code(
        "program_type_other_codes", "StateProvince", "State's code of the placement, by age", codes="DOE034"
    )
    state_evaluation_code = other_code("program_status_other_codes", "Other", "State's code of the evaluation's result")
    level_of_need_code = extended("SpEdLevelofNeed", "State's level of need", codes="DOE038")
