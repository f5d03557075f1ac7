"""The units that are told of events are what their meters count, in SQL and by the fold."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.property.test_json_logic import DATA, RULES, spelled
from tests.property.test_sql_equals_reference import rows_in_sql
from tests.support.events import NOON
from ulid import ULID

from monometer.core import reference
from monometer.core.errors import InvalidInput
from monometer.core.meter import Meter
from monometer.core.numbers import EXACT
from monometer.core.sent_event import SentEvent
from monometer.core.short_ids import short_id
from monometer.core.usage import UsageQuery
from monometer.services.accounts import Accounts, NewAccount
from monometer.services.customers import CustomerDetails, Customers
from monometer.services.event_schemas import EventSchemas
from monometer.services.ingestions import Ingestions, Sent
from monometer.services.usage_meters import UsageMeterPart, UsageMeters
from monometer.store.event_store import EventPage
from monometer.store.ingestions import IngestionFilter
from monometer.store.postgres_events import PostgresEventStore

RULE_TEXTS = RULES.map(spelled).filter(lambda text: len(text) <= 1_500)
NUMBERS = st.sampled_from(['{"var":"attributes.x"}', '{"*":[{"var":"attributes.y"},0.1]}', "2"])
TESTS = st.sampled_from(['{"var":"attributes.x"}', '{"!=":[{"var":"dimensions.d"},"a"]}', "true"])
COMPUTATIONS = st.fixed_dictionaries(
    {"computation": NUMBERS | NUMBERS | RULE_TEXTS, "matcher": st.none() | TESTS | RULE_TEXTS}
)
FILTERS: st.SearchStrategy[list[dict[str, str]]] = st.just([]) | st.lists(
    st.fixed_dictionaries(
        {"field": st.sampled_from("dexy"), "value": st.sampled_from(["a", "1", "1.5", ""])}
    ),
    max_size=1,
)
METERS = st.fixed_dictionaries(
    {"aggregation": st.sampled_from(["SUM", "SUM", "COUNT"]), "filters": FILTERS,
     "computations": COMPUTATIONS.map(lambda one: [one])}
)  # fmt: skip
IDS = st.sampled_from([str(n) for n in range(30)])


def new_id() -> str:
    return str(ULID())


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the services' clock


def sent(name: str, number: int, id_: str, data: dict[str, Any]) -> SentEvent:
    return SentEvent(
        id=id_, schema=name, account=name, time=NOON + timedelta(minutes=number),
        attributes=data["attributes"], dimensions=data["dimensions"], payload={},
    )  # fmt: skip


async def drafts(engine: AsyncEngine, namespace: str, wanted: list[Any]) -> list[Meter]:
    """Of those that are not refused."""
    service, made = UsageMeters(engine=engine, new_id=new_id), []
    for definition in wanted:
        part = UsageMeterPart(defined={**definition, "schema": namespace})
        try:
            meter = await service.create(namespace, uuid4().hex, part)
        except InvalidInput:
            continue
        made.append(meter)
    return made


@given(
    wanted=st.lists(METERS, min_size=1, max_size=3),
    batches=st.lists(
        st.lists(st.tuples(IDS, DATA), min_size=1, max_size=6), min_size=2, max_size=3
    ),
)
async def test_what_is_told_is_what_is_counted(
    event_store: PostgresEventStore, engine: AsyncEngine, wanted: list[Any], batches: list[Any]
) -> None:
    """Meters are activated one after the other, each before another batch."""
    namespace = uuid4().hex
    customers = Customers(engine, now=now, new_id=new_id)
    accounts = Accounts(engine=engine, customers=customers, now=now, new_id=new_id)
    details = CustomerDetails(name=namespace, key=namespace)
    account = NewAccount(key=namespace, name=namespace, details={})
    await accounts.create_customer(namespace, details, account)
    schemas = EventSchemas(engine=engine, now=now)
    await schemas.create(namespace, namespace, {"attributes": [], "dimensions": []})
    await schemas.activate(namespace, namespace)
    meters = await drafts(engine, namespace, wanted)
    service = UsageMeters(engine=engine, new_id=new_id)
    ingestions = Ingestions(engine=engine, new_id=new_id)
    for number, batch in enumerate(batches):
        if number < len(meters):
            id_ = short_id(meters[number].id)
            meters[number] = await service.activate(namespace, id_)
        await ingestions.append(
            [Sent(namespace, sent(namespace, number, id_, data)) for id_, data in batch]
        )

    told = await ingestions.page(namespace, IngestionFilter(), before=None, limit=100)
    assert len(told) == sum(map(len, batches))
    units = {meter.id: Decimal(0) for meter in meters}
    for one in told:
        for each in one.units:
            units[each.meter_id] = EXACT.add(units[each.meter_id], each.units or Decimal(0))
    events = await event_store.list_events(EventPage(namespace=namespace, limit=100))
    assert {one.event.id for one in events} == {
        one.event_id for one in told if one.status.is_completed
    }
    for meter in meters:
        query = UsageQuery(namespace=namespace, measure=meter.measure())
        rows = await rows_in_sql(event_store, query)
        assert rows == reference.run(query, events)
        assert (rows[0].value if rows else 0) == units[meter.id]
