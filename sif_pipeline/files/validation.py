"""Findings on files before they are sent: gate, envelope, schema, key and columns, without a database."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sif_pipeline.files import receiving
from sif_pipeline.files.receiving import Accepted, below
from sif_pipeline.notices import CATALOGUE, NoticeType, Severity
from sif_pipeline.reading import core
from sif_pipeline.sif.gate import Refused


@dataclass(frozen=True, slots=True)
class FileFinding:
    """One finding in a file."""

    file: Path
    line: int
    path: str
    type: NoticeType
    words: str  #: the finding's title, or the gate's sentence
    times: int = 1  #: how many findings it stands for: more than one where it counts what is not listed

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
            for accepted in receiving.accepted(file):
                yield from _findings(file, accepted)
        except Refused as refused:
            yield FileFinding(file, 0, "", CATALOGUE["message_unreadable"], refused.sentence)


def _findings(file: Path, accepted: Accepted) -> Iterator[FileFinding]:
    if accepted.facts["sif_timestamp"] is None and accepted.facts["message_type"] != receiving.BARE:
        kind = CATALOGUE["timestamp_implausible"]
        yield FileFinding(file, 0, "SIF_Header/SIF_Timestamp", kind, kind.title)
    for _, notice in core.findings(accepted.found):
        line = accepted.broken_at or (notice.line and notice.line + accepted.lines)
        words = UNREADABLE if notice.code == "message_unreadable" else notice.type.title
        yield FileFinding(file, line, notice.path, notice.type, words, notice.times)


UNREADABLE = "The object that begins here cannot be read; its neighbours can."
