"""Assessment: a test that students are given."""

from uuid import UUID

from sqlalchemy.orm import Mapped

from warehouse.base import SifObject, element


class Assessment(SifObject):
    """A test that students are given, such as the state's of one subject; its forms are objects of their own."""

    name: Mapped[str] = element("Name", "Name of the test")
    assessment_id: Mapped[str | None] = element("AssessmentId", "Identifier of the state, district or publisher")
    # AssessmentPackage, which wraps the questions themselves, is not collected.
    package_guid: Mapped[UUID | None] = element("AssessmentPackageRefId", "Package that holds its content")
    descriptor_codes: Mapped[list[str]] = element(
        "AssessmentDescriptors/AssessmentDescriptor",
        "What kinds of test it is",
        codes="NCES0067AssessmentTypeType AssessmentDescriptorType",
    )
