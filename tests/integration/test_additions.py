"""Extended elements and state codes that do not fit what is declared of them: kept, told, and never in the way."""

from decimal import Decimal

import pytest
import sif_text as sif
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_reporting_derived import marks, with_parents

from sif_pipeline.files import validation
from sif_pipeline.reading import additions, core
from warehouse.base import objects


def extended(**values):
    items = "".join(
        f'<SIF_ExtendedElement Name="{name}">{value}</SIF_ExtendedElement>' for name, value in values.items()
    )
    return f"<SIF_ExtendedElements>{items}</SIF_ExtendedElements>"


def graded(*codes, codeset="StateProvince"):
    others = "".join(f'\n<OtherCode Codeset="{codeset}">{code}</OtherCode>' for code in codes)
    return f"<GradeLevel><Code>KG</Code><OtherCodeList>{others}</OtherCodeList></GradeLevel>"


def findings(*objects, action="Response"):
    body = sif.response(*objects) if action == "Response" else sif.event(action, *objects)
    return [(notice.code, notice.path, notice.line) for one in core.read(body) for notice in one.notices]


SPELLINGS = {
    "plain": lambda text: text,
    "with a comment": lambda text: text.replace("</Name>", "</Name><!-- so -->").replace(
        "<EntryDate>", "<!----><EntryDate>"
    ),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("action", ["Response", "Add"])
def test_a_code_that_is_not_the_states_is_found_however_the_object_is_spelled(spell, action):
    path = "StudentSchoolEnrollment/GradeLevel/OtherCodeList/OtherCode"
    text = spell(sif.enrollment(more=graded("KF", "XX", "KT", "YY")))
    assert findings(text, action=action) == [("state_code_unknown", path, 3), ("state_code_unknown", path, 5)]
    assert findings(spell(sif.enrollment(more=graded("K1", codeset="Local"))), action=action) == []
    assert findings(spell(sif.enrollment(more=graded("KF", "", " KT "))), action=action) == []
    gender = extended(MAGender="Q")
    path = "StudentPersonal/SIF_ExtendedElements/MAGender"
    assert findings(spell(sif.student(more=gender)), action=action) == [("state_code_unknown", path, 1)]
    assert findings(spell(sif.student(more=extended(MAGender="N", Shoes="Q"))), action=action) == []


def test_a_change_is_held_against_them_and_a_delete_is_not():
    change = sif.sparse("StudentSchoolEnrollment", "E", graded("XX"))
    assert [code for code, *_ in findings(change, action="Change")] == ["state_code_unknown"]
    assert findings(change, action="Delete") == []


def test_a_code_set_known_in_part_judges_nothing():
    names = {name for cls in objects().values() for name, derived in cls.derived.items() if derived.excerpt}
    assert names == {"state_level_code", "state_job_code", "state_assignment_code"}


def test_a_value_of_another_type_is_found_kept_and_its_column_empty(connection, zone, tmp_path):

    zone.put(*(sif.response(one, at=sif.minute(n)) for n, one in enumerate(with_parents(marks("many")))))
    assert set(zone.drain().outcomes()) == {"applied"}
    path = "StudentSectionMarks/SIF_ExtendedElements/MACreditsEarned"
    assert zone.open_findings() == [("extended_value_malformed", path)]
    row = "SELECT credits_earned, extended ->> 'MACreditsEarned' FROM reporting.student_section_marks_versions"
    assert zone.one(f"{row} WHERE zone_id = %(zone)s") == (None, "many")

    file = tmp_path / "a.xml"
    *_, last = with_parents(marks("many"))
    file.write_bytes(sif.response(last, at=sif.minute(1)))
    assert [(found.type.code, found.path, found.is_error) for found in validation.validate([file])] == [
        ("extended_value_malformed", path, False)
    ]

    *_, mended = with_parents(marks("1.5"))
    zone.put(sif.response(mended, at=sif.minute(9)))
    zone.drain()
    assert zone.open_findings() == []
    assert zone.one(f"{row} WHERE zone_id = %(zone)s AND recorded_to IS NULL") == (Decimal("1.5"), "1.5")


TEXTS = st.one_of(
    st.text(" +-.,0123456789eZ:T\t\n\u0663\xa0\u2003", max_size=14),
    st.from_regex(r"\A\s?[+-]?[0-9]{0,41}\.?[0-9]{0,41}\s?\Z"),
    st.from_regex(r"\A\s?[0-9]{4}-[01][0-9]-[0-3][0-9](Z|[+-][0-9]{2}:[0-9]{2})?\s?\Z"),
)


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(TEXTS)
def test_what_fits_is_what_the_views_can_read(connection, text):
    text = text.replace("\x00", "")
    (read,) = connection.execute(
        "SELECT ARRAY[reporting.as_integer(%(t)s) IS NOT NULL, reporting.as_numeric(%(t)s) IS NOT NULL,"
        " reporting.as_date(%(t)s) IS NOT NULL]", {"t": text},
    ).fetchone()  # fmt: skip
    assert [additions.is_integer(text), additions.is_number(text), additions.is_date(text)] == read
