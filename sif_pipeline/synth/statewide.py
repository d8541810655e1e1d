"""A whole synthetic state: as many districts, schools and students as Massachusetts has, one file for each district.

Districts are made and written one after the other, object by object: memory does not grow with the state.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import log
from pathlib import Path
from random import Random

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.synth import messages
from sif_pipeline.synth.plan import STATE_ENROLLMENT, Character, Cuts, plan, shares
from sif_pipeline.synth.school_year import year_seen_on
from sif_pipeline.synth.state import TODAY, District, Expected

DISTRICTS, STUDENTS = 404, 950_000
"""The size of the state: districts of 2016-17, students between those of 2016-17 and of 2025-26."""

MANIFEST = "manifest.jsonl"
"""Name of the file that says what the others hold: one JSON object per line, a district's or a count's."""

# District sizes of 2016-17 at every twentieth of the ranks, and the twelve largest.
_SIZES = (
    *(2, 140, 220, 318, 404, 488, 626, 744, 955, 1_196),
    *(1_391, 1_549, 1_782, 2_154, 2_496, 2_803, 3_462, 4_187, 5_346, 7_072, 8_609),
)
_LARGEST = (8_609, 9_249, 10_163, 12_640, 12_827, 13_857, 14_416, 15_299, 16_970, 25_479, 25_633, 53_263)

_BUFFER = 1 << 20

Progress = Callable[[int, int, int], None]
"""Called after each district with students done, students in all, and objects done."""


def sizes(seed: int) -> list[int]:
    """Return how many students each of the 404 districts has, by its number less one; they add up to 950,000."""
    ranked = [_size_at(rank) for rank in range(DISTRICTS - len(_LARGEST))]
    scaled = shares(STUDENTS, [*ranked, *_LARGEST])
    Random(f"{seed}/state").shuffle(scaled)
    return scaled


def _size_at(rank: int) -> float:
    place = rank / DISTRICTS * 20
    step = int(place)
    low, high = _SIZES[step : step + 2]
    return low + (high - low) * (place - step)


# How many districts are one school, of which grades and sizes (2016-17).
_SPANS = {"elementary": slice(0, 10), "secondary": slice(7, 14), "high": slice(10, 14), "all": slice(0, 15)}
_SINGLE = (("elementary", 84, 0, 800), ("secondary", 17, 200, 960), ("high", 45, 160, 1_600), ("all", 22, 350, 1_500))
_LEAST, _MOST = -0.85, 1.0  # need
# With so many schools that stand alone, the others are a little smaller: 1,850 schools come out.
_CUTS = Cuts(single=350, two=1_000, elementary=390, middle=590, high=1_080)


def characters(seed: int) -> list[Character]:
    """Return what each of the 404 districts is like, by its number less one; the means over all are the state's."""
    students = sizes(seed)
    spans, needs = _spans(seed, students), _needs(seed, students)
    special = {span: tuple(_within(STATE_ENROLLMENT, _SPANS[span])) for span, *_ in _SINGLE}
    taken = [shares(students[place], special[span]) for place, span in spans.items()]
    scale = STUDENTS / sum(STATE_ENROLLMENT)
    left = tuple(
        max(0.0, total * scale - sum(n)) for total, n in zip(STATE_ENROLLMENT, zip(*taken, strict=True), strict=True)
    )
    return [
        Character(special[spans[place]] if place in spans else left, single=place in spans, need=need, cuts=_CUTS)
        for place, need in enumerate(needs)
    ]


def _spans(seed: int, students: list[int]) -> dict[int, str]:
    """Choose the districts of one school: place in the list to the span of its grades."""
    places = list(range(len(students)))
    Random(f"{seed}/spans").shuffle(places)
    chosen: dict[int, str] = {}
    for span, count, low, high in _SINGLE:
        fitting = [place for place in places if place not in chosen and low <= students[place] <= high]
        chosen |= dict.fromkeys(fitting[:count], span)
    return chosen


def _within(weights: Sequence[float], span: slice) -> Iterator[float]:
    places = range(len(weights))[span]
    return (weight if place in places else 0.0 for place, weight in enumerate(weights))


def _needs(seed: int, students: list[int]) -> list[float]:
    """Spread need over the districts, more in larger ones, so that its mean over all students is nothing."""
    draw = Random(f"{seed}/needs").random
    raw = [0.38 * log(size / 1_400) + 1.5 * draw() - 0.75 for size in students]
    low, high = -5.0, 5.0
    for _ in range(50):
        middle = (low + high) / 2
        over = sum(size * need for size, need in zip(students, _moved(raw, middle), strict=True)) > 0
        low, high = (middle, high) if over else (low, middle)
    return [round(need, 2) for need in _moved(raw, low)]


def _moved(raw: list[float], by: float) -> list[float]:
    return [min(_MOST, max(_LEAST, need - by)) for need in raw]


def state(seed: int, *, share: float = 1.0, bad: float = 0.0, today: date = TODAY) -> Iterator[District]:
    """Yield the districts of the state by number; with `share` (over 0, to 1) so many of them, of all sizes.

    A district is the same in every share. `bad` is the share of objects with a flaw, `today` as for `districts`.
    """
    calendar, students, like = year_seen_on(today), sizes(seed), characters(seed)
    for number in _chosen(students, share):
        size, character = students[number - 1], like[number - 1]
        yield District(plan(seed, number, size, calendar, varied=False, character=character), bad)


def _chosen(students: list[int], share: float) -> list[int]:
    """Return the numbers of the districts that make up a share: evenly many from every part of the ranking."""
    by_size = sorted(range(1, len(students) + 1), key=lambda number: (students[number - 1], number))
    steps = [int(rank * share + 0.5) for rank in range(len(students) + 1)]
    return sorted(number for number, low, high in zip(by_size, steps, steps[1:], strict=False) if high > low)


@dataclass(slots=True)
class Written:
    """What was written."""

    districts: int = 0
    schools: int = 0
    students: int = 0
    bytes: int = 0
    expected: Expected = field(default_factory=Expected)  #: what a warehouse must hold of it


def write_state(  # noqa: PLR0913 -- each is a size or a choice of its own
    out: Path,
    seed: int,
    *,
    share: float = 1.0,
    bad: float = 0.0,
    today: date = TODAY,
    progress: Progress | None = None,
) -> Written:
    """Write one file for each district below `out`, a bare list of its objects, and a manifest.

    A file's name is the district's code. Objects stand in an order in which nothing refers to what has not been
    sent. Raise ConfigurationError when the folder holds anything, or the share is so small that it is no district.
    """
    districts, written = list(state(seed, share=share, bad=bad, today=today)), Written()
    if not districts:
        raise ConfigurationError("No district is so small a share of the state; give at least --share 0.002.")
    if out.exists() and any(out.iterdir()):
        raise ConfigurationError(f"{out} is not empty; choose another folder, or remove what is in it.")
    out.mkdir(parents=True, exist_ok=True)
    total = sum(district.plan.size for district in districts)
    with (out / MANIFEST).open("w", encoding="utf-8") as manifest:
        for district in districts:
            manifest.write(_line(record="district", **_write_district(out, district, written)))
            if progress:
                progress(written.students, total, written.expected.sent.total())
        manifest.writelines(_line(record="count", **row) for row in written.expected.rows())
    return written


def _write_district(out: Path, district: District, written: Written) -> dict[str, str | int]:
    """Write one district, add it to what was written, and return its line in the manifest."""
    file, before = out / f"{district.code}.xml", written.expected.sent.total()
    with file.open("wb", buffering=_BUFFER) as target:
        target.writelines(messages.object_list(_counted(district, written.expected)))
        size = target.tell()
    written.districts += 1
    written.schools += len(district.plan.schools)
    written.students += district.plan.size
    written.bytes += size
    return {
        "code": district.code,
        "name": district.name,
        "file": file.name,
        "schools": len(district.plan.schools),
        "students": district.plan.size,
        "objects": written.expected.sent.total() - before,
        "bytes": size,
    }


def _counted(district: District, expected: Expected) -> Iterator[bytes]:
    for sent in district.adds():
        expected.add(sent)
        yield sent.object.xml


def _line(**fields: object) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"
