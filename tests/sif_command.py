"""The command line as a person uses it, in the process of the test."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import Any, NamedTuple

import pytest

from sif_pipeline import cli


class Found(NamedTuple):
    returncode: int | str | None
    stdout: str
    stderr: str


def run(url: str, *arguments: str, answer: str = "", width: int = 400) -> Found:
    """Run a command in this process: dozens of new ones would take minutes."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setenv("SIF_DATABASE_URL", url)
        patch.setenv("COLUMNS", str(width))
        patch.setattr(sys, "argv", ["sif-pipeline", *arguments])
        patch.setattr(sys, "stdin", io.StringIO(answer))
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return Found(ended.value.code or 0, out.getvalue(), err.getvalue())


def done(url: str, *arguments: str, width: int = 400) -> str:
    found = run(url, *arguments, width=width)
    assert (found.returncode, found.stderr) == (0, "")
    return found.stdout


def told(url: str, *arguments: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(done(url, *arguments, "--format", "json"))
    return found


def shown(url: str, *arguments: str) -> dict[str, Any]:
    """Give the one thing that a command shows."""
    found: dict[str, Any] = json.loads(done(url, *arguments, "--format", "json"))
    return found


def refused(url: str, *arguments: str) -> str:
    found = run(url, *arguments)
    assert (found.returncode, found.stdout) == (2, "")
    return " ".join(found.stderr.replace("\u2502", " ").split())
