"""Write the synthetic state to a folder: each district's messages as files, and what to expect of them."""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.synth import messages
from sif_pipeline.synth.flaws import Fate, Sent
from sif_pipeline.synth.life import Happening
from sif_pipeline.synth.objects import OBJECTS
from sif_pipeline.synth.plan import ref_id
from sif_pipeline.synth.state import TODAY, District, Expected, districts, later_events

Progress = Callable[[int, int], None]
"""Called now and then with objects written so far and objects in all."""

_README = """\
Synthetic SIF 2.7 messages of one district that does not exist: {name} ({code}).
Every name, number and date was drawn at random from seed {seed}; nobody here is a person.

01-adds/     the first load: SIF_Response packets, one kind of object per request, in an order in which
             nothing refers to what has not been sent
02-later/    Change events, then Delete events, one per file
manifest.jsonl
             one JSON object per line: what was flawed, changed or deleted on purpose and what must become of
             it; the last lines ("record": "count") say for each kind of object how many were sent and how
             many a warehouse must hold in the end

Load 01-adds before 02-later; within each, file names are in order.
"""


def write(  # noqa: PLR0913 -- each is a size or a choice of its own
    out: Path,
    count: int,
    students: int,
    seed: int,
    *,
    bad: float = 0.0,
    varied: bool = True,
    today: date = TODAY,
    start: datetime | None = None,
    buffer_size: int = 1_000_000,
    progress: Progress | None = None,
) -> Expected:
    """Write `count` districts of `students` students on average below `out`, one folder each by LEA code.

    Packets stay under `buffer_size` bytes; timestamps begin at `start` (see `District.stamps`). Return what all of it
    must come to in a warehouse. Raise ConfigurationError when a district's folder is there already.
    """
    total = Expected()
    state = list(districts(count, students, seed, bad=bad, varied=varied, today=today))
    size = sum(sum(district.counts().values()) for district in state) if progress else 0
    for district in state:
        done = total.sent.total()
        report = (lambda n, done=done: progress(done + n, size)) if progress else None
        total.update(write_district(out / district.code, district, start=start, buffer_size=buffer_size, report=report))
    return total


def write_district(
    folder: Path,
    district: District,
    *,
    start: datetime | None = None,
    buffer_size: int = 1_000_000,
    report: Callable[[int], None] | None = None,
) -> Expected:
    """Write one district's folder, which must not be there yet; tell `report` the objects written after each packet."""
    adds, later = _new_folders(folder)
    expected, stamps = Expected(), district.stamps(start)
    with (folder / "manifest.jsonl").open("w", encoding="utf-8") as manifest:
        packets = _packets(district, stamps, buffer_size, _recording(expected, manifest.write))
        for number, (name, packet) in enumerate(packets, 1):
            (adds / f"{number:06d}-{name}.xml").write_bytes(packet)
            if report:
                report(expected.sent.total())
        for number, message in enumerate(later_events(district, stamps), 1):
            (later / f"{number:06d}-{message.object_name}-{message.action}.xml").write_bytes(message.body)
        for happening in district.happenings():
            expected.happen(happening)
            manifest.write(_line(**_of_happening(happening)))
        manifest.writelines(_line(record="count", **row) for row in expected.rows())
    text = _README.format(name=district.name, code=district.code, seed=district.plan.seed)
    (folder / "README.txt").write_text(text, encoding="utf-8")
    return expected


def _new_folders(folder: Path) -> tuple[Path, Path]:
    # Files left over from another run would be read as if they belonged to this one.
    if folder.exists():
        raise ConfigurationError(f"{folder} is there already; choose another folder, or remove it first.")
    adds, later = folder / "01-adds", folder / "02-later"
    adds.mkdir(parents=True)
    later.mkdir()
    return adds, later


def _packets(
    district: District,
    stamps: Iterator[messages.Stamp],
    buffer_size: int,
    record: Callable[[Sent], bytes],
) -> Iterator[tuple[str, bytes]]:
    """Yield (object name, packet): each kind of object answers a request of its own."""
    for number, name in enumerate(OBJECTS):
        request = ref_id(district.plan.seed, district.code, "SIF_Request", number)
        found = (record(sent) for sent in district.adds([name]))
        packets = messages.response_packets(
            found, district.source_id, "STATE", request, stamps, buffer_size=buffer_size
        )
        for packet in packets:
            yield name, packet


def _recording(expected: Expected, write_line: Callable[[str], object]) -> Callable[[Sent], bytes]:
    def record(sent: Sent) -> bytes:
        expected.add(sent)
        if sent.fate is not Fate.LOADED or sent.flaw is not None:
            write_line(_line(**_of_sent(sent)))
        return sent.object.xml

    return record


def _of_sent(sent: Sent) -> dict[str, Any]:
    return {
        "record": "object",
        "object": sent.object.name,
        "key": sent.object.ref_id,
        "flaw": sent.flaw.name if sent.flaw else None,
        "outcome": sent.fate,
        "codes": sent.codes,
        "student": sent.object.student or None,
    }


def _of_happening(happening: Happening) -> dict[str, Any]:
    return {
        "record": happening.action.lower(),
        "object": happening.object_name,
        "key": happening.ref_id,
        "kind": happening.kind,
        "path": happening.path or None,
        "value": happening.value,
    }


def _line(**fields: Any) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"
