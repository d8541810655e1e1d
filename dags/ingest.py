"""# Ingestion: what districts send becomes rows of the warehouse.

**What it does.** A run takes messages from the inbox as they arrive (a few milliseconds after the receiver stored
them), validates, folds and loads them. It is one long task, not one run per message.

**Two runs are always active, and that is how it should look.** One leads; the other stands by and takes over within a
tenth of a second when the leader ends or is killed. A run leads for ten minutes and then makes room for the next, so
that a new release of the code is taken up within twenty minutes.

**When something is wrong.**
* *One run only, or none:* messages wait in the inbox, safe and in order. `sif-pipeline status` shows how many. The
  schedule starts a new run within half a minute; if it does not, look at the scheduler's health.
* *A task is retried over and over:* its log names the reason, mostly that the database cannot be reached.
* *A message is quarantined:* it made the drain fail three times, which is a fault of the pipeline; its neighbours
  were loaded. `sif-pipeline status` counts them; once the fault is mended, `sif-pipeline replay --zone ZONE` loads it.
* *Airflow is down:* `sif-pipeline drain` does the same work from the command line, also at the same time.

**Stopping.** Pause the DAG and mark both runs as failed, or kill the task: every batch is one transaction, nothing is
lost and nothing is applied twice.
"""
# ruff: noqa: PLC0415 -- tasks import what they need: Airflow reads this file every minute, and that must stay cheap

from dataclasses import asdict
from datetime import timedelta

from airflow.sdk import dag, task

LEADING = timedelta(minutes=10)


@dag(
    doc_md=__doc__,
    # Far more often than leaders change: a free place of the two is taken within half a minute.
    schedule=LEADING / 20,
    catchup=False,
    max_active_runs=2,
    tags=["ingestion"],
    default_args={
        "owner": "sif-pipeline",
        "retries": 100_000,  # it gives up when its run's time is over, not before
        "retry_delay": timedelta(seconds=1),
        "execution_timeout": LEADING * 3,
        "priority_weight": 100,
    },
)
def ingest() -> None:
    """Drain the inbox, in turns of ten minutes."""

    @task
    def lead() -> dict[str, int]:
        from sif_pipeline.config import Settings
        from sif_pipeline.loading import standby
        from sif_pipeline.local import postgres

        with postgres.running(Settings.from_environment()) as url:
            return asdict(standby.lead(url, standby=LEADING * 1.5, leading=LEADING))

    lead()


ingest()
