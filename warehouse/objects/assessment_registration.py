"""AssessmentRegistration: a student who is to take a test."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class AssessmentRegistration(SifObject):
    """A student who is to take a test, and who the student was by the records of that day."""

    student_ref_id: Mapped[UUID] = element("@StudentPersonalRefId", "Student registered", refers="StudentPersonal")
    administration_ref_id: Mapped[UUID] = element(
        "@AssessmentAdministrationRefId", "Administration of the test", refers="AssessmentAdministration"
    )
    creation_date: Mapped[date] = element("CreationDateTime", "Day of the registration", pii=True)
    special_conditions: Mapped[list[Any]] = element(
        "StudentSpecialConditions/StudentSpecialCondition", "What was unusual for this student, by code", pii=True
    )
    grade_code: Mapped[str | None] = element(
        "StudentGradeLevel/Code", "Grade of the student then", codes="GradeLevelCodeType", pii=True
    )
    grade_other_codes: Mapped[list[Any]] = element(
        "StudentGradeLevel/OtherCodeList/OtherCode", "State's or other codes of the grade", pii=True
    )
    tested_grade_code: Mapped[str | None] = element(
        "AssessmentGradeLevel/Code", "Grade tested, where it is another", codes="GradeLevelCodeType", pii=True
    )
    tested_grade_other_codes: Mapped[list[Any]] = element(
        "AssessmentGradeLevel/OtherCodeList/OtherCode", "State's or other codes of the grade tested", pii=True
    )
    race_codes: Mapped[list[str]] = element(
        "AssessmentStudentSnapshot/RaceList/Race/Code",
        "Races reported then",
        codes="NCES0849RaceType SPEEDERaceType",
        pii=True,
    )
    is_hispanic: Mapped[str | None] = element(
        "AssessmentStudentSnapshot/HispanicLatino", "Hispanic or Latino, as reported then", codes="YesNoType", pii=True
    )
    gender: Mapped[str | None] = element(
        "AssessmentStudentSnapshot/Gender", "Gender as reported then", codes="GenderType", pii=True
    )
    birth_date: Mapped[date | None] = element("AssessmentStudentSnapshot/BirthDate", "Date of birth", pii=True)
    title1: Mapped[str | None] = element(
        "AssessmentStudentSnapshot/Title1", "Served under Title I then", codes="YesNoUnknownType", pii=True
    )
    ell: Mapped[str | None] = element(
        "AssessmentStudentSnapshot/ELL", "English learner then", codes="YesNoUnknownType", pii=True
    )
    lea_ref_id: Mapped[UUID | None] = element("LEAInfoRefId", "District of the student", refers="LEAInfo")
    school_ref_id: Mapped[UUID | None] = element("SchoolInfoRefId", "School of the student", refers="SchoolInfo")
    staff_ref_id: Mapped[UUID | None] = element(
        "StaffPersonalRefId", "Member of staff responsible", refers="StaffPersonal"
    )
    section_ref_id: Mapped[UUID | None] = element("SectionInfoRefId", "Section of the student", refers="SectionInfo")
