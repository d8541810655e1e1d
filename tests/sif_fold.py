"""The fold in memory: events arrive in any order, and out come current objects and outcomes."""

from dataclasses import replace

import sif_text as sif
from lxml import etree

from sif_pipeline.loading import claimed
from sif_pipeline.loading.folding import Fold

RECEIVED = sif.minute(200)
"""When the messages of these tests are received; their SIF_Timestamps are earlier."""


class Nothing:
    """A Store that knew nothing before."""

    def head(self, _key):
        return None

    def content_hash(self, _key):
        return None

    def document(self, key):
        raise AssertionError(key)

    def events(self, _key):
        return []

    def missing(self, keys):
        return set(keys)

    def waiting(self, _key):
        return set()

    def is_repeatable(self, _key):
        return False

    def findings(self, _key):
        return []

    def gather(self, keys):
        return iter(keys)


def read(body, at):
    """Give the one event of a message and what the schema found, as the drain reads it."""
    message = claimed.Claimed(0, 1, sif.SOURCE, "SIF_Event", at, RECEIVED, RECEIVED, body)
    claimed.read([message])
    (event,) = message.events
    return event, message.notices.get(1, [])


def fold(arrivals):
    """Fold events with their notices in order of arrival, each a message of its own; give the Fold and the events."""
    folding, events = Fold(Nothing()), []
    for number, (event, notices) in enumerate(arrivals):
        events.append(replace(event, message_id=number, recorded_at=sif.minute(300 + number)))
        folding.take(events[-1], notices)
    return folding, events


def current(folding):
    """Give the current documents by object."""
    found = {key: state.versions[-1].document for key, state in folding.states.items() if state.versions}
    return {key: text for key, text in found.items() if text is not None}


def values(document):
    """Give a document as (path, text) of its leaves and attributes, RefIds apart."""
    found = []

    def walk(element, path):
        found.extend((f"{path}@{name}", value) for name, value in element.items() if not name.endswith("RefId"))
        if len(element) == 0:
            found.append((path, element.text or ""))
        for child in element:
            walk(child, f"{path}/{etree.QName(child).localname}".lstrip("/"))

    walk(etree.fromstring(document), "")
    return found
