"""Live customers by what is known of them, in any order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import ARRAY, ColumnElement, Text, any_, func, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.customer import Customer
from monometer.store.customers import customer_from_row
from monometer.store.pages import Page, page_of
from monometer.store.tables import TEXT, customer


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSearch:
    """`text` is a part of the name, the e-mail address or the key, in any case of ASCII letters.

    `metadata` has for each key the texts of which its value must be one.
    """

    text: str | None = None
    primary_email: str | None = None
    metadata: Mapping[str, Collection[str]] = field(default_factory=dict)


async def search(
    connection: AsyncConnection,
    namespace: str,
    wanted: CustomerSearch,
    *,
    order: Sequence[tuple[str, bool]],
    offset: int,
    limit: int,
) -> Page[Customer]:
    """In the order of some columns, each descending or not, and of ids at last."""
    columns = [customer.c[name].desc() if down else customer.c[name] for name, down in order]
    statement = (
        select(customer)
        .where(customer.c.namespace == namespace, *_conditions(wanted))
        .order_by(*columns, customer.c.id)
    )
    return await page_of(connection, statement, customer_from_row, offset=offset, limit=limit)


def _conditions(wanted: CustomerSearch) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [customer.c.deleted_at.is_(None)]
    if wanted.text is not None:
        part = func.lower(literal(wanted.text, Text).collate("C"))
        texts = (customer.c.name, customer.c.primary_email, customer.c.key)
        conditions.append(or_(*(func.strpos(func.lower(text), part) > 0 for text in texts)))
    if wanted.primary_email is not None:
        email = func.lower(literal(wanted.primary_email, Text).collate("C"))
        conditions.append(func.lower(customer.c.primary_email) == email)
    for key, values in wanted.metadata.items():
        one_of = any_(literal(list(values), ARRAY(TEXT)))
        conditions.append(customer.c.metadata[key].astext == one_of)
    return conditions
