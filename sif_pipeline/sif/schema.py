"""What the SIF 2.7 schema says of one object: is it valid, and which shape it has.

The XSDs in `schemas/sif-2.7` state the whole-object profile; the sparse and key profiles are derived from
them here. libxml2 decides; `inspection` says what is wrong. Nothing here reads a file outside `schemas/`, and nothing
reads the network.

`python -m sif_pipeline.sif.schema --write` writes the files that are derived: see `schemas/README.md`.
"""

import csv
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from io import StringIO
from pathlib import Path
from typing import Final

from lxml import etree

from sif_pipeline.sif import xsd
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.expression import Expression, Wanted, of_object
from sif_pipeline.sif.xsd import XS

MAX_NODES: Final = 5_000
"""Elements and attributes in one object. libxml2's time grows with the square of the errors in an object:
0.2 s at worst at this size, 6 s at four times the size. No real object comes near it."""

SMALL_TEXT: Final = 4 * MAX_NODES
"""An object with fewer characters than this cannot have so many nodes: the shortest is `<a/>`."""

_P = "{urn:sif-pipeline:profile}"
_SCHEMAS = files("schemas")
_XSDS = _SCHEMAS / "sif-2.7"
_CODE_SETS = "codesets.xsd"


class Profile(StrEnum):
    """How much of an object a message must carry."""

    WHOLE = "whole"  #: every mandatory element: an Add, or an object of a SIF_Response
    SPARSE = "sparse"  #: whatever changed: a Change
    KEY = "key"  #: enough to say which object is meant: a Delete


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of an element."""

    required: bool  #: the profile refuses the element without it
    coded: bool  #: its value comes from a code set
    ref_id: bool = False  #: its value is a RefId


@dataclass(frozen=True, slots=True)
class Shape:
    """What one element may hold."""

    name: str
    required: bool = True  #: the profile refuses the parent without it
    repeats: bool = False  #: may stand several times
    coded: bool = False  #: its value comes from a code set
    ref_id: bool = False  #: its value is a RefId
    open: bool = False  #: holds anything at all (SIF_ExtendedElement)
    keyed_by: tuple[str, ...] = ()  #: a keyed list's (ActionList's) item key: "@Type" an attribute, "Code" a child
    whole: bool = False  #: an unkeyed list (List): the one sent takes the place of the one known
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    children: Mapping[str, "Shape"] = field(default_factory=dict)  #: by name, in the standard's order


def profile_for(action: str) -> Profile:
    """Return the profile of an event's Action; everything but Change and Delete carries whole objects."""
    return {"Change": Profile.SPARSE, "Delete": Profile.KEY}.get(action, Profile.WHOLE)


@cache
def object_names() -> tuple[str, ...]:
    """Return the names of the objects that have a schema, in alphabetical order."""
    return tuple(sorted(_objects(Profile.WHOLE)))


def object_key(object_name: str) -> tuple[str, ...]:
    """Return the parts of an object's key, attributes with an @; KeyError for an object without schema."""
    return _key_parts(_objects(Profile.WHOLE)[object_name])


@cache
def shape(object_name: str, profile: Profile = Profile.WHOLE) -> Shape:
    """Return the structure of an object; KeyError for an object without schema."""
    return _element_shape(_objects(profile)[object_name], _types(profile))


def is_valid(element: etree._Element, profile: Profile) -> bool:
    """Whether the object conforms to the profile; it may stand inside a bigger document."""
    return not is_too_big(element) and _schema(profile).validate(element)


def expression(object_name: str, wanted: Wanted | None = None) -> Expression | None:
    """Make what matches the texts of valid whole objects, and gives what is wanted of them; None where none can be.

    Of any other text `is_valid` has to tell. Texts are those of one element, in well-formed documents whose namespaces
    are SIF's as the default and xsi, and shorter than SMALL_TEXT. It takes 3 to 33 ms, so keep it.
    """
    declared = _objects(Profile.WHOLE).get(object_name)
    return None if declared is None else of_object(declared, _types(Profile.WHOLE), wanted)


_exceeds = etree.XPath(f"count(descendant::*) + count(descendant-or-self::*/@*) > {MAX_NODES}")


def is_too_big(element: etree._Element) -> bool:
    """Whether an object has more elements and attributes than any real one."""
    return _exceeds(element) is True


# -- the XSDs and what is derived from them


@cache
def _schema(profile: Profile) -> etree.XMLSchema:
    return etree.XMLSchema(_merged(profile))


@cache
def judge(profile: Profile) -> etree.XMLSchema:
    """Return a schema of its own for whoever reads its error log."""
    return etree.XMLSchema(_merged(profile))


@cache
def _merged(profile: Profile) -> etree._Element:
    """Return one schema of all files: whatever lies in the folder is included, and libxml2 opens no file."""
    names = {"xs": XS[1:-1], "sif": NAMESPACE}
    merged = etree.Element(
        XS + "schema", {"targetNamespace": NAMESPACE, "elementFormDefault": "qualified"}, nsmap=names
    )
    for root in _documents(profile).values():
        merged.extend([part for part in root if part.tag not in {XS + "include", XS + "annotation"}])
    return merged


def _documents(profile: Profile) -> dict[str, etree._Element]:
    """Return the files of a profile, parsed anew, by name."""
    parser = etree.XMLParser(remove_blank_text=True, remove_comments=True, no_network=True)
    names = sorted(entry.name for entry in _XSDS.iterdir() if entry.name.endswith(".xsd"))
    documents = {name: etree.fromstring((_XSDS / name).read_bytes(), parser) for name in names}
    if profile is not Profile.WHOLE:
        _relax(documents, profile)
    return documents


def _relax(documents: Mapping[str, etree._Element], profile: Profile) -> None:
    """Make optional what is not part of a key; order, types and codes stay as they are."""
    types = {part.get("name", ""): part for root in documents.values() for part in root}
    keys = {part for root in documents.values() for part in _parts_of_keys(root, types, profile)}
    for root in documents.values():
        for attribute in root.iter(XS + "attribute"):
            if attribute not in keys:
                attribute.attrib.pop("use", None)
        for element in root.iter(XS + "element"):
            if element not in keys and element.getparent() is not root:
                element.set("minOccurs", "0")


def _parts_of_keys(
    root: etree._Element, types: Mapping[str, etree._Element], profile: Profile
) -> Iterator[etree._Element]:
    """Yield what stays required: keys of list items, attributes of object keys and, for KEY, elements too."""
    for holder in root.iter(XS + "element", XS + "complexType"):
        if holder.tag == XS + "complexType" and (parts := _key_parts(holder)):
            item = next(holder.iter(XS + "element"))
            yield from (_part(xsd.type_of(item, types), part, types) for part in parts)
        elif parts := _key_parts(holder):
            of_profile = [part for part in parts if part.startswith("@") or profile is Profile.KEY]
            yield from (_part(xsd.type_of(holder, types), part, types) for part in of_profile)


def _key_parts(declaration: etree._Element) -> tuple[str, ...]:
    return tuple(declaration.get(_P + "key", "").split())


def _part(type_: etree._Element | None, part: str, types: Mapping[str, etree._Element]) -> etree._Element:
    """Return the declaration of one part of a key, in the type or in one it extends."""
    kind = "attribute" if part.startswith("@") else "element"
    layers = xsd.layers(type_, types)
    return next(e for layer in layers for e in layer.iter(XS + kind) if e.get("name") == part.removeprefix("@"))


@cache
def _types(profile: Profile) -> Mapping[str, etree._Element]:
    return {part.get("name", ""): part for part in _merged(profile) if part.tag != XS + "element"}


@cache
def _objects(profile: Profile) -> Mapping[str, etree._Element]:
    return {part.get("name", ""): part for part in _merged(profile).iterchildren(XS + "element")}


def _element_shape(declaration: etree._Element, types: Mapping[str, etree._Element]) -> Shape:
    layers = list(xsd.layers(xsd.type_of(declaration, types), types))
    list_type = layers[-1] if layers else declaration
    return Shape(
        name=declaration.get("name", ""),
        required=declaration.get("minOccurs") != "0",
        repeats=declaration.get("maxOccurs") == "unbounded",
        coded=_is_coded(declaration, types),
        ref_id=_is_ref_id(declaration, types),
        open=xsd.is_open(layers),
        keyed_by=_key_parts(list_type),
        whole=list_type.get(_P + "list") == "whole",
        attributes={a.get("name", ""): _attribute(a, types) for a in xsd.attributes(layers)},
        children={e.get("name", ""): _element_shape(e, types) for e in xsd.elements(layers)},
    )


def _attribute(declaration: etree._Element, types: Mapping[str, etree._Element]) -> Attribute:
    is_required = declaration.get("use") == "required"
    return Attribute(is_required, _is_coded(declaration, types), _is_ref_id(declaration, types))


def _is_ref_id(declaration: etree._Element, types: Mapping[str, etree._Element]) -> bool:
    """Whether the value is a RefId, or may be one and nothing else but empty."""
    type_ = xsd.type_of(declaration, types)
    extended = None if type_ is None else next(type_.iterfind(f"*/{XS}extension"), None)
    name = declaration.get("type") if extended is None else extended.get("base")
    return xsd.local(name or "") in _REF_ID_TYPES


_REF_ID_TYPES = frozenset({"GUIDType", "GUIDOrEmptyType"})


def _is_coded(declaration: etree._Element, types: Mapping[str, etree._Element]) -> bool:
    """Whether the values are those of a code set, or of one of several."""
    type_ = xsd.type_of(declaration, types)
    if type_ is None:
        return False
    if (union := type_.find(XS + "union")) is not None:
        members = [types.get(xsd.local(member)) for member in union.get("memberTypes", "").split()]
        return all(member is not None and member.find(f".//{XS}enumeration") is not None for member in members)
    return type_.tag == XS + "simpleType" and type_.find(f".//{XS}enumeration") is not None


# -- the files that are written from others


def generated() -> dict[str, bytes]:
    """Return the files below `schemas/sif-2.7` that are derived from others, by their path there."""
    made = {_CODE_SETS: _code_sets()}
    for profile in (Profile.SPARSE, Profile.KEY):
        for name, root in _documents(profile).items():
            if name != _CODE_SETS:
                made[f"{profile}/{name}"] = _derived(name, root, profile)
    return made


def _code_sets() -> bytes:
    root = etree.Element(XS + "schema", {"targetNamespace": NAMESPACE}, nsmap={"xs": XS[1:-1]})
    note = etree.SubElement(etree.SubElement(root, XS + "annotation"), XS + "documentation")
    note.text = "Written from schemas/codesets/*.csv; change those."
    for entry in sorted((_SCHEMAS / "codesets").iterdir(), key=lambda entry: entry.name):
        type_ = etree.SubElement(root, XS + "simpleType", name=entry.name.removesuffix(".csv"))
        codes = etree.SubElement(type_, XS + "restriction", base="xs:token")
        for row in csv.DictReader(StringIO(entry.read_text(encoding="utf-8"))):
            etree.SubElement(codes, XS + "enumeration", value=row["code"])
    return _text(root)


def _derived(name: str, root: etree._Element, profile: Profile) -> bytes:
    note = next(root.iter(XS + "documentation"))
    note.text = f"Written from ../{name}, the {profile} profile: optional is what is not part of a key."
    for include in root.iterfind(f"{XS}include[@schemaLocation='{_CODE_SETS}']"):
        include.set("schemaLocation", f"../{_CODE_SETS}")
    return _text(root)


def _text(root: etree._Element) -> bytes:
    return etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="UTF-8")


def write() -> None:
    """Write the files that are derived from others anew."""
    _write(Path(str(_XSDS)))
    _write(Path(str(_XSDS)))  # the code sets just written are what the profiles were not yet derived from


def _write(folder: Path) -> None:
    for path, content in generated().items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python -m sif_pipeline.sif.schema --write")
    write()
