"""StaffEvaluation: an evaluation of a member of staff."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class StaffEvaluation(SifObject):
    """An evaluation of a member of staff in one school."""

    # Known by its RefId, which it has since 2.7. Before, nothing told one evaluation from the next, so that one
    # without RefId is refused.
    staff_ref_id: Mapped[UUID] = element("StaffPersonalRefId", "Member of staff evaluated", refers="StaffPersonal")
    school_ref_id: Mapped[UUID] = element("SchoolInfoRefId", "School of the evaluation", refers="SchoolInfo")
    evaluator_state_id: Mapped[str | None] = element(
        "EvaluatorStateProvinceId", "State's identifier of the evaluator", pii=True
    )
    bargaining_unit: Mapped[str | None] = element("BargainingUnit", "Bargaining unit of the person", pii=True)
    evaluation_cycle: Mapped[str | None] = element("EvaluationCycleName", "Name of the evaluation cycle", pii=True)
    preconference_date: Mapped[date | None] = element(
        "EvaluationPreconferenceDate", "Day of the conference before", pii=True
    )
    projected_date: Mapped[date | None] = element("ProjectedEvaluationDate", "Day it was planned for", pii=True)
    evaluation_date: Mapped[date] = element("EvaluationDate", "Day of the evaluation", pii=True)
    postconference_date: Mapped[date | None] = element(
        "EvaluationPostconferenceDate", "Day of the conference after", pii=True
    )
    evaluation_system: Mapped[str] = element("EvaluationSystem", "System of evaluation in use", pii=True)
    parts: Mapped[list[Any]] = element(
        "EvaluationParts/EvaluationPart", "Parts of the evaluation with score and scale", pii=True
    )
    holistic_score: Mapped[str] = element("EvaluationHolisticScore", "Overall score", pii=True)
    holistic_scale: Mapped[str] = element("EvaluationHolisticScale", "Scale of the overall score", pii=True)
    recommendation_code: Mapped[str | None] = element(
        "EvaluationRecommendation/Code", "District's code of what is recommended", pii=True
    )
