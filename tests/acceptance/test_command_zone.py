"""Renewing a zone's URL, as a person does it."""

import os
import subprocess
import sys

import psycopg


def zone(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sif_pipeline", "zone", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "SIF_DATABASE_URL": url},
    )


def test_a_renewed_zone_has_its_new_url_only(database_url: str) -> None:
    old = zone(database_url, "add", "north", "--lea", "09990001").stdout
    new = zone(database_url, "renew", "north", "--url", "https://sif.example.org/").stdout
    assert new.startswith("https://sif.example.org/zone/")
    with psycopg.connect(database_url) as connection:
        ask = "SELECT name FROM inbox.zone WHERE token_sha256 = sha256(%s)"
        found = [connection.execute(ask, [url.strip().split("/")[-1].encode()]).fetchone() for url in (old, new)]
    assert found == [None, ("north",)]


def test_renewing_a_zone_that_is_not_there_is_one_sentence(database_url: str) -> None:
    run = zone(database_url, "renew", "nowhere")
    (line,) = run.stderr.strip().splitlines()
    assert (run.returncode, run.stdout) == (2, "")
    assert "`sif-pipeline status` lists the zones" in line
