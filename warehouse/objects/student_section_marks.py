"""StudentSectionMarks: a student's marks in a section for a term."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element, extended


class StudentSectionMarks(SifObject):
    """A student's marks in one section for one term."""

    # SIF 2.7 gave it a RefId and keeps the older key alongside. The older one is ours: agents of every release send
    # it, and a mark that is given again under a new RefId is still the same mark.
    key_paths = ("@StudentPersonalRefId", "@SectionInfoRefId", "@TermInfoRefId")

    student_ref_id: Mapped[UUID] = element("@StudentPersonalRefId", "Student marked", refers="StudentPersonal")
    section_ref_id: Mapped[UUID] = element("@SectionInfoRefId", "Section marked in", refers="SectionInfo")
    term_ref_id: Mapped[UUID] = element("@TermInfoRefId", "Term marked for", refers="TermInfo")
    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School that gives the marks", refers="SchoolInfo")
    final: Mapped[str] = element("IsFinal", "Whether the marks are final, true or false", pii=True)
    # Its MarkInfo is not waited for: in Massachusetts one RefId stands for the state mark, and no agent must send it.
    marks: Mapped[list[Any]] = element("MarkList/Mark", "Marks as percentage, number, letter or words", pii=True)

    credits_earned = extended("MACreditsEarned", "Credits earned (SCS11)", Decimal)
