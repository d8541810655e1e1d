"""History against an independent, naive model: what the state knew at every recorded time."""

import sif_text as sif
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

# Happening: table, object, action, values it brings (Add: all of them), objects it refers to.
HAPPENINGS = [
    ("lea_info", "L", "Add", {"lea_name": "x"}),
    ("lea_info", "L", "Change", {"lea_name": "y"}),
    ("lea_info", "L", "Delete", {}),
    ("school_info", "S", "Add", {"school_name": "x", "lea": None}),
    ("school_info", "S", "Add", {"school_name": "y", "lea": "L"}),
    ("school_info", "S", "Change", {"lea": "L"}),
    ("school_info", "S", "Change", {"school_name": "z"}),
    ("school_info", "S", "Delete", {}),
    ("student_personal", "A", "Add", {"local_id": "1", "idea": None}),
    ("student_personal", "A", "Add", {"local_id": "2", "idea": "Yes"}),
    ("student_personal", "A", "Change", {"local_id": "3"}),
    ("student_personal", "A", "Change", {"idea": "No"}),
    ("student_personal", "A", "Change", {"idea": None}),
    ("student_personal", "A", "Delete", {}),
]


def body(happenings, at):
    """Write a message of some happenings."""
    return sif.mixed(
        *((action, TEXTS[table](word, values, whole=action == "Add")) for table, word, action, values in happenings),
        at=at,
    )


def _lea(word, values, *, whole):
    if whole:
        return sif.lea(word, values["lea_name"])
    parts = f"<LEAName>{values['lea_name']}</LEAName>" if values else ""
    return sif.sparse("LEAInfo", word, parts)


def _school(word, values, *, whole):
    if whole:
        return sif.school(word, values["lea"], values["school_name"])
    parts = f"<SchoolName>{values['school_name']}</SchoolName>" if "school_name" in values else ""
    parts += f"<LEAInfoRefId>{sif.ref(values['lea'])}</LEAInfoRefId>" if "lea" in values else ""
    return sif.sparse("SchoolInfo", word, parts)


def _student(word, values, *, whole):
    idea = f"<IDEA>{values['idea']}</IDEA>" if values.get("idea") else ""
    if whole:
        return sif.student(word, values["local_id"], more=idea)
    parts = f"<LocalId>{values['local_id']}</LocalId>" if "local_id" in values else ""
    parts += '<IDEA xsi:nil="true"/>' if values.get("idea", "") is None else idea
    return sif.sparse("StudentPersonal", word, parts)


TEXTS = {"lea_info": _lea, "school_info": _school, "student_personal": _student}


def model(happenings):
    """Say what every object is after these happenings, given as (time, happening): dictionaries, folded anew."""
    known = set()
    for _ in happenings:
        known |= {
            (table, word)
            for _, (table, word, action, values) in happenings
            if action == "Add" and (values.get("lea") is None or ("lea_info", values["lea"]) in known)
        }
    state = {}
    for _, (table, word, action, values) in sorted(happenings, key=lambda each: each[0]):
        if values.get("lea") is not None and ("lea_info", values["lea"]) not in known:
            continue
        if action == "Add":
            state[table, word] = dict(values)
        elif action == "Delete":
            state.pop((table, word), None)
        elif (table, word) in state:
            state[table, word] |= values
    return state


COLUMNS = {
    "lea_info": "lea_name",
    "school_info": "school_name, upper(replace(lea_ref_id::text, '-', ''))",
    "student_personal": "local_id, idea",
}


def row_of(table, values):
    if values is None:
        return None
    row = dict(values)
    if "lea" in row:
        row["lea"] = row["lea"] and sif.ref(row["lea"])
    return tuple(row[name] for name in TEXT_COLUMNS[table])


TEXT_COLUMNS = {
    "lea_info": ("lea_name",),
    "school_info": ("school_name", "lea"),
    "student_personal": ("local_id", "idea"),
}


def expected_versions(arrived, recorded):
    """Say which versions there must be: (table, word) to [(from, to, row)], `to` None for the current one."""
    versions = {}
    for known, at in enumerate(recorded, start=1):
        state = model([(when, each) for when, happenings in arrived[:known] for each in happenings])
        for key in {(table, word) for table, word, *_ in HAPPENINGS}:
            row = row_of(key[0], state.get(key))
            history = versions.setdefault(key, [])
            if history and history[-1][1] is None:
                if history[-1][2] == row:
                    continue
                history[-1] = (history[-1][0], at, history[-1][2])
            if row is not None:
                history.append((at, None, row))
    return versions


def stored_versions(zone):
    """Read the versions of every object, oldest first."""
    found = {}
    for table, word in {(table, word) for table, word, *_ in HAPPENINGS}:
        columns = COLUMNS[table]
        rows = zone.all(
            f"""
            SELECT recorded_from, recorded_to, {columns} FROM sif_history.{table}
            WHERE zone_id = %(zone)s AND row_key = %(key)s::uuid
            UNION ALL
            SELECT recorded_from, NULL, {columns} FROM sif.{table} WHERE zone_id = %(zone)s AND row_key = %(key)s::uuid
            ORDER BY 1
            """,
            key=sif.ref(word),
        )
        found[table, word] = [(start, end, tuple(row)) for start, end, *row in rows]
    return found


@st.composite
def arrivals(draw):
    """Draw messages of one to three happenings, as they arrive, and where batches end."""
    messages = draw(st.lists(st.lists(st.sampled_from(HAPPENINGS), min_size=1, max_size=3), min_size=1, max_size=8))
    order = draw(st.permutations(range(len(messages))))
    return [(sif.minute(number), messages[number]) for number in order], draw(st.lists(st.integers(1, 4), max_size=4))


def always(*messages):
    """Give messages that arrive in their order; a number is a message of one happening."""
    listed = [[each] if isinstance(each, int) else each for each in messages]
    return [(sif.minute(n), [HAPPENINGS[each] for each in message]) for n, message in enumerate(listed)], [2]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arrivals())
@example(always(8, 10, 11, 13, 9, 12))
@example(always(4, 6, 0, 5, 2, 7, 3))
@example(always(8, [10, 8], [13, 8], [9, 13], 8, [13, 9, 8]))
def test_versions_are_what_a_naive_model_says(connection, drawn):
    arrived, sizes = drawn
    zone = sif.Inbox.new(connection)
    zone.put(*(body(happenings, at) for at, happenings in arrived))
    zone.drain(*sizes)
    recorded = [at for (at,) in zone.all(
        "SELECT recorded_at FROM inbox.message WHERE zone_id = %(zone)s ORDER BY message_id"
    )]  # fmt: skip
    assert recorded == sorted(set(recorded))
    expected = expected_versions(arrived, recorded)
    assert stored_versions(zone) == expected
    assert_as_of(zone, expected, recorded)


def assert_as_of(zone, expected, recorded):
    """Ask the reporting functions at every recorded time and a microsecond before it."""
    moments = sorted({*recorded, *(at.replace(microsecond=max(at.microsecond - 1, 0)) for at in recorded)})
    for at in moments:
        students = zone.all(
            "SELECT local_id, has_disability FROM reporting.dim_student_as_of(%(at)s) WHERE zone_id = %(zone)s", at=at
        )
        assert students == [(row[0], row[1] == "Yes") for row in as_of(expected["student_personal", "A"], at)]
        schools = zone.all("SELECT school_name FROM reporting.dim_school_as_of(%(at)s) WHERE zone_id = %(zone)s", at=at)
        assert schools == [row[:1] for row in as_of(expected["school_info", "S"], at)]


def as_of(versions, at):
    return [row for start, end, row in versions if start <= at and (end is None or at < end)]


def test_a_certified_count_can_be_had_again_after_a_late_correction(connection):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A", "1"), at=sif.minute(1)))
    zone.drain()
    (certified,) = zone.one("SELECT max(recorded_at) FROM inbox.message WHERE zone_id = %(zone)s")
    zone.put(sif.event("Change", sif.sparse("StudentPersonal", "A", "<LocalId>2</LocalId>"), at=sif.minute(2)))
    zone.put(sif.event("Delete", sif.sparse("StudentPersonal", "A"), at=sif.minute(3)))
    zone.drain()
    ask = "SELECT local_id FROM reporting.dim_student_as_of(%(at)s) WHERE zone_id = %(zone)s"
    assert zone.all(ask, at=certified) == [("1",)]
    assert zone.all(ask, at=None) == []


def test_two_changes_in_one_message_make_one_version(connection):
    zone = sif.Inbox.new(connection)
    zone.put(sif.event("Add", sif.student("A", "1"), sif.student("A", "2")))
    zone.put(
        sif.event("Add", sif.student("A", "3"), sif.student("B", "1")),
        sif.event("Delete", sif.sparse("StudentPersonal", "B")),
    )
    zone.drain()
    versions = stored_versions(zone)["student_personal", "A"]
    assert [row[0] for _, _, row in versions] == ["2", "3"]


def test_an_object_that_comes_and_goes_in_one_message_was_never_there(connection):
    zone = sif.Inbox.new(connection)
    zone.put(sif.mixed(("Add", sif.student("A", "1")), ("Delete", sif.sparse("StudentPersonal", "A"))))
    zone.drain()
    assert zone.outcomes() == ["applied", "applied"]
    assert stored_versions(zone)["student_personal", "A"] == []
