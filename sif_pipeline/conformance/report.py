"""The report of a conformance run: text for a terminal, Markdown and HTML for people, JSON for machines."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

from sif_pipeline.conformance.evidence import Evidence
from sif_pipeline.conformance.script import Outcome, Result, is_complete, judge

MARKS: Final = {Outcome.PASSED: "PASSED", Outcome.FAILED: "FAILED", Outcome.NOT_SEEN: "NOT SEEN"}


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found of one agent."""

    evidence: Evidence
    results: Sequence[Result]
    until: datetime

    @property
    def is_complete(self) -> bool:
        """Whether nothing failed and everything needed was seen."""
        return is_complete(self.results)

    @property
    def counts(self) -> Counter[Outcome]:
        """How many steps came out in which way."""
        return Counter(result.verdict.outcome for result in self.results)

    @property
    def summary(self) -> str:
        """The run in a sentence."""
        counts = self.counts
        each = f"{counts[Outcome.PASSED]} passed, {counts[Outcome.FAILED]} failed, {counts[Outcome.NOT_SEEN]} not seen"
        return f"{'Conforms' if self.is_complete else 'Does not conform yet'}: {each}."


def report(evidence: Evidence, until: datetime) -> Report:
    """Judge what was recorded until a moment."""
    return Report(evidence, judge(evidence), until)


def facts(found: Report) -> dict[str, str]:
    """Give what is known of the agent and the run."""
    evidence, agent = found.evidence, found.evidence.agent
    known = {
        "Zone": evidence.zone,
        "SIF_SourceId": evidence.source_id,
        "Name": agent.name,
        "Vendor": agent.vendor,
        "Application": agent.application,
        "Mode": agent.mode,
        "Versions": ", ".join(agent.versions),
        "Provides": ", ".join(sorted(evidence.provides.union(agent.provides))),
        "From": _moment(evidence.exchanges[0].at) if evidence.exchanges else _moment(evidence.since),
        "Until": _moment(found.until),
    }
    return {name: _plain(value) for name, value in known.items() if value}


def _plain(text: str) -> str:
    """Leave out what a terminal could take for a command: agents name themselves."""
    return "".join(character if character.isprintable() else " " for character in text)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _advice(result: Result) -> str:
    return "" if result.verdict.outcome is Outcome.PASSED else result.step.todo


def as_text(found: Report) -> str:
    """Write the report for a terminal."""
    lines = ["Conformance report", ""]
    lines += [f"{name + ':':14}{value}" for name, value in facts(found).items()]
    for result in found.results:
        step, verdict = result
        lines += ["", f"{MARKS[verdict.outcome]:9} {step.title}{'' if step.is_needed else ' (optional)'}"]
        lines += [f"          {verdict.reason}"]
        lines += [f"          Standard: {step.clause}."]
        lines += [f"          To do: {advice}" for advice in [_advice(result)] if advice]
    return "\n".join([*lines, "", found.summary, ""])


def as_markdown(found: Report) -> str:
    """Write the report as Markdown."""
    lines = ["# Conformance report", "", found.summary, "", "| | |", "|---|---|"]
    lines += [f"| {name} | {_cell(value)} |" for name, value in facts(found).items()]
    lines += ["", "| Result | Step | Seen | Standard | To do |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in _rows(found)]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def _rows(found: Report) -> Iterator[tuple[str, ...]]:
    for result in found.results:
        step, verdict = result
        title = step.title if step.is_needed else f"{step.title} (optional)"
        yield MARKS[verdict.outcome], title, verdict.reason, step.clause, _advice(result)


def as_json(found: Report) -> str:
    """Write the report as JSON: facts, steps, and whether the run is complete."""
    steps = [
        {
            "step": step.name,
            "title": step.title,
            "needed": step.is_needed,
            "result": verdict.outcome.value,
            "reason": verdict.reason,
            "clause": step.clause,
            "to_do": step.todo,
        }
        for step, verdict in found.results
    ]
    whole = {"conforms": found.is_complete, "agent": facts(found), "steps": steps}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


_STYLE: Final = (
    "body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem}table{border-collapse:collapse}"
    "td,th{border:1px solid #888;padding:.3rem .6rem;text-align:left;vertical-align:top}"
    ".PASSED{background:#d5f0d5}.FAILED{background:#f7d0d0}.NOT{background:#eee}"
)


def as_html(found: Report) -> str:
    """Write the report as one HTML page that needs nothing else."""
    known = "".join(f"<tr><th>{escape(n)}</th><td>{escape(v)}</td></tr>" for n, v in facts(found).items())
    heads = "".join(f"<th>{head}</th>" for head in ("Result", "Step", "Seen", "Standard", "To do"))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Conformance report</title>'
        f"<style>{_STYLE}</style></head><body><h1>Conformance report</h1><p>{escape(found.summary)}</p>"
        f"<table>{known}</table><p></p><table><tr>{heads}</tr>{''.join(_html_row(r) for r in _rows(found))}</table>"
        "</body></html>\n"
    )


def _html_row(cells: tuple[str, ...]) -> str:
    mark = cells[0].split()[0]  # the class of NOT SEEN is NOT
    return f'<tr class="{mark}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'


FORMATS: Final[dict[str, Callable[[Report], str]]] = {
    "text": as_text,
    "markdown": as_markdown,
    "html": as_html,
    "json": as_json,
}
"""How a report is written, by name."""
