"""The page that shows a synthetic state beside the published figures, and its chart.

`python -m sif_pipeline.synth.portrait FOLDER` counts what `sif-pipeline synth --state` wrote there and writes both.
"""

import sys
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path
from typing import Final

from sif_pipeline.config import PROJECT
from sif_pipeline.synth.census import Figure, figures, table, take

DISCUSSION: Final = PROJECT / "docs/discussion"
"""Where the figures, the page and the chart are."""

FIGURES: Final = "synthetic-state.csv"
"""The figures of the run that the page shows."""

SEED: Final = 7
"""The seed of that run."""

_EACH_ITS_OWN_SCALE: Final = {"Size", "Staffing", "Districts by students", "Schools by students"}
_ROW, _HEAD, _LEFT, _WIDTH, _RIGHT = 26, 44, 270, 330, 170  # of the chart, in its own units

_PUBLISHED, _SYNTHETIC = "#9aa7b8", "#2b6cb0"  # the colours of the bars

_HEAD_TEXT: Final = f"""\
# The synthetic state

<!-- Written by `python -m sif_pipeline.synth.portrait FOLDER`; change that module, not this page. -->

`sif-pipeline synth --state --seed {SEED} --out FOLDER` writes a state of the size of Massachusetts that does not exist:
no name, number or date in it is anybody's. This page shows what a real run of that command wrote beside what the state
publishes. The objects were counted in the files (`python -m sif_pipeline.synth.portrait FOLDER`), not in the plan they
were made by; the figures are in [{FIGURES}]({FIGURES}).

![Published and synthetic figures as bars](synthetic-state.svg)

Published are the state totals and the school-level figures of the years named, of the state's public reports. Schools
are elementary, middle or high by where most of their students are, on both sides. Synthetic attendance and discipline
are those of the year up to 20 November 2026, discipline scaled to a year.
"""

_TAIL_TEXT: Final = """\
## Make it

```
sif-pipeline synth --state --seed 7 --out state/                          # all of it
sif-pipeline synth --state --seed 7 --share 0.01 --out part/              # four districts of all sizes
sif-pipeline synth --state --seed 7 --share 0.01 --bad 0.02 --out part/   # with flaws, and what must become of them
```

The whole state is 11.1 million objects in 404 files of 5.6 GB together. One run took 97 seconds of CPU time, 9
millionths of a second an object, and never more than 98 MB of memory. The same seed gives the same bytes; a district is
the same in every share. `manifest.jsonl` beside the files says what is in each, and how much of each object a warehouse
must hold in the end. `sif-pipeline bulk` loads all of it, `sif-pipeline receive --zone ZONE FILE` one district.

## What it is not

- **Rosters.** Published are nine seats in classes for every student. Here a student of grades K to 5 has a roster for
  the four core subjects only, and none has one for advisory: that keeps the state at eleven million objects. The
  classes themselves are all there.
- **Districts** differ in size, in the grades they have, and in one thing that stands for all others: how poor they are.
  Race, first language and absence follow it; who needs special education does not. None is like any real one.
- **Chronic absence** falls on more students of high schools than it does in truth, by shorter absences.
- **Schools of mixed grades** are smaller here than the published ones, with three fifths of their chronic absence and
  half of their discipline; and more districts have one school only.
- **Scores, marks, disabilities and evaluations** are distributed as seemed likely; no published figure stands
  behind them.
- **Incidents** are counted, not students disciplined; here nearly every offender has one incident.
"""


def pages(found: list[Figure]) -> dict[str, str]:
    """Write the figures, the page and its chart, by the names of their files."""
    return {FIGURES: table(found), "synthetic-state.md": page(found), "synthetic-state.svg": chart(found)}


def page(found: list[Figure]) -> str:
    """Write the page: the chart, then a table of each group."""
    parts = [_HEAD_TEXT]
    for group, of_group in groupby(found, key=lambda figure: figure.group):
        lines = [f"## {group}\n", "| | Year | Published | Synthetic |", "|---|---|--:|--:|"]
        lines += [f"| {f.measure} | {f.year} | {' | '.join(_both(f))} |" for f in of_group]
        parts.append("\n".join([*lines, ""]))
    return "\n".join([*parts, _TAIL_TEXT])


def _both(figure: Figure) -> tuple[str, str]:
    return _number(figure.published, figure.unit), _number(figure.synthetic, figure.unit)


def _number(value: float, unit: str) -> str:
    text = f"{value:,.0f}" if not unit and value >= 100 else f"{value:.2f}".rstrip("0").rstrip(".")
    return f"{text} %" if unit else text


def chart(found: list[Figure]) -> str:
    """Draw a pair of bars for every figure, one column of groups."""
    rows, y = [], _HEAD
    for group, of_group in groupby(found, key=lambda figure: figure.group):
        measured = list(of_group)
        rows.append(f'<text x="10" y="{y + 24}" font-size="17" font-weight="bold">{escape(group)}</text>')
        y += 34
        for figure in measured:
            rows += _bars(figure, y, _scale(figure, measured))
            y += _ROW
        y += 8
    return "\n".join([*_frame(y), *rows, "</svg>"]) + "\n"


def _scale(figure: Figure, of_group: list[Figure]) -> float:
    compared = [figure] if figure.group in _EACH_ITS_OWN_SCALE else of_group
    return _WIDTH / max(max(f.published, f.synthetic) for f in compared)


def _frame(height: int) -> Iterator[str]:
    width = _LEFT + _WIDTH + _RIGHT
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-labelledby="t" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#112">'
    )
    yield '<title id="t">The synthetic state beside the published figures of Massachusetts</title>'
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    for x, colour, words in ((10, _PUBLISHED, "published"), (110, _SYNTHETIC, "synthetic")):
        yield f'<rect x="{x}" y="18" width="14" height="12" fill="{colour}"/><text x="{x + 20}" y="29">{words}</text>'


def _bars(figure: Figure, y: int, scale: float) -> Iterator[str]:
    yield f'<text x="{_LEFT - 8}" y="{y + 15}" text-anchor="end">{escape(figure.measure)}</text>'
    for top, value, colour in ((y, figure.published, _PUBLISHED), (y + 10, figure.synthetic, _SYNTHETIC)):
        width = max(value * scale, 1)
        yield f'<rect x="{_LEFT}" y="{top}" width="{width:.1f}" height="9" fill="{colour}"/>'
    words = " / ".join(_both(figure))
    end = _LEFT + max(figure.published, figure.synthetic) * scale + 6
    yield f'<text x="{end:.1f}" y="{y + 15}" font-size="12">{words}</text>'


def main(arguments: list[str]) -> None:
    """Count the state in a folder, and write its figures, the page and the chart."""
    if len(arguments) != 1:
        sys.exit("usage: python -m sif_pipeline.synth.portrait FOLDER")
    for name, text in pages(figures(take(Path(arguments[0])))).items():
        (DISCUSSION / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
