"""Undoing gzip of what strangers send: never a piece ahead of what the caller has bounded, and whole or not at all."""

import zlib
from collections.abc import Iterator
from typing import Final

PIECE: Final = 64 * 1024
"""Bytes that are inflated at a time."""

_GZIP: Final = 31
"""zlib's number for the gzip format."""


class NotGzip(Exception):
    """What came is no gzip, ends early, or has something behind it."""


class TooLarge(Exception):
    """What came is larger, inflated, than it may be."""


class Inflater:
    """One gzip stream, undone as it comes."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(wbits=_GZIP)

    def pieces(self, part: bytes) -> Iterator[bytes]:
        """Give what a part inflates to, in pieces, each made when it is asked for; raise NotGzip."""
        try:
            piece = self._inflater.decompress(part, PIECE)
            while piece:
                yield piece
                piece = self._inflater.decompress(self._inflater.unconsumed_tail, PIECE)
        except zlib.error:
            raise NotGzip from None
        if self._inflater.unused_data:
            raise NotGzip

    def end(self) -> None:
        """Raise NotGzip unless all of it has come."""
        if not self._inflater.eof:
            raise NotGzip


def inflated(body: bytes, most: int) -> bytes:
    """Undo gzip where no more than `most` bytes come of it; raise NotGzip or TooLarge."""
    inflater, found = Inflater(), bytearray()
    for piece in inflater.pieces(body):
        found += piece
        if len(found) > most:
            raise TooLarge
    inflater.end()
    return bytes(found)
