"""Many keys as arrays in binary, by which PostgreSQL is asked about all of a batch at once."""

import struct
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from psycopg.adapt import Dumper
from psycopg.pq import Format

from sif_pipeline.loading.events import ObjectKey


class Array(NamedTuple):
    """An array on its way to PostgreSQL in binary: of many numbers and keys it reads that in a fraction of the time."""

    oid: int  #: type of the elements
    size: int
    elements: bytes  #: length and value of each


class ArrayDumper(Dumper):
    """Writes an array of one dimension as PostgreSQL does; the query says by a cast of what type it is."""

    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        """Write dimensions, nulls, type of the elements, number and first index, and then the elements."""
        return struct.pack(">iiIii", 1, 0, obj.oid, obj.size, 1) + obj.elements


INT4, TEXT, UUID = 23, 25, 2950
"""PostgreSQL's types of the elements."""


def _uuids(digits: Collection[str]) -> Array:
    """Give an array of uuid, 32 hexadecimal digits each."""
    return Array(UUID, len(digits), bytes.fromhex("00000010".join(["", *digits])))


def hashes(digests: Collection[bytes]) -> Array:
    """Give the same of 16 bytes each."""
    return Array(UUID, len(digests), b"\0\0\0\x10".join([b"", *digests]))


@lru_cache(maxsize=1024)
def _int4(number: int) -> bytes:
    return struct.pack(">ii", 4, number)


@lru_cache(maxsize=1024)
def _text(name: str) -> bytes:
    encoded = name.encode()
    return struct.pack(">i", len(encoded)) + encoded


def columns(keys: Collection[ObjectKey]) -> dict[str, Array]:
    """Spell keys as three PostgreSQL arrays."""
    return {
        "zone_ids": Array(INT4, len(keys), b"".join([_int4(zone_id) for zone_id, _, _ in keys])),
        "names": Array(TEXT, len(keys), b"".join([_text(name) for _, name, _ in keys])),
        "keys": _uuids([key for _, _, key in keys]),
    }
