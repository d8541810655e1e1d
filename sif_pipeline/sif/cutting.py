"""Cut a message into its objects' texts without parsing it, where its spelling leaves no doubt.

Most agents spell their messages plainly: one default namespace, no comments, no CDATA. Of such a message the text of an
object says all there is to know of it, so that it can be compared, matched and checked on its own, without a tree of
the message. Any other message gives None, and is parsed. Only messages that the gate let in may be cut: they are
well-formed.
"""

import re
from typing import Final, NamedTuple

from sif_pipeline.sif import gate
from sif_pipeline.sif.carried import Action
from sif_pipeline.sif.elements import NAMESPACE
from sif_pipeline.sif.naming import of_the_standard

XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"


class Slice(NamedTuple):
    """One object of a message, as received."""

    position: int  #: in the message, from 1
    action: Action  #: Add or Response: whole objects
    name: str  #: of its element
    text: str  #: from the start tag to the end tag
    line: int  #: of the message on which it begins


class Pieces(NamedTuple):
    """The objects of a SIF_Response, all of one name, as bytes."""

    name: str  #: of their elements
    parts: list[bytes]  #: of each object what follows `<Name `, to its end tag


def samples(body: bytes) -> Pieces | None:
    """Give what seem to be the first and the last object of a SIF_Response, for a guess at the others."""
    if (found := _FIRST_OBJECT.search(body)) is None:
        return None
    opening, closing = b"<" + found[1] + b" ", b"</" + found[1] + b">"
    first, last = found.start(1) - 1, body.rfind(opening)
    parts = [body[at + len(opening) : body.find(closing, at) + len(closing)] for at in {first, last}]
    return Pieces(found[1].decode(), parts)


_FIRST_OBJECT = re.compile(rb"<SIF_ObjectData>\s*<([A-Za-z][A-Za-z0-9_]*) ")


def pieces(body: bytes) -> Pieces | None:
    """Take a SIF_Response apart without decoding it, at the start tags of its objects; None where that is hard.

    Only for the usual kind: objects of one name with attributes, one after the other. They are those that `cut` gives
    where each is an object that is kept, to the letter: nothing else can stand between them then. Where one is new,
    `cut` has to tell.
    """
    if (found := _FIRST_OBJECT.search(body)) is None:
        return None
    head, *parts = body.split(b"<" + found[1] + b" ")
    parts[-1], end, tail = parts[-1].rpartition(b"</SIF_ObjectData>")
    if not _is_usual(body, head, end + tail):
        return None
    if parts[0][-1:].isspace() or parts[-1][-1:].isspace():
        parts = [part.rstrip() for part in parts]
    return Pieces(found[1].decode(), parts)


def _is_usual(body: bytes, head: bytes, tail: bytes) -> bool:
    """Tell whether a message has a plain envelope before and after its objects, and no comments or the like."""
    # One character is found much faster than two, and most messages have none of these.
    if b"\r" in body or (b"!" in body and b"<!" in body):
        return False
    begin = head.find(b"?>") + 2 if head.startswith(b"<?xml ") else 0
    if body.find(b"?", begin) >= 0 and body.find(b"<?", begin) >= 0:
        return False
    try:
        before, after = head[begin:].decode(), tail.decode()
    except UnicodeDecodeError:  # UTF-16
        return False
    opened = _HEAD.fullmatch(before)
    if opened is None or opened["event"] or not _RESPONSE_ENDS.fullmatch(after):
        return False
    return _has_plain_names(before, before) and (XSI in before or b"xsi:" not in body)


class Run(NamedTuple):
    """Objects of one name that follow each other."""

    name: bytes  #: of their elements
    objects: list[bytes]  #: of each the start tag and what follows it, up to its end tag `</Name>`


class Runs(NamedTuple):
    """The objects of a message, and what is around them."""

    head: bytes  #: all before the first object
    runs: list[Run]  #: no two of one name
    tail: bytes  #: all behind the last object


def runs(document: bytes) -> Runs | None:
    """Tell the objects of a SIF_Response or a bare list from what is around them; None where that is not certain.

    `document` is well-formed, in UTF-8, without declaration. No element around a run has the name of its objects, and
    in a run a start tag and an end tag of that name take turns: so the one ends the other, and all between is closed.
    """
    head = None if has_more_than_tags(document) else _head(document)
    if head is None:
        return None
    found, rest = list[Run](), document[len(head) :]
    while not rest.startswith(b"</"):
        run, rest = _run(rest)
        if run is None or not _begins_at_most(0, run.name, head) or len(found) == MOST_RUNS:
            return None
        found.append(run)
    return Runs(head, found, rest)


def has_more_than_tags(document: bytes) -> bool:
    """Tell whether comments, CDATA sections, a DOCTYPE or instructions are in a message."""
    # As in _is_usual, one character first.
    return (b"!" in document and b"<!" in document) or (b"?" in document and b"<?" in document)


def _head(document: bytes) -> bytes | None:
    """Give what is before the first object. A SIF_Header is read wherever it is: the head has it, or nothing has."""
    found = _RESPONSE_HEAD.match(document)
    if found is None and b"SIF_Header" not in document:
        found = _LIST_HEAD_AS_BYTES.match(document)
    if found is None:
        return None
    text = found[0].decode()
    return found[0] if _has_plain_names(text, text) else None


def _run(text: bytes) -> tuple[Run | None, bytes]:
    """Give the run with which a text begins, None where that is not certain, and what follows it."""
    if (first := _NAME_OF_RUN.match(text)) is None:
        return None, text
    name = first[1]
    *parts, rest = text.split(b"</%b>" % name)
    if not parts:
        return None, text
    objects = [part.lstrip() for part in parts]
    begins = (b"<%b " % name, b"<%b>" % name)
    is_run = all([one.startswith(begins) for one in objects])  # noqa: C419 -- twice as fast as a generator
    is_run = is_run and _begins_at_most(len(objects), name, text[: len(text) - len(rest)])
    return Run(name, objects) if is_run else None, rest.lstrip()


def _begins_at_most(times: int, name: bytes, text: bytes) -> bool:
    """Tell whether an element of a name begins no more often; only if longer names begin like it, all are looked at."""
    return text.count(b"<" + name) <= times or len(re.findall(rb"<%b[\s/>]" % name, text)) <= times


def cut(body: bytes) -> list[Slice] | None:
    """Give a message's whole objects in their order; None where only parsing can tell, and for a Change or Delete."""
    text = gate.text_of(body)
    if not _is_plain(text):
        return None
    if (head := _HEAD.match(text)) is None:
        return _of_list(text)
    if not _has_plain_names(head[0], text):
        return None
    if head["event"]:
        return _of_event(text, head.end())
    return _of_response(text, head.end())


def _is_plain(text: str) -> bool:
    """Tell whether a text has no comments, CDATA, instructions and carriage returns.

    One character is found much faster than two, and most messages have none of these.
    """
    return "\r" not in text and ("!" not in text or "<!" not in text) and ("?" not in text or "<?" not in text)


_ATTRIBUTES = r"""(?:\s+[A-Za-z_][\w.:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*"""
_ROOT = rf"\s*<SIF_Message{_ATTRIBUTES}>\s*"
_BEFORE_OBJECTS = (
    r"\s*<SIF_Header>.*?</SIF_Header>\s*(?:<(?P<part>[A-Za-z_]\w*)>[^<]*</(?P=part)>\s*)*<SIF_ObjectData>\s*"
)
_HEAD = re.compile(
    rf"{_ROOT}<(?:SIF_Response|(?P<event>SIF_Event))>{_BEFORE_OBJECTS}"
    r"(?(event)<SIF_EventObject(?P<attributes>(?:\s+\w+=\"[^\"<]*\")*)\s*>\s*)",
    re.DOTALL,
)
"""Everything before the first object. Between the tags that it names, a well-formed message has whole elements."""

_LIST_HEAD = re.compile(rf"\s*<(?!SIF_Message[\s>])(?P<name>[A-Za-z_]\w*)(?P<attributes>{_ATTRIBUTES})>\s*")
"""The start of a bare list of objects; its own name does not matter."""

MOST_RUNS: Final = 32
"""Names of objects in one message. Each is looked for in all that follows it."""

_RESPONSE_HEAD = re.compile(rf"{_ROOT}<SIF_Response>{_BEFORE_OBJECTS}".encode(), re.DOTALL)
_LIST_HEAD_AS_BYTES = re.compile(_LIST_HEAD.pattern.encode())
_NAME_OF_RUN = re.compile(rb"<([A-Za-z_]\w*)[ >]")
_RESPONSE_ENDS = re.compile(r"</SIF_ObjectData>\s*</SIF_Response>\s*</SIF_Message>\s*")
_EVENT_ENDS = re.compile(r"</SIF_EventObject>\s*</SIF_ObjectData>\s*</SIF_Event>\s*</SIF_Message>\s*")
_NAME = re.compile(r"<([A-Za-z]\w*)[ >]")
_KEYED = re.compile(r'<[A-Za-z]\w* [^<>]*?RefId="')
_EMPTY = re.compile(rf"<[A-Za-z]\w*{_ATTRIBUTES}/>")
_BLANKS = re.compile(r"\s*")


def _has_plain_names(head: str, text: str) -> bool:
    """Tell whether names mean what they seem to: SIF's namespace is the default throughout, the only prefix xsi."""
    default = head.count("xmlns=") == 1 and (f'xmlns="{NAMESPACE}"' in head or f"xmlns='{NAMESPACE}'" in head)
    schema_instance = f'xmlns:xsi="{XSI}"' in head or f"xmlns:xsi='{XSI}'" in head
    return default and text.count("xmlns") == 1 + schema_instance and (schema_instance or "xsi:" not in text)


def _of_event(text: str, start: int) -> list[Slice] | None:
    """Cut a SIF_Event of one whole object; what has to be said of any other is said where it is parsed."""
    head = _HEAD.match(text)
    said = dict(re.findall(r'(\w+)="([^"]*)"', head["attributes"])) if head else {}
    found = _object(text, start)
    if found is None or said.get("Action") != Action.ADD or said.get("ObjectName") != found[0]:
        return None
    name, end = found
    if not _EVENT_ENDS.fullmatch(text, end):
        return None
    return [Slice(1, Action.ADD, name, text[start:end].rstrip(), text.count("\n", 0, start) + 1)]


def _of_response(text: str, start: int) -> list[Slice] | None:
    """Cut a SIF_Response, or its usual kind all at once: objects of one name on one line."""
    stop = text.rfind("</SIF_ObjectData>")
    if stop < start or not _RESPONSE_ENDS.fullmatch(text, stop):
        return None
    first = _NAME.match(text, start)
    if first and "\n" not in text:
        name, end_tag = first[1], f"</{first[1]}>"
        *texts, rest = text[start:stop].split(end_tag)
        if not rest and text.count(f"<{name}", start, stop) == len(texts) and _begin_with(texts, name):
            return [Slice(n, Action.RESPONSE, name, t + end_tag, 1) for n, t in enumerate(texts, 1)]
    return _one_by_one(text, start, stop)


def _of_list(text: str) -> list[Slice] | None:
    """Cut a bare list: its root has no key, and the first object has one; of others parsing has to tell."""
    head = _LIST_HEAD.match(text)
    if head is None or "RefId" in head["attributes"] or head["name"] in of_the_standard():
        return None
    if not _has_plain_names(head[0], text):
        return None
    stop = text.rfind(f"</{head['name']}>")
    first = _KEYED.match(text, head.end())
    if first is None or stop < head.end() or text[stop + len(head["name"]) + 3 :].strip():
        return None
    return _one_by_one(text, head.end(), stop)


def _begin_with(texts: list[str], name: str) -> bool:
    starts = (f"<{name} ", f"<{name}>")
    return all([text.startswith(starts) for text in texts])  # noqa: C419 -- twice as fast as a generator


def _one_by_one(text: str, start: int, stop: int) -> list[Slice] | None:
    slices: list[Slice] = []
    line, counted = 1, 0
    while start < stop and (found := _object(text, start)):
        name, end = found
        if counted < start:
            line, counted = line + text.count("\n", counted, start), start
        slices.append(Slice(len(slices) + 1, Action.RESPONSE, name, text[start:end], line))
        blanks = _BLANKS.match(text, end)
        start = blanks.end() if blanks else end
    return slices if start == stop else None


def _object(text: str, start: int) -> tuple[str, int] | None:
    """Give the name of the element that begins here and the place where it ends; None where that is not certain."""
    found = _NAME.match(text, start)
    if found is None:
        return None
    name = found[1]
    end = text.find(f"</{name}>", start)
    several = end < 0 or text.count(f"<{name}", start, end) > 1
    if several and (alone := _EMPTY.match(text, start)):
        return name, alone.end()
    if several and (end < 0 or len(re.findall(rf"<{name}[\s/>]", text[start:end])) > 1):
        return None  # another one within it, or this one ends elsewhere
    return name, end + len(name) + 3
