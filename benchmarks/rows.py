"""What is measured, in which order, and which ratios it gives; what is not on this machine is left out."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import databases, spark
from benchmarks.corpus import Corpus
from benchmarks.meter import Cost
from sif_pipeline.config import PROJECT

PEERS = PROJECT / ".venv" / "bench"
"""The environment of the peer xml2db; `make bench` makes it, and writes `ready` when it is whole."""

Round = dict[str, Cost]
"""One interleaved run: the cost of each row by its name."""

Say = Callable[[str, Cost], None]


@dataclass(frozen=True, slots=True)
class Ratio:
    """One line of the table of ratios."""

    what: str
    formula: str
    mark: str  #: what is to be reached, empty when nothing is
    of: Callable[[Round], float]
    needs: tuple[str, ...]  #: rows without which there is no ratio


def _total(*names: str) -> Callable[[Round], float]:
    return lambda found: sum(found[name].each for name in names)


def _ratio(above: Callable[[Round], float], below: Callable[[Round], float]) -> Callable[[Round], float]:
    return lambda found: above(found) / below(found)


REF, COPY, VALIDATE, RECEIVE, LOAD, RELOAD, BAD, EVENTS, BULK, PEER, ORM, SPARK = (
    "REF", "COPY", "validate+extract", "receive", "full load", "unchanged reload", "10 % bad", "single events",
    "bulk load", "xml2db", "lxml + ORM", "Spark local[2], warm",
)  # fmt: skip

RATIOS = (
    Ratio(VALIDATE, "REF / ours", ">= 0.45", _ratio(_total(REF), _total(VALIDATE)), (REF, VALIDATE)),
    Ratio(LOAD, "(REF + COPY) / ours", ">= 0.25, then 0.40", _ratio(_total(REF, COPY), _total(LOAD)), (REF, COPY)),
    Ratio("receive and load", "(REF + COPY) / ours", "", _ratio(_total(REF, COPY), _total(RECEIVE, LOAD)), (REF, COPY)),
    Ratio(BULK, "(REF + COPY) / ours", ">= 0.40", _ratio(_total(REF, COPY), _total(BULK)), (REF, COPY)),
    Ratio(RELOAD, "REF / ours", ">= 3", _ratio(_total(REF), _total(RELOAD)), (REF,)),
    Ratio(BAD, "10 % bad / all good", "<= 1.10", _ratio(_total(BAD), _total(LOAD)), ()),
    Ratio(EVENTS, "one in a message / 500", "", _ratio(_total(EVENTS), _total(LOAD)), ()),
    Ratio(
        PEER,
        "xml2db / (receive + load)",
        ">= 7",
        _ratio(_total(PEER), _total(RECEIVE, LOAD)),
        (PEER,),
    ),
    Ratio(ORM, "ORM / (receive + load)", ">= 9", _ratio(_total(ORM), _total(RECEIVE, LOAD)), ()),
    Ratio(SPARK, "Spark / (receive + load)", ">= 1.7", _ratio(_total(SPARK), _total(RECEIVE, LOAD)), (SPARK,)),
)


def _has_xml2db() -> bool:
    return (PEERS / "ready").exists()


class Bench:
    """A corpus, a server, and databases in every state that the rows start from."""

    def __init__(self, corpus: Corpus, server: str, stack: ExitStack, *, with_spark: bool = False) -> None:
        self.corpus, self.server = corpus, server
        self.postmaster = databases.postmaster_of(server)
        self.xmllint = shutil.which("xmllint")
        self.empty = self._made(stack, "template1", databases.migrate)
        self.received = self._received(stack, "first")
        self.bad = self._received(stack, "bad")
        self.events = self._received(stack, "events")
        self.plain = self._made(stack, self.empty, databases.make_plain)
        with databases.clone(server, self.received) as url:
            self._work("load", url)
            databases.export(url, corpus.path("copy"))
        self.lacking = spark.lacking() if with_spark else []
        self.spark = spark.prepare(corpus) if with_spark and not self.lacking else None

    def _made(self, stack: ExitStack, template: str, finish: Callable[[str], object]) -> str:
        url = stack.enter_context(databases.clone(self.server, template))
        finish(url)
        return databases.name_of(url)

    def _received(self, stack: ExitStack, folder: str) -> str:
        return self._made(stack, self.empty, lambda url: self._work("receive", url, folder))

    def missing(self) -> Iterator[str]:
        """Say what this machine lacks, a sentence each."""
        if not self.xmllint:
            yield "xmllint is not installed (on Debian: apt-get install libxml2-utils); there is no REF."
        if not _has_xml2db():
            yield "xml2db is not installed (make bench does it); its row is left out."
        if self.lacking:
            yield (
                f"There is no row for Spark, for want of {' and '.join(self.lacking)}: make bench-spark installs"
                " PySpark, apt-get install openjdk-17-jre-headless libpostgresql-jdbc-java the rest on Debian."
            )
        if not self.postmaster:
            yield "PostgreSQL runs on another machine; its CPU is not counted, and the ratios are not comparable."

    def measure(self, say: Say) -> Round:
        """Measure every row once."""
        found: Round = {}
        for name, cost in self._rows():
            found[name] = cost
            say(name, cost)
        return found

    def _rows(self) -> Iterator[tuple[str, Cost]]:
        if self.xmllint:
            yield REF, self._reference(self.xmllint)
        yield COPY, self._in_clone(self.plain, "copy", "copy", objects=self.corpus.objects)
        yield VALIDATE, self._work("validate", "", "first")
        yield RECEIVE, self._in_clone(self.empty, "receive", "first", objects=self.corpus.objects)
        with databases.clone(self.server, self.received) as url:
            yield LOAD, self._work("load", url)
            self._work("receive", url, "again")
            databases.vacuum(url)
            yield RELOAD, self._work("load", url)
        yield BAD, self._in_clone(self.bad, "load")
        yield EVENTS, self._in_clone(self.events, "load")
        yield BULK, self._in_clone(self.empty, "bulk", "objects.xml")
        if _has_xml2db():
            yield PEER, self._xml2db()
        yield ORM, self._in_clone(self.empty, "orm", "peers.xml")
        if self.spark:
            yield SPARK, self._spark(self.spark)

    def _in_clone(self, template: str, work: str, path: str = "", objects: int = 0) -> Cost:
        with databases.clone(self.server, template) as url:
            cost = self._work(work, url, path)
        cost.objects = objects or cost.objects
        return cost

    def _reference(self, xmllint: str) -> Cost:
        started = os.times()
        _run([xmllint, "--noout", "--stream", "--schema", str(self.corpus.path("objects.xsd")),
                   str(self.corpus.path("objects.xml"))])  # fmt: skip
        ended = os.times()
        seconds = ended.children_user + ended.children_system - started.children_user - started.children_system
        return Cost(client=seconds, objects=self.corpus.objects)

    def _xml2db(self) -> Cost:
        xsd, xml, count = self.corpus.path("peers.xsd"), self.corpus.path("peers.xml"), self.corpus.peer_objects
        with databases.clone(self.server) as url:
            arguments = (str(self.postmaster), url, str(xsd), str(xml), str(count))
            return measured(PEERS / "bin" / "python", "benchmarks.xml2db_peer", *arguments)

    def _spark(self, folder: Path) -> Cost:
        with databases.clone(self.server) as url:
            arguments = (str(self.postmaster), spark.jdbc(url), str(spark.driver()), str(folder))
            cost = measured(spark.PEER / "bin" / "python", "benchmarks.spark_peer", *arguments)
            cost.objects = spark.count(url, "warm")
        if cost.objects != self.corpus.objects:
            sys.exit(f"Spark took {cost.objects:,} of {self.corpus.objects:,} objects for good.")
        return cost

    def _work(self, name: str, url: str, path: str = "") -> Cost:
        where = str(self.corpus.path(path))
        postmaster = str(self.postmaster if url else 0)
        return measured(Path(sys.executable), "benchmarks.work", name, postmaster, url, where)


def measured(python: Path, *arguments: str) -> Cost:
    """Run a module that reports a cost."""
    return Cost(**json.loads(_run([str(python), "-m", *arguments])))


def _run(command: list[str]) -> str:
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{Path(command[0]).name} {command[2]} failed:\n{done.stderr[-2000:]}")
    return done.stdout
