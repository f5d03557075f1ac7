"""Portal tokens on record, and their revocations, as rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from monometer.core.portal import PortalToken
from monometer.store.tables import INSTANT, TEXT, portal_revocation, portal_token

PURGED_AT_ONCE = 100
ANY = ""  # in a revocation: whichever id, or subject


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a token is on record, as this subject's, and whether it was revoked."""

    recorded: bool
    revoked: bool


async def add(
    connection: AsyncConnection,
    *,
    namespace: str,
    id_: str,
    subject: str,
    slugs: Sequence[str],
    expires_at: datetime,
) -> PortalToken:
    values = {
        "namespace": namespace,
        "id": id_,
        "subject": subject,
        "slugs": list(slugs),
        "expires_at": expires_at,
    }
    made = insert(portal_token).values(**values).returning(portal_token.c.created_at)
    created_at: datetime = (await connection.execute(made)).scalar_one()
    return PortalToken(
        namespace=namespace,
        id=id_,
        subject=subject,
        slugs=slugs,
        created_at=created_at,
        expires_at=expires_at,
    )


async def list_(connection: AsyncConnection, namespace: str, limit: int) -> list[PortalToken]:
    """Newest first."""
    token = portal_token.c
    revoked = _revoked(token.namespace, token.id, token.subject, token.created_at)
    rows = await connection.execute(
        select(portal_token, revoked.label("revoked"))
        .where(token.namespace == namespace)
        .order_by(token.created_at.desc(), token.id.desc())
        .limit(limit)
    )
    return [PortalToken(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name


async def standing(
    connection: AsyncConnection,
    *,
    namespace: str,
    id_: str,
    subject: str,
    issued_at: datetime,
) -> Standing:
    """`issued_at` is the earliest that the token may be of; the record knows better, if any."""
    token = portal_token.c
    created_at = (
        select(token.created_at)
        .where(token.namespace == namespace, token.id == id_, token.subject == subject)
        .scalar_subquery()
    )
    revoked = _revoked(
        literal(namespace, TEXT),
        literal(id_, TEXT),
        literal(subject, TEXT),
        func.coalesce(created_at, literal(issued_at, INSTANT)),
    )
    row = (await connection.execute(select(created_at.is_not(None), revoked))).one()
    return Standing(*row)


def _revoked(
    namespace: ColumnElement[str],
    id_: ColumnElement[str],
    subject: ColumnElement[str],
    issued_at: ColumnElement[datetime],
) -> ColumnElement[bool]:
    """An id that was revoked stays so, whenever a token says that it was issued."""
    revocation = portal_revocation.c
    return exists().where(
        revocation.namespace == namespace,
        or_(revocation.token_id == id_, revocation.token_id == ANY),
        or_(revocation.subject == subject, revocation.subject == ANY),
        or_(revocation.token_id != ANY, revocation.revoked_at >= issued_at),
    )


async def revoke(connection: AsyncConnection, namespace: str, id_: str, subject: str) -> None:
    """Every token of that id and subject; ANY stands for whichever."""
    made = upsert(portal_revocation).values(namespace=namespace, token_id=id_, subject=subject)
    await connection.execute(
        made.on_conflict_do_update(
            index_elements=["namespace", "token_id", "subject"],
            set_={"revoked_at": func.clock_timestamp()},
        )
    )


async def purge(connection: AsyncConnection, expired_before: datetime) -> None:
    """Forget up to PURGED_AT_ONCE expired tokens, with the revocations of their ids."""
    token, revocation = portal_token.c, portal_revocation.c
    old = (
        select(token.id)
        .where(token.expires_at < expired_before)
        .order_by(token.expires_at)
        .limit(PURGED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    rows = await connection.execute(
        delete(portal_token).where(token.id.in_(old)).returning(token.namespace, token.id)
    )
    gone = [tuple(row) for row in rows]
    if gone:
        await connection.execute(
            delete(portal_revocation).where(
                tuple_(revocation.namespace, revocation.token_id).in_(gone)
            )
        )
