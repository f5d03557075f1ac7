"""One story told through PyPI togai-client 1.0: event schemas, usage meters and metrics.

Reads {baseUrl, tag} as its argument, prints {step: {value} or {error}} as JSON.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import togai_client as togai  # type: ignore[import-not-found]
import urllib3  # which the client brings along

story = json.loads(sys.argv[1])
tag = story["tag"]
configuration = togai.Configuration(host=f"{story['baseUrl']}/togai")
told: dict[str, Any] = {}


def step(name: str, call: Callable[..., Any], /, *args: Any, **keywords: Any) -> Any:
    try:
        value = call(*args, **keywords)
    except togai.ApiException as error:
        detail = json.loads(error.body)["message"]
        named = {"name": type(error).__name__, "status": error.status, "detail": detail}
        told[name] = {"error": named}
        return None
    plain = value.model_dump(mode="json", by_alias=True, exclude_none=True)
    told[name] = {"value": plain}
    return value


def schemas(api: Any) -> None:
    new = togai.CreateEventSchemaRequest(
        name=tag,
        attributes=[togai.EventAttributeSchema(name="bytes", defaultUnit="B")],
        dimensions=[togai.DimensionsSchema(name="region")],
    )
    step("schema", api.create_event_schema, new)
    step("schema again", api.create_event_schema, new)
    step("schema active", api.activate_event_schema, tag)
    step("schema got", api.get_event_schema, tag)
    step("schema missing", api.get_event_schema, "no-such")
    less = togai.UpdateEventSchemaRequest(attributes=[])
    step("schema less", api.event_schema_event_schema_name_patch, tag, less)
    more = togai.UpdateEventSchemaRequest(
        dimensions=[togai.DimensionsSchema(name="region"), togai.DimensionsSchema(name="model")]
    )
    step("schema more", api.event_schema_event_schema_name_patch, tag, more)
    step("schema versions", api.list_event_schema_versions, tag)
    step("schema first", api.get_event_schema, tag, version=1)
    step("schemas", api.list_event_schemas, status="ACTIVE", page_size=50)


def metrics(meter_id: str) -> None:
    event = {
        "specversion": "1.0", "id": tag, "source": tag, "type": tag, "subject": f"{tag}-acme",
        "time": "2024-06-15T12:00:00Z",
        "data": {"attributes": {"bytes": 1.5}, "dimensions": {"region": "eu"}},
    }  # fmt: skip
    url = f"{story['baseUrl']}/api/v1/events"
    headers = {"content-type": "application/cloudevents+json"}
    sent = urllib3.request("POST", url, body=json.dumps(event), headers=headers)
    told["sent"] = {"value": sent.status}
    api = togai.MetricsApi(client)
    for step_name, name in (("metrics", "METER_USAGE"), ("metrics of money", "REVENUE")):
        query = togai.MetricQuery(
            id="daily",
            name=name,
            aggregationPeriod="DAY",
            groupBy="ACCOUNT_ID",
            filters=[
                togai.MetricQueryFilterEntry(fieldName="USAGE_METER_ID", fieldValues=[meter_id])
            ],
        )
        request = togai.GetMetricsRequest(
            startTime="2024-06-14T00:00:00Z", endTime="2024-06-17T00:00:00Z", metricQueries=[query]
        )
        step(step_name, api.get_metrics, request)


def meters(api: Any, schemas_api: Any) -> None:
    computation = togai.Computation(
        matcher='{"==":[{"var":"dimensions.region"},"eu"]}',
        computation='{"var":"attributes.bytes"}',
        order=1,
    )
    new = togai.CreateUsageMeterRequest(
        name=f"{tag} bytes",
        billableName="Bytes",
        type="COUNTER",
        aggregation="SUM",
        eventSchemaName=tag,
        computations=[computation],
        filters=[togai.UsageMeterFilterEntry(field="region", value="eu")],
    )
    meter = step("create", api.create_usage_meter, new)
    step("create again", api.create_usage_meter, new)
    other = new.model_copy(update={"name": f"{tag} other", "filters": None})
    step("create other", api.create_usage_meter, other)
    step("activate", api.activate_usage_meter, meter.id)
    step("get", api.get_usage_meter, meter.id, include_schema=True)
    step("get missing", api.get_usage_meter, "um.00000000000.00000")
    step("list", api.get_usage_meters_for_event_schema, status="ACTIVE", aggregations="SUM")
    step("list of one", api.get_usage_meters_for_event_schema, page_size=1)
    following = told["list of one"]["value"]["nextToken"]
    step("list on", api.get_usage_meters_for_event_schema, next_token=following, page_size=1)
    metrics(meter.id)
    locked = togai.UpdateUsageMeterRequest(aggregation="COUNT")
    step("update locked", api.update_usage_meter, meter.id, locked)
    renamed = togai.UpdateUsageMeterRequest(billableName="Traffic")
    step("update", api.update_usage_meter, meter.id, renamed)
    step("schema in use", schemas_api.deactivate_event_schema, tag)
    step("deactivate", api.deactivate_usage_meter, meter.id)
    step("schema inactive", schemas_api.deactivate_event_schema, tag)
    step("delete", api.delete_usage_meter, meter.id)
    step("schema deleted", schemas_api.delete_event_schema, tag)


with togai.ApiClient(configuration) as client:
    event_schemas = togai.EventSchemasApi(client)
    schemas(event_schemas)
    meters(togai.UsageMetersApi(client), event_schemas)
json.dump(told, sys.stdout)
