"""A zone server of one's own: the real one, in a process of its own, on a port of its own."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import httpx
from psycopg.sql import SQL, Identifier

from sif_pipeline import zones
from sif_pipeline.database import session, upgrade
from sif_pipeline.exceptions import SifPipelineError
from sif_pipeline.zone import access, identity


class ServerNotUp(SifPipelineError):
    """The zone server did not start; what it said on standard error is above, or in the test's output."""


@dataclass(frozen=True, slots=True)
class ZoneUnderTest:
    """One zone of a server: where agents reach it, and where its records are."""

    name: str
    url: str  #: for agents
    database_url: str  #: of the warehouse

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """Ask the zone's records; `%(zone)s` in the query is the zone's name."""
        with session(self.database_url) as connection:
            return connection.execute(query.encode(), {"zone": self.name, **values}).fetchall()

    def allow(self, source_id: str, *rights: str, object_name: str = access.ANYTHING) -> None:
        """Give an agent rights it does not have unless told so, in plain words: subscribe, request, ..."""
        with session(self.database_url) as connection:
            for right in rights:
                access.set_rule(connection, self.name, access.Rule(source_id, access.WORDS[right], object_name, True))  # noqa: FBT003

    def let_in(self, certificate: Path, source_id: str | None = None) -> None:
        """Let a client certificate (PEM) identify an agent of the zone, or any agent of it."""
        with session(self.database_url) as connection:
            identity.add(connection, self.name, certificate, source_id)

    def require(self, *, authentication: int | None = None, encryption: int | None = None) -> None:
        """Ask for levels of security: SIF_AuthenticationLevel 0 to 3, SIF_EncryptionLevel 0 to 4."""
        with session(self.database_url) as connection:
            identity.require(connection, self.name, authentication=authentication, encryption=encryption)


@dataclass(slots=True)
class ZoneServer:
    """A running zone server; `stop` and `start` play outages."""

    database_url: str
    arguments: Sequence[str] = ()  #: more options of `sif-pipeline serve`
    environment: Mapping[str, str] = field(default_factory=dict)  #: more environment variables
    port: int = 0
    secure: bool = False  #: whether it speaks HTTPS
    lines: list[str] = field(default_factory=list)  #: what it logged
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process and wait until it answers; the port stays the same for the server's life."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sif_pipeline", "serve", "--port", str(self.port), *self.arguments],
            env={**os.environ, "SIF_DATABASE_URL": self.database_url, **self.environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        self.port = self._announced(self.process)
        self._wait()

    def stop(self, *, kill: bool = False) -> None:
        """Stop the process in good order; with `kill`, at once and in whatever it is doing."""
        if self.process is None:
            return
        (self.process.kill if kill else self.process.terminate)()
        self.process.wait(60)
        self.process = None

    def zone(self, name: str = "", *, lea: str = "01010000", **settings: object) -> ZoneUnderTest:
        """Make a zone; `settings` are columns of inbox.zone, such as is_sandbox=True."""
        chosen = name or f"zone-{uuid4().hex[:12]}"
        with session(self.database_url) as connection:
            token = zones.add(connection, chosen, lea)
            for column, value in settings.items():
                connection.execute(_SET.format(Identifier(column)), {"name": chosen, "value": value})
        scheme = "https" if self.secure else "http"
        return ZoneUnderTest(chosen, f"{scheme}://127.0.0.1:{self.port}/zone/{token}", self.database_url)

    def _announced(self, process: subprocess.Popen[str]) -> int:
        """Read the log up to the line that names the port, and go on reading in a thread."""
        output = process.stderr
        assert output is not None  # noqa: S101 -- it is a pipe: see start
        for line in output:
            self.lines.append(line)
            if '"listening"' in line:
                threading.Thread(target=self._read, args=(output,), daemon=True).start()
                return int(json.loads(line)["port"])
        output.close()
        raise ServerNotUp(f"{ServerNotUp.__doc__}\n{''.join(self.lines[-20:])}")

    def _read(self, output: IO[str]) -> None:
        with output:
            self.lines.extend(output)

    def _wait(self) -> None:
        end = time.monotonic() + 60
        while not self._is_ready():
            if time.monotonic() > end:
                raise ServerNotUp
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        """Whether the port takes connections; over TLS nothing more can be asked without a certificate."""
        if self.secure:
            return True
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/ready", trust_env=False).is_success
        except httpx.TransportError:
            return False


_SET = SQL("UPDATE inbox.zone SET {} = %(value)s WHERE name = %(name)s")


@contextmanager
def zone_server(
    database_url: str,
    arguments: Sequence[str] = (),
    *,
    home: Path | None = None,
    secure: bool = False,
) -> Iterator[ZoneServer]:
    """Run a zone server over a PostgreSQL database, whose tables are made where they are missing.

    `arguments` are more options of `sif-pipeline serve`; say `secure` when they make it speak HTTPS.
    """
    upgrade(database_url)
    environment = {"SIF_HOME": str(home)} if home else {}
    server = ZoneServer(database_url, arguments, environment, secure=secure)
    try:
        server.start()
        yield server
    finally:
        server.stop()
