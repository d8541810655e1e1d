"""Synthetic districts that send: messages in order, and what their end must be. Shares no code with the product."""

import hashlib
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from xml.etree.ElementTree import Element, fromstring
from xml.sax.saxutils import escape

NAMESPACE = "http://www.sifinfo.org/infrastructure/2.x"


def read(text: bytes | str) -> Element:
    """Read XML that the tests or the product wrote, with a parser the product does not use."""
    return fromstring(text)  # noqa: S314 -- nobody else wrote it


@dataclass
class Sent:
    """One message of a district's ledger: what it sent under which SIF_MsgId, and whether it was acknowledged."""

    msg_id: str
    body: bytes
    acked: bool = False
    sent_again: int = 0  #: how often it was sent after its first ack


@dataclass
class Ledger:
    """All that one agent of one zone sent, in order."""

    zone: str
    source_id: str
    messages: list[Sent] = field(default_factory=list)
    token: str = ""


class District:
    """Makes up the messages of one district, one after the other, from a seed."""

    def __init__(self, zone: str, seed: int) -> None:
        self.zone, self.source_id = zone, f"AGENT {seed}"
        self._random = random.Random(seed)
        self._seed = seed
        self._messages = 0
        self._changes = 0
        self._clock = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
        self._there: list[str] = []  # students, for Changes and Deletes
        self._gone: list[str] = []

    def ledger(self, count: int) -> Ledger:
        """Write `count` messages: children often before their parents, then Changes, Deletes, re-Adds, flaws."""
        found = [*self._first_day()]
        while len(found) < count:
            found.append(self._message([self._happening() for _ in range(self._random.choice((1, 1, 2, 3)))]))
        return Ledger(self.zone, self.source_id, found[:count])

    def _first_day(self) -> list[Sent]:
        """Write everything that refers to something, shuffled, so that much of it is held for a while."""
        students = [f"student {number}" for number in range(12)]
        first = [("Add", self._lea()), *(("Add", self._school(number)) for number in range(3))]
        for number, word in enumerate(students):
            first += [("Add", self._student(word)), ("Add", self._enrollment(word, number % 3))]
        self._random.shuffle(first)
        self._there = students
        return [self._message([each]) for each in first]

    def _happening(self) -> tuple[str, str]:
        kinds = {
            self._new_local_id: 60, self._exit: 15, self._leave: 5, self._return: 8, self._change_though_gone: 2,
            self._flawed: 2, self._rename: 8,
        }  # fmt: skip
        (kind,) = self._random.choices(list(kinds), list(kinds.values()))
        return kind()

    def _new_local_id(self) -> tuple[str, str]:
        return "Change", self._object("StudentPersonal", self._someone(), f"<LocalId>{self._next()}</LocalId>")

    def _exit(self) -> tuple[str, str]:
        exit_ = f"<ExitDate>2027-01-{1 + int(self._next()) % 28:02}</ExitDate>"
        return "Change", self._object("StudentSchoolEnrollment", f"enrollment of {self._someone()}", exit_)

    def _leave(self) -> tuple[str, str]:
        if len(self._there) <= 6:
            return self._exit()
        self._gone.append(self._there.pop(self._random.randrange(len(self._there))))
        return "Delete", self._object("StudentPersonal", self._gone[-1])

    def _return(self) -> tuple[str, str]:
        if not self._gone:
            return self._leave()
        self._there.append(self._gone.pop(0))
        return "Add", self._student(self._there[-1])

    def _change_though_gone(self) -> tuple[str, str]:
        word = (self._gone or self._there)[0]
        return "Change", self._object("StudentPersonal", word, f"<LocalId>{self._next()}</LocalId>")

    def _flawed(self) -> tuple[str, str]:
        return "Add", self._student(self._someone()).replace("LocalId>", "Number>")

    def _rename(self) -> tuple[str, str]:
        name = escape(f"Springfield & <Sons> {self._next()} \u674e\U0001f600")
        return "Change", self._object("LEAInfo", "district", f"<LEAName>{name}</LEAName>")

    def _someone(self) -> str:
        return self._random.choice(self._there)

    def _next(self) -> str:
        self._changes += 1
        return f"{self._changes:06}"

    def _ref(self, word: str) -> str:
        return hashlib.sha256(f"{self._seed} {word}".encode()).hexdigest()[:32].upper()

    def _object(self, name: str, word: str, parts: str = "", attributes: str = "") -> str:
        return f'<{name} RefId="{self._ref(word)}"{attributes}>{parts}</{name}>'

    def _lea(self) -> str:
        return self._object("LEAInfo", "district", "<LocalId>1</LocalId><LEAName>Springfield</LEAName>")

    def _school(self, number: int) -> str:
        refers = f"<LEAInfoRefId>{self._ref('district')}</LEAInfoRefId>"
        return self._object("SchoolInfo", f"school {number}", f"<SchoolName>School {number}</SchoolName>{refers}")

    def _student(self, word: str) -> str:
        name = f'<Name Type="04"><LastName>Doe</LastName><FirstName>{word.title()}</FirstName></Name>'
        return self._object("StudentPersonal", word, f"<LocalId>{self._next()}</LocalId>{name}")

    def _enrollment(self, word: str, school: int) -> str:
        refers = f' StudentPersonalRefId="{self._ref(word)}" SchoolInfoRefId="{self._ref(f"school {school}")}"'
        when = ' MembershipType="Home" TimeFrame="Current" SchoolYear="2027"'
        entered = "<EntryDate>2026-09-01</EntryDate>"
        return self._object("StudentSchoolEnrollment", f"enrollment of {word}", entered, refers + when)

    def _message(self, happenings: list[tuple[str, str]]) -> Sent:
        """Write a SIF_Event; ten messages in a row have the same SIF_Timestamp, so that arrival decides."""
        self._messages += 1
        if self._messages % 10 == 0:
            self._clock += timedelta(seconds=1)
        msg_id = f"{self._seed:08X}{self._messages:024X}"
        wrapped = "".join(
            f'<SIF_EventObject ObjectName="{text[1:].split()[0]}" Action="{action}">{text}</SIF_EventObject>'
            for action, text in happenings
        )
        odd = self._random.choice(("", "\r\n", "<!-- \u674e -->", "\t"))
        text = (
            f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6">{odd}<SIF_Event><SIF_Header>'
            f"<SIF_MsgId>{msg_id}</SIF_MsgId>"
            f"<SIF_Timestamp>{self._clock.isoformat()}</SIF_Timestamp><SIF_SourceId>{self.source_id}</SIF_SourceId>"
            f"</SIF_Header><SIF_ObjectData>{odd}{wrapped}</SIF_ObjectData></SIF_Event></SIF_Message>{odd}"
        )
        return Sent(msg_id, text.encode())


def registration(ledger: Ledger) -> bytes:
    """Write the SIF_Register of an agent."""
    digits = ledger.source_id.encode().hex().upper()
    return (
        f'<SIF_Message xmlns="{NAMESPACE}" Version="2.6"><SIF_Register><SIF_Header><SIF_MsgId>{digits:F>32}</SIF_MsgId>'
        f"<SIF_Timestamp>2026-11-22T08:00:00Z</SIF_Timestamp><SIF_SourceId>{ledger.source_id}</SIF_SourceId>"
        "</SIF_Header><SIF_Name>Proof</SIF_Name><SIF_Version>2.6</SIF_Version><SIF_MaxBufferSize>65536"
        "</SIF_MaxBufferSize><SIF_Mode>Pull</SIF_Mode></SIF_Register></SIF_Message>"
    ).encode()
