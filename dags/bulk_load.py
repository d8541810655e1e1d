"""# Bulk load: the first load of a whole state, or of districts that join.

**What it does.** It loads files into empty zones, a task for each zone, several at a time, and brings the planner's
statistics up to date at the end. Messages, events and rows go in together; the warehouse is as if the files had
been received and drained, at less cost.

**To start it.** Trigger it with the folder as `path`. In it each `*.xml` file, or each subfolder with such
files, is named like its zone or like the code of the zone's district. With `add_zones` it makes the zones that are
missing. The schedule is none: it runs when somebody asks for it.

**When something is wrong.**
* *A task fails with "The zone holds other messages already":* the zone is in use. Drop the files for `receive_files`.
* *A task was killed, or the machine was:* clear it. What it had committed is passed over, and nothing is loaded twice.
* *A task's result names refused files:* they could not be read to their end; what stood before is loaded. Mend
  the cause and send what is missing by `receive_files`.

**Two zones at a time** by default; on a machine with more cores raise `max_active_tis_per_dag` of the task `load`.
"""
# ruff: noqa: PLC0415 -- tasks import what they need: Airflow reads this file every minute, and that must stay cheap

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, dag, task

ZONES_AT_A_TIME = 2


@dag(
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["ingestion"],
    params={
        "path": Param("", type="string", description="Folder of files, each named like its zone or district code"),
        "add_zones": Param(default=False, type="boolean", description="Make the zones that are missing"),
    },
    default_args={
        "owner": "sif-pipeline",
        "retries": 3,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(hours=12),
    },
)
def bulk_load() -> None:
    """Load a folder of files into empty zones."""

    @task
    def plan(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        from pathlib import Path

        from sif_pipeline.config import Settings
        from sif_pipeline.loading import bulk
        from sif_pipeline.local import postgres

        asked = params or {}
        with postgres.running(Settings.from_environment()) as url:
            tasks = bulk.plan(url, None, [Path(asked["path"])], add_zones=asked["add_zones"])
        return [{"zone_id": task.zone_id, "paths": list(map(str, task.paths))} for task in tasks]

    @task(max_active_tis_per_dag=ZONES_AT_A_TIME)
    def load(zone_id: int, paths: list[str]) -> dict[str, int]:
        from pathlib import Path

        from sif_pipeline.config import Settings
        from sif_pipeline.loading import bulk
        from sif_pipeline.local import postgres

        with postgres.running(Settings.from_environment()) as url:
            done = bulk.load_zone_safely(url, zone_id, [Path(path) for path in paths])
        sums = done.summary
        return {
            "messages": sums.messages, "loaded": sums.loaded, "held": sums.held, "rejected": sums.rejected,
            "held_already": done.held_already, "refused": len(done.refused),
        }  # fmt: skip

    @task(trigger_rule="all_done")
    def finish() -> None:
        from sif_pipeline.config import Settings
        from sif_pipeline.loading import bulk
        from sif_pipeline.local import postgres

        with postgres.running(Settings.from_environment()) as url:
            bulk.finish(url)

    load.expand_kwargs(plan()) >> finish()


bulk_load()
