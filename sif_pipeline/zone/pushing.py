"""Sending one message to a push agent by HTTP(S), and reading the SIF_Ack in its answer.

An agent chose the URL itself, so that nothing is believed of what is behind it: no redirects, no proxies or passwords
from the environment, a bounded answer that goes through the gate, and no error text passed on. It knows no database.
"""

import asyncio
import gzip
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import httpx

from sif_pipeline.sif.gate import Limits, Refused, open_message
from sif_pipeline.sif.messages import read_message
from sif_pipeline.sif.requests import Answer
from sif_pipeline.zone import names
from sif_pipeline.zone.inflating import NotGzip, TooLarge, inflated

ANSWER_BYTES: Final = 64 * 1024
"""Largest answer of an agent that is read: an ack has about one thousandth of that."""

PACKED_FROM: Final = 1400
"""Bytes of a message from which gzip is worth its while."""

CONNECT_SECONDS: Final = 10.0
"""Seconds for a connection to an agent."""


NOT_TRUSTED: Final = "certificate"
"""The kind of failure where the agent's certificate is none that the authentication level asks for."""


class Failed(Exception):
    """A delivery that did not bring the agent's SIF_Ack; its kind has no value of the message or the URL in it."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(slots=True)
class Line:
    """The way to one agent: what is sent goes to the addresses that were checked, whatever the name means later."""

    client: httpx.AsyncClient
    url: httpx.URL  #: as the agent registered it
    addresses: list[str]  #: IP addresses that may be called, best first; those that are not there are taken off


@asynccontextmanager
async def line(url: str | None, addresses: list[str], context: ssl.SSLContext | None) -> AsyncIterator[Line]:
    """Give the way to one agent, whose connection is kept; `context` is for HTTPS, plain HTTP needs none."""
    async with httpx.AsyncClient(
        verify=context or False,  # without a context no HTTPS is spoken on it
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        headers={"accept-encoding": "gzip", "user-agent": "sif-pipeline"},
        limits=httpx.Limits(max_connections=1),
    ) as client:
        yield Line(client, _parsed(url), list(addresses))


def is_secure(url: str | None) -> bool:
    """Tell whether a registered URL is one of HTTPS."""
    return (url or "").lower().startswith("https:")


async def push(line: Line, body: bytes, *, packed: bool, seconds: float) -> bytes:
    """POST a message and return the agent's answer, inflated; raise Failed, also after so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await _exchange(line, body, packed=packed)
    except (TimeoutError, httpx.TimeoutException):
        raise Failed("timeout") from None
    except httpx.ConnectError as error:
        raise Failed(_kind_of(error)) from None
    except httpx.HTTPError:
        raise Failed("connection") from None


_NAMES: Final = names.threads("names-of-agents")


async def check(url: str | None, *, loopback: bool) -> list[str]:
    """Give the IP addresses a URL leads to, or raise Failed: it is none of http or https, or one leads where none may.

    None may lead to an address of a network's own services, and to this machine itself only with `loopback`. Whatever
    the host is written as counts for what it resolves to: 2852039166 is 169.254.169.254 too.
    """
    host = _parsed(url).raw_host.decode("ascii")
    try:
        found = await names.addresses(_NAMES, host, CONNECT_SECONDS)
    except OSError:
        raise Failed("no_connection") from None
    if any(_is_forbidden(_meant(address), loopback=loopback) for address in found):
        raise Failed("url")
    return found


def _is_forbidden(address: ipaddress.IPv4Address | ipaddress.IPv6Address, *, loopback: bool) -> bool:
    """Tell whether an IP address is one that machines of a network, or of a cloud, find their services at."""
    is_of_services = address.is_link_local or address.is_multicast or address.is_unspecified or address in _SERVICES
    return is_of_services or (address.is_loopback and not loopback)


_SERVICES: Final = ipaddress.ip_network("fd00:ec2::/32")
"""Services of a large cloud, by IPv6."""

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 addresses as machines with IPv6 alone reach them (RFC 6052)."""


def _meant(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Unwrap the IPv4 address that an IPv6 address leads to: mapped, translated (NAT64) or tunnelled (6to4, Teredo)."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _NAT64:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else found)


def _parsed(url: str | None) -> httpx.URL:
    try:
        parsed = httpx.URL(url or "")
    except httpx.InvalidURL:
        raise Failed("url") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise Failed("url")
    return parsed


async def _exchange(line: Line, body: bytes, *, packed: bool) -> bytes:
    headers = {"content-type": "application/xml;charset=utf-8", "host": line.url.netloc.decode("ascii")}
    if packed and len(body) >= PACKED_FROM:
        body = await asyncio.to_thread(gzip.compress, body, 6)
        headers["content-encoding"] = "gzip"
    while True:
        try:
            return await _post(line, body, headers)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:  # nothing was sent: another address may be there
            if len(line.addresses) == 1 or _kind_of(error) != "no_connection":
                raise
            line.addresses.pop(0)


async def _post(line: Line, body: bytes, headers: dict[str, str]) -> bytes:
    """POST to the first address, with the agent's name in HTTP and TLS: nobody looks the name up again."""
    url = line.url.copy_with(host=line.addresses[0])
    named = {"sni_hostname": line.url.raw_host.decode("ascii")}
    async with line.client.stream("POST", url, content=body, headers=headers, extensions=named) as response:
        if response.status_code != httpx.codes.OK:
            raise Failed(f"http_{response.status_code}")
        answer = b""
        async for part in response.aiter_raw():
            answer += part
            if len(answer) > ANSWER_BYTES:
                raise Failed("answer_too_large")
        return _inflated(answer, response.headers.get("content-encoding", "identity").strip().lower())


def _inflated(answer: bytes, encoding: str) -> bytes:
    if encoding in ("", "identity"):
        return answer
    if encoding not in ("gzip", "x-gzip"):
        raise Failed("answer_encoding")
    try:
        return inflated(answer, ANSWER_BYTES)
    except NotGzip:
        raise Failed("answer_encoding") from None
    except TooLarge:
        raise Failed("answer_too_large") from None


def _kind_of(error: BaseException | None) -> str:
    """Name what kept a connection from being made: the agent's certificate, something else of TLS, or neither.

    Only a certificate says for sure that the agent is not as secure as asked: a handshake may break off for a moment.
    """
    kind = "no_connection"
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return NOT_TRUSTED
        if isinstance(error, ssl.SSLError):
            kind = "tls"
        error = error.__cause__ or error.__context__
    return kind


_LIMITS: Final = Limits(size=ANSWER_BYTES, elements=1000)


def read_answer(body: bytes, msg_id: str) -> Answer:
    """Read the SIF_Ack to the message with this SIF_MsgId, or raise Failed.

    An error may name no message: who could not read one cannot repeat its SIF_MsgId.
    """
    try:
        message = read_message(open_message(body, _LIMITS))
    except Refused:
        raise Failed("answer_no_sif") from None
    answer = message.answer
    if answer is None:
        raise Failed("answer_no_ack")
    if answer.original_msg_id not in ((msg_id, None) if answer.error else (msg_id,)):
        raise Failed("answer_to_another")
    return answer
