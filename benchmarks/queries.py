"""`python -m benchmarks.queries URL`: questions to a warehouse that is there, warm, one after the other.

The CPU time is the backend's, the least of some runs after one that does not count, and so is the time by the clock.
Everything is answered by one process, and sent.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg.sql import SQL, Composed, Identifier

from benchmarks import environment, reports
from benchmarks.meter import TICKS, stat
from sif_pipeline import database
from sif_pipeline.reports import PREFIX, names
from warehouse.base import REPORTING

SUBJECTS = """
    WITH largest AS (
        SELECT zone_id FROM reporting.dim_student GROUP BY zone_id ORDER BY count(*) DESC, zone_id LIMIT 1
    )
    SELECT zone_id, zone_id AS zone, local_id, state_id, student_ref_id AS student, now() AS as_of
    FROM reporting.dim_student
    WHERE zone_id = (SELECT zone_id FROM largest)
    ORDER BY student_ref_id
    LIMIT 1
"""
"""Whom the questions are about: the largest zone, and one of its students."""

QUESTIONS = {
    "members by school, grade and race": """
        SELECT zone_id, school_ref_id, grade_code, race_group, count(*)
        FROM reporting.fct_membership
        GROUP BY 1, 2, 3, 4
    """,
    "members by school and race with the schools' names": """
        SELECT s.school_name, m.race_group, count(*)
        FROM reporting.fct_membership AS m
        JOIN reporting.dim_school AS s USING (zone_id, school_ref_id)
        GROUP BY m.zone_id, m.school_ref_id, 1, 2
    """,
    "members of the largest district by grade": """
        SELECT grade_code, count(*) FROM reporting.fct_membership WHERE zone_id = %(zone)s GROUP BY 1
    """,
    "students by gender and race": "SELECT gender, race_group, count(*) FROM reporting.dim_student GROUP BY 1, 2",
    "enrolments by grade": "SELECT grade_code, count(*) FROM reporting.fct_enrollment GROUP BY 1",
    "a student by the state's identifier": "SELECT * FROM reporting.dim_student WHERE state_id = %(state_id)s",
    "a student by the district's identifier, in the largest": """
        SELECT * FROM reporting.dim_student WHERE zone_id = %(zone)s AND local_id = %(local_id)s
    """,
    "enrolments of one student": """
        SELECT * FROM reporting.fct_enrollment WHERE zone_id = %(zone)s AND student_ref_id = %(student)s
    """,
    "versions of one student": """
        SELECT * FROM reporting.student_personal_versions WHERE zone_id = %(zone)s AND row_key = %(student)s
    """,
    "districts": "SELECT * FROM reporting.dim_district",
    "schools": "SELECT * FROM reporting.dim_school",
    "status": database.queries("status")["zones"],
}
"""Beside the reports, each now and as of a moment."""


class Answer(NamedTuple):
    """What one question took."""

    question: str
    lines: int
    cpu: float  #: seconds of the backend's
    clock: float  #: seconds


def questions() -> Iterator[tuple[str, Composed]]:
    """Give all questions by name."""
    for name in names():
        function = Identifier(REPORTING, f"{PREFIX}{name}_as_of")
        yield f"report {name}", SQL("SELECT * FROM {}(NULL)").format(function)
        yield f"report {name}, as of a moment", SQL("SELECT * FROM {}(%(as_of)s)").format(function)
    yield from ((name, SQL(text).format()) for name, text in QUESTIONS.items())


def measure(url: str, runs: int) -> Iterator[Answer]:
    """Ask everything, each question `runs` times and once before."""
    with psycopg.connect(url, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        connection.execute("SET max_parallel_workers_per_gather = 0")
        about = connection.execute(SUBJECTS).fetchone()
        if about is None:
            raise SystemExit("The warehouse has no student to ask about.")
        for name, question in questions():
            taken = [_ask(connection, question, about) for _ in range(runs + 1)][1:]
            yield Answer(name, taken[0][0], min(cpu for _, cpu, _ in taken), min(clock for *_, clock in taken))


def _ask(connection: psycopg.Connection[Any], question: Composed, about: dict[str, Any]) -> tuple[int, float, float]:
    pid = connection.info.backend_pid
    cpu, began = _seconds(pid), time.monotonic()
    lines = connection.execute(question, about).rowcount
    return lines, _seconds(pid) - cpu, time.monotonic() - began


def _seconds(pid: int) -> float:
    """Give the CPU time of a process; nothing where the server is on another machine."""
    return sum(map(int, stat(pid)[11:13])) / TICKS


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table as the page on performance has it, and write the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.queries", description=__doc__)
    parser.add_argument("url", help="URL of the warehouse's database, on this machine")
    parser.add_argument("--runs", type=int, default=3, help="how often each is asked (default 3)")
    reports.add_out(parser, "queries-")
    chosen = parser.parse_args(arguments)
    print("| question | lines | CPU s | best wall s |\n|---|---|---|---|")
    answers = []
    for answer in measure(chosen.url, chosen.runs):
        answers.append(answer)
        print(f"| {answer.question} | {answer.lines:,} | {answer.cpu:.2f} | {answer.clock:.2f} |", flush=True)
    write(chosen.out, chosen.url, answers)


def write(path: Path, url: str, answers: Sequence[Answer]) -> None:
    """Write the answers' figures with what they were measured on."""
    figures = [answer._asdict() for answer in answers]
    reports.write(path, {"environment": environment.describe(url), "questions": figures})


if __name__ == "__main__":
    main()
