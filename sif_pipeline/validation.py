"""Findings on files before they are sent: the gate, the envelope and the schema, without a database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sif_pipeline.files import below
from sif_pipeline.notices import CATALOGUE, Notice, NoticeType, Severity
from sif_pipeline.sif import gate, messages, schema
from sif_pipeline.sif.gate import Refused
from sif_pipeline.splitting import pieces


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
    """Yield the findings on files and on the `*.xml` files below folders, in the order of the files."""
    for file in (file for path in paths for file in below(path)):
        try:
            yield from _validate_file(file)
        except Refused as refused:
            yield FileFinding(file, 0, "", CATALOGUE["message_unreadable"], refused.sentence)


def _validate_file(file: Path) -> Iterator[FileFinding]:
    limit = gate.Limits().size
    parts: Iterable[bytes] = [file.read_bytes()] if file.stat().st_size <= limit else pieces(file)
    for part in parts:
        root = gate.open_message(part, gate.Limits(size=2 * limit))
        if messages.is_message(root):
            messages.read_message(root)
        for found in messages.objects(root):
            for notice in [*([found.notice] if found.notice else []), *_schema_findings(found)]:
                yield FileFinding(file, notice.line, notice.path, notice.type, notice.type.title)


def _schema_findings(found: messages.ObjectInMessage) -> list[Notice]:
    profile = schema.profile_for(found.action or "")
    return [] if schema.is_valid(found.element, profile) else schema.findings(found.element, profile)
