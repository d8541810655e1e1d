"""# Housekeeping: small over the years.

**What it does**, every night:
* deletes audit rows older than a year, requests that ended a year ago (those of full syncs stay), and messages to
  agents that left their queues thirty days ago, and vacuums and analyzes inbox and outbox. Messages that came in are
  never deleted;
* deletes what Airflow remembers of runs older than thirty days;
* deletes logs of Airflow's tasks that nobody wrote to for thirty days.

**When something is wrong.** Nothing waits for this DAG: a night may fail, the next one does the work of both. When it
fails for days, read the log of the task that fails.

**An Airflow of your own** whose metadata connection is set by an environment variable hides it from tasks: there, run
`airflow db clean` by other means, and delete the task `clean_metadata`.
"""
# ruff: noqa: PLC0415 -- tasks import what they need: Airflow reads this file every minute, and that must stay cheap

import sys
from datetime import timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import CronTriggerTimetable, dag, task

from sif_pipeline.config import Settings

KEPT = timedelta(days=30)


@dag(
    doc_md=__doc__,
    schedule=CronTriggerTimetable("30 3 * * *", timezone=Settings.from_environment().timezone.key),
    catchup=False,
    max_active_runs=1,
    tags=["operations"],
    default_args={
        "owner": "sif-pipeline",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "execution_timeout": timedelta(hours=2),
    },
)
def housekeeping() -> None:
    """Tidy the warehouse, Airflow's metadata and its logs; none depends on another."""

    @task
    def tidy_warehouse() -> int:
        from sif_pipeline import housekeeping
        from sif_pipeline.local import postgres

        with postgres.running(Settings.from_environment()) as url:
            return housekeeping.tidy(url)

    @task
    def remove_old_logs() -> int:
        from pathlib import Path

        from airflow.sdk import conf

        from sif_pipeline import housekeeping

        return housekeeping.remove_old_files(Path(conf.get("logging", "base_log_folder")), kept=KEPT)

    tidy_warehouse()
    remove_old_logs()
    BashOperator(
        task_id="clean_metadata",
        # Airflow hides its database from tasks by these variables; without them the command reads airflow.cfg.
        bash_command=(
            "env -u AIRFLOW__DATABASE__SQL_ALCHEMY_CONN -u AIRFLOW__CORE__SQL_ALCHEMY_CONN"
            f" {sys.executable} -P -m airflow db clean --yes"
            f" --skip-archive --clean-before-timestamp {{{{ macros.ds_add(dag_run.run_after | ds, -{KEPT.days}) }}}}"
        ),
    )


housekeeping()
