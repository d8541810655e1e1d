"""What messages say again: kept as hashes, not as object events, and recalled when an event from before them comes.

A SIF_Response repeats mostly what is known. Where its message is the newest of its zone so far, the same image of an
object changes nothing, so that its hash is all that is kept of it. Whether it was there matters again only to events
that come later and belong before it: then it becomes an object event like any other.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sif_pipeline.database import Connection
from sif_pipeline.loading.claimed import Claimed, read_again
from sif_pipeline.loading.copying import spelled
from sif_pipeline.loading.events import ObjectEvent, ObjectKey
from sif_pipeline.loading.folding import Fold
from sif_pipeline.loading.statements import INBOX
from sif_pipeline.loading.store import version_hashes
from sif_pipeline.loading.writing import copy_unchanged
from warehouse.inbox import Outcome

WIDTH = 16
"""Bytes of a hash."""

Order = tuple[datetime, int]
"""Place of a message in the folds of its zone."""

Place = tuple[int, int, ObjectKey]
"""Message, position in it, and the object that is there."""


def mark_newest(claimed: Iterable[Claimed], newest: dict[int, Order | None]) -> None:
    """Say of each message whether it is the newest of its zone so far; `newest` is by zone, and moves on with them.

    Of the newest, what says again what is known may be left out, unless there is something to say of its SIF_Timestamp.
    """
    for message in claimed:
        before = newest[message.zone_id]
        message.is_newest = before is None or message.order > before
        message.may_repeat = message.is_newest and message.is_timely
        if message.is_newest:
            newest[message.zone_id] = message.order


def take(fold: Fold, message: Claimed, earlier: Sequence[Claimed]) -> None:
    """Fold a message in after the `earlier` ones of its batch: its events, and what it says again as unchanged."""
    if not message.digests:
        for event in message.events:
            _take_event(fold, message, event, earlier)
    elif message.events or not fold.touched.isdisjoint(message.digests):
        _take_each(fold, message, earlier)
    else:
        message.hashes, message.unchanged = bytearray(b"".join(message.digests)), len(message.digests)


def _take_each(fold: Fold, message: Claimed, earlier: Sequence[Claimed]) -> None:
    """Fold in what is new of a message, and what this batch has touched, by position; leave out the rest."""
    events = {event.position: event for event in message.events}
    for position, digest in enumerate(message.digests, 1):
        if position in events:
            _take_event(fold, message, events[position], earlier)
        elif digest in fold.touched:
            _take_event(fold, message, read_again(message, position), earlier)
        else:
            _leave_out(message, position, digest)


def _leave_out(message: Claimed, position: int, digest: bytes) -> None:
    if not message.hashes:
        message.hashes = bytearray(WIDTH * message.size)
    _put(message.hashes, position, digest)
    message.unchanged += 1


def _put(hashes: bytearray, position: int, digest: bytes) -> None:
    hashes[(position - 1) * WIDTH : position * WIDTH] = digest


def _take_event(fold: Fold, message: Claimed, event: ObjectEvent, earlier: Sequence[Claimed]) -> None:
    if not message.is_newest and event.outcome is Outcome.APPLIED:
        _recall(fold, event, earlier)
    notices = message.notices.get(event.position, ())
    if not notices and fold.take_first(event):
        return
    message.beat()
    fold.take(event, notices, may_be_left_out=message.may_repeat)
    if event.outcome is Outcome.UNCHANGED:
        _leave_out(message, event.position, bytes.fromhex(event.content.content_hash))


def _recall(fold: Fold, event: ObjectEvent, earlier: Iterable[Claimed]) -> None:
    """Let what this batch left out of an event's object, and what comes after the event, take part after all."""
    state = fold.state(event.key)
    hashes = {state.stored, *(version.content_hash for version in state.versions)}
    digests = {bytes.fromhex(one) for one in hashes if one is not None}
    for message in earlier:
        if message.unchanged and message.zone_id == event.zone_id and message.order > event.order[:2]:
            for position in [place for digest in digests for place in places(message.hashes, digest)]:
                _put(message.hashes, position, bytes(WIDTH))
                message.unchanged -= 1
                again = _left_out(message, position)
                again.row_key = event.row_key
                fold.recall(again)


def _left_out(message: Claimed, position: int) -> ObjectEvent:
    found = next((event for event in message.events if event.position == position), None)
    return read_again(message, position) if found is None else found


def recall_stored(connection: Connection, claimed: Iterable[Claimed]) -> None:
    """Make object events of what earlier batches left out of the objects that late messages are about.

    A late event needs only what comes after it. Objects are found by the hashes of all their versions: what was left
    out had the content of the version that was current then.
    """
    for zone_id, orders in _late(claimed).items():
        after_at, after_id = min(orders.values())
        after = {"zone_id": zone_id, "ordered_at": after_at, "message_id": after_id}
        if connection.execute(INBOX["any_unchanged_after"], after).fetchone() == (True,):
            _recall_zone(connection, orders, after)


def _late(claimed: Iterable[Claimed]) -> dict[int, dict[ObjectKey, Order]]:
    """Give, by zone, the objects that late messages are about, each with the first of their places in the fold."""
    late: dict[int, dict[ObjectKey, Order]] = defaultdict(dict)
    for message in claimed:
        for event in () if message.is_newest else message.events:
            if event.outcome is Outcome.APPLIED:
                orders = late[message.zone_id]
                orders[event.key] = min(message.order, orders.get(event.key, message.order))
    return late


def _recall_zone(connection: Connection, orders: Mapping[ObjectKey, Order], after: Mapping[str, object]) -> None:
    wanted = {bytes.fromhex(hashed): key for key, hashed in version_hashes(connection, orders)}
    found: list[Place] = []
    left: dict[int, bytes] = {}
    with connection.cursor("unchanged") as rows:  # a server-side cursor: they may be those of many nights
        rows.itersize = ROWS
        rows.execute(INBOX["unchanged_after"], after, binary=True)
        for message_id, ordered_at, hashes in rows:
            digests = [digest for digest in among(wanted, hashes) if orders[wanted[digest]] < (ordered_at, message_id)]
            here = [(place, wanted[digest]) for digest in digests for place in places(hashes, digest)]
            if here:
                found += [(message_id, place, key) for place, key in here]
                left[message_id] = _without(hashes, [place for place, _ in here])
    if found:
        _make_events(connection, found, left)


ROWS = 100
"""Rows of inbox.unchanged in memory at a time."""


def among(wanted: Collection[bytes], hashes: bytes) -> Collection[bytes]:
    """Give those of some hashes that stand among those of a message: few are searched for, many are looked up."""
    if len(wanted) <= FEW:
        return [digest for digest in wanted if digest in hashes]
    return {hashes[at : at + WIDTH] for at in range(0, len(hashes), WIDTH)}.intersection(wanted)


FEW = 30


def places(hashes: bytes | bytearray, digest: bytes) -> Iterator[int]:
    """Find the positions, from 1, at which a hash stands among those of a message."""
    at = hashes.find(digest)
    while at >= 0:
        if at % WIDTH == 0:
            yield at // WIDTH + 1
        at = hashes.find(digest, at + 1)


def _without(hashes: bytes, positions: Iterable[int]) -> bytes:
    rest = bytearray(hashes)
    for position in positions:
        _put(rest, position, bytes(WIDTH))
    return bytes(rest)


def _make_events(connection: Connection, found: Sequence[Place], left: Mapping[int, bytes]) -> None:
    """Write down object events for some places, and what is left of their messages' hashes."""
    parameters = {
        "message_ids": [message_id for message_id, _, _ in found],
        "positions": [position for _, position, _ in found],
        "names": [name for _, _, (_, name, _) in found],
        "keys": [key for _, _, (_, _, key) in found],
    }
    connection.execute(INBOX["recall"], parameters)
    connection.execute(INBOX["count_recalled"], {"message_ids": parameters["message_ids"]})
    connection.execute(INBOX["keep_unchanged"], {"message_ids": list(left), "hashes": list(left.values())})
    nothing_left = [message_id for message_id, hashes in left.items() if not any(hashes)]
    connection.execute(INBOX["drop_unchanged"], {"message_ids": nothing_left})


def write(connection: Connection, claimed: Iterable[Claimed]) -> None:
    """Write down what messages said again, one row for each message that did."""
    lines = [
        (str(m.message_id), str(m.zone_id), spelled(m.ordered_at), spelled(m.recorded_at) if m.recorded_at else None,
         "\\x" + m.hashes.hex())
        for m in claimed if m.unchanged
    ]  # fmt: skip
    if lines:
        copy_unchanged(connection, lines)
