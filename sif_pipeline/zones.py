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
from sif_pipeline.reports import Report

SQL = queries("zones")

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
"""A zone's name is that of its drop folder too; one that began with a dot would be hidden."""

_LEA_CODE = re.compile(r"[A-Za-z0-9_.-]{1,32}")


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


def add(connection: Connection, name: str, lea_code: str, *, is_sandbox: bool = False) -> str:
    """Make a zone and return its token, which is shown this once: it is the end of the zone's URL.

    What a sandbox receives is kept and never loaded. Raise ConfigurationError when there is such a zone already, or
    the name or the district's code cannot be used.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(
            "A zone's name has 1 to 64 letters of English, digits, - _ and ., the first no dot; choose another."
        )
    if not _LEA_CODE.fullmatch(lea_code):
        raise ConfigurationError(
            "A district's code has 1 to 32 letters of English, digits, - _ and .; give the state's."
        )
    token = secrets.token_urlsafe(32)
    values = {"name": name, "lea_code": lea_code, "token_sha256": token_hash(token), "is_sandbox": is_sandbox}
    try:
        with connection.transaction():
            connection.execute(SQL["add"].encode(), values)
    except psycopg.errors.UniqueViolation:
        raise ConfigurationError(f"There is a zone {name} already; `sif-pipeline zone list` lists them.") from None
    return token


def rotate(connection: Connection, name: str) -> str:
    """Give a zone a new token and return it; the old one stops working within seconds. Raise UnknownZone."""
    token = secrets.token_urlsafe(32)
    _change(connection, "rotate", name, {"token_sha256": token_hash(token)})
    return token


def suspend(connection: Connection, name: str) -> None:
    """Let a zone take and give nothing until it is resumed; agents are told to keep what they have."""
    _change(connection, "suspend", name, {})


def resume(connection: Connection, name: str) -> None:
    """End a suspension: what waits for push agents is delivered at once."""
    _change(connection, "resume", name, {})


def change(
    connection: Connection,
    name: str,
    *,
    lea_code: str | None = None,
    solicited_only: bool | None = None,
    log_entries: bool | None = None,
) -> None:
    """Change settings of a zone; None leaves one as it is. Raise UnknownZone or, for a bad code, ConfigurationError."""
    if lea_code is not None and not _LEA_CODE.fullmatch(lea_code):
        raise ConfigurationError(
            "A district's code has 1 to 32 letters of English, digits, - _ and .; give the state's."
        )
    values = {"lea_code": lea_code, "solicited_only": solicited_only, "log_entries": log_entries}
    _change(connection, "change", name, values)


def _change(connection: Connection, what: str, name: str, values: dict[str, Any]) -> None:
    if connection.execute(SQL[what].encode(), {"name": name} | values).fetchone() is None:
        raise UnknownZone


def check(connection: Connection, name: str | None) -> None:
    """Raise UnknownZone for a name that no zone has; None, which stands for every zone, is well."""
    if name is not None and not _report(connection, "show", {"name": name}).lines:
        raise UnknownZone


def number_of(connection: Connection, name: str) -> int:
    """Give a zone's number by its name; raise UnknownZone."""
    line = connection.execute(SQL["number"].encode(), {"name": name}).fetchone()
    if line is None:
        raise UnknownZone(f"There is no zone {name!r}; `sif-pipeline status` lists the zones.")
    return int(line[0])


def listing(connection: Connection) -> Report:
    """List the zones with their settings, and what waits for their agents."""
    return _report(connection, "list", {})


LATEST = 5
"""Refusals that `details` has."""


def details(connection: Connection, name: str) -> dict[str, Any]:
    """Give everything that is set for a zone, and the latest refusals, each as `refusals` has it. Raise UnknownZone."""
    found = _report(connection, "show", {"name": name})
    if not found.lines:
        raise UnknownZone
    refused = _report(connection, "refusals", {"name": name, "source_id": None, "most": LATEST})
    refusals = [dict(zip(refused.columns, line, strict=True)) for line in refused.lines]
    return dict(zip(found.columns, found.lines[0], strict=True)) | {"refused": refusals}


def refusals(connection: Connection, name: str, source_id: str | None = None, most: int = 100) -> Report:
    """List what messages to a zone, or of one agent in it, were refused for, the latest first. Raise UnknownZone."""
    check(connection, name)
    return _report(connection, "refusals", {"name": name, "source_id": source_id, "most": most})


def _report(connection: Connection, query: str, values: dict[str, Any]) -> Report:
    found = connection.execute(SQL[query].encode(), values)
    return Report(tuple(column.name for column in found.description or ()), found.fetchall())


async def find(connection: psycopg.AsyncConnection[Any], token_sha256: bytes) -> Zone | None:
    """Find the zone of a token by the token's hash."""
    async with connection.cursor(row_factory=class_row(Zone)) as cursor:
        await cursor.execute(SQL["find"].encode(), {"token_sha256": token_sha256})
        return await cursor.fetchone()


def token_hash(token: str) -> bytes:
    """Hash a token: 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()
