"""Canaries: students whose every value is unique go down every path, and sing nowhere but in the vaults.

The vaults are the bodies in the inbox and the tables of the objects. Everything else the pipeline writes is searched:
standard output and error of every command, the server's log, PostgreSQL's log, every other table, every file.
"""

import gzip
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

import httpx
import psutil
import psycopg
import pytest
import sif_text as sif
from proof_actors import Cluster, Server, add_zone
from proof_traffic import Ledger, registration
from psycopg import sql

SECRETS = {
    "last": "Zwieselhuber", "first": "Quirina", "local": "LASID-77310942", "state": "9046613058", "birth": "2013-07-29",
    "street": "4711 Kolibri Lane", "phone": "(978) 555-0137", "mail": "quirina@zwieselhuber.example",
}  # fmt: skip
"""One synthetic student; no value of it is anywhere else in the project."""


def address(country="<Country>US</Country>"):
    return (
        f'<AddressList><Address Type="0123"><Street><Line1>{SECRETS["street"]}</Line1></Street><City>Athol</City>'
        f"<StateProvince>MA</StateProvince>{country}<PostalCode>01331</PostalCode></Address></AddressList>"
    )


def canary(word, birth=SECRETS["birth"], more="", local=SECRETS["local"]):
    return (
        f'<StudentPersonal RefId="{sif.ref(word)}"><LocalId>{local}</LocalId>'
        f"<StateProvinceId>{SECRETS['state']}</StateProvinceId><Name Type='04'><LastName>{SECRETS['last']}</LastName>"
        f"<FirstName>{SECRETS['first']}</FirstName></Name><Demographics><BirthDate>{birth}</BirthDate></Demographics>"
        f"{address()}<PhoneNumberList><PhoneNumber Type='0096'><Number>{SECRETS['phone']}</Number></PhoneNumber>"
        f"</PhoneNumberList><EmailList><Email Type='Primary'>{SECRETS['mail']}</Email></EmailList>{more}"
        "</StudentPersonal>"
    )


def change(word, parts):
    return sif.event("Change", sif.sparse("StudentPersonal", word, parts), at=sif.minute(5))


INVALID = {
    "a date": canary("bad date", birth=f"born {SECRETS['birth']}"),
    "a code": canary("bad code", more=f"<IDEA>{SECRETS['last']}</IDEA>"),
    "a vendor's element": canary("vendor", more=f"<Nickname>{SECRETS['first']}</Nickname>"),
    "a vendor's attribute": canary("attribute").replace(" Type=", f' Nick="{SECRETS["first"]}" Type=', 1),
    "text between elements": canary("text").replace("</LocalId>", f"</LocalId>{SECRETS['last']}"),
    "twice": canary("twice").replace("</LocalId>", f"</LocalId><LocalId>{SECRETS['local']}</LocalId>"),
    "no key": canary("no key").replace(sif.ref("no key"), SECRETS["last"]),
    "far too late": canary("late", birth="99999-01-01"),
}
"""Students the schema or a column refuses, or warns about, each with its values."""


def of_unknown_parents(word):
    secret = f'<SIF_ExtendedElements><SIF_ExtendedElement Name="guardian">{SECRETS["last"]}</SIF_ExtendedElement>'
    return sif.enrollment(word, "nobody", "nowhere", more=f"{secret}</SIF_ExtendedElements>")


GOOD = sif.event("Add", canary("good"), at=sif.minute(1))


class House:
    """A whole installation with a folder for everything it writes."""

    def __init__(self, folder):
        self.folder = folder
        self.cluster = Cluster(folder / "home")
        self.url = self.cluster.url
        (folder / "tmp").mkdir()
        self.said = []  # what commands printed
        self.ledger = Ledger("District", sif.SOURCE)
        add_zone(self.url, self.ledger)
        self.server = Server(self.url, folder / "server.log")
        self.server.wait_until_ready()

    def close(self):
        self.server.kill()
        self.cluster.stop()

    def post(self, body, path=None, **headers):
        url = f"http://127.0.0.1:{self.server.port}{path or '/zone/' + self.ledger.token}"
        until = time.monotonic() + 60
        while True:  # as an agent does: the server's connections may have died with a backend
            answer = httpx.post(url, content=body, headers=headers, timeout=60)
            self.said.append(answer.text)
            if answer.status_code != 503 or time.monotonic() > until:
                return answer
            time.sleep(0.05)

    def command(self, *arguments, change="", status=0):
        """Run a command line; `change` breaks something in its process first."""
        code = f"{change}\nfrom sif_pipeline.cli import main\nmain()"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SIF_")}
        environment |= {
            "SIF_DATABASE_URL": self.url,
            "SIF_HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
        }
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True, text=True, check=False, env=environment, timeout=300,
        )  # fmt: skip
        self.said += [done.stdout, done.stderr]
        assert done.returncode == status, done.stderr
        return done.stdout + done.stderr

    def execute(self, statement):
        with psycopg.connect(self.url, autocommit=True) as connection:
            return (
                connection.execute(statement).fetchall()
                if statement.startswith("SELECT")
                else connection.execute(statement)
            )

    def states(self):
        return dict(self.execute("SELECT state, count(*) FROM inbox.message GROUP BY 1"))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    house = House(tmp_path_factory.mktemp("house"))
    try:
        everything_happens_to(house)
        yield house
    finally:
        house.close()


def everything_happens_to(house):
    what_agents_send(house)
    files_and_findings(house)
    house.command("drain")
    failures_of_ours(house)
    failures_of_the_database(house)
    house.command("status")
    house.command("status", "--format", "json")
    for report in ("enrollment_by_grade", "enrollment_by_subgroup", "attendance"):
        house.command("report", report, "--format", "csv")
    house.command("replay", "--zone", "District")


def what_agents_send(house):
    """Good, flawed, held, unfit and refused messages, broken requests, and a stranger's URL."""
    conflict = sif.event("Add", canary("conflict"), at=sif.minute(1), msg="C" * 32)
    good = [
        registration(house.ledger),
        GOOD, GOOD, conflict,
        *(sif.event("Add", text, at=sif.minute(2)) for text in INVALID.values()),
        sif.event("Add", of_unknown_parents("held"), at=sif.minute(3)),
        change("nobody", f"<LocalId>{SECRETS['local']}</LocalId>"),
        change("good", address(country="")),
        change("good", f"<Demographics><BirthDate>{SECRETS['birth']}Z</BirthDate></Demographics>"),
    ]  # fmt: skip
    for body in good:
        assert "SIF_Status" in house.post(body).text
    refused = [
        conflict.replace(b"2.6", b"2.5"),
        GOOD[:-40],
        GOOD.replace(b"<LocalId>", b"<LocalId>&"),
        f"<!DOCTYPE x [<!ENTITY a '{SECRETS['last']}'>]>".encode() + GOOD,
        GOOD.replace(sif.NAMESPACE.encode(), SECRETS["last"].encode()),
        GOOD.replace(b'Version="2.6"', f'Version="{SECRETS["last"]}"'.encode()),
        GOOD.replace(b"<SIF_MsgId>", f"<SIF_MsgId>{SECRETS['state']}".encode()),
        GOOD.replace(f"<SIF_SourceId>{sif.SOURCE}".encode(), f"<SIF_SourceId>{SECRETS['last']}!".encode()),
        GOOD.replace(sif.SOURCE.encode(), b"UNREGISTERED"),
        GOOD.replace(b"SIF_Event>", f"{SECRETS['last']}>".encode()),
        f"{SECRETS['last']},{SECRETS['birth']}\n".encode(),
        "\ufeff".encode() + SECRETS["last"].encode("utf-16"),
    ]
    for body in refused:
        assert "SIF_Error" in house.post(body).text
    house.post(gzip.compress(GOOD)[:-9], **{"Content-Encoding": "gzip"})
    house.post(GOOD, **{"Content-Encoding": SECRETS["last"], "X-Student": SECRETS["local"]})
    house.post(GOOD, path=f"/zone/{SECRETS['last']}")
    house.post(GOOD, path=f"/{SECRETS['local']}?name={SECRETS['first']}")
    with socket.create_connection(("127.0.0.1", house.server.port), timeout=60) as link:
        link.sendall(f"{SECRETS['last']} {SECRETS['first']}\r\n\r\n".encode())
        house.said.append(link.recv(4096).decode())


def files_and_findings(house):
    """Files that are taken, refused, and looked at before they are sent."""
    folder = house.folder / "drop"
    folder.mkdir()
    for number, text in enumerate(INVALID.values()):
        (folder / f"{number}.xml").write_bytes(sif.response(text, at=sif.minute(1)))
    (folder / "list.xml").write_text(f'<Objects xmlns="{sif.NAMESPACE}">{canary("file")}{canary("vendor")}</Objects>')
    (folder / "torn.xml").write_bytes(GOOD[:-50])
    (folder / "latin.xml").write_bytes(GOOD.replace(b"Athol", b"Ath\xf6l"))
    assert "not well-formed" in house.command("receive", "--zone", "District", str(folder), status=1)
    assert "value_malformed" in house.command("validate", str(folder), status=1)
    assert "value_malformed" in house.command("validate", "--format", "json", str(folder), status=1)


FAIL_ON = """
from sif_pipeline.reading.content import Content
row = Content.row.fget
def fail(content):
    if "{word}" in (content.element.get("RefId"), ""):
        raise ValueError("".join(content.element.itertext()))
    return row(content)
Content.row = property(fail)
"""


def failures_of_ours(house):
    """Raise what quotes the student: on one message, on all, while draining and while replaying."""
    words = ["poison", "sound", "sound too", "sound as well"]
    for word in words:
        assert house.post(sif.event("Add", canary(word), at=sif.minute(6))).status_code == 200
    house.command("drain", change=FAIL_ON.format(word=sif.ref("poison")), status=1)
    assert house.states()["quarantined"] == 1
    for word in words[1:]:
        house.post(sif.event("Add", canary(word, more="<IDEA>No</IDEA>"), at=sif.minute(7)))
    assert "ValueError" in house.command("drain", change=FAIL_ON.format(word=""), status=2)
    assert house.states()["pending"] == 3
    assert "ValueError" in house.command("replay", "--zone", "District", change=FAIL_ON.format(word=""), status=2)
    for place in ("writing.write", "drain._settle", "drain.read", "DatabaseStore.prepare"):
        broken = (
            "from sif_pipeline.loading import drain, writing\nfrom sif_pipeline.loading.store import DatabaseStore\n"
            f"def fail(*arguments):\n    raise KeyError({SECRETS['last']!r}, arguments)\n{place} = fail"
        )
        assert "KeyError" in house.command("drain", change=broken, status=2)


TRIGGER = """
CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} ; RETURN NEW; END $$;
CREATE OR REPLACE TRIGGER fail BEFORE INSERT ON sif.student_personal FOR EACH ROW EXECUTE FUNCTION fail();
"""


def failures_of_the_database(house):
    """PostgreSQL's own messages quote values too: of rows, constraints, full disks, and statements that crashed."""
    sentences = {
        "disk": "RAISE EXCEPTION 'could not extend for %', NEW.last_name USING ERRCODE = 'disk_full'",
        "does not answer": "RAISE EXCEPTION 'canceled at %', NEW.last_name USING ERRCODE = 'query_canceled'",
    }
    for sentence, action in sentences.items():
        house.execute(TRIGGER.format(action))
        assert sentence in house.command("drain", status=2)
    house.execute(TRIGGER.format("RAISE EXCEPTION 'student % of %', NEW.last_name, NEW.addresses"))
    assert "3 messages quarantined" in house.command("drain", status=1)
    house.execute("DROP TRIGGER fail ON sif.student_personal")
    house.execute(
        f"ALTER TABLE sif.student_personal ADD CONSTRAINT odd CHECK (local_id <> '{SECRETS['local']}') NOT VALID"
    )
    house.post(sif.event("Add", canary("sound", more="<IDEA>Yes</IDEA>"), at=sif.minute(8)))
    assert "1 message quarantined" in house.command("drain", status=1)
    failures = {failure for (failure,) in house.execute("SELECT last_failure FROM inbox.message")}
    assert {"RaiseException P0001", "CheckViolation 23514"} <= failures
    house.execute("ALTER TABLE sif.student_personal DROP CONSTRAINT odd")
    for statement in (
        f"SELECT '{SECRETS['last']}'::date",
        f"SELECT {SECRETS['last']} FROM nowhere",
        f"DO $$ BEGIN RAISE WARNING '{SECRETS['last']}'; RAISE EXCEPTION '{SECRETS['first']}'; END $$",
    ):
        with suppress(psycopg.Error):
            house.execute(statement)
    a_backend_crashes(house)
    house.command("drain")


def a_backend_crashes(house):
    """PostgreSQL tells its log which statement a backend was at when it was killed."""
    with psycopg.connect(house.url, autocommit=True) as connection:
        pid = connection.info.backend_pid
        killer = threading.Thread(target=kill_at_work, args=(house, pid))
        killer.start()
        with pytest.raises(psycopg.OperationalError):
            connection.execute(f"SELECT pg_sleep(60), '{SECRETS['last']}'")
        killer.join()
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with suppress(psycopg.OperationalError):
            return house.execute("SELECT 1")
        time.sleep(0.1)
    raise AssertionError("PostgreSQL did not come back")


def kill_at_work(house, pid):
    while not house.execute(f"SELECT FROM pg_stat_activity WHERE pid = {pid} AND wait_event = 'PgSleep'"):
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)


def secrets_in(text):
    return sorted(name for name, secret in SECRETS.items() if secret in text)


def columns(house):
    """List every column of every table: schema, table, column."""
    return house.execute(
        "SELECT n.nspname, c.relname, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid"
        " JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND a.attnum > 0"
        " AND NOT a.attisdropped AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2, 3"
    )


def hits(house, schema, table, column):
    texts = sql.SQL("SELECT {}::text FROM {}").format(sql.Identifier(column), sql.Identifier(schema, table))
    if column == "body":  # bytes
        texts = sql.SQL("SELECT encode(body, 'escape') FROM {}").format(sql.Identifier(schema, table))
    with psycopg.connect(house.url) as connection:
        return sorted({name for (text,) in connection.execute(texts) for name in secrets_in(text or "")})


def test_the_canaries_went_everywhere(house):
    """The search below means something: every outcome, every kind of failure, and the vaults are full of song."""
    outcomes = {outcome for (outcome,) in house.execute("SELECT DISTINCT outcome FROM inbox.object_event")}
    assert outcomes == {"applied", "held", "rejected", "unfit"}
    codes = {code for (code,) in house.execute("SELECT DISTINCT code FROM inbox.notice")}
    assert codes >= {
        "change_before_add", "change_makes_invalid", "element_out_of_place", "element_unknown", "parent_missing",
        "value_malformed", "value_not_in_code_set", "value_out_of_range",
    }  # fmt: skip
    events = {event for (event,) in house.execute("SELECT DISTINCT event FROM inbox.audit")}
    assert events >= {"agent_not_registered", "message_refused", "msg_id_conflict", "unknown_url"}
    assert hits(house, "inbox", "message", "body") == sorted(SECRETS)
    assert hits(house, "sif", "student_personal", "document") == sorted(SECRETS)
    assert "ValueError" in "".join(house.said)


def test_no_command_and_no_answer_repeats_a_value(house):
    assert [text for text in house.said if secrets_in(text)] == []


def test_a_command_line_without_its_boundary_is_caught(house):
    """A leak would be seen: the same failure, with nothing between the exception and the terminal."""
    house.post(sif.event("Add", canary("leak"), at=sif.minute(8)))
    broken = (
        "from contextlib import nullcontext\nfrom sif_pipeline import cli\nfrom sif_pipeline.loading import drain\n"
        "cli.without_values = nullcontext\n"
    )
    broken += f"def fail(*_):\n    raise drain.psycopg.OperationalError({SECRETS['last']!r})\ndrain.read = fail"
    said = list(house.said)
    assert secrets_in(house.command("drain", change=broken, status=1)) == ["last"]
    house.said = said
    house.command("drain")


def test_no_table_but_the_vaults_holds_a_value(house):
    found = {
        (schema, table, column): leaked
        for schema, table, column in columns(house)
        if schema not in ("sif", "sif_history") and (schema, table, column) != ("inbox", "message", "body")
        and (leaked := hits(house, schema, table, column))
    }  # fmt: skip
    assert found == {}


def test_no_session_shows_a_value_in_its_statement(house):
    house.post(sif.event("Add", canary("session"), at=sif.minute(9)))
    house.command("drain")
    shown = house.execute("SELECT query FROM pg_stat_activity WHERE datname = current_database()")
    assert [query for (query,) in shown if secrets_in(query)] == []


def test_no_file_holds_a_value(house):
    """Logs of the server and of PostgreSQL, temporary files, whatever lies in SIF_HOME but the database itself."""
    data = house.folder / "home" / "postgres" / "data"
    searched = [
        path for path in house.folder.rglob("*")
        if path.is_file() and data not in path.parents and path.parent.name != "drop"
    ]  # fmt: skip
    assert {path.name for path in searched} >= {"server.log", "start.log"}
    assert any(path.parent.name == "log" and path.stat().st_size for path in searched)
    assert {str(path): found for path in searched if (found := secrets_in(path.read_text(errors="replace")))} == {}


def test_no_command_line_shows_a_value(house):
    commands = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert [command for command in commands if secrets_in(command)] == []
