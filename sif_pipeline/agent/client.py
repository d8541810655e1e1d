"""The wire to a zone: HTTP or HTTPS with a client certificate, gzip both ways, the same bytes until an ack comes."""

import gzip
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import httpx

from sif_pipeline.agent.answers import Answer, read_answer
from sif_pipeline.exceptions import ConfigurationError, SifPipelineError
from sif_pipeline.sif.naming import category


class ZoneSilent(SifPipelineError):
    """The zone does not answer; check its URL and that its server runs, then start the agent again."""


class ZoneRefuses(SifPipelineError):
    """The zone refuses this agent; check the zone's URL and the agent's SIF_SourceId with who runs the zone."""

    def __init__(self, what: str, answer: str, error: tuple[int, int] | None = None) -> None:
        super().__init__(f"{self.__doc__} It answered {what} with {answer}.")
        #: for a log, in codes and the standard's words: SIF_Desc is the zone's own, and may hold anything
        self.facts = {"message": what, "answer": answer} | ({"about": category(error[0])} if error else {})


@dataclass(frozen=True, slots=True)
class Line:
    """How to reach a zone, and how long to try."""

    url: str  #: of the zone, http or https
    certificate: Path | None = None  #: the agent's own certificate, PEM; with `key`, or its key in the same file
    key: Path | None = None  #: the certificate's private key, PEM
    authorities: Path | None = None  #: who vouches for the zone's certificate, PEM; the system's by default
    timeout: float = 30.0  #: seconds to wait for one reply
    patience: float = 300.0  #: seconds to go on without an ack before ZoneSilent
    headers: Mapping[str, str] = attribute(default_factory=dict)  #: sent with every message


class Wire:
    """One kept connection to a zone."""

    def __init__(self, line: Line) -> None:
        target = urlsplit(line.url)
        if target.scheme not in {"http", "https"} or not target.hostname:
            raise ConfigurationError("A zone's URL starts with http:// or https:// and names a host.")
        headers = {"Accept-Encoding": "gzip, identity", "User-Agent": "sif-pipeline", **line.headers}
        verify = _context(line) if target.scheme == "https" else False
        self.line = line
        self.compress = False  #: set when the zone has announced that it takes gzip
        self.resent = 0  #: messages sent again, for want of an ack
        self._client = httpx.Client(headers=headers, timeout=line.timeout, verify=verify, trust_env=False)

    def __enter__(self) -> Self:
        """Open the wire."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the connection."""
        self._client.close()

    def post(self, body: bytes, content_type: str = "") -> httpx.Response:
        """Send bytes once and return whatever the zone answers; httpx.TransportError where nothing comes."""
        headers = {"Content-Type": content_type} if content_type else {}
        if self.compress:
            headers, body = headers | {"Content-Encoding": "gzip"}, gzip.compress(body, 6)
        return self._client.post(self.line.url, content=body, headers=headers)

    def exchange(self, body: bytes, content_type: str = "") -> Answer:
        """Send a message until it has an ack, and return that; the bytes are the same each time.

        Raise ZoneRefuses for an HTTP status that sending again will not mend, ZoneSilent when patience ends.
        """
        for wait in waits(self.line.patience):
            answer = self._try(body, content_type)
            if answer is not None:
                return answer
            self.resent += 1
            time.sleep(wait)
        raise ZoneSilent

    def _try(self, body: bytes, content_type: str) -> Answer | None:
        """Send once; None where the message must be sent again, since nobody knows whether it arrived."""
        try:
            reply = self.post(body, content_type)
        except (httpx.TransportError, httpx.DecodingError):
            return None
        if reply.status_code >= 500 or reply.status_code in TRY_AGAIN:
            return None
        answer = read_answer(reply.content)
        if answer is None and reply.status_code >= 300:
            raise ZoneRefuses("a message", f"HTTP {reply.status_code}")
        if answer is None or is_passing(answer.code, answer.error[0] if answer.error else None):
            return None
        return answer


TRY_AGAIN: Final = frozenset({408, 425, 429})
"""HTTP statuses below 500 after which the same message may be taken."""

_SLEEPING = 8
_SYSTEM_ERRORS = {10, 11}  # SIF_Category transport and system: the zone's trouble, not the message's


def is_passing(status: int | None, category: int | None) -> bool:
    """Whether a SIF_Status or a SIF_Error's category asks for the message again, as it is."""
    return status == _SLEEPING or category in _SYSTEM_ERRORS


def waits(patience: float) -> Iterator[float]:
    """Yield how long to wait after each try: not at all (a stale connection), then doubling up to 10 s."""
    end, wait = time.monotonic() + patience, 0.1
    yield 0.0
    while time.monotonic() < end:
        yield wait
        wait = min(wait * 2, 10.0)


def _context(line: Line) -> ssl.SSLContext:
    """Make the TLS settings: who vouches for the zone, and what vouches for us. Raise ConfigurationError."""
    try:
        context = ssl.create_default_context(cafile=line.authorities)
        if line.certificate:
            context.load_cert_chain(line.certificate, line.key)
    except (OSError, ssl.SSLError):
        raise ConfigurationError("The agent's certificate or key, or the authorities, cannot be read as PEM.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
