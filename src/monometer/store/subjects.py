"""Subjects as rows."""

from collections.abc import Collection, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    ARRAY,
    Row,
    Select,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy import Text as SqlText
from sqlalchemy import cast as sql_cast
from sqlalchemy import update as sql_update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.subject import Subject
from monometer.store.among import any_of
from monometer.store.tables import TEXT, subject

_LIVE = subject.c.deleted_at.is_(None)
# As text, on its way in and out: jsonb keeps digits that a float would lose.
_METADATA = sql_cast(bindparam("metadata", type_=SqlText), JSONB)
_SELECT: Select[Any] = select(
    *(column for column in subject.c if column.name != "metadata"),
    sql_cast(subject.c.metadata, SqlText).label("metadata"),
)


async def create_missing(connection: AsyncConnection, new: Sequence[Subject]) -> None:
    """Those whose key no live subject has. All writers take keys in one order, and never a ring."""
    if new:
        statement = insert(subject).values(metadata=_METADATA).on_conflict_do_nothing()
        rows = [_row_from_subject(one) for one in sorted(new, key=lambda one: one.key)]
        await connection.execute(statement, rows)


async def lock_live(
    connection: AsyncConnection, namespace: str, keys: Collection[str]
) -> dict[str, Subject]:
    """The live subjects of these keys, which nobody else changes until the transaction ends."""
    rows = await connection.execute(
        _SELECT.where(subject.c.namespace == namespace, _LIVE, subject.c.key == any_of(keys))
        .order_by(subject.c.key)
        .with_for_update()
    )
    return {row.key: _subject_from_row(row) for row in rows}


async def update(connection: AsyncConnection, changed: Sequence[Subject]) -> None:
    if changed:
        statement = sql_update(subject).where(subject.c.id == bindparam("id_"))
        rows = [{**_row_from_subject(one), "id_": one.id} for one in changed]
        await connection.execute(statement.values(metadata=_METADATA), rows)


async def find(
    connection: AsyncConnection, namespace: str, id_or_key: str, *, lock: bool = False
) -> Subject | None:
    """The live subject of that key, or the one of that id (ids in either case), deleted or not.

    `lock` keeps others from changing it until the transaction ends.
    """
    by_id = subject.c.id == id_or_key.upper()
    statement = (
        _SELECT.where(
            subject.c.namespace == namespace, or_((subject.c.key == id_or_key) & _LIVE, by_id)
        )
        .order_by(by_id)  # a key that looks like an id is a key first
        .limit(1)
    )
    if lock:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else _subject_from_row(row)


async def list_(connection: AsyncConnection, namespace: str, *, subjects_max: int) -> list[Subject]:
    """The first `subjects_max` live ones, in the order in which they were created."""
    rows = await connection.execute(
        _SELECT.where(subject.c.namespace == namespace, _LIVE)
        .order_by(subject.c.created_at, subject.c.id)
        .limit(subjects_max)
    )
    return [_subject_from_row(row) for row in rows]


async def display_names(
    connection: AsyncConnection,
    namespace: str,
    keys: Collection[str] | None,
    *,
    subjects_max: int,
) -> dict[str, str | None]:
    """Key → display name of live subjects, of all for None; of `subjects_max` at most."""
    conditions = [subject.c.namespace == namespace, _LIVE]
    if keys is not None:
        conditions.append(subject.c.key == any_of(keys))
    statement = select(subject.c.key, subject.c.display_name).where(*conditions)
    rows = await connection.execute(statement.limit(subjects_max))
    return {row.key: row.display_name for row in rows}


async def ids_among(
    connection: AsyncConnection, namespace: str, texts: Collection[str]
) -> list[str]:
    """Those of the texts that are the id of a subject, in order."""
    known = func.unnest(literal(list(texts), ARRAY(TEXT))).column_valued("one")
    rows = await connection.execute(
        select(known)
        .join(subject, subject.c.id == func.upper(known))
        .where(subject.c.namespace == namespace)
        .order_by(known)
    )
    return list(rows.scalars())


def _row_from_subject(one: Subject) -> dict[str, Any]:
    return {field.name: getattr(one, field.name) for field in fields(one)}


def _subject_from_row(row: Row[Any]) -> Subject:
    return Subject(**row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
