"""`python -m benchmarks.growth`: whether loading stays as quick as there is more of it, and what a second worker gains.

Drains the same kind of objects as `make bench`: few and many into an empty warehouse, some more into one that holds
many already and into an empty one. Loads two zones in bulk by one worker and by two at once. Every load runs in a
process and a database of its own. The clock says something on a machine that does nothing else; CPU time always does.
"""

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from benchmarks import corpus, databases, environment, reports
from benchmarks.__main__ import figures, say
from benchmarks.meter import Cost
from benchmarks.rows import measured
from benchmarks.work import ZONE
from sif_pipeline import database, zones

Costs = dict[str, Cost]

SECOND = f"{ZONE}-2"
"""The other zone, when there are two."""

FEW, MANY, ON_MANY, ON_NONE, ONE, TWO = (
    "few", "many", "more, into many", "more, into none", "one worker", "two workers",
)  # fmt: skip


class Ratio(NamedTuple):
    """Two loads compared."""

    what: str
    mark: str  #: what is to be reached
    above: str
    below: str
    of: Callable[[Cost], float]


RATIOS = (
    Ratio("throughput of many / of few", ">= 0.95", FEW, MANY, lambda cost: cost.each),
    Ratio("more: into many / into none", "<= 1.5", ON_MANY, ON_NONE, lambda cost: cost.each),
    Ratio("clock: one worker / two", ">= 1.45", ONE, TWO, lambda cost: cost.seconds),
)


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--few", type=int, default=100_000, help="objects of the smaller load (default 100,000)")
    parser.add_argument("--many", type=int, default=1_000_000, help="objects of the larger one (default 1,000,000)")
    parser.add_argument("--more", type=int, default=50_000, help="objects loaded on top of those (default 50,000)")
    parser.add_argument("--each", type=int, default=100_000, help="objects of each of two zones (default 100,000)")
    reports.add_out(parser, "growth-")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure in a temporary folder, on SIF_DATABASE_URL's server or an embedded one of its own."""
    chosen = options(arguments)
    with ExitStack() as stack:
        growth = Growth(*stack.enter_context(databases.serving()), stack)
        described = environment.describe(growth.server)
        costs = growth.sizes(chosen.few, chosen.many, chosen.more) | growth.workers(chosen.each)
    _print(costs)
    result = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "environment": described,
        "ratios": [{"what": r.what, "mark": r.mark, "measured": round(ratio(r, costs), 3)} for r in RATIOS],
        "costs": {name: asdict(cost) for name, cost in costs.items()},
    }
    reports.write(chosen.out, result)
    say(f"written to {chosen.out}")


def ratio(wanted: Ratio, costs: Costs) -> float:
    """Compare two loads."""
    return wanted.of(costs[wanted.above]) / wanted.of(costs[wanted.below])


def _print(costs: Costs) -> None:
    heads = "".join(f"{head:>9}" for head in ("objects", "client", "server", "sum", "us each", "peak MB", "clock s"))
    print(f"{'CPU seconds':24}{heads}")
    for name, cost in costs.items():
        print(f"{name:24}{figures(cost)}{cost.peak / 1e6:>9.0f}{cost.seconds:>9.1f}")
    for wanted in RATIOS:
        print(f"{wanted.what:32}{wanted.mark:>9}{ratio(wanted, costs):>9.2f}")


class Growth:
    """A server with one empty warehouse to clone, and a folder for messages."""

    def __init__(self, folder: Path, server: str, stack: ExitStack) -> None:
        self.folder, self.server = folder, server
        self.postmaster = databases.postmaster_of(server)
        url = stack.enter_context(databases.clone(server))
        databases.migrate(url)
        with database.session(url) as connection:
            zones.add(connection, SECOND, "09990002")
        self.empty = databases.name_of(url)
        self.districts = 0

    def sizes(self, few: int, many: int, more: int) -> Costs:
        """Load few and many objects into empty warehouses, and more into that of the many and into an empty one."""
        costs: Costs = {}
        with self._warehouse() as url:
            costs |= self._load(url, FEW, self._packets(few))
        with self._warehouse() as url:
            costs |= self._load(url, MANY, self._packets(many))
            databases.vacuum(url)
            added = self._packets(more)
            costs |= self._load(url, ON_MANY, added)
        with self._warehouse() as url:
            costs |= self._load(url, ON_NONE, added)
        return costs

    def workers(self, each: int) -> Costs:
        """Load two zones in one pass, by one worker and by two at once."""
        folder = self.folder / "zones"
        folder.mkdir()
        for zone in (ZONE, SECOND):
            shutil.move(self._packets(each), folder / zone)
        costs: Costs = {}
        for name, work in ((ONE, "zones"), (TWO, "zones at once")):
            with self._warehouse() as url:
                costs[name] = self._work(work, url, folder)
            say(f"{name:24}{figures(costs[name])}")
        return costs

    @contextmanager
    def _warehouse(self) -> Iterator[str]:
        with databases.clone(self.server, self.empty) as url:
            yield url

    def _packets(self, objects: int) -> Path:
        """Write the packets of so many objects, of districts that were not used before."""
        state = corpus.state(corpus.students_of(objects), first=self.districts + 1)
        self.districts += len(state)
        folder = self.folder / f"{self.districts:03d}"
        corpus.write_packets(folder, state, folder.name, datetime.now(UTC) - timedelta(days=1))
        return folder

    def _load(self, url: str, name: str, packets: Path) -> Costs:
        costs = {f"receive {name}": self._work("receive", url, packets), name: self._work("load", url)}
        costs[f"receive {name}"].objects = costs[name].objects
        for row, cost in costs.items():
            say(f"{row:24}{figures(cost)}")
        return costs

    def _work(self, name: str, url: str, path: Path = Path()) -> Cost:
        return measured(Path(sys.executable), "benchmarks.work", name, str(self.postmaster), url, str(path))


if __name__ == "__main__":
    main()
