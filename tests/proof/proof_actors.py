"""Who takes part in a proof: a PostgreSQL of its own, a zone server, drains, and agents that keep a ledger."""

import asyncio
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import psycopg
from proof_traffic import NAMESPACE, Ledger, read, registration
from push_agent import quiet_port

from sif_pipeline import database, zones
from sif_pipeline.config import Settings
from sif_pipeline.local import postgres
from sif_pipeline.zone import receive

HERE = Path(__file__).parent


class Cluster:
    """An embedded PostgreSQL of the test's own that may be killed."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, database_url=None)
        (home / "postgres").mkdir(parents=True)
        (home / "postgres" / "port").write_text(str(quiet_port()))
        self.url = postgres.start(self.settings)
        database.upgrade(self.url)

    def configure(self, line: str) -> None:
        """Add a setting that holds from the next start on."""
        with (self.settings.home / "postgres" / "data" / "postgresql.auto.conf").open("a") as file:
            file.write(line + "\n")

    def kill(self) -> None:
        """Kill the postmaster and all its children at once, as a power cut would end them."""
        pid = int((self.settings.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        postmaster = psutil.Process(pid)
        tree = [postmaster, *postmaster.children(recursive=True)]
        for process in tree:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(tree, timeout=60)

    def restart(self) -> None:
        postgres.start(self.settings)

    def stop(self) -> None:
        postgres.stop(self.settings)


class Server:
    """The zone server in a process of its own; `change` is code that takes something away from it first."""

    def __init__(self, url: str, log: Path, change: str = "") -> None:
        self.port, self._log = quiet_port(), log
        serve = "server.serve(sys.argv[1], '127.0.0.1', int(sys.argv[2]))"
        code = f"import sys\nfrom sif_pipeline.zone import receive, server\n{change}\n{serve}"
        self._command = [sys.executable, "-c", code, url, str(self.port)]
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def wait_until_ready(self) -> None:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if httpx.get(f"http://127.0.0.1:{self.port}/ready", timeout=10).status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError("the server did not come up: " + self._log.read_text()[-2000:])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(60)


class Nursery:
    """Forks drains and kills them."""

    def __init__(self, url: str, log: Path) -> None:
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "proof_nursery.py"), url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip
        assert self._process.stdout.readline() == "ready\n"

    def _ask(self, command: str) -> int:
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def fork(self, seed: int) -> psutil.Process:
        """Start a drain that goes on until it is killed."""
        return psutil.Process(self._ask(f"forever {seed}"))

    def drain(self, build: str) -> int:
        """Drain with a build to its end, or its death; give the exit status."""
        return self._ask(f"build {build}")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()
        self._log.close()


def add_zone(url: str, ledger: Ledger) -> None:
    with database.session(url) as connection:
        ledger.token = zones.add(connection, ledger.zone, "00350000")


class Agent(threading.Thread):
    """Sends its ledger in order over HTTP: a message again and again until it is acknowledged, then the next."""

    def __init__(self, ledger: Ledger, port: int, pause: float, again: int = 0) -> None:
        super().__init__(daemon=True)
        self.ledger, self.trouble = ledger, ""
        self._url = f"http://127.0.0.1:{port}/zone/{ledger.token}"
        self._pause, self._again = pause, again
        self.deadline = time.monotonic() + 600

    def run(self) -> None:
        with httpx.Client(timeout=5) as client:
            self._send(client, registration(self.ledger))
            for number, sent in enumerate(self.ledger.messages):
                if not self._send(client, sent.body):
                    return
                sent.acked = True
                if self._again and number % self._again == 0 and self._send(client, sent.body):
                    sent.sent_again += 1
                time.sleep(self._pause)

    def _send(self, client: httpx.Client, body: bytes) -> bool:
        """Send until there is an ack; False when the zone refuses, or time is up."""
        while time.monotonic() < self.deadline:
            with suppress(httpx.HTTPError):
                answer = client.post(self._url, content=body)
                if answer.status_code == 200:
                    return self._is_taken(answer.content)
                if answer.status_code != 503:
                    self.trouble = f"status {answer.status_code}"
                    return False
            time.sleep(0.05)
        self.trouble = "no ack in time"
        return False

    def _is_taken(self, ack: bytes) -> bool:
        status = read(ack).find(f".//{{{NAMESPACE}}}SIF_Status/{{{NAMESPACE}}}SIF_Code")
        if status is None or status.text not in ("0", "7"):
            self.trouble = "refused: " + ack.decode()
            return False
        return True


def deliver(url: str, ledger: Ledger) -> list[str]:
    """Deliver a ledger's messages to the receiving code without HTTP, mark what is acknowledged, give the answers."""

    async def each() -> list[str]:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            zone = await zones.find(connection, zones.token_hash(ledger.token))
            bodies = [registration(ledger), *(sent.body for sent in ledger.messages)]
            return [_code(await receive.receive(connection, zone, receive.read(body))) for body in bodies]

    answers = asyncio.run(each())[1:]
    for sent, answer in zip(ledger.messages, answers, strict=True):
        sent.acked = sent.acked or answer in ("0", "7")
    return answers


def _code(ack: bytes) -> str:
    root = read(ack)
    error = root.find(f".//{{{NAMESPACE}}}SIF_Error")
    if error is not None:
        return "/".join(error.findtext(f"{{{NAMESPACE}}}{part}", "") for part in ("SIF_Category", "SIF_Code"))
    return root.findtext(f".//{{{NAMESPACE}}}SIF_Status/{{{NAMESPACE}}}SIF_Code", "")


def stop_for(process: psutil.Process, seconds: float) -> None:
    """Stop a process and let it go on later, whatever became of it."""
    process.send_signal(signal.SIGSTOP)

    def wake() -> None:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGCONT)

    timer = threading.Timer(seconds, wake)
    timer.daemon = True
    timer.start()
