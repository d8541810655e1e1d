"""SchoolInfo: a school of the district."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class SchoolInfo(SifObject):
    """A school, or a programme that is reported as one."""

    lea_ref_id: Mapped[UUID | None] = element("LEAInfoRefId", "District the school belongs to", refers="LEAInfo")
    local_id: Mapped[str | None] = element("LocalId", "Identifier the district uses for the school")
    state_id: Mapped[str | None] = element("StateProvinceId", "State organisation code, 8 digits in Massachusetts")
    nces_id: Mapped[str | None] = element("NCESId", "Federal (NCES) identifier of the school")
    school_name: Mapped[str] = element("SchoolName", "Name of the school")
    school_type_code: Mapped[str | None] = element("SchoolType", "Level of the school", codes="NCES0031SchoolLevelType")
    focus_codes: Mapped[list[str]] = element(
        "SchoolFocusList/SchoolFocus", "Special focuses of the school", codes="SchoolFocusType"
    )
    url: Mapped[str | None] = element("SchoolURL", "Web site of the school")
    session_type_code: Mapped[str | None] = element(
        "SessionType", "Kind of session the school runs", codes="NCES0266SessionTypeType"
    )
    grade_codes: Mapped[list[str]] = element(
        "GradeLevels/GradeLevel/Code", "Grades the school serves", codes="GradeLevelCodeType"
    )
    title1_status: Mapped[str | None] = element(
        "Title1Status", "Title I status of the school", codes="Title1StatusType"
    )
    operational_status_code: Mapped[str | None] = element(
        "OperationalStatus", "Whether the school is open", codes="NCES0256SchoolStatusType NCES0032AgencyStatusType"
    )
    active_school_year: Mapped[int | None] = element("ActiveSchoolYear", "School year now active, by its end year")
    addresses: Mapped[list[Any]] = element("AddressList/Address", "Addresses of the school by type")
    phone_numbers: Mapped[list[Any]] = element("PhoneNumberList/PhoneNumber", "Telephone numbers by type")
    principal: Mapped[list[Any]] = element("PrincipalInfo", "The principal", pii=True)
