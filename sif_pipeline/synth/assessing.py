"""The assessment objects of a district: last spring's tests, their scores, and who is registered for the retest.

Every district says it in its own zone, with RefIds of its own. The scale is that of the state's tests, 440 to 560 in
four levels; how the scores are distributed over it is made up.
"""

from collections.abc import Iterator

from sif_pipeline.synth.parts import SynthObject, grade_levels, lot
from sif_pipeline.synth.plan import GRADES, Plan, Seat

_TESTED = ("03", "04", "05", "06", "07", "08", "10")  # grades tested in spring; students are a grade higher by now
_SUBJECTS = (("ELA", "English language arts"), ("MTH", "Mathematics"))
_LEVELS = ((440, "Not meeting"), (470, "Partially meeting"), (500, "Meeting"), (530, "Exceeding"))
_HIGHEST, _SCALE = 560, "3479"
_PRESENT = 0.93  # of the students were there in spring; those of grade 10 who were not are tested in November
RETESTED = "10"
"""The grade whose test may be taken again in November."""

_RETEST_DAY = "-11-12T08:30:00"
_RETEST = len(GRADES)  # number of that administration; the others have their grade's


def _tested(seat: Seat) -> str | None:
    """Return the grade in which a student was to be tested last spring."""
    before = GRADES[GRADES.index(seat.grade) - 1] if seat.grade not in {"PK", "SP"} else ""
    return before if before in _TESTED else None


def tests(plan: Plan) -> list[str]:
    """Return the grades tested last spring that the district's students were in."""
    here = {grade for school in plan.schools for grade, _ in school.grades}
    return [grade for grade in _TESTED if GRADES[GRADES.index(grade) + 1] in here]


def assessment(plan: Plan) -> Iterator[SynthObject]:
    """Yield one test for each grade tested."""
    for grade in tests(plan):
        ref = plan.ref_id("Assessment", GRADES.index(grade))
        xml = (
            f'<Assessment RefId="{ref}"><Name>Spring tests, grade {grade}</Name><AssessmentId>SPRING-{grade}'
            "</AssessmentId><AssessmentDescriptors><AssessmentDescriptor>Statewide</AssessmentDescriptor>"
            "<AssessmentDescriptor>0075</AssessmentDescriptor></AssessmentDescriptors></Assessment>"
        )
        yield SynthObject("Assessment", ref, xml.encode())


def assessment_sub_test(plan: Plan) -> Iterator[SynthObject]:
    """Yield the two subjects of each test, with the levels of performance."""
    ends = (*(least for least, _ in _LEVELS[1:]), _HIGHEST + 1)
    levels = "".join(
        f'<PerformanceLevel LevelName="{name} expectations"><CutScores ScoreMetric="{_SCALE}">'
        f"<LowerCut>{least}</LowerCut><UpperCut>{end - 1}</UpperCut></CutScores></PerformanceLevel>"
        for (least, name), end in zip(_LEVELS, ends, strict=True)
    )
    for grade in tests(plan):
        for subject, (short, name) in enumerate(_SUBJECTS):
            ref = _sub_test_ref(plan, grade, subject)
            xml = (
                f'<AssessmentSubTest RefId="{ref}"><Name>{name}, grade {grade}</Name>'
                f'<ScoreRange ScoreMetric="{_SCALE}"><Minimum>{_LEVELS[0][0]}</Minimum><Maximum>{_HIGHEST}</Maximum>'
                f"</ScoreRange><PerformanceLevels>{levels}</PerformanceLevels><SubjectArea>{name}</SubjectArea>"
                f"{grade_levels([grade])}<SubTestTier>0</SubTestTier><Abbreviation>{short}{grade}</Abbreviation>"
                "<NumberOfItems>40</NumberOfItems><ContainerOnly>false</ContainerOnly></AssessmentSubTest>"
            )
            yield SynthObject("AssessmentSubTest", ref, xml.encode())


def _sub_test_ref(plan: Plan, grade: str, subject: int) -> str:
    return plan.ref_id("AssessmentSubTest", GRADES.index(grade) * len(_SUBJECTS) + subject)


def assessment_form(plan: Plan) -> Iterator[SynthObject]:
    """Yield the one form of each test."""
    for grade in tests(plan):
        place = GRADES.index(grade)
        ref = plan.ref_id("AssessmentForm", place)
        parts = "".join(
            f"<AssessmentSubTestRefId>{_sub_test_ref(plan, grade, n)}</AssessmentSubTestRefId>"
            for n in range(len(_SUBJECTS))
        )
        xml = (
            f'<AssessmentForm RefId="{ref}" AssessmentRefId="{plan.ref_id("Assessment", place)}">'
            f"<AssessmentType>standard</AssessmentType><FormName>Grade {grade}</FormName><Period>Spring</Period>"
            f"{grade_levels([grade])}<AssessmentSubTestRefIds>{parts}</AssessmentSubTestRefIds></AssessmentForm>"
        )
        yield SynthObject("AssessmentForm", ref, xml.encode())


def assessment_administration(plan: Plan) -> Iterator[SynthObject]:
    """Yield when each form was given last spring, and November's retest of the oldest."""
    lea, year = plan.ref_id("LEAInfo", 0), plan.year.number
    given = [(GRADES.index(grade), grade, f"Spring {year - 1}", f"{year - 1}-05-05T08:30:00") for grade in tests(plan)]
    if RETESTED in tests(plan):
        given.append((_RETEST, RETESTED, f"November {year - 1}", f"{year - 1}{_RETEST_DAY}"))
    for number, grade, name, moment in given:
        ref, form = plan.ref_id("AssessmentAdministration", number), plan.ref_id("AssessmentForm", GRADES.index(grade))
        xml = (
            f'<AssessmentAdministration RefId="{ref}" AssessmentFormRefId="{form}">'
            f"<AdministrationName>{name}, grade {grade}</AdministrationName>"
            f"<AdministrationDateTime>{moment}</AdministrationDateTime><LEAInfoRefId>{lea}</LEAInfoRefId>"
            "</AssessmentAdministration>"
        )
        yield SynthObject("AssessmentAdministration", ref, xml.encode())


def assessment_registration(plan: Plan) -> Iterator[SynthObject]:
    """Yield the students who missed the test of grade 10 in spring and take it in November."""
    administration = plan.ref_id("AssessmentAdministration", _RETEST)
    for seat, student, grade in _of_spring(plan):
        if grade != RETESTED or lot(student) < _PRESENT:
            continue
        ref = plan.ref_id("AssessmentRegistration", seat.number)
        xml = (
            f'<AssessmentRegistration RefId="{ref}" StudentPersonalRefId="{student}" '
            f'AssessmentAdministrationRefId="{administration}">'
            f"<CreationDateTime>{plan.year.days[0]}T10:00:00</CreationDateTime>"
            f"<StudentGradeLevel><Code>{seat.grade}</Code></StudentGradeLevel>"
            f"<AssessmentGradeLevel><Code>{grade}</Code></AssessmentGradeLevel>"
            f"<SchoolInfoRefId>{seat.school.ref_id}</SchoolInfoRefId></AssessmentRegistration>"
        )
        yield SynthObject("AssessmentRegistration", ref, xml.encode(), student)


def student_score_set(plan: Plan) -> Iterator[SynthObject]:
    """Yield the two scores of every student who was tested last spring."""
    draw = plan.random("StudentScoreSet").random
    sub_tests = {grade: [_sub_test_ref(plan, grade, n) for n in range(len(_SUBJECTS))] for grade in _TESTED}
    given = {grade: plan.ref_id("AssessmentAdministration", GRADES.index(grade)) for grade in _TESTED}
    for seat, student, grade in _of_spring(plan):
        if lot(student) >= _PRESENT:
            continue
        ref, level = plan.ref_id("StudentScoreSet", seat.number), draw()
        scores = "".join(
            f'<Score AssessmentSubTestRefId="{part}"><ScoreValue>'
            f"{_LEVELS[0][0] + int((level + draw() + draw()) / 3 * (_HIGHEST - _LEVELS[0][0]))}</ScoreValue></Score>"
            for part in sub_tests[grade]
        )
        xml = (
            f'<StudentScoreSet RefId="{ref}" ScoreMetric="{_SCALE}" AssessmentAdministrationRefId="{given[grade]}" '
            f'StudentPersonalRefId="{student}"><Scores>{scores}</Scores></StudentScoreSet>'
        )
        yield SynthObject("StudentScoreSet", ref, xml.encode(), student)


def _of_spring(plan: Plan) -> Iterator[tuple[Seat, str, str]]:
    """Yield (student, RefId, grade tested in) of those who were to be tested last spring."""
    for seat in plan.seats():
        if grade := _tested(seat):
            yield seat, plan.ref_id("StudentPersonal", seat.number), grade


def count_tested(plan: Plan) -> tuple[int, int]:
    """Return how many students have scores, and how many are registered for November."""
    grades = [(grade, lot(student) < _PRESENT) for _, student, grade in _of_spring(plan)]
    return sum(there for _, there in grades), sum(grade == RETESTED and not there for grade, there in grades)
