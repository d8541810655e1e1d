"""What was said of which objects of a zone, for its first load: by keys only, in little more room than theirs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache

from sif_pipeline.database import Connection, queries
from sif_pipeline.loading.claimed import Claimed
from sif_pipeline.reading import mapping
from sif_pipeline.reading.core import WHOLE_IMAGES, Found
from sif_pipeline.reading.mapping import Key
from warehouse.base import objects
from warehouse.inbox import Outcome

BULK = queries("bulk")

KEY_BYTES = 16

KEYS_IN_BUCKET = 8
"""So many keys lie in a bucket on average: more of them take a little less room, and longer to look through."""

ROWS_AT_ONCE = 10_000
"""Keys that are fetched together: a large district has hundreds of thousands."""


class Keys:
    """A set of row keys, sixteen bytes each, that takes some 25 bytes for each where a Python set takes 110.

    Keys lie one behind the other in buckets, by their hash. Whenever as many came as a bucket should hold, one bucket
    is split in two, each in its turn (linear hashing), so that no growth ever copies all of them.
    """

    __slots__ = ("_buckets", "_low", "_room", "_split")

    def __init__(self) -> None:
        self._buckets = [b""]
        self._low = 0  # buckets before this round of splits, less one: the bits of a hash that name one of them
        self._split = 0  # the next bucket to be split; those before it are
        self._room = KEYS_IN_BUCKET  # keys until then

    def __contains__(self, key: bytes) -> bool:
        """Tell whether a key is there."""
        hashed = hash(key)
        place = hashed & self._low
        bucket = self._buckets[place if place >= self._split else hashed & (2 * self._low + 1)]
        found = bucket.find(key)
        while found > 0 and found % KEY_BYTES:  # it lies across two others
            found = bucket.find(key, found + 1)
        return found >= 0

    def add(self, key: bytes) -> None:
        """Take in a key."""
        if key not in self:
            self._buckets[self._place(key)] += key
            self._room -= 1
            if self._room == 0:
                self._grow()

    def discard(self, key: bytes) -> None:
        """Take a key out, if it is there."""
        if key in self:
            place = self._place(key)
            self._buckets[place] = b"".join([other for other in _cut(self._buckets[place]) if other != key])
            self._room += 1

    def _place(self, key: bytes) -> int:
        """Give the bucket of a key; `__contains__`, asked several times for each object, has the same lines."""
        hashed = hash(key)
        place = hashed & self._low
        return place if place >= self._split else hashed & (2 * self._low + 1)

    def _grow(self) -> None:
        bit, keys = self._low + 1, _cut(self._buckets[self._split])
        self._buckets.append(b"".join([key for key in keys if hash(key) & bit]))
        self._buckets[self._split] = b"".join([key for key in keys if not hash(key) & bit])
        self._split += 1
        if self._split == bit:
            self._low, self._split = 2 * self._low + 1, 0
        self._room = KEYS_IN_BUCKET


def _cut(bucket: bytes) -> list[bytes]:
    return [bucket[start : start + KEY_BYTES] for start in range(0, len(bucket), KEY_BYTES)]


class Known:
    """What was said of which objects of a zone so far."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Know nothing."""
        self._whole: dict[str, Keys] = defaultdict(Keys)
        """A whole image was applied; of objects that others refer to. Of the rest, PostgreSQL finds a second row."""
        self._spoken: dict[str, Keys] = defaultdict(Keys)  # something else was said: only a fold can tell what is so
        self._awaited: dict[str, Keys] = defaultdict(Keys)  # some event waits for them
        self.begin()

    def begin(self) -> None:
        """Let a transaction begin: what is added from here on can be taken back."""
        self._added: list[tuple[str, bytes]] = []
        self._recent: dict[str, set[Key]] = defaultdict(set)  # referred to since, and known: most are again and again

    def forget(self) -> None:
        """Take back what the transaction that failed added to what others may refer to."""
        for name, key in self._added:
            self._whole[name].discard(key)
        self.begin()

    def read(self, connection: Connection, zone_id: int) -> None:
        """Begin with what the warehouse has of the zone, in the connection's transaction."""
        self.clear()
        parameters = {"zone_id": zone_id, "referred": list(referred())}
        with connection.cursor("keys") as cursor:  # at the server, which has more of them than should be here at once
            cursor.itersize = ROWS_AT_ONCE
            for name, key, is_known in cursor.execute(BULK["keys"], parameters):
                is_whole = is_known and self.keeps(name)
                (self._whole if is_whole else self._spoken)[name].add(bytes.fromhex(key))
        for name, key in connection.execute(BULK["awaited"], {"zone_id": zone_id}):
            self._awaited[name].add(bytes.fromhex(key))

    def knows(self, name: str, key: Key) -> bool:
        """Tell whether a whole image of an object was applied that others may refer to."""
        return name in self._whole and bytes.fromhex(key) in self._whole[name]

    def knows_all(self, references: Iterable[tuple[str, Key]]) -> bool:
        """Tell the same of all collected objects among some."""
        for name, key in references:
            recent = self._recent[name]
            if key not in recent:
                if self.knows(name, key):
                    recent.add(key)
                elif name in objects():
                    return False
        return True

    def was_spoken_of(self, name: str, key: Key) -> bool:
        """Tell whether anything is known to have been said of an object."""
        return self.knows(name, key) or (name in self._spoken and bytes.fromhex(key) in self._spoken[name])

    def is_awaited(self, name: str, key: Key) -> bool:
        """Tell whether some event waits for an object."""
        return name in self._awaited and bytes.fromhex(key) in self._awaited[name]

    @staticmethod
    def keeps(name: str) -> bool:
        """Tell whether whole images of such objects are remembered: others refer to them."""
        return name in referred()

    def know(self, name: str, key: Key) -> None:
        """Remember that a whole image was applied, of an object that others may refer to."""
        if self.keeps(name) and not self.knows(name, key):
            binary = bytes.fromhex(key)
            self._whole[name].add(binary)
            self._added.append((name, binary))

    def speak(self, name: str, key: Key) -> None:
        """Remember that something else was said of an object."""
        self._spoken[name].add(bytes.fromhex(key))

    def wait(self, references: Iterable[tuple[str, Key]]) -> None:
        """Remember that an event waits for those of some objects that are not known."""
        for name, key in references:
            if not self.knows(name, key):
                self._awaited[name].add(bytes.fromhex(key))

    def add(self, message: Claimed, found: Sequence[Found]) -> None:
        """Take in what a drained message said; an object it released counts as spoken of."""
        for event in message.events:
            if event.row_key is not None and event.outcome is Outcome.APPLIED and event.action in WHOLE_IMAGES:
                self.know(event.object_name, event.row_key)
            if event.waiting is not None:
                self._awaited[event.waiting[0]].add(bytes.fromhex(event.waiting[1]))
        for one in found:
            if one.row_key is not None and not self.knows(one.name, one.row_key):
                self.speak(one.name, one.row_key)


@cache
def referred() -> frozenset[str]:
    """Name the objects that others refer to."""
    plans = (mapping.plan(cls) for cls in objects().values())
    return frozenset(reference.object_name for plan_ in plans for reference in plan_.references)
