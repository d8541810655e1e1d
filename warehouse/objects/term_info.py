"""TermInfo: a term of a school year."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class TermInfo(SifObject):
    """A term (year, semester, quarter ...) of one school in one school year."""

    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School that keeps the term", refers="SchoolInfo")
    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    start_date: Mapped[date] = element("StartDate", "First day of the term")
    end_date: Mapped[date] = element("EndDate", "Last day of the term")
    description: Mapped[str | None] = element("Description", "Name of the term")
    relative_duration: Mapped[Decimal | None] = element("RelativeDuration", "Share of the school year, 0 to 1")
    term_code: Mapped[str | None] = element("TermCode", "District's code of the term")
    track: Mapped[str | None] = element("Track", "Track the term belongs to")
    term_span_code: Mapped[str | None] = element("TermSpan/Code", "Kind of term", codes="NCES0266SessionTypeType")
    is_marking_term: Mapped[str | None] = element("MarkingTerm", "Marks are given for it", codes="YesNoType")
    is_scheduling_term: Mapped[str | None] = element(
        "SchedulingTerm", "Sections are scheduled by it", codes="YesNoType"
    )
    is_attendance_term: Mapped[str | None] = element(
        "AttendanceTerm", "Attendance is summarised by it", codes="YesNoType"
    )
