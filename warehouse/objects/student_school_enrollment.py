"""StudentSchoolEnrollment: a student's membership in a school."""

from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import Covering, SifObject, element, other_code


class StudentSchoolEnrollment(SifObject):
    """A student's membership in one school over one span of dates within one school year."""

    # The enrolment that counts is a student's first in this order, see reporting.fct_membership.
    covering = Covering(
        by=("zone_id", "student_ref_id", "-entry_date", "row_key"),
        holds=("school_ref_id", "membership_type", "school_year", "grade_code", "exit_date"),
    )

    student_ref_id: Mapped[UUID] = element("@StudentPersonalRefId", "Enrolled student", refers="StudentPersonal")
    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School attended", refers="SchoolInfo")
    membership_type: Mapped[str] = element(
        "@MembershipType", "Home, Concurrent or Summer", codes="MembershipTypeType", pii=True
    )
    time_frame: Mapped[str] = element(
        "@TimeFrame", "Historical, Current or Future, seen from the sender's today", codes="TimeFrameType", pii=True
    )
    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    entry_date: Mapped[date] = element("EntryDate", "First day of membership", pii=True)
    entry_type_code: Mapped[str | None] = element(
        "EntryType/Code", "Kind of entry", codes="NCES0619EntryTypeType", pii=True
    )
    grade_code: Mapped[str | None] = element(
        "GradeLevel/Code", "Grade during the membership", codes="GradeLevelCodeType", pii=True
    )
    grade_other_codes: Mapped[list[Any]] = element(
        "GradeLevel/OtherCodeList/OtherCode", "State's or other codes of the grade (DOE016 in Massachusetts)", pii=True
    )
    exit_date: Mapped[date | None] = element("ExitDate", "Last day of membership; empty while enrolled", pii=True)
    exit_status_code: Mapped[str | None] = element(
        "ExitStatus/Code", "Permanent or temporary exit", codes="NCES0643ExitWithdrawalStatusType", pii=True
    )
    exit_type_code: Mapped[str | None] = element(
        "ExitType/Code", "Reason of the exit", codes="NCES0644ExitWithdrawalTypeType", pii=True
    )
    exit_type_other_codes: Mapped[list[Any]] = element(
        "ExitType/OtherCodeList/OtherCode",
        "State's or other codes of the exit reason (DOE012 in Massachusetts)",
        pii=True,
    )
    record_closure_reason: Mapped[str | None] = element(
        "RecordClosureReason", "Why the record was closed", codes="RecordClosureReasonType", pii=True
    )
    fte: Mapped[Decimal | None] = element("FTE", "Share of full time, 0 to 1", pii=True)
    full_time_status: Mapped[str | None] = element("FTPTStatus", "Full or part time", codes="FTPTStatusType", pii=True)
    residency_code: Mapped[str | None] = element(
        "ResidencyStatus/Code",
        "Residence against attendance area",
        codes="NCES0598PublicSchoolResidenceStatusType",
        pii=True,
    )
    residency_other_codes: Mapped[list[Any]] = element(
        "ResidencyStatus/OtherCodeList/OtherCode", "State's or other codes of the residence", pii=True
    )
    nonresident_reason_code: Mapped[str | None] = element(
        "NonResidentAttendReason",
        "Why a non-resident attends",
        codes="NCES0599NonResidentAttendanceRationaleType",
        pii=True,
    )
    promotion_status: Mapped[str | None] = element(
        "PromotionInfo/PromotionStatus", "Promoted, retained or demoted", codes="PromotionStatusType", pii=True
    )

    state_grade_code = other_code("grade_other_codes", "StateProvince", "State's code of the grade", codes="DOE016")
    state_exit_code = other_code("exit_type_other_codes", "Text", "State's status at the exit", codes="DOE012")
    state_residency_code = other_code("residency_other_codes", "StateProvince", "State's code of the residence")
