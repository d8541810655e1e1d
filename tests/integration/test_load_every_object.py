"""Every object that is declared is loaded, found again by its key, and waits for what it refers to."""

from pathlib import Path

import pytest
import sif_text as sif
from lxml import etree

from sif_pipeline.reading import mapping
from sif_pipeline.sif.gate import open_message
from warehouse.base import objects

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = sorted(objects())
REF_ID = "0" * 31 + "A"


def example(name, kind="full", ref_id=None):
    element = open_message((EXAMPLES / name / "valid" / f"{kind}.xml").read_bytes())
    if ref_id is not None:
        element.set("RefId", ref_id)
    return element


def plain(key):
    return str(key).replace("-", "").upper()


def parents(element, found=None):
    """Collect the smallest objects that an object refers to, theirs first."""
    found = {} if found is None else found
    for name, key in mapping.references(objects()[etree.QName(element).localname], element):
        if (name, key) not in found:
            parent = example(name, "minimal", plain(key))
            parents(parent, found)
            found[name, key] = parent
    return found


def text(element):
    return etree.tostring(element, encoding="unicode")


def without_ref_id(element):
    del element.attrib["RefId"]
    return element


def natural():
    return [name for name in NAMES if objects()[name].key_paths != ("@RefId",)]


@pytest.mark.parametrize("name", NAMES)
def test_fullest_example_waits_for_its_parents_and_is_loaded(connection, name):
    zone, element = sif.Inbox.new(connection), example(name)
    needed = parents(element)
    zone.put(sif.response(text(element), at=sif.minute(1)))
    assert zone.drain().outcomes() == ["held" if needed else "applied"]
    for number, parent in enumerate(needed.values(), 2):
        zone.put(sif.response(text(parent), at=sif.minute(number)))
    assert set(zone.drain().outcomes()) == {"applied"}
    rows = zone.rows("sif", objects()[name].__tablename__)
    (row,) = [row for row in rows if row["document"] == mapping.document(element)]
    assert plain(row["row_key"]) == plain(mapping.row_key(objects()[name], element))


@pytest.mark.parametrize("name", natural())
def test_natural_key_goes_on_when_the_ref_id_is_another_or_none(connection, name):
    zone, element, table = sif.Inbox.new(connection), example(name), objects()[name].__tablename__
    for number, parent in enumerate(parents(element).values()):
        zone.put(sif.response(text(parent), at=sif.minute(number)))
    zone.put(sif.response(text(element), at=sif.minute(30)))
    zone.put(sif.response(text(example(name, ref_id=REF_ID)), at=sif.minute(31)))
    zone.put(sif.response(text(without_ref_id(example(name))), at=sif.minute(32)))
    assert set(zone.drain().outcomes()) == {"applied"}
    assert (len(zone.rows("sif", table)), len(zone.rows("sif_history", table))) == (1, 2)
    key = without_ref_id(example(name))
    for child in [child for child in key if etree.QName(child).localname not in objects()[name].key_paths]:
        key.remove(child)
    zone.put(sif.event("Delete", text(key), at=sif.minute(33)))
    assert zone.drain().outcomes()[-1] == "applied"
    assert zone.rows("sif", table) == []


def test_employee_of_another_kind_is_not_waited_for(connection):
    zone, element = sif.Inbox.new(connection), example("EmploymentRecord")
    element.set("SIF_RefObject", "EmployeePersonal")
    zone.put(*(sif.response(text(parent)) for parent in parents(element).values()), sif.response(text(element)))
    assert set(zone.drain().outcomes()) == {"applied"}
    assert zone.rows("sif", "staff_personal") == []


def test_incident_waits_for_the_students_among_its_offenders_only():
    element = example("DisciplineIncident")
    offenders = element.findall("{*}OffenderList/{*}Offender/{*}SIF_RefId")
    assert [offender.get("SIF_RefObject") for offender in offenders] == ["StudentPersonal", "StaffPersonal"]
    found = list(mapping.references(objects()["DisciplineIncident"], element))
    keys = [plain(key) for _, key in found]
    assert {name for name, _ in found} == {"SchoolInfo", "StudentPersonal"}
    assert offenders[0].text in keys
    assert offenders[1].text not in keys


def test_list_with_an_attribute_of_its_own_changes_by_both(connection):
    zone, element = sif.Inbox.new(connection), example("MarkValueInfo")
    for number, parent in enumerate(parents(element).values()):
        zone.put(sif.response(text(parent), at=sif.minute(number)))
    head = f'<MarkValueInfo RefId="{element.get("RefId")}" SchoolInfoRefId="{element.get("SchoolInfoRefId")}">'
    change = (
        f'{head}<Letter IsAccepted="false"><ValidMark SIF_Action="Delete"><Code>B</Code></ValidMark>'
        "<ValidMark><Code>C</Code></ValidMark></Letter></MarkValueInfo>"
    )
    zone.put(sif.response(text(element), at=sif.minute(30)), sif.event("Change", change, at=sif.minute(31)))
    assert set(zone.drain().outcomes()) == {"applied"}
    (row,) = zone.rows("sif", "mark_value_info")
    assert row["letter_accepted"] == "false"
    assert [letter["Code"] for letter in row["letters"]] == ["B+", "C"]
