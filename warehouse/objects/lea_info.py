"""LEAInfo: the district itself."""

from typing import Any

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class LEAInfo(SifObject):
    """A district (local education agency)."""

    local_id: Mapped[str] = element("LocalId", "Identifier the district uses for itself")
    state_id: Mapped[str | None] = element("StateProvinceId", "State organisation code, 8 digits in Massachusetts")
    nces_id: Mapped[str | None] = element("NCESId", "Federal (NCES) identifier of the district")
    lea_name: Mapped[str] = element("LEAName", "Name of the district")
    url: Mapped[str | None] = element("LEAURL", "Web site of the district")
    agency_type_code: Mapped[str | None] = element(
        "EducationAgencyType/Code", "Kind of education agency", codes="NCES1151AgencyTypeType"
    )
    operational_status_code: Mapped[str | None] = element(
        "OperationalStatus", "Whether the district is open", codes="NCES0256SchoolStatusType NCES0032AgencyStatusType"
    )
    grade_codes: Mapped[list[str]] = element(
        "GradeLevels/GradeLevel/Code", "Grades the district serves", codes="GradeLevelCodeType"
    )
    addresses: Mapped[list[Any]] = element("AddressList/Address", "Addresses of the district by type")
    phone_numbers: Mapped[list[Any]] = element("PhoneNumberList/PhoneNumber", "Telephone numbers by type")
    contacts: Mapped[list[Any]] = element("LEAContactList/LEAContact", "Contact persons of the district", pii=True)
