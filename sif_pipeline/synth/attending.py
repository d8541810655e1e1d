"""StudentSchoolEnrollment and StudentAttendanceSummary of a district: who goes where, and how often."""

from collections.abc import Iterator, Sequence
from math import log

from sif_pipeline.synth.parts import GRADE_CODES, Draw, SynthObject
from sif_pipeline.synth.plan import GRADES, Plan, Spell

_RESIDENT = "<ResidencyStatus><Code>1652</Code></ResidencyStatus>"
_BY_CHOICE = (
    "<ResidencyStatus><Code>1654</Code></ResidencyStatus><NonResidentAttendReason>1666</NonResidentAttendReason>"
)


def student_school_enrollment(plan: Plan) -> Iterator[SynthObject]:
    """Yield every enrollment: some late, ended, moved within the district or shared."""
    draw = plan.random("StudentSchoolEnrollment").random
    for spell in plan.spells():
        student = plan.ref_id("StudentPersonal", spell.student)
        ref = plan.ref_id("StudentSchoolEnrollment", spell.number)
        xml = (
            f"<StudentSchoolEnrollment {enrollment_attributes(plan, spell, student, ref)}>"
            f"<EntryDate>{plan.year.days[spell.entry]}</EntryDate>"
            f"<EntryType><Code>{'1822' if spell.entry else '1835'}</Code></EntryType>"
            f"<GradeLevel>{GRADE_CODES[spell.grade]}</GradeLevel>{_exit(spell, plan.year.days)}"
            f"<FTE>{spell.share}</FTE>"
            f"<FTPTStatus>{'FullTime' if spell.share == '1.00' else 'PartTime'}</FTPTStatus>"
            f"{_BY_CHOICE if draw() < 0.03 else _RESIDENT}</StudentSchoolEnrollment>"
        )
        yield SynthObject("StudentSchoolEnrollment", ref, xml.encode(), student)


def enrollment_attributes(plan: Plan, spell: Spell, student: str, ref: str) -> str:
    """Return the attributes of an enrollment; a Change and a Delete repeat them, as the standard says."""
    return (
        f'RefId="{ref}" StudentPersonalRefId="{student}" SchoolInfoRefId="{spell.school.ref_id}" '
        f'MembershipType="{spell.membership}" '
        f'TimeFrame="{"Current" if spell.exit is None else "Historical"}" SchoolYear="{plan.year.number}"'
    )


def _exit(spell: Spell, days: Sequence[str]) -> str:
    if spell.exit is None or spell.reason is None:
        return ""
    code, state_code = spell.reason
    other = f'<OtherCodeList><OtherCode Codeset="Text">{state_code}</OtherCode></OtherCodeList>'
    return (
        f"<ExitDate>{days[spell.exit]}</ExitDate><ExitStatus><Code>1905</Code></ExitStatus>"
        f"<ExitType><Code>{code}</Code>{other if state_code else ''}</ExitType>"
        "<RecordClosureReason>SchoolExit</RecordClosureReason>"
    )


# Absence by grade relative to the mean: the youngest and the oldest stay away most.
_AWAY = {
    **dict.fromkeys(GRADES, 0.87),
    "PK": 1.35,
    "KG": 1.1,
    **dict.fromkeys(GRADES[7:10], 0.93),
    **dict.fromkeys(GRADES[10:], 1.25),
}


def student_attendance_summary(plan: Plan) -> Iterator[SynthObject]:
    """Yield one per Home enrollment: attendance from entry to the last school day, in half days."""
    draw = plan.random("StudentAttendanceSummary").random
    year = plan.year
    for spell in plan.spells():
        if spell.membership != "Home":
            continue
        student = plan.ref_id("StudentPersonal", spell.student)
        ref = plan.ref_id("StudentAttendanceSummary", spell.number)
        last = year.until - 1 if spell.exit is None else spell.exit
        member = last - spell.entry + 1
        away = member * _absence_rate(draw) * _AWAY[spell.grade] * (1 + 0.3 * plan.need)
        absent = min(float(member), int(away * 2 + 0.5) / 2)
        unexcused = int(absent * 2 * draw()) / 2
        xml = (
            f'<StudentAttendanceSummary RefId="{ref}" StudentPersonalRefId="{student}" '
            f'SchoolInfoRefId="{spell.school.ref_id}" SchoolYear="{year.number}">'
            f"<StartDate>{year.days[spell.entry]}</StartDate><StartDay>{spell.entry + 1}</StartDay>"
            f"<EndDate>{year.days[last]}</EndDate><EndDay>{last + 1}</EndDay><Resident>Yes</Resident>"
            f"<FTE>{spell.share}</FTE><DaysAttended>{member - absent:.1f}</DaysAttended>"
            f"<ExcusedAbsences>{absent - unexcused:.1f}</ExcusedAbsences>"
            f"<UnexcusedAbsences>{unexcused:.1f}</UnexcusedAbsences>"
            f"<DaysTardy>{int(draw() * draw() * 6)}</DaysTardy>"
            f"<DaysInMembership>{member:.1f}</DaysInMembership></StudentAttendanceSummary>"
        )
        yield SynthObject("StudentAttendanceSummary", ref, xml.encode(), student)


def _absence_rate(draw: Draw) -> float:
    """Draw a share of days missed: mean 0.066, and 18 in 100 students miss a tenth or more (2024-25)."""
    together = (1.0 - draw()) * (1.0 - draw())
    if draw() < 0.5:
        return -log(together) * 0.033
    return -log(together * (1.0 - draw())) * 0.022
