"""StudentSpecialEducationSummary and StudentLocator: who is served, and whose identifier the state was asked for."""

from collections.abc import Iterator

from sif_pipeline.synth.parts import GRADE_CODES, SynthObject, lot, one_of, table
from sif_pipeline.synth.plan import Plan, Spell

SERVED = 0.2
"""Share of students with a disability under IDEA."""

_DISABILITY = table(
    *(("2128", 24), ("2131", 1), ("2132", 16), ("2121", 14), ("2129", 14), ("2127", 9), ("2134", 11)),
    *(("2124", 5), ("2125", 2), ("2130", 3), ("2123", 1)),
)
# The state's placements: full, partial inclusion, separate class, separate school, private school.
_PLACEMENT = table(("10", 65), ("20", 15), ("40", 14), ("41", 1), ("50", 5))
_NEED = table(("01", 15), ("02", 20), ("03", 40), ("04", 25))


def student_special_education_summary(plan: Plan) -> Iterator[SynthObject]:
    """Yield today's summary of every student who is served: disability, placement and level of need."""
    draw = plan.random("StudentSpecialEducationSummary").random
    today = plan.year.days[plan.year.until - 1]
    for student, number in _served(plan):
        ref = plan.ref_id("StudentSpecialEducationSummary", number)
        xml = (
            f'<StudentSpecialEducationSummary RefId="{ref}" StudentPersonalRefId="{student}" SummaryDate="{today}" '
            f'SchoolYear="{plan.year.number}"><PrimaryDisabilityCode>{one_of(draw, _DISABILITY)}'
            "</PrimaryDisabilityCode><StudentParticipationList><StudentParticipationData><ProgramType>"
            '<Code>9999</Code><OtherCodeList><OtherCode Codeset="StateProvince">'
            f"{one_of(draw, _PLACEMENT)}</OtherCode></OtherCodeList></ProgramType></StudentParticipationData>"
            '</StudentParticipationList><SIF_ExtendedElements><SIF_ExtendedElement Name="SpEdLevelofNeed">'
            f"{one_of(draw, _NEED)}</SIF_ExtendedElement></SIF_ExtendedElements></StudentSpecialEducationSummary>"
        )
        yield SynthObject("StudentSpecialEducationSummary", ref, xml.encode(), student)


def _served(plan: Plan) -> Iterator[tuple[str, int]]:
    refs = ((plan.ref_id("StudentPersonal", number), number) for number in range(plan.size))
    return ((ref, number) for ref, number in refs if lot(ref) < SERVED)


def student_locator(plan: Plan) -> Iterator[SynthObject]:
    """Yield the lookup of the state's identifier for every student who came during the year."""
    for spell in _newcomers(plan):
        transaction = plan.ref_id("SIF_Transaction", spell.student)
        ref, student = plan.ref_id("StudentLocator", spell.student), plan.ref_id("StudentPersonal", spell.student)
        xml = (
            f'<StudentLocator RefId="{ref}" IdStatus="Valid" TransactionId="{transaction}">'
            f"<StateProvinceId>{plan.state_id(spell.student)}</StateProvinceId><Confidence>100</Confidence>"
            f"<LocalId>S{spell.student:05d}</LocalId><StudentPersonalRefId>{student}</StudentPersonalRefId>"
            f'<RequestingAgencyId Type="LEA">{plan.code}</RequestingAgencyId>'
            f"<GradeLevel>{GRADE_CODES[spell.grade]}</GradeLevel>"
            f"<EffectiveDate>{plan.year.days[spell.entry]}</EffectiveDate></StudentLocator>"
        )
        yield SynthObject("StudentLocator", ref, xml.encode())


def _newcomers(plan: Plan) -> Iterator[Spell]:
    return (spell for spell in plan.spells() if spell.entry and spell.number % 2 == 0)


def count_served(plan: Plan) -> tuple[int, int]:
    """Return how many students are served, and how many came during the year."""
    return sum(1 for _ in _served(plan)), sum(1 for _ in _newcomers(plan))
