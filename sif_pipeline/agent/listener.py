"""The port of a push agent: takes what a zone posts, and answers each message with the agent's SIF_Ack.

It is as strict as the zone server about senders that are slow, endless or no HTTP. One message is handled at a time,
in the order of arrival: what the agent makes of them may depend on it.
"""

import asyncio
import hmac
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import AF_INET, AF_INET6, create_server, socket
from ssl import CERT_NONE, CERT_REQUIRED
from typing import Any

import uvicorn

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif.gate import Limits
from sif_pipeline.zone.http_limits import Bounds, bounded
from sif_pipeline.zone.inflating import NotGzip, TooLarge, inflated

Handle = Callable[[bytes], bytes | None]
"""Gets a message and returns the SIF_Ack to it; None when there is none, and the zone must send it again."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a push agent listens, and how it shows who it is."""

    host: str = "127.0.0.1"
    port: int = 0  #: 0: any that is free
    certificate: Path | None = None  #: PEM; with it the port speaks HTTPS
    key: Path | None = None  #: the certificate's private key, PEM
    authorities: Path | None = None  #: who vouches for the zone's certificate, PEM; the zone must then show one
    size: int = Limits().size  #: bytes of the largest message taken, inflated
    path: str = ""  #: the only path that is answered, without slashes: a secret keeps others out; empty: any


@contextmanager
def listening(address: Address, handle: Handle) -> Iterator[str]:
    """Listen in a thread and give the URL for the zone; on leaving, finish what is at hand and close the port."""
    with _opened(address) as opened:
        server = uvicorn.Server(_configuration(address, Port(handle, address)))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [opened]}, name="push listener")
        thread.start()
        try:
            yield _url(address, opened)
        finally:
            server.should_exit = True
            thread.join()


def _opened(address: Address) -> socket:
    try:
        return create_server(
            (address.host, address.port), family=AF_INET6 if ":" in address.host else AF_INET, backlog=64
        )
    except OSError as error:
        raise ConfigurationError(
            f"Port {address.port} on {address.host} cannot be used ({error.strerror}); listen on another."
        ) from None


def _url(address: Address, opened: socket) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{'https' if address.certificate else 'http'}://{host}:{opened.getsockname()[1]}/{address.path}"


def _configuration(address: Address, port: "Port") -> uvicorn.Config:
    try:
        configuration = uvicorn.Config(
            port,
            http=bounded(Bounds(connections=64)),
            loop="asyncio",
            ws="none",
            interface="asgi3",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=10,
            ssl_certfile=address.certificate,
            ssl_keyfile=address.key,
            ssl_ca_certs=str(address.authorities) if address.authorities else None,
            ssl_cert_reqs=CERT_REQUIRED if address.authorities else CERT_NONE,
        )
        configuration.load()
    except OSError:
        raise ConfigurationError("The listener's certificate or key cannot be read as PEM.") from None
    return configuration


class Port:
    """The ASGI application: POST only, one message at a time."""

    def __init__(self, handle: Handle, address: Address) -> None:
        self._handle, self._size, self._path = handle, address.size, address.path
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        status, body = await self._answer(scope, receive)
        headers = [(b"content-type", b"application/xml;charset=utf-8"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Scope, receive: Receive) -> tuple[int, bytes]:
        if self._path and not hmac.compare_digest(scope["path"].strip("/").encode(), self._path.encode()):
            return 404, b""
        if scope["method"] != "POST":
            return 405, b""
        body = await self._body(scope, receive)
        if body is None:
            return 413, b""
        async with self._turn:
            ack = await asyncio.to_thread(self._handle, body)
        return (503, b"") if ack is None else (200, ack)

    async def _body(self, scope: Scope, receive: Receive) -> bytes | None:
        """Read the body, inflated where it is compressed; None for one that is too large or cut short."""
        body, more = bytearray(), True
        while more:
            part = await receive()
            body += part.get("body", b"")
            if part["type"] == "http.disconnect" or len(body) > self._size:
                return None
            more = part.get("more_body", False)
        compressed = any(key == b"content-encoding" and b"gzip" in value for key, value in scope["headers"])
        try:
            return inflated(bytes(body), self._size) if compressed else bytes(body)
        except (NotGzip, TooLarge):
            return None
