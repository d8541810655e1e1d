"""`python -m benchmarks`: make the corpus, measure every row in turn, print costs and ratios, write them as JSON."""

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from benchmarks import corpus, databases, environment, reports
from benchmarks.meter import Cost
from benchmarks.rows import RATIOS, Bench, Round


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs; medians are printed (default 5)")
    parser.add_argument("--megabytes", type=float, default=100.0, help="size of the corpus (default 100)")
    parser.add_argument("--quick", action="store_true", help="10 MB, one round")
    parser.add_argument("--spark", action="store_true", help="measure Spark too (make bench-spark)")
    reports.add_out(parser)
    found = parser.parse_args(arguments)
    if found.quick:
        found.rounds, found.megabytes = 1, 10.0
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the benchmarks in a temporary folder, on SIF_DATABASE_URL's server or an embedded one of their own."""
    chosen = options(arguments)
    with ExitStack() as stack:
        folder, server = stack.enter_context(databases.serving())
        say(f"writing {chosen.megabytes:g} MB of synthetic messages")
        made = corpus.make(folder, chosen.megabytes)
        say(f"{made.objects:,} objects of {made.students:,} students, {made.bytes / 1e6:.1f} MB; preparing databases")
        bench = Bench(made, server, stack, with_spark=chosen.spark)
        for sentence in bench.missing():
            say(sentence)
        described = environment.describe(server)
        rounds = [_round(bench, number, chosen.rounds) for number in range(1, chosen.rounds + 1)]
    _print(described, rounds)
    _write(chosen.out, described, made, rounds)


def say(words: str) -> None:
    """Show progress on standard error, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)


def _round(bench: Bench, number: int, rounds: int) -> Round:
    return bench.measure(lambda name, cost: say(f"round {number}/{rounds}  {name:20}{figures(cost)}"))


def figures(cost: Cost) -> str:
    """Give objects, CPU seconds of client, server and both, and CPU microseconds of each object, in columns."""
    total = cost.client + cost.server
    return f"{cost.objects:>9,.0f}{cost.client:>9.2f}{cost.server:>9.2f}{total:>9.2f}{cost.each:>9.1f}"


def middle(costs: Iterable[Cost]) -> Cost:
    """Give the median of every figure."""
    lines = [asdict(cost) for cost in costs]
    return Cost(**{name: median(line[name] for line in lines) for name in lines[0]})


def ratios(rounds: Sequence[Round]) -> list[tuple[str, str, str, float]]:
    """Give the median over the rounds of each ratio that can be had: what, formula, mark, value."""
    possible = [ratio for ratio in RATIOS if all(name in rounds[0] for name in ratio.needs)]
    return [(r.what, r.formula, r.mark, median(r.of(found) for found in rounds)) for r in possible]


def _print(described: dict[str, object], rounds: Sequence[Round]) -> None:
    for name, value in described.items():
        print(f"{name:14}{value}")
    print(f"\n{'CPU seconds, median':21}{'objects':>9}{'client':>9}{'server':>9}{'sum':>9}{'us each':>9}{'peak MB':>9}")
    for name in rounds[0]:
        cost = middle(found[name] for found in rounds)
        print(f"{name:21}{figures(cost)}{cost.peak / 1e6:>9.0f}")
    print(f"\n{'ratio per object':21}{'':28}{'mark':>20}{'measured':>10}")
    for what, formula, mark, value in ratios(rounds):
        print(f"{what:21}{formula:28}{mark:>20}{value:>10.2f}")


def _write(path: Path, described: dict[str, object], made: corpus.Corpus, rounds: Sequence[Round]) -> None:
    lines = [{"what": w, "formula": f, "mark": m, "measured": round(v, 3)} for w, f, m, v in ratios(rounds)]
    result = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "environment": described,
        "corpus": {"bytes": made.bytes, "objects": made.objects, "students": made.students, "seed": corpus.SEED},
        "ratios": lines,
        "rounds": [{name: asdict(cost) for name, cost in found.items()} for found in rounds],
    }
    reports.write(path, result)
    say(f"written to {path}")


if __name__ == "__main__":
    main()
