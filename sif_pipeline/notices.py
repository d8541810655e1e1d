"""The findings the pipeline can make about a message or an object, each with its words.

A Notice says what is wrong and where, never the offending value: it may be a student's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MOST_IN_OBJECT: Final = 100
"""Findings listed on one object; one more counts the rest."""

MOST_IN_MESSAGE: Final = 10_000
"""Errors and warnings listed in one message; one more counts the rest. That an object waits is listed always: there is
one such finding for each."""


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"  #: the object is not loaded until it is corrected
    WARNING = "warning"  #: the object is loaded; look at it
    INFO = "info"  #: nothing to do; for example held until its parent arrives


@dataclass(frozen=True, slots=True)
class NoticeType:
    """One kind of finding: stable code, weight, plain words, way out and the SIF_Error it maps to."""

    code: str
    severity: Severity
    title: str  #: what is wrong, in a district clerk's words
    remedy: str  #: how to mend it
    sif_category: int = 1  #: SIF_Error/SIF_Category (infrastructure code sets 2.x)
    sif_code: int = 3  #: SIF_Error/SIF_Code within that category


@dataclass(frozen=True, slots=True)
class Notice:
    """One finding: its code, the element path it is about and the line of the received message (0: unknown)."""

    code: str
    path: str = ""
    line: int = 0
    times: int = 1  #: how many findings it stands for: more than one where it counts what is not listed

    @property
    def type(self) -> NoticeType:
        """The catalogue entry of this finding."""
        return CATALOGUE[self.code]


CATALOGUE: dict[str, NoticeType] = {}


def of_object(found: Sequence[Notice]) -> list[Notice]:
    """Give the findings on one object as far as they are listed, then one that counts the rest."""
    more = len(found) - MOST_IN_OBJECT
    if more <= 0:
        return list(found)
    return [*found[:MOST_IN_OBJECT], _rest(OBJECT_CAPPED, found[MOST_IN_OBJECT], more)]


class Listing:
    """What is listed of the findings in one message, and how many there are besides."""

    def __init__(self) -> None:
        self._room = MOST_IN_MESSAGE
        self.rest: Notice | None = None  #: counts what is not listed; it names the object at which the list ends

    def takes(self, notice: Notice) -> bool:
        """Tell whether a finding is listed; one that is not is counted."""
        if notice.type.severity is Severity.INFO:
            return True
        if self._room and notice.code != MESSAGE_CAPPED:
            self._room -= 1
            return True
        self.rest = self.rest or _rest(MESSAGE_CAPPED, notice, 0)
        self.rest = replace(self.rest, times=self.rest.times + notice.times)
        return False

    def take(self, notices: Iterable[Notice]) -> list[Notice]:
        """Give those of some findings that are listed."""
        return [notice for notice in notices if self.takes(notice)]


OBJECT_CAPPED: Final = "findings_capped"
MESSAGE_CAPPED: Final = "message_findings_capped"

CAPPED: Final = frozenset({OBJECT_CAPPED, MESSAGE_CAPPED})
"""Findings that count what is not listed."""


def _rest(code: str, first: Notice, times: int) -> Notice:
    return Notice(code, first.path.partition("/")[0], first.line, times)


def _declare(  # noqa: PLR0913, PLR0917 -- one flat line per finding reads best
    code: str, severity: Severity, title: str, remedy: str, sif_category: int = 1, sif_code: int = 3
) -> None:
    CATALOGUE[code] = NoticeType(code, severity, title, remedy, sif_category, sif_code)


_declare(
    "element_missing", Severity.ERROR,
    "A required element or attribute is missing.",
    "Fill the field in the student information system; the record is sent again when it changes.",
    1, 6,
)  # fmt: skip
_declare(
    "value_not_in_code_set", Severity.ERROR,
    "A code is not in the standard's code set for this element.",
    "Map the local value to one of the listed codes in the agent's code mapping.",
    1, 4,
)  # fmt: skip
_declare(
    "value_malformed", Severity.ERROR,
    "A value does not have the form this element requires (a date, a number, an identifier, a length).",
    "Correct the value; the data dictionary shows the form of every element.",
    1, 4,
)  # fmt: skip
_declare(
    "element_out_of_place",
    Severity.ERROR,
    "An element stands where the standard does not allow it: wrong order, repeated, or under the wrong parent.",
    "Ask the SIS vendor: the agent does not follow the element order of SIF 2.x.",
)
_declare(
    "element_unknown",
    Severity.WARNING,
    "An element or attribute is not part of this object in SIF 2.7; it was kept with the object.",
    "Look whether it is misspelled; a value of the district's own goes under SIF_ExtendedElements.",
)
_declare(
    "object_unknown", Severity.WARNING,
    "An object of a kind this state does not collect was received; it was kept, and not loaded.",
    "Nothing to do; switch the object off in the agent to save traffic.",
    12, 2,
)  # fmt: skip
_declare(
    "object_name_unknown", Severity.ERROR,
    "SIF 2.7 has no object of this name; it was kept, and not loaded.",
    "Ask the SIS vendor to compare the name with the standard's. An object of the vendor's own can be switched off.",
    12, 2,
)  # fmt: skip
_declare(
    "namespace_wrong",
    Severity.ERROR,
    "The object is not in the namespace of SIF 2.x, so that it is none of SIF's objects.",
    'Ask the SIS vendor to say xmlns="http://www.sifinfo.org/infrastructure/2.x" on the message or on the list.',
)
_declare(
    "object_invalid",
    Severity.ERROR,
    "The object does not conform to the SIF 2.7 schema.",
    "Ask the SIS vendor to validate the object against the published schema.",
)
_declare(
    "object_too_large", Severity.ERROR,
    "The object has more than 5,000 elements and attributes; it was kept, and not looked into.",
    "Ask the SIS vendor: no record of a school has so many; the agent writes it wrongly.",
)  # fmt: skip
_declare(
    OBJECT_CAPPED,
    Severity.WARNING,
    "This object has more findings than are listed.",
    "Mend the listed findings first; the rest is reported when the object is sent again.",
)
_declare(
    MESSAGE_CAPPED,
    Severity.WARNING,
    "This message has more findings than are listed, on this object and those after it.",
    "Mend the listed findings first, which mostly repeat; the rest is reported when the objects are sent again.",
)
_declare(
    "value_out_of_range", Severity.ERROR,
    "A value is of the right form but beyond any sensible range (a date outside the years 1 to 9999, a huge number).",
    "Correct the value in the student information system.",
    1, 4,
)  # fmt: skip
_declare(
    "key_missing", Severity.ERROR,
    "The object cannot be identified: its RefId, or another part of its key, is missing.",
    "Ask the SIS vendor: the agent must give every object its RefId, the same one for good; no field of the student "
    "information system holds it.",
    1, 6,
)  # fmt: skip
_declare(
    "parent_missing", Severity.INFO,
    "The object is held: another object that it belongs to has not arrived.",
    "Nothing to do if the other object is on its way; it is then loaded by itself. Otherwise publish that object.",
    3, 3,
)  # fmt: skip
_declare(
    "change_before_add", Severity.INFO,
    "The change is held: the object it changes has not arrived.",
    "Nothing to do if the object is on its way. Otherwise publish the whole object (an Add).",
    3, 1,
)  # fmt: skip
_declare(
    "change_makes_invalid", Severity.ERROR,
    "The change would leave the object without a required value, or otherwise invalid; it was not applied.",
    "Fill the required field in the student information system, or publish the whole object again.",
    1, 3,
)  # fmt: skip
_declare(
    "timestamp_implausible", Severity.WARNING,
    "SIF_Timestamp is missing, in the future, or long past; the time of receipt was used instead.",
    "Set the clock and time zone of the server on which the agent runs.",
    1, 4,
)  # fmt: skip
_declare(
    "message_unreadable", Severity.ERROR,
    "The message, or the object that was kept apart from its file, cannot be read as SIF 2.x.",
    "Ask the SIS vendor to mend it, and send it then: the same again would be answered the same.",
    1, 2,
)  # fmt: skip
_declare(
    "action_unknown", Severity.ERROR,
    "A SIF_EventObject says neither Add, Change nor Delete; what is asked for cannot be told.",
    "Ask the SIS vendor: SIF_EventObject needs an Action of Add, Change or Delete, spelled so.",
    9, 3,
)  # fmt: skip
_declare(
    "object_name_differs", Severity.WARNING,
    "SIF_EventObject names another object than it holds; the object it holds was taken.",
    "Ask the SIS vendor: ObjectName must be the name of the element inside SIF_EventObject.",
    9, 3,
)  # fmt: skip
_declare(
    "event_of_several", Severity.INFO,
    "A SIF_Event holds several objects; the standard allows one. All of them were taken, one after the other.",
    "Nothing to do. Ask the SIS vendor to send each object in a SIF_Event of its own.",
    9, 3,
)  # fmt: skip
_declare(
    "sync_missing_here", Severity.INFO,
    "A full sync brought a record that the state did not have: its event was never sent, or was lost.",
    "Nothing to do, the sync loads the record; if this comes back, ask the SIS vendor why events are missing.",
)  # fmt: skip
_declare(
    "sync_missing_there", Severity.INFO,
    "The state has a record that a full sync did not bring: its Delete was never sent, or was lost.",
    "Nothing to do if the record is gone from the district's system: the sync deletes it. Otherwise ask the SIS "
    "vendor why the agent leaves it out.",
)  # fmt: skip
_declare(
    "sync_different", Severity.INFO,
    "A full sync brought a record that differs from what the events before it said.",
    "Nothing to do, the sync brings the record up to date; if this comes back, ask the SIS vendor why changes are "
    "not sent.",
)  # fmt: skip
_declare(
    "ref_id_malformed", Severity.ERROR,
    "A RefId is empty, or is not 32 hexadecimal digits with letters in upper case and without braces and hyphens.",
    "Ask the SIS vendor: the agent must write RefIds as SIF 2.x does, such as D3E34B359D75101A8C3D00AA001A1652. No "
    "field of the student information system holds them.",
    1, 4,
)  # fmt: skip
_declare(
    "extended_value_malformed", Severity.WARNING,
    "A value under SIF_ExtendedElements is not of the form the state expects of it, a number or a date; it was kept as "
    "it is, its column is empty, and the rest was loaded.",
    "Correct the value in the student information system; the data dictionary names the form beside the element.",
    1, 4,
)  # fmt: skip
_declare(
    "state_code_unknown", Severity.WARNING,
    "A code that the state defines, in an OtherCode or under SIF_ExtendedElements, is not one of the state's codes; it "
    "was kept as it is, and the rest was loaded.",
    "Map the local value to one of the state's codes in the agent's code mapping; the page of code sets lists them.",
    1, 4,
)  # fmt: skip
