"""Findings: which code, where, all of them at once, never a value, and never at a price that grows out of hand."""

import time
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import pytest
from lxml import etree

from sif_pipeline.notices import MOST_IN_OBJECT, Notice
from sif_pipeline.sif import inspection, schema
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.schema import Attribute, Profile

ID = "0123456789ABCDEF0123456789ABCDEF"


def student(inside: str, attributes: str = f'RefId="{ID}"') -> etree._Element:
    """Give a StudentPersonal on line 3 of a message, one line for each of its own."""
    text = f"""<SIF_EventObject xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
      xmlns:v="urn:example:vendor" ObjectName="StudentPersonal" Action="Add">
<StudentPersonal {attributes}>
{inside}
</StudentPersonal>
</SIF_EventObject>"""
    return open_message(text.encode())[0]


def found(element: etree._Element, profile: Profile = Profile.WHOLE) -> list[tuple[str, str, int]]:
    assert schema.is_valid(element, profile) is False
    return [(notice.code, notice.path, notice.line) for notice in inspection.findings(element, profile)]


WHOLE = """<LocalId>1</LocalId>
<Name Type="04">
<LastName>Quill</LastName>
<FirstName>Ada</FirstName>
</Name>"""


def test_valid_object_inside_its_message():
    element = student(WHOLE)
    assert schema.is_valid(element, Profile.WHOLE)
    assert inspection.findings(element, Profile.WHOLE) == []


@pytest.mark.parametrize(
    ("action", "profile"),
    [
        ("Add", Profile.WHOLE),
        ("Change", Profile.SPARSE),
        ("Delete", Profile.KEY),
        ("Response", Profile.WHOLE),
    ],
)
def test_profile_of_an_action(action, profile):
    assert schema.profile_for(action) is profile


def test_everything_wrong_is_found_at_once_and_in_document_order():
    element = student("""<AlertMessages/>
<Shoe size="41"/>
<StateProvinceId>1</StateProvinceId>
<LocalId>1</LocalId>
<Name Type="02" v:Type="x" Kind="x">
<FirstName>Ada</FirstName>
</Name>
<Demographics>
<RaceList><Race><Code>1002</Code></Race><Race><Code>White</Code></Race></RaceList>
<v:Gender>F</v:Gender>
<BirthDate>2011-02-30</BirthDate>
</Demographics>
<OnTimeGraduationYear>29</OnTimeGraduationYear>
<Migrant>Maybe</Migrant>""")
    assert found(element) == [
        ("element_missing", "StudentPersonal/AlertMessages/AlertMessage", 4),
        ("element_unknown", "StudentPersonal/Shoe", 5),
        ("element_out_of_place", "StudentPersonal/StateProvinceId", 6),
        ("element_unknown", "StudentPersonal/Name/@Kind", 8),
        ("element_unknown", "StudentPersonal/Name/@Type", 8),
        ("value_not_in_code_set", "StudentPersonal/Name/@Type", 8),
        ("element_missing", "StudentPersonal/Name/LastName", 8),
        ("value_not_in_code_set", "StudentPersonal/Demographics/RaceList/Race[2]/Code", 12),
        ("element_unknown", "StudentPersonal/Demographics/Gender", 13),
        ("value_malformed", "StudentPersonal/Demographics/BirthDate", 14),
        ("value_malformed", "StudentPersonal/OnTimeGraduationYear", 16),
        ("value_not_in_code_set", "StudentPersonal/Migrant", 17),
    ]


def test_values_are_judged_behind_what_is_out_of_place():
    element = student(f"""{WHOLE}
<Homeless>Perhaps</Homeless>
<Migrant>Perhaps</Migrant>
<BirthDate>2011</BirthDate>""")
    assert found(element) == [
        ("element_out_of_place", "StudentPersonal/Homeless", 9),
        ("value_not_in_code_set", "StudentPersonal/Homeless", 9),
        ("value_not_in_code_set", "StudentPersonal/Migrant", 10),
        ("element_out_of_place", "StudentPersonal/BirthDate", 11),
    ]


def test_what_is_missing_before_something_out_of_place_is_found_too():
    element = student(f"""{WHOLE}
<PhoneNumberList/>
<EmailList>
<Email Type="Primary">a@example.org</Email><Email/>
</EmailList>
<Migrant>Perhaps</Migrant>
<Demographics>
<LanguageList/>
</Demographics>
<Shoe/>""")
    assert found(element) == [
        ("element_missing", "StudentPersonal/PhoneNumberList/PhoneNumber", 9),
        ("element_missing", "StudentPersonal/EmailList/Email[2]/@Type", 11),
        ("value_not_in_code_set", "StudentPersonal/Migrant", 13),
        ("element_out_of_place", "StudentPersonal/Demographics", 14),
        ("element_missing", "StudentPersonal/Demographics/LanguageList/Language", 15),
        ("element_unknown", "StudentPersonal/Shoe", 17),
    ]


def test_what_is_missing_at_the_end_is_found_with_what_is_wrong_before():
    element = student('<LocalId>1</LocalId>\n<Name Type="04">\n<FirstName>Ada</FirstName>\n</Name>')
    assert found(element) == [("element_missing", "StudentPersonal/Name/LastName", 5)]
    assert found(student("<LocalId>1</LocalId>\n<OtherIdList/>")) == [
        ("element_missing", "StudentPersonal/Name", 3),
        ("element_missing", "StudentPersonal/OtherIdList/OtherId", 5),
    ]


def test_elements_are_found_however_their_namespace_is_spelled():
    text = f"""<s:StudentPersonal xmlns:s="{NAMESPACE}" xmlns:v="urn:v" RefId="{ID}"><!-- c -->
<s:LocalId>1</s:LocalId>
<s:Name Type="02"><s:LastName/><v:x/><s:LastName>Quill</s:LastName><s:FirstName>Ada</s:FirstName></s:Name>
<s:Name Type="04"/>
<LocalId/>
</s:StudentPersonal>"""
    assert found(open_message(text.encode())) == [
        ("value_not_in_code_set", "StudentPersonal/Name[1]/@Type", 3),
        ("element_unknown", "StudentPersonal/Name[1]/x", 3),
        ("element_out_of_place", "StudentPersonal/Name[1]/LastName[2]", 3),
        ("element_out_of_place", "StudentPersonal/Name[2]", 4),
        ("element_unknown", "StudentPersonal/LocalId", 5),
    ]


def test_one_moved_element_is_one_finding():
    first = student(f"<SIF_ExtendedElements/>\n{WHOLE}")
    last = student(f"{WHOLE}\n<MedicalAlertMessages xsi:nil='true'/>")
    assert found(first) == [("element_out_of_place", "StudentPersonal/SIF_ExtendedElements", 4)]
    assert found(last) == [("element_out_of_place", "StudentPersonal/MedicalAlertMessages", 9)]


def test_repeated_element_is_out_of_place_once():
    element = student(f"{WHOLE}\n<Migrant>Yes</Migrant>\n<Migrant>Perhaps</Migrant>\n<Migrant>No</Migrant>")
    assert found(element) == [
        ("element_out_of_place", "StudentPersonal/Migrant[2]", 10),
        ("element_out_of_place", "StudentPersonal/Migrant[3]", 11),
    ]


def test_sparse_and_key_ask_for_keys_only():
    change = student("<EmailList><Email Type='Primary' SIF_Action='Delete'/></EmailList>")
    assert schema.is_valid(change, Profile.SPARSE)
    assert schema.is_valid(student(""), Profile.KEY)
    assert found(student("<EmailList><Email/></EmailList>"), Profile.SPARSE) == [
        ("element_missing", "StudentPersonal/EmailList/Email/@Type", 4)
    ]
    assert found(student("", ""), Profile.KEY) == [("key_missing", "StudentPersonal/@RefId", 3)]


def test_key_of_elements_is_asked_for_on_delete():
    text = f"""<StudentAttendanceSummary xmlns="{NAMESPACE}" StudentPersonalRefId="{ID}"
      SchoolInfoRefId="{ID}" SchoolYear="2026"><StartDate>2025-09-02</StartDate></StudentAttendanceSummary>"""
    element = open_message(text.encode())
    assert schema.is_valid(element, Profile.SPARSE)
    assert [notice.path for notice in inspection.findings(element, Profile.KEY)] == ["StudentAttendanceSummary/EndDate"]


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<LocalId xmlns=''>1</LocalId>", ["element_unknown LocalId", "element_missing LocalId"]),
        ("<LocalId xsi:nil='true'/>", ["element_missing LocalId"]),
        ("<LocalId xsi:nil='maybe'>1</LocalId>", ["value_malformed LocalId/@nil"]),
        ("<LocalId xsi:type='v:anything'>1</LocalId>", ["element_unknown LocalId/@type"]),
        ("<LocalId xml:lang='pt'>1</LocalId>", ["element_unknown LocalId/@lang"]),
        ("<LocalId>1<b>2</b>3</LocalId>", ["element_unknown LocalId/b"]),
        ("<LocalId>1</LocalId>text", ["value_malformed "]),
        (
            "<LocalId>1</LocalId><StateProvinceId xsi:nil='true'>1</StateProvinceId>",
            ["value_malformed StateProvinceId"],
        ),
    ],
)
def test_odd_content(inside, expected):
    element = student(f"{inside}<Name Type='04'><LastName>Q</LastName><FirstName>A</FirstName></Name>")
    got = {f"{code} {path.removeprefix('StudentPersonal').lstrip('/')}" for code, path, _ in found(element)}
    assert got == set(expected)


def test_unknown_content_is_acceptable_and_nothing_else_is():
    unknown = inspection.findings(student(f"{WHOLE}<Shoe/>", f'RefId="{ID}" Colour="1"'), Profile.WHOLE)
    assert {notice.code for notice in unknown} == {"element_unknown"}
    assert inspection.acceptable(unknown)
    assert not inspection.acceptable([*unknown, Notice("value_malformed")])
    assert inspection.acceptable([])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<StudentPicture xmlns='http://www.sifinfo.org/infrastructure/2.x'/>", "object_unknown"),
        ("<StudentPicture/>", "object_unknown"),
        ("<StudentPersonel xmlns='http://www.sifinfo.org/infrastructure/2.x'/>", "object_name_unknown"),
        ("<StudentPersonal/>", "namespace_wrong"),
        ("<StudentPersonal xmlns='http://www.sifassociation.org/datamodel/na/3.3'/>", "namespace_wrong"),
    ],
)
def test_object_without_schema(text, code):
    assert [code for code, _, _ in found(etree.fromstring(text))] == [code]


def test_the_longest_list_of_findings_ends_with_a_word_and_keeps_the_errors():
    element = student(WHOLE + "<Shoe/>" * 150 + "<Migrant>Perhaps</Migrant>")
    codes = [code for code, _, _ in found(element)]
    assert codes[-2:] == ["value_not_in_code_set", "findings_capped"]
    assert len(codes) == MOST_IN_OBJECT + 1
    assert not inspection.acceptable(inspection.findings(element, Profile.WHOLE))


def bare(inside: str, attributes: str = "") -> etree._Element:
    text = f'<StudentPersonal xmlns="{NAMESPACE}" RefId="{ID}" {attributes}>{inside}</StudentPersonal>'
    return etree.fromstring(text)


HOSTILE = {
    "unknown attributes": bare("", " ".join(f'a{n}="1"' for n in range(40_000))),
    "attributes beneath the limit": bare("", " ".join(f'a{n}="1"' for n in range(4_000))),
    "unknown elements": bare("<x/>" * 4_000),
    "bad values": bare("<EmailList>" + '<Email Type="x">y</Email>' * 2_400 + "</EmailList>"),
    "bad values beyond the limit": bare("<EmailList>" + '<Email Type="x">y</Email>' * 90_000 + "</EmailList>"),
    "one key again and again": bare("<EmailList>" + '<Email Type="Primary"/>' * 2_400 + "</EmailList>"),
    "falling order": bare("<Migrant/><LocalId/>" * 2_000),
    "misplaced elements": bare("<City/>" * 4_000),
    "a long name": bare(f"<{'x' * 40_000}/>"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_object_costs_little(kind):
    started = time.process_time()
    notices = inspection.findings(HOSTILE[kind], Profile.WHOLE)
    assert not schema.is_valid(HOSTILE[kind], Profile.WHOLE)
    assert time.process_time() - started < 10
    assert not inspection.acceptable(notices)
    assert max(len(notice.path) for notice in notices) < 300


def test_object_beyond_the_limit_is_invalid_as_such():
    assert inspection.findings(HOSTILE["unknown attributes"], Profile.WHOLE) == [
        Notice("object_too_large", "StudentPersonal", 1)
    ]


def test_no_value_reaches_a_finding():
    secret = "SECRET-4711"
    element = student(f"""<AlertMessages>{secret}</AlertMessages>
<LocalId v:a="{secret}">{secret}</LocalId><Name Type="{secret}">{secret}<LastName><b>{secret}</b></LastName></Name>
<Demographics><BirthDate>{secret}</BirthDate><Gender>{secret}</Gender></Demographics>
<EmailList><Email Type="Primary">{secret}</Email><Email Type="Primary">{secret}</Email></EmailList>
<SIF_ExtendedElements><SIF_ExtendedElement Name="{secret}"/><SIF_ExtendedElement Name="{secret}"/>
</SIF_ExtendedElements>""")
    for profile in Profile:
        assert secret not in repr(inspection.findings(element, profile))


def test_schema_named_by_the_message_is_not_looked_for():
    hint = f'RefId="{ID}" xsi:schemaLocation="{NAMESPACE} http://127.0.0.1:9/other.xsd"'
    assert schema.is_valid(student(WHOLE, hint), Profile.WHOLE)


def test_received_object_is_left_as_it_was():
    element = student("<Migrant>Perhaps</Migrant><Shoe/><LocalId>1</LocalId><LocalId>1</LocalId>")
    before = etree.tostring(element), [node.sourceline for node in element.iter()]
    inspection.findings(element, Profile.WHOLE)
    assert (etree.tostring(element), [node.sourceline for node in element.iter()]) == before


def test_threads_do_not_mix_their_findings():
    bad = [student(f"{WHOLE}{'<Shoe/>' * n}<Migrant>Perhaps</Migrant>") for n in range(20)]
    expected = [inspection.findings(element, Profile.WHOLE) for element in bad]
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda element: inspection.findings(element, Profile.WHOLE), bad * 5))
    assert again == expected * 5


def test_names_are_those_of_the_folder():
    stems = {path.name.removesuffix(".xsd") for path in (files("schemas") / "sif-2.7").iterdir() if path.is_file()}
    assert schema.object_names() == tuple(sorted(stems - {"common", "codesets"}))


def test_key_of_an_object():
    assert schema.object_key("StudentPersonal") == ("@RefId",)
    assert schema.object_key("StudentAttendanceSummary") == (
        "@StudentPersonalRefId", "@SchoolInfoRefId", "@SchoolYear", "StartDate", "EndDate",
    )  # fmt: skip


def test_shape_says_how_a_list_merges():
    known = schema.shape("StudentPersonal")
    addresses = known.children["AddressList"]
    assert (addresses.keyed_by, addresses.whole) == (("@Type",), False)
    assert addresses.children["Address"].repeats
    assert addresses.children["Address"].attributes == {
        "Type": Attribute(required=True, coded=True),
        "SIF_Action": Attribute(required=False, coded=True),
    }
    assert list(addresses.children["Address"].children)[:2] == ["Street", "City"]
    races = known.children["Demographics"].children["RaceList"]
    assert (races.keyed_by, races.whole) == ((), True)
    extended = known.children["SIF_ExtendedElements"]
    assert extended.keyed_by == ("@Name",)
    assert extended.children["SIF_ExtendedElement"].open
    assert (known.keyed_by, known.whole) == ((), False)
