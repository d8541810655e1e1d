"""What is done again and again for the state's own traffic, by whoever calls: Airflow, a command, a person."""

from collections import Counter

from sif_pipeline.exceptions import SifPipelineError
from sif_pipeline.state import reconciliation, requests, syncs
from sif_pipeline.state.requests import Asked
from sif_pipeline.zone import log_entries
from warehouse.outbox import RequestState, SyncState


class NotAnswered(SifPipelineError):
    """A district did not answer; `sif-pipeline request list` shows what was asked."""


class SyncFailed(NotAnswered):
    """An answer came, and was not taken; `sif-pipeline sync list --state failed` tells why."""


def go(url: str) -> reconciliation.Progress:
    """Take every request and full sync on, and tell agents of findings; as often as one likes, by any number."""
    progress = reconciliation.advance(url)
    log_entries.tell(url)
    return progress


def outcome(url: str, msg_ids: list[str]) -> dict[str, int] | None:
    """Take the state's traffic on and say how some requests ended, as counts by state; None while one is open.

    A full sync counts by its own state, and is over when it is applied, refused or waits for a person. Raise
    NotAnswered, with objects and reasons, when a request was not answered, SyncFailed when a full sync failed.
    """
    reconciliation.advance(url)
    asked = requests.listed(url, msg_ids=msg_ids, most=len(msg_ids) or 1) if msg_ids else []
    states = {one.msg_id: _state(url, one) for one in asked}
    if any(state in UNDER_WAY for state in states.values()):
        return None
    if unanswered := [one for one in asked if one.state != RequestState.COMPLETE]:
        raise NotAnswered(f"Not answered: {'; '.join(_words(one) for one in unanswered)}.")
    if failed := [one for one in asked if states[one.msg_id] == SyncState.FAILED]:
        raise SyncFailed(f"Failed: {'; '.join(_reason(url, one) for one in failed)}.")
    return dict(Counter(states.values()))


UNDER_WAY = frozenset({RequestState.OPEN, SyncState.ASKED, SyncState.RECEIVING, SyncState.COMPARED})
"""States of requests and full syncs that are not over."""


def _state(url: str, asked: Asked) -> str:
    is_answered = asked.sync_id is not None and asked.state != RequestState.OPEN
    return syncs.show(url, asked.sync_id).state if is_answered and asked.sync_id is not None else asked.state


def _words(asked: Asked) -> str:
    return f"{asked.object_name} by {asked.agent} is {asked.state}{f' ({asked.error})' if asked.error else ''}"


def _reason(url: str, asked: Asked) -> str:
    reason = syncs.show(url, asked.sync_id).reason if asked.sync_id is not None else None
    return f"sync {asked.sync_id} of {asked.object_name}: {(reason or 'no reason is known').rstrip('.')}"
