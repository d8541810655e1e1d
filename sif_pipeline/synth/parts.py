"""What the object writers share: the object as sent, weighted draws, and elements of several objects."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from sif_pipeline.synth.names import FAMILY_NAMES, GIVEN_NAMES, MIDDLE_NAMES
from sif_pipeline.synth.plan import GRADES, shares

Draw = Callable[[], float]
"""Gives the next number from 0 to below 1 of a stream."""


class SynthObject(NamedTuple):
    """One object as an agent would send it."""

    name: str  #: SIF's name of the object
    ref_id: str
    xml: bytes  #: the object's element, without a namespace declaration: the message around it has one
    student: str = ""  #: RefId of the StudentPersonal without which it cannot be loaded
    section: str = ""  #: RefId of the SectionInfo without which it cannot be loaded


def _state_code(code: str) -> str:
    return f'<OtherCodeList><OtherCode Codeset="StateProvince">{code}</OtherCode></OtherCodeList>'


GRADE_CODES = {
    **{grade: f"<Code>{grade}</Code>" for grade in GRADES},
    "KG": f"<Code>KG</Code>{_state_code('KF')}",
    "SP": f"<Code>Other</Code>{_state_code('SP')}",
}
"""What stands in GradeLevel for each grade: SIF's code and, where it differs, the state's beside it."""


def table(*weighted: tuple[str, int]) -> tuple[str, ...]:
    """Spread values over ten thousand places by weight: one number drawn finds one value."""
    counts = shares(10_000, [weight for _, weight in weighted])
    return tuple(value for (value, _), count in zip(weighted, counts, strict=True) for _ in range(count))


def one_of(draw: Draw, values: Sequence[str]) -> str:
    """Draw one of the values, each as likely as the others."""
    return values[int(draw() * len(values))]


def lot(ref_id: str) -> float:
    """Return a number from 0 to below 1 that is an object's own, whoever asks and however often.

    It is independent of those that decide whether the object is flawed or changes.
    """
    return int(ref_id[16:24], 16) / 4_294_967_296


def yes(draw: Draw, share: float) -> str:
    """Draw Yes with the probability `share`, else No."""
    return "Yes" if draw() < share else "No"


def _races(hispanic: str, *codes: str) -> str:
    races = "".join(f"<Race><Code>{code}</Code></Race>" for code in codes)
    return f"<RaceList>{races}</RaceList><HispanicLatino>{hispanic}</HispanicLatino>"


_WHITE, _HISPANIC, _BLACK = -0.75, 1.1, 0.9  # how the shares move with need; white loses what the others gain
_ETHNICITY = (
    (_races("No", "1002"), 5076, _WHITE),
    (_races("Yes", "1002"), 1834, _HISPANIC),
    (_races("Yes", "1000"), 393, _HISPANIC),
    (_races("Yes", "1000", "1002"), 262, _HISPANIC),
    (_races("Yes", "0998"), 131, _HISPANIC),
    (_races("No", "1000"), 1039, _BLACK),
    (_races("No", "0999"), 755, 0.0),
    (_races("No", "1000", "1002"), 277, 0.0),
    (_races("No", "0999", "1002"), 200, 0.0),
    (_races("No", "0998"), 24, 0.0),
    (_races("No", "1001"), 8, 0.0),
)


@lru_cache(maxsize=4)
def ethnicity(need: float = 0.0) -> tuple[str, ...]:
    """Return RaceList and HispanicLatino in Massachusetts' shares of 2025-26, moved by a district's need.

    The races of Hispanics are a guess.
    """
    return table(*((races, round(max(0.0, share * (1 + slope * need)))) for races, share, slope in _ETHNICITY))


def name_of_record(draw: Draw) -> str:
    """Draw the Name of a person who is not."""
    return (
        f'<Name Type="04"><LastName>{one_of(draw, FAMILY_NAMES)}</LastName>'
        f"<FirstName>{one_of(draw, GIVEN_NAMES)}</FirstName>"
        f"<MiddleName>{one_of(draw, MIDDLE_NAMES)}</MiddleName></Name>"
    )


def address(line: str, town: str, number: int) -> str:
    """Return the AddressList of one place: invented street and town, a postal code from a number."""
    return (
        f'<AddressList><Address Type="0765"><Street><Line1>{line}</Line1></Street><City>{town}</City>'
        f"<StateProvince>MA</StateProvince><Country>US</Country><PostalCode>01{number:03d}</PostalCode>"
        "</Address></AddressList>"
    )


def phone(number: int, phone_type: str = "0096") -> str:
    """Return the PhoneNumberList with one of the hundred numbers set aside for fiction."""
    return (
        f'<PhoneNumberList><PhoneNumber Type="{phone_type}"><Number>555-01{number % 100:02d}</Number>'
        "</PhoneNumber></PhoneNumberList>"
    )


def email(name: str, code: str) -> str:
    """Return the EmailList with an address in a domain that nobody can own."""
    return f'<EmailList><Email Type="Primary">{name}@{code}.example.org</Email></EmailList>'


def grade_levels(grades: Iterable[str]) -> str:
    """Return the GradeLevels element."""
    levels = "".join(f"<GradeLevel>{GRADE_CODES[grade]}</GradeLevel>" for grade in grades)
    return f"<GradeLevels>{levels}</GradeLevels>"
