"""The rules of keys where they are made, whoever asks: HTTP and the command line."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from ulid import ULID

from monometer.core.access import KeyScope
from monometer.core.errors import InvalidInput, NotFound
from monometer.services.keys import Keys

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADMIN = (KeyScope.ADMIN,)


@pytest.fixture
def keys(engine: AsyncEngine) -> Keys:
    return Keys(engine, now=lambda: NOW, new_id=lambda: str(ULID()))


@pytest.mark.parametrize("wrong", ["", "a b", "a/b", "a" * 65, "\u00e9", "a\n", "a\0b", "*", "%"])
async def test_namespace_is_a_short_plain_text(keys: Keys, wrong: str) -> None:
    with pytest.raises(InvalidInput, match="invalid namespace"):
        await keys.create_key(wrong, name="n", scopes=ADMIN)


@pytest.mark.parametrize("right", ["a", "a" * 64, "Tenant-7_x.y:z"])
async def test_namespace_needs_no_other_preparation(keys: Keys, right: str) -> None:
    key, _ = await keys.create_key(right, name="n", scopes=ADMIN)
    assert (await keys.key(right, key.id)) == key


@pytest.mark.parametrize("wrong", ["", "n" * 257])
async def test_name_is_bounded(keys: Keys, namespace: str, wrong: str) -> None:
    with pytest.raises(InvalidInput, match="invalid key name"):
        await keys.create_key(namespace, name=wrong, scopes=ADMIN)


async def test_key_without_a_scope_is_none(keys: Keys, namespace: str) -> None:
    with pytest.raises(InvalidInput, match="invalid key scopes"):
        await keys.create_key(namespace, name="n", scopes=())


@pytest.mark.parametrize("ends", [NOW, NOW - timedelta(days=1), datetime(9999, 1, 1, tzinfo=UTC)])
async def test_key_ends_in_the_future_or_never(keys: Keys, namespace: str, ends: datetime) -> None:
    with pytest.raises(InvalidInput, match="invalid key expiry"):
        await keys.create_key(namespace, name="n", scopes=ADMIN, expires_at=ends)


async def test_key_of_another_namespace_is_not_found(keys: Keys, namespace: str) -> None:
    key, _ = await keys.create_key(namespace, name="n", scopes=ADMIN)
    with pytest.raises(NotFound):
        await keys.key("other", key.id)
    with pytest.raises(NotFound):
        await keys.revoke_key("other", key.id)
    assert (await keys.key(namespace, key.id)).revoked_at is None


async def test_who_has_the_database_revokes_in_any_namespace(keys: Keys, namespace: str) -> None:
    key, _ = await keys.create_key(namespace, name="n", scopes=ADMIN)
    assert (await keys.revoke_key(None, key.id.lower())).revoked_at == NOW
