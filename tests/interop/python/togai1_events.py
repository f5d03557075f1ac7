"""One story told through PyPI togai-client 1.0: customers, accounts, events, and what came of them.

Reads {baseUrl, tag} as its argument, prints {step: {value} or {error}} as JSON.
"""

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import togai_client as togai  # type: ignore[import-not-found]
import urllib3  # which the client brings along

story = json.loads(sys.argv[1])
tag, base_url = story["tag"], story["baseUrl"]
configuration = togai.Configuration(host=f"{base_url}/togai")
told: dict[str, Any] = {}


def step(name: str, call: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
    try:
        value = call(*args, **keywords)
    except togai.ApiException as error:
        detail = json.loads(error.body)["message"]
        named = {"name": type(error).__name__, "status": error.status, "detail": detail}
        told[name] = {"error": named}
        return None
    told[name] = {"value": value.model_dump(mode="json", by_alias=True, exclude_none=True)}
    return value


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the server's clock cannot be set


def native(path: str, body: Any) -> None:
    answer = urllib3.request("POST", f"{base_url}/api/v1{path}", json=body)
    assert answer.status < 300, answer.data


def customers(api: Any) -> None:
    address = togai.Address(line1="1 Market Street", city="Berlin", country="DE")
    email = f"{tag}@acme.test"
    new = togai.CreateCustomerRequest(id=tag, name="Acme", primaryEmail=email, address=address)
    step("customer", api.create_customer, new)
    step("customer again", api.create_customer, new)
    change = togai.UpdateCustomerRequest(name="Acme AG")
    step("customer changed", api.update_customer, tag, change)
    step("customer got", api.get_customer, tag)
    step("customers", api.get_customers, page_size=1)
    step("customer missing", api.get_customer, "no-such")
    account = togai.CreateAccountRequestWithoutCustomerId(id=f"{tag}-own", name="Own")
    both = new.model_copy(update={"id": f"{tag}-2", "account": account})
    step("customer with account", api.create_customer, both)
    step("customer deleted", api.delete_customer, f"{tag}-2")


def accounts(api: Any) -> None:
    new = togai.CreateAccountRequest(
        id=f"{tag}-eu",
        name="Acme Europe",
        customerId=tag,
        invoiceCurrency="EUR",
        aliases=[f"{tag}-alias"],
        metadata={"plan": "gold"},
        tags=["eu"],
    )
    step("account", api.create_account, new)
    step("account again", api.create_account, new)
    step("account changed", api.update_account, new.id, togai.UpdateAccountRequest(netTermDays=30))
    more = togai.AddAccountAliasesRequest(aliases=[f"{tag}-more"])
    step("alias added", api.add_aliases, new.id, more)
    step("aliases", api.list_account_aliases, new.id)
    gone = togai.RemoveAccountAliasesRequest(aliases=[f"{tag}-more"])
    step("alias removed", api.remove_aliases, new.id, gone)
    step("account got", api.get_account, new.id)
    step("accounts", api.get_accounts, page_size=1)
    other = new.model_copy(update={"id": f"{tag}-us", "aliases": None})
    step("account other", api.create_account, other)
    step("account deleted", api.delete_account, other.id)
    step("account missing", api.get_account, other.id)


def event(id_: str | None, account: str, size: str, **dimensions: str) -> Any:
    return togai.Event(
        schemaName=tag,
        id=None if id_ is None else f"{tag}-{id_}",
        timestamp=now(),
        accountId=account,
        attributes=[togai.Attribute(name="bytes", value=size, unit="B")],
        dimensions=dimensions,
    )


def meter(client: Any) -> Any:
    schema = togai.CreateEventSchemaRequest(
        name=tag,
        attributes=[togai.EventAttributeSchema(name="bytes")],
        dimensions=[togai.DimensionsSchema(name="region")],
        enrichments=togai.Enrichments(
            fields=[
                togai.ModelField(
                    name="kilobytes",
                    type="ATTRIBUTE",
                    enrichmentType="JSON_LOGIC",
                    value='{"/":[{"var":["attribute.bytes"]},1000]}',
                    order=1,
                )
            ]
        ),
    )
    schemas, meters = togai.EventSchemasApi(client), togai.UsageMetersApi(client)
    step("schema", schemas.create_event_schema, schema)
    step("schema active", schemas.activate_event_schema, tag)
    new = togai.CreateUsageMeterRequest(
        name=f"{tag} kilobytes",
        type="COUNTER",
        aggregation="SUM",
        eventSchemaName=tag,
        computations=[togai.Computation(computation='{"var":"attributes.kilobytes"}', order=1)],
        filters=[togai.UsageMeterFilterEntry(field="region", value="eu")],
    )
    made = step("meter", meters.create_usage_meter, new)
    step("meter active", meters.activate_usage_meter, made.id)
    return made


def ingested(client: Any) -> None:
    api, management = togai.EventIngestionApi(client), togai.EventManagementApi(client)
    one = event("one", f"{tag}-alias", "1500", region="eu")
    step("ingest", api.ingest, togai.IngestEventRequest(event=one))
    batch = [
        event("two", f"{tag}-eu", "0.25", region="eu"),
        event("three", f"{tag}-eu", "7", region="us"),
        event("four", "nobody", "7"),
        event(None, f"{tag}-eu", "7"),
        one,
    ]
    step("ingest batch", api.ingest_batch, togai.IngestBatchEventRequest(events=batch))
    step("events", management.get_events, schema_name=tag, page_size=4)
    following = told["events"]["value"]["nextToken"]
    step("events on", management.get_events, schema_name=tag, page_size=4, next_token=following)
    failed = "INGESTION_FAILED_ACCOUNT_NOT_FOUND"
    step("events failed", management.get_events, schema_name=tag, status=failed)
    step("events of account", management.get_events, account_id=f"{tag}-eu", schema_name=tag)
    step("event", management.get_single_event, one.id)
    step("event missing", management.get_single_event, "no-such")
    long = event("x" * 490, f"{tag}-eu", "9" * 512)
    step("ingest long", api.ingest, togai.IngestEventRequest(event=long))


def entitled(client: Any) -> None:
    slug = f"{tag}_small"
    native("/meters", {
        "slug": slug, "eventType": tag, "aggregation": "SUM", "valueProperty": "$.attributes.bytes",
        "groupBy": {"region": "$.dimensions.region"},
    })  # fmt: skip
    few = {"region": {"$eq": "few"}}
    feature = {"key": slug, "name": slug, "meterSlug": slug, "advancedMeterGroupByFilters": few}
    native("/features", feature)
    native(f"/subjects/{tag}-eu/entitlements", {
        "type": "metered", "featureKey": slug, "usagePeriod": {"interval": "MONTH"},
        "issueAfterReset": 10,
    })  # fmt: skip
    api = togai.EntitlementsApi(client)
    for name, size in (("entitled", "10"), ("too much", "1")):
        sent = event(name, f"{tag}-eu", size, region="few")
        step(name, api.ingest_entitled_event, togai.IngestEventRequest(event=sent))


def metrics(client: Any, meter_id: str) -> None:
    of_meter = togai.MetricQueryFilterEntry(fieldName="USAGE_METER_ID", fieldValues=[meter_id])
    of_schema = togai.MetricQueryFilterEntry(fieldName="SCHEMA_NAME", fieldValues=[tag])
    queries = [
        togai.MetricQuery(id="units", name="METER_USAGE", aggregationPeriod="DAY",
                          groupBy="CUSTOMER_ID", filters=[of_meter]),
        togai.MetricQuery(id="events", name="EVENTS", aggregationPeriod="DAY",
                          groupBy="EVENT_STATUS", filters=[of_schema]),
    ]  # fmt: skip
    day = {"startTime": now() - timedelta(hours=1), "endTime": now() + timedelta(hours=1)}
    request = togai.GetMetricsRequest(**day, metricQueries=queries)
    step("metrics", togai.MetricsApi(client).get_metrics, request)


with togai.ApiClient(configuration) as client:
    customers(togai.CustomersApi(client))
    accounts(togai.AccountsApi(client))
    made = meter(client)
    ingested(client)
    entitled(client)
    metrics(client, made.id)
json.dump(told, sys.stdout)
