"""Small values made once and kept in files: a password or key only its owner may read, a port."""

import os
import secrets
import socket
import tempfile
from pathlib import Path

from sif_pipeline.exceptions import ConfigurationError


def secret(path: Path) -> str:
    """Read the secret in `path`; make a random one, of 64 URL-safe characters, when there is none."""
    return path.read_text(encoding="utf-8") if path.exists() else new_secret(path)


def new_secret(path: Path, value: str | None = None) -> str:
    """Write `value`, or a new random secret, to a file that only its owner may read; return it.

    The file appears under its name when it is whole and on disk: a crash leaves no empty secret.
    """
    value = value or secrets.token_urlsafe(48)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}.", delete=False) as new:  # mode 0600
        new.write(value)
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).replace(path)
    return value


def port(path: Path, first: int) -> int:
    """Take the port kept in `path` (at first `first`), or the next that no other program has, and keep it.

    Raise ConfigurationError when the next hundred are taken too.
    """
    wanted = int(path.read_text(encoding="utf-8")) if path.exists() else first
    found = next((port for port in range(wanted, wanted + 100) if is_free(port)), None)
    if found is None:
        raise ConfigurationError(f"No port from {wanted} to {wanted + 99} is free on 127.0.0.1.")
    path.write_text(str(found), encoding="utf-8")
    return found


def is_free(port: int) -> bool:
    """Tell whether no program listens on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
