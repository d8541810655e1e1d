"""Operating zones, agents and queues from the command line, as a person does it."""

import re
from pathlib import Path

import psycopg
import pytest
from sif_command import Found, done, refused, run, shown, told
from sif_zone import SOURCE, District, control, event, of_objects, protocol, register, request

from sif_pipeline.sif.naming import of_the_standard
from warehouse.base import objects

LIBRARY = {"source": "LIBRARY"}


@pytest.fixture
def district(module_database_url: str) -> District:
    """Give a zone with an agent that sends and one that subscribed, and two messages on the queue of that one."""
    found = District(module_database_url)
    assert found.send(register(), register(**LIBRARY)) == [0, 0]
    done(module_database_url, "agent", "allow", "District-0101", "LIBRARY", "subscribe", "StudentPersonal")
    assert found.send(of_objects("SIF_Subscribe", "StudentPersonal", **LIBRARY), event(), event()) == [0, 0, 0]
    return found


def test_a_rotated_zone_has_its_new_url_only(database_url: str) -> None:
    old = done(database_url, "zone", "add", "north", "--lea", "09990001")
    new = done(database_url, "zone", "rotate", "north", "--url", "https://sif.example.org/")
    newest = done(database_url, "zone", "renew", "north")
    assert new.startswith("https://sif.example.org/zone/")
    assert newest.startswith("http://127.0.0.1:7080/zone/")
    assert "address is not remembered" in " ".join(done(database_url, "zone", "rotate", "--help").split())
    with psycopg.connect(database_url) as connection:
        ask = "SELECT name FROM inbox.zone WHERE token_sha256 = sha256(%s)"
        tokens = [url.strip().split("/")[-1].encode() for url in (old, new, newest)]
        found = [connection.execute(ask, [token]).fetchone() for token in tokens]
    assert found == [None, None, ("north",)]


def test_an_address_said_once_is_in_every_url_and_one_that_is_none_is_refused(
    module_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIF_ZONE_URL", "https://sif.example.org")
    added = done(module_database_url, "zone", "add", "east", "--lea", "09990002")
    rotated = done(module_database_url, "zone", "rotate", "east")
    assert all(url.startswith("https://sif.example.org/zone/") for url in (added, rotated))
    monkeypatch.setenv("SIF_ZONE_URL", "sif.example.org")
    assert "begins with http:// or https://" in " ".join(refused(module_database_url, "zone", "rotate", "east").split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("zone", "rotate", "nowhere"),
        ("zone", "show", "nowhere"),
        ("zone", "refusals", "nowhere"),
        ("zone", "suspend", "nowhere"),
        ("zone", "resume", "nowhere"),
        ("zone", "set", "nowhere", "--solicited-only"),
        ("agent", "allow", "nowhere", "SIS", "subscribe"),
        ("agent", "list", "nowhere"),
        ("queue", "list", "--zone", "nowhere"),
        ("queue", "show", "nowhere"),
        ("queue", "show", "nowhere", "SIS"),
        ("agent", "purge", "nowhere", "SIS"),
        ("agent", "rights", "nowhere"),
        ("zone", "certificate", "list", "nowhere"),
        ("request", "list", "--zone", "nowhere"),
        ("sync", "list", "--zone", "nowhere"),
    ],
)
def test_a_zone_that_is_not_there_is_one_sentence(module_database_url: str, arguments: tuple[str, ...]) -> None:
    assert "`sif-pipeline status` lists the zones" in refused(module_database_url, *arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("zone", "add", "south", "--lea", ""), "A district's code has 1 to 32 letters"),
        (("zone", "add", "south", "--lea", "1", "--url", "ftp://x"), "begins with http:// or https://"),
        (("zone", "add", "south", "--lea", "1", "--url", "sif.example.org"), "begins with http:// or https://"),
        (("zone", "rotate", "north", "--url", "https://"), "begins with http:// or https://"),
        (("zone", "set", "north"), "Nothing to change"),
        (("agent", "show", "District-0101", "NOBODY"), "`sif-pipeline agent list` lists them"),
        (("agent", "wake", "District-0101", "NOBODY"), "`sif-pipeline agent list` lists them"),
        (("agent", "remove", "District-0101", "NOBODY", "--yes"), "`sif-pipeline agent list` lists them"),
        (("agent", "deny", "District-0101", SOURCE, "publish"), "publish-change"),
        (("agent", "allow", "District-0101", SOURCE, "subscribe", "Students"), "no object Students; check"),
        (
            ("agent", "allow", "District-0101", SOURCE, "subscribe", "Schoolinfo"),
            "Schoolinfo; perhaps School",
        ),
        (("agent", "deny", "District-0101", SOURCE, "subscribe", "StudentPersonell"), "; perhaps StudentPersonal"),
        (("request", "list", "--state", "nonsense"), "choose one of open, complete"),
    ],
)
def test_what_cannot_be_is_one_sentence(module_database_url: str, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in refused(module_database_url, *arguments)


def test_zones_are_listed_and_shown_with_their_settings(database_url: str) -> None:
    done(database_url, "zone", "add", "north", "--lea", "09990001")
    done(database_url, "zone", "add", "trial", "--lea", "09990001", "--sandbox")
    done(database_url, "zone", "suspend", "north")
    listed = [(line["zone"], line["state"], line["agents"]) for line in told(database_url, "zone", "list")]
    assert listed == [("north", "suspended", 0), ("trial", "sandbox", 0)]
    done(database_url, "zone", "resume", "north")
    done(database_url, "zone", "set", "north", "--solicited-only", "--no-log-entries", "--lea", "02810000")
    found = shown(database_url, "zone", "show", "north")
    assert {name: found[name] for name in ("zone", "lea_code", "suspended_since", "solicited_only", "refused")} == {
        "zone": "north", "lea_code": "02810000", "suspended_since": None, "solicited_only": True, "refused": [],
    }  # fmt: skip
    assert (found["log_entries"], found["authentication"]) == (False, 0)
    assert "north" in done(database_url, "zone", "list")
    with psycopg.connect(database_url) as connection:
        audits = connection.execute("SELECT event FROM inbox.audit ORDER BY audit_id").fetchall()
    assert audits == [("zone_suspended",), ("zone_resumed",), ("zone_changed",)]


def test_what_a_zone_refused_is_listed_for_who_answers_the_district(district: District) -> None:
    url = district.url
    declares = of_objects("SIF_Provide", "StudentPicture", msg_id="A" * 32)
    assert district.send(declares, declares, event("Amelia", source="Ghost"), b"<SIF_Message>Amelia") == [
        (4, 3), (4, 3), (4, 9), (1, 2),
    ]  # fmt: skip
    assert district.send(event("Noah", msg_id="B" * 32), event("Amelia", msg_id="B" * 32)) == [0, (12, 5)]
    found = told(url, "zone", "refusals", "District-0101")
    kept = ("agent", "error", "times", "message_type", "msg_id")
    assert [tuple(line[name] for name in kept) for line in found] == [
        (SOURCE, "12/5", 1, "SIF_Event", "B" * 32),
        (None, "1/2", 1, None, None),
        ("Ghost", "4/9", 1, "SIF_Event", found[2]["msg_id"]),
        (SOURCE, "4/3", 2, "SIF_Provide", "A" * 32),
    ]
    assert str(found[3]["sentence"]).startswith("The agent may not provide StudentPicture;")
    assert str(found[3]["first_at"]) < str(found[3]["last_at"])
    assert [line["error"] for line in told(url, "zone", "refusals", "District-0101", "--agent", "Ghost")] == ["4/9"]
    assert [line["error"] for line in told(url, "zone", "refusals", "District-0101", "--limit", "1")] == ["12/5"]
    assert shown(url, "zone", "show", "District-0101")["refused"] == found
    in_words = done(url, "zone", "show", "District-0101", "--format", "csv").splitlines()[-4:]
    assert [re.sub(r'^refused,"?.{25} ', "", words).split(":")[0] for words in in_words] == [
        f"{SOURCE} 12/5", "unreadable sender 1/2", "Ghost 4/9", f"{SOURCE} 4/3, 2 times",
    ]  # fmt: skip
    for command in ("show", "refusals"):
        said = done(url, "zone", command, "District-0101")
        assert "send SIF_Register first" in said
        assert not {"Amelia", "Noah"} & set(said.split())


def test_many_refusals_are_one_line_and_all_are_counted(district: District) -> None:
    assert district.send(*[event(source="Ghost")] * 20, together=True) == [(4, 9)] * 20
    (line,) = told(district.url, "zone", "refusals", "District-0101")
    assert (line["agent"], line["error"]) == ("Ghost", "4/9")
    assert 1 <= int(str(line["times"])) <= 20


def test_refusals_of_one_error_that_differ_are_lines_of_their_own(district: District) -> None:
    declared = b'<?xml version="1.0" encoding="windows-1252"?>'
    broken = [b"<SIF_Message>", b"\n<SIF_Message>", b"\n\n\n<SIF_Message>"]
    assert (
        district.send(broken[0], declared + event(), event("Ren\u00e9").decode().encode("cp1252"), *broken[1:])
        == [(1, 2)] * 5
    )
    found = told(district.url, "zone", "refusals", "District-0101")
    assert [(str(line["sentence"]).split(";")[0].split(" at ")[0], line["times"]) for line in found] == [
        ("The message is not well-formed XML", 3),
        ("The message is not in the encoding it says it has", 1),
        ("The message declares another encoding", 1),
    ]


def test_of_the_faults_of_one_error_the_latest_twenty_are_kept(district: District) -> None:
    names = sorted(of_the_standard() - set(objects()))[:25]
    assert district.send(*[of_objects("SIF_Provide", name) for name in names]) == [(4, 3)] * 25
    assert district.send(of_objects("SIF_Provide", names[10]), b"<SIF_Message>") == [(4, 3), (1, 2)]
    found = told(district.url, "zone", "refusals", "District-0101")
    assert [str(line["sentence"]).split(";")[0].rsplit(" ", 1)[1] for line in found[1:]] == [
        names[10], *(name for name in reversed(names[5:]) if name != names[10])
    ]  # fmt: skip
    assert (found[0]["error"], found[1]["times"]) == ("1/2", 2)


def test_agents_are_listed_shown_woken_and_purged(district: District) -> None:
    url = district.url
    assert district.send(control("<SIF_Sleep/>", **LIBRARY)) == 0
    listed = {line["agent"]: (line["state"], line["waiting"]) for line in told(url, "agent", "list", "District-0101")}
    assert listed == {SOURCE: ("awake", 0), "LIBRARY": ("asleep", 2)}
    found = shown(url, "agent", "show", "District-0101", "LIBRARY")
    given = {"agent": "LIBRARY", "right": "subscribe", "object_name": "StudentPersonal", "allowed": True}
    assert (found["mode"], found["state"], found["versions"], found["rights"]) == ("Pull", "asleep", ["2.6"], [given])
    assert {name: listed for name, listed in found["declared"].items() if listed} == {
        "SIF_SubscribeObjects": ["StudentPersonal"]
    }
    in_words = done(url, "agent", "show", "District-0101", "LIBRARY", "--format", "csv").splitlines()
    assert in_words[-2:] == ["SIF_SubscribeObjects,StudentPersonal", "allowed,subscribe StudentPersonal"]
    done(url, "agent", "wake", "District-0101", "LIBRARY")
    assert told(url, "agent", "list", "District-0101")[1]["state"] == "awake"
    assert "2 messages" in done(url, "agent", "purge", "District-0101", "LIBRARY", "--yes")
    assert district.pull("LIBRARY") == []


def test_what_an_agent_says_of_itself_does_not_steer_the_terminal(district: District) -> None:
    name = "[/x] [red]SIS\u009b31m\u202e"
    assert district.send(register().replace(b">SIS<", f">{name}<".encode())) == 0
    said = done(district.url, "agent", "show", "District-0101", SOURCE)
    assert "[/x] [red]SIS\ufffd31m\ufffd" in said


def test_an_address_longer_than_the_terminal_is_one_word_beside_its_name(district: District) -> None:
    url = f"http://sis.example/{'x' * 200}"
    assert district.send(register("Push", said=protocol(url))) == 0
    said = done(district.url, "agent", "show", "District-0101", SOURCE, width=80)
    assert re.search(rf"(?m)^push url +{url}$", said)
    assert re.search(r"(?m)^state +awake$", said)


def test_what_is_thrown_away_is_said_before_it_is_asked(district: District) -> None:
    url, purge = district.url, ("agent", "purge", "District-0101", "LIBRARY")
    asked = run(url, *purge, answer="n\n")
    assert (asked.returncode, "Take 2 messages off the queue of LIBRARY?" in asked.stdout) == (130, True)
    assert district.send(of_objects("SIF_Provide", "StudentPersonal")) == 0
    done(url, "request", "StudentPersonal", "--zone", "District-0101")
    asked = run(url, "agent", "purge", "District-0101", SOURCE, answer="n\n")
    assert "Take 1 message (with 1 request, which ends) off the queue of" in asked.stdout
    numbers = [str(line["number"]) for line in told(url, "queue", "show", "District-0101")]
    asked = run(url, "queue", "drop", *numbers, "999999999", answer="n\n")
    assert "Take 3 messages (with 1 request, which ends) off their queues?" in asked.stdout
    assert len(district.pull("LIBRARY")) == 2


@pytest.mark.parametrize(
    ("words", "said", "complaint"),
    [
        (("queue", "drop", "999999999"), "", "sif-pipeline: 1 of the numbers is of no message that waits.\n"),
        (("agent", "purge", "District-0101", SOURCE), f"0 messages taken off the queue of {SOURCE}.\n", ""),
    ],
)
def test_nothing_is_asked_where_there_is_nothing(
    district: District, words: tuple[str, ...], said: str, complaint: str
) -> None:
    found = run(district.url, *words)
    assert (found.stdout, found.stderr) == (said, complaint)
    assert "There is no agent NOBODY in a zone" in refused(district.url, "agent", "purge", "District-0101", "NOBODY")


def removed(url: str, *more: str, answer: str = "") -> Found:
    return run(url, "agent", "remove", "District-0101", "LIBRARY", *more, answer=answer)


def test_an_agent_that_is_gone_is_removed_with_what_waits_for_it(district: District) -> None:
    url = district.url
    for right in ("provide", "request"):
        done(url, "agent", "allow", "District-0101", "*", right)
    of_the_library = [of_objects("SIF_Provide", "SchoolInfo", **LIBRARY), request(**LIBRARY)]
    assert district.send(of_objects("SIF_Provide", "StudentPersonal"), *of_the_library) == [0, 0, 0]
    assert district.send(request("SchoolInfo", msg_id="A" * 32)) == 0
    asks = removed(url, answer="n\n")
    assert asks.returncode
    assert "3 messages on its queue, 1 request it was asked, 1 of its own" in asks.stdout
    assert district.rows("SELECT count(*) FROM inbox.agent WHERE unregistered_at IS NULL") == [(2,)]

    said = removed(url, "--yes")
    assert (said.returncode, said.stderr) == (0, "")
    assert "3 messages on its queue, 1 request it was asked, 1 of its own, 2 declarations" in said.stdout
    assert "`sif-pipeline agent deny District-0101 LIBRARY register` keeps it away" in said.stdout
    (told_,) = [m for m in district.pull() if m.find(".//{*}SIF_RequestMsgId") is not None]
    assert [told_.findtext(f".//{{*}}{name}") for name in ("SIF_RequestMsgId", "SIF_Category", "SIF_Code")] == [
        "A" * 32, "8", "4",
    ]  # fmt: skip
    assert district.rows("SELECT DISTINCT state FROM outbox.message WHERE source_id = 'LIBRARY'") == [("dropped",)]
    assert district.rows("SELECT source_id, state FROM outbox.request ORDER BY 1") == [
        (SOURCE, "failed"), ("LIBRARY", "cancelled"),
    ]  # fmt: skip
    audits = "SELECT source_id, detail FROM inbox.audit WHERE event = 'agent_removed'"
    assert district.rows(audits) == [("LIBRARY", "3 messages, 1 request asked, 1 made, 2 objects")]
    assert [line["state"] for line in told(url, "agent", "list", "District-0101")] == ["awake", "left"]


def test_a_removal_is_good_twice_and_the_agent_may_come_back(district: District) -> None:
    assert removed(district.url, "--yes").returncode == 0
    again = removed(district.url)  # nothing waits any more, so that nothing is asked
    assert (again.returncode, again.stdout) == (
        0, "Agent LIBRARY is not registered in zone District-0101: nothing to end.\n",
    )  # fmt: skip
    assert district.rows("SELECT count(*) FROM inbox.audit WHERE event = 'agent_removed'") == [(1,)]
    subscribes = of_objects("SIF_Subscribe", "StudentPersonal", **LIBRARY)
    assert district.send(event(**LIBRARY), register(**LIBRARY), subscribes) == [(4, 9), 0, 0]
    assert district.pull("LIBRARY") == []
    assert "removed" in removed(district.url).stdout


def test_a_right_that_is_denied_ends_what_was_declared_by_it(district: District) -> None:
    said = done(district.url, "agent", "deny", "District-0101", "*", "subscribe")
    assert said == "Denied.\n"  # the closer word, on the one agent and object, still counts
    said = done(district.url, "agent", "deny", "District-0101", "LIBRARY", "subscribe", "StudentPersonal")
    assert said == "Denied. 1 declaration ended.\n"
    assert district.send(event(), of_objects("SIF_Subscribe", "StudentPersonal", **LIBRARY)) == [0, (4, 4)]
    assert len(district.pull("LIBRARY")) == 2


def test_a_right_of_an_agent_that_is_not_there_yet_counts_once_it_registers(district: District) -> None:
    given = ("agent", "allow", "District-0101", "NEWCOMER", "subscribe")
    awaited = "Agent NEWCOMER is not registered in zone District-0101; this counts once it registers.\n"
    for name in ("StudentPersonal", "LibraryPatronStatus", "SIF_LogEntry"):
        assert done(district.url, *given, name) == f"Allowed.\n{awaited}"
    denied = ("agent", "deny", "District-0101", "NEWCOMER", "subscribe")
    for words in (("Ours",), ("StudentPersonalOurs", "--as-spelled")):
        assert done(district.url, *denied, *words) == f"Denied.\n{awaited}"
    newcomer = {"source": "NEWCOMER"}
    subscribe = of_objects("SIF_Subscribe", "StudentPersonal", **newcomer)
    assert district.send(register(**newcomer), subscribe) == [0, 0]
    assert done(district.url, *given, "SchoolInfo") == "Allowed.\n"


def test_rights_are_listed_also_of_everybody_and_of_who_is_not_there_yet(district: District) -> None:
    done(district.url, "agent", "allow", "District-0101", "*", "request", "SchoolInfo")
    done(district.url, "agent", "deny", "District-0101", "NEWCOMER", "register")
    found = told(district.url, "agent", "rights", "District-0101")
    assert [tuple(line.values()) for line in found] == [
        ("*", "request", "SchoolInfo", True),
        ("LIBRARY", "subscribe", "StudentPersonal", True),
        ("NEWCOMER", "register", "*", False),
    ]
    assert list(found[0]) == ["agent", "right", "object_name", "allowed"]
    assert found[:2] == shown(district.url, "agent", "show", "District-0101", "LIBRARY")["rights"]


def test_queues_are_shown_and_messages_dropped_and_put_back(district: District) -> None:
    url = district.url
    queues = {line["agent"]: line["waiting"] for line in told(url, "queue", "list", "--zone", "District-0101")}
    assert queues == {SOURCE: 0, "LIBRARY": 2}
    messages = told(url, "queue", "show", "District-0101", "LIBRARY")
    assert [(m["message_type"], m["object_name"], m["state"]) for m in messages] == [
        ("SIF_Event", "StudentPersonal", "queued")
    ] * 2
    first = str(messages[0]["number"])
    assert "1 message taken off" in done(url, "queue", "drop", first, "--yes")
    dropped = told(url, "queue", "show", "District-0101", "--state", "dropped")
    assert [str(m["number"]) for m in dropped] == [first]
    found = run(url, "queue", "retry", first, "999999999")
    assert (found.returncode, found.stdout) == (2, "1 message put back.\n")
    assert "1 of the numbers is of no message that was dropped" in found.stderr
    assert str(told(url, "queue", "show", "District-0101")[0]["number"]) == first
    assert "Amelia" not in done(url, "queue", "show", "District-0101")
    assert "There is no agent NOBODY in a zone" in refused(url, "queue", "show", "District-0101", "NOBODY")
    assert told(url, "queue", "show", "District-0101", SOURCE) == []
    assert len(district.pull("LIBRARY")) == 2


@pytest.mark.parametrize("group", ["zone", "agent", "queue"])
def test_every_command_has_an_example(group: str, tmp_path: Path) -> None:
    url = f"postgresql://nowhere/{tmp_path.name}"
    help_ = done(url, group, "--help")
    commands = [
        line.split()[1] for line in help_.splitlines() if line.startswith("\u2502 ") and not line[2:4].isspace()
    ]
    for command in (c for c in commands if c.isalpha() and c != "certificate"):
        assert f"Example: sif-pipeline {group} {command}" in done(url, group, command, "--help"), command
