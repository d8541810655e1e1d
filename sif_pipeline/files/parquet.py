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

FOUND = "findings"
"""Folder of the findings."""


@dataclass(slots=True)
class Written:
    """What was written."""

    files: int = 0
    rows: int = 0  #: of objects
    findings: int = 0
    refused: list[tuple[Path, str]] = field(default_factory=list)  #: files that could not be read to their end, and why


def write(paths: Iterable[Path], folder: Path) -> Written:
    """Write the objects of files below `folder`: one folder for each object, in it one Parquet file for each file.

    Findings are in FOUND. Events are not folded: each whole image is a row. What an earlier run made of a file goes.
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

    def writer(kind: str, schema: pa.Schema) -> pq.ParquetWriter:
        if kind not in writers:
            (folder / kind).mkdir(parents=True, exist_ok=True)
            target = folder / kind / f"{name}.parquet"
            writers[kind] = stack.enter_context(pq.ParquetWriter(target, schema, compression="zstd"))
        return writers[kind]

    def append(kind: str, records: pa.RecordBatch) -> int:
        if records.num_rows:
            writer(kind, records.schema).write_batch(records)
        return int(records.num_rows)

    for kind in (FOUND, *(cls.__tablename__ for cls in objects().values())):
        (folder / kind / f"{name}.parquet").unlink(missing_ok=True)
    writer(FOUND, arrow.FINDINGS)  # where nothing is wrong, a reader finds a table without rows
    broken: list[int] = []
    for accepted in receiving.accepted(file):
        made = arrow.batch(accepted.found, accepted.lines)
        broken += [accepted.broken_at] if accepted.broken_at else []
        for kind, records in made.objects.items():
            written.rows += append(objects()[kind].__tablename__, records)
        written.findings += append(FOUND, made.findings)
    if broken:
        written.refused.append((file, receiving.unreadable(broken)))
