"""TLS both ways: what the server offers and hears of a client's certificate, and what we ask of an agent we call.

The standard wants a refused certificate told why in a SIF_Ack. The standard library can only break off the handshake,
so the server's end is OpenSSL's as pyOpenSSL wraps it: any certificate whose key its sender holds completes the
handshake, and what is wrong with it is noted for `identity` to judge. It knows nothing of zones.
"""

import asyncio
import logging
import math
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, Self, TypeVar
from weakref import WeakSet

import uvloop
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from OpenSSL.crypto import X509

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.zone import names
from sif_pipeline.zone.refusals import tell

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS: Final = 15.0
"""From the connection to the end of the handshake; a sender that takes longer is cut."""

GOODBYE_SECONDS: Final = 60.0
"""For the last answer to leave a connection that is being closed; unread ones are given up long before."""

LOOK_SECONDS: Final = 2.0
"""Between two looks at the files of the server's certificate."""

ENDS_SOON: Final = timedelta(days=14)
"""Before the end of the server's certificate, from when on every load of it warns."""

_RECORD: Final = 16 * 1024
"""Bytes of a TLS record at most."""

_CIPHERS: Final = b"HIGH:!aNULL:!eNULL:!kRSA:!PSK:!SRP"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Files:
    """PEM files of the server's end."""

    certificate: Path  #: the server's certificate, and those that link it to its CA
    key: Path  #: its private key, without a passphrase
    client_ca: Path | None = None  #: certificates of the CAs whose client certificates are trusted

    def stamp(self) -> tuple[tuple[int, int] | None, ...]:
        """Tell this content of the files from another, without reading them; None for one that is not there."""
        return tuple(_stamp(path) for path in (self.certificate, self.key, self.client_ca) if path)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


@dataclass(frozen=True, slots=True)
class Peer:
    """What a TLS connection tells of its other end; the flaws are OpenSSL's verification errors, X509_V_ERR_*."""

    encryption_level: int  #: of the standard, 0 to 4, by the bits of the key
    fingerprint: bytes | None = None  #: SHA-256 of the client's certificate in DER; None when it sent none
    flaws: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()  #: hosts and addresses the certificate names, in lower case


class Loop(uvloop.Loop):
    """An event loop whose TLS handshakes have our deadlines; uvicorn makes it and passes none."""

    async def create_server(self, *arguments: Any, **options: Any) -> Any:
        """Listen, with deadlines for TLS if there is TLS."""
        if options.get("ssl"):
            options |= {"ssl_handshake_timeout": HANDSHAKE_SECONDS, "ssl_shutdown_timeout": GOODBYE_SECONDS}
        return await super().create_server(*arguments, **options)


class ServerTls(ssl.SSLContext):
    """The server's end of TLS, its certificate exchangeable while it runs; asyncio takes it for an SSLContext."""

    def __new__(cls, *_: Files) -> Self:
        """Make the outer shell: nothing of the standard library's context is used but its place."""
        return super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)

    def __init__(self, files: Files) -> None:
        """Load the files; raise ConfigurationError when one cannot be used."""
        self.files = files
        self._stamp = files.stamp()
        self._handshakes: WeakSet[Session] = WeakSet()
        self.most_handshakes = 5000  #: under way at once; those of slow senders are many, and each is an open file
        self._load()

    def wrap_bio(self, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, *_: Any, **__: Any) -> "Session":  # type: ignore[override]
        """Begin the server's end of one connection, with the certificate of now; raise SSLError when too many do."""
        if len(self._handshakes) >= self.most_handshakes:
            raise ssl.SSLError("Too many handshakes are under way.")
        return Session(self._inside, incoming, outgoing, self._handshakes)

    def renew(self) -> None:
        """Load the files again if they changed; one that cannot be used changes nothing and is said to be so."""
        stamp = self.files.stamp()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._load()
        except ConfigurationError as error:
            log.error("certificate_kept", extra={"facts": {"why": str(error)}})  # noqa: TRY400
        else:
            log.info("certificate_renewed")

    def _load(self) -> None:
        inside = _context(self.files)
        self.callers = [client_context(level, self.files) for level in range(4)]
        self._inside = inside

    async def watch(self) -> None:
        """Look at the files until cancelled, so that a renewed certificate needs no restart."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self.renew()


def _context(files: Files) -> SSL.Context:
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET | SSL.OP_NO_COMPRESSION)
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)  # a resumed session would leave out the client's certificate
    context.set_cipher_list(_CIPHERS)
    _load(files.certificate, lambda _: context.use_certificate_chain_file(str(files.certificate)), "certificate")
    key = _load(files.key, lambda pem: load_pem_private_key(pem, None), "private key without a passphrase")
    if files.client_ca:
        _load(files.client_ca, lambda _: context.load_verify_locations(str(files.client_ca)), "certificate of a CA")
    try:
        context.use_privatekey(key)  # type: ignore[arg-type]  # other kinds raise TypeError
        context.check_privatekey()
    except (SSL.Error, TypeError):
        raise ConfigurationError("The private key does not belong to the certificate; give the pair of them.") from None
    context.set_verify(SSL.VERIFY_PEER, _note)
    _warn_of_the_end(files.certificate)
    return context


def _load(path: Path, load: Callable[[bytes], T], what: str) -> T:
    try:
        return load(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read ({error.strerror}); it should hold a {what}.") from None
    except (SSL.Error, ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(f"{path} holds no {what} in PEM.") from None


def _warn_of_the_end(path: Path) -> None:
    """Say when the server's certificate has ended or soon will; agents that check would stay away."""
    end = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    if end < datetime.now(UTC) + ENDS_SOON:
        log.warning("certificate_ends", extra={"facts": {"at": end.isoformat()}})


_PURPOSE: Final = 26
"""X509_V_ERR_INVALID_PURPOSE: agents use their server's certificate as client too, and CAs no longer issue both."""


def _note(connection: SSL.Connection, _: object, error: int, depth: int, ok: int) -> bool:
    """Note what is wrong with a client's certificate, and go on: that its sender holds the key is checked anyway."""
    if not ok and (error, depth) != (_PURPOSE, 0):
        connection.get_app_data().add(error)
    return True


class Session:
    """The server's end of one TLS connection between two memory buffers, as asyncio wants it of an SSLObject."""

    def __init__(
        self, context: SSL.Context, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO, handshakes: "WeakSet[Session]"
    ) -> None:
        self._incoming, self._outgoing, self._handshakes = incoming, outgoing, handshakes
        handshakes.add(self)
        self._connection = SSL.Connection(context, None)
        self._connection.set_accept_state()
        self._flaws: set[int] = set()
        self._connection.set_app_data(self._flaws)
        self._more = True  # what came with the end of the handshake is inside already
        self._failed = False
        self.peer: Peer | None = None

    def do_handshake(self) -> None:
        """Go on with the handshake; at its end `peer` tells who is there."""
        try:
            self._act(self._connection.do_handshake)
        except ssl.SSLWantReadError:
            raise
        except ssl.SSLError as error:
            tell("tls_refused", str(error.reason))
            if self._failed or not self._outgoing.pending:
                raise
            self._failed = True
            raise ssl.SSLWantReadError from None  # has the alert sent, which says why; then the client hangs up
        self.peer = _peer(self._connection, frozenset(self._flaws))
        self._handshakes.discard(self)

    def read(self, size: int) -> bytes:
        """Give up to about `size` bytes that came; none at the end. Raise SSLWantReadError when there are none yet."""
        parts: list[bytes] = []
        try:
            while (room := size - sum(map(len, parts))) > 0:
                parts.append(self._act(partial(self._connection.recv, min(room, _RECORD))))
            self._more = True
        except ssl.SSLWantReadError:
            self._more = False
            if not parts:
                raise
        except ssl.SSLZeroReturnError:
            self._more = bool(parts)  # the end is told when asked once more
        return b"".join(parts)

    def pending(self) -> int:
        """Tell whether reading again may give something although nothing more came."""
        return int(self._more)

    def write(self, data: bytes) -> int:
        """Send bytes, and give how many were taken."""
        return self._act(partial(self._connection.send, data)) if data else 0

    def unwrap(self) -> None:
        """Say goodbye, without waiting for the other end to do so: some never do."""
        self._act(self._connection.shutdown)

    def getpeercert(self) -> None:
        """Give nothing: `peer` has it."""

    def cipher(self) -> tuple[str | None, str | None, int | None]:
        """Name the cipher, its protocol and the bits of its key."""
        found = self._connection
        return found.get_cipher_name(), found.get_cipher_version(), found.get_cipher_bits()

    def compression(self) -> None:
        """Give nothing: it is off."""

    def _act(self, act: Callable[[], T]) -> T:
        """Let OpenSSL act, with as much of what came as it asks for, and pass on what it has to send."""
        try:
            while True:
                try:
                    return act()
                except SSL.WantReadError:
                    if not self._incoming.pending:
                        raise ssl.SSLWantReadError from None
                    self._connection.bio_write(self._incoming.read(_RECORD))
        except SSL.ZeroReturnError:
            raise ssl.SSLZeroReturnError from None
        except SSL.Error as error:
            failed = ssl.SSLError("The TLS connection failed.")
            failed.reason = _reason(error)
            raise failed from None
        finally:
            self._flush()

    def _flush(self) -> None:
        try:
            while True:
                self._outgoing.write(self._connection.bio_read(_RECORD))
        except SSL.WantReadError:
            pass


def _reason(error: SSL.Error) -> str:
    """Give OpenSSL's own words for a failure, which are its constants, such as `unsupported protocol`."""
    return str(error.args[0][-1][2]) if error.args and isinstance(error.args[0], list) and error.args[0] else "hung up"


def _peer(connection: SSL.Connection, flaws: frozenset[int]) -> Peer:
    level = _encryption_level(connection.get_cipher_bits() or 0)
    certificate = connection.get_peer_certificate()
    if certificate is None:
        return Peer(level)
    return Peer(
        level, bytes.fromhex(certificate.digest("sha256").decode().replace(":", "")), flaws, _names(certificate)
    )


def _encryption_level(bits: int) -> int:
    """Give the standard's level for a key of so many bits: at least 40, 56, 80 and 128 are 1 to 4."""
    return sum(bits >= least for least in (40, 56, 80, 128))


def _names(certificate: X509) -> frozenset[str]:
    """Give the hosts a certificate names: its CN, as the standard says, and what has taken the CN's place since."""
    try:
        found = certificate.to_cryptography()
        names = [str(name.value) for name in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        names += _alternative_names(found)
    except Exception:  # noqa: BLE001 -- anybody can make certificates that no library can read: they name nobody
        return frozenset()
    return frozenset(name.lower() for name in names)


def _alternative_names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*found.get_values_for_type(x509.DNSName), *map(str, found.get_values_for_type(x509.IPAddress))]


async def is_host(hosts: frozenset[str], address: str) -> bool:
    """Tell whether one of the names is that of the host at an IP address, by asking the resolver for each.

    What the resolver said is remembered for a minute; it has a few seconds for all of them.
    """
    asked = [asyncio.create_task(_addresses(host)) for host in sorted(hosts)[:_NAMES_ASKED]]
    try:
        found = await asyncio.gather(*asked)
    finally:
        for task in asked:
            task.cancel()
    return any(ip_address(address) in addresses for addresses in found)


_NAMES: Final = names.threads("names-in-certificates")

_NAMES_ASKED: Final = 8
"""Names of a certificate that are looked up; a certificate with thousands would keep the resolver busy."""

NAME_SECONDS: Final = 5.0
"""For the resolver to say where a name in a certificate is."""

_KEPT_SECONDS: Final = 60.0
"""How long it is remembered where a name is; that it is nowhere, only as long as finding out may take."""

_NAMES_KEPT: Final = 10_000

_kept: dict[str, tuple[float, frozenset[Any]]] = {}


async def _addresses(host: str) -> frozenset[Any]:
    until, found = _kept.get(host, (-math.inf, frozenset()))
    if time.monotonic() < until:
        return found
    try:
        found = frozenset(map(ip_address, await names.addresses(_NAMES, host, NAME_SECONDS)))
        kept = _KEPT_SECONDS
    except OSError:
        found, kept = frozenset(), NAME_SECONDS
    if len(_kept) >= _NAMES_KEPT:
        _kept.clear()
    _kept[host] = time.monotonic() + kept, found
    return found


def ssl_context_for(authentication_level: int, tls: ServerTls | None) -> ssl.SSLContext:
    """Give the context for calling a push agent by HTTPS, with the server's own certificate if it has one.

    `authentication_level` is the standard's, asked of the agent's certificate: 0 and 1 take any, 2 one of a trusted CA
    (the server's client CA, or the system's), 3 one that names the host as well.
    """
    return (tls.callers if tls else _callers())[authentication_level]


@cache
def _callers() -> list[ssl.SSLContext]:
    return [client_context(level, None) for level in range(4)]


def client_context(level: int, own: Files | None) -> ssl.SSLContext:
    """Make a context of an authentication level for calling; raise ConfigurationError for files it cannot use."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = level >= 3
    context.verify_mode = ssl.CERT_REQUIRED if level >= 2 else ssl.CERT_NONE
    try:
        if own is not None and own.client_ca is not None:
            context.load_verify_locations(own.client_ca)
        elif level >= 2:
            context.load_default_certs()
        if own is not None:
            context.load_cert_chain(own.certificate, own.key, password=lambda: "")
    except OSError:
        raise ConfigurationError(
            "The server's certificate, key and CA files cannot be used for calling agents."
        ) from None
    return context
