"""Looking up host names, in threads of their own: a name whose servers are silent holds up nothing but other names.

The standard library's event loop looks names up in the threads in which big messages are read and compressed, and
without a bound in time.
"""

import asyncio
import ipaddress
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

THREADS: Final = 4
"""Names looked up at the same time, for each who asks."""


def threads(name: str) -> ThreadPoolExecutor:
    """Give the threads in which somebody has names looked up."""
    return ThreadPoolExecutor(THREADS, thread_name_prefix=name)


async def addresses(executor: ThreadPoolExecutor, host: str, seconds: float) -> list[str]:
    """Give the IP addresses a host is at, best first and without scopes; an address in any spelling is its own.

    Raise OSError when there are none, or none was found within so many seconds.
    """
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    async with asyncio.timeout(seconds):
        found = await asyncio.get_running_loop().run_in_executor(executor, _addresses, host)
    return list(dict.fromkeys(found))


def _addresses(host: str) -> list[str]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise OSError("No host has such a name.") from None
    return [str(address[0]).partition("%")[0] for *_, address in found]
