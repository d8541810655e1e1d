"""Files of any size and encoding: each is stored whole or not at all, and says what was wrong."""

import gzip
import hashlib
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
import sif_text as sif
from lxml import etree

from sif_pipeline import status, zones
from sif_pipeline.exceptions import UnknownZone
from sif_pipeline.files import receiving, splitting, validation
from sif_pipeline.loading import drain
from sif_pipeline.loading.drain import Limits

NS = f'xmlns="{sif.NAMESPACE}"'


@pytest.fixture
def small_pieces(monkeypatch):
    """Cut as if messages had to be tiny: what takes megabytes otherwise takes a few lines."""
    monkeypatch.setattr(receiving, "WHOLE_BYTES", 100)
    monkeypatch.setattr(splitting, "BLOCK", 256)
    monkeypatch.setattr(splitting, "MOST_OBJECTS", 3)


def students(count):
    return [sif.student(f"student {number}", str(number)) for number in range(count)]


def bare(*objects, head="", between="\n"):
    return f"{head}<Objects {NS}>{between}{between.join(objects)}{between}</Objects>"


def received(url, zone, path):
    summary = receiving.receive(url, zone.name, [path])
    return summary.messages, summary.duplicates, [sentence for _, sentence in summary.refused]


def drained(zone):
    while drain.drain_batch(zone.connection, Limits()) is not None:
        pass
    return zone


@pytest.fixture
def file(tmp_path):
    def write(content, name="file.xml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


ENCODINGS = {
    "UTF-8": ("UTF-8", lambda text: text.encode()),
    "UTF-8 with a mark": ("utf-8", lambda text: b"\xef\xbb\xbf" + text.encode()),
    "UTF-16, little end first": ("UTF-16", lambda text: b"\xff\xfe" + text.encode("utf-16-le")),
    "UTF-16, big end first": ("utf-16", lambda text: b"\xfe\xff" + text.encode("utf-16-be")),
    "line ends of Windows": ("UTF-8", lambda text: text.replace("\n", "\r\n").encode()),
    "old line ends": ("UTF-8", lambda text: text.replace("\n", "\r").encode()),
}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("spelling", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("declared", ["", '<?xml version="1.0"?>\n', '<?xml version="1.0" encoding="{}"?>\n'])
def test_every_encoding_of_a_bare_list_gives_the_same_objects(url, zone, file, spelling, declared):
    encoding, encode = spelling
    text = bare(*students(7), sif.student("far", "8", "李 \U0001f600\né"), head=declared.format(encoding))
    assert received(url, zone, file(encode(text))) == (3, 0, [])
    drained(zone)
    assert zone.outcomes() == ["applied"] * 8
    assert "李 \U0001f600" in zone.documents()[sif.ref("far")]


def test_a_message_of_ordinary_size_is_stored_byte_for_byte(url, zone, file):
    body = b"\xef\xbb\xbf" + sif.response(*students(3), at=sif.minute(1)).replace(b"><", b">\r\n<")
    assert received(url, zone, file(body)) == (1, 0, [])
    ((stored, msg_id),) = zone.all("SELECT body, msg_id FROM inbox.message WHERE zone_id = %(zone)s")
    assert bytes(stored) == body
    assert msg_id.encode() in body


def test_a_response_larger_than_a_piece_keeps_its_header_in_each(url, zone, file, small_pieces):
    body = sif.response(*students(8), at=sif.minute(1))
    assert received(url, zone, file(body)) == (3, 0, [])
    rows = zone.all(
        "SELECT source_id, message_type, sif_timestamp, msg_id, body FROM inbox.message WHERE zone_id = %(zone)s"
        " ORDER BY message_id"
    )
    assert {row[:3] for row in rows} == {(sif.SOURCE, "SIF_Response", sif.minute(1))}
    assert rows[0][3].encode() in body
    assert len({row[3] for row in rows}) == 3
    headers = {
        etree.tostring(etree.fromstring(bytes(row[4])).find(f".//{{{sif.NAMESPACE}}}SIF_Header")) for row in rows
    }
    assert len(headers) == 1
    assert sorted(drained(zone).documents()) == sorted(sif.ref(f"student {number}") for number in range(8))


def test_comments_cdata_and_prefixes_survive_the_cut(url, zone, file, small_pieces):
    prefixed = [text.replace("</", "</s:").replace("<", "<s:").replace("<s:/", "</") for text in students(7)]
    named = [f"<!-- > </s:Objects> -->{text}".replace("Ada", "<![CDATA[<Ada>]]>") for text in prefixed]
    text = f"<s:Objects xmlns:s='{sif.NAMESPACE}'>{''.join(named)}</s:Objects>"
    assert received(url, zone, file(text)) == (3, 0, [])
    assert len(drained(zone).documents()) == 7
    assert all("&lt;Ada&gt;" in document for document in zone.documents().values())


def test_one_object_alone_is_a_file_too(url, zone, file):
    assert received(url, zone, file(sif.student("A").replace(" RefId", f" {NS} RefId", 1))) == (1, 0, [])
    assert set(drained(zone).documents()) == {sif.ref("A")}
    assert zone.outcomes() == ["applied"]


REFUSED = {
    "nothing at all": (b"", "empty"),
    "white space": (b" \n ", "empty"),
    "no XML": (b"RefId,LocalId\n1,2\n", "not well-formed"),
    "an empty list": (f"<Objects {NS}/>".encode(), "holds no SIF objects"),
    "a torn list": (bare(*students(30)).encode()[:-200], "breaks off at line 30"),
    "a message broken in the middle": (sif.response(*students(5), "\n<StudentPersonal>&</StudentPersonal>",
                                                    *students(9)), "not well-formed XML at line 2"),
    "a list with an angle bracket in it": (bare(*students(20), "1 < 2", *students(9)).encode(),
                                           "not well-formed XML at line 22"),
    "two lists": ((bare(*students(3)) + bare(*students(3))).encode(), "not well-formed"),
    "a document type": (b"<!DOCTYPE Objects>" + bare(*students(9)).encode(), "DOCTYPE"),
    "bytes of no encoding": (bare(*students(9)).replace("Ada", "Z\xe9").encode("latin-1"), "encoding"),
    "UTF-32": (bare(*students(9)).encode("utf-32"), ""),
    "a large message in another context": (
        sif.response(*students(9)).replace(
            b"</SIF_Header>", b"<SIF_Contexts><SIF_Context>Trial</SIF_Context></SIF_Contexts></SIF_Header>"
        ),
        "SIF_Default only",
    ),
    "another namespace": (sif.response(*students(9)).replace(sif.NAMESPACE.encode(), b"urn:other"), "namespace"),
}  # fmt: skip


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(("content", "why"), REFUSED.values(), ids=REFUSED)
def test_a_refused_file_leaves_nothing_and_says_why(url, zone, file, content, why):
    messages, duplicates, (sentence,) = received(url, zone, file(content))
    assert (messages, duplicates) == (0, 0)
    assert why in sentence
    assert not any(value in sentence for value in ("Ada", "Doe", sif.ref("student 1")))
    assert zone.states() == []
    told = zones.refusals(zone.connection, zone.name)
    (said,) = [dict(zip(told.columns, line, strict=True)) for line in told.lines]
    assert (said["agent"], said["sentence"], said["times"]) == ("file", sentence, 1)


NOT_CARRIED = {
    "a request": (sif.response().replace(b"SIF_Response", b"SIF_Request"), "has neither SIF_Query"),
    "a registration": (sif.response().replace(b"SIF_Response", b"SIF_Register"), "is a SIF_Register"),
    "an event about nothing": (sif.event("Add"), "The message holds no object"),
    "another context": (
        sif.response(*students(2)).replace(
            b"</SIF_Header>", b"<SIF_Contexts><SIF_Context>Trial</SIF_Context></SIF_Contexts></SIF_Header>"
        ),
        "SIF_Default only",
    ),
}


@pytest.mark.parametrize(("content", "why"), NOT_CARRIED.values(), ids=NOT_CARRIED)
def test_a_message_that_http_would_not_store_is_refused_from_a_file_too(url, zone, file, content, why):
    messages, duplicates, (sentence,) = received(url, zone, file(content))
    assert (messages, duplicates) == (0, 0)
    assert why in sentence
    assert zone.states() == []


def test_the_files_beside_a_refused_one_are_stored(url, zone, tmp_path, file):
    file(sif.response(*students(1)), "a.xml")
    file(b"<torn", "b.xml")
    file(sif.response(*students(2)), "c.xml")
    file(b"no XML", "readme.txt")
    summary = receiving.receive(url, zone.name, [tmp_path])
    assert (summary.files, summary.messages) == (3, 2)
    assert [path.name for path, _ in summary.refused] == ["b.xml"]


def test_the_same_file_twice_is_stored_once(url, zone, file, small_pieces):
    path = file(bare(*students(8)))
    assert received(url, zone, path) == (3, 0, [])
    drained(zone)
    before = zone.everything()
    assert received(url, zone, path) == (0, 3, [])
    assert drained(zone).everything() != before  # the duplicates are counted
    assert [count for (count,) in zone.all("SELECT duplicates FROM inbox.message WHERE zone_id = %(zone)s")] == [1] * 3
    assert zone.outcomes() == ["applied"] * 8


def test_receiving_a_file_again_locks_no_message_while_it_lasts(url, zone, file, small_pieces, monkeypatch):
    """The drain settles messages while a large file is received for the second time."""
    path = file(bare(*students(8)))
    received(url, zone, path)
    store, settled = receiving._store, []

    def store_and_settle(connection, line):
        held = store(connection, line)
        with sif.connected(url) as other:
            other.execute("SET lock_timeout = '2s'")
            done = other.execute("UPDATE inbox.message SET held = held WHERE message_id = %s", [held])
            settled.append(done.rowcount)
        return held

    monkeypatch.setattr(receiving, "_store", store_and_settle)
    assert received(url, zone, path) == (0, 3, [])
    assert settled == [1] * 3


def test_a_message_the_drain_has_in_hand_is_no_obstacle_to_its_file(url, zone, file, small_pieces):
    path = file(bare(*students(8)))
    received(url, zone, path)
    with sif.connected(url) as drain_connection, drain_connection.transaction():
        drain_connection.execute("SELECT 1 FROM inbox.message WHERE zone_id = %s FOR UPDATE", [zone.zone_id])
        assert received(url, zone, path) == (0, 3, [])


def test_a_list_sent_anew_is_received_anew_even_with_the_same_bytes(url, zone, file):
    """A district that goes back to an earlier state says so with a file it sent before."""
    path = file(bare(*students(2)))
    received(url, zone, path)
    os.utime(path, ns=(time.time_ns(), time.time_ns()))
    assert received(url, zone, path) == (1, 0, [])


def test_the_same_msg_id_with_other_content_is_refused_and_nothing_of_the_file_stored(url, zone, file, small_pieces):
    first = sif.response(*students(8), msg="A" * 32)
    assert received(url, zone, file(first)) == (3, 0, [])
    changed = first.replace(b"<LocalId>7</LocalId>", b"<LocalId>77</LocalId>")
    messages, duplicates, (sentence,) = received(url, zone, file(changed))
    assert (messages, duplicates) == (0, 0)
    assert "different message" in sentence
    hashes = {bytes(h) for (h,) in zone.all("SELECT body_sha256 FROM inbox.message WHERE zone_id = %(zone)s")}
    assert hashes == {hashlib.sha256(piece.text).digest() for piece in splitting.pieces(file(first))}
    assert {count for (count,) in zone.all("SELECT duplicates FROM inbox.message WHERE zone_id = %(zone)s")} == {0}


def test_no_zone_no_files(url, file):
    with pytest.raises(UnknownZone):
        receiving.receive(url, "nowhere", [file(b"")])


LARGE = textwrap.dedent("""
    import re, sys
    import sif_text as sif
    from pathlib import Path
    from sif_pipeline.files import receiving
    path, url, zone = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    summary = receiving.receive(url, zone, [path])
    # Its own: ru_maxrss begins with what the parent had.
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
    print(summary.messages, summary.refused, int(peak[1]) // 1024)
""")


def test_two_hundred_megabytes_take_no_more_memory_than_two(url, zone, tmp_path):
    path = tmp_path / "large.xml"
    padding = f'<SIF_ExtendedElement Name="x">{"x" * 60_000}</SIF_ExtendedElement>'
    padding = f"<SIF_ExtendedElements>{padding}</SIF_ExtendedElements>"
    with path.open("w") as out:
        out.write(f"<Objects {NS}>\n")
        for number in range(3500):
            out.write(sif.student(f"student {number}", more=padding))
        out.write("\n</Objects>")
    assert path.stat().st_size > 200 * 1024 * 1024
    done = subprocess.run(
        [sys.executable, "-c", LARGE, str(path), url, zone.name], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(sif.__file__).parent)},
    )  # fmt: skip
    stored, refused, megabytes = done.stdout.split()
    assert (int(stored), refused) == (100, "[]")
    assert int(megabytes) < 150
    zone.connection.execute("DELETE FROM inbox.message WHERE zone_id = %s", (zone.zone_id,))


EACH = textwrap.dedent("""
    import re, sys
    from pathlib import Path
    from sif_pipeline.loading import bulk
    from sif_pipeline.files import receiving, validation
    what, path, url, zone = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    if what == "validate":
        said = [f"{found.line} {found.type.code}" for found in validation.validate([path])]
    elif what == "receive":
        done = receiving.receive(url, zone, [path])
        said = [why for _, why in (*done.refused, *done.broken)]
    else:
        said = [why for _, why in bulk.load(url, bulk.plan(url, zone, [path])).refused]
    peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
    print(int(peak[1]) // 1024, *said, sep="\\n")
""")


@pytest.mark.parametrize("what", ["receive", "validate", "bulk"])
def test_a_large_list_with_a_broken_object_in_its_middle_takes_no_more_memory(url, zone, tmp_path, what):
    padding = '<SIF_ExtendedElements><SIF_ExtendedElement Name="x">{}</SIF_ExtendedElement></SIF_ExtendedElements>'
    objects = [sif.student(f"student {n}", more=padding.format("x" * 2000)) for n in range(20_000)]
    objects[10_000:10_000] = ["<StudentPersonal RefId='1'><LocalId>R&D</LocalId></StudentPersonal>"]
    path = tmp_path / "large.xml"
    path.write_text(bare(*objects))
    assert path.stat().st_size > 40 * 1024 * 1024
    done = subprocess.run(
        [sys.executable, "-c", EACH, what, str(path), url, zone.name], capture_output=True, text=True, check=True
    )
    megabytes, said = done.stdout.splitlines()
    assert int(megabytes) < 150
    expected = {"validate": "10002 message_unreadable"}
    assert said.startswith(expected.get(what, "The object that begins at line 10002 cannot be read."))
    zone.connection.execute("DELETE FROM inbox.message WHERE zone_id = %s", (zone.zone_id,))


@pytest.mark.parametrize("place", [0, 4, 9])
@pytest.mark.parametrize("between", ["\n", "", "<!-- <a> -->\n", "<?a </Objects> ?>"])
@pytest.mark.parametrize("before", ["", "\ufeff", '<?xml version="1.0" encoding="UTF-8"?>\n', "<!-- of\nus -->\n"])
def test_the_neighbours_of_a_broken_object_in_a_short_list_are_kept(url, zone, file, *, place, between, before):
    objects = [*students(8), sif.student("marked", first="<![CDATA[</StudentPersonal>]]><!-- <b> -->Ada")]
    objects.insert(place, "<StudentPersonal RefId='1'><LocalId>R&D</LocalId></StudentPersonal>")
    summary = receiving.receive(url, zone.name, [file(before + bare(*objects, between=between))])
    ((_, why),) = summary.broken
    line = (place + 2 if "\n" in between else 1) + before.count("\n")
    assert why == f"The object that begins at line {line} cannot be read. All others are taken."
    assert summary.refused == []
    assert len(drained(zone).documents()) == 9
    assert zone.open_findings() == [("message_unreadable", "StudentPersonal")]


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("place", [0, 7, 29])
def test_the_neighbours_of_a_broken_object_in_a_long_list_with_comments_are_kept(url, zone, file, place):
    """Pieces and blocks are small, so that a comment begins in one block and ends in another."""
    objects = [f"{one}\n<!-- {'x' * 300} <StudentPersonal> -->" for one in students(30)]
    objects.insert(place, "<StudentPersonal RefId='1'><LocalId>R&D</LocalId></StudentPersonal>")
    summary = receiving.receive(url, zone.name, [file(bare(*objects, head="<!-- ours -->\n"))])
    line = 3 + 2 * place
    assert [why for _, why in summary.broken] == [
        f"The object that begins at line {line} cannot be read. All others are taken."
    ]
    assert (summary.refused, len(drained(zone).documents())) == ([], 30)


@pytest.mark.parametrize("begun", ["<!-- no end", "<![CDATA[no end", "<?no end", "<!no"])
def test_a_list_in_which_something_begins_that_never_ends_is_refused_whole(url, zone, file, begun):
    messages, _, (why,) = received(url, zone, file(bare(*students(3), begun, *students(3))))
    assert messages == 0
    assert "not well-formed" in why


@pytest.mark.parametrize("begun", ["<![CDATA[", "<?", "<!--", "<!-- -- ", "<!"])
def test_beginnings_without_end_cost_no_more_than_their_bytes(begun):
    """Were each looked for to the end of the text, this would take hours."""
    text = (bare(*students(3)) + begun * 500_000).encode()
    started = time.process_time()
    assert not splitting.is_list(text) or splitting.apart(text, lambda _: True) is None
    assert splitting._tags(text) == text[: text.index(begun.encode())]
    assert time.process_time() - started < 25


@pytest.mark.parametrize("whole", [100, 1_000_000])
def test_a_packed_file_is_told_so(url, zone, file, monkeypatch, whole):
    monkeypatch.setattr(receiving, "WHOLE_BYTES", whole)
    assert "unpack" in received(url, zone, file(gzip.compress(bare(*students(3)).encode())))[2][0]


def test_files_of_a_folder_may_end_in_capitals(url, zone, file, tmp_path):
    file(bare(*students(1)), "A.XML")
    assert received(url, zone, tmp_path) == (1, 0, [])


UNENDED = {
    "one that breaks off": "<StudentPersonal RefId='1'><LocalId>1",
    "one whose children are not ended either": "<StudentPersonal RefId='1'><Name><LastName>Doe",
    "one with a key of its own": "<StudentAttendanceSummary SchoolYear='2026'><a/>",
    "one that nobody knows": "<Thing><a>",
    "nothing but an end tag": "</StudentPersonal>",
}


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("place", [0, 4, 9])
@pytest.mark.parametrize("unended", UNENDED.values(), ids=UNENDED)
def test_the_neighbours_of_an_object_without_end_tag_are_kept(url, zone, file, place, unended):
    objects = students(9)
    objects[place:place] = [unended]
    summary = receiving.receive(url, zone.name, [file(bare(*objects))])
    ((_, why),) = summary.broken
    assert why == f"The object that begins at line {place + 2} cannot be read. All others are taken."
    assert summary.refused == []
    assert len(drained(zone).documents()) == 9


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("way", ["list", "message", "list with an object that cannot be read"])
@pytest.mark.parametrize("head", ["", "\n\n", "<?xml version='1.0'\n encoding='UTF-8'?>\n", "\ufeff\n"])
def test_a_finding_says_its_line_of_the_file(url, zone, file, way, head):
    wrong = sif.student("wrong", "1", more="\n<Demographics>\n<Gender>?</Gender></Demographics>")
    objects = [*students(4), wrong, *students(5), wrong, "<StudentPersonal>&</StudentPersonal>"]
    objects = objects if "cannot" in way else objects[:-1]
    text = (
        bare(*objects) if "list" in way else sif.response(*(f"\n{one}" for one in objects), at=sif.minute(1)).decode()
    )
    path = file(head + text)
    at = [number for number, line in enumerate((head + text).splitlines(), 1) if "?<" in line or "&" in line]
    received(url, zone, path)
    drained(zone)
    found = sorted((one.line, one.code, one.path) for one in status.each_finding(url, zone.name))
    assert [line for line, *_ in found] == at
    assert found == [(one.line, one.type.code, one.path) for one in validation.validate([path])]


def test_a_finding_that_has_no_line_is_given_none(url, zone, file):
    received(url, zone, file(sif.response(sif.student())))
    (told,) = status.each_finding(url, drained(zone).name)
    assert (told.code, told.line) == ("timestamp_implausible", None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_broken_object_costs_itself_in_a_short_list_of_any_encoding(url, zone, file, encoding):
    text = bare(*students(3), "<StudentPersonal>&</StudentPersonal>", *students(5)[3:])
    summary = receiving.receive(url, zone.name, [file(text.encode(encoding))])
    assert (summary.refused, len(summary.broken), len(drained(zone).documents())) == ([], 1, 5)


@pytest.mark.usefixtures("small_pieces")
def test_objects_without_end_tags_in_a_row_are_told_apart(url, zone, file):
    known = list(UNENDED.values())[:3]
    summary = receiving.receive(url, zone.name, [file(bare(*known, *students(3), *known))])
    ((_, why),) = summary.broken
    assert why == "The objects that begin at lines 2, 3, 4, 8, 9, 10 cannot be read. All others are taken."
    assert len(drained(zone).documents()) == 3


@pytest.mark.usefixtures("small_pieces")
def test_an_object_among_the_extended_elements_of_another_ends_nothing(url, zone, file):
    inner = '<StudentPersonal RefId="1"><LocalId>1</LocalId></StudentPersonal>'
    more = f'<SIF_ExtendedElements><SIF_ExtendedElement Name="x">{inner}</SIF_ExtendedElement></SIF_ExtendedElements>'
    assert received(url, zone, file(bare(*students(4), sif.student("mother", more=more), *students(4)))) == (3, 0, [])
    assert len(drained(zone).documents()) == 5
    assert inner in zone.documents()[sif.ref("mother")]
