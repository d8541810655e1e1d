"""StudentPersonal: who a student is."""

from datetime import date
from typing import Any

from sqlalchemy.orm import Mapped

from warehouse.base import Covering, SifObject, element, extended, other_code


class StudentPersonal(SifObject):
    """A student: identifiers, legal name, demographics and programme flags."""

    covering = Covering(
        by=("zone_id", "row_key"),
        holds=(
            "gender", "race_codes", "is_hispanic", "english_proficiency_code", "idea", "economic_disadvantage", "ell",
        ),
    )  # fmt: skip

    local_id: Mapped[str] = element("LocalId", "District's identifier of the student (LASID)", pii=True)
    state_id: Mapped[str | None] = element("StateProvinceId", "State's identifier of the student (SASID)", pii=True)
    last_name: Mapped[str] = element("Name/LastName", "Legal last name", pii=True)
    first_name: Mapped[str] = element("Name/FirstName", "Legal first name", pii=True)
    middle_name: Mapped[str | None] = element("Name/MiddleName", "Legal middle name", pii=True)
    other_names: Mapped[list[Any]] = element("OtherNames/Name", "Former and other names by type", pii=True)
    birth_date: Mapped[date | None] = element("Demographics/BirthDate", "Date of birth", pii=True)
    place_of_birth: Mapped[str | None] = element("Demographics/PlaceOfBirth", "City or town of birth", pii=True)
    country_of_birth_code: Mapped[str | None] = element(
        "Demographics/CountryOfBirth",
        "Country of birth",
        codes="ISO31661EnglishCountryNamesAndCodeElementsType ISO31663CodeForFormerlyUsedNamesOfCountriesType",
        pii=True,
    )
    gender: Mapped[str | None] = element("Demographics/Gender", "Gender as reported", codes="GenderType", pii=True)
    race_codes: Mapped[list[str]] = element(
        "Demographics/RaceList/Race/Code", "Races reported", codes="NCES0849RaceType SPEEDERaceType", pii=True
    )
    race_other_codes: Mapped[list[Any]] = element(
        "Demographics/RaceList/Race/OtherCodeList/OtherCode",
        "State's or other codes of the races (DOE010 in Massachusetts)",
        pii=True,
    )
    is_hispanic: Mapped[str | None] = element(
        "Demographics/HispanicLatino", "Hispanic or Latino", codes="YesNoType", pii=True
    )
    english_proficiency_code: Mapped[str | None] = element(
        "Demographics/EnglishProficiency/Code",
        "Proficiency in English",
        codes="NCES0585EnglishProficiencyType",
        pii=True,
    )
    languages: Mapped[list[Any]] = element("Demographics/LanguageList/Language", "Languages and their use", pii=True)
    addresses: Mapped[list[Any]] = element("AddressList/Address", "Addresses by type", pii=True)
    phone_numbers: Mapped[list[Any]] = element("PhoneNumberList/PhoneNumber", "Telephone numbers by type", pii=True)
    emails: Mapped[list[Any]] = element("EmailList/Email", "E-mail addresses by type", pii=True)
    other_ids: Mapped[list[Any]] = element("OtherIdList/OtherId", "Other identifiers by type", pii=True)
    on_time_graduation_year: Mapped[int | None] = element(
        "OnTimeGraduationYear", "Year of on-time graduation", pii=True
    )
    graduation: Mapped[str | None] = element("GraduationDate", "Date, month or year of graduation", pii=True)
    most_recent_grade_code: Mapped[str | None] = element(
        "MostRecent/GradeLevel/Code", "Grade at last enrolment", codes="GradeLevelCodeType", pii=True
    )
    idea: Mapped[str | None] = element("IDEA", "Has a disability under IDEA", codes="YesNoUnknownType", pii=True)
    migrant: Mapped[str | None] = element("Migrant", "Migrant student", codes="YesNoUnknownType", pii=True)
    title1: Mapped[str | None] = element("Title1", "Served under Title I", codes="YesNoUnknownType", pii=True)
    gifted_talented: Mapped[str | None] = element(
        "GiftedTalented", "Gifted and talented", codes="YesNoUnknownType", pii=True
    )
    economic_disadvantage: Mapped[str | None] = element(
        "EconomicDisadvantage", "Economically disadvantaged", codes="YesNoUnknownType", pii=True
    )
    ell: Mapped[str | None] = element("ELL", "English learner", codes="YesNoUnknownType", pii=True)
    homeless: Mapped[str | None] = element("Homeless", "Homeless", codes="YesNoUnknownType", pii=True)
    section504: Mapped[str | None] = element("Section504", "Has a Section 504 plan", codes="YesNoUnknownType", pii=True)
    immigrant: Mapped[str | None] = element("Immigrant", "Immigrant student", codes="YesNoUnknownType", pii=True)
    first_us_enrollment_date: Mapped[date | None] = element(
        "FirstUSEnrollment", "First enrolled in a US school", pii=True
    )

    state_race_codes = other_code("race_other_codes", "StateProvince", "State's codes of the races", every=True)
    # How the synthetic state tells of a gender the standard has no code for; the state's own Name is not published.
    ma_gender_code = extended("MAGender", "State's code of the gender, where the standard has none", codes="DOE009")
