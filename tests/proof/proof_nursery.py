"""A process that has imported everything and forks drains, so that a killed one is replaced within milliseconds.

Commands on standard input, one a line: `forever SEED` forks a drain that goes on until it is killed, and answers with
its pid; `build NAME` or `build NAME dies` runs a drain of that build and answers with its exit status. Ends with its
input.
"""

import logging
import os
import random
import signal
import sys
import time

import proof_builds
import psycopg
from lxml import etree

from sif_pipeline.database import connect
from sif_pipeline.exceptions import DatabaseUnreachable
from sif_pipeline.loading import drain, writing
from sif_pipeline.loading.drain import Limits
from sif_pipeline.sif import schema


def drain_forever(url: str, seed: int) -> None:
    """Drain small batches, slowly, until killed; come back when the database was away."""
    rng, parent = random.Random(seed), os.getppid()
    slow_down(rng)
    settings = drain.SESSION | {"idle_in_transaction_session_timeout": "1s"}
    while os.getppid() == parent:
        try:
            with connect(url, settings, autocommit=True) as connection:
                while os.getppid() == parent:
                    if drain.drain_batch(connection, Limits(messages=rng.randint(1, 6))) is None:
                        time.sleep(0.01)
        except (psycopg.OperationalError, DatabaseUnreachable):
            time.sleep(0.1)


def slow_down(rng: random.Random) -> None:
    """Linger before and after writing and after settling, so that a kill finds the drain at every step."""
    write, settle = writing.write, drain._settle

    def write_slowly(*arguments):
        time.sleep(rng.random() * 0.06)
        write(*arguments)
        time.sleep(rng.random() * 0.06)

    def settle_slowly(*arguments):
        summary = settle(*arguments)
        time.sleep(rng.random() * 0.06)
        return summary

    writing.write, drain._settle = write_slowly, settle_slowly


def fork(work, *arguments) -> int:
    if pid := os.fork():
        return pid
    status = 1
    try:
        work(*arguments)
        status = 0
    finally:
        sys.stderr.flush()
        os._exit(status)


def main(url: str) -> None:
    for profile in schema.Profile:
        schema.is_valid(etree.Element("warm-up"), profile)
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # it warns of rollbacks that a dead server cannot do
    print("ready", flush=True)
    children = set()
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        for pid in list(children):
            if os.waitpid(pid, os.WNOHANG)[0]:
                children.discard(pid)
        if command == "forever":
            pid = fork(drain_forever, url, int(argument))
            children.add(pid)
            print(pid, flush=True)
        else:
            _, status = os.waitpid(fork(proof_builds.drain_with, argument, url), 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    main(sys.argv[1])
