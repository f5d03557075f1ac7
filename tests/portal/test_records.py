"""What is kept of tokens, for how long, and how their age is compared."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.portal import PORTAL_SECRET, claims_of, parts_of, token_of

from monometer.core.portal import TokenRefused
from monometer.services.portal import Portal
from monometer.services.portal_jwt import PortalJwt
from monometer.store.engine import reading
from monometer.store.tables import portal_revocation, portal_token

NOW = datetime.now(UTC)  # noqa: TID251 - near the database's clock


@pytest.fixture
def portal_at(engine: AsyncEngine, namespace: str) -> Callable[[timedelta], Portal]:
    """A portal whose clock is ahead of the database's."""
    counter = iter(range(1_000_000))

    def made(ahead: timedelta = timedelta()) -> Portal:
        return Portal(
            engine=engine,
            jwt=PortalJwt(PORTAL_SECRET),
            now=lambda: datetime.now(UTC) + ahead,  # noqa: TID251
            new_id=lambda: f"{namespace}-{next(counter)}",
            namespace=namespace,
            lifetime=timedelta(hours=1),
            subject_bytes_max=1024,
        )

    return made


async def count(engine: AsyncEngine, table: object, namespace: str) -> int:
    async with reading(engine) as connection:
        column = table.c.namespace  # type: ignore[attr-defined]
        found = await connection.scalar(select(func.count()).where(column == namespace))
    assert isinstance(found, int)
    return found


async def test_text_of_a_token_is_not_kept(
    engine: AsyncEngine, portal_at: Callable[..., Portal], namespace: str
) -> None:
    _, text = await portal_at().issue(namespace, subject="ann")
    async with reading(engine) as connection:
        rows = await connection.execute(
            select(portal_token).where(portal_token.c.namespace == namespace)
        )
        kept = str(rows.all())
    assert "ann" in kept
    assert not [part for part in text.split(".") if part in kept]


async def test_token_opens_until_its_last_second_and_not_then(
    portal_at: Callable[..., Portal], namespace: str
) -> None:
    _, text = await portal_at().issue(namespace, subject="ann")
    end = datetime.fromtimestamp(parts_of(text)[1]["exp"], UTC)
    portal = portal_at()
    object.__setattr__(portal, "now", lambda: end - timedelta(microseconds=1))
    assert (await portal.admit(text, "any"))[1].subject == "ann"
    object.__setattr__(portal, "now", lambda: end)
    with pytest.raises(TokenRefused, match="token expired"):
        await portal.admit(text, "any")


async def test_expired_tokens_are_listed_for_a_day_and_then_purged_by_the_next_one(
    engine: AsyncEngine, portal_at: Callable[..., Portal], namespace: str
) -> None:
    first, _ = await portal_at().issue(namespace, subject="ann")
    await portal_at().invalidate(namespace, first.id, None)
    await portal_at().invalidate(namespace, None, "ann")
    soon = portal_at(timedelta(hours=2))
    assert [one.is_over(soon.now()) for one in await soon.tokens(namespace, 10)] == [True]
    await portal_at(timedelta(hours=24)).issue(namespace, subject="bob")
    assert await count(engine, portal_token, namespace) == 2
    await portal_at(timedelta(hours=26)).issue(namespace, subject="bob")
    assert first.id not in [one.id for one in await soon.tokens(namespace, 10)]
    # What was invalidated by name of the subject holds for tokens that nobody recorded, too.
    assert await count(engine, portal_revocation, namespace) == 1


async def test_each_new_token_purges_more_than_one(
    engine: AsyncEngine, portal_at: Callable[..., Portal], namespace: str
) -> None:
    for _ in range(150):
        await portal_at().issue(namespace, subject="ann")
    late = portal_at(timedelta(days=3))
    await late.issue(namespace, subject="ann")
    await late.issue(namespace, subject="ann")
    assert await count(engine, portal_token, namespace) == 2


@pytest.mark.parametrize(
    ("issued_after_s", "is_good"), [(-10, False), (0, False), (4, False), (7, True), (60, True)]
)
async def test_age_of_what_others_made_is_taken_with_five_seconds_of_doubt(
    portal_at: Callable[..., Portal], namespace: str, issued_after_s: int, is_good: bool
) -> None:
    await portal_at().invalidate(namespace, None, None)
    later = portal_at(timedelta(minutes=2))
    issued_at = int((later.now() - timedelta(minutes=2)).timestamp()) + issued_after_s
    text = token_of(claims_of(iat=issued_at, Namespace=namespace))
    if is_good:
        assert (await later.admit(text, "any"))[0] == namespace
    else:
        with pytest.raises(TokenRefused, match="it was invalidated"):
            await later.admit(text, "any")


async def test_recorded_token_names_its_namespace_and_others_have_the_servers_own(
    portal_at: Callable[..., Portal], namespace: str
) -> None:
    portal, tenant = portal_at(), f"{namespace}-tenant"
    token, text = await portal.issue(tenant, subject="ann")
    assert (await portal.admit(text, "any"))[0] == tenant
    assert await portal.tokens(namespace, 10) == []
    for claims in (
        claims_of("ann", Namespace=tenant),
        claims_of("bob", Namespace=tenant, Id=token.id),
    ):
        with pytest.raises(TokenRefused, match="it is of another namespace"):
            await portal.admit(token_of(claims), "any")
    await portal.invalidate(namespace, None, None)
    await portal.invalidate(namespace, token.id, None)
    assert (await portal.admit(text, "any"))[0] == tenant
    await portal.invalidate(tenant, None, None)
    with pytest.raises(TokenRefused, match="it was invalidated"):
        await portal.admit(text, "any")
