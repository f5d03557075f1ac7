"""Values from inside: what they cost the database, and that cells change nothing about them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event as listening
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.folding import Folds
from ulid import ULID

from monometer.core.aggregation import Aggregation
from monometer.core.errors import InvalidInput
from monometer.core.event import Event
from monometer.core.recurrence import parse_interval
from monometer.services import grants as grants_service
from monometer.services.accesses import Accesses
from monometer.services.balances import Balances
from monometer.services.catalog import Catalog, NewMeter
from monometer.services.customers import CustomerDetails, Customers
from monometer.services.entitlements import Entitlements
from monometer.services.features import Features, NewFeature
from monometer.services.grants import Grants
from monometer.services.new_entitlements import NewEntitlement, NewMetered, NewPeriod
from monometer.services.new_grants import NewGrant
from monometer.store.owners import OfCustomer, OfSubject
from monometer.store.period_usage import PeriodUsage
from monometer.store.postgres_events import PostgresEventStore

NOW = datetime(2024, 6, 15, 12, tzinfo=UTC)
STATEMENTS_OF_ACCESS_MAX = 5


def new_id() -> str:
    return str(ULID())


@dataclass(frozen=True)
class House:
    """The services over one database, at NOON of a day in 2024, and a customer in a namespace."""

    engine: AsyncEngine
    namespace: str
    balances: Balances
    entitlements: Entitlements
    features: Features
    grants: Grants
    catalog: Catalog

    async def entitle(
        self, key: str, *, event_type: str = "call", filters: dict[str, Any] | None = None
    ) -> None:
        meter = NewMeter(
            key=key,
            aggregation=Aggregation.SUM,
            event_type=event_type,
            value_property="$.v",
            group_by={"g": "$.g"},
        )
        await self.catalog.create_meter(self.namespace, meter)
        feature = NewFeature(key=key, name=key, meter_key=key, filters=filters or {})
        await self.features.create(self.namespace, feature)
        period = NewPeriod(interval=parse_interval("P1Y"), anchor=NOW - timedelta(days=60))
        terms = NewMetered(
            usage_period=period,
            measure_from=NOW - timedelta(days=30),
            issue_after_reset=Decimal(1_000_000),
        )
        new = NewEntitlement(feature=key, terms=terms)
        await self.entitlements.create(self.namespace, OfCustomer("acme"), new)


@pytest.fixture
async def house(engine: AsyncEngine, namespace: str) -> House:
    def now() -> datetime:
        return NOW

    given: Any = {"now": now, "new_id": new_id}
    await Customers(engine, **given).create(namespace, CustomerDetails(name="Acme", key="acme"))
    return House(
        engine,
        namespace,
        balances=Balances(engine=engine, now=now, usage=PeriodUsage()),
        entitlements=Entitlements(engine, **given),
        features=Features(engine, **given),
        grants=Grants(engine, **given),
        catalog=Catalog(engine, **given),
    )


def events(namespace: str, count: int) -> Sequence[Event]:
    """Worth 1 each, every half hour back from NOW, of two groups by turns."""
    return [
        Event(
            namespace=namespace, id=f"e{number}", source="s", type="call", subject="acme",
            time=NOW - timedelta(minutes=30 * number, seconds=1),
            data=json.dumps({"v": 1, "g": "ab"[number % 2]}), ingested_at=NOW,
        )
        for number in range(count)
    ]  # fmt: skip


@contextmanager
def statements(engine: AsyncEngine) -> Iterator[list[str]]:
    """What is sent meanwhile, by SQLAlchemy or through its driver, but for BEGIN and the like."""
    sent: list[str] = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    def watch(adapted: Any, *_: object) -> None:
        adapted.driver_connection.add_query_logger(log)

    def log(record: Any) -> None:
        query = record.query.lstrip()
        # A new connection asks once for the database's types, with jit off meanwhile.
        about_types = "typeinfo_tree" in query or "set_config('jit'" in query
        if query.upper().startswith(("SELECT", "WITH")) and not about_types:
            sent.append(query)

    pool = engine.sync_engine
    listening.listen(pool, "before_cursor_execute", note)
    listening.listen(pool, "checkout", watch)
    try:
        yield sent
    finally:
        listening.remove(pool, "before_cursor_execute", note)
        listening.remove(pool, "checkout", watch)


async def fold(house: House) -> None:
    """What its meters and features want, of all that is stored by now."""
    folds = Folds(house.engine)
    page = await house.features.list(house.namespace, offset=0, limit=1000)
    measures = [feature.measure() for feature in page.items]
    await folds.want(house.namespace, *(one for one in measures if one is not None))
    await folds.all()


async def test_value_takes_two_statements_whatever_its_phases_once_usage_is_folded(
    house: House, event_store: PostgresEventStore
) -> None:
    await house.entitle("calls")
    await event_store.append(events(house.namespace, 300))
    for day in range(47):
        grant = NewGrant(
            amount=Decimal(day + 1), effective_at=NOW - timedelta(hours=13 * (day + 1))
        )
        await house.grants.create(house.namespace, OfCustomer("acme"), "calls", grant)
    await fold(house)
    ref = OfCustomer("acme")
    first = await house.balances.value(house.namespace, ref, "calls")
    with statements(house.engine) as sent:
        second = await house.balances.value(house.namespace, ref, "calls")
    assert len(sent) == 2, sent
    assert first == second
    assert first.balance is not None
    assert first.balance.usage == 300
    assert first.balance.total == 1_000_000 + sum(range(1, 48)) - 300


@pytest.mark.parametrize("features", [1, 50])
async def test_access_takes_no_more_statements_for_more_features(
    house: House, event_store: PostgresEventStore, features: int
) -> None:
    for number in range(features):
        filters = {"g": {"$eq": "ab"[number % 2]}} if number % 3 else {}
        await house.entitle(f"f_{number}", filters=filters)
    await event_store.append(events(house.namespace, 10))
    with statements(house.engine) as sent:
        unfolded = await house.balances.access(house.namespace, "acme")
    assert len(sent) <= STATEMENTS_OF_ACCESS_MAX
    assert len(unfolded) == features
    await fold(house)
    with statements(house.engine) as sent:
        folded = await house.balances.access(house.namespace, "acme")
    assert len(sent) <= STATEMENTS_OF_ACCESS_MAX
    assert folded == unfolded
    assert folded["f_0"].balance is not None
    assert folded["f_0"].balance.usage == 10


@pytest.mark.parametrize("features", [1, 50])
async def test_access_of_many_takes_no_more_statements_for_more_features(
    house: House, event_store: PostgresEventStore, features: int
) -> None:
    for number in range(features):
        await house.entitle(f"f_{number}")
    await event_store.append(events(house.namespace, 10))
    await fold(house)
    ask = Accesses(house.balances).page
    await ask(house.namespace, ["acme"], features_=None, after=None, limit=10)
    with statements(house.engine) as sent:
        page = await ask(house.namespace, ["acme"], features_=None, after=None, limit=10)
    assert len(sent) <= STATEMENTS_OF_ACCESS_MAX, sent
    [one] = page.of
    assert [value.balance and value.balance.usage for _, value in one.held] == [10] * features


async def test_event_stored_after_a_fold_counts_before_and_after_the_next_one(
    house: House, event_store: PostgresEventStore
) -> None:
    await house.entitle("calls", filters={"g": {"$eq": "a"}})
    ref, stored = OfCustomer("acme"), events(house.namespace, 40)

    async def usage() -> Decimal:
        value = await house.balances.value(house.namespace, ref, "calls")
        assert value.balance is not None
        return value.balance.usage

    await event_store.append(stored[:20])
    assert await usage() == 10
    await fold(house)
    assert await usage() == 10
    await event_store.append(stored[20:])
    assert await usage() == 20
    await fold(house)
    assert await usage() == 20


async def test_entitlement_has_a_bounded_number_of_grants(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants_service, "GRANTS_MAX", 3)  # one is issued after resets
    await house.entitle("calls")
    grant = NewGrant(amount=Decimal(1), effective_at=NOW)
    ref = OfCustomer("acme")
    for _ in range(2):
        await house.grants.create(house.namespace, ref, "calls", grant)
    with pytest.raises(InvalidInput, match="at most 3 grants"):
        await house.grants.create(house.namespace, ref, "calls", grant)


async def test_values_of_namespaces_are_their_own(
    house: House, event_store: PostgresEventStore
) -> None:
    await house.entitle("calls")
    await event_store.append(events(f"{house.namespace}-other", 5))
    value = await house.balances.value(house.namespace, OfSubject("acme"), "calls")
    assert value.balance is not None
    assert value.balance.usage == 0
