"""Fuzz the gate, the reader of envelopes and the writer of acks: `python tests/fuzz/fuzz_gate.py SECONDS SEED`.

Mutates messages of our own making, and captured ones where they are at hand, byte by byte and element by element.
Prints a JSON object: how many cases, how they were judged, the slowest, the memory, and what broke a promise.
"""

import base64
import json
import random
import resource
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from lxml import etree

from sif_pipeline.sif import acks, carried, messages
from sif_pipeline.sif.elements import SIF
from sif_pipeline.sif.gate import Limits, Refused, open_message, reopen
from sif_pipeline.synth import districts
from sif_pipeline.synth import messages as synth
from sif_pipeline.zone.receive import read

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
SCHEMA = SHARED / "spec" / "sif-us-2.6" / "SIF_Message.xsd"
LIMITS = Limits(size=256 * 1024, elements=2_500)
SLOW = 0.5
"""Seconds of processor time that no message of 256 KB may cost."""

TOKENS = [
    b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'>", b"&b;", b"&#0;", b"&#xD800;",
    b"&#x10FFFF;", b"&lt;", b"]]>", b"<![CDATA[", b"<!--", b"--", b"<?xml version='1.0'?>",
    b"<?xml version='1.1' encoding='utf-7'?>", b"<?xmlx?>", b"<?x y?>", b" xmlns=''", b" xmlns='urn:x'",
    b" xmlns:a='u' xmlns:b='u' a:x='1' b:x='2'", b" xsi:nil='true'", b" xml:id='a'", b"\0", b"\xff\xfe", b"\xfe\xff",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\x85", b"\xe2\x80\xa8", b"\xef\xbf\xbf",
    b"<a>" * 80, b"<a/>" * 3000, b"x" * 70_000, b" a='1'" * 10, b"'", b'"', b"=", b">", b"<", b"/", b"</SIF_Header>",
    b"<SIF_Header>", b"</SIF_Message>", b"<SIF_Message>", b"Version='2.9'", b"SIF_Ack", b"2.*", b"-1",
    b"99999999999999999999", b"9999-12-31T24:00:00-14:00", b"NaN", b"\xd9\xa1\xd9\xa2",
]  # fmt: skip


def seeds():
    """Give sound messages of every kind we write, and the captured ones where there are any."""
    stamps = synth.stamps(1, "fuzz", datetime(2026, 11, 22, tzinfo=UTC))
    district = next(districts(1, 20, 1))
    objects = [
        one
        for kind in ("LEAInfo", "StudentPersonal", "DisciplineIncident")
        for one in islice(district.objects([kind]), 2)
    ]
    yield synth.register("SIS", next(stamps))
    yield synth.provision("SIS", [one.name for one in objects], next(stamps))
    yield synth.ping("SIS", next(stamps))
    yield synth.unregister("SIS", next(stamps))
    for one in objects:
        for action in ("Add", "Change", "Delete"):
            yield synth.event(one.name, action, one.xml, "SIS", next(stamps))
    yield from synth.response_packets(
        [one.xml for one in objects], "SIS", "STATE", "A" * 32, stamps, buffer_size=20_000
    )
    yield acks.write_ack(messages.Original("2.6", "SIS", "B" * 32), acks.STORED)
    for capture in sorted((SHARED / "interop" / "captures").glob("*.xml")):
        yield capture.read_bytes()


def by_bytes(draw, data, others):
    """Change a message's bytes in up to six places."""
    body = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        start = draw.randrange(len(body) + 1)
        end = min(len(body), start + draw.choice((1, 1, 2, 8, 64, 1024)))
        match draw.randrange(7):
            case 0:
                body[start:end] = b""
            case 1:
                body[start:start] = draw.choice(TOKENS)
            case 2:
                body[start:end] = bytes(draw.randrange(256) for _ in range(end - start))
            case 3:
                body[start:start] = body[start:end] * draw.choice((1, 2, 100))
            case 4:
                other = draw.choice(others)
                place = draw.randrange(len(other))
                body[start:end] = other[place : place + draw.choice((4, 64, 2048))]
            case 5:
                del body[start:]
            case _:
                body[start:end] = bytes(byte ^ 1 << draw.randrange(8) for byte in body[start:end])
    return bytes(body)


def by_elements(draw, data, others):
    """Change a message's elements in up to four places, so that it stays well-formed."""
    root = etree.fromstring(data)
    for _ in range(draw.randint(1, 4)):
        one = draw.choice(list(root.iter(etree.Element)))
        parent = one.getparent()
        match draw.randrange(7):
            case 0 if parent is not None:
                parent.remove(one)
            case 1 if parent is not None:
                parent.insert(draw.randrange(len(parent) + 1), etree.fromstring(etree.tostring(one, with_tail=False)))
            case 2:
                one.text = draw.choice(
                    ("", " ", "*", "2.*", "x" * 5000, "-1", "1e9", "\u00e9\U0001f600", "Yes", "&<>\"'", "\u0661")
                )
            case 3:
                one.tag = draw.choice((one.tag, "x", "{urn:x}y", SIF + "SIF_Event", SIF + "SIF_Ack"))
            case 4:
                one.set(
                    draw.choice(("Version", "ObjectName", "Action", "RefId", "{urn:x}y")),
                    draw.choice(("", "2.6", "9.9", "\u00e9'\"<")),
                )
            case 5:
                other = etree.fromstring(draw.choice(others))
                one.append(draw.choice(list(other.iter(etree.Element))))
            case _:
                one[:] = reversed(one[:])
    encoding = draw.choice(("utf-8", "utf-8", "utf-16", "us-ascii", "latin-1"))
    return (
        etree.tostring(root, encoding=encoding, xml_declaration=draw.random() < 0.5)
        if encoding != "latin-1"
        else etree.tostring(root)
    )


def promises(data, schema):
    """Give the verdict on a message; raise AssertionError where a promise is broken, or whatever broke it."""
    incoming = read(data, LIMITS)
    refused = incoming.content if isinstance(incoming.content, Refused) else None
    ack = open_message(acks.write_ack(incoming.original, refused or acks.STORED))
    assert schema is None or schema.validate(ack), "the ack is not valid"
    try:
        root = open_message(data, LIMITS)
    except Refused:
        assert refused is not None, "it was read without the gate"
    else:
        assert etree.tostring(reopen(data)) == etree.tostring(root), "the drain would read another tree"
        assert all(one.position > 0 for one in carried.objects(root))
        answer = acks.write_ack(messages.Original(), acks.carrying(data))
        assert open_message(answer) is not None, "it breaks the ack that carries it"
    return f"{refused.category}/{refused.code}" if refused else "a message"


def main(seconds, seed):
    """Fuzz for so many seconds and print what came of it."""
    draw, sound = random.Random(seed), list(seeds())
    schema = etree.XMLSchema(etree.parse(SCHEMA)) if SCHEMA.exists() else None
    verdicts, broken, slowest = Counter(promises(data, schema) for data in sound), [], 0.0
    before, end = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic() + seconds
    while time.monotonic() < end and len(broken) < 5:
        data = draw.choice((by_bytes, by_elements))(draw, draw.choice(sound), sound)
        began = time.thread_time()
        try:
            verdicts[promises(data, schema)] += 1
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is what we look for
            broken.append([f"{type(error).__name__}: {error}", base64.b64encode(data).decode()])
        taken = time.thread_time() - began
        slowest = max(slowest, taken)
        if taken > SLOW:
            broken.append([f"took {taken:.2f} s", base64.b64encode(data).decode()])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    told = {"seed": seed, "cases": verdicts.total(), "verdicts": verdicts, "slowest": slowest, "grown_kb": grown}
    print(json.dumps(told | {"broken": broken}))


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]))
