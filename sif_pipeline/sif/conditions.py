"""Conditions of a SIF_Query: read as people write them, written as a SIF_ConditionGroup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from sif_pipeline.exceptions import ConfigurationError

OPERATORS: Final = ("EQ", "NE", "LT", "LE", "GT", "GE")
"""SIF_Operator of a condition."""


class Condition(NamedTuple):
    """One SIF_Condition."""

    path: str  #: SIF_Element: `@SchoolYear`, `Name/LastName`, relative to the object
    operator: str  #: SIF_Operator, one of OPERATORS
    value: str  #: SIF_Value


class Group(NamedTuple):
    """One SIF_Conditions."""

    joined: str  #: And or Or: how the conditions are joined
    conditions: tuple[Condition, ...]  #: one or more


@dataclass(frozen=True, slots=True)
class Conditions:
    """A SIF_ConditionGroup: groups of conditions; the standard knows no deeper nesting."""

    groups: tuple[Group, ...]  #: one or more
    joined: str = "And"  #: And or Or: how the groups are joined

    def xml(self) -> str:
        """Write SIF_ConditionGroup; what joins a single thing is None, as the standard asks."""
        joined = self.joined if len(self.groups) > 1 else "None"
        return f'<SIF_ConditionGroup Type="{joined}">{"".join(map(_group, self.groups))}</SIF_ConditionGroup>'


def _group(group: Group) -> str:
    joined = group.joined if len(group.conditions) > 1 else "None"
    return f'<SIF_Conditions Type="{joined}">{"".join(map(_condition, group.conditions))}</SIF_Conditions>'


def _condition(condition: Condition) -> str:
    return (
        f"<SIF_Condition><SIF_Element>{escape(condition.path)}</SIF_Element>"
        f"<SIF_Operator>{condition.operator}</SIF_Operator><SIF_Value>{escape(condition.value)}</SIF_Value>"
        "</SIF_Condition>"
    )


def read_conditions(text: str) -> Conditions:
    """Read conditions as people write them: `@SchoolYear EQ 2027 AND (@Grade EQ 11 OR @Grade EQ 12)`.

    AND binds before OR. A value with blanks stands in quotes. Raise ConfigurationError for what does not fit, with
    what to write instead; the sentence quotes no value.
    """
    tokens = _tokens(text)
    groups, joins = _joined(tokens)
    if tokens:
        raise ConfigurationError("The condition has a ) without a ( before it; take it out.")
    if len(set(joins)) > 1:
        return Conditions(tuple(Group("And", conditions) for conditions in _between_ors(groups, joins)), "Or")
    joined = joins[0] if joins else "And"
    if all(len(group.conditions) == 1 for group in groups):
        return Conditions((Group(joined, tuple(group.conditions[0] for group in groups)),))
    return Conditions(tuple(groups), joined)


_TOKEN = re.compile(
    r"""\s*(?:(?P<bracket>[()])|'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<word>(?:\[[^\]]*\]|[^\s()'"])+))"""
)
_JOINS = {"AND": "And", "OR": "Or"}


class _Token(NamedTuple):
    text: str
    kind: str  #: bracket, single, double or word

    @property
    def join(self) -> str | None:
        return _JOINS.get(self.text.upper()) if self.kind == "word" else None

    def is_bracket(self, text: str) -> bool:
        return (self.kind, self.text) == ("bracket", text)


def _tokens(text: str) -> list[_Token]:
    found, position, end = [], 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConfigurationError("A quotation mark in the condition is not closed; write Name EQ 'two words'.")
        kind = str(match.lastgroup)
        found.append(_Token(match[kind], kind))
        position = match.end()
    return found


def _joined(tokens: list[_Token]) -> tuple[list[Group], list[str]]:
    """Take what AND and OR join off the tokens, up to their end or a closing bracket."""
    groups, joins = [_taken(tokens)], []
    while tokens and (join := tokens[0].join):
        tokens.pop(0)
        joins.append(join)
        groups.append(_taken(tokens))
    if tokens and not tokens[0].is_bracket(")"):
        raise ConfigurationError("Conditions are joined by AND or OR; put a value that has blanks in quotes.")
    return groups, joins


def _taken(tokens: list[_Token]) -> Group:
    """Take a condition, a group of its own, or a group in brackets off the tokens."""
    if not tokens or not tokens[0].is_bracket("("):
        return Group("And", (_single(tokens),))
    tokens.pop(0)
    groups, joins = _joined(tokens)
    if not tokens:
        raise ConfigurationError("A ( in the condition is not closed; add the ).")
    tokens.pop(0)
    if len(set(joins)) > 1 or any(len(group.conditions) > 1 for group in groups):
        raise ConfigurationError("Inside brackets a SIF condition has AND only or OR only, and no further brackets.")
    return Group(joins[0] if joins else "And", tuple(group.conditions[0] for group in groups))


def _single(tokens: list[_Token]) -> Condition:
    parts = tokens[:3]
    kinds = [token.kind for token in parts]
    if len(parts) < 3 or "bracket" in kinds or parts[1].text.upper() not in OPERATORS:
        raise ConfigurationError(
            f"A condition is a path, an operator ({', '.join(OPERATORS)}) and a value: @SchoolYear EQ 2027."
        )
    del tokens[:3]
    return Condition(parts[0].text, parts[1].text.upper(), parts[2].text)


def _between_ors(groups: list[Group], joins: list[str]) -> Iterator[tuple[Condition, ...]]:
    """Give what AND joins between the ORs."""
    if any(len(group.conditions) > 1 for group in groups):
        raise ConfigurationError("AND and OR are mixed beside brackets; put brackets around every part that OR joins.")
    together = [groups[0].conditions[0]]
    for join, group in zip(joins, groups[1:], strict=True):
        if join == "Or":
            yield tuple(together)
            together = []
        together.append(group.conditions[0])
    yield tuple(together)
