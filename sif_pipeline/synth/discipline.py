"""DisciplineIncident of a district: what happened so far, one offender each."""

from collections.abc import Iterator
from datetime import date, timedelta

from sif_pipeline.synth.parts import Draw, SynthObject, one_of, table
from sif_pipeline.synth.plan import GRADES, Plan, Spell

# Shares of students disciplined in 2024-25 in elementary, middle and high schools; of a thousand students 22 were
# suspended out of school, 13 in school and 4 removed in an emergency. Here it is the incidents of a year.
_A_YEAR = {**dict.fromkeys(GRADES[2:7], 0.0105), **dict.fromkeys(GRADES[7:], 0.053)}
_ACTION = table(("3102", 22), ("3100", 13), ("3084", 4))
_CATEGORY = table(("1500", 35), ("1700", 25), ("2200", 12), ("3340", 10), ("3230", 8), ("1660", 5), ("3120", 5))
_PLACE = table(("3014", 40), ("3015", 25), ("3013", 15), ("3017", 10), ("3028", 10))
_TIME = table(("120", 55), ("130", 20), ("140", 25))


def discipline_incident(plan: Plan) -> Iterator[SynthObject]:
    """Yield every incident up to today, its offender known to the state."""
    draw = plan.random("DisciplineIncident").random
    for number, spell, lot in _disciplined(plan):
        day = spell.entry + int(lot * (_last(plan, spell) - spell.entry + 1))
        student = plan.ref_id("StudentPersonal", spell.student)
        ref = plan.ref_id("DisciplineIncident", spell.number)
        xml = (
            f'<DisciplineIncident RefId="{ref}" SchoolYear="{plan.year.number}">'
            f'<AgencyReporting SIF_RefObject="SchoolInfo">{spell.school.ref_id}</AgencyReporting>'
            f"<IncidentNumber>{plan.year.number}-{number:05d}</IncidentNumber>"
            f"<IncidentDate>{plan.year.days[day]}</IncidentDate>"
            f'<IncidentTime Type="{one_of(draw, _TIME)}">{8 + int(draw() * 6):02d}:15:00</IncidentTime>'
            f'<IncidentLocation Type="{one_of(draw, _PLACE)}"/><IncidentReporter Type="3422"/>'
            f"<IncidentCategory><Code>{one_of(draw, _CATEGORY)}</Code></IncidentCategory>"
            f"{_offenders(student, plan.year.days[day], draw)}</DisciplineIncident>"
        )
        yield SynthObject("DisciplineIncident", ref, xml.encode(), student)


def count_incidents(plan: Plan) -> int:
    """Return how many incidents the district has had."""
    return sum(1 for _ in _disciplined(plan))


def _disciplined(plan: Plan) -> Iterator[tuple[int, Spell, float]]:
    """Yield (number of the incident, enrollment it happened in, a lot from 0 to below 1)."""
    draw = plan.random("disciplined").random
    so_far = plan.year.until / len(plan.year.days)
    number = 0
    for spell in plan.spells():
        chosen, lot = draw() < _A_YEAR.get(spell.grade, 0) * so_far * (1 + 0.6 * plan.need), draw()
        if chosen and spell.membership == "Home":
            number += 1
            yield number, spell, lot


def _last(plan: Plan, spell: Spell) -> int:
    return plan.year.until - 1 if spell.exit is None else spell.exit


def _offenders(student: str, day: str, draw: Draw) -> str:
    length = 1 + int(draw() * draw() * 10)
    end = (date.fromisoformat(day) + timedelta(days=length - 1)).isoformat()
    no = ("ZeroTolerance", "FullYearExpulsion", "ShortenedExpulsion", "PoliceNotification", "Arrest")
    return (
        '<OffenderList><Offender Type="0126"><Name Type="04"><LastName>Withheld</LastName>'
        "<FirstName>Withheld</FirstName></Name>"
        f'<SIF_RefId SIF_RefObject="StudentPersonal">{student}</SIF_RefId><Injury>3065</Injury>'
        f"<ActionList><Action><Code>{one_of(draw, _ACTION)}</Code><StartDate>{day}</StartDate><EndDate>{end}</EndDate>"
        f"<Duration>{length}.0</Duration>{''.join(f'<{name}>No</{name}>' for name in no)}"
        "<AlternativeEducation>Yes</AlternativeEducation></Action></ActionList></Offender></OffenderList>"
    )
