"""Whatever is done to the bytes of real messages, the zone reads them or says what is wrong, and its ack is sound."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sif_pipeline.sif import acks
from sif_pipeline.sif.carried import objects
from sif_pipeline.sif.gate import Refused, open_message
from sif_pipeline.sif.messages import Message, read_message
from sif_pipeline.zone.receive import read

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "interop" / "captures"
BODIES = [path.read_bytes() for path in sorted(CAPTURES.glob("*.xml"))]
NASTY = [
    b"", b"<", b">", b"</SIF_Header>", b'"', b"&amp;", b"\0", b"\xff", b"SIF_", b'xmlns="x" ', b"<SIF_Object/>",
    "\u0661\u202e\U0001f600".encode(), b"9" * 40, b"<SIF_Header/>", b"<!--x-->", b"<![CDATA[x]]>", b"-", b" ",
]  # fmt: skip


def mutated(body, seed):
    """Cut, double, swap and spoil parts of a message."""
    luck = random.Random(seed)
    for _ in range(luck.randint(1, 4)):
        start = luck.randrange(len(body) + 1)
        end = min(len(body), start + luck.choice((0, 1, 2, 8, 40, 200)))
        piece = luck.choice((luck.choice(NASTY), body[start:end] * 2, body[end : end + 30]))
        body = body[:start] + piece + body[end:]
    return body


def check(body):
    incoming = read(body)
    assert isinstance(incoming.content, Message | Refused)
    outcome = acks.STORED if isinstance(incoming.content, Message) else incoming.content
    answered = read_message(open_message(acks.write_ack(incoming.original, outcome)))
    assert (answered.answer.status == 0) == isinstance(incoming.content, Message)
    if isinstance(incoming.content, Message):
        root = open_message(body)
        assert sum(len(event.objects) for event in incoming.content.events) in (0, len(list(objects(root))))


@pytest.mark.parametrize("place", range(len(BODIES)) if BODIES else [None])
def test_mutants_of_real_messages(place):
    if place is None:
        pytest.skip("needs the captured messages, which are not part of the project")
    for seed in range(60):
        check(mutated(BODIES[place], seed * 1000 + place))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes(body):
    check(body)
