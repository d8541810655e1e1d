"""MarkValueInfo: which values a school's marks may have."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class MarkValueInfo(SifObject):
    """A range of values that marks of a school may have: percentages, numbers, letters, words."""

    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School that gives such marks", refers="SchoolInfo")
    school_year: Mapped[int] = element("SchoolYear", "School year by its end year")
    name: Mapped[str] = element("Name", "Name of the range of values")
    percentage_accepted: Mapped[str] = element("Percentage/@IsAccepted", "Whether percentages are, true or false")
    percentage_minimum: Mapped[Decimal | None] = element("Percentage/Minimum", "Lowest percentage")
    percentage_maximum: Mapped[Decimal | None] = element("Percentage/Maximum", "Highest percentage")
    numeric_accepted: Mapped[str] = element("Numeric/@IsAccepted", "Whether numbers are, true or false")
    numeric_precision: Mapped[int | None] = element("Numeric/Precision", "Digits of a number in all")
    numeric_scale: Mapped[int | None] = element("Numeric/Scale", "Digits of a number behind the point")
    numeric_low: Mapped[Decimal | None] = element("Numeric/Low", "Lowest number")
    numeric_high: Mapped[Decimal | None] = element("Numeric/High", "Highest number")
    letter_accepted: Mapped[str] = element("Letter/@IsAccepted", "Whether letters are, true or false")
    letters: Mapped[list[Any]] = element("Letter/ValidMark", "Letters with what they are worth")
    narrative_accepted: Mapped[str] = element("Narrative/@IsAccepted", "Whether words are, true or false")
    narrative_maximum_size: Mapped[int | None] = element("Narrative/MaximumSize", "Most characters of the words")
