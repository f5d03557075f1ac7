"""A client generated from the server's own document sends events and gets exact answers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from uuid import uuid4

import httpx
import pytest

GENERATION_TIMEOUT_S: Final = 120
PACKAGE: Final = "generated_monometer"


def document_for_the_generator(base_url: str) -> dict[str, Any]:
    """The server's document with one body type of ingest, and without nested parameters.

    Where an operation takes several bodies and one is an array, openapi-python-client 0.29 writes
    `isinstance(body, list[Event])`, which no Python accepts. `application/json` alone takes one
    event as well as an array. Members of a deepObject it sends without their brackets.
    """
    document: dict[str, Any] = httpx.get(f"{base_url}/openapi.json").raise_for_status().json()
    for path in ("/api/v1/events", "/api/v3/openmeter/events"):
        bodies = document["paths"][path]["post"]["requestBody"]["content"]
        for media_type in bodies.keys() - {"application/json"}:
            del bodies[media_type]
    for operation in (one for item in document["paths"].values() for one in item.values()):
        if "parameters" in operation:
            operation["parameters"] = [
                flat
                for parameter in operation["parameters"]
                for flat in without_brackets(parameter, document)
            ]
    return document


def without_brackets(parameter: dict[str, Any], document: dict[str, Any]) -> list[dict[str, Any]]:
    """A parameter for each member of an object that the document knows by name."""
    name = parameter["schema"].get("$ref", "").rpartition("/")[2]
    if parameter.get("style") != "deepObject" or not name:
        return [parameter]
    members = document["components"]["schemas"][name]["properties"]
    text = {"in": "query", "required": False, "schema": {"type": "string"}}
    return [{**text, "name": f"{parameter['name']}[{member}]"} for member in members]


class Sdk:
    """The generated package: its operations and models by name, and a client of it."""

    def __init__(self, base_url: str) -> None:
        self.models = import_module(f"{PACKAGE}.models")
        self.types = import_module(f"{PACKAGE}.types")
        self.client = import_module(f"{PACKAGE}.client").Client(
            base_url=base_url, raise_on_unexpected_status=True
        )

    def operation(self, path: str) -> ModuleType:
        return import_module(f"{PACKAGE}.api.{path}")

    def call(self, path: str, *args: Any, **keywords: Any) -> Any:
        """The reply of an operation: `status_code` and `parsed`."""
        return self.operation(path).sync_detailed(*args, client=self.client, **keywords)


@pytest.fixture(scope="module")
def sdk(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sdk]:
    """The generated package, imported; a warning of the generator is a failure."""
    folder = tmp_path_factory.mktemp("generated")
    document, config = folder / "openapi.json", folder / "config.json"
    document.write_text(json.dumps(document_for_the_generator(base_url)))
    config.write_text(json.dumps({"post_hooks": []}))  # formatting is not what is tested
    ended = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate",
            "--path", str(document), "--config", str(config), "--meta", "none",
            "--output-path", str(folder / PACKAGE), "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=GENERATION_TIMEOUT_S,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        sdk = Sdk(base_url)
        with sdk.client:
            yield sdk


@pytest.fixture(scope="module")
def slug(sdk: Sdk) -> str:
    """A SUM meter with three events: 1.5 and "2.25" of acme, 4 of globex."""
    slug = f"g{uuid4().hex[:12]}"
    meter = sdk.models.MeterCreate.from_dict(
        {
            "slug": slug,
            "aggregation": "SUM",
            "eventType": slug,
            "valueProperty": "$.tokens",
            "groupBy": {"model": "$.model"},
        }
    )
    created = sdk.call("meters.create_meter", body=meter)
    assert (created.status_code, created.parsed.slug) == (201, slug)
    first, *others = [
        sdk.models.Event.from_dict(
            {
                "specversion": "1.0",
                "id": str(day),
                "source": slug,
                "type": slug,
                "subject": subject,
                "time": f"2024-01-0{day}T12:00:00Z",
                "data": {"tokens": tokens, "model": model},
            }
        )
        for day, subject, tokens, model in (
            (1, "acme", 1.5, "small"),
            (2, "acme", "2.25", "large"),
            (3, "globex", 4, "large"),
        )
    ]
    assert sdk.call("events.ingest_events", body=first).status_code == 204
    assert sdk.call("events.ingest_events", body=others).status_code == 204
    return slug


def noon(day: int) -> datetime:
    return datetime(2024, 1, day, 12, tzinfo=UTC)


def test_every_operation_and_model_of_the_generated_package_can_be_imported(sdk: Sdk) -> None:
    folder = Path(str(sdk.types.__file__)).parent / "api"
    operations = [path for path in folder.glob("*/*.py") if path.name != "__init__.py"]
    assert len(operations) >= 15
    for path in operations:
        sdk.operation(f"{path.parent.name}.{path.stem}")


def test_generated_query_gives_the_exact_total(sdk: Sdk, slug: str) -> None:
    [row] = sdk.call("meters.query_meter", slug).parsed.data
    assert row.value == 7.75
    assert row.window_start == noon(1)
    assert row.window_end == noon(3).replace(minute=1)
    assert row.subject is None


def test_generated_query_takes_bounds_windows_subjects_and_groups(sdk: Sdk, slug: str) -> None:
    operation = sdk.operation("meters.query_meter")
    size = vars(operation)["WindowSize"]
    reply = sdk.call(
        "meters.query_meter",
        slug,
        from_=noon(1),
        to=noon(3),
        window_size=size.DAY,
        window_time_zone="Europe/Berlin",
        subject=["acme", "globex"],
        group_by=["model"],
    )
    assert [
        (row.subject, row.group_by["model"], row.value, row.window_start.astimezone(UTC))
        for row in reply.parsed.data
    ] == [
        ("acme", "small", 1.5, datetime(2023, 12, 31, 23, tzinfo=UTC)),
        ("acme", "large", 2.25, datetime(2024, 1, 1, 23, tzinfo=UTC)),
    ]


def test_generated_body_query_filters_by_group(sdk: Sdk, slug: str) -> None:
    body = sdk.models.MeterQueryRequest.from_dict({"filterGroupBy": {"model": ["large"]}})
    [row] = sdk.call("meters.query_meter_post", slug, body=body).parsed.data
    assert row.value == 6.25


def test_generated_listing_reads_events_back(sdk: Sdk, slug: str) -> None:
    listed = sdk.call("events.list_events", from_=noon(1), to=noon(3), subject="acme", limit=100)
    ours = [item.event for item in listed.parsed if item.event.source == slug]
    assert [(event.id, event.time) for event in ours] == [("2", noon(2)), ("1", noon(1))]
    assert ours[0].data.to_dict() == {"tokens": "2.25", "model": "large"}
    mine = json.dumps({"source": {"$eq": slug}})
    page = sdk.call("events.list_events_v2", filter_=mine, limit=2).parsed
    assert [item.event.id for item in page.items] == ["3", "2"]
    rest = sdk.call("events.list_events_v2", filter_=mine, limit=2, cursor=page.next_cursor)
    assert [item.event.id for item in rest.parsed.items] == ["1"]


def test_generated_meter_operations_read_change_and_delete(sdk: Sdk) -> None:
    slug = f"g{uuid4().hex[:12]}"
    new = {"slug": slug, "aggregation": "COUNT", "eventType": slug}
    body = sdk.models.MeterCreate.from_dict(new)
    meter = sdk.call("meters.create_meter", body=body).parsed
    assert sdk.call("meters.get_meter", slug).parsed == meter
    assert meter in sdk.call("meters.list_meters").parsed
    update = sdk.models.MeterUpdate.from_dict({"name": "Calls", "groupBy": {"route": "$.route"}})
    changed = sdk.call("meters.update_meter", meter.id, body=update).parsed
    assert (changed.name, changed.group_by.to_dict()) == ("Calls", {"route": "$.route"})
    assert sdk.call("meters.list_meter_subjects", slug).parsed == []
    assert sdk.call("meters.list_meter_group_by_values", slug, "route").parsed == []
    assert sdk.call("meters.delete_meter", slug).status_code == 204


def test_generated_client_reads_a_failure_as_the_problem_model(sdk: Sdk, slug: str) -> None:
    missing = sdk.call("meters.get_meter", f"{slug}_missing")
    assert missing.status_code == 404
    assert isinstance(missing.parsed, sdk.models.Problem)
    assert missing.parsed.detail == f"not found error: meter not found: {slug}_missing"
    wrong = sdk.call("meters.query_meter", slug, group_by=["nope"])
    assert wrong.parsed.status == 400
    assert "invalid group by: nope" in wrong.parsed.detail


def test_generated_v3_operations_measure_and_list(sdk: Sdk) -> None:
    key = f"g{uuid4().hex[:12]}"
    definition = {
        "key": key,
        "name": "Tokens",
        "aggregation": "sum",
        "event_type": key,
        "value_property": "$.tokens",
        "dimensions": {"model": "$.model"},
        "labels": {"team": "search"},
    }
    body = sdk.models.CreateMeterRequest.from_dict(definition)
    created = sdk.call("meters_v3.create_meter", body=body)
    meter = created.parsed
    assert (created.status_code, meter.to_dict().items() >= definition.items()) == (201, True)
    events = [
        sdk.models.Event.from_dict(
            {
                "specversion": "1.0", "id": str(day), "source": key, "type": key,
                "subject": "acme", "time": f"2024-01-0{day}T12:00:00Z",
                "data": {"tokens": "0.1", "model": "small" if day < 3 else "large"},
            }
        )
        for day in (1, 2, 3)
    ]  # fmt: skip
    assert sdk.call("events_v3.ingest_metering_events", body=events).status_code == 202

    question = sdk.models.MeterQueryRequestV3.from_dict(
        {
            "from": "2024-01-01T00:00:00Z",
            "granularity": "P1M",
            "group_by_dimensions": ["model"],
            "filters": {"dimensions": {"subject": {"eq": "acme"}, "model": {"neq": "tiny"}}},
        }
    )
    rows = sdk.call("meters_v3.query_meter", meter.id, body=question).parsed.data
    assert [(row.value, row.dimensions.to_dict()) for row in rows] == [
        ("0.1", {"subject": "acme", "model": "large"}),
        ("0.2", {"subject": "acme", "model": "small"}),
    ]

    page = sdk.call("events_v3.list_metering_events", filtersource=key, pagesize="2").parsed
    assert [item.event.id for item in page.data] == ["3", "2"]
    rest = sdk.call(
        "events_v3.list_metering_events", filtersource=key, pageafter=page.meta.page.next_
    ).parsed
    assert [item.event.id for item in rest.data] == ["1"]
    assert rest.meta.page.next_ is None

    update = sdk.models.UpdateMeterRequest.from_dict({"name": "Other"})
    assert sdk.call("meters_v3.update_meter", meter.id, body=update).parsed.name == "Other"
    listed = sdk.call("meters_v3.list_meters", filterkey=key, sort="name desc").parsed
    assert [one.id for one in listed.data] == [meter.id]
    assert listed.meta.page.total == 1
    assert sdk.call("meters_v3.get_meter", meter.id).parsed.labels is sdk.types.UNSET
    assert sdk.call("meters_v3.delete_meter", meter.id).status_code == 204


def test_generated_v3_operations_keep_customers(sdk: Sdk) -> None:
    key = uuid4().hex
    definition = {"key": key, "name": "ACME", "usage_attribution": {"subject_keys": [f"{key}-1"]}}
    body = sdk.models.CreateCustomerRequest.from_dict(definition)
    customer = sdk.call("customers_v3.create_customer", body=body).parsed
    assert customer.to_dict().items() >= definition.items()
    assert sdk.call("customers_v3.get_customer", customer.id).parsed == customer
    listed = sdk.call("customers_v3.list_customers", filterkey=key).parsed
    assert listed.data == [customer]
    change = sdk.models.UpsertCustomerRequest.from_dict({"name": "Other", "currency": "EUR"})
    changed = sdk.call("customers_v3.upsert_customer", customer.id, body=change).parsed
    assert (changed.name, changed.currency, changed.key) == ("Other", "EUR", key)
    assert sdk.call("customers_v3.delete_customer", customer.id).status_code == 204


def test_generated_client_reads_failures_of_v3_as_their_models(sdk: Sdk) -> None:
    missing = sdk.call("meters_v3.get_meter", "01HM6ZYX0000000000000000AB").parsed
    assert isinstance(missing, sdk.models.BaseError)
    assert missing.type_ == "https://kongapi.info/konnect/not-found"
    wrong = sdk.call("meters_v3.list_meters", pagesize="0").parsed
    assert isinstance(wrong, sdk.models.BadRequestError)
    [parameter] = wrong.invalid_parameters
    assert (parameter.field, parameter.rule, parameter.minimum) == ("page[size]", "min", 1)
