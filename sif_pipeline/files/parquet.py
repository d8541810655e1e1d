"""Files of objects as Parquet: the rows that a warehouse would take in, for engines that are not PostgreSQL."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sif_pipeline.files import receiving
from sif_pipeline.reading import arrow
from sif_pipeline.sif.gate import Refused
from warehouse.base import objects


@dataclass(slots=True)
class Written:
    """What was written."""

    files: int = 0
    rows: int = 0  #: of objects
    findings: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)  #: files that could not be read to their end, and why


def write(paths: Iterable[Path], folder: Path) -> Written:
    """Write the objects of files below `folder`: one folder for each object, in it one Parquet file for each file.

    Findings are in `findings`. Events are not folded: each whole image is a row. A file of an earlier run is replaced.
    """
    written, names = Written(), set[str]()
    for file in paths:
        written.files += 1
        name, number = file.stem, 1
        while name in names:
            name, number = f"{file.stem}.{number}", number + 1
        names.add(name)
        with ExitStack() as stack:
            try:
                _write_file(file, folder, name, stack, written)
            except Refused as refused:
                written.refused.append((file, refused.sentence))
    return written


def _write_file(file: Path, folder: Path, name: str, stack: ExitStack, written: Written) -> None:
    writers: dict[str, pq.ParquetWriter] = {}

    def append(kind: str, records: pa.RecordBatch) -> int:
        if kind not in writers:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            target = folder / kind / f"{name}.parquet"
            writers[kind] = stack.enter_context(pq.ParquetWriter(target, records.schema, compression="zstd"))
        writers[kind].write_batch(records)
        return int(records.num_rows)

    broken: list[int] = []
    for _, found, lines, broken_at in receiving.accepted(file):
        made = arrow.batch(found, lines)
        broken += [broken_at] if broken_at else []
        for kind, records in made.objects.items():
            written.rows += append(objects()[kind].__tablename__, records)
        if made.findings.num_rows:
            written.findings += append("findings", made.findings)
    if broken:
        written.refused.append((file, receiving.unreadable(broken)))
