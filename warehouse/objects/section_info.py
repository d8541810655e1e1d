"""SectionInfo: a section (class) of a course."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class SectionInfo(SifObject):
    """A section of a course: the group that meets in given terms."""

    course_ref_id: Mapped[UUID] = element("@SchoolCourseInfoRefId", "Course taught", refers="SchoolCourseInfo")
    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    local_id: Mapped[str] = element("LocalId", "Identifier of the section in the district's system")
    description: Mapped[str | None] = element("Description", "Name of the section")
    term_ref_ids: Mapped[list[str]] = element(
        "ScheduleInfoList/ScheduleInfo/@TermInfoRefId", "Terms the section meets in", refers="TermInfo"
    )
    schedule: Mapped[list[Any]] = element("ScheduleInfoList/ScheduleInfo", "Meeting times, rooms and staff by term")
    medium_of_instruction_code: Mapped[str | None] = element(
        "MediumOfInstruction/Code", "How instruction is given", codes="NCES0209MediumOfInstructionType"
    )
    language_of_instruction_code: Mapped[str | None] = element(
        "LanguageOfInstruction/Code", "Language of instruction", codes="NISOZ3953LanguageCodesType"
    )
    is_summer_school: Mapped[str | None] = element("SummerSchool", "Summer school section", codes="YesNoType")
    course_section_code: Mapped[str | None] = element(
        "CourseSectionCode", "District's code of course and section together"
    )
    section_code: Mapped[str | None] = element("SectionCode", "District's code of the section within its course")
    counts_for_attendance: Mapped[str | None] = element("CountForAttendance", "Attendance is taken", codes="YesNoType")
