"""StudentLocator: a request for a state student identifier, and its answer."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class StudentLocator(SifObject):
    """A transaction between district and state about one student's state identifier (SASID), as it stands."""

    # Its RefId is made anew for every response and 2.6 knows none. What lasts over the exchanges of one lookup is the
    # transaction: a later StudentLocator of it tells how it stands. Several candidates for one student come from the
    # state, never from a district.
    key_paths = ("@TransactionId",)

    transaction_guid: Mapped[UUID] = element("@TransactionId", "Transaction between district and state", pii=True)
    id_status: Mapped[str] = element(
        "@IdStatus", "How the transaction stands", codes="StudentLocatorStatusType", pii=True
    )
    # Not a reference that is waited for: the identifier may be asked for before the student is sent.
    student_guid: Mapped[UUID | None] = element(
        "StudentPersonalRefId", "Student, if the district has sent it", pii=True
    )
    state_id: Mapped[str] = element(
        "StateProvinceId", "State's identifier (SASID); may be empty in a request", pii=True
    )
    confidence: Mapped[str | None] = element("Confidence", "How sure the state is", pii=True)
    local_id: Mapped[str | None] = element("LocalId", "District's identifier of the student (LASID)", pii=True)
    requesting_agencies: Mapped[list[Any]] = element(
        "RequestingAgencyId", "Agencies that ask, with their kind", pii=True
    )
    grade_code: Mapped[str | None] = element(
        "GradeLevel/Code", "Grade of the student", codes="GradeLevelCodeType", pii=True
    )
    names: Mapped[list[Any]] = element("Name", "Names by type", pii=True)
    addresses: Mapped[list[Any]] = element("Address", "Addresses by type", pii=True)
    birth_date: Mapped[date | None] = element("Demographics/BirthDate", "Date of birth", pii=True)
    place_of_birth: Mapped[str | None] = element("Demographics/PlaceOfBirth", "City or town of birth", pii=True)
    gender: Mapped[str | None] = element("Demographics/Gender", "Gender as reported", codes="GenderType", pii=True)
    contacts: Mapped[list[Any]] = element("Contact", "Parents and guardians", pii=True)
    effective_date: Mapped[date | None] = element("EffectiveDate", "Day of entry, or of exit in a release", pii=True)
    start_date: Mapped[date | None] = element("StartDate", "First day of the range asked for", pii=True)
    end_date: Mapped[date | None] = element("EndDate", "Last day of the range asked for", pii=True)
    graduation: Mapped[str | None] = element("GraduationDate", "Date, month or year of graduation", pii=True)
    school_attended: Mapped[str | None] = element("SchoolAttendedName", "School last attended", pii=True)
    school_attended_location: Mapped[str | None] = element("SchoolAttendedLocation", "Where that school is", pii=True)
    other_ids: Mapped[list[Any]] = element("OtherId", "Another identifier with its type", pii=True)
    error: Mapped[list[Any]] = element("SIF_Error", "Why the lookup failed", pii=True)
