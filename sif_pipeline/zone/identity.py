"""Who is at the other end of a connection: what a zone asks for, and what a client's certificate proves.

The zone is named by its URL, the agent by its certificate; SIF_SourceId is only ever held against them. The levels are
those of the standard (SIF_AuthenticationLevel, SIF_EncryptionLevel). It knows the database and nothing of HTTP.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from psycopg.rows import class_row

from sif_pipeline import zones
from sif_pipeline.database import Connection, queries
from sif_pipeline.exceptions import ConfigurationError, UnknownZone
from sif_pipeline.reports import Report
from sif_pipeline.sif.gate import Refused
from sif_pipeline.sif.header import NO_LEVEL, Level
from sif_pipeline.zone.tls import Peer, is_host

SQL = queries("certificates")

EXPIRED: Final = 10
"""X509_V_ERR_CERT_HAS_EXPIRED."""

UNTRUSTED: Final = frozenset({2, 18, 19, 20, 21, 27})
"""Verification errors that say no more than that no trusted CA vouches for a certificate."""


@dataclass(frozen=True, slots=True)
class Door:
    """What a zone asks of a connection, and whose the certificate is that the connection shows."""

    authentication_level: int
    encryption_level: int
    is_registered: bool  #: the certificate is one of the zone's and not revoked
    source_id: str | None  #: the agent the certificate belongs to; None: any agent of the zone


async def door(connection: psycopg.AsyncConnection[Any], zone_id: int, peer: Peer | None) -> Door:
    """Read what a zone asks for, and look up the certificate of the peer in it."""
    values = {"zone_id": zone_id, "fingerprint": peer and peer.fingerprint}
    async with connection.cursor(row_factory=class_row(Door)) as cursor:
        await cursor.execute(SQL["door"].encode(), values)
        found = await cursor.fetchone()
    assert found is not None, "zones are never deleted"  # noqa: S101
    return found


async def refusal(door: Door, peer: Peer | None, address: str | None) -> Refused | None:
    """Judge a connection before its message is: None lets it in. `address` is the client's IP address."""
    if (peer.encryption_level if peer else 0) < _least_encryption(door):
        return Refused(5, 7, "This zone is open to HTTPS only; connect to its address with https://.")
    if door.authentication_level == 0 or peer is None:
        return None
    if (refused := _certificate_refusal(door, peer)) is not None:
        return refused
    if door.authentication_level >= 3 and not (address and await is_host(peer.names, address)):
        return Refused(3, 4, "The certificate's CN is not the host it is sent from; use the certificate of this host.")
    return None


def _least_encryption(door: Door) -> int:
    """Give the encryption level a zone asks for; there are no certificates without encryption."""
    return max(door.encryption_level, 1 if door.authentication_level else 0)


def _certificate_refusal(door: Door, peer: Peer) -> Refused | None:
    if peer.fingerprint is None:
        return Refused(3, 3, "This zone asks for a client certificate; set the agent up to send one.")
    if EXPIRED in peer.flaws:
        return Refused(3, 6, "The agent's certificate has expired; renew it and tell the state the new one.")
    if peer.flaws - UNTRUSTED:
        return Refused(3, 4, "The agent's certificate is not valid, or not yet; ask the CA for another.")
    if door.authentication_level >= 2 and peer.flaws:
        return Refused(3, 5, "No CA the state trusts has signed the agent's certificate; have the state's CA sign one.")
    if not door.is_registered:
        return Refused(3, 5, "The agent's certificate is not one of this zone's; ask the state to add it.")
    return None


def channel(peer: Peer | None) -> Level:
    """Say how well the connection to a client is secured; level 3, its host, only `refusal` looks at."""
    if peer is None:
        return NO_LEVEL
    proven = peer.fingerprint is not None and not peer.flaws - UNTRUSTED
    return Level(0 if not proven else 1 if peer.flaws else 2, peer.encryption_level)


def source_refusal(door: Door, source_id: str | None) -> Refused | None:
    """Hold SIF_SourceId against the certificate's agent."""
    if door.source_id is None or source_id is None or door.source_id == source_id:
        return None
    return Refused(3, 1, "The certificate belongs to another SIF_SourceId; send with the one the state was told.")


def add(connection: Connection, zone: str, file: Path, source_id: str | None) -> str:
    """Let a certificate (PEM or DER) identify an agent of a zone, or any agent of it; return its fingerprint.

    Raise UnknownZone; raise ConfigurationError when the file holds no certificate.
    """
    certificate = _read(file)
    fingerprint = certificate.fingerprint(SHA256())
    values = {
        "zone": zone,
        "fingerprint": fingerprint,
        "source_id": source_id,
        "subject": certificate.subject.rfc4514_string(),
        "not_after": certificate.not_valid_after_utc,
    }
    row = connection.execute(SQL["add"].encode(), values).fetchone()
    if row is None:
        raise UnknownZone
    _audit(connection, "certificate_added", row[0], fingerprint.hex(), source_id)
    return fingerprint.hex()


def _read(file: Path) -> x509.Certificate:
    content = file.read_bytes()
    load = x509.load_pem_x509_certificate if b"-----BEGIN" in content else x509.load_der_x509_certificate
    try:
        return load(content)
    except ValueError:
        raise ConfigurationError(f"{file} holds no certificate in PEM or DER.") from None


LEAST: Final = 8
"""Hexadecimal digits of a fingerprint that must be given to revoke by it."""


def revoke(connection: Connection, zone: str, fingerprint: str) -> str:
    """Stop taking a certificate, given by the start of its fingerprint, within seconds; return the whole of it.

    Raise ConfigurationError unless exactly one certificate of the zone that is still taken begins so.
    """
    start = fingerprint.lower().replace(":", "")
    if len(start) < LEAST:
        raise ConfigurationError(f"Give at least {LEAST} digits of the fingerprint.")
    rows = connection.execute(SQL["revoke"].encode(), {"zone": zone, "fingerprint": start}).fetchall()
    if len(rows) != 1:
        connection.rollback()
        raise ConfigurationError(
            f"{len(rows) or 'No'} certificates of zone {zone} that are taken begin so; "
            "`sif-pipeline zone certificate list` shows them."
        )
    _audit(connection, "certificate_revoked", rows[0][0], rows[0][1])
    return str(rows[0][1])


def certificates(connection: Connection, zone: str | None = None) -> Report:
    """List the certificates of a zone, or of all. Raise UnknownZone."""
    zones.check(connection, zone)
    found = connection.execute(SQL["list"].encode(), {"zone": zone})
    columns = [column.name for column in found.description or ()]
    return Report(tuple(columns), found.fetchall())


def require(
    connection: Connection, zone: str, *, authentication: int | None, encryption: int | None
) -> tuple[int, int]:
    """Set what a zone asks of its agents' connections, None leaves a level; return both. Raise UnknownZone."""
    values = {"zone": zone, "authentication_level": authentication, "encryption_level": encryption}
    row = connection.execute(SQL["require"].encode(), values).fetchone()
    if row is None:
        raise UnknownZone
    zone_id, *levels = row
    if (authentication, encryption) != (None, None):
        _audit(connection, "zone_security", zone_id, f"authentication {levels[0]}, encryption {levels[1]}")
    return levels[0], levels[1]


def _audit(connection: Connection, event: str, zone_id: int, detail: str, source_id: str | None = None) -> None:
    values = {"event": event, "zone_id": zone_id, "source_id": source_id, "detail": detail}
    connection.execute(SQL["audit"].encode(), values)
