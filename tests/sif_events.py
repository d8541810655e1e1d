"""Events for property tests of the fold: what can happen to a small district, in any number and order."""

import sif_text as sif
from hypothesis import strategies as st

NIL = 'xsi:nil="true"'
OTHER_IDS = '<OtherIdList><OtherId Type="0164">{0}</OtherId></OtherIdList>'
PHONE = '<PhoneNumber Type="{0}"><Number>(555) 555-{1}</Number></PhoneNumber>'


def _phones(*items):
    return f"<PhoneNumberList>{''.join(items)}</PhoneNumberList>"


def _change(name, word, parts, attributes=""):
    return "Change", sif.sparse(name, word, parts, attributes)


HAPPENINGS = {
    "student added": ("Add", sif.student("A", "1", "Ada")),
    "student added anew": ("Add", sif.student("A", "2", "Ben", _phones(PHONE.format("0096", "0001")))),
    "student in a response": ("Response", sif.student("A", "3", "Cyd", ids=OTHER_IDS.format("x"))),
    "student invalid": ("Add", sif.student("A", "4", "Dee", "<IDEA>Perhaps</IDEA>")),
    "student with a vendor's element": ("Add", sif.student("A", "5", "Eve", "<Shoes>40</Shoes>")),
    "local id": _change("StudentPersonal", "A", "<LocalId>6</LocalId>"),
    "address without a country": _change(
        "StudentPersonal", "A", '<AddressList><Address Type="0123"><City>Athol</City></Address></AddressList>'
    ),
    "phone set": _change("StudentPersonal", "A", _phones(PHONE.format("0096", "0002"))),
    "another phone set": _change("StudentPersonal", "A", _phones(PHONE.format("0350", "0003"))),
    "phone deleted": _change("StudentPersonal", "A", _phones('<PhoneNumber Type="0096" SIF_Action="Delete"/>')),
    "phones cleared": _change("StudentPersonal", "A", f"<PhoneNumberList {NIL}/>"),
    "other ids replaced": _change("StudentPersonal", "A", OTHER_IDS.format("y")),
    "first name": _change("StudentPersonal", "A", '<Name Type="04"><FirstName>Fay</FirstName></Name>'),
    "change invalid": _change("StudentPersonal", "A", "<Migrant>Perhaps</Migrant>"),
    "student deleted": ("Delete", sif.sparse("StudentPersonal", "A")),
    "other student added": ("Add", sif.student("B", "7", "Gus")),
    "district added": ("Add", sif.lea("L")),
    "district deleted": ("Delete", sif.sparse("LEAInfo", "L")),
    "school of the district": ("Add", sif.school("S", of="L")),
    "school of nobody": ("Add", sif.school("S", name="South")),
    "school moves to the district": _change("SchoolInfo", "S", f"<LEAInfoRefId>{sif.ref('L')}</LEAInfoRefId>"),
    "school renamed": _change("SchoolInfo", "S", "<SchoolName>West</SchoolName>"),
    "school deleted": ("Delete", sif.sparse("SchoolInfo", "S")),
    "enrolled": ("Add", sif.enrollment("E", "A", "S")),
    "enrolled as the other": ("Add", sif.enrollment("E", "B", "S", "2026-10-01")),
    "enrollment changes student": _change(
        "StudentSchoolEnrollment", "E", "", f' StudentPersonalRefId="{sif.ref("B")}"'
    ),
    "entry code": _change("StudentSchoolEnrollment", "E", "<EntryType><Code>1821</Code></EntryType>"),
    "entry's other code": _change(
        "StudentSchoolEnrollment", "E",
        '<EntryType><OtherCodeList><OtherCode Codeset="Local">x</OtherCode></OtherCodeList></EntryType>',
    ),
    "exit": _change("StudentSchoolEnrollment", "E", "<ExitDate>2027-01-31</ExitDate>"),
    "enrollment deleted": ("Delete", sif.sparse("StudentSchoolEnrollment", "E")),
}  # fmt: skip
"""Name to action and object. Some are invalid in themselves; an address without a country always makes its student so,
another code of an entry only while the entry has no code."""


ADA = sif.student("A", "1", "Ada")
CYD = sif.student("A", "3", "Cyd", ids=OTHER_IDS.format("x"))
ALL = (sif.lea("L"), sif.school("S", of="L"), ADA, sif.student("B", "7", "Gus"), sif.enrollment("E", "A", "S"))

RESPONSES = {
    "Ada again": (ADA,),
    "Cyd again": (CYD,),
    "both students again": (ADA, sif.student("B", "7", "Gus")),
    "Ada, Cyd and Ada": (ADA, CYD, ADA),
    "Ada twice": (ADA, ADA),
    "Ada spelled otherwise": (ADA.replace('"', "'"),),
    "Ada with a vendor's element": (ADA.replace("</StudentPersonal>", "<Shoes>40</Shoes></StudentPersonal>"),),
    "Ada invalid": (ADA.replace("</StudentPersonal>", "<IDEA>Perhaps</IDEA></StudentPersonal>"),),
    "all again": ALL,
    "all again in another order": tuple(reversed(ALL)),
    "enrolled again": (sif.enrollment("E", "A", "S"),),
    "school again": (sif.school("S", of="L"),),
    "district again": (sif.lea("L"),),
}
"""Messages that repeat what others said: name to objects."""

DISTURBANCES = (
    "student added", "student added anew", "local id", "address without a country", "first name", "student deleted",
    "student invalid", "change invalid", "district added", "school of the district", "school of nobody",
    "school moves to the district", "school deleted", "enrolled", "enrolled as the other", "exit",
    "enrollment changes student", "entry's other code", "entry code", "other student added",
)  # fmt: skip
"""Happenings to the objects of RESPONSES."""


def body(names, at):
    """Write a message: of RESPONSES or HAPPENINGS by its name, or of several HAPPENINGS, each Response as an Add."""
    if isinstance(names, str) and names in RESPONSES:
        return sif.response(*RESPONSES[names], at=at)
    if isinstance(names, str) and HAPPENINGS[names][0] == "Response":
        return sif.response(HAPPENINGS[names][1], at=at)
    several = [HAPPENINGS[name] for name in ([names] if isinstance(names, str) else names)]
    return sif.mixed(*(("Add" if action == "Response" else action, text) for action, text in several), at=at)


def repetitions(most):
    """Draw up to `most` messages that mostly repeat each other."""
    again, other = st.sampled_from(sorted(RESPONSES)), st.sampled_from(DISTURBANCES)
    together = st.lists(other, min_size=2, max_size=3).map(tuple)
    few = st.lists(again, min_size=1, max_size=2).flatmap(lambda kept: st.sampled_from([*kept, "all again"]))
    return st.lists(st.one_of(again, few, other, other, together), min_size=1, max_size=most)


def messages(most):
    """Draw up to `most` messages: one happening, or two or three together."""
    name = st.sampled_from(sorted(HAPPENINGS))
    together = st.lists(name, min_size=2, max_size=3).map(tuple)
    return st.lists(st.one_of(name, name, together), min_size=1, max_size=most)


def happenings(most):
    """Draw up to `most` happenings, in the order of their SIF_Timestamps."""
    return st.lists(st.sampled_from(sorted(HAPPENINGS)), min_size=1, max_size=most)
