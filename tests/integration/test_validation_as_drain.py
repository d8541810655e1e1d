"""What `sif-pipeline validate` says of a file is what the drain finds in it."""

import pytest
import sif_text as sif

from sif_pipeline.config import PROJECT
from sif_pipeline.files import validation
from sif_pipeline.notices import Severity

SUMMARY = (PROJECT / "tests/examples/StudentAttendanceSummary/valid/minimal.xml").read_text()
SUMMARY = SUMMARY[SUMMARY.index("<StudentAttendanceSummary") :]
AT = sif.minute(1)

BODIES = {
    "sound": sif.response(sif.student(), at=AT),
    "a date beyond the years": sif.response(sif.student(), sif.school(), sif.enrollment(entry="12026-09-01"), at=AT),
    "a missing element": sif.response(sif.student().replace("<FirstName>Ada</FirstName>", ""), at=AT),
    "no key": sif.response(sif.lea().replace(sif.ref("L"), "L"), at=AT),
    "a delete without a key": sif.event("Delete", "<StudentPersonal/>", at=AT),
    "a part of the key that is nil": sif.response(
        SUMMARY.replace("<StartDate>", '<StartDate xsi:nil="true"/><!--').replace("</StartDate>", "-->"), at=AT
    ),
    "an object not collected": sif.event("Add", f'<StaffAssignment RefId="{sif.ref("X")}"/>', at=AT),
    "an object unheard of": sif.event("Add", f'<Weather RefId="{sif.ref("X")}"/>', at=AT),
    "an object without a namespace": sif.event(
        "Add", sif.student().replace("<StudentPersonal", '<StudentPersonal xmlns=""', 1), at=AT
    ),
    "an unknown action": sif.event("Replace", sif.student(), at=AT),
    "no time": sif.event("Add", sif.student()),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_validate_finds_what_the_drain_finds(database_url, tmp_path, body):
    file = tmp_path / "a.xml"
    file.write_bytes(body)
    said = sorted((found.type.code, found.path) for found in validation.validate([file]))
    with sif.connected(database_url) as connection:
        zone = sif.Inbox.new(connection)
        zone.put(body)
        zone.drain()
        assert said == zone.open_findings()


def test_an_object_without_a_namespace_is_an_error(tmp_path):
    file = tmp_path / "a.xml"
    file.write_text(f"<Export>{sif.student()}</Export>")
    (found,) = validation.validate([file])
    assert (found.type.code, found.path, found.type.severity) == ("namespace_wrong", "StudentPersonal", Severity.ERROR)


def test_a_change_is_not_blamed_for_what_it_leaves_out_but_for_what_it_brings(tmp_path):
    file = tmp_path / "a.xml"
    for entry, codes in (("2026-09-01", []), ("12026-09-01", ["value_out_of_range"])):
        brought = f"<EntryDate>{entry}</EntryDate>"
        file.write_bytes(sif.event("Change", sif.sparse("StudentSchoolEnrollment", "E", brought), at=AT))
        assert [found.type.code for found in validation.validate([file])] == codes
