"""StaffPersonal: who a member of staff is."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element, other_code


class StaffPersonal(SifObject):
    """A member of staff: identifiers, legal name and demographics."""

    local_id: Mapped[str] = element("LocalId", "District's identifier of the person", pii=True)
    state_id: Mapped[str | None] = element("StateProvinceId", "State's identifier of the educator (MEPID)", pii=True)
    other_ids: Mapped[list[Any]] = element(
        "OtherIdList/OtherId", "Other identifiers by type, such as licences", pii=True
    )
    last_name: Mapped[str] = element("Name/LastName", "Legal last name", pii=True)
    first_name: Mapped[str] = element("Name/FirstName", "Legal first name", pii=True)
    middle_name: Mapped[str | None] = element("Name/MiddleName", "Legal middle name", pii=True)
    birth_date: Mapped[date | None] = element("Demographics/BirthDate", "Date of birth", pii=True)
    gender: Mapped[str | None] = element("Demographics/Gender", "Gender as reported", codes="GenderType", pii=True)
    race_codes: Mapped[list[str]] = element(
        "Demographics/RaceList/Race/Code", "Races reported", codes="NCES0849RaceType SPEEDERaceType", pii=True
    )
    race_other_codes: Mapped[list[Any]] = element(
        "Demographics/RaceList/Race/OtherCodeList/OtherCode",
        "State's or other codes of the races (SR08 in Massachusetts)",
        pii=True,
    )
    is_hispanic: Mapped[str | None] = element(
        "Demographics/HispanicLatino", "Hispanic or Latino", codes="YesNoType", pii=True
    )
    title: Mapped[str | None] = element("Title", "Job title", pii=True)
    addresses: Mapped[list[Any]] = element("AddressList/Address", "Addresses by type", pii=True)
    phone_numbers: Mapped[list[Any]] = element("PhoneNumberList/PhoneNumber", "Telephone numbers by type", pii=True)
    emails: Mapped[list[Any]] = element("EmailList/Email", "E-mail addresses by type", pii=True)

    state_race_codes = other_code("race_other_codes", "StateProvince", "State's codes of the races", every=True)
