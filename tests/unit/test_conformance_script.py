"""Each step of the script, by records made up for it: what passes, what fails with which words, what is not seen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sif_pipeline.conformance.evidence import Agent, Asked, Delivery, Evidence, Exchange, Packet, Sent
from sif_pipeline.conformance.report import FORMATS, report
from sif_pipeline.conformance.script import STEPS, Outcome, is_complete, judge
from sif_pipeline.notices import Notice

BEGAN = datetime(2026, 11, 22, 8, tzinfo=UTC)
NOTHING = Evidence("sandbox", 1, "SIS", BEGAN)
PASSED, FAILED, NOT_SEEN = "passed", "failed", "not seen"


def said(*each):
    """Make exchanges of (what was said, our answer) in order."""
    return replace(
        NOTHING,
        exchanges=tuple(
            Exchange(number, BEGAN + timedelta(seconds=number), f"{number:032X}", kind, "2.6", 900, None, None, answer,
                     None, None)
            for number, (kind, answer) in enumerate(each, 1)
        ),
    )  # fmt: skip


def sent(*each, kind="SIF_Event"):
    """Make objects of (action, key, codes of findings) in order."""
    return replace(
        said(("SIF_Event", "0")),
        sent=tuple(
            Sent(BEGAN + timedelta(seconds=n), "A" * 32, kind, 1, action, "StudentPersonal", key, 3,
                 tuple(Notice(code, "StudentPersonal/Name") for code in codes))
            for n, (action, key, codes) in enumerate(each)
        ),
    )  # fmt: skip


def queued(*each):
    """Make deliveries of (state, attempts, failure) and, perhaps, an object."""
    return replace(
        said(("SIF_GetMessage", "0")),
        deliveries=tuple(
            Delivery("B" * 32, "SIF_Event", name, state, attempts, BEGAN, BEGAN if attempts else None, None, failure)
            for state, attempts, failure, name in (one if len(one) == 4 else (*one, None) for one in each)
        ),
    )


def asked(state, *sizes, error=None, answers=("0",)):
    """Make one request of 16 KiB packets, how it ended, and the packets that came."""
    packets = tuple(Packet("C" * 32, n, n < len(sizes), size, 5) for n, size in enumerate(sizes, 1))
    request = Asked("C" * 32, "StudentPersonal", 16384, state, error, BEGAN)
    return replace(said(*(("SIF_Response", answer) for answer in answers)), asked=(request,), packets=packets)


BAD, GOOD = ("value_malformed",), ()

CASES = [
    ("register", said(("SIF_Register", "0")), PASSED, "08:00:01 UTC, answered with status 0"),
    ("register", said(("SIF_Register", "5/4 Speak 2.x.")), FAILED, "was refused: 5/4 Speak 2.x."),
    ("register", said(("SIF_Register", "5/4 No."), ("SIF_Register", "0")), PASSED, ""),
    ("register", said(("SIF_Ping", "0")), NOT_SEEN, "No SIF_Register came."),
    ("ping", said(("SIF_Ping", "0")), PASSED, ""),
    ("zone_status", said(("SIF_GetZoneStatus", "0")), PASSED, ""),
    ("provision", said(("SIF_Provision", "0")), FAILED, "names no object"),
    ("provision", replace(said(("SIF_Provide", "0")), provides=frozenset({"LEAInfo"})), PASSED, "Provides LEAInfo."),
    ("provision", said(("SIF_Provision", "4/3 Not that.")), FAILED, "4/3 Not that."),
    ("envelope", said(("SIF_Ping", "0"), (None, "1/2 Not XML.")), FAILED, "1 message could not be read"),
    ("envelope", said(("SIF_Ping", "0"), ("SIF_Ping", "0")), PASSED, "2 messages could be read."),
    ("msg_id", said(("SIF_Event", "12/5 Another one.")), FAILED, "1 message came under the SIF_MsgId of another"),
    ("msg_id", said(("SIF_Event", "0")), PASSED, ""),
    ("timestamp", said(("SIF_Event", "0")), PASSED, ""),
    ("add", sent(("Add", 1, GOOD), ("Add", 2, BAD)), PASSED, "1 StudentPersonal"),
    ("add", sent(("Add", 1, BAD)), FAILED, "line 3:"),
    ("add", sent(("Change", 1, GOOD)), NOT_SEEN, "Action Add"),
    ("add", sent(("Add", 1, GOOD), kind="SIF_Response"), NOT_SEEN, ""),
    ("change", sent(("Change", 1, GOOD)), PASSED, ""),
    ("delete", sent(("Delete", 1, GOOD)), PASSED, ""),
    ("delete", sent(("Delete", 1, BAD)), FAILED, ""),
    ("one_object", sent(("Add", 1, GOOD)), PASSED, ""),
    ("objects", sent(("Add", 1, BAD), ("Add", 1, GOOD)), PASSED, "2 objects came"),
    ("objects", sent(("Add", 1, GOOD), ("Change", 1, BAD)), FAILED, "1 object. StudentPersonal, message AAAA"),
    ("objects", sent(("Add", None, BAD), ("Add", 2, GOOD)), FAILED, ""),
    ("bad_data", sent(("Add", 1, GOOD)), NOT_SEEN, "Every object was valid"),
    ("bad_data", sent(("Add", 1, BAD)), NOT_SEEN, "has not come again"),
    ("bad_data", sent(("Add", 1, BAD), ("Add", 2, GOOD)), NOT_SEEN, ""),
    ("bad_data", sent(("Add", 1, BAD), ("Add", 1, GOOD)), PASSED, "(StudentPersonal/Name)"),
    ("resend", said(("SIF_Event", "0"), ("SIF_Event", "7")), PASSED, "came again"),
    ("resend", said(("SIF_Event", "withheld")), NOT_SEEN, "not come again yet"),
    ("resend", said(("SIF_Event", "withheld"), ("SIF_Event", "0")), FAILED, "went on"),
    ("resend", said(("SIF_Event", "withheld"), ("SIF_Unregister", "0")), FAILED, "went on"),
    ("resend", said(("SIF_Event", "withheld"), ("SIF_Event", "7")), PASSED, ""),
    ("delivery", queued(("delivering", 1, None)), PASSED, "1 message, the last at 08:00:00 UTC"),
    ("delivery", queued(("queued", 0, None)), NOT_SEEN, "1 message on the agent's queue."),
    ("delivery", queued(("queued", 0, "connect")), FAILED, "could not be reached at its SIF_URL: connect."),
    ("delivery", said(("SIF_GetMessage", "5/9 Registered for push.")), FAILED, "5/9"),
    ("delivery", NOTHING, NOT_SEEN, "Nothing waited."),
    ("ack", queued(("done", 1, None), ("delivering", 1, None)), PASSED, "1 of 2 messages"),
    ("ack", queued(("delivering", 4, None)), FAILED, "4 times without an ack"),
    ("ack", queued(("delivering", 1, None)), NOT_SEEN, ""),
    ("ack", said(("SIF_Ack", "12/6 No such message.")), FAILED, "12/6"),
    ("log_entry", queued(("done", 1, None, "SIF_LogEntry")), PASSED, "1 of 1 SIF_LogEntry"),
    ("log_entry", queued(("queued", 0, None, "SIF_LogEntry")), NOT_SEEN, "A SIF_LogEntry waits."),
    ("log_entry", queued(("done", 1, None)), NOT_SEEN, "no SIF_LogEntry"),
    ("sleep", said(("SIF_Sleep", "0")), PASSED, ""),
    ("wakeup", said(("SIF_Wakeup", "4/9 Register.")), FAILED, ""),
    ("response", asked("complete", 900), PASSED, "1 of 1 request."),
    ("response", asked("open"), NOT_SEEN, "1 request not answered."),
    ("response", asked("failed", error="8/4"), NOT_SEEN, "1 request not answered."),
    ("response", asked("failed", error="8/9"), FAILED, "ended with 8/9"),
    ("response", asked("timed_out"), FAILED, "no answer"),
    ("response", asked("open", answers=("8/12 Packet 1 is due.",)), FAILED, "8/12 Packet 1 is due."),
    ("response", NOTHING, NOT_SEEN, "asked nothing"),
    ("packets", asked("complete", 16000, 4000), PASSED, "2 packets, the largest 16000 of 16384"),
    ("packets", asked("complete", 900), NOT_SEEN, ""),
    ("packets", asked("open", answers=("8/11 Too large.",)), FAILED, "8/11"),
    ("big_response", asked("complete", 40_000, 40_000), PASSED, "80000 bytes, 10 objects"),
    ("big_response", asked("complete", 900), NOT_SEEN, "900 bytes"),
    ("unregister", said(("SIF_Unregister", "0")), PASSED, ""),
]


@pytest.mark.parametrize(("step", "evidence", "outcome", "words"), CASES)
def test_a_step_is_judged_by_what_was_recorded(step, evidence, outcome, words):
    (verdict,) = [r.verdict for r in judge(evidence) if r.step.name == step]
    assert (verdict.outcome.value, words in verdict.reason) == (outcome, True), verdict.reason


def test_every_step_has_cases_of_its_own():
    names = [step.name for step in STEPS]
    assert len(set(names)) == len(names)
    assert {name for name, *_ in CASES} == set(names)


def test_of_nothing_nothing_is_seen():
    assert {r.verdict.outcome for r in judge(NOTHING)} == {Outcome.NOT_SEEN}
    assert not is_complete(judge(NOTHING))


def test_a_timestamp_that_cannot_be_used_and_several_objects_in_an_event_are_seen():
    one = said(("SIF_Event", "0"))
    undated = replace(one, exchanges=(replace(one.exchanges[0], envelope="timestamp_implausible"),))
    local = replace(one, exchanges=(replace(one.exchanges[0], envelope="timestamp_without_offset"),))
    assert one_of(local, "timestamp")[0] == "failed"
    assert "without an offset" in one_of(local, "timestamp")[1]
    many = sent(("Add", 1, GOOD), ("Add", 2, GOOD))
    many = replace(many, sent=(many.sent[0], many.sent[1]._replace(place=2)))
    assert one_of(undated, "timestamp") == (
        "failed",
        "1 message had no SIF_Timestamp that could be used, the last a SIF_Event.",
    )
    assert one_of(many, "one_object") == ("failed", "1 event held several objects.")


def one_of(evidence, step):
    return next((r.verdict.outcome.value, r.verdict.reason) for r in judge(evidence) if r.step.name == step)


def test_reports_escape_what_an_agent_says_of_itself():
    agent = Agent(name="<b>|SIS|</b>", vendor="A & B\x9b2J")
    made = report(replace(said(("SIF_Register", "5/4 <No> | no.")), agent=agent), BEGAN)
    assert "&lt;b&gt;|SIS|" in FORMATS["html"](made)
    assert "A & B 2J" in FORMATS["text"](made)
    assert "<b>" not in FORMATS["html"](made)
    markdown = FORMATS["markdown"](made)
    assert "&lt;b>\\|SIS\\|&lt;/b>" in markdown
    assert "5/4 &lt;No> \\| no." in markdown
