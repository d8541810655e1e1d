"""Twenty seconds of mutated HTTP against a live server, by TLS too: it answers or hangs up, and stays well."""

import gzip
import os
import random
import re
import socket
import ssl
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
import trustme
from fuzz_gate import by_bytes
from sif_server import IMPATIENT, REGISTER, answer, event, message, running

TOKENS = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"Content-Length: 0\r\n", b"Content-Length: 18446744073709551616\r\n",
    b": ", b"\0", b"Transfer-Encoding: chunked\r\n", b"0\r\n\r\n", b"ffffffff\r\n", b"1;x=y\r\n", b"HTTP/1.0",
    b"HTTP/9.9", b"%00", b"%zz", b"?", b"Connection: close\r\n",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\n", b"Expect: 100-continue\r\n", b"A: " + b"b" * 20_000,
    b"Content-Encoding: gzip\r\n", b"GET ", b"CONNECT x:1 ", b"http://[::1", b"\xff",
    b"\x16\x03\x01\x02\x00\x01\x00", b"PRI * HTTP/2.0",
]  # fmt: skip


@pytest.fixture(scope="module")
def papers(tmp_path_factory):
    folder, ca = tmp_path_factory.mktemp("papers"), trustme.CA()
    made = ca.issue_cert("127.0.0.1")
    made.private_key_pem.write_to_path(folder / "server.key")
    made.cert_chain_pems[0].write_to_path(folder / "server.pem")
    return folder


def sound(token):
    """Give requests of every kind that a server may get."""
    body = message(REGISTER)
    packed, small = gzip.compress(event()), event()
    start = f"POST /zone/{token} HTTP/1.1\r\nHost: x\r\n".encode()
    whole = start + f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    return [
        whole,
        whole * 3,
        start + f"Content-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode() + packed,
        start + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(small) + small + b"\r\n0\r\n\r\n",
        start.replace(b"1.1", b"1.0") + f"Content-Length: {len(small)}\r\n\r\n".encode() + small,
        b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde",
    ]


def mutated(draw, request, others):
    """Change a request's bytes, now and then by what means something in HTTP."""
    if draw.random() < 0.5:
        place = draw.randrange(min(len(request), 300))
        request = request[:place] + draw.choice(TOKENS) + request[place + draw.choice((0, 0, 1, 20)) :]
    return by_bytes(draw, request, others) if draw.random() < 0.7 else request


def said(port, request, context):
    """Send a request and give the status of the first answer, or what came instead of one within a minute."""
    got = b""
    try:
        with (
            closing(socket.create_connection(("127.0.0.1", port), timeout=60)) as plain,
            closing(context.wrap_socket(plain) if context else plain) as link,
        ):
            link.sendall(request)
            if not context:
                link.shutdown(socket.SHUT_WR)
            got = link.recv(100)
    except TimeoutError:
        return "silence"
    except OSError:
        pass
    return got[9:12].decode() or "hung up"


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_whatever_comes_is_answered_or_cut_and_the_next_message_is_taken(module_database_url, papers, secure):
    """SIF_FUZZ_SECONDS (a sixth of them each, or longer) and SIF_FUZZ_SEED say how long and from where."""
    seed = int(os.environ.get("SIF_FUZZ_SEED", random.randrange(1_000_000)))
    print(f"SIF_FUZZ_SEED={seed}")
    draw, told, usual = random.Random(seed), Counter(), {"200", "400", "404"}
    files = f"tls.Files(Path({str(papers / 'server.pem')!r}), Path({str(papers / 'server.key')!r}))"
    change = IMPATIENT + (f"from pathlib import Path\nway = server.Way(tls.ServerTls({files}))" if secure else "")
    context = None
    if secure:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with running(module_database_url, change, scheme="https" if secure else "http") as found:
        before, requests = memory(found), sound(found.token)
        seconds = float(os.environ.get("SIF_FUZZ_SECONDS", "60")) / 6
        start = time.monotonic()
        while (lasting := time.monotonic() - start) < seconds or (usual - told.keys() and lasting < 10 * seconds):
            told[said(found.port, mutated(draw, draw.choice(requests), requests), context)] += 1
        print(told)
        assert found.post(message(REGISTER, source="LAST"), verify=False).status_code == 200
        assert answer(found.post(event(source="LAST"), verify=False)) == 0
        assert memory(found) - before < 48
    assert {"500", "503", "silence"} & told.keys() == set()
    assert usual - told.keys() == set()
    assert {line["event"] for line in found.log()} <= EVENTS


EVENTS = {
    "listening", "delivering", "http_refused", "message_refused", "message_repeated", "unknown_url", "certificate_ends",
    "tls_refused",    "stopped",
}  # fmt: skip


def memory(found):
    status = Path(f"/proc/{found.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024
