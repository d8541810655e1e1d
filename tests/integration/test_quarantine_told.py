"""A drain that had to put a message into quarantine says so, names the way out, and ends with exit code 1."""

import os
import subprocess
import sys

import pytest
import sif_text as sif


@pytest.fixture
def zone(database_url):
    with sif.connected(database_url) as connection:
        yield sif.Inbox.new(connection)


def run(url, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "sif_pipeline", *arguments], env={**os.environ, "SIF_DATABASE_URL": url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_quarantine_is_told_with_the_way_out_and_the_way_out_works(database_url, zone):
    fault = "ALTER TABLE sif.student_personal ADD CONSTRAINT fault CHECK (local_id <> 'B')"
    zone.connection.execute(fault)
    zone.put(*(sif.event("Add", sif.student(word, word), at=sif.minute(1)) for word in "ABC"))
    done = run(database_url, "drain")
    assert done.returncode == 1
    assert done.stdout == "2 messages: 2 objects loaded, 0 held, 0 rejected, 1 message quarantined.\n"
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("1 message is in quarantine")
    assert "`sif-pipeline replay --zone ZONE`" in sentence
    assert sif.ref("B") not in sentence
    assert zone.states() == ["done", "quarantined", "done"]

    replay = ("replay", "--zone", zone.name)
    assert run(database_url, *replay).returncode == 1  # the fault is there still
    assert zone.states() == ["done", "quarantined", "done"]
    again = run(database_url, "drain")
    assert (again.returncode, again.stderr) == (0, "")  # nothing was quarantined in this run
    zone.connection.execute("ALTER TABLE sif.student_personal DROP CONSTRAINT fault")
    mended = run(database_url, *replay)
    assert (mended.returncode, mended.stderr) == (0, "")
    assert zone.states() == ["done"] * 3
    assert set(zone.documents()) == {sif.ref(word) for word in "ABC"}
