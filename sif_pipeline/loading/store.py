"""The warehouse as the fold sees it: what was known before a batch, fetched for all of the batch at once."""

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from functools import partial

from psycopg import Cursor
from psycopg.rows import TupleRow

from sif_pipeline.database import Connection
from sif_pipeline.loading.arrays import Array, ArrayDumper, columns, hashes
from sif_pipeline.loading.events import Head, ObjectEvent, ObjectKey, OpenFinding
from sif_pipeline.loading.statements import INBOX, statements
from sif_pipeline.reading import content
from sif_pipeline.reading.content import Content
from sif_pipeline.reading.mapping import Key
from warehouse.base import objects
from warehouse.inbox import Outcome

MESSAGES_KEPT = 8
"""Messages kept while late events are folded again: neighbours tend to share a message."""

COPIES_KEPT = 5000
"""Objects kept, each on its own, while held events are released."""


class DatabaseStore:
    """Answers the fold from the warehouse, fetching for a whole batch at once what the batch will ask."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        connection.adapters.register_dumper(Array, ArrayDumper)
        self._heads: dict[ObjectKey, Head | None] = {}
        self._hashes: dict[ObjectKey, Key | None] = {}
        self._documents: dict[ObjectKey, str] = {}
        self._waiting: dict[ObjectKey, frozenset[ObjectKey]] = {}
        self._repeatable: set[ObjectKey] = set()
        self._new: AbstractSet[ObjectKey] = frozenset()  # objects of the batch of which nothing is known
        self._names: dict[tuple[int, str], bool] = {}  # by zone and object: whether there is any of these
        self._findings: dict[ObjectKey, list[OpenFinding]] = {}
        self._messages: OrderedDict[int, dict[int, Content]] = OrderedDict()
        self._copies: dict[tuple[int, int], Content] = {}
        self._anything_held = self._anything_open = True  # earlier events that wait, earlier findings, in these zones

    def prepare(
        self, keys: AbstractSet[ObjectKey], whole: Mapping[ObjectKey, Content], sparse: Collection[ObjectKey]
    ) -> None:
        """Fetch what is known of a batch's objects.

        `whole` images, here the last of each object, may release others; `sparse` ones are changed.
        """
        zone_ids = list({key[0] for key in keys})
        self._anything_held, self._anything_open = _one(
            self.connection.execute(INBOX["unsettled"], {"zone_ids": zone_ids})
        )
        self._fetch_waiting(whole)
        children = {child for found in self._waiting.values() for child in found}
        together = {*keys, *children} if children else keys
        self._fetch_heads(together)
        self._fetch_findings(together)
        stored = {key for key, head in self._heads.items() if head is not None}
        apart = {key for of in (self._waiting, self._findings) for key, found in of.items() if found}
        self._new = keys - stored - apart
        if stored:
            self._fetch_hashes(stored)
            differing = (key for key, content in whole.items() if self._differs(key, content))
            self._fetch_documents({key for key in (*sparse, *differing) if self._hashes.get(key) is not None})

    def _differs(self, key: ObjectKey, content: Content) -> bool:
        stored = self._hashes.get(key)
        return stored is not None and stored != content.content_hash

    def head(self, key: ObjectKey) -> Head | None:
        """Give the head of an object; None when no earlier event takes part in its fold."""
        if key not in self._heads:
            self._fetch_heads([key])
        return self._heads[key]

    def content_hash(self, key: ObjectKey) -> Key | None:
        """Give the hash of an object's current document; None when it has no current row."""
        if key not in self._hashes:
            self._fetch_hashes([key])
        return self._hashes[key]

    def document(self, key: ObjectKey) -> str:
        """Give an object's current document."""
        if key not in self._documents:
            self._fetch_documents([key])
        return self._documents[key]

    def missing(self, keys: Collection[ObjectKey]) -> set[ObjectKey]:
        """Say which objects others may not refer to yet: no whole image of them was applied. Few, as a rule."""
        if not keys:
            return set()
        return {(z, name, key) for z, name, key in self.connection.execute(INBOX["missing"], columns(keys))}

    def waiting(self, key: ObjectKey) -> frozenset[ObjectKey]:
        """Find the objects with earlier events that wait for this one."""
        if key not in self._waiting:
            self._fetch_waiting([key])
        return self._waiting[key]

    def is_repeatable(self, key: ObjectKey) -> bool:
        """Tell whether the image of an object's current row may come again and change nothing."""
        return self.content_hash(key) is not None and key in self._repeatable

    def is_new(self, key: ObjectKey) -> bool:
        """Tell whether nothing is known of an object: no head, no findings, and nothing that waits for it."""
        return key in self._new

    def findings(self, key: ObjectKey) -> list[OpenFinding]:
        """Give the open findings that earlier batches left on an object."""
        if not self._anything_open:
            return []
        if key not in self._findings:
            self._fetch_findings([key])
        return self._findings[key]

    def unknown(self, zone_id: int, name: str, digests: Sequence[bytes]) -> AbstractSet[bytes]:
        """Give those of some hashes that no current image of an object has that may come again."""
        if not digests:
            return set()
        parameters = {"zone_id": zone_id, "object_name": name, "hashes": hashes(digests)}
        found = self.connection.execute(statements(objects()[name]).unknown, parameters, binary=True)
        return {digest for (digest,) in found}

    def knows(self, zone_id: int, name: str) -> bool:
        """Tell whether a zone has any image of an object that may come again."""
        if (zone_id, name) not in self._names:
            found = self.connection.execute(statements(objects()[name]).any_repeatable, {"zone_id": zone_id})
            self._names[zone_id, name] = found.fetchone() == (True,)
        return self._names[zone_id, name]

    def events(self, key: ObjectKey) -> list[ObjectEvent]:
        """Read the earlier events that take part in an object's fold."""
        zone_id, name, row_key = key
        found = self.connection.execute(
            INBOX["events"], {"zone_id": zone_id, "object_name": name, "row_key": row_key}
        ).fetchall()
        return [self._event(key, *line) for line in found]

    def _event(  # noqa: PLR0913, PLR0917 -- one column each, in the order of the query
        self, key: ObjectKey, message_id: int, position: int, action: str, ordered_at: datetime, outcome: str,
        waiting_object: str | None, waiting_key: Key | None, recorded_at: datetime,
        has_warnings: bool,  # noqa: FBT001 -- a column
    ) -> ObjectEvent:  # fmt: skip
        waiting = (waiting_object, waiting_key) if waiting_object and waiting_key else None
        return ObjectEvent(
            message_id, position, *key, action, ordered_at, recorded_at,
            partial(self._content, message_id, position),
            outcome=Outcome(outcome), waiting=waiting, has_warnings=has_warnings,
            earlier=(Outcome(outcome), waiting),
        )  # fmt: skip

    def gather(self, keys: Sequence[ObjectKey]) -> Iterator[ObjectKey]:
        """Yield keys in their order, each with its earlier events' elements at hand, some thousand at a time.

        Every message is read once for all of them: children that waited for one parent lie in many messages.
        """
        places = self._places(keys)
        for chunk in _chunks(keys, places):
            wanted: dict[int, list[int]] = defaultdict(list)
            for key in chunk:
                for message_id, position in places.get(key, ()):
                    wanted[message_id].append(position)
            for message_id, positions in sorted(wanted.items()):
                found = content.of_message(self._body(message_id))
                self._copies.update({(message_id, position): found[position].apart() for position in positions})
            yield from chunk
            for message_id, positions in wanted.items():  # only these: a release within this one has its own
                for position in positions:
                    self._copies.pop((message_id, position), None)

    def _places(self, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[tuple[int, int]]]:
        places: dict[ObjectKey, list[tuple[int, int]]] = defaultdict(list)
        for zone_id, name, key, message_id, position in self.connection.execute(INBOX["places"], columns(keys)):
            places[zone_id, name, key].append((message_id, position))
        return places

    def _content(self, message_id: int, position: int) -> Content:
        copy = self._copies.get((message_id, position))
        return self._message(message_id)[position] if copy is None else copy

    def _body(self, message_id: int) -> bytes:
        (body,) = _one(self.connection.execute(INBOX["body"], {"message_id": message_id}, binary=True))
        return bytes(body)

    def _message(self, message_id: int) -> dict[int, Content]:
        if message_id in self._messages:
            self._messages.move_to_end(message_id)
            return self._messages[message_id]
        self._messages[message_id] = content.of_message(self._body(message_id))
        if len(self._messages) > MESSAGES_KEPT:
            self._messages.popitem(last=False)
        return self._messages[message_id]

    def _fetch_heads(self, keys: Collection[ObjectKey]) -> None:
        self._heads.update(dict.fromkeys(keys))
        for zone_id, name, key, ordered_at, message_id, position, unsettled, known in self.connection.execute(
            INBOX["heads"], columns(keys)
        ):
            self._heads[zone_id, name, key] = Head((ordered_at, message_id, position), unsettled, known)

    def _fetch_waiting(self, keys: Collection[ObjectKey]) -> None:
        self._waiting.update(dict.fromkeys(keys, frozenset()))
        if keys and self._anything_held:
            for z, name, key, child_name, child_key in self.connection.execute(INBOX["waiting"], columns(keys)):
                self._waiting[z, name, key] |= {(z, child_name, child_key)}

    def _fetch_findings(self, keys: Collection[ObjectKey]) -> None:
        if keys and self._anything_open:
            self._findings.update({key: [] for key in keys})
            for zone_id, name, key, *finding in self.connection.execute(INBOX["open_findings"], columns(keys)):
                self._findings[zone_id, name, key].append(OpenFinding(*finding))

    def _fetch_hashes(self, keys: Collection[ObjectKey]) -> None:
        self._hashes.update(dict.fromkeys(keys))
        for name, of_kind in _by_name(keys).items():
            found = self.connection.execute(statements(objects()[name]).hashes, columns(of_kind))
            for zone_id, key, hashed, repeatable in found:
                self._hashes[zone_id, name, key] = hashed
                if repeatable:
                    self._repeatable.add((zone_id, name, key))

    def _fetch_documents(self, keys: Collection[ObjectKey]) -> None:
        for name, of_kind in _by_name(keys).items():
            for zone_id, key, text in self.connection.execute(statements(objects()[name]).documents, columns(of_kind)):
                self._documents[zone_id, name, key] = text


def version_hashes(connection: Connection, keys: Iterable[ObjectKey]) -> Iterator[tuple[ObjectKey, Key]]:
    """Give the hashes of all versions of objects, current and closed."""
    for name, of_kind in _by_name(keys).items():
        found = connection.execute(statements(objects()[name]).all_hashes, columns(of_kind))
        for zone_id, key, hashed in found:
            yield (zone_id, name, key), hashed


def _chunks(
    keys: Sequence[ObjectKey], places: Mapping[ObjectKey, Sequence[tuple[int, int]]]
) -> Iterator[list[ObjectKey]]:
    """Cut keys into runs of at most COPIES_KEPT events, or one key that has more."""
    chunk: list[ObjectKey] = []
    events = 0
    for key in keys:
        found = len(places.get(key, ()))
        if chunk and events + found > COPIES_KEPT:
            yield chunk
            chunk, events = [], 0
        chunk.append(key)
        events += found
    if chunk:
        yield chunk


def _by_name(keys: Iterable[ObjectKey]) -> dict[str, list[ObjectKey]]:
    found: dict[str, list[ObjectKey]] = defaultdict(list)
    for key in keys:
        found[key[1]].append(key)
    return found


def _one(cursor: Cursor[TupleRow]) -> TupleRow:
    line = cursor.fetchone()
    assert line is not None  # noqa: S101 -- an event's message is never deleted while the event is there
    return line
