"""Statements as text with the order of their parameters, for asyncpg itself.

To make a statement out of its parts and to compile it takes longer than to answer it from cells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, CompoundSelect, Select, bindparam
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.types import TypeEngine

_DIALECT = asyncpg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Statement:
    """`names` are its parameters in their order; `own` has the values that never change."""

    text: str
    names: tuple[str, ...]
    own: Mapping[str, Any]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """`values` has those of the named parameters, and may have more."""
        given = {**self.own, **values}
        return [given[name] for name in self.names]


def parameter(name: str, type_: TypeEngine[Any]) -> BindParameter[Any]:
    """A value that is given when the statement runs; to be compiled it must have one, so None."""
    return bindparam(name, None, type_)


def compiled(select: Select[Any] | CompoundSelect[Any]) -> Statement:
    made = select.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return Statement(str(made), tuple(made.positiontup or ()), made.params)
