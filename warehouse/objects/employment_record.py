"""EmploymentRecord: a person's employment by the district."""

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element, extended


class EmploymentRecord(SifObject):
    """A person's employment by the district, as it is now."""

    # SIF 2.7 gave it a RefId and keeps the older key alongside. The older one is ours: agents of every release send
    # it, and one that begins to send RefIds goes on with the same record.
    key_paths = ("@SIF_RefId", "@SIF_RefObject")

    staff_ref_id: Mapped[UUID] = element("@SIF_RefId", "Person employed", refers="StaffPersonal")
    employee_object: Mapped[str] = element(
        "@SIF_RefObject", "Object that tells who the person is", codes="EmployeeObjectType", pii=True
    )
    lea_ref_id: Mapped[UUID] = element("LEAInfoRefId", "District that employs", refers="LEAInfo")
    active: Mapped[str | None] = element("Active", "Whether the person is employed now, true or false", pii=True)
    full_time_status_code: Mapped[str | None] = element(
        "FullTimeStatus", "Full or part time", codes="NCES0476FullTimeStatusType", pii=True
    )
    hire_date: Mapped[date | None] = element("HireDate", "Day the employment began", pii=True)
    termination_date: Mapped[date | None] = element("TerminationDate", "Day the employment ended", pii=True)
    years_of_experience: Mapped[int | None] = element("TotalYearsExperience", "Years of experience", pii=True)
    position_title: Mapped[str | None] = element("PositionTitle", "Title of the position", pii=True)
    position_number: Mapped[str | None] = element("PositionNumber", "District's number of the position", pii=True)
    seniority_date: Mapped[date | None] = element("SeniorityDate", "Day seniority counts from", pii=True)
    tenure_date: Mapped[date | None] = element("TenureDate", "Day tenure was granted", pii=True)

    ma_employment_status_code = extended("MAEmploymentStatus", "State's status of the employment (SR09)")
    ma_exit_reason_code = extended("MAReasonForExit", "State's reason of the exit (SR10)")
    ma_federal_salary = extended(
        "MAFederalSalaryInfo", "Federal sources of the salary with their shares (SR12 to SR17)"
    )
    ma_professional_status_code = extended("MADistrictLevelProfessionalTeacher", "State's professional status (SR28)")
