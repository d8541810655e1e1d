"""AssessmentSubTest: one thing that a test measures."""

from typing import Any

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class AssessmentSubTest(SifObject):
    """One thing that a test measures, with its range of scores and its levels of performance."""

    name: Mapped[str] = element("Name", "Name of the sub-test")
    score_metric_code: Mapped[str | None] = element(
        "ScoreRange/@ScoreMetric", "Scale of the range of scores", codes="NCES0056AssessmentReportingMethodType"
    )
    lowest_score: Mapped[str | None] = element("ScoreRange/Minimum", "Lowest score there is")
    highest_score: Mapped[str | None] = element("ScoreRange/Maximum", "Highest score there is")
    performance_levels: Mapped[list[Any]] = element(
        "PerformanceLevels/PerformanceLevel", "Levels of performance with the scores between which they lie"
    )
    subject_area: Mapped[str | None] = element("SubjectArea", "Subject, in words")
    grade_codes: Mapped[list[str]] = element(
        "GradeLevels/GradeLevel/Code", "Grades its scores are valid for", codes="GradeLevelCodeType"
    )
    # A composite names its parts. They are not waited for: parts may name each other.
    part_guids: Mapped[list[str]] = element(
        "AssessmentSubTestRefIds/AssessmentSubTestRefId", "Sub-tests it is composed of"
    )
    tier: Mapped[int | None] = element("SubTestTier", "Depth in the composition; 0 is the whole")
    learning_standard_guids: Mapped[list[str]] = element(
        "LearningStandardItemRefIds/LearningStandardItemRefId", "Learning standards it measures"
    )
    abbreviation: Mapped[str | None] = element("Abbreviation", "Short name for reports")
    description: Mapped[str | None] = element("Description", "More about it, in words")
    item_count: Mapped[int | None] = element("NumberOfItems", "How many questions it has")
    container_only: Mapped[str | None] = element("ContainerOnly", "Has parts but no scores of its own, true or false")
