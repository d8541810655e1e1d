"""SectionMarkInfo: which marks are given in a section, term by term."""

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class SectionMarkInfo(SifObject):
    """The kinds of marks that are given in one section, by term."""

    # SIF 2.7 gave it a RefId and keeps the older key alongside. The older one is ours: agents of every release send
    # it, and nothing refers to the RefId.
    key_paths = ("@SectionInfoRefId", "@SchoolInfoRefId")

    section_ref_id: Mapped[UUID] = element("@SectionInfoRefId", "Section marked", refers="SectionInfo")
    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School of the section", refers="SchoolInfo")
    term_ref_ids: Mapped[list[str]] = element(
        "TermMarkLists/MarkInfoList/@TermInfoRefId", "Terms marks are given for", refers="TermInfo"
    )
    mark_ref_ids: Mapped[list[str]] = element(
        "TermMarkLists/MarkInfoList/MarkInfoRefId", "Marks given, of all terms", refers="MarkInfo"
    )
    marks_by_term: Mapped[list[Any]] = element("TermMarkLists/MarkInfoList", "Marks given, term by term")
