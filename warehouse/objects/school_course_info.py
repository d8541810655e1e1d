"""SchoolCourseInfo: a course a school offers."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element, extended, other_code


class SchoolCourseInfo(SifObject):
    """A course offered by one school in one school year."""

    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School that offers the course", refers="SchoolInfo")
    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    course_code: Mapped[str] = element("CourseCode", "School's code of the course")
    state_course_code: Mapped[str | None] = element("StateCourseCode", "State's subject-area course code")
    district_course_code: Mapped[str | None] = element("DistrictCourseCode", "District's code of the course")
    subject_area_codes: Mapped[list[str]] = element(
        "SubjectAreaList/SubjectArea/Code",
        "Subject areas of the course",
        codes="SCEDSecondaryCoursesType SCEDNonSecondaryCoursesType",
    )
    course_title: Mapped[str] = element("CourseTitle", "Title of the course")
    description: Mapped[str | None] = element("Description", "What the course is about")
    instructional_level_code: Mapped[str | None] = element(
        "InstructionalLevel/Code", "Level of instruction", codes="NCES0437InstructionalLevelType"
    )
    instructional_level_other_codes: Mapped[list[Any]] = element(
        "InstructionalLevel/OtherCodeList/OtherCode", "State's or other codes of the level (SCS09 in Massachusetts)"
    )
    course_credits: Mapped[Decimal | None] = element("CourseCredits", "Credits a student can earn")
    credit_type_code: Mapped[str | None] = element(
        "CourseCredits/@Type", "Kind of credit", codes="NCES0108CreditTypeEarnedType"
    )
    is_core_academic: Mapped[str | None] = element("CoreAcademicCourse", "Core academic course", codes="YesNoType")
    is_graduation_requirement: Mapped[str | None] = element(
        "GraduationRequirement", "Needed to graduate", codes="YesNoType"
    )
    department: Mapped[str | None] = element("Department", "Department that teaches it")
    dual_credit: Mapped[str | None] = element("DualCredit", "Also earns college credit", codes="YesNoType")

    state_level_code = other_code(
        "instructional_level_other_codes", "Other", "State's level of instruction", codes="SCS09", excerpt=True
    )
    attending_school = extended("AttendingSchool", "State's code of the school where it is taught, if another")
