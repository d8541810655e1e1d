"""What `make add-object` writes is the beginning of an object: valid, declared, and never written over another."""

import pytest
from lxml import etree

from sif_pipeline.config import PROJECT
from sif_pipeline.scaffold import beginnings, drafts
from sif_pipeline.sif import inspection, schema
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.schema import Profile


@pytest.fixture
def project(tmp_path):
    for path in (PROJECT / "schemas/sif-2.7").glob("*.xsd"):
        copy = tmp_path / path.relative_to(PROJECT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return tmp_path


def test_four_files_are_written_where_they_are_looked_for(project):
    written = [path.relative_to(project).as_posix() for path in beginnings.add_object("StudentPastime", project)]
    assert written == [
        "schemas/sif-2.7/StudentPastime.xsd",
        "warehouse/objects/student_pastime.py",
        "tests/examples/StudentPastime/valid/minimal.xml",
        "tests/examples/StudentPastime/valid/full.xml",
    ]


def test_examples_are_valid_by_the_schema_beside_them(project):
    xsd, _, *examples = beginnings.add_object("StudentPastime", project)
    judge = etree.XMLSchema(etree.parse(xsd))
    for example in examples:
        assert judge.validate(etree.parse(example)), judge.error_log


def test_declaration_is_a_module_of_one_object(project):
    _, declaration, *_ = beginnings.add_object("StudentPastime", project)
    text = declaration.read_text(encoding="utf-8")
    compile(text, "student_pastime.py", "exec")
    assert "class StudentPastime(SifObject):" in text
    assert "$" not in text


def test_nothing_is_written_over(project):
    beginnings.add_object("StudentPastime", project)
    with pytest.raises(FileExistsError):
        beginnings.add_object("StudentPastime", project)


@pytest.mark.parametrize("name", ["", "studentContact", "Student Contact", "../StudentPastime"])
def test_what_is_no_objects_name_is_refused(project, name):
    with pytest.raises(ValueError, match="named as in the standard"):
        beginnings.add_object(name, project)
    assert "StudentPastime" not in schema.object_names()


def begun(name, project):
    """Put an object back to where `make add-object` left it, but for its XSD, which is complete."""
    targets = beginnings.paths(name, project)
    targets["object.xsd"].unlink()
    beginnings.add_object(name, project)
    targets["object.xsd"].write_bytes((PROJECT / "schemas/sif-2.7" / f"{name}.xsd").read_bytes())
    return targets


def test_once_the_xsd_is_complete_the_rest_is_drafted_from_it(project):
    targets = begun("StudentScoreSet", project)
    assert beginnings.draft_object("StudentScoreSet", project) == list(targets.values())[1:]
    declared = targets["declaration.py.txt"].read_text(encoding="utf-8")
    assert "administration_ref_id: Mapped[UUID] = element(" in declared
    assert "ScoreValue" in targets["full.xml"].read_text(encoding="utf-8")


def test_what_somebody_has_changed_is_not_drafted_again(project):
    targets = begun("StudentScoreSet", project)
    targets["declaration.py.txt"].write_text("mine", encoding="utf-8")
    assert targets["declaration.py.txt"] not in beginnings.draft_object("StudentScoreSet", project)
    assert targets["declaration.py.txt"].read_text(encoding="utf-8") == "mine"
    assert beginnings.draft_object("StudentScoreSet", project) == []


def test_nothing_is_drafted_from_an_xsd_that_is_as_it_began(project):
    beginnings.add_object("StudentPastime", project)
    assert beginnings.draft_object("StudentPastime", project) == []


@pytest.mark.parametrize("name", schema.object_names())
@pytest.mark.parametrize("full", [True, False])
def test_drafted_examples_of_any_object_are_valid(name, full):
    assert inspection.findings(open_message(drafts.example(name, full=full).encode()), Profile.WHOLE) == []


@pytest.mark.parametrize("name", schema.object_names())
def test_drafted_declaration_of_any_object_is_python_as_ruff_formats_it(name):
    text = drafts.declaration(name)
    compile(text, f"{name}.py", "exec")
    assert text.count(f"class {name}(SifObject)") == 1
    assert max(map(len, text.splitlines())) <= 120
