"""The SIF_Request: which objects are asked for, under which conditions, as the standard writes it.

It knows the standard's SIF_Query and the objects' schemas only: no database, no network.
"""

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from sif_pipeline.exceptions import ConfigurationError
from sif_pipeline.sif import writing
from sif_pipeline.sif.schema import Shape, shape
from sif_pipeline.sif.writing import Written

OPERATORS: Final = {"=": "EQ", "!=": "NE", "<>": "NE", "<": "LT", "<=": "LE", ">": "GT", ">=": "GE"}
"""Other spellings of the standard's operators: EQ, NE, LT, LE, GT, GE."""

ANY_2: Final = ("2.*",)
"""SIF_Version of our requests: the answer may be of any release of SIF 2.x."""

_WORD = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|(<=|>=|<>|!=|[=<>])|((?:[^\s"'=<>![\]]|\[[^\]]*\])+))""")
_CHOICE = r"""@?[A-Za-z_][\w.-]*\s*=\s*(?:'[^']*'|"[^"]*")"""
_STEP = rf"@?[A-Za-z_][\w@.-]*(?:\[\s*{_CHOICE}(?:\s+or\s+{_CHOICE})*\s*\])?"
_PATH = re.compile(rf"{_STEP}(?:/{_STEP})*")
_HELP = (
    'A condition is written "SchoolYear EQ 2027 AND LocalId GE 100"; operators are EQ, NE, LT, LE, GT and GE; '
    "a value with blanks, quotes or brackets stands in quotes."
)


class Condition(NamedTuple):
    """One SIF_Condition."""

    element: str  #: path below the object, @ for an attribute
    operator: str  #: EQ, NE, LT, LE, GT or GE
    value: str


class Where(NamedTuple):
    """The conditions of a query, joined all by And or all by Or; none: every object."""

    conditions: tuple[Condition, ...] = ()
    joined: str = "And"


EVERYTHING: Final = Where()
"""No condition."""


def read_where(text: str) -> Where:
    """Read conditions as people write them: `SchoolYear EQ 2027 AND LocalId GE 100`, values with blanks quoted.

    Raise ConfigurationError for what is none, and for AND and OR mixed: SIF_Query could say it, few agents read it.
    """
    words = _words(text)
    joints = {joint.upper() for joint, _ in words[3::4]}
    if len(words) % 4 != 3 or not joints <= {"AND", "OR"} or len(joints) > 1:
        raise ConfigurationError(_HELP)
    found = tuple(_condition(words[place : place + 3]) for place in range(0, len(words), 4))
    return Where(found, joints.pop().capitalize() if joints else "And")


def _words(text: str) -> list[tuple[str, bool]]:
    """Cut a text into words, each with whether it was quoted."""
    words, place = [], 0
    text = text.rstrip()
    while place < len(text):
        found = _WORD.match(text, place)
        if found is None:
            raise ConfigurationError(_HELP)
        quoted = found[1] if found[1] is not None else found[2]
        words.append((quoted, True) if quoted is not None else (found[3] or found[4], False))
        place = found.end()
    return words


def _condition(words: Sequence[tuple[str, bool]]) -> Condition:
    (element, _), (operator, _), (value, _) = words
    known = OPERATORS.get(operator, operator.upper())
    if known not in OPERATORS.values() or not _PATH.fullmatch(element):
        raise ConfigurationError(_HELP)
    return Condition(element, known, value)


def spelled_for(object_name: str, where: Where) -> Where:
    """Hold conditions against an object's schema; an attribute gets its @, which people leave out.

    Raise ConfigurationError for a path that the object does not have: no agent could answer. Below an element that may
    hold anything, every path is well (SIF_Element Syntax, SIF 2.x Infrastructure).
    """
    spelled = (one._replace(element=_spelled(object_name, one.element)) for one in where.conditions)
    return where._replace(conditions=tuple(spelled))


def _spelled(object_name: str, path: str) -> str:
    """Hold a path against an object's shape; a step may choose, as in `Name[@Type='04']/LastName`."""
    known, (*above, last) = shape(object_name), re.findall(_STEP, path)
    for step in above:
        if known.open:
            return path
        if (below := _chosen(known, step)) is None:
            raise _not_there(object_name, path)
        known = below
    if _chosen(known, last) is not None or (known.open and not last.startswith("@")):
        return path
    if last.removeprefix("@") not in known.attributes:
        raise _not_there(object_name, path)
    return "/".join((*above, f"@{last.removeprefix('@')}"))


def _chosen(known: Shape, step: str) -> Shape | None:
    """Give the child that a step names, where it has what the step chooses it by: attributes with their @, children."""
    name, _, choice = step.partition("[")
    child = known.children.get(name)
    by = {one.partition("=")[0].strip() for one in re.findall(_CHOICE, choice)}
    if child is None or child.open:
        return child
    return child if by <= {*(f"@{attribute}" for attribute in child.attributes), *child.children} else None


def _not_there(object_name: str, path: str) -> ConfigurationError:
    paths, plain = list(_paths(shape(object_name))), re.sub(r"\[[^\]]*\]", "", path)
    last = plain.rpartition("/")[2].removeprefix("@")
    near = [one for one in paths if re.split("[/@]", one)[-1] == last] or get_close_matches(plain, paths)
    way_out = f"perhaps {' or '.join(near[:3])}" if near else "leave the object's name out, write @ for attributes"
    return ConfigurationError(f"SIF's {object_name} has no {path}; {way_out}.")


def _paths(known: Shape, above: str = "") -> Iterator[str]:
    yield from (f"{above}@{name}" for name in known.attributes)
    for child in known.children.values():
        yield f"{above}{child.name}"
        yield from _paths(child, f"{above}{child.name}/")


def write_request(
    object_name: str,
    where: Where = EVERYTHING,
    *,
    max_buffer_size: int,
    version: str,
    destination_id: str | None = None,
) -> Written:
    """Write the state's SIF_Request for whole objects; `destination_id` only where it is not for the provider."""
    return writing.write_request(
        object_name,
        max_buffer_size=max_buffer_size,
        versions=ANY_2,
        conditions=write_conditions(where),
        version=version,
        destination_id=destination_id,
    )


def write_conditions(where: Where) -> str:
    """Write the SIF_ConditionGroup of a query; nothing for no conditions."""
    if not where.conditions:
        return ""
    inner = "".join(
        f"<SIF_Condition><SIF_Element>{escape(condition.element)}</SIF_Element>"
        f"<SIF_Operator>{condition.operator}</SIF_Operator><SIF_Value>{escape(condition.value)}</SIF_Value>"
        "</SIF_Condition>"
        for condition in where.conditions
    )
    joined = where.joined if len(where.conditions) > 1 else "None"
    return (
        f'<SIF_ConditionGroup Type="None"><SIF_Conditions Type="{joined}">{inner}</SIF_Conditions></SIF_ConditionGroup>'
    )
