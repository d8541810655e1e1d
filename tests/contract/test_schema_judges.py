"""Our profiles judge as the official XSDs do, on random objects, their mutations, and what real agents sent.

The official XSD of 2.6 leaves every element optional, so it judges the sparse profile; that of 2.2 asks for the
mandatory ones, so it judges the whole one. Where we judge otherwise, schemas/differences.csv says why.
"""

import csv
import random
import re
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
from lxml import etree

from sif_pipeline.reference.official import explained_differences
from sif_pipeline.sif import inspection, schema
from sif_pipeline.sif.elements import NAMESPACE, SIF
from sif_pipeline.sif.gate import open_message
from sif_pipeline.sif.schema import Profile
from sif_pipeline.sif.xsd import XS

SHARED = Path(__file__).resolve().parents[3] / "shared"
CAPTURES = SHARED / "interop" / "captures"
EXAMPLES = Path(__file__).parents[1] / "examples"
CODES = Path(__file__).parents[2] / "schemas/codesets/NCES0147IdentificationSystemType.csv"
pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the official XSDs and captures are not part of the project (../shared)"
)

XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


def differences(judge: str, ours: str) -> set[tuple[str, str]]:
    """Give (where, case) of the differences that are listed and explained, as the page of them shows them."""
    return {(line.where, line.case) for line in explained_differences() if judge in line.judges and line.ours == ours}


def listed(found: set[tuple[str, str]], object_name: str, case: str) -> bool:
    return bool({("every object", case), (object_name, case)} & found)


class Official:
    """An official SIF_Message.xsd: judge, and source of random objects that it accepts."""

    def __init__(self, version: str) -> None:
        tree = etree.parse(SHARED / f"spec/sif-us-{version}/SIF_Message.xsd")
        self._give_forgotten_types(tree.getroot())
        self._schema = etree.XMLSchema(tree)
        parts = tree.getroot().iterchildren(etree.Element)
        named = [(part.tag == XS + "element", part.get("name"), part) for part in parts]
        self.elements = {name: part for is_element, name, part in named if is_element}
        self.types = {name: part for is_element, name, part in named if not is_element}

    @staticmethod
    def _give_forgotten_types(root: etree._Element) -> None:
        """Give elements without a type (OtherCodeList of a funding source) the one that the definitions name."""
        named = {part.get("name") for part in root.iterchildren(XS + "complexType")}
        for element in root.iter(XS + "element"):
            of_its_name = f"{element.get('name')}Type"
            if {"type", "ref"}.isdisjoint(element.keys()) and len(element) == 0 and of_its_name in named:
                element.set("type", f"sif:{of_its_name}")

    def validate(self, element: etree._Element) -> bool:
        """Judge an object; a proper RefId that came to it with 2.7 is taken out first."""
        if re.fullmatch(r"\s*[0-9A-F]{32}\s*", element.get("RefId", "")) and not self.knows_ref_id(
            etree.QName(element).localname
        ):
            element = deepcopy(element)
            del element.attrib["RefId"]
        return self._schema.validate(element)

    def knows_ref_id(self, name: str) -> bool:
        declared = self._type(self.elements[name])
        return any(attribute.get("name") == "RefId" for attribute in declared.iterfind(XS + "attribute"))

    def paths(self, name: str) -> set[str]:
        """Give the paths of all elements and attributes that an object may have."""
        return set(self._paths(self._type(self.elements[name]), ""))

    def _paths(self, type_: etree._Element | str, above: str) -> Iterator[str]:
        if isinstance(type_, str) or type_.tag == XS + "simpleType":
            return
        if (extension := next(type_.iterfind(f"*/{XS}extension"), None)) is not None:
            yield from self._paths(self._named(extension.get("base")), above)
            type_ = extension
        yield from (f"{above}@{attribute.get('name')}" for attribute in type_.iterfind(XS + "attribute"))
        for particle in type_.iterfind(f"{XS}sequence/{XS}element"):
            name = (particle.get("ref") or particle.get("name")).removeprefix("sif:")
            yield f"{above}{name}"
            declared = self.elements[name] if particle.get("ref") else particle
            yield from self._paths(self._type(declared), f"{above}{name}/")

    def instance(self, name: str, rng: random.Random) -> etree._Element:
        element = etree.Element(SIF + name, nsmap={None: NAMESPACE})
        self._fill(element, self.elements[name], rng)
        for part in schema.object_key(name):
            if part.startswith("@") and part[1:] not in element.attrib:
                element.set(part[1:], f"{rng.getrandbits(128):032X}")
        return element

    def _type(self, declaration: etree._Element) -> etree._Element | str:
        inner = next((p for p in declaration if p.tag in {XS + "complexType", XS + "simpleType"}), None)
        return self._named(declaration.get("type", "xs:string")) if inner is None else inner

    def _named(self, name: str) -> etree._Element | str:
        return name if name.startswith("xs:") else self.types[name.removeprefix("sif:")]

    def _fill(self, element: etree._Element, declaration: etree._Element, rng: random.Random) -> None:
        type_ = self._type(declaration)
        if isinstance(type_, str) or type_.tag == XS + "simpleType":
            element.text = self._value(type_, rng)
        else:
            self._fill_complex(element, type_, rng)
            if declaration.get("nillable") == "true" and rng.random() < 0.1:
                element[:], element.text = [], None
                element.set(XSI_NIL, rng.choice(["true", "1"]))

    def _fill_complex(self, element: etree._Element, type_: etree._Element, rng: random.Random) -> None:
        if (extension := next(type_.iterfind(f"*/{XS}extension"), None)) is not None:
            base = self._named(extension.get("base"))
            if isinstance(base, str) or base.tag == XS + "simpleType":
                element.text = self._value(base, rng)
            else:
                self._fill_complex(element, base, rng)
            type_ = extension
        for attribute in type_.iterfind(XS + "attribute"):
            if attribute.get("use") == "required" or rng.random() < 0.1:
                element.set(attribute.get("name"), self._value(self._type(attribute), rng))
        for child in type_.iterfind(f"{XS}sequence/{XS}element"):
            self._add(element, child, rng)
        if type_.find(f".//{XS}any") is not None:
            element.text = "free text"

    def _add(self, element: etree._Element, particle: etree._Element, rng: random.Random) -> None:
        name = (particle.get("ref") or particle.get("name")).removeprefix("sif:")
        declaration = self.elements[name] if particle.get("ref") else particle
        least = int(particle.get("minOccurs", "1"))
        most = 3 if particle.get("maxOccurs") == "unbounded" else 1
        wanted = max(least, rng.randint(1, most) if rng.random() < 0.6 else 0)
        keys = set()
        for _ in range(wanted):
            child = etree.SubElement(element, SIF + name)
            self._fill(child, declaration, rng)
            key = child.findtext(SIF + "Code") or child.get("Type") or child.get("Code") or child.get("Name")
            if key is not None and key in keys:
                element.remove(child)
            keys.add(key)

    def _value(self, type_: etree._Element | str, rng: random.Random) -> str:
        if isinstance(type_, str):
            return rng.choice(VALUES[type_.removeprefix("xs:")])
        if (union := type_.find(XS + "union")) is not None:
            return self._value(rng.choice(union.findall(XS + "simpleType")), rng)
        restriction = type_.find(XS + "restriction")
        codes = [code.get("value") for code in restriction.iterfind(XS + "enumeration")]
        if codes:
            return rng.choice(codes)
        if restriction.find(f".//{XS}pattern") is not None:
            return f"{rng.getrandbits(128):032X}"
        if restriction.find(XS + "length") is not None:
            return ""
        return self._value(self._named(restriction.get("base")), rng)


VALUES = {
    "normalizedString": ["Quill", "Ó Súilleabháin", "李 小龍", "ابن سینا", "", "a & b <c>", "e\u0301 \U0001f393"],
    "token": ["x", "MA", "a b"],
    "string": ["any\n text", ""],
    "date": ["2025-09-02", "0001-01-01", "2024-02-29Z", "2025-12-31-05:00", "12025-01-01"],
    "gYear": ["2026", "0009", "2026Z"],
    "gYearMonth": ["2026-06"],
    "time": ["10:15:00", "23:59:59.5Z"],
    "dateTime": ["2025-09-02T08:00:00", "2025-09-02T08:00:00.5-04:00"],
    "decimal": ["0", "1", "0.25", "+1.0", ".5", "00.10"],
    "unsignedInt": ["1", "9", "+3"],
    "boolean": ["true", "0"],
    "anyURI": ["https://district.example/a?b=c", ""],
}


@cache
def official(version: str) -> Official:
    return Official(version)


# -- mutations: each changes the object in place, or says False when it cannot


def some(element: etree._Element, rng: random.Random, *, leaf: bool | None = None) -> etree._Element | None:
    nodes = [e for e in element.iter(etree.Element) if leaf is None or (len(e) == 0) is leaf]
    return rng.choice(nodes) if nodes else None


def some_child(element: etree._Element, rng: random.Random) -> etree._Element | None:
    nodes = list(element.iterdescendants(etree.Element))
    return rng.choice(nodes) if nodes else None


def swap_siblings(element, rng):
    pairs = [e for e in element.iterdescendants(etree.Element) if e.getprevious() is not None]
    if pairs:
        chosen = rng.choice(pairs)
        chosen.getprevious().addprevious(chosen)
    return bool(pairs)


def repeat_element(element, rng):
    if (chosen := some_child(element, rng)) is None:
        return False
    chosen.addnext(deepcopy(chosen))
    return True


def move_element(element, rng):
    chosen, target = some_child(element, rng), some(element, rng)
    if chosen is None or target in list(chosen.iter()) or target.tag == SIF + "SIF_ExtendedElement":
        return False
    target.append(chosen)
    return True


def drop_element(element, rng):
    if (chosen := some_child(element, rng)) is None:
        return False
    chosen.getparent().remove(chosen)
    return True


def unknown_element(element, rng):
    parent = some(element, rng)
    tag = rng.choice([f"{SIF}FavouriteColour", "{urn:example:vendor}LocalId"])
    parent.insert(rng.randint(0, len(parent)), etree.Element(tag))
    return True


def unknown_attribute(element, rng):
    some(element, rng).set(rng.choice(["Colour", "{urn:example:vendor}Type", "refid"]), "1")
    return True


def bad_value(element, rng):
    if (chosen := some(element, rng, leaf=True)) is None:
        return False
    chosen.text = rng.choice(["no such code", "-1", "", "2025-02-30", "1e3", "0001", "Yes", "\x85", "x" * 40])
    return True


def bad_attribute(element, rng):
    holder = rng.choice([e for e in element.iter(etree.Element) if e.attrib])
    name = rng.choice(list(holder.attrib))
    holder.set(name, rng.choice(["no such code", "", "0".rjust(33, "0"), "25", "01", "1"]))
    return True


def lower_case_id(element, rng):
    holders = [e for e in element.iter(etree.Element) if any(name.endswith("Id") for name in e.attrib)]
    for holder in holders:
        for name, value in holder.attrib.items():
            holder.set(name, value.lower())
    return bool(holders)


def text_between(element, rng):
    if (chosen := some(element, rng, leaf=False)) is None:
        return False
    chosen.text = "stray"
    return True


def make_nil(element, rng):
    if (chosen := some_child(element, rng)) is None:
        return False
    chosen[:], chosen.text = [], None
    chosen.set(XSI_NIL, "true")
    return True


def nil_with_content(element, rng):
    if (chosen := some_child(element, rng)) is None:
        return False
    chosen.set(XSI_NIL, rng.choice(["true", "false", "maybe"]))
    return True


def drop_attribute(element, rng):
    holder = rng.choice([e for e in element.iter(etree.Element) if e.attrib])
    del holder.attrib[rng.choice(list(holder.attrib))]
    return True


def blanks_around(element, rng):
    if (chosen := some(element, rng, leaf=True)) is None or not chosen.text:
        return False
    chosen.text = f"\n  {chosen.text} "
    return True


def sif_in_extended(element, rng):
    extended = element.find(f".//{SIF}SIF_ExtendedElement")
    if extended is None:
        return False
    etree.SubElement(extended, SIF + "TermInfo").text = "not a TermInfo"
    return True


def add_ref_id(element, rng):
    if "RefId" in element.attrib:
        return False
    element.set("RefId", "0" * 32)
    return True


MUTATIONS = {
    "swap siblings": swap_siblings,
    "repeat an element": repeat_element,
    "move an element": move_element,
    "drop an element": drop_element,
    "add an unknown element": unknown_element,
    "add an unknown attribute": unknown_attribute,
    "spoil a value": bad_value,
    "spoil an attribute": bad_attribute,
    "lower-case identifiers": lower_case_id,
    "put text between elements": text_between,
    "make an element nil": make_nil,
    "make an element nil and keep its content": nil_with_content,
    "drop an attribute": drop_attribute,
    "blanks around a value": blanks_around,
    "SIF content in an extended element": sif_in_extended,
    "add RefId": add_ref_id,
}


def through_the_gate(element: etree._Element) -> etree._Element:
    return open_message(etree.tostring(element))


def mutants(version: str, object_name: str, rounds: int):
    """Yield (mutation, object) for random objects the official XSD accepts."""
    rng = random.Random(f"{version} {object_name}")
    for _ in range(rounds):
        whole = official(version).instance(object_name, rng)
        assert official(version).validate(whole)
        yield "", through_the_gate(whole)
        for name, mutate in MUTATIONS.items():
            mutant = deepcopy(whole)
            if mutate(mutant, rng):
                yield name, through_the_gate(mutant)


@pytest.mark.parametrize("object_name", schema.object_names())
def test_sparse_and_key_judge_as_2_6_does(object_name):
    judged = Counter()
    for mutation, element in mutants("2.6", object_name, 60):
        theirs = official("2.6").validate(element)
        for profile in (Profile.SPARSE, Profile.KEY):
            ours = schema.is_valid(element, profile)
            if ours is not (theirs and has_key(element, profile)):
                assert ours, (mutation, theirs, inspection.findings(element, profile))
                assert listed(differences("2.6", "accepts"), object_name, mutation), etree.tostring(element)
            assert bool(inspection.findings(element, profile)) is not ours
        judged[mutation, theirs] += 1
    refused = {mutation for mutation, theirs in judged if not theirs}
    assert set(MUTATIONS) - refused <= {"drop an element", "add RefId"} | {
        case for _, case in differences("2.6", "accepts")
    }
    assert judged["", False] == 0


def has_key(element: etree._Element, profile: Profile) -> bool:
    """Whether an object has its key, as far as the profile asks; ours is 2.7's, and in 2.6 parts of it are optional."""
    parts = schema.object_key(etree.QName(element).localname)
    attributes = all(part[1:] in element.attrib for part in parts if part.startswith("@"))
    elements = all(element.find(SIF + part) is not None for part in parts if not part.startswith("@"))
    return attributes and (elements or profile is not Profile.KEY) and has_item_keys(element, shape_of(element))


def has_item_keys(element: etree._Element, known: schema.Shape) -> bool:
    """Whether no item of a keyed list lacks an element that is its key (MarkValueInfo/Letter/ValidMark/Code)."""
    below = [(child, known.children.get(etree.QName(child).localname)) for child in element.iterchildren(etree.Element)]
    keys = [part for part in known.keyed_by if not part.startswith("@")]
    return all(child.find(SIF + key) is not None for child, _ in below for key in keys) and all(
        has_item_keys(child, shape) for child, shape in below if shape is not None
    )


def shape_of(element: etree._Element) -> schema.Shape:
    return schema.shape(etree.QName(element).localname)


def paths_of(known: schema.Shape, above: str = "") -> Iterator[str]:
    yield from (f"{above}@{name}" for name in known.attributes)
    for child in known.children.values():
        yield f"{above}{child.name}"
        yield from paths_of(child, f"{above}{child.name}/")


@pytest.mark.parametrize("version", ["2.6", "2.2"])
@pytest.mark.parametrize("object_name", schema.object_names())
def test_every_element_that_only_one_of_us_knows_is_listed(object_name, version):
    if object_name not in official(version).elements:
        pytest.skip("this object came after 2.2")
    ours, theirs = set(paths_of(schema.shape(object_name))), official(version).paths(object_name)
    more = {path for path in ours - theirs if not path.startswith(("SIF_ExtendedElements/", "SIF_Metadata/"))}
    if ("every object", "send an element that came after 2.2") in differences(version, "accepts if 2.6 does"):
        more -= official("2.6").paths(object_name)
    sent = {case.removeprefix("send ") for where, case in differences(version, "accepts") if where == object_name}
    assert {path for path in more if not path.startswith(tuple(sent))} <= {"@RefId"}
    assert {path for path in theirs - ours if not path.startswith(("SIF_ExtendedElements/", "SIF_Metadata/"))} == set()


KEYS_OF_ELEMENTS = [
    (name, part) for name in schema.object_names() for part in schema.object_key(name) if not part.startswith("@")
]


@pytest.mark.parametrize(("object_name", "part"), KEYS_OF_ELEMENTS)
def test_an_object_without_an_element_of_its_key_is_refused_and_that_is_listed(object_name, part):
    element = open_message((EXAMPLES / object_name / "valid/full.xml").read_bytes())
    element.remove(element.find(SIF + part))
    assert official("2.6").validate(element)
    assert not schema.is_valid(element, Profile.KEY)
    assert ("every object", "leave out an element of its key") in differences("2.6", "refuses")


@pytest.mark.parametrize("object_name", ["StudentPersonal", "StaffPersonal"])
def test_every_type_of_other_id_is_taken_and_that_is_listed(object_name):
    element = open_message((EXAMPLES / object_name / "valid/full.xml").read_bytes())
    other_id, by_2_6 = element.find(f".//{SIF}OtherId"), []
    for row in csv.DictReader(CODES.read_text(encoding="utf-8").splitlines()):
        other_id.set("Type", row["code"])
        assert schema.is_valid(element, Profile.WHOLE), row
        by_2_6.append(official("2.6").validate(element))
    assert {True, False} == set(by_2_6)
    assert (object_name, "name any type of OtherId") in differences("2.6", "accepts")


def skip_if_later_than_2_2(object_name: str) -> None:
    if object_name not in official("2.2").elements:
        pytest.skip("this object came after 2.2")


@pytest.mark.parametrize("object_name", schema.object_names())
def test_whole_judges_as_2_2_does(object_name):
    skip_if_later_than_2_2(object_name)
    for mutation, element in mutants("2.2", object_name, 40):
        theirs = official("2.2").validate(element) and has_key(element, Profile.WHOLE)
        ours = schema.is_valid(element, Profile.WHOLE)
        widened = listed(differences("2.2", "accepts if 2.6 does"), object_name, mutation)
        if ours is not theirs and not (widened and official("2.6").validate(element)):
            explained_by = differences("2.2", "accepts" if ours else "refuses")
            assert listed(explained_by, object_name, mutation), etree.tostring(element)
        assert bool(inspection.findings(element, Profile.WHOLE)) is not ours


@pytest.mark.parametrize("mutation", ["add an unknown element", "add an unknown attribute"])
@pytest.mark.parametrize("object_name", schema.object_names())
def test_unknown_content_is_named_and_does_no_harm(object_name, mutation):
    skip_if_later_than_2_2(object_name)
    for name, element in mutants("2.2", object_name, 10):
        if name == mutation:
            found = inspection.findings(element, Profile.WHOLE)
            assert {notice.code for notice in found} <= {"element_unknown"}
            assert inspection.acceptable(found)


# -- what is mandatory


def rows_of(object_name: str) -> list[dict[str, str]]:
    with (SHARED / "domain/ma-object-elements-2.7m.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["object"] == object_name]
    if not rows:
        pytest.skip("the definitions' table has the objects of Massachusetts only")
    return rows


def explained(object_name: str, path: str) -> bool:
    """Whether an element that is mandatory in the definitions is optional with us for a reason that is listed."""
    if path == "@RefId" and path not in schema.object_key(object_name):
        return True
    ends = {where.removeprefix("*") for where, case in differences("definitions", "optional") if case == "mandatory"}
    return any(f"/{object_name}/{path}".endswith(end) for end in ends)


@pytest.mark.parametrize("object_name", schema.object_names())
def test_whole_refuses_an_object_without_any_one_mandatory_element(object_name):
    full = open_message((EXAMPLES / object_name / "valid/full.xml").read_bytes())
    paths = [row["path"] for row in rows_of(object_name) if row["char"].startswith("M")]
    for path in paths:
        element = deepcopy(full)
        take_out(element, path)
        found = [(n.code, re.sub(r"\[1\]", "", n.path)) for n in inspection.findings(element, Profile.WHOLE)]
        of_key = path.startswith("@") and path in schema.object_key(object_name)
        code = "key_missing" if of_key else "element_missing"
        assert found == ([] if explained(object_name, path) else [(code, f"{object_name}/{path}")])
        assert schema.is_valid(element, Profile.WHOLE) is not bool(found)


def take_out(element: etree._Element, path: str) -> None:
    """Take an attribute or element out of its first holder; all of them where it repeats."""
    steps, _, name = path.rpartition("/")
    holder = element.find("/".join(SIF + step for step in steps.split("/"))) if steps else element
    if name.startswith("@"):
        del holder.attrib[name[1:]]
    for child in holder.findall(SIF + name) if not name.startswith("@") else []:
        holder.remove(child)


# -- the definitions' table: order, lists, code sets


def at(object_name: str, path: str) -> schema.Shape | schema.Attribute:
    known = schema.shape(object_name)
    for step in path.split("/"):
        if step.startswith("@"):
            return known.attributes[step[1:]]
        known = known.children[step]
    return known


@pytest.mark.parametrize("object_name", schema.object_names())
def test_shape_is_that_of_the_definitions(object_name):
    rows = rows_of(object_name)
    for row in rows:
        known = at(object_name, row["path"])
        # Where a Code may be a token too, the definitions list the tokens: they are part of the code set.
        coded = bool(row["codeset"] or row["enum"]) and "xs:token" not in row["type"].split("|")[1:]
        assert known.coded is (coded or (row["path"].endswith("/Code") and bool(row["codeset"]))), row["path"]
        if isinstance(known, schema.Shape):
            key = tuple(part.partition("/")[2] for part in row["list_key"].split())
            assert (known.whole, known.keyed_by) == (row["list"] == "List", key) or is_common(row), row["path"]
            still = (f"{object_name}/{row['path']}", "single") in differences("definitions", "repeats")
            assert known.repeats is (row["char"].endswith("R") or still), row["path"]
    top = [row["path"] for row in rows if "/" not in row["path"] and not row["path"].startswith("@")]
    assert top == list(schema.shape(object_name).children)


def is_common(row: dict[str, str]) -> bool:
    """Whether the table leaves the insides of an element to another page of the definitions."""
    return row["path"] == "SIF_ExtendedElements"


# -- what real agents sent


def captured() -> list[tuple[str, str, etree._Element]]:
    """Give (file, action, object) of every object in the captures."""
    found = []
    for path in sorted(CAPTURES.glob("*.xml")):
        for holder in open_message(path.read_bytes()).iter(SIF + "SIF_EventObject", SIF + "SIF_ObjectData"):
            action = holder.get("Action", "Response")
            objects = [child for child in holder if child.tag != SIF + "SIF_EventObject"]
            found += [(path.name, action, element) for element in objects]
    return found


def test_captured_objects_are_judged_by_action_as_2_6_does():
    objects = captured()
    assert {action for _, action, _ in objects} == {"Add", "Change", "Delete", "Response"}
    for name, action, element in objects:
        profile = schema.profile_for(action)
        theirs = official("2.6").validate(element)
        assert schema.is_valid(element, profile) is theirs, (name, inspection.findings(element, profile))
        assert bool(inspection.findings(element, profile)) is not theirs
