"""MarkInfo: a kind of mark that a school gives."""

from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class MarkInfo(SifObject):
    """A kind of mark that a school gives, such as a final mark or one for effort."""

    mark_value_ref_id: Mapped[UUID] = element("@MarkValueInfoRefId", "Values it may have", refers="MarkValueInfo")
    school_ref_id: Mapped[UUID] = element("@SchoolInfoRefId", "School that gives it", refers="SchoolInfo")
    school_year: Mapped[int] = element("SchoolYear", "School year by its end year")
    description: Mapped[str] = element("Description", "What the mark is for")
