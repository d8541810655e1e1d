"""What the synthetic state sends is SIF: by our schemas, by the official ones, and by the list of required elements."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.reference.elements import feeds
from sif_pipeline.sif import carried, inspection, schema
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.merging import merged
from sif_pipeline.synth import districts, messages
from sif_pipeline.synth.objects import OBJECTS
from sif_pipeline.synth.state import District, Outgoing, add_events, introduction, later_events

SHARED = Path(__file__).resolve().parents[3] / "shared"
ELEMENTS = SHARED / "domain" / "ma-object-elements-2.7m.csv"
SIF = "{http://www.sifinfo.org/infrastructure/2.x}"
WITH_REF_ID_SINCE_2_7 = [name for name in OBJECTS if "@RefId" not in schema.object_key(name)] + ["StaffEvaluation"]


@pytest.fixture(scope="module")
def good() -> District:
    (found,) = districts(1, 1200, 21, varied=False)
    return found


def sample(district: District) -> Iterator[Outgoing]:
    """Yield an agent's whole life, of the first load every eleventh object and the first of each kind."""
    stamps = district.stamps()
    yield from introduction(district, stamps)
    seen: Counter[str] = Counter()
    for message in add_events(district, stamps):
        if seen[message.object_name] % 11 == 0:
            yield message
        seen[message.object_name] += 1
    yield from later_events(district, stamps)
    stamp = next(stamps)
    yield Outgoing("", "SIF_Ping", stamp, messages.ping(district.source_id, stamp))
    yield Outgoing("", "SIF_Unregister", stamp, messages.unregister(district.source_id, stamp))


def test_the_official_schema_accepts_every_message(good: District, official: etree.XMLSchema) -> None:
    judged: Counter[str] = Counter()
    for message in sample(good):
        root = open_message(message.body)
        for found in root.iter(*(f"{SIF}{name}" for name in WITH_REF_ID_SINCE_2_7)):
            del found.attrib["RefId"]
        assert official.validate(root), (message.object_name, message.action, official.error_log[0].type_name)
        judged[message.object_name] += 1
    assert set(OBJECTS) <= set(judged)


def test_the_official_schema_accepts_packets(good: District, official: etree.XMLSchema) -> None:
    found = (found.xml for found in good.objects(["StudentPersonal"]))
    for packet in messages.response_packets(found, good.source_id, "STATE", "A" * 32, good.stamps()):
        assert official.validate(open_message(packet))


def test_every_object_that_feeds_a_collection_is_made(good: District) -> None:
    """An object that `make add-object` began need not be made: nothing is to be registered for it."""
    assert {feed.object_name for feed in feeds()} <= set(OBJECTS) <= set(schema.object_names())
    assert [name for name, count in good.counts().items() if not count] == []


def test_every_single_object_is_valid_and_names_itself(good: District) -> None:
    """Messages are made of strings: whatever is made is judged here, not a sample."""
    for found in good.objects():
        (one,) = carried.objects(open_message(b"".join(messages.object_list([found.xml]))))
        assert etree.QName(one.element).localname == found.name
        assert one.element.get("RefId") == found.ref_id
        wrong = inspection.findings(one.element, schema.Profile.WHOLE)
        assert schema.is_valid(one.element, schema.Profile.WHOLE), (found.name, wrong)


def test_our_schema_finds_nothing_in_a_good_district(good: District) -> None:
    for message in sample(good):
        for one in carried.objects(open_message(message.body)):
            findings = inspection.findings(one.element, schema.profile_for(message.action))
            assert findings == [], message.object_name


def test_our_schema_finds_each_flaw_and_only_that() -> None:
    (district,) = districts(1, 700, 22, bad=0.3, varied=False)
    seen = set()
    sent_and_messages = zip(district.adds(), add_events(district, district.stamps()), strict=True)
    for sent, message in sent_and_messages:
        if sent.flaw is None:
            continue
        (one,) = carried.objects(open_message(message.body))
        codes = [notice.code for notice in inspection.findings(one.element, schema.Profile.WHOLE)]
        expected = [] if sent.flaw.name == "student_absent" else [sent.flaw.code]
        assert codes == expected, (sent.flaw.name, sent.object.name)
        seen.add((sent.flaw.name, sent.object.name))
    assert len(seen) > 20


def required_paths() -> dict[str, list[tuple[str, ...]]]:
    """Return the mandatory elements and attributes of each object, as steps from its root."""
    if not ELEMENTS.exists():
        pytest.skip("the element list of SIF 2.7M is not part of the project")
    with ELEMENTS.open(encoding="utf-8") as rows:
        found: dict[str, list[tuple[str, ...]]] = {}
        for row in csv.DictReader(rows):
            if row["object"] in OBJECTS and row["char"].startswith("M"):
                found.setdefault(row["object"], []).append(tuple(row["path"].split("/")))
        return found


def lacking(element: etree._Element, steps: tuple[str, ...]) -> bool:
    """Tell whether the last step is missing wherever the steps before it are there."""
    holders = element.findall("/".join(SIF + step for step in steps[:-1])) if len(steps) > 1 else [element]
    last = steps[-1]
    if last.startswith("@"):
        return any(holder.get(last[1:]) is None for holder in holders)
    return any(holder.find(SIF + last) is None for holder in holders)


def test_nothing_mandatory_in_27m_is_missing(good: District) -> None:
    required = required_paths()
    assert len(required) == 21
    for message in add_events(good, good.stamps(), list(required)):
        (one,) = carried.objects(open_message(message.body))
        missing = [steps for steps in required[message.object_name] if lacking(one.element, steps)]
        assert missing == [], message.object_name


# What Massachusetts requires beyond the standard, among the objects of the synthetic state.
STATE_REQUIRED = {
    "LEAInfo": ["StateProvinceId"],
    "SchoolInfo": ["StateProvinceId"],
    "StudentPersonal": [
        *("StateProvinceId", "Demographics/RaceList/Race/Code", "Demographics/HispanicLatino"),
        *("Demographics/Gender", "Demographics/BirthDate", "Demographics/PlaceOfBirth"),
        *("Demographics/EnglishProficiency/Code", "Demographics/LanguageList/Language/Code"),
        *("AddressList/Address/City", "Name/MiddleName"),
    ],
    "StaffPersonal": ["StateProvinceId", "Demographics/BirthDate", "Demographics/HispanicLatino"],
    "StudentSchoolEnrollment": ["GradeLevel/Code", "ResidencyStatus/Code"],
    "SchoolCourseInfo": ["StateCourseCode", "DistrictCourseCode", "InstructionalLevel/Code", "CourseCredits"],
    "SectionInfo": ["MediumOfInstruction/Code", "CourseSectionCode"],
    "TermInfo": ["TermCode"],
}


def test_nothing_the_state_requires_is_missing(good: District) -> None:
    for message in add_events(good, good.stamps()):
        (one,) = carried.objects(open_message(message.body))
        for path in STATE_REQUIRED.get(message.object_name, ()):
            assert one.element.find("/".join(SIF + step for step in path.split("/"))) is not None, path


def test_changes_leave_what_the_manifest_says(good: District) -> None:
    whole = {}
    for message in add_events(good, good.stamps(), ["StudentPersonal", "StudentSchoolEnrollment"]):
        (one,) = carried.objects(open_message(message.body))
        whole[one.element.get("RefId")] = one.element
    kinds = set()
    for happening, message in zip(good.happenings(), later_events(good, good.stamps()), strict=True):
        if happening.action == "Delete":
            continue
        (one,) = carried.objects(open_message(message.body))
        before = whole[happening.ref_id]
        after = merged(before, one.element)
        path = "/".join(SIF + step for step in happening.path.split("/"))
        assert after.findtext(path) == happening.value, happening.kind
        if happening.kind not in {"name_changed", "address_changed"}:  # these may draw the same again
            assert before.findtext(path) != happening.value, happening.kind
        assert schema.is_valid(after, schema.Profile.WHOLE), happening.kind
        kinds.add(happening.kind)
    assert len(kinds) == 7
