"""What every declared SIF object is made of: one typed line per element, from which tables and mapping follow.

A declaration holds paths, types, meanings, code sets, references and privacy. It holds no expressions: what needs
one is a reporting view or a rule.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    Time,
    Uuid,
    false,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

INBOX, OUTBOX, CURRENT, HISTORY, REPORTING = "inbox", "outbox", "sif", "sif_history", "reporting"
"""The five schemas of the warehouse database."""

CURRENT_ONLY = frozenset({"repeatable"})
"""Columns of current rows that closed versions do not have."""

NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}


@dataclass(frozen=True, slots=True)
class Element:
    """One line of a declaration: where a value stands in the object's XML and what it means."""

    path: str  #: steps below the object's element, `@` for an attribute: `Demographics/BirthDate`
    meaning: str  #: the dictionary entry and column comment
    codes: str | None = None  #: name of the code set in schemas/codesets; several are separated by a blank
    refers: str | None = None  #: name of the SIF object whose RefId this is, unless a SIF_RefObject says otherwise
    pii: bool = False  #: tells who a person is, or something private about them


def element(path: str, meaning: str, *, codes: str | None = None, refers: str | None = None, pii: bool = False) -> Any:
    """Declare a column by its element path; the Mapped annotation gives type, nullability and repetition.

    `Mapped[list[str]]` collects every value at the path, `Mapped[list[Any]]` every element as JSON.
    """
    return mapped_column(comment=meaning, info={"element": Element(path, meaning, codes, refers, pii)})


@dataclass(frozen=True, slots=True)
class Extended:
    """One SIF_ExtendedElement of an object by its Name, as a typed column of the object's view of versions."""

    name: str  #: the Name attribute
    meaning: str
    type: type  #: str, int, Decimal or date; a value that is none reads as NULL, and stays in `extended`
    codes: str | None  #: name of the code set in schemas/massachusetts
    excerpt: bool = False  #: only some of the codes are known, so that no other is a finding


@dataclass(frozen=True, slots=True)
class OtherCode:
    """The codes of one Codeset in an OtherCodeList, as a column of the object's view of versions."""

    column: str  #: the declared column that holds the list as JSON
    codeset: str  #: StateProvince, Local, Other or Text
    meaning: str
    codes: str | None  #: name of the code set in schemas/massachusetts
    every: bool  #: an array of all of them, not the first
    excerpt: bool = False  #: only some of the codes are known, so that no other is a finding


Derived = Extended | OtherCode


@dataclass(frozen=True, slots=True)
class Covering:
    """An index that holds all that the reports ask of an object, so that they need not read its wide rows.

    Measured over a whole state before it is declared: docs/discussion/performance.md.
    """

    by: tuple[str, ...]  #: columns in the order in which the reports read them; `-` before a name for descending
    holds: tuple[str, ...]  #: the other columns that they ask for


def extended(name: str, meaning: str, type_: type = str, *, codes: str | None = None) -> Any:
    """Declare a SIF_ExtendedElement by its Name; the attribute's name is the column's in the view of versions."""
    return Extended(name, meaning, type_, codes)


def other_code(  # noqa: PLR0913 -- one line of a declaration
    column: str, codeset: str, meaning: str, *, codes: str | None = None, every: bool = False, excerpt: bool = False
) -> Any:
    """Declare the code of one Codeset among the OtherCodes in a column of JSON; with `every` all of them, as a list.

    `excerpt` says that the code set's table has some of the codes only.
    """
    return OtherCode(column, codeset, meaning, codes, every, excerpt)


class Base(DeclarativeBase):
    """The metadata of the whole warehouse, with one naming convention and one type per Python type."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        int: Integer,
        date: Date,
        datetime: DateTime(timezone=True),
        time: Time,
        Decimal: Numeric,
        UUID: Uuid,
        list[str]: ARRAY(Text),
        list[Any]: JSONB,
        dict[str, Any]: JSONB,
    }


class SifObject(Base):
    """A SIF object as current rows in schema `sif` and closed versions in schema `sif_history`.

    The row is what the folded events of the object say now; `document` is the folded object itself, so what is not
    declared as a column is still there to be queried.
    """

    __abstract__ = True

    sif_name: ClassVar[str]  #: the object's name in the standard
    key_paths: ClassVar[tuple[str, ...]] = ("@RefId",)  #: what identifies the object across messages
    kept: ClassVar[Mapping[str, str]] = {}  #: elements without a column by path, and why; see warehouse/kept.csv
    history: ClassVar[Table]  #: closed versions: the same columns and recorded_to
    derived: ClassVar[Mapping[str, Derived]]  #: columns of the view of versions that no table has, by name
    covering: ClassVar[Covering | None] = None  #: what makes reports over the object quick

    zone_id: Mapped[int] = mapped_column(
        primary_key=True, comment="Zone of the district that sent the object", sort_order=-9
    )
    row_key: Mapped[UUID] = mapped_column(
        primary_key=True, comment="The object's RefId, or a hash of its natural key", sort_order=-8
    )
    recorded_from: Mapped[datetime] = mapped_column(comment="When the state knew this version", sort_order=900)
    message_id: Mapped[int] = mapped_column(BigInteger, comment="Message that made this version", sort_order=901)
    content_hash: Mapped[UUID] = mapped_column(comment="First 16 bytes of the document's SHA-256", sort_order=902)
    repeatable: Mapped[bool] = mapped_column(
        default=False,
        server_default=false(),
        comment="Whether the same image again would change nothing",
        sort_order=905,
    )
    extended: Mapped[dict[str, Any] | None] = mapped_column(
        comment="SIF_ExtendedElements: name to value", info={"pii": True}, sort_order=903
    )
    document: Mapped[str] = mapped_column(comment="The folded object as XML", info={"pii": True}, sort_order=904)

    def __init_subclass__(cls, **options: Any) -> None:
        """Name the tables after the object and derive its history table."""
        cls.sif_name = cls.__name__
        cls.__tablename__ = snake_case(cls.__name__)
        cls.__table_args__ = {"schema": CURRENT, "comment": (cls.__doc__ or "").strip().splitlines()[0]}
        cls.derived = {name: value for name, value in vars(cls).items() if isinstance(value, Extended | OtherCode)}
        super().__init_subclass__(**options)
        cls.history = _history(cls.__table__, cls.covering)  # type: ignore[arg-type]
        if cls.covering is not None:
            _index(cls.__table__, cls.covering)  # type: ignore[arg-type]
        _index_repeatable(cls.__table__)  # type: ignore[arg-type]


def _index(table: Table, covering: Covering) -> None:
    by = [table.columns[name.removeprefix("-")] for name in covering.by]
    order = [column.desc() if name.startswith("-") else column for name, column in zip(covering.by, by, strict=True)]
    Index(f"ix_{table.name}_covering", *order, postgresql_include=[*covering.holds, "recorded_from"])


def _history(current: Table, covering: Covering | None) -> Table:
    columns = [
        Column(
            c.name,
            c.type,
            primary_key=c.primary_key or c.name == "recorded_from",
            nullable=c.nullable,
            comment=c.comment,
            info=c.info,
        )
        for c in current.columns
        if c.name not in CURRENT_ONLY
    ]
    columns.append(Column("recorded_to", DateTime(timezone=True), nullable=False, comment="When the state knew better"))
    table = Table(current.name, Base.metadata, *columns, schema=HISTORY, comment=f"Closed versions: {current.comment}")
    # A question of the past reads what ended since: where the index holds all it asks for, none of the rows.
    by = [name.removeprefix("-") for name in covering.by] if covering else []
    held = [*by, *covering.holds, "recorded_from"] if covering else []
    Index(f"ix_{current.name}_recorded_to", table.columns.recorded_to, postgresql_include=held)
    return table


def _index_repeatable(current: Table) -> None:
    columns = current.columns
    name = f"ix_{current.name}_repeatable"
    Index(name, columns.zone_id, columns.content_hash, postgresql_where=columns.repeatable)


def snake_case(name: str) -> str:
    """Spell a SIF object's name as a table name: `LEAInfo` is `lea_info`."""
    letters = [
        f"_{c}" if i and c.isupper() and (name[i - 1].islower() or name[i + 1 : i + 2].islower()) else c
        for i, c in enumerate(name)
    ]
    return "".join(letters).lower()


@cache
def objects() -> dict[str, type[SifObject]]:
    """Find every declared object by its SIF name; a new file in warehouse/objects is all it takes."""
    from warehouse import objects as package  # noqa: PLC0415 -- declarations import this module

    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{module.name}")
    return {cls.sif_name: cls for cls in sorted(SifObject.__subclasses__(), key=lambda cls: cls.__name__)}


def elements(cls: type[SifObject]) -> Iterator[tuple[Column[Any], Element]]:
    """Yield the declared columns of an object with their elements, in the order of the table."""
    for column in cls.__table__.columns:
        if (declared := column.info.get("element")) is not None:
            yield column, declared  # type: ignore[misc]
