"""The DAG files with their ten-minute turns made short, and an environment in which Airflow touches nobody's files."""

import os
import re
from pathlib import Path

import pytest

from sif_pipeline.config import PROJECT

TURN_SECONDS = 8
"""Length of a turn of the long-lived tasks in tests."""


@pytest.fixture(scope="session")
def short_dags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the project's DAGs, in which a turn lasts seconds."""
    folder = tmp_path_factory.mktemp("dags")
    for file in (PROJECT / "dags").glob("*.py"):
        text = file.read_text(encoding="utf-8")
        text = re.sub(r"timedelta\(minutes=10\)", f"timedelta(seconds={TURN_SECONDS})", text)
        text = re.sub(r"LOOK_EVERY = timedelta\(minutes=2\)", "LOOK_EVERY = timedelta(seconds=1)", text)
        (folder / file.name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def airflow_environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Give the environment of an Airflow that has a home of its own, no examples and metadata in SQLite."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW_", "SIF_"))}
    home = tmp_path_factory.mktemp("airflow")
    return inherited | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "SIF_HOME": str(home),
    }
