"""The drop folder: files that districts or transfer programs put into <SIF_HOME>/drop/<zone>/.

A file is taken once its size and time rest from one look to the next, so that one still being written is left
alone; whoever can writes `name.part` and renames it. What was taken moves to done/, what could not be read to
refused/ with a text beside it that says why. One that was taken has such a text too where objects of it cannot be
read. File names are the district's words and never enter a log.
"""

import logging
import os
import time
from datetime import timedelta
from pathlib import Path

from sif_pipeline.exceptions import Defect, SifPipelineError, UnknownZone
from sif_pipeline.files import receiving
from sif_pipeline.files.receiving import Received

LOOK_SECONDS = 1.0
"""Pause between two looks at the folders."""

Seen = dict[Path, tuple[int, int]]
"""Size in bytes and time of last writing in nanoseconds of the files at the last look."""

TROUBLED = (-1, -1)
"""Stands for the facts of a file that the file system would not let us take: the next watch tries again."""

WHY = ".why.txt"
"""Ending of the text beside a refused file."""

LONGEST_NAME = 255 - len(WHY) - len(".00000")
"""Bytes of a file's name that leave room, in the 255 of a file system, for what is added to it."""

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

    The oldest goes first: what a district wrote first is read first. A folder whose name is no zone's is left, and
    so is, until the next watch, a file or folder that the file system does not let us read or move.
    """
    now, no_zones = _look(drop, seen), set[Path]()
    for file in [file for file, facts in now.items() if seen.get(file) == facts != TROUBLED]:
        if file.parent not in no_zones:
            try:
                _take(url, file, total)
                del now[file]
            except UnknownZone:
                no_zones.add(file.parent)
            except OSError as error:
                now[file] = _trouble(file.parent, error)
    return now


def _look(drop: Path, seen: Seen) -> Seen:
    """See what is offered; of a folder that cannot be read only that is remembered, so that it is said once."""
    now = Seen()
    for folder in (folder for folder in drop.iterdir() if not folder.name.startswith(".")):
        try:
            now |= _look_into(folder, seen) if folder.is_dir() else {}
        except OSError as error:
            now[folder] = TROUBLED if folder in seen else _trouble(folder, error)
    return dict(sorted(now.items(), key=lambda item: (item[1][1], item[0])))


def _look_into(folder: Path, seen: Seen) -> Seen:
    now = Seen()
    for file in filter(_is_offered, folder.iterdir()):
        status = file.stat()
        now[file] = TROUBLED if seen.get(file) == TROUBLED else (status.st_size, status.st_mtime_ns)
    return now


def _trouble(folder: Path, error: OSError) -> tuple[int, int]:
    """Log what the file system said by its number: its words hold the file's name."""
    _log.warning("A file or folder of zone %s cannot be read or moved (errno %s); left.", folder.name, error.errno)
    return TROUBLED


def _is_offered(file: Path) -> bool:
    hidden = file.name.startswith(".") or file.suffix == ".part"
    return not hidden and file.is_file() and not file.is_symlink()


def _take(url: str, file: Path, total: Received) -> None:
    """Receive one file and move it away; whatever is wrong with it, the others must go on. Raise OSError."""
    if not _is_offered(file):  # gone since the look, or a folder by now
        return
    try:
        received = receiving.receive_path(url, file.parent.name, file)
        reasons, remarks = ([reason for _, reason in said] for said in (received.refused, received.broken))
    except Exception as error:
        if isinstance(error, (OSError, SifPipelineError)) and not isinstance(error, Defect):
            raise  # the trouble is the database's or the folder's, and the file can be taken once it is over
        received = Received(files=1)
        # Kept for us to look at, named by its class only.
        remarks = []
        reasons = [f"This is a fault of the pipeline ({type(error).__name__}), not of the file; report it."]
    total.files += received.files
    total.messages += received.messages
    total.duplicates += received.duplicates
    total.refused += [(file, reason) for reason in reasons]
    kept = _move(file, "refused" if reasons else "done")
    if reasons or remarks:
        kept.with_name(kept.name + WHY).write_text("\n".join(reasons or remarks) + "\n", encoding="utf-8")


def _move(file: Path, folder: str) -> Path:
    """Move a file into a folder beside it; a file that has the folder's name makes way."""
    target = file.parent / folder
    if target.is_file():
        aside = target.rename(_free(file.parent, f"{folder}.file"))
        file = aside if file == target else file
    target.mkdir(exist_ok=True)
    return file.rename(_free(target, file.name))


def _free(folder: Path, name: str) -> Path:
    """Find a name in a folder: an earlier file of that name keeps it, this one gets a number."""
    if len(os.fsencode(name)) > LONGEST_NAME:
        name = os.fsencode(name)[:LONGEST_NAME].decode(errors="ignore")
    target, number = folder / name, 1
    while target.exists():
        number += 1
        target = folder / f"{name}.{number}"
    return target
