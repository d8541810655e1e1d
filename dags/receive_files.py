"""# Files: what is dropped into a folder enters the same inbox.

**What it does.** It looks at `<SIF_HOME>/drop/<zone>/` once a second. A file that rests (same size and time at two
looks) is received: a SIF_Message byte for byte, a list of objects in pieces, of any size. Then it is moved:
* to `<zone>/done/` when it is in the inbox. These copies may be deleted at any time. Where objects of it cannot be
  read, a text beside it says which;
* to `<zone>/refused/` when it cannot be read. The text beside it says why.

**To drop a file.** Make a folder that is named like the zone (`sif-pipeline status` lists them). Write the file
under a name that ends in `.part`, or begins with a dot, and rename it when it is complete. A file that is copied
without that is safe too, as long as the copying does not pause.

**When something is wrong.**
* *A file stays where it is:* its folder is named like no zone, or it is still being written.
* *The task is retried over and over:* the database cannot be reached, or the folder cannot be written; the log says.
* *The same file again:* dropped again it is a new delivery; taken twice after a crash it is counted as a duplicate.

**One run after the other,** ten minutes each; between two of them files wait for a second.
"""
# ruff: noqa: PLC0415 -- tasks import what they need: Airflow reads this file every minute, and that must stay cheap

from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task

WATCHING = timedelta(minutes=10)


@dag(
    doc_md=__doc__,
    schedule="@continuous",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),  # this schedule repeats its first run without one
    catchup=False,
    max_active_runs=1,
    tags=["ingestion"],
    default_args={
        "owner": "sif-pipeline",
        "retries": 100_000,
        "retry_delay": timedelta(seconds=2),
        "execution_timeout": WATCHING * 2,
    },
)
def receive_files() -> None:
    """Watch the drop folder, in turns of ten minutes."""

    @task
    def watch() -> dict[str, int]:
        from sif_pipeline.config import Settings
        from sif_pipeline.files import drop
        from sif_pipeline.local import postgres

        settings = Settings.from_environment()
        with postgres.running(settings) as url:
            received = drop.watch(url, settings.home / "drop", lasting=WATCHING)
        return {"files": received.files, "messages": received.messages, "refused": len(received.refused)}

    watch()


receive_files()
