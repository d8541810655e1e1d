"""Findings on files before they are sent: gate, envelope, schema, key and columns, without a database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from sif_pipeline import mapping
from sif_pipeline.files import below
from sif_pipeline.notices import CATALOGUE, Notice, NoticeType, Severity
from sif_pipeline.sif import gate, messages, schema
from sif_pipeline.sif.gate import Refused
from sif_pipeline.splitting import pieces
from sif_pipeline.zone.receive import check
from warehouse.base import SifObject, objects


@dataclass(frozen=True, slots=True)
class FileFinding:
    """One finding in a file."""

    file: Path
    line: int
    path: str
    type: NoticeType
    words: str  #: the finding's title, or the gate's sentence

    @property
    def is_error(self) -> bool:
        """Whether it keeps the object, or the file, out of the warehouse."""
        return self.type.severity is Severity.ERROR


def validate(paths: Iterable[Path]) -> Iterator[FileFinding]:
    """Yield the findings on files and on the `*.xml` files below folders, in the order of the files.

    They are those of a drain, but for what only the warehouse knows: whether a parent or an Add has arrived, what
    a Change makes of its object, and whether a SIF_Timestamp is near the time of receipt.
    """
    for file in (file for path in paths for file in below(path)):
        try:
            for notice in _notices(file):
                yield FileFinding(file, notice.line, notice.path, notice.type, notice.type.title)
        except Refused as refused:
            yield FileFinding(file, 0, "", CATALOGUE["message_unreadable"], refused.sentence)


def _notices(file: Path) -> Iterator[Notice]:
    limit = gate.Limits().size
    parts: Iterable[bytes] = [file.read_bytes()] if file.stat().st_size <= limit else pieces(file)
    for part in parts:
        root = gate.open_message(part, gate.Limits(size=2 * limit))
        if messages.is_message(root):
            message = messages.read_message(root)
            check(message)
            yield from message.notices
        for found in messages.objects(root):
            if found.notice:
                yield found.notice
            yield from judged(found)


def judged(found: messages.ObjectInMessage) -> list[Notice]:
    """Judge an object as a drain does: by schema and key first, and a sound one by the columns it is to fill."""
    name, line = etree.QName(found.element).localname, found.element.sourceline or 0
    cls = objects().get(name)
    if cls is None:
        return [Notice("object_unknown", name, line)]
    profile = schema.profile_for(found.action or "")
    notices = [] if schema.is_valid(found.element, profile) else schema.findings(found.element, profile)
    if any(notice.type.severity is Severity.ERROR for notice in notices):
        return notices
    if mapping.row_key(cls, found.element) is None:
        return [Notice("key_missing", name, line), *notices]
    return [*notices, *_unfit(cls, found.element, profile)]


def _unfit(cls: type[SifObject], element: etree._Element, profile: schema.Profile) -> list[Notice]:
    """Say which values of a sound object cannot be stored; a Change may leave out what its object has already."""
    if profile is schema.Profile.KEY:
        return []
    _, notices = mapping.row(cls, element)
    return notices if profile is schema.Profile.WHOLE else [n for n in notices if n.code != "element_missing"]
