"""What `make add-object` writes is the beginning of an object: valid, declared, and never written over another."""

import pytest
from lxml import etree

from sif_pipeline import scaffold
from sif_pipeline.config import PROJECT
from sif_pipeline.sif import schema


@pytest.fixture
def project(tmp_path):
    for path in (PROJECT / "schemas/sif-2.7").glob("*.xsd"):
        copy = tmp_path / path.relative_to(PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path


def test_four_files_are_written_where_they_are_looked_for(project):
    written = [path.relative_to(project).as_posix() for path in scaffold.add_object("StudentContact", project)]
    assert written == [
        "schemas/sif-2.7/StudentContact.xsd",
        "warehouse/objects/student_contact.py",
        "tests/examples/StudentContact/valid/minimal.xml",
        "tests/examples/StudentContact/valid/full.xml",
    ]


def test_examples_are_valid_by_the_schema_beside_them(project):
    xsd, _, *examples = scaffold.add_object("StudentContact", project)
    judge = etree.XMLSchema(etree.parse(xsd))
    for example in examples:
        assert judge.validate(etree.parse(example)), judge.error_log


def test_declaration_is_a_module_of_one_object(project):
    _, declaration, *_ = scaffold.add_object("StudentContact", project)
    text = declaration.read_text(encoding="utf-8")
    compile(text, "student_contact.py", "exec")
    assert "class StudentContact(SifObject):" in text
    assert "$" not in text


def test_nothing_is_written_over(project):
    scaffold.add_object("StudentContact", project)
    with pytest.raises(FileExistsError):
        scaffold.add_object("StudentContact", project)


@pytest.mark.parametrize("name", ["", "studentContact", "Student Contact", "../StudentContact"])
def test_what_is_no_objects_name_is_refused(project, name):
    with pytest.raises(ValueError, match="named as in the standard"):
        scaffold.add_object(name, project)
    assert "StudentContact" not in schema.object_names()
