"""Where a benchmark leaves its figures: one JSON file a day, or wherever it is told."""

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from sif_pipeline.config import PROJECT


def add_out(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Give a benchmark's command line its --out; `prefix` begins the name of its file."""
    default = PROJECT / "benchmarks" / "results" / f"{prefix}{datetime.now(UTC):%Y-%m-%d}.json"
    parser.add_argument(
        "--out", type=Path, default=default, help=f"JSON file (default benchmarks/results/{prefix}DATE.json)"
    )


def write(path: Path, result: Mapping[str, object]) -> None:
    """Write figures as JSON, below folders that are made where they are missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
