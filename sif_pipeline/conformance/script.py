"""The script of a conformance run: each step, the clause it comes from, what to do, and how it is judged.

A step is judged by what the zone recorded, never by what the agent says of itself, and in any order: kits differ in
when they do what.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from sif_pipeline.conformance.evidence import Asked, Evidence, Exchange, Packet, Sent
from sif_pipeline.notices import Notice
from sif_pipeline.zone.recording import WITHHELD, WITHOUT_OFFSET

BIG: Final = 64 * 1024
"""Bytes of a response, all packets together, from which it is a big one."""

GOES_ON: Final = 20
"""Findings that a step lists at most."""


class Outcome(StrEnum):
    """How a step came out."""

    PASSED = "passed"  #: done, and done right
    FAILED = "failed"  #: done wrong; the reason says how
    NOT_SEEN = "not seen"  #: not done yet


class Verdict(NamedTuple):
    """How a step came out, and by what that is seen. No value of an object is in the reason."""

    outcome: Outcome
    reason: str


Judge = Callable[[Evidence], Verdict]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing an agent must show."""

    name: str  #: stable, for machines
    title: str
    clause: str  #: of the SIF 2.x Infrastructure specification
    todo: str  #: what a vendor does to get it passed
    judge: Judge
    is_needed: bool = True  #: whether a run without it is incomplete


STEPS: list[Step] = []
"""The script, in the order in which it is best gone through."""


class Result(NamedTuple):
    """A step and its verdict."""

    step: Step
    verdict: Verdict


def judge(evidence: Evidence) -> list[Result]:
    """Judge every step of the script."""
    return [Result(step, step.judge(evidence)) for step in STEPS]


def is_complete(results: Sequence[Result]) -> bool:
    """Whether nothing failed and everything that is needed was seen."""
    return all(
        r.verdict.outcome is Outcome.PASSED or (r.verdict.outcome is Outcome.NOT_SEEN and not r.step.is_needed)
        for r in results
    )


def _step(name: str, title: str, clause: str, todo: str, *, is_needed: bool = True) -> Callable[[Judge], Judge]:
    def add(judge: Judge) -> Judge:
        STEPS.append(Step(name, title, clause, todo, judge, is_needed))
        return judge

    return add


def _passed(reason: str) -> Verdict:
    return Verdict(Outcome.PASSED, reason)


def _failed(reason: str) -> Verdict:
    return Verdict(Outcome.FAILED, reason)


def _not_seen(reason: str) -> Verdict:
    return Verdict(Outcome.NOT_SEEN, reason)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"


def _said(evidence: Evidence, *kinds: str) -> list[Exchange]:
    return [e for e in evidence.exchanges if e.said in kinds]


def _accepted(evidence: Evidence, *kinds: str) -> Verdict:
    """Judge a message that has only to be accepted once; a later acceptance mends an earlier refusal."""
    found = _said(evidence, *kinds)
    good = [e for e in found if e.is_good]
    if good:
        return _passed(f"{good[-1].said} at {_at(good[-1].at)}, answered with status {good[-1].code}.")
    if found:
        return _failed(f"{found[-1].said} at {_at(found[-1].at)} was refused: {found[-1].answer}")
    return _not_seen(f"No {' or '.join(kinds)} came.")


# Joining


@_step(
    "register", "Registers", "SIF_Register",
    "Send SIF_Register with SIF_Name, a SIF_Version of 2.x, SIF_MaxBufferSize, SIF_Mode, and for push SIF_Protocol.",
)  # fmt: skip
def _register(evidence: Evidence) -> Verdict:
    return _accepted(evidence, "SIF_Register")


@_step("ping", "Asks whether the zone is there", "SIF_SystemControl, SIF_Ping", "Send SIF_Ping; it is answered with 0.")
def _ping(evidence: Evidence) -> Verdict:
    return _accepted(evidence, "SIF_Ping")


@_step(
    "zone_status", "Reads the zone's status", "SIF_SystemControl, SIF_GetZoneStatus; SIF_ZoneStatus",
    "Send SIF_GetZoneStatus. The answer tells versions, and whether the zone takes gzip.", is_needed=False,
)  # fmt: skip
def _zone_status(evidence: Evidence) -> Verdict:
    return _accepted(evidence, "SIF_GetZoneStatus")


@_step(
    "provision", "Says what it provides", "SIF_Provision; SIF_Provide",
    "Send SIF_Provision with SIF_ProvideObjects and SIF_RespondObjects, or SIF_Provide for each object. The access "
    "list in the answer to SIF_Register says what is allowed.",
)  # fmt: skip
def _provision(evidence: Evidence) -> Verdict:
    verdict = _accepted(evidence, "SIF_Provision", "SIF_Provide")
    if verdict.outcome is Outcome.PASSED and not evidence.provides:
        return _failed("The provision was accepted, but names no object in SIF_ProvideObjects.")
    if verdict.outcome is Outcome.PASSED:
        return _passed(f"{verdict.reason} Provides {', '.join(sorted(evidence.provides))}.")
    return verdict


# Every message


@_step(
    "envelope", "Writes messages that can be read", "SIF_Message, SIF_Header; error categories 1 and 12",
    "Mend what the answers say: well-formed UTF-8, the namespace of SIF 2.x, a Version, one message in each "
    "SIF_Message, SIF_MsgId and RefId of 32 upper-case hexadecimal digits.",
)  # fmt: skip
def _envelope(evidence: Evidence) -> Verdict:
    if not evidence.exchanges:
        return _not_seen("No message came.")
    bad = [e for e in evidence.exchanges if e.said is None]
    if bad:
        return _failed(
            f"{_count(len(bad), 'message')} could not be read, the last at {_at(bad[-1].at)}: {bad[-1].answer}"
        )
    return _passed(f"{_count(len(evidence.exchanges), 'message')} could be read.{_strays(evidence)}")


def _strays(evidence: Evidence) -> str:
    """Remark on what anybody with the sandbox's URL may have sent; it is held against nobody."""
    if not evidence.strays:
        return ""
    count = _count(len(evidence.strays), "message")
    return f" Besides, {count} came without a readable SIF_SourceId, the last answered with: {evidence.strays[-1]}"


@_step(
    "timestamp", "Dates its messages", "SIF_Header, SIF_Timestamp",
    "Set SIF_Timestamp to when the record changed, as an xs:dateTime with an offset, and keep the clock right.",
)  # fmt: skip
def _timestamp(evidence: Evidence) -> Verdict:
    if not evidence.exchanges:
        return _not_seen("No message came.")
    bad = [e for e in evidence.exchanges if "timestamp_implausible" in (e.envelope or "")]
    if bad:
        return _failed(
            f"{_count(len(bad), 'message')} had no SIF_Timestamp that could be used, the last a {bad[-1].said}."
        )
    local = [e for e in evidence.exchanges if WITHOUT_OFFSET in (e.envelope or "")]
    if local:
        return _failed(
            f"{_count(len(local), 'message')} had a SIF_Timestamp without an offset, the last a {local[-1].said}; it "
            "is taken as UTC. End it with Z, or with an offset such as -05:00."
        )
    return _passed("Every message had a SIF_Timestamp with an offset.")


@_step(
    "msg_id", "Gives each message a SIF_MsgId of its own", "SIF_Header, SIF_MsgId",
    "Make a new SIF_MsgId for each message, and keep it with the message for when it must be sent again.",
)  # fmt: skip
def _msg_id(evidence: Evidence) -> Verdict:
    if not evidence.exchanges:
        return _not_seen("No message came.")
    bad = [e for e in evidence.exchanges if e.code == "12/5"]
    if bad:
        return _failed(
            f"{_count(len(bad), 'message')} came under the SIF_MsgId of another one, the last at {_at(bad[-1].at)}."
        )
    return _passed("No SIF_MsgId stood for two messages.")


# Events


def _event(action: str) -> Judge:
    def judge(evidence: Evidence) -> Verdict:
        found = [s for s in evidence.sent if s.message_type != "SIF_Response" and s.action == action]
        good = Counter(s.object_name for s in found if not s.errors)
        if good:
            return _passed(f"Valid: {', '.join(f'{n} {name}' for name, n in sorted(good.items()))}.")
        if found:
            return _failed(f"None of {len(found)} was valid. {_findings(found[-1:])}")
        return _not_seen(f"No SIF_Event with Action {action} came.")

    return judge


_step(
    "add", "Publishes a new object", "SIF_Event, SIF_EventObject Action Add",
    "Add a record, and publish the whole object: every mandatory element.",
)(_event("Add"))  # fmt: skip
_step(
    "change", "Publishes a change", "SIF_Event, SIF_EventObject Action Change",
    "Change a record, and publish its key and what changed.",
)(_event("Change"))  # fmt: skip
_step(
    "delete", "Publishes a deletion", "SIF_Event, SIF_EventObject Action Delete",
    "Delete a record, and publish its key.",
)(_event("Delete"))  # fmt: skip


@_step(
    "one_object", "Sends each object in an event of its own", "SIF_Event, SIF_ObjectData",
    "Put one SIF_EventObject with one object into a SIF_Event. Several are taken all the same.", is_needed=False,
)  # fmt: skip
def _one_object(evidence: Evidence) -> Verdict:
    places = [s.place for s in evidence.sent if s.message_type == "SIF_Event"]
    if not places:
        return _not_seen("No SIF_Event came.")
    many = sum(place == 2 for place in places)
    return (
        _failed(f"{_count(many, 'event')} held several objects.") if many else _passed("Every event held one object.")
    )


# Bad data


@_step(
    "objects", "Sends valid objects in the end", "Data Model: the object's table; SIF_Event; SIF_Response",
    "Mend each object that has a finding, and send it again. `sif-pipeline validate` finds the same without a zone.",
)  # fmt: skip
def _objects(evidence: Evidence) -> Verdict:
    if not evidence.sent:
        return _not_seen("No object came.")
    bad = [s for s in _latest(evidence) if s.errors]
    if bad:
        return _failed(f"Not valid as sent last: {_count(len(bad), 'object')}. {_findings(bad)}")
    return _passed(f"{_count(len(evidence.sent), 'object')} came; each is valid as it was sent last.")


@_step(
    "bad_data", "Lives with a finding, and mends the object", "SIF_Ack, status 0; SIF_LogEntry, category 3",
    "Send one object that breaks a rule, such as a code that is not in its code set; see the finding; mend the record "
    "and publish it again. Status 0 means that a message is kept, not that its objects are good.",
)  # fmt: skip
def _bad_data(evidence: Evidence) -> Verdict:
    bad = [s for s in evidence.sent if s.errors]
    if not bad:
        return _not_seen("Every object was valid; nothing tells how the agent lives with a finding.")
    mended = [s for s in bad if any(_mends(later, s) for later in evidence.sent)]
    if not mended:
        return _not_seen(f"A finding was given, and the object has not come again. {_findings(bad[-1:])}")
    return _passed(f"Came again without its finding: {_count(len(mended), 'object')}. {_findings(mended[-1:])}")


def _mends(later: Sent, bad: Sent) -> bool:
    same = (later.object_name, later.key) == (bad.object_name, bad.key) and bad.key is not None
    return same and later.at > bad.at and not later.errors


def _latest(evidence: Evidence) -> Iterator[Sent]:
    """Give each object as it was sent last; what has no key stands for itself, until a good one of its kind came."""
    latest: dict[object, Sent] = {}
    for number, sent in enumerate(evidence.sent):
        latest[(sent.object_name, sent.key if sent.key is not None else number)] = sent
    return iter(latest.values())


def _findings(sent: Sequence[Sent]) -> str:
    """List findings with object, path and line, never a value."""
    lines = [_finding(one, notice) for one in sent for notice in one.errors]
    more = f" And {len(lines) - GOES_ON} more." if len(lines) > GOES_ON else ""
    return " ".join(lines[:GOES_ON]) + more


def _finding(sent: Sent, notice: Notice) -> str:
    place = f"{sent.object_name}, message {sent.msg_id}, line {notice.line or sent.line}"
    return f"{place}: {notice.type.title}{f' ({notice.path})' if notice.path else ''}"


@_step(
    "resend", "Sends a message again under the same SIF_MsgId", "SIF_Ack, status 7; message delivery",
    "While the run is watched, the zone holds back the answer to one event: let the agent send it again, the same "
    "bytes under the same SIF_MsgId. It is answered with 7, which is as good as 0.",
)  # fmt: skip
def _resend(evidence: Evidence) -> Verdict:
    again = [e for e in evidence.exchanges if e.code == "7"]
    withheld = [e for e in evidence.exchanges if e.code == WITHHELD]
    if again:
        return _passed(f"{again[-1].said} at {_at(again[-1].at)} came again and was answered with status 7.")
    if not withheld:
        return _not_seen("No message came twice.")
    went_on = [e for e in _said(evidence, "SIF_Event") if e.exchange_id > withheld[-1].exchange_id]
    words = f"The answer to the SIF_Event at {_at(withheld[-1].at)} was held back"
    if went_on or _has_left(evidence):
        return _failed(f"{words}, and the agent went on without sending it again.")
    return _not_seen(f"{words}; it has not come again yet.")


def _has_left(evidence: Evidence) -> bool:
    return evidence.exchanges[-1].said == "SIF_Unregister"


# The agent's queue


@_step(
    "delivery", "Takes messages from the zone", "SIF_SystemControl, SIF_GetMessage; SIF_Register, SIF_Mode Push",
    "By pull: send SIF_GetMessage until the answer is status 9. By push: listen on the SIF_URL of SIF_Register. The "
    "zone asks for objects as soon as the agent provides some, so that there is something to take.",
)  # fmt: skip
def _delivery(evidence: Evidence) -> Verdict:
    handed = [d for d in evidence.deliveries if d.attempts]
    if handed:
        last = handed[-1].delivered_at or handed[-1].created_at
        return _passed(f"Handed out: {_count(len(handed), 'message')}, the last at {_at(last)}.")
    refused = [e for e in _said(evidence, "SIF_GetMessage") if not e.is_good]
    if refused:
        return _failed(f"SIF_GetMessage was refused: {refused[-1].answer}")
    failing = [d for d in evidence.deliveries if d.last_failure]
    if failing:
        return _failed(f"The agent could not be reached at its SIF_URL: {failing[-1].last_failure}.")
    waiting = (
        f"{_count(len(evidence.deliveries), 'message')} on the agent's queue."
        if evidence.deliveries
        else "Nothing waited."
    )
    return _not_seen(waiting)


@_step(
    "ack", "Acknowledges what it was given", "SIF_Ack, status 1, 2, 3 and 7; selective message blocking",
    "Answer each message with a SIF_Ack that names it, or the ack that carried it: 1 when it is kept, 2 and later 3 "
    "for an event that blocks others. Without an ack it is given again.",
)  # fmt: skip
def _ack(evidence: Evidence) -> Verdict:
    refused = [e for e in _said(evidence, "SIF_Ack") if not e.is_good]
    settled = [d for d in evidence.deliveries if d.state == "done"]
    handed = [d for d in evidence.deliveries if d.attempts]
    if refused and not settled:
        return _failed(f"The SIF_Ack at {_at(refused[-1].at)} was refused: {refused[-1].answer}")
    often = [d for d in handed if d.attempts > 3 and d.state in ("delivering", "queued")]
    if often:
        return _failed(f"A {often[-1].message_type} was handed out {often[-1].attempts} times without an ack.")
    if settled:
        return _passed(f"Acknowledged: {len(settled)} of {_count(len(handed), 'message')}.")
    return _not_seen("No message was acknowledged.")


@_step(
    "log_entry", "Is told of findings", "SIF_LogEntry",
    "Subscribe to SIF_LogEntry. For an object with a finding the zone then sends an event that adds a SIF_LogEntry; "
    "acknowledge it, and show it to somebody.", is_needed=False,
)  # fmt: skip
def _log_entry(evidence: Evidence) -> Verdict:
    told = [d for d in evidence.deliveries if d.object_name == "SIF_LogEntry"]
    taken = [d for d in told if d.state == "done"]
    if taken:
        return _passed(f"Acknowledged: {len(taken)} of {len(told)} SIF_LogEntry.")
    return _not_seen("A SIF_LogEntry waits." if told else "The agent was sent no SIF_LogEntry.")


@_step(
    "sleep", "Asks the zone to wait", "SIF_SystemControl, SIF_Sleep", "Send SIF_Sleep; nothing is delivered from then.",
)  # fmt: skip
def _sleep(evidence: Evidence) -> Verdict:
    return _accepted(evidence, "SIF_Sleep")


@_step(
    "wakeup", "Asks the zone to go on", "SIF_SystemControl, SIF_Wakeup", "Send SIF_Wakeup after SIF_Sleep.",
)  # fmt: skip
def _wakeup(evidence: Evidence) -> Verdict:
    return _accepted(evidence, "SIF_Wakeup")


# Requests

_LEFT = "8/4"  # how an open request ends when the agent leaves: it has not answered wrongly


@_step(
    "response", "Answers a request", "SIF_Request, SIF_Response",
    "Take the SIF_Request from the queue and answer it: SIF_RequestMsgId as in the request, SIF_DestinationId its "
    "SIF_SourceId, packets from 1, SIF_MorePackets No in the last. No objects make one packet without any.",
)  # fmt: skip
def _response(evidence: Evidence) -> Verdict:
    refused = [e for e in _said(evidence, "SIF_Response") if not e.is_good]
    done = [a for a in evidence.asked if a.state == "complete"]
    failed = [a for a in evidence.asked if a.state in ("failed", "timed_out") and a.error != _LEFT]
    if done:
        return _passed(f"Answered to the last packet: {len(done)} of {_count(len(evidence.asked), 'request')}.")
    if refused:
        return _failed(f"A packet at {_at(refused[-1].at)} was refused: {refused[-1].answer}")
    if failed:
        return _failed(f"The request for {failed[-1].object_name} ended with {failed[-1].error or 'no answer'}.")
    asked = (
        f"{_count(len(evidence.asked), 'request')} not answered." if evidence.asked else "The agent was asked nothing."
    )
    return _not_seen(asked)


@_step(
    "packets", "Splits a response into packets", "SIF_Response, SIF_PacketNumber, SIF_MorePackets, SIF_MaxBufferSize",
    "Have more objects than fit into the SIF_MaxBufferSize of the request, and answer in several packets, none larger.",
)  # fmt: skip
def _packets(evidence: Evidence) -> Verdict:
    refused = [e for e in _said(evidence, "SIF_Response") if e.code in ("8/11", "8/12")]
    several = [(a, p) for a, p in _answers(evidence) if len(p) > 1]
    if several:
        asked, packets = several[-1]
        largest = max(p.bytes for p in packets)
        return _passed(f"{len(packets)} packets, the largest {largest} of {asked.max_buffer_size} bytes allowed.")
    if refused:
        return _failed(f"A packet was refused: {refused[-1].answer}")
    return _not_seen("No response had more than one packet.")


@_step(
    "big_response", "Sends a big response", "SIF_Response",
    f"Answer a request for so many objects that the response has {BIG // 1024} KiB or more.", is_needed=False,
)  # fmt: skip
def _big_response(evidence: Evidence) -> Verdict:
    sizes = [(sum(p.bytes for p in packets), sum(p.objects for p in packets)) for _, packets in _answers(evidence)]
    if not sizes:
        return _not_seen("No request was answered to the last packet.")
    size, count = max(sizes)
    words = f"The largest response had {size} bytes, {count} objects."
    return _passed(words) if size >= BIG else _not_seen(words)


def _answers(evidence: Evidence) -> Iterator[tuple[Asked, list[Packet]]]:
    """Give each request that was answered to the last packet with its packets."""
    for asked in evidence.asked:
        if asked.state == "complete":
            yield asked, [p for p in evidence.packets if p.request_msg_id == asked.msg_id]


# Leaving


@_step("unregister", "Leaves the zone", "SIF_Unregister", "Send SIF_Unregister when everything else is done.")
def _unregister(evidence: Evidence) -> Verdict:
    return _accepted(evidence, "SIF_Unregister")
