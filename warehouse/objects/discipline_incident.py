"""DisciplineIncident: an incident with its offenders, victims and what was done."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class DisciplineIncident(SifObject):
    """A discipline incident: when, where and what, its offenders and victims, and the actions taken."""

    school_year: Mapped[int] = element("@SchoolYear", "School year by its end year")
    # The standard lets a district report too; in Massachusetts it is the school.
    school_ref_id: Mapped[UUID] = element("AgencyReporting", "School that reports the incident", refers="SchoolInfo")
    reporting_object: Mapped[str] = element(
        "AgencyReporting/@SIF_RefObject",
        "Whether a school or a district reports",
        codes="ReportingAgencyObjectType",
        pii=True,
    )
    incident_number: Mapped[str] = element("IncidentNumber", "District's number of the incident", pii=True)
    incident_date: Mapped[date] = element("IncidentDate", "Day of the incident", pii=True)
    incident_time: Mapped[str] = element("IncidentTime", "Time of day; may be empty", pii=True)
    incident_time_code: Mapped[str] = element("IncidentTime/@Type", "Part of the day", codes="SAFETYTimeType", pii=True)
    location: Mapped[str] = element("IncidentLocation", "Where it happened, in words", pii=True)
    location_code: Mapped[str] = element(
        "IncidentLocation/@Type", "Kind of place", codes="NCES1040IncidentLocationType", pii=True
    )
    cost: Mapped[str | None] = element("IncidentCost", "What it cost, in words", pii=True)
    reporter: Mapped[list[Any]] = element("IncidentReporter", "Who reported it", pii=True)
    related_to_codes: Mapped[list[str]] = element(
        "RelatedToList/RelatedTo",
        "What it was related to, such as drugs",
        codes="NCES1048SecondaryIncidentBehaviorType",
        pii=True,
    )
    weapon_type_codes: Mapped[list[str]] = element(
        "WeaponTypeList/WeaponType", "Weapons involved", codes="NCES1045WeaponTypeType", pii=True
    )
    category_code: Mapped[str] = element(
        "IncidentCategory/Code", "Gravest offence", codes="NCES1049IncidentCodeType", pii=True
    )
    category_other_codes: Mapped[list[Any]] = element(
        "IncidentCategory/OtherCodeList/OtherCode", "State's or other codes of the offence", pii=True
    )
    category_comment: Mapped[str | None] = element("IncidentCategory/CodeComment", "Comment on the offence", pii=True)
    # Offenders that are students are waited for; a member of staff or an employee among them is not.
    offender_ref_ids: Mapped[list[str]] = element(
        "OffenderList/Offender/SIF_RefId",
        "Offenders; the list of offenders tells of which kind",
        refers="StudentPersonal",
    )
    offenders: Mapped[list[Any]] = element(
        "OffenderList/Offender", "Offenders with injury, weapons and the actions taken", pii=True
    )
    victims: Mapped[list[Any]] = element("VictimList/Victim", "Victims with injury", pii=True)
    description: Mapped[str | None] = element("IncidentDescription", "What happened, in words", pii=True)
    actions: Mapped[list[Any]] = element(
        "IncidentActionList/IncidentAction", "Actions taken on the incident as a whole", pii=True
    )
