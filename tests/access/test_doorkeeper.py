"""What the doorkeeper remembers, for how long, and what it writes down. On a real database."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.access import keys_of
from ulid import ULID

from monometer.core.access import KEY_PREFIX, ApiKey, KeyScope
from monometer.core.errors import Unauthenticated, Unavailable
from monometer.services import doorkeeper
from monometer.services.doorkeeper import Doorkeeper
from monometer.services.keys import Keys
from monometer.store.engine import create_engine

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADMIN_KEY = "a-key-of-the-settings-0123456789"
LONG_S = 3600


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def keys(engine: AsyncEngine, clock: Callable[[], datetime]) -> Keys:
    return Keys(engine, now=clock, new_id=lambda: str(ULID()))


def keeper(engine: AsyncEngine, clock: Callable[[], datetime], **options: Any) -> Doorkeeper:
    return Doorkeeper(engine, now=clock, namespace="home", **options)


class Statements:
    """Counts what an engine executes."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.texts: list[str] = []
        event.listen(engine.sync_engine, "before_cursor_execute", self._note)

    def _note(self, *arguments: Any) -> None:
        self.texts.append(arguments[2])

    def reading_keys(self) -> int:
        return sum("SELECT api_key" in text for text in self.texts)


async def new(
    engine: AsyncEngine, clock: Clock, namespace: str, expires_at: datetime | None = None
) -> tuple[ApiKey, str]:
    return await keys(engine, clock).create_key(
        namespace, name="n", scopes=[KeyScope.ADMIN], expires_at=expires_at
    )


async def test_key_is_looked_up_once_while_it_is_remembered(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    key, token = await new(engine, clock, namespace)
    door = keeper(engine, clock, remembered_s=LONG_S)
    statements = Statements(engine)
    for _ in range(5):
        assert (await door.key_of(token)).id == key.id
    await door.stop()
    assert statements.reading_keys() == 1


async def test_requests_that_come_together_ask_the_database_once(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    _, token = await new(engine, clock, namespace)
    door = keeper(engine, clock, remembered_s=LONG_S)
    statements = Statements(engine)
    found = await asyncio.gather(*(door.key_of(token) for _ in range(50)))
    await door.stop()
    assert len(found) == 50
    assert statements.reading_keys() == 1


async def test_flood_of_wrong_keys_takes_one_connection(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    key, token = await new(engine, clock, namespace)
    door = keeper(engine, clock)
    statements = Statements(engine)
    wrong = [door.key_of(f"{KEY_PREFIX}{number:032}") for number in range(500)]
    results = await asyncio.gather(*wrong, door.key_of(token), return_exceptions=True)
    await door.stop()
    assert {type(one) for one in results[:-1]} == {Unauthenticated}
    assert results[-1] == key
    assert statements.reading_keys() <= 2


async def test_what_has_not_the_form_of_a_key_is_not_looked_up(
    engine: AsyncEngine, clock: Clock
) -> None:
    door = keeper(engine, clock)
    statements = Statements(engine)
    for token in ("x", KEY_PREFIX, KEY_PREFIX + "x" * 31, KEY_PREFIX + "x" * 33, "\u00e9" * 35):
        with pytest.raises(Unauthenticated):
            await door.key_of(token)
    assert statements.texts == []


async def test_revoked_key_is_refused_as_soon_as_it_is_forgotten(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    key, token = await new(engine, clock, namespace)
    door = keeper(engine, clock, remembered_s=LONG_S)
    await door.key_of(token)
    await keys(engine, clock).revoke_key(namespace, key.id)
    await door.key_of(token)  # another process revoked it, which this one does not know yet
    door.forget()
    with pytest.raises(Unauthenticated):
        await door.key_of(token)
    await door.stop()


async def test_answer_from_before_a_revocation_is_not_remembered(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    _, token = await new(engine, clock, namespace)
    door = keeper(engine, clock, remembered_s=LONG_S)
    asking = asyncio.create_task(door.key_of(token))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    door.forget()
    await asking
    assert door.remembered(token) is None
    await door.key_of(token)
    assert door.remembered(token) is not None
    await door.stop()


async def test_revoked_key_is_refused_after_the_time_it_is_remembered(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    key, token = await new(engine, clock, namespace)
    door = keeper(engine, clock, remembered_s=0.2)
    await door.key_of(token)
    await keys(engine, clock).revoke_key(namespace, key.id)
    await asyncio.sleep(0.25)
    with pytest.raises(Unauthenticated):
        await door.key_of(token)
    await door.stop()


async def test_remembered_key_ends_at_its_expiry(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    _, token = await new(engine, clock, namespace, NOW + timedelta(seconds=1))
    door = keeper(engine, clock, remembered_s=LONG_S)
    await door.key_of(token)
    clock.now = NOW + timedelta(seconds=1)
    with pytest.raises(Unauthenticated):
        await door.key_of(token)
    await door.stop()


async def test_use_is_written_at_most_once_a_minute(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    key, token = await new(engine, clock, namespace)
    noted = []
    for seconds in (0, 30, 60, 61, 100, 122):
        clock.now = NOW + timedelta(seconds=seconds)
        door = keeper(engine, clock)
        await door.key_of(token)
        await door.stop()
        noted.append((await keys(engine, clock).key(namespace, key.id)).last_used_at)
    at = [(one - NOW).seconds for one in noted if one]
    assert at == [0, 0, 0, 61, 61, 122]


async def test_wrong_keys_and_revoked_keys_are_not_used(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    key, token = await new(engine, clock, namespace)
    await keys(engine, clock).revoke_key(namespace, key.id)
    door = keeper(engine, clock)
    with pytest.raises(Unauthenticated):
        await door.key_of(token)
    await door.stop()
    assert (await keys(engine, clock).key(namespace, key.id)).last_used_at is None


async def test_memory_is_bounded(
    engine: AsyncEngine, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doorkeeper, "REMEMBERED_KEYS_MAX", 10)
    door = keeper(engine, clock, remembered_s=LONG_S)
    for number in range(30):
        with pytest.raises(Unauthenticated):
            await door.key_of(f"{KEY_PREFIX}{number:032}")
    assert len(door._known) == 10


async def test_key_of_the_settings_is_admin_of_the_servers_namespace(
    engine: AsyncEngine, clock: Clock
) -> None:
    door = keeper(engine, clock, admin_key=ADMIN_KEY)
    statements = Statements(engine)
    key = await door.key_of(ADMIN_KEY)
    assert key.namespace == "home"
    assert all(key.may(scope) for scope in KeyScope)
    with pytest.raises(Unauthenticated):
        await door.key_of(ADMIN_KEY + "x")
    assert statements.texts == []


async def test_without_its_database_nobody_is_called_unknown(clock: Clock) -> None:
    """A client that is told 401 gives up; one that is told 503 comes back."""
    nowhere = create_engine(
        "postgresql+asyncpg://x@127.0.0.1:1/x", connections_max=1, wait_s=1, statement_timeout_s=1
    )
    door = keeper(nowhere, clock)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await door.key_of(KEY_PREFIX + "x" * 32)
    await nowhere.dispose()


async def test_one_who_stops_waiting_takes_nothing_from_the_others(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    key, token = await new(engine, clock, namespace)
    door = keeper(engine, clock)
    leaving, staying = (asyncio.create_task(door.key_of(token)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).id == key.id
    await door.stop()


async def test_scope_of_a_newer_version_opens_nothing(
    engine: AsyncEngine, clock: Clock, namespace: str
) -> None:
    key, _ = await new(engine, clock, namespace)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(
            'UPDATE api_key SET scopes = \'{"later:read", "events:read"}\' WHERE id = $1', (key.id,)
        )
    found = await keys_of(engine).key(namespace, key.id)
    assert found.scopes == {KeyScope.EVENTS_READ}
