"""StudentScoreSet: what a student scored in a test."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class StudentScoreSet(SifObject):
    """What a student scored in a test, on one scale, by sub-test."""

    score_metric_code: Mapped[str] = element(
        "@ScoreMetric", "Scale the scores are on", codes="NCES0056AssessmentReportingMethodType", pii=True
    )
    administration_ref_id: Mapped[UUID] = element(
        "@AssessmentAdministrationRefId", "Administration of the test", refers="AssessmentAdministration"
    )
    student_ref_id: Mapped[UUID] = element("@StudentPersonalRefId", "Student tested", refers="StudentPersonal")
    registration_ref_id: Mapped[UUID | None] = element(
        "@AssessmentRegistrationRefId", "Registration for the test", refers="AssessmentRegistration"
    )
    # Scores name their sub-tests. Those are not waited for: a sub-test has no events, a district must be asked for it.
    scores: Mapped[list[Any]] = element("Scores/Score", "Scores and what they say, by sub-test", pii=True)
