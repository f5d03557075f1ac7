"""Customers as rows, and to which of them a subject belongs."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    FromClause,
    Row,
    Text,
    and_,
    column,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy import update as sql_update
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.customer import Address, Customer
from monometer.core.expression import Compare, Like, Member, OneOf, Predicate
from monometer.store.among import any_of
from monometer.store.expression_sql import SqlReader
from monometer.store.pages import Page, page_of
from monometer.store.tables import TEXT, customer, customer_subject


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFilter:
    """Each is a part of a text, in any case of ASCII letters; None takes everyone.

    `subject` is a part of a subject key of a live customer.
    """

    key: str | None = None
    name: str | None = None
    primary_email: str | None = None
    subject: str | None = None
    include_deleted: bool = False


async def lock_owners(connection: AsyncConnection, namespace: str) -> None:
    """One at a time decides who owns what in a namespace, until its transaction ends.

    The unique indexes would do for keys alone; not for a key that is another's subject key.
    """
    number = func.hashtextextended(literal(f"owners in {namespace}", Text), 0)
    await connection.execute(select(func.pg_advisory_xact_lock(number)))


async def share_owners(connection: AsyncConnection, namespace: str) -> None:
    """Nobody decides who owns what in a namespace, until the transaction ends. Many may ask so."""
    number = func.hashtextextended(literal(f"owners in {namespace}", Text), 0)
    await connection.execute(select(func.pg_advisory_xact_lock_shared(number)))


async def conflict(connection: AsyncConnection, one: Customer) -> str | None:
    """Why `one` cannot be stored beside the others, None when it can. Needs `lock_owners`."""
    others = and_(customer.c.namespace == one.namespace, customer.c.id != one.id)
    listed = and_(
        customer_subject.c.namespace == one.namespace, customer_subject.c.customer_id != one.id
    )
    if one.key is not None:
        live = and_(customer.c.key == one.key, customer.c.deleted_at.is_(None))
        if await _exists(connection, customer.c.id, others, live):
            return f"a customer with the key {one.key} already exists"
        if await _exists(connection, customer.c.id, others, customer.c.id == one.key.upper()):
            return f"the key {one.key} is the id of another customer"
        key = customer_subject.c.subject_key
        if await _exists(connection, key, listed, key == one.key):
            return f"the key {one.key} is a subject key of another customer"
    taken = await connection.scalars(
        select(customer_subject.c.subject_key)
        .where(listed, customer_subject.c.subject_key == any_of(one.subject_keys))
        .order_by(customer_subject.c.subject_key)
    )
    keys = ", ".join(taken)
    return f"another customer already has the subject keys: {keys}" if keys else None


async def create(connection: AsyncConnection, new: Customer) -> None:
    """Whoever has asked for a `conflict` may call it."""
    await connection.execute(insert(customer).values(**_row_from_customer(new)))
    await _list_subjects(connection, new)


async def update(connection: AsyncConnection, changed: Customer) -> None:
    """Whoever has asked for a `conflict` may call it; a deleted customer lists no subject."""
    await connection.execute(
        sql_update(customer)
        .where(customer.c.id == changed.id)
        .values(**_row_from_customer(changed))
    )
    await connection.execute(
        delete(customer_subject).where(customer_subject.c.customer_id == changed.id)
    )
    if changed.deleted_at is None:
        await _list_subjects(connection, changed)


async def _list_subjects(connection: AsyncConnection, one: Customer) -> None:
    keys = func.unnest(literal(list(one.subject_keys), ARRAY(TEXT))).column_valued("subject_key")
    values = select(literal(one.namespace, TEXT), keys, literal(one.id, TEXT))
    names = ["namespace", "subject_key", "customer_id"]
    await connection.execute(insert(customer_subject).from_select(names, values))


async def find(
    connection: AsyncConnection, namespace: str, id_or_key: str, *, lock: bool = False
) -> Customer | None:
    """The live customer of that key, or the one of that id (in either case), deleted or not.

    `lock` keeps others from changing it until the transaction ends.
    """
    by_id = customer.c.id == id_or_key.upper()
    live = and_(customer.c.key == id_or_key, customer.c.deleted_at.is_(None))
    statement = (
        select(customer)
        .where(customer.c.namespace == namespace, or_(live, by_id))
        .order_by(by_id)
        .limit(1)
    )
    if lock:
        statement = statement.with_for_update()
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else customer_from_row(row)


async def live_of_ids(
    connection: AsyncConnection, namespace: str, ids: Collection[str]
) -> list[Customer]:
    """The live customers of these ids, which may be in either case."""
    rows = await connection.execute(
        select(customer)
        .where(
            customer.c.namespace == namespace,
            customer.c.deleted_at.is_(None),
            customer.c.id == any_of([one.upper() for one in ids]),
        )
        .order_by(customer.c.id)
    )
    return [customer_from_row(row) for row in rows]


async def list_(
    connection: AsyncConnection,
    namespace: str,
    wanted: CustomerFilter,
    *,
    order_by: str = "name",
    descending: bool = False,
    offset: int = 0,
    limit: int,
) -> tuple[int, list[Customer]]:
    """How many there are, and a page of them, by a column and, where that is equal, by id."""
    conditions = [customer.c.namespace == namespace, *_conditions(wanted)]
    total = await connection.scalar(select(func.count()).select_from(customer).where(*conditions))
    by = customer.c[order_by]
    rows = await connection.execute(
        select(customer)
        .where(*conditions)
        .order_by(by.desc() if descending else by, customer.c.id)
        .offset(offset)
        .limit(limit)
    )
    return total or 0, [customer_from_row(row) for row in rows]


class _Reader(SqlReader):
    """A condition on `subject_key` holds when it does for one of the customer's subject keys."""

    def predicate(self, predicate: Predicate) -> ColumnElement[Any]:
        read = super().predicate(predicate)
        match predicate:
            case Compare(_, of, _) | OneOf(of, _) | Like(of, _, _) if of == SUBJECT_KEY:
                own = customer_subject.c.customer_id == customer.c.id
                return select(true()).where(own, read).exists()
        return read


SUBJECT_KEY = Member("subject_key")
_reader = _Reader(
    {
        SUBJECT_KEY: customer_subject.c.subject_key,
        **{Member(name): customer.c[name] for name in ("key", "name", "primary_email")},
    }
)


async def page(
    connection: AsyncConnection,
    namespace: str,
    *,
    where: Predicate,
    order_by: str,
    descending: bool,
    offset: int,
    limit: int,
) -> Page[Customer]:
    """Live customers in the order of `list_`.

    `where` is about the members `key`, `name`, `primary_email` and `subject_key`; of any other
    member nobody has a value.
    """
    by = customer.c[order_by]
    statement = (
        select(customer)
        .where(
            customer.c.namespace == namespace,
            customer.c.deleted_at.is_(None),
            _reader.predicate(where),
        )
        .order_by(by.desc() if descending else by, customer.c.id)
    )
    return await page_of(connection, statement, customer_from_row, offset=offset, limit=limit)


async def owners(
    connection: AsyncConnection, namespace: str, subjects: Collection[str]
) -> dict[str, str]:
    """Subject → id of the live customer to whom its usage belongs, where there is one.

    It belongs to the customer whose id it is, else to the one whose key it is, else to the one
    that lists it.
    """
    one = (
        func.unnest(literal(list(subjects), ARRAY(TEXT)))
        .table_valued(column("subject", TEXT))
        .render_derived("one")
    )
    by_id, by_key, listed = customer.alias("by_id"), customer.alias("by_key"), customer_subject
    found: FromClause = one
    for of, text in ((by_id, by_id.c.id), (by_key, by_key.c.key)):
        live = and_(of.c.namespace == namespace, of.c.deleted_at.is_(None))
        found = found.outerjoin(of, and_(text == one.c.subject, live))
    found = found.outerjoin(
        listed,
        and_(listed.c.namespace == namespace, listed.c.subject_key == one.c.subject),
    )
    owner = func.coalesce(by_id.c.id, by_key.c.id, listed.c.customer_id).label("owner")
    rows = await connection.execute(
        select(one.c.subject, owner).select_from(found).where(owner.is_not(None))
    )
    return {row.subject: row.owner for row in rows}


def _conditions(wanted: CustomerFilter) -> list[ColumnElement[bool]]:
    parts = {
        customer.c.key: wanted.key,
        customer.c.name: wanted.name,
        customer.c.primary_email: wanted.primary_email,
    }
    conditions = [_has_part(text, part) for text, part in parts.items() if part is not None]
    if wanted.subject is not None:
        listed = customer_subject.c
        conditions.append(
            select(true())
            .where(
                listed.customer_id == customer.c.id, _has_part(listed.subject_key, wanted.subject)
            )
            .exists()
        )
    return conditions if wanted.include_deleted else [*conditions, customer.c.deleted_at.is_(None)]


def _has_part(text: ColumnElement[Any], part: str) -> ColumnElement[bool]:
    """In collation "C" lower() folds ASCII letters only, which every database agrees on."""
    return func.strpos(func.lower(text), func.lower(literal(part, Text).collate("C"))) > 0


async def _exists(
    connection: AsyncConnection, of: ColumnElement[Any], *conditions: ColumnElement[bool]
) -> bool:
    return await connection.scalar(select(of).where(*conditions).limit(1)) is not None


def _row_from_customer(one: Customer) -> dict[str, Any]:
    row = {column.name: getattr(one, column.name) for column in customer.c}
    row["subject_keys"] = list(one.subject_keys)
    row["billing_address"] = None if one.billing_address is None else asdict(one.billing_address)
    return row


def customer_from_row(row: Row[Any]) -> Customer:
    values = dict(row._mapping)  # noqa: SLF001 - the public name of SQLAlchemy's row mapping
    values["subject_keys"] = tuple(row.subject_keys)
    address: Mapping[str, str | None] | None = row.billing_address
    values["billing_address"] = None if address is None else Address(**address)
    return Customer(**values)
