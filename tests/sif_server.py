"""A zone server in a process of its own, for tests that talk to it over real sockets, and messages for it."""

import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import uuid4

import httpx
import psycopg
import pytest
from sif_official import hold

from sif_pipeline import zones
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.gate import open_message

START = """
import os, signal, sys
from sif_pipeline.zone import server, tls
from sif_pipeline.zone.http_limits import Bounds
from sif_pipeline.sif.gate import Limits
server.WAIT = 30
way = server.Way()
{change}
server.serve(sys.argv[1], "127.0.0.1", int(sys.argv[2]), limits=Limits(size=1_000_000), bounds=Bounds(
    header_seconds=60, body_seconds=60, progress_seconds=60, idle_seconds=60, header_bytes=16384, connections=200),
    way=way)
"""
"""It is patient: what a busy machine does slowly is neither cut nor refused, where that is not what is tested."""

IMPATIENT = """
server.LISTEN_OUT = 0.5
patient = Bounds
Bounds = lambda **given: patient(
    **given | {"header_seconds": 0.8, "body_seconds": 2.5, "progress_seconds": 0.8, "idle_seconds": 1.5})
"""
"""A change for tests of senders that are cut: on a busy machine it may cut good ones too."""

HURRIED = "server.LISTEN_OUT = server.WAIT = 0.5"
"""A change for tests of a database that cannot be had: on a busy machine it may be refused where it could."""

REGISTER = (
    "<SIF_Register>|<SIF_Name>SIS</SIF_Name><SIF_Version>2.6</SIF_Version><SIF_MaxBufferSize>1048576</SIF_MaxBufferSize>"
    "<SIF_Mode>Pull</SIF_Mode></SIF_Register>"
)


@dataclass
class Running:
    process: subprocess.Popen
    port: int
    database_url: str
    token: str
    lines: list
    scheme: str = "http"

    @property
    def base(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{self.base}/zone/{self.token}"

    def post(self, body, **options):
        return httpx.post(self.url, content=body, timeout=60, **options)

    def get(self, path):
        return httpx.get(f"{self.base}{path}", timeout=60)

    def zone(self):
        """Give the same server with a zone of the test's own."""
        with psycopg.connect(self.database_url) as connection:
            token = zones.add(connection, f"Zone-{uuid4().hex}", "01010000")
        return replace(self, token=token)

    def registered(self):
        """Give the same server with a zone in which the agent SIS is registered."""
        own = self.zone()
        assert answer(own.post(message(REGISTER))) == 0
        return own

    def allow(self, source_id, *kinds, object_name="*"):
        """Give an agent of the zone rights it does not have unless told so."""
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                "INSERT INTO inbox.access (zone_id, source_id, kind, object_name, allowed)"
                " SELECT zone_id, %s, unnest(%s::text[]), %s, TRUE FROM inbox.zone WHERE token_sha256 = %s",
                [source_id, list(kinds), object_name, zones.token_hash(self.token)],
            )

    def rows(self, query):
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(query).fetchall()

    def log(self):
        return [json.loads(line) for line in self.lines]


@contextmanager
def running(database_url, change="", port=0, scheme="http"):
    with psycopg.connect(database_url) as connection:
        token = zones.add(connection, f"Zone-{uuid4().hex}", "01010000")
    with started(database_url, token, change, port, scheme) as found:
        yield found


@contextmanager
def started(database_url, token, change="", port=0, scheme="http"):
    command = [sys.executable, "-c", START.format(change=change), database_url, str(port)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines = [process.stderr.readline()]
    reader = threading.Thread(target=lambda: lines.extend(process.stderr), daemon=True)
    reader.start()
    try:
        found = Running(process, json.loads(lines[0])["port"], database_url, token, lines, scheme)
        wait_until(lambda: httpx.get(found.base + "/ready", verify=False, timeout=60).status_code == 200)  # noqa: S501
        yield found
    finally:
        process.terminate()
        process.wait(60)
        reader.join(60)
        process.stderr.close()


def wait_until(condition, seconds=60):
    """Wait for what a good machine does in a moment; how long it may take says nothing of how long it should."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if condition():
                return
        except (httpx.TransportError, psycopg.OperationalError):
            pass
        time.sleep(0.02)
    pytest.fail("waited in vain")


def message(body, msg_id=None, source="SIS", pad=""):
    opened, closed = body.split("|")
    return (
        f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6">{opened}<SIF_Header><SIF_MsgId>{msg_id or uuid4().hex.upper()}'
        f"</SIF_MsgId><SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>{source}</SIF_SourceId>"
        f"</SIF_Header>{closed}</SIF_Message>{pad}"
    ).encode()


def event(msg_id=None, pad="", source="SIS"):
    return message(
        '<SIF_Event>|<SIF_ObjectData><SIF_EventObject ObjectName="LEAInfo" Action="Add"><LEAInfo RefId="FF34557E5470'
        f"82FAA4E584716248B7F0\"><LEAName>Canary Amelia O'Brien {pad}</LEAName></LEAInfo></SIF_EventObject>"
        "</SIF_ObjectData></SIF_Event>",
        msg_id,
        source,
    )


def answer(response):
    assert response.status_code == 200, (response.status_code, response.text)
    hold(response.content)
    found = {e.tag.rpartition("}")[2]: e.text for e in open_message(response.content).iter()}
    return (int(found["SIF_Category"]), int(found["SIF_Code"])) if "SIF_Category" in found else int(found["SIF_Code"])
