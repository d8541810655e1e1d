"""StudentAttendanceSummary: a student's attendance in a school over a span of dates."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import Covering, SifObject, element


class StudentAttendanceSummary(SifObject):
    """A student's days attended, absent and in membership in one school over one span of dates."""

    # Its RefId is made anew for every response (SIF 2.7, StudentAttendanceSummary/@RefId), so it identifies nothing.
    key_paths = ("@StudentPersonalRefId", "@SchoolInfoRefId", "@SchoolYear", "StartDate", "EndDate")
    # The summary that counts is a student's first in this order, see reporting.rpt_attendance.
    covering = Covering(
        by=("zone_id", "student_ref_id", "school_year", "school_ref_id", "-end_date", "start_date"),
        holds=("days_in_membership", "days_attended"),
    )

    student_ref_id: Mapped[UUID] = element("@StudentPersonalRefId", "Student summarised", refers="StudentPersonal")
    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School attended", refers="SchoolInfo")
    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    start_date: Mapped[date] = element("StartDate", "First date summarised", pii=True)
    end_date: Mapped[date] = element("EndDate", "Last date summarised", pii=True)
    start_day: Mapped[int] = element("StartDay", "School day number of the first date", pii=True)
    end_day: Mapped[int] = element("EndDay", "School day number of the last date", pii=True)
    is_resident: Mapped[str] = element("Resident", "Resident of the district", codes="YesNoUnknownType", pii=True)
    fte: Mapped[Decimal | None] = element("FTE", "Share of full time, 0 to 1", pii=True)
    days_attended: Mapped[Decimal] = element("DaysAttended", "Days present", pii=True)
    excused_absences: Mapped[Decimal] = element("ExcusedAbsences", "Days absent with excuse", pii=True)
    unexcused_absences: Mapped[Decimal] = element("UnexcusedAbsences", "Days absent without excuse", pii=True)
    days_tardy: Mapped[Decimal | None] = element("DaysTardy", "Days tardy", pii=True)
    days_in_membership: Mapped[Decimal] = element("DaysInMembership", "Days enrolled", pii=True)
    enrollment_ref_id: Mapped[UUID | None] = element(
        "StudentSchoolEnrollmentRefId", "Enrolment summarised", refers="StudentSchoolEnrollment"
    )
