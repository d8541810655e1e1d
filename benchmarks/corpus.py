"""The bytes that everything is measured on: synthetic SIF objects, the same for the same size, in several packings.

Only the messages' timestamps follow the clock: a zone does not believe those that are far from its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from lxml import etree

from sif_pipeline.config import PROJECT
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.xsd import XS
from sif_pipeline.synth import District, districts, messages
from sif_pipeline.synth.plan import MAX_STUDENTS
from sif_pipeline.synth.state import day_for_reports_of

SEED = 20261122
OBJECTS = (
    *("LEAInfo", "SchoolInfo", "StaffPersonal", "TermInfo", "SchoolCourseInfo", "SectionInfo", "StudentPersonal"),
    *("StudentSchoolEnrollment", "StudentAttendanceSummary"),
)
"""What the corpus is made of, whatever else the synthetic state learns: figures of different days compare."""

PACKET = 500
"""Objects in a SIF_Response packet."""

BAD = 0.1
EVENTS_SHARE, PEERS_MEGABYTES = 10, 10.0
"""One in so many objects is also sent as an event; peers get a smaller document, being slower."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Where the bytes lie and how many objects they hold."""

    folder: Path
    students: int
    objects: int
    events: int
    peer_objects: int
    bytes: int  #: of the one file

    def path(self, name: str) -> Path:
        """Give a file or folder of the corpus."""
        return self.folder / name


def make(folder: Path, megabytes: float) -> Corpus:
    """Write the corpus below an existing folder; `megabytes` is the size of the one file, within a few per cent."""
    students = _students(megabytes)
    good, bad = state(students), state(students, bad=BAD)
    few = state(max(1, students // EVENTS_SHARE))
    peers = state(_students(min(megabytes, PEERS_MEGABYTES)))
    count = write_list(folder / "objects.xml", _all(good))
    peer_count = write_list(folder / "peers.xml", _all(peers))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    write_packets(folder / "first", good, "first", yesterday)
    write_packets(folder / "again", good, "again", yesterday + timedelta(hours=1))
    write_packets(folder / "bad", bad, "bad", yesterday)
    events = _write_events(folder / "events", few, yesterday)
    driver = one_file_schema()
    (folder / "objects.xsd").write_bytes(etree.tostring(driver))
    (folder / "peers.xsd").write_bytes(etree.tostring(for_xml2db(driver)))
    return Corpus(folder, students, count, events, peer_count, (folder / "objects.xml").stat().st_size)


def state(students: int, *, first: int = 1, bad: float = 0.0) -> list[District]:
    """Make districts of so many students in all, alike and as few as can be; most often that is one.

    `first` is the number of the first, so that others have other students; `bad` the share of spoiled objects.
    """
    count = -(-students // MAX_STUDENTS)
    today = day_for_reports_of(datetime.now(UTC).date())
    found = districts(first + count - 1, round(students / count), SEED, bad=bad, varied=False, today=today)
    return list(islice(found, first - 1, None))


def students_of(objects: int) -> int:
    """Say how many students have so many objects with all that is told of them, their schools and their teachers."""
    sample = 1_000
    counts = state(sample)[0].counts()
    return max(1, round(objects / sum(counts[name] for name in OBJECTS) * sample))


def _students(megabytes: float) -> int:
    sample = 1_000
    size = sum(map(len, _all(state(sample))))
    return max(1, round(megabytes * 1e6 / size * sample))


def _all(of: Iterable[District]) -> Iterator[bytes]:
    return (found.xml for district in of for found in district.objects(OBJECTS))


def write_list(path: Path, objects: Iterable[bytes]) -> int:
    """Write a file of objects and give their number; it is never in memory as a whole."""
    with path.open("wb") as file:
        return sum(file.write(piece) > 0 for piece in messages.object_list(objects)) - 2  # head and tail


def write_packets(folder: Path, of: Iterable[District], name: str, start: datetime) -> None:
    """Write the SIF_Response packets of districts into a new folder; other names give other MsgIds."""
    folder.mkdir()
    stamps = messages.stamps(SEED, name, start)
    packets = (packet for district in of for packet in _packets(district, stamps))
    for number, packet in enumerate(packets, 1):
        (folder / f"{number:05d}.xml").write_bytes(packet)


def _packets(district: District, stamps: Iterator[messages.Stamp]) -> Iterator[bytes]:
    for name in OBJECTS:
        for chunk in _chunks(sent.object.xml for sent in district.adds([name])):
            size = sum(map(len, chunk)) + 10_000
            yield from messages.response_packets(
                chunk, district.source_id, "STATE", f"{SEED:032d}", stamps, buffer_size=size
            )


def _chunks(objects: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = iter(objects)
    while chunk := list(islice(rest, PACKET)):
        yield chunk


def _write_events(folder: Path, of: Iterable[District], start: datetime) -> int:
    folder.mkdir()
    number, stamps = 0, messages.stamps(SEED, "events", start)
    events = ((district, found) for district in of for found in district.objects(OBJECTS))
    for number, (district, found) in enumerate(events, 1):
        body = messages.event(found.name, "Add", found.xml, district.source_id, next(stamps))
        (folder / f"{number:06d}.xml").write_bytes(body)
    return number


def one_file_schema() -> etree._Element:
    """Build one XSD without includes for a list of whole objects, from the files in schemas/."""
    names = {"xs": XS[1:-1], "sif": NAMESPACE}
    attributes = {"targetNamespace": NAMESPACE, "elementFormDefault": "qualified"}
    root = etree.Element(XS + "schema", attributes, nsmap=names)
    for path in sorted((PROJECT / "schemas" / "sif-2.7").glob("*.xsd")):
        parts = etree.parse(path, etree.XMLParser(remove_comments=True)).getroot()
        root.extend([part for part in parts if part.tag not in {XS + "include", XS + "annotation"}])
    listed = etree.SubElement(root, XS + "element", name="SIF_ObjectData")
    any_number = {"minOccurs": "0", "maxOccurs": "unbounded"}
    choice = etree.SubElement(etree.SubElement(listed, XS + "complexType"), XS + "choice", any_number)
    for name in OBJECTS:
        etree.SubElement(choice, XS + "element", ref=f"sif:{name}")
    return root


def for_xml2db(root: etree._Element) -> etree._Element:
    """Alter a schema where xml2db 0.15 cannot follow: mixed content, and repeated elements of coded or token type."""
    for extension in root.iter(XS + "extension"):
        if extension.get("base") == "sif:ExtendedContentType":
            extension.set("base", "xs:string")
            content = extension.getparent()
            assert content is not None  # noqa: S101 -- an extension is never the root
            content.tag = XS + "simpleContent"
    simple = {f"sif:{part.get('name')}" for part in root if part.tag == XS + "simpleType"}
    for element in root.iter(XS + "element"):
        type_ = element.get("type", "")
        if element.get("maxOccurs") and (type_ in simple or type_.startswith("xs:")):
            element.set("type", "xs:string")
    return root
