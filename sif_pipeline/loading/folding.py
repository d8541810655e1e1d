"""Fold object events into the state of their objects: every version is a pure function of the events received.

Events of an object are ordered by (SIF_Timestamp bounded by receipt, arrival). A version is what they say together
once a message is taken in; its recorded time is that message's. An event that refers to an object nobody has seen,
or changes one that is not there, is held and takes part as soon as it can. docs/adr/0002-fold-semantics.md has the
table of semantics. Here is no SQL: a Store answers for what was known before.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from lxml import etree

from sif_pipeline.loading.events import (
    Finding,
    ObjectEvent,
    ObjectKey,
    ObjectState,
    OpenFinding,
    OutcomeChange,
    Resolution,
    Store,
    Version,
)
from sif_pipeline.notices import Listing, Notice, Severity
from sif_pipeline.reading import mapping
from sif_pipeline.reading.content import Content
from sif_pipeline.reading.core import WHOLE_IMAGES
from sif_pipeline.reading.mapping import Key
from sif_pipeline.sif import inspection, schema
from sif_pipeline.sif.elements import local, local_name
from sif_pipeline.sif.merging import merged
from warehouse.base import SifObject, objects
from warehouse.inbox import Outcome


class Fold:
    """Takes the events of a batch in order of arrival and keeps what they change."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.states: dict[ObjectKey, ObjectState] = {}  #: of the objects that were looked up; see `firsts`
        self.firsts: dict[ObjectKey, ObjectEvent] = {}  #: of objects without a state: all that was ever said of them
        self.findings: list[Finding] = []
        self.resolutions: list[Resolution] = []
        self.revised: dict[tuple[int, int], ObjectEvent] = {}  #: earlier events whose outcome changed
        self.changes: dict[tuple[int, int, datetime], OutcomeChange] = {}  #: of events of earlier messages
        self._waiting: dict[ObjectKey, set[ObjectKey]] = defaultdict(set)
        self._known: dict[ObjectKey, bool] = {}
        self._listings: dict[int, Listing] = defaultdict(Listing)  #: by message
        self._rests: dict[int, Finding] = {}  #: what a message's Listing left out, as a finding
        self.touched: set[bytes] = set()  #: hashes of the rows, as stored, of all objects that this fold looked at

    def take(self, event: ObjectEvent, notices: Collection[Notice] = (), *, may_be_left_out: bool = False) -> None:
        """Fold one event in, with what the schema found on it; rejected ones are only kept in mind.

        `may_be_left_out` says that its message is the newest of its zone: no other's events come after it in any fold.
        """
        for notice in notices:
            self._find(event, notice, event.recorded_at)
            event.has_warnings |= notice.type.severity is Severity.WARNING
        if event.outcome is not Outcome.APPLIED:
            return
        state = self.state(event.key)
        if may_be_left_out and not notices and self._repeats(state, event):
            event.outcome = Outcome.UNCHANGED
            return
        state.events.append(event)
        is_late = state.last is not None and event.order < state.last
        if not is_late:
            state.latest, state.image = event, None
        if not is_late and (missing := self._missing(event)):
            self._hold(state, event, missing, event.recorded_at)
        elif is_late or state.unsettled:
            self._refold(state, event)
        else:
            self._apply(state, event)

    def take_first(self, event: ObjectEvent) -> bool:
        """Keep the event of a plain object that nothing was said of before: its version is the event as it stands.

        Give False, and do nothing, where only `take` can tell what becomes of it. `take` would give the object the same
        version and find nothing, and what comes later finds the state that `take` would have left.
        """
        if not event.has_image or not self.store.is_new(key := event.key) or self._missing(event) is not None:
            return False
        if key in self.states or key in self.firsts or key in self._waiting:
            return False
        self.firsts[key] = event
        self._known[key] = True
        return True

    def state(self, key: ObjectKey) -> ObjectState:
        """Give the state of an object, looked up when it is first needed."""
        if (state := self.states.get(key)) is None:
            state = self.states[key] = self._looked_up(key)
            if (first := self.firsts.pop(key, None)) is not None:
                self.take(first)
        return state

    def _looked_up(self, key: ObjectKey) -> ObjectState:
        state = ObjectState(key, objects()[key[1]])
        if head := self.store.head(key):
            state.last, state.unsettled, state.known = head.last, head.unsettled, head.known
            state.had_events = True
            state.content_hash = state.stored = self.store.content_hash(key)
            state.was_repeatable = self.store.is_repeatable(key)
            if state.stored is not None:
                self.touched.add(bytes.fromhex(state.stored))
        state.open = self.store.findings(key)
        state.had_findings = bool(state.open)
        return state

    # -- the same image again

    def _repeats(self, state: ObjectState, event: ObjectEvent) -> bool:
        """Tell whether an event of the newest message says again what its object is, and nothing more.

        Not of an object that the message itself has changed: no version would tell what was repeated. Nor where a
        full sync found something: the image ends that finding.
        """
        if state.content_hash is None or event.action != "Response":
            return False
        if event.content.content_hash != state.content_hash:
            return False
        is_touched = state.last is not None and state.last[1] == event.message_id
        return not is_touched and not state.open and is_repeatable(state)

    def recall(self, event: ObjectEvent) -> None:
        """Let an unchanged event of this batch take part after all, because one from before it is about to come."""
        event.outcome = Outcome.APPLIED
        state = self.state(event.key)
        state.events.append(event)
        if state.last is None or state.last < event.order:
            state.last, state.latest, state.image = event.order, event, None

    # -- the common case: the event is the latest of its object

    def _apply(self, state: ObjectState, event: ObjectEvent) -> None:
        state.last = event.order
        if event.action in WHOLE_IMAGES:
            self._apply_whole(state, event)
        elif event.action == "Delete":
            self._publish(state, None, event)
            self._resolve(state, event)
        elif state.content_hash is None:
            self._hold(state, event, (event.object_name, event.key[2]), event.recorded_at)
        else:
            self._apply_change(state, event)

    def _apply_whole(self, state: ObjectState, event: ObjectEvent) -> None:
        if unfit := self._publish(state, event.content, event):
            self._unfit(state, event, unfit)
            return
        self._resolve(state, event)
        self._make_known(state, event)

    def _apply_change(self, state: ObjectState, event: ObjectEvent) -> None:
        whole = _changed(state.cls, self._current(state), event)
        if unfit := self._publish(state, whole, event):
            self._unfit(state, event, unfit)
        else:
            self._resolve(state, event)

    def _current(self, state: ObjectState) -> Content:
        if state.content is None:
            state.content = Content(state.cls, document=self.store.document(state.key))
        return state.content

    # -- the rare case: an event from before, or an object with events that wait

    def _refold(self, state: ObjectState, cause: ObjectEvent, *, whole: bool = False) -> None:
        """Fold an object's events anew, as of the message that made it necessary: those it can make a difference to.

        They lie between the last event before it that says everything and the first one after it; where there is
        none after it, the object may change. `whole` folds all events, because one that waited may lie anywhere.
        """
        events = sorted([*self._earlier(state), *state.events], key=lambda event: event.order)
        first, last = (0, len(events)) if whole else _segment(events, cause)
        content = events[first - 1].content if first and events[first - 1].action != "Delete" else None
        segment = events[first:last]
        superseded = len(segment) if last < len(events) else self._superseded(segment)
        for number, event in enumerate(segment):
            content = self._replay(state, event, content, cause, is_superseded=number < superseded)
        state.latest, state.last = events[-1], events[-1].order
        at_hand = content if last == len(events) and _is_image(events[-1]) else None
        state.image = at_hand.content_hash if at_hand is not None else None
        state.unsettled = _is_unsettled(events)
        if last == len(events):
            self._publish(state, content, cause)
        if any(e.outcome is Outcome.APPLIED and e.action in WHOLE_IMAGES for e in segment):
            self._make_known(state, cause)

    def _superseded(self, events: list[ObjectEvent]) -> int:
        """Count the events before the last one that says everything: a Delete, or a whole image that can be applied."""
        for number in range(len(events) - 1, -1, -1):
            event = events[number]
            if event.action == "Delete":
                return number
            is_fit = event.action in WHOLE_IMAGES and not judge(event.content)
            if is_fit and not self._missing(event):
                return number
        return 0

    def _earlier(self, state: ObjectState) -> list[ObjectEvent]:
        if not state.had_events:
            return []
        found = self.store.events(state.key)
        return [self.revised.get((event.message_id, event.position), event) for event in found]

    def _replay(
        self,
        state: ObjectState,
        event: ObjectEvent,
        content: Content | None,
        cause: ObjectEvent,
        *,
        is_superseded: bool,
    ) -> Content | None:
        """Fold one event over the state before it; settle its outcome; give the state after it."""
        after, outcome, waiting, notices = self._step(event, content)
        if outcome is Outcome.HELD and is_superseded:
            outcome, notices = Outcome.SUPERSEDED, []
        was = (event.outcome, event.waiting)
        event.outcome, event.waiting = outcome, waiting
        if event.earlier is not None:
            self.revised[event.message_id, event.position] = event
        if was != (outcome, waiting):
            self._remember(event, cause, *was)
        if was != (outcome, waiting) or event is cause:
            if outcome is Outcome.APPLIED:
                self._resolve(state, event, cause.recorded_at)
            else:
                self._note(state, event, notices, cause.recorded_at)
        return after

    def _remember(
        self, event: ObjectEvent, cause: ObjectEvent, outcome: Outcome, waiting: tuple[str, Key] | None
    ) -> None:
        """Keep what an event's outcome was until a later message came, so that a replay can go back to before it."""
        if event.message_id != cause.message_id:
            change = OutcomeChange(event, cause.recorded_at, outcome, waiting)
            self.changes.setdefault((event.message_id, event.position, cause.recorded_at), change)

    def _step(
        self, event: ObjectEvent, content: Content | None
    ) -> tuple[Content | None, Outcome, tuple[str, Key] | None, list[Notice]]:
        if missing := self._missing(event):
            return content, Outcome.HELD, missing, [_held(event, missing)]
        if event.action == "Delete":
            return None, Outcome.APPLIED, None, []
        if event.action in WHOLE_IMAGES:
            after = event.content
        elif content is None:
            own = (event.object_name, event.key[2])
            return content, Outcome.HELD, own, [_held(event, own)]
        else:
            after = _changed(content.cls, content, event)
        if unfit := judge(after, None if event.action in WHOLE_IMAGES else event):
            return content, Outcome.UNFIT, None, unfit
        return after, Outcome.APPLIED, None, []

    # -- references

    def _missing(self, event: ObjectEvent) -> tuple[str, Key] | None:
        for name, ref_id in event.references:
            if not self._is_known((event.zone_id, name, ref_id)):
                return name, ref_id
        return None

    def expect(self, keys: Collection[ObjectKey]) -> None:
        """Look up in one go many objects that will be referred to and that no event of the batch is about."""
        self._known.update(dict.fromkeys(keys, True))
        self._known.update(dict.fromkeys(self.store.missing(keys), False))

    def _is_known(self, key: ObjectKey) -> bool:
        if (known := self._known.get(key)) is None:
            head = self.store.head(key)
            known = self._known[key] = head is not None and head.known
        return known

    def _make_known(self, state: ObjectState, cause: ObjectEvent) -> None:
        """Release what waits for an object, the first time a whole image of it is applied."""
        if state.known:
            return
        state.known = self._known[state.key] = True
        waiting = self.store.waiting(state.key)
        if self._waiting:
            waiting |= self._waiting.pop(state.key, set())
        children = [key for key in sorted(waiting, key=str) if key != state.key]
        for key in self.store.gather(children) if children else ():
            self._refold(self.state(key), cause, whole=True)

    # -- what is written down

    def _publish(self, state: ObjectState, content: Content | None, cause: ObjectEvent) -> list[Notice]:
        """Make a content the current version from the cause's recorded time on, unless nothing changes by it.

        Give the reasons, and change nothing, when it cannot be a version.
        """
        if content is None:
            if state.content_hash is not None:
                self._add_version(state, Version(cause.recorded_at, cause.message_id, None))
            state.content = None
            return []
        if content.content_hash == state.content_hash:
            return []
        if state.content_hash is not None and self._current(state).is_same(content):
            return []
        if unfit := judge_change(content, cause):
            return unfit
        cells, problems = content.row
        if problems:
            return problems
        version = Version(
            cause.recorded_at, cause.message_id, content.document, content.content_hash, tuple(cells), content.extended
        )
        self._add_version(state, version)
        state.content = content
        return []

    def _add_version(self, state: ObjectState, version: Version) -> None:
        """Add a version in place of one of the same message; a message that ends where it began adds none."""
        state.content_hash = version.content_hash
        if state.versions and state.versions[-1].recorded_from == version.recorded_from:
            state.versions.pop()
            before = state.versions[-1].content_hash if state.versions else state.stored
            if version.content_hash == before:
                return
        state.versions.append(version)

    def _hold(self, state: ObjectState, event: ObjectEvent, missing: tuple[str, Key], recorded_at: datetime) -> None:
        event.outcome, event.waiting = Outcome.HELD, missing
        state.unsettled = True
        self._note(state, event, [_held(event, missing)], recorded_at)

    def _unfit(self, state: ObjectState, event: ObjectEvent, notices: list[Notice]) -> None:
        event.outcome = Outcome.UNFIT
        state.unsettled = True
        self._note(state, event, notices, event.recorded_at)

    def _note(self, state: ObjectState, event: ObjectEvent, notices: list[Notice], recorded_at: datetime) -> None:
        if event.waiting is not None:
            self._waiting[event.zone_id, *event.waiting].add(state.key)
        for notice in notices:
            self._find(event, notice, recorded_at)

    def _find(self, event: ObjectEvent, notice: Notice, recorded_at: datetime) -> None:
        listing = self._listings[event.message_id]
        if not listing.takes(notice) and listing.rest is not None:
            if (rest := self._rests.get(event.message_id)) is not None:
                rest.notice = listing.rest
                return
            notice = listing.rest
        finding = Finding(event, notice, recorded_at)
        if notice is listing.rest:
            self._rests[event.message_id] = finding
        self.findings.append(finding)
        if event.row_key is not None and event.object_name in objects():
            self.state(event.key).findings.append(finding)

    def _resolve(self, state: ObjectState, event: ObjectEvent, recorded_at: datetime | None = None) -> None:
        """End the findings on what an applied event brought; its own warnings stay."""
        if not state.findings and not state.had_findings:
            return
        at = recorded_at or event.recorded_at
        brought = _brought(event.element) if event.action == "Change" else None
        for finding in [f for f in state.findings if _resolves(f, event, brought)]:
            finding.resolved_at = at
            state.findings.remove(finding)
        if state.had_findings:
            state.open = [f for f in state.open if not _resolves_open(f, event, brought, at)]
            self.resolutions.append(Resolution(event, at, brought))


def _segment(events: list[ObjectEvent], cause: ObjectEvent) -> tuple[int, int]:
    """Give the bounds, for a slice, of the events between the certain ones around the cause."""
    place = events.index(cause)
    first = next((i + 1 for i in range(place - 1, -1, -1) if events[i].is_certain), 0)
    last = next((i for i in range(place + 1, len(events)) if events[i].is_certain), len(events))
    return first, last


def _is_unsettled(events: list[ObjectEvent]) -> bool:
    """Tell whether an event waits or is unfit after the last one that says everything."""
    for event in reversed(events):
        if event.is_certain:
            return False
        if event.outcome in {Outcome.HELD, Outcome.UNFIT}:
            return True
    return False


def _brought(element: etree._Element) -> tuple[str, ...]:
    attributes = (f"@{local_name(name)}" for name in element.attrib)
    return (*attributes, *(local(child) for child in element))


def _resolves(finding: Finding, event: ObjectEvent, brought: tuple[str, ...] | None) -> bool:
    """Tell whether an applied event makes a finding good; query `resolve` says the same of stored findings."""
    if finding.event is event:
        return finding.notice.type.severity is not Severity.WARNING
    return brought is None or _element_of(finding.notice.path) in brought


def _resolves_open(finding: OpenFinding, event: ObjectEvent, brought: tuple[str, ...] | None, at: datetime) -> bool:
    """Say the same of a stored finding, as query `resolve` does."""
    if finding.recorded_at >= at:
        return False
    if (finding.message_id, finding.position) == (event.message_id, event.position):
        return finding.severity != Severity.WARNING
    return brought is None or _element_of(finding.path) in brought


def _element_of(path: str) -> str:
    """Name the child of the object that a path leads to."""
    return path.partition("/")[2].partition("/")[0].partition("[")[0]


def is_repeatable(state: ObjectState) -> bool:
    """Tell whether the current image would change nothing if it came again in a newer message.

    So it is where the last event of the object is an applied whole image without warnings, the current version is that
    image to the letter, and no message's finding on the object is open. `replay` says the same of what is stored.
    """
    if state.content_hash is None or state.findings or (state.open and not all(one.of_sync for one in state.open)):
        return False
    latest = state.latest
    if latest is None:
        return state.was_repeatable
    if not _is_image(latest) or latest.has_warnings:
        return False
    if latest.earlier is not None and state.was_repeatable:
        return state.stored == state.content_hash
    return latest.source is state.content or (state.image or latest.content.content_hash) == state.content_hash


def _is_image(event: ObjectEvent) -> bool:
    """Tell whether an event is a whole image that is applied."""
    return event.outcome is Outcome.APPLIED and event.action in WHOLE_IMAGES


def _held(event: ObjectEvent, missing: tuple[str, Key]) -> Notice:
    line = event.content.line
    if missing == (event.object_name, event.row_key):
        return Notice("change_before_add", event.object_name, line)
    references = mapping.plan(objects()[event.object_name]).references
    path = next(reference.path for reference in references if reference.object_name == missing[0])
    return Notice("parent_missing", f"{event.object_name}/{path}", line)


def _changed(cls: type[SifObject], content: Content, change: ObjectEvent) -> Content:
    """Give an object as a Change leaves it."""
    return Content(cls, merged(content.element, change.element))


def judge(content: Content, change: ObjectEvent | None = None) -> list[Notice]:
    """Say why an object as folded cannot be kept: the schema's findings on a merged one, values beyond range.

    A merged one is what a `change` made of it. Its elements are from several messages, so its findings have the line at
    which the Change begins.
    """
    is_doubtful = change is not None and not schema.is_valid(content.element, schema.Profile.WHOLE)
    errors = inspection.findings(content.element, schema.Profile.WHOLE, errors_only=True) if is_doubtful else []
    if change is None or not errors:
        return content.row[1]
    line = change.content.line
    return [replace(notice, line=line) for notice in (Notice("change_makes_invalid", errors[0].path), *errors)]


def judge_change(content: Content, cause: ObjectEvent) -> list[Notice]:
    """Judge the outcome of a Change; a whole image was judged when it was read."""
    return judge(content, cause) if cause.action == "Change" and content is not cause.source else []


def changed(states: Mapping[ObjectKey, ObjectState]) -> list[ObjectState]:
    """Give the objects that have new versions."""
    return [state for state in states.values() if state.versions]
