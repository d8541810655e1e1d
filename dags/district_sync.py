"""# District sync: the state asks districts for what no event tells, and for everything once a year.

**What it does.** Every five minutes it looks which zones are due: those whose time of day has come (`sif-pipeline sync
schedule springfield 02:00`, in the state's time zone) and that were not asked since. Each due zone is asked, in a chain
of its own:
* every day for attendance and special-education summaries, of which there are no events;
* once a school year (from 1 September on) for everything there is of each other object that it provides.

What comes back enters the inbox like any message. A full answer is compared with what events had built and then applied
by itself, unless it would delete or change more than the zone's share: then it waits for a person
(`sif-pipeline sync list --state waiting`). Each run also takes on what was asked from the command line, in its task
`go_on`, which holds back no asking.

**By hand.** Trigger the DAG with parameters: `zones`, a list of names, asks these now, due or not; `everything` asks
for all they provide, not only for summaries.

**No district holds back another.** Each has its own chain of tasks, which waits without holding a place, and fails
alone: when an answer does not come within six hours, is an error, or cannot be compared. A run that waits for a late
district keeps no later run from asking: there may be more runs at a time than begin in six hours. A district's system
gets one request after the other, and none for an object that it is still answering. The pool `districts` bounds how
many districts are asked at the same time, and leaves places to the ingestion.

**When something is wrong.**
* *A district's chain is red:* the log of `answered` names object and reason. `sif-pipeline request list --zone NAME`
  and `sif-pipeline agent list` show whether the agent comes for its messages. What failed is asked again the next day;
  or clear the task `ask` of that district.
* *`go_on` is red:* requests and full syncs are taken on by the next run; read its log when it stays red.
* *A zone is never asked:* it has no time (`sync schedule`), is suspended or a sandbox, or nobody provides the objects.
* *A sync waits:* read docs/how-to/read-a-reconciliation.md.
* *Airflow was down at 02:00:* zones are due until they were asked on that day.
* *An Airflow of your own:* `airflow pools set districts 2 "District syncs"`, or nothing here starts.
"""
# ruff: noqa: PLC0415 -- tasks import what they need: Airflow reads this file every minute, and that must stay cheap

from datetime import timedelta
from typing import Any

from airflow.sdk import Param, PokeReturnValue, dag, task, task_group

POOL = "districts"
ANSWER_WITHIN = timedelta(hours=6)
LOOK_EVERY = timedelta(minutes=2)


@dag(
    doc_md=__doc__,
    schedule=timedelta(minutes=5),
    catchup=False,
    # A run that waits for a late district must not keep others from being asked: all that begin while it waits have
    # room, and some that a person starts.
    max_active_runs=ANSWER_WITHIN // timedelta(minutes=5) + 28,
    tags=["districts"],
    params={
        "zones": Param([], type="array", items={"type": "string"}, description="Ask these zones now, due or not."),
        "everything": Param(default=False, type="boolean", description="Ask for everything, not only for summaries."),
    },
    default_args={
        "owner": "sif-pipeline",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "execution_timeout": timedelta(minutes=30),
        "pool": POOL,
    },
)
def district_sync() -> None:
    """Ask the districts that are due, and wait for each on its own."""

    @task
    def go_on() -> None:
        from sif_pipeline.config import Settings
        from sif_pipeline.local import postgres
        from sif_pipeline.state import rounds

        with postgres.running(Settings.from_environment()) as url:
            rounds.go(url)

    @task
    def due(params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        from datetime import UTC, datetime

        from sif_pipeline.config import Settings
        from sif_pipeline.local import postgres
        from sif_pipeline.state import syncs

        settings, asked = Settings.from_environment(), params or {}
        with postgres.running(settings) as url:
            zones = asked.get("zones") or syncs.due(url, settings.timezone, datetime.now(UTC))
        return [{"zone": zone, "everything": bool(asked.get("everything"))} for zone in zones]

    @task(map_index_template="{{ district }}")
    def ask(one: dict[str, Any]) -> dict[str, Any]:
        from airflow.sdk import get_current_context
        from airflow.sdk.exceptions import AirflowFailException

        from sif_pipeline.config import Settings
        from sif_pipeline.exceptions import ConfigurationError, UnknownZone
        from sif_pipeline.local import postgres
        from sif_pipeline.state import syncs

        get_current_context()["district"] = one["zone"]  # type: ignore[typeddict-unknown-key]
        with postgres.running(Settings.from_environment()) as url:
            try:
                asked = syncs.ask_district(url, one["zone"], everything=one["everything"])
            except (ConfigurationError, UnknownZone) as reason:
                raise AirflowFailException(str(reason)) from None  # to ask again would not help
        return {"zone": one["zone"], "asked": asked}

    @task.sensor(
        mode="reschedule",
        poke_interval=LOOK_EVERY.total_seconds(),  # each look is a process of its own: a fifth of a CPU second
        exponential_backoff=True,
        max_wait=LOOK_EVERY * 5,
        timeout=ANSWER_WITHIN.total_seconds(),
        map_index_template="{{ district }}",
    )
    def answered(one: dict[str, Any]) -> PokeReturnValue:
        from airflow.sdk import get_current_context
        from airflow.sdk.exceptions import AirflowFailException

        from sif_pipeline.config import Settings
        from sif_pipeline.local import postgres
        from sif_pipeline.state import rounds

        get_current_context()["district"] = one["zone"]  # type: ignore[typeddict-unknown-key]
        with postgres.running(Settings.from_environment()) as url:
            try:
                found = rounds.outcome(url, one["asked"])
            except rounds.NotAnswered as reason:
                raise AirflowFailException(str(reason)) from None  # to look again would not help
        return PokeReturnValue(is_done=found is not None, xcom_value=found)

    @task_group
    def district(one: dict[str, Any]) -> None:
        answered(ask(one))  # type: ignore[arg-type]  # what a task returns stands for its result

    go_on()
    district.expand(one=due())


district_sync()
