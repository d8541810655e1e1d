"""What each kind of event does to an object: the table of semantics, one case a line."""

import pytest
import sif_fold
import sif_text as sif

from sif_pipeline.reading import mapping

NIL = 'xsi:nil="true"'


def phone(kind, number):
    return f'<PhoneNumber Type="{kind}"><Number>{number}</Number></PhoneNumber>'


def phones(*items):
    return f"<PhoneNumberList>{''.join(items)}</PhoneNumberList>"


def gone(kind):
    return f'<PhoneNumber Type="{kind}" SIF_Action="Delete"/>'


OTHER_IDS = '<OtherIdList><OtherId Type="0164">x</OtherId><OtherId Type="0339">y</OtherId></OtherIdList>'
BIRTH = "<Demographics><BirthDate>2012-02-29</BirthDate><PlaceOfBirth>Athol</PlaceOfBirth></Demographics>"
EXTENDED = '<SIF_ExtendedElements><SIF_ExtendedElement Name="{0}">{1}</SIF_ExtendedElement></SIF_ExtendedElements>'

ADA = [("LocalId", "1"), ("Name@Type", "04"), ("Name/LastName", "Doe"), ("Name/FirstName", "Ada")]


def add(more="", local="1", ids=""):
    return "Add", sif.student("A", local, "Ada", more, ids)


def change(parts):
    return "Change", sif.sparse("StudentPersonal", "A", parts)


DELETE = ("Delete", sif.sparse("StudentPersonal", "A"))
HOME = [("PhoneNumberList/PhoneNumber@Type", "0096"), ("PhoneNumberList/PhoneNumber/Number", "1")]
WORK = [("PhoneNumberList/PhoneNumber@Type", "0350"), ("PhoneNumberList/PhoneNumber/Number", "2")]
BORN = [("Demographics/PlaceOfBirth", "Athol")]

CASES = {
    "a whole image is the object": ([add()], ADA),
    "a whole image replaces all, also what it leaves out": ([add(phones(phone("0096", "1"))), add()], ADA),
    "a response replaces as an Add does": ([add(BIRTH), ("Response", sif.student("A", "1", "Ada"))], ADA),
    "absent is unchanged": ([add(), change("<StateProvinceId>9</StateProvinceId>")],
                            [ADA[0], ("StateProvinceId", "9"), *ADA[1:]]),
    "an empty Change changes nothing": ([add(), change("")], ADA),
    "present replaces": ([add(), change("<LocalId>2</LocalId>")], [("LocalId", "2"), *ADA[1:]]),
    "nil clears": ([add("<IDEA>Yes</IDEA>"), change(f"<IDEA {NIL}/>")], ADA),
    "nil clears what was not there": ([add(), change(f"<IDEA {NIL}/>")], ADA),
    "nil clears a structure": ([add(BIRTH), change(f"<Demographics {NIL}/>")], ADA),
    "nil clears a part of a structure": ([add(BIRTH), change(f"<Demographics><BirthDate {NIL}/></Demographics>")],
                                         [*ADA, *BORN]),
    "a structure changes part by part": (
        [add(BIRTH), change("<Demographics><PlaceOfBirth>Ware</PlaceOfBirth></Demographics>")],
        [*ADA, ("Demographics/BirthDate", "2012-02-29"), ("Demographics/PlaceOfBirth", "Ware")]),
    "parts of a structure come in the standard's order": (
        [add("<Demographics><PlaceOfBirth>Athol</PlaceOfBirth></Demographics>"),
         change("<Demographics><BirthDate>2012-02-29</BirthDate></Demographics>")],
        [*ADA, ("Demographics/BirthDate", "2012-02-29"), ("Demographics/PlaceOfBirth", "Athol")]),
    "an item of a keyed list is added": ([add(phones(phone("0096", "1"))), change(phones(phone("0350", "2")))],
                                         [*ADA, *HOME, *WORK]),
    "an item of a keyed list is set in its place": (
        [add(phones(phone("0096", "0"), phone("0350", "2"))), change(phones(phone("0096", "1")))],
        [*ADA, *HOME, *WORK]),
    "an item of a keyed list is deleted": (
        [add(phones(phone("0096", "1"), phone("0350", "2"))), change(phones(gone("0096")))], [*ADA, *WORK]),
    "the last item takes its list with it": ([add(phones(phone("0096", "1"))), change(phones(gone("0096")))], ADA),
    "deleting an item that is not there changes nothing": (
        [add(phones(phone("0096", "1"))), change(phones(gone("0350")))], [*ADA, *HOME]),
    "setting and deleting items in one Change": (
        [add(phones(phone("0096", "1"))), change(phones(gone("0096"), phone("0350", "2")))], [*ADA, *WORK]),
    "a keyed list that is new": ([add(), change(phones(phone("0096", "1")))], [*ADA, *HOME]),
    "nil clears a keyed list": ([add(phones(phone("0096", "1"))), change(f"<PhoneNumberList {NIL}/>")], ADA),
    "a keyed list sent as nil takes items again": (
        [add(f"<PhoneNumberList {NIL}/>"), change(phones(phone("0096", "1")))], [*ADA, *HOME]),
    "deleting from a list sent as nil leaves it nil": (
        [add(f"<PhoneNumberList {NIL}/>"), change(phones(gone("0096")))],
        [*ADA, (f"PhoneNumberList@{{{sif.XSI}}}nil", "true"), ("PhoneNumberList", "")]),
    "an unkeyed list is replaced whole": (
        [add(ids=OTHER_IDS), change('<OtherIdList><OtherId Type="0164">z</OtherId></OtherIdList>')],
        [ADA[0], ("OtherIdList/OtherId@Type", "0164"), ("OtherIdList/OtherId", "z"), *ADA[1:]]),
    "nil clears an unkeyed list": ([add(ids=OTHER_IDS), change(f"<OtherIdList {NIL}/>")], ADA),
    "extended elements are a keyed list": (
        [add(EXTENDED.format("bus", "7")), change(EXTENDED.format("lunch", "B"))],
        [*ADA, ("SIF_ExtendedElements/SIF_ExtendedElement@Name", "bus"),
         ("SIF_ExtendedElements/SIF_ExtendedElement", "7"),
         ("SIF_ExtendedElements/SIF_ExtendedElement@Name", "lunch"),
         ("SIF_ExtendedElements/SIF_ExtendedElement", "B")]),
    "a Delete ends it": ([add(), DELETE], None),
    "a Delete of nothing is nothing": ([DELETE], None),
    "two Deletes are one": ([add(), DELETE, DELETE], None),
    "a re-Add starts afresh": ([add(BIRTH), DELETE, add()], ADA),
    "a late Change comes between": ([add(), change("<IDEA>No</IDEA>"), change("<LocalId>2</LocalId>")],
                                    [("LocalId", "2"), *ADA[1:], ("IDEA", "No")]),
}  # fmt: skip


def folded(events, arrivals=None):
    """Fold events a minute apart, arriving in that order or in another."""
    read = [
        sif_fold.read(
            sif.response(text, at=sif.minute(number))
            if action == "Response"
            else sif.event(action, text, at=sif.minute(number)),
            sif.minute(number),
        )
        for number, (action, text) in enumerate(events)
    ]
    folding, seen = sif_fold.fold([read[number] for number in arrivals or range(len(read))])
    return folding, sorted(seen, key=lambda event: event.ordered_at)


def student_of(folding):
    documents = [text for (_, name, _), text in sif_fold.current(folding).items() if name == "StudentPersonal"]
    return sif_fold.values(documents[0]) if documents else None


@pytest.mark.parametrize("backwards", [False, True], ids=["in order", "backwards"])
@pytest.mark.parametrize(("events", "expected"), CASES.values(), ids=CASES)
def test_what_an_event_does(events, expected, backwards):
    folding, seen = folded(events, reversed(range(len(events))) if backwards else None)
    assert student_of(folding) == expected
    assert {event.outcome.value for event in seen} == {"applied"}


def outcomes(events, arrivals=None):
    folding, seen = folded(events, arrivals)
    return folding, [event.outcome.value for event in seen]


def open_findings(folding):
    return sorted((f.notice.code, f.notice.path) for f in folding.findings if f.resolved_at is None)


@pytest.mark.parametrize(
    ("text", "year"),
    [("2027", "2027"), ("2027Z", "2027"), ("2027-05:00", "2027"), ("12026Z", "12026"), ("-2026-05:00", "-2026")],
)
def test_a_year_may_carry_a_time_zone(text, year):
    assert mapping.to_integer(text) == year


def test_a_change_without_its_object_is_held_and_says_so():
    folding, became = outcomes([change("<LocalId>2</LocalId>")])
    assert became == ["held"]
    assert student_of(folding) is None
    assert open_findings(folding) == [("change_before_add", "StudentPersonal")]


def test_a_change_after_a_delete_is_held():
    folding, became = outcomes([add(), DELETE, change("<LocalId>2</LocalId>")])
    assert became == ["applied", "applied", "held"]
    assert student_of(folding) is None


@pytest.mark.parametrize("arrivals", [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]])
@pytest.mark.parametrize("last", [add(local="3"), DELETE], ids=["whole image", "Delete"])
def test_what_is_held_is_superseded_by_what_says_everything(last, arrivals):
    folding, became = outcomes([add(), DELETE, change("<LocalId>2</LocalId>"), last], arrivals)
    assert became == ["applied", "applied", "superseded", "applied"]
    assert open_findings(folding) == []


@pytest.mark.parametrize("arrivals", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [1, 2, 3, 4, 0]])
def test_what_was_superseded_still_takes_its_place_when_its_parent_comes(arrivals):
    """The school was there once, whoever arrives first, so its enrollment may refer to it."""
    events = [
        ("Add", sif.lea("L")), ("Add", sif.school("S", of="L")), ("Delete", sif.sparse("SchoolInfo", "S")),
        ("Add", sif.student("A")), ("Add", sif.enrollment("E", "A", "S")),
    ]  # fmt: skip
    assert outcomes(events[1:])[1] == ["superseded", "applied", "applied", "held"]
    assert outcomes(events, arrivals)[1] == ["applied"] * 5


def test_a_held_change_takes_part_once_its_object_is_there():
    folding, became = outcomes([add(), change("<LocalId>2</LocalId>")], arrivals=[1, 0])
    assert became == ["applied", "applied"]
    assert student_of(folding) == [("LocalId", "2"), *ADA[1:]]
    assert open_findings(folding) == []


ADDRESS = '<AddressList><Address Type="0123"><City>Athol</City>{0}</Address></AddressList>'


def test_a_change_that_would_make_the_object_invalid_is_unfit_and_changes_nothing():
    folding, became = outcomes([add(), change(ADDRESS.format("")), change("<LocalId>2</LocalId>")])
    assert became == ["applied", "unfit", "applied"]
    assert student_of(folding) == [("LocalId", "2"), *ADA[1:]]
    assert "change_makes_invalid" in {code for code, _ in open_findings(folding)}
    assert all(path.startswith("StudentPersonal/AddressList/Address/") for _, path in open_findings(folding))


def test_an_unfit_change_is_forgotten_when_what_it_brought_comes_right():
    folding, became = outcomes([add(), change(ADDRESS.format("")), change(f"<AddressList {NIL}/>")])
    assert became == ["applied", "unfit", "applied"]
    assert open_findings(folding) == []


ENTRY = '<EntryType><OtherCodeList><OtherCode Codeset="Local">x</OtherCode></OtherCodeList></EntryType>'
ENROLLED = [("Add", sif.student("A")), ("Add", sif.school("S")), ("Add", sif.enrollment("E", "A", "S"))]


def test_an_unfit_change_heals_when_what_it_lacked_turns_out_to_have_come_before():
    coded = ("Change", sif.sparse("StudentSchoolEnrollment", "E", "<EntryType><Code>1838</Code></EntryType>"))
    other = ("Change", sif.sparse("StudentSchoolEnrollment", "E", ENTRY))
    folding, became = outcomes([*ENROLLED, other])
    assert became[3] == "unfit"
    folding, became = outcomes([*ENROLLED, coded, other], arrivals=[0, 1, 2, 4, 3])
    assert became == ["applied"] * 5
    assert open_findings(folding) == []


def test_a_value_no_column_can_hold_makes_a_whole_image_unfit():
    year = "<OnTimeGraduationYear>{0}</OnTimeGraduationYear>"
    folding, became = outcomes(
        [add(), ("Add", sif.student("A", more="<Demographics><BirthDate>12012-01-01</BirthDate></Demographics>"))]
    )
    assert became == ["applied", "unfit"]
    assert open_findings(folding) == [("value_out_of_range", "StudentPersonal/Demographics/BirthDate")]
    assert outcomes([add(year.format("2030"))])[1] == ["applied"]


def test_children_wait_for_their_parents_and_grandchildren_with_them():
    events = [
        ("Add", sif.lea("L")), ("Add", sif.school("S", of="L")), ("Add", sif.student("A")),
        ("Add", sif.enrollment("E", "A", "S")),
        ("Change", sif.sparse("StudentSchoolEnrollment", "E", "<FTE>0.5</FTE>")),
    ]  # fmt: skip
    folding, became = outcomes(events, arrivals=[4, 3, 2, 1])
    assert became == ["held", "applied", "held", "held"]
    assert open_findings(folding) == [
        ("change_before_add", "StudentSchoolEnrollment"),
        ("parent_missing", "SchoolInfo/LEAInfoRefId"),
        ("parent_missing", "StudentSchoolEnrollment/@SchoolInfoRefId"),
        ("parent_missing", "StudentSchoolEnrollment/@StudentPersonalRefId"),
    ]
    folding, became = outcomes(events, arrivals=[4, 3, 2, 1, 0])
    assert became == ["applied"] * 5
    assert {name for _, name, _ in sif_fold.current(folding)} == {
        "LEAInfo", "SchoolInfo", "StudentPersonal", "StudentSchoolEnrollment",
    }  # fmt: skip
    assert open_findings(folding) == []


def test_children_stay_when_their_parent_is_deleted_and_new_ones_may_still_come():
    events = [*ENROLLED, ("Delete", sif.sparse("SchoolInfo", "S")), ("Add", sif.enrollment("F", "A", "S"))]
    folding, became = outcomes(events)
    assert became == ["applied"] * 5
    assert [name for _, name, _ in sorted(sif_fold.current(folding))] == [
        "StudentPersonal", "StudentSchoolEnrollment", "StudentSchoolEnrollment",
    ]  # fmt: skip


def test_a_parent_of_which_only_changes_and_deletes_came_is_not_there():
    events = [("Delete", sif.sparse("LEAInfo", "L")), ("Change", sif.sparse("LEAInfo", "L", "<LEAName>x</LEAName>")),
              ("Add", sif.school("S", of="L"))]  # fmt: skip
    assert outcomes(events)[1] == ["applied", "held", "held"]


def test_a_rejected_parent_holds_its_children_until_it_is_corrected():
    wrong = ("Add", sif.lea("L").replace("<LEAName>Springfield</LEAName>", ""))
    events = [wrong, ("Add", sif.school("S", of="L")), ("Add", sif.lea("L"))]
    assert outcomes(events[:2])[1] == ["rejected", "held"]
    folding, became = outcomes(events)
    assert became == ["rejected", "applied", "applied"]
    assert open_findings(folding) == []


def test_events_at_the_same_time_follow_each_other_as_they_arrived():
    at = sif.minute(1)
    arrivals = [sif_fold.read(sif.event("Add", sif.student("A", local), at=at), at) for local in "213"]
    folding, _ = sif_fold.fold(arrivals)
    assert student_of(folding)[0] == ("LocalId", "3")


IMPLAUSIBLE = {
    "in the future": sif.minute(200 + 11),
    "long past": sif.minute(200 - 60 * 24 * 731),
    "missing": None,
}


@pytest.mark.parametrize("at", IMPLAUSIBLE.values(), ids=IMPLAUSIBLE)
def test_an_implausible_timestamp_counts_as_the_time_of_receipt(at):
    event, notices = sif_fold.read(sif.event("Add", sif.student("A"), at=at), at)
    assert event.ordered_at == sif_fold.RECEIVED
    assert [notice.code for notice in notices] == ["timestamp_implausible"]
    folding, _ = sif_fold.fold([(event, notices)])
    assert student_of(folding) == ADA
    assert open_findings(folding) == [("timestamp_implausible", "SIF_Header/SIF_Timestamp")]


PLAUSIBLE = {"a clock ten minutes fast": sif.minute(210), "a year past": sif.minute(200 - 60 * 24 * 399)}


@pytest.mark.parametrize("at", PLAUSIBLE.values(), ids=PLAUSIBLE)
def test_a_plausible_timestamp_is_believed(at):
    event, notices = sif_fold.read(sif.event("Add", sif.student("A"), at=at), at)
    assert (event.ordered_at, notices) == (at, [])
