"""Housekeeping deletes what is old, and never a message."""

import os
import time
from datetime import timedelta
from pathlib import Path

import psycopg

from sif_pipeline import housekeeping, zones
from sif_pipeline.config import PROJECT
from sif_pipeline.files import receiving


def test_tidy_deletes_old_audit_rows_and_no_message(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        zones.add(connection, "North", "0001")
        rows = "INSERT INTO inbox.audit (at, event) VALUES (now() - %s * interval '1 day', %s)"
        connection.cursor().executemany(rows, [(400, "old"), (300, "young")])
    receiving.receive_path(database_url, "North", PROJECT / "tests/examples/LEAInfo/valid/minimal.xml")
    assert housekeeping.tidy(database_url) == 1
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT event FROM inbox.audit").fetchall() == [("young",)]
        assert connection.execute("SELECT count(*) FROM inbox.message").fetchone() == (1,)


def test_tidy_deletes_what_left_its_queue_long_ago_and_nothing_that_waits(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        zones.add(connection, "North", "0001")
        rows = (
            "INSERT INTO outbox.message (zone_id, source_id, sender_id, msg_id, message_type, body, state, created_at,"
            " settled_at) SELECT zone_id, 'SIS', 'X', %(msg)s, 'SIF_Event', 'x', %(state)s, now() - interval '1 year',"
            " now() - %(days)s * interval '1 day' FROM inbox.zone"
        )
        for msg, state, days in (
            ("A", "done", 31), ("B", "dropped", 31), ("C", "done", 29), ("D", "queued", None), ("E", "blocked", None)
        ):  # fmt: skip
            connection.execute(rows, {"msg": msg, "state": state, "days": days})
    assert housekeeping.tidy(database_url) == 2
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT string_agg(msg_id, '' ORDER BY msg_id) FROM outbox.message").fetchone()
    assert found == ("CDE",)


def test_tidy_deletes_refusals_that_did_not_come_again(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        zones.add(connection, "North", "0001")
        row = (
            "INSERT INTO inbox.refusal (zone_id, source_id, category, code, fault, sentence, first_at, last_at)"
            " SELECT zone_id, 'SIS', 4, %(code)s, '', '', now() - interval '2 years',"
            " now() - %(days)s * interval '1 day' FROM inbox.zone"
        )
        connection.cursor().executemany(row, [{"code": 3, "days": 400}, {"code": 4, "days": 300}])
    assert housekeeping.tidy(database_url) == 1
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT code FROM inbox.refusal").fetchall() == [(4,)]


def test_tidy_deletes_requests_that_ended_long_ago(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        zones.add(connection, "North", "0001")
        connection.execute("INSERT INTO outbox.sync (zone_id, object_name) SELECT zone_id, 'LEAInfo' FROM inbox.zone")
        row = (
            "INSERT INTO outbox.request (zone_id, source_id, msg_id, object_name, destination_id, max_buffer_size,"
            " expires_at, state, ended_at, sync_id) SELECT zone_id, 'X', %(msg)s, 'LEAInfo', %(asked)s, 1, now(),"
            " %(state)s, now() - %(days)s * interval '1 day', CASE WHEN %(sync)s THEN sync_id END"
            " FROM inbox.zone JOIN outbox.sync USING (zone_id)"
        )
        for msg, asked, state, days, sync in (
            ("A", "SIS", "complete", 400, False), ("B", "SIS", "timed_out", 400, False),
            ("C", "SIS", "complete", 300, False), ("D", "SIS", "open", None, False),
            ("E", "SIS", "complete", 400, True), ("F", "", "complete", 400, False), ("G", "", "failed", 400, False),
        ):  # fmt: skip
            connection.execute(row, {"msg": msg, "asked": asked, "state": state, "days": days, "sync": sync})
    assert housekeeping.tidy(database_url) == 3
    with psycopg.connect(database_url) as connection:
        found = connection.execute("SELECT string_agg(msg_id, '' ORDER BY msg_id) FROM outbox.request").fetchone()
    assert found == ("CDEF",)


def test_tidy_deletes_old_records_of_sandboxes(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        zones.add(connection, "Trials", "0000")
        for days in (400, 300):
            connection.execute(
                "INSERT INTO inbox.exchange (zone_id, at, said, bytes, answer)"
                " SELECT zone_id, now() - %s * interval '1 day', 'SIF_Ping', 1, '0' FROM inbox.zone",
                [days],
            )
    assert housekeeping.tidy(database_url) == 1


def test_old_files_go_and_empty_folders_with_them(tmp_path: Path) -> None:
    for name, days in (("run1/old.log", 40), ("run2/young.log", 1), ("run2/old.log", 40)):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.touch()
        os.utime(file, (time.time() - days * 86400,) * 2)
    assert housekeeping.remove_old_files(tmp_path, kept=timedelta(days=30)) == 2
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()] == ["run2/young.log"]
    assert not (tmp_path / "run1").exists()
