"""Zones: a district's connection, known by an unguessable token in its URL of which only the hash is kept."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import class_row

from sif_pipeline.database import Connection, queries
from sif_pipeline.exceptions import ConfigurationError, UnknownZone

SQL = queries("zones")

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
"""A zone's name is that of its drop folder too; one that began with a dot would be hidden."""


@dataclass(frozen=True, slots=True)
class Zone:
    """A district's connection."""

    zone_id: int  #: key of inbox.zone
    name: str  #: chosen by the state; the SIF ZoneId
    lea_code: str  #: state code of the district
    is_sandbox: bool = False  #: what arrives is kept only, never drained
    is_suspended: bool = False  #: it takes and gives nothing for the time being
    authentication_level: int = 0  #: SIF_AuthenticationLevel agents must reach
    encryption_level: int = 0  #: SIF_EncryptionLevel agents must reach

    @property
    def asks_security(self) -> bool:
        """Whether agents must come, and be reached, by HTTPS."""
        return self.authentication_level > 0 or self.encryption_level > 0


def add(connection: Connection, name: str, lea_code: str) -> str:
    """Make a zone and return its token, which is shown this once: it is the end of the zone's URL.

    Raise ConfigurationError when there is such a zone already or the name cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            "A zone's name has 1 to 64 letters of English, digits, - _ and ., the first no dot; choose another."
        )
    token = secrets.token_urlsafe(32)
    try:
        with connection.transaction():
            values = {"name": name, "lea_code": lea_code, "token_sha256": token_hash(token)}
            connection.execute(SQL["add"].encode(), values)
    except psycopg.errors.UniqueViolation:
        raise ConfigurationError(f"There is a zone {name} already; `sif-pipeline status` lists the zones.") from None
    return token


def renew(connection: Connection, name: str) -> str:
    """Give a zone a new token and return it; the old one stops working within seconds. Raise UnknownZone."""
    token = secrets.token_urlsafe(32)
    changed = connection.execute(SQL["renew"].encode(), {"name": name, "token_sha256": token_hash(token)})
    if not changed.rowcount:
        raise UnknownZone
    return token


async def find(connection: psycopg.AsyncConnection[Any], token_sha256: bytes) -> Zone | None:
    """Find the zone of a token by the token's hash."""
    async with connection.cursor(row_factory=class_row(Zone)) as cursor:
        await cursor.execute(SQL["find"].encode(), {"token_sha256": token_sha256})
        return await cursor.fetchone()


def token_hash(token: str) -> bytes:
    """Hash a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()
