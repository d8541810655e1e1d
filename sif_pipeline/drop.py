"""The drop folder: files that districts or transfer programs put into <SIF_HOME>/drop/<zone>/.

A file is taken once its size and time rest from one look to the next, so that one still being written is left
alone; whoever can writes `name.part` and renames it. What was taken moves to done/, what could not be read to
refused/ with a text beside it that says why. File names are the district's words and never enter a log.
"""

import logging
import time
from datetime import timedelta
from pathlib import Path

from sif_pipeline import files
from sif_pipeline.exceptions import Defect, SifPipelineError, UnknownZone
from sif_pipeline.files import Received

LOOK_SECONDS = 1.0
"""Pause between two looks at the folders."""

Seen = dict[Path, tuple[int, int]]
"""Size in bytes and time of last writing in nanoseconds of the files at the last look."""

_log = logging.getLogger(__name__)


def watch(url: str, drop: Path, *, lasting: timedelta) -> Received:
    """Take what is dropped below `drop` for as long as `lasting`, and return the sums.

    Raise DatabaseUnreachable or DatabaseFull when the inbox is; the files stay where they are.
    """
    drop.mkdir(parents=True, exist_ok=True)
    total, seen = Received(), Seen()
    until = time.monotonic() + lasting.total_seconds()
    while time.monotonic() < until:
        seen = sweep(url, drop, seen, total)
        time.sleep(LOOK_SECONDS)
    if seen:
        _log.warning("%d files wait: still being written, or in a folder that is named like no zone.", len(seen))
    return total


def sweep(url: str, drop: Path, seen: Seen, total: Received) -> Seen:
    """Take every file that is as `seen` at the last look, add to `total`, and return what is seen now.

    The oldest goes first: what a district wrote first is read first. A folder whose name is no zone's is left.
    """
    now, no_zones = _look(drop), set[Path]()
    for file in [file for file, facts in now.items() if seen.get(file) == facts]:
        if file.parent not in no_zones:
            try:
                _take(url, file, total)
                del now[file]
            except UnknownZone:
                no_zones.add(file.parent)
    return now


def _look(drop: Path) -> Seen:
    zones = [folder for folder in drop.iterdir() if folder.is_dir() and not folder.name.startswith(".")]
    seen = {}
    for file in (file for folder in zones for file in folder.iterdir() if _is_offered(file)):
        status = file.stat()
        seen[file] = (status.st_size, status.st_mtime_ns)
    return dict(sorted(seen.items(), key=lambda item: (item[1][1], item[0])))


def _is_offered(file: Path) -> bool:
    hidden = file.name.startswith(".") or file.suffix == ".part"
    return not hidden and file.is_file() and not file.is_symlink()


def _take(url: str, file: Path, total: Received) -> None:
    """Receive one file and move it away; whatever is wrong with it, the others must go on."""
    try:
        received = files.receive_path(url, file.parent.name, file)
        reasons = [reason for _, reason in received.refused]
    except Exception as error:
        if isinstance(error, SifPipelineError) and not isinstance(error, Defect):
            raise  # the trouble is the database's or the folder's, and the file can be taken once it is over
        received = Received(files=1)
        # Kept for us to look at, named by its class only.
        reasons = [f"This is a fault of the pipeline ({type(error).__name__}), not of the file; report it."]
    total.files += received.files
    total.messages += received.messages
    total.duplicates += received.duplicates
    total.refused += [(file, reason) for reason in reasons]
    kept = _move(file, "refused" if reasons else "done")
    if reasons:
        kept.with_name(f"{kept.name}.why.txt").write_text("\n".join(reasons) + "\n", encoding="utf-8")


def _move(file: Path, folder: str) -> Path:
    """Move a file into a folder beside it; an earlier file of that name keeps it, this one gets a number."""
    target = file.parent / folder / file.name
    target.parent.mkdir(exist_ok=True)
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{file.name}.{number}")
    return file.rename(target)
