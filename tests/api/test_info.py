"""Lookups beside metering, and the documents that the server tells of itself."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.support.metering import Metering, at, refusal

NOW = datetime.now(UTC)  # noqa: TID251 - the server tells of today
TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


def counts_of_today(api: Metering) -> dict[str, float]:
    """Value of each sample of /debug/metrics by subject, as a reader of OpenMetrics takes it."""
    answer = api.http.get("/api/v1/debug/metrics")
    assert answer.headers["content-type"] == "text/plain"
    assert "# EOF" not in answer.text  # clients know it without the end that a reader wants
    families = list(text_string_to_metric_families(answer.text + "# EOF\n"))  # type: ignore[no-untyped-call]
    assert [(family.name, family.type) for family in families] == [("openmeter_events", "counter")]
    samples = [sample for family in families for sample in family.samples]
    assert {sample.name for sample in samples} <= {"openmeter_events_total"}
    return {sample.labels["subject"]: sample.value for sample in samples}


def test_debug_metrics_count_events_of_today_by_subject(api: Metering) -> None:
    subject = uuid4().hex
    times = [TODAY - timedelta(microseconds=1), TODAY, NOW]
    api.send(api.create(), *(at(time.isoformat(), subject=subject) for time in times))
    api.send(api.create("SUM"), at(NOW.isoformat(), subject=subject, data={"v": "no number"}))
    assert counts_of_today(api)[subject] == 3


def test_debug_metrics_are_openmetrics_text(api: Metering) -> None:
    subject = uuid4().hex
    api.send(api.create(), at(NOW.isoformat(), subject=subject))
    lines = api.http.get("/api/v1/debug/metrics").text.split("\n")
    assert lines[:2] == [
        "# HELP openmeter_events Number of ingested events",
        "# TYPE openmeter_events counter",
    ]
    assert f'openmeter_events_total{{subject="{subject}"}} 1.0' in lines
    assert lines[-1] == ""


@pytest.mark.parametrize("awkward", ['"', "\\", "\n", "\\n", '"} 9', "é😀"])
def test_debug_metrics_escape_any_subject(api: Metering, awkward: str) -> None:
    subject = f"{uuid4().hex}{awkward}"
    api.send(api.create(), at(NOW.isoformat(), subject=subject))
    assert counts_of_today(api)[subject] == 1


@pytest.fixture(scope="module")
def currencies(api: Metering) -> dict[str, dict[str, Any]]:
    answer = api.http.get("/api/v1/info/currencies")
    assert answer.headers["content-type"] == "application/json"
    listed: list[dict[str, Any]] = answer.json()
    assert len({one["code"] for one in listed}) == len(listed)
    return {one["code"]: one for one in listed}


@pytest.mark.parametrize(
    ("code", "subunits"),
    [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("AFN", 2), ("ISK", 0), ("CLF", 4),
     ("HUF", 2), ("UGX", 0), ("IQD", 3)],
)  # fmt: skip
def test_currency_has_the_minor_unit_of_iso_4217(
    currencies: dict[str, dict[str, Any]], code: str, subunits: int
) -> None:
    assert currencies[code]["subunits"] == subunits


def test_currency_has_a_name_and_a_symbol(currencies: dict[str, dict[str, Any]]) -> None:
    assert currencies["USD"] == {"code": "USD", "name": "US Dollar", "symbol": "$", "subunits": 2}
    assert currencies["EUR"]["symbol"] == "€"
    for one in currencies.values():
        assert re.fullmatch("[A-Z]{3}", one["code"])
        assert one["name"]
        assert one["symbol"]


@pytest.mark.parametrize("code", ["DEM", "HRK", "XXX", "XTS", "XAU"])
def test_what_nobody_pays_with_is_not_listed(
    currencies: dict[str, dict[str, Any]], code: str
) -> None:
    assert code not in currencies
    assert len(currencies) > 150


@pytest.mark.parametrize("name", ["abc", "01HM6ZYX00000000000000000A", "a%20b", "%FF"])
def test_no_request_has_a_progress(api: Metering, name: str) -> None:
    status, detail = refusal(api.http.get(f"/api/v1/info/progress/{name}"))
    assert status == 404
    assert str(detail).startswith("not found error: ")


@pytest.fixture(scope="module")
def document(api: Metering) -> dict[str, Any]:
    found: dict[str, Any] = api.http.get("/openapi.json").json()
    return found


def test_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()


def test_document_has_no_loose_reference(document: dict[str, Any]) -> None:
    def references(node: object) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for member in node.values():
                yield from references(member)
        if isinstance(node, list):
            for element in node:
                yield from references(element)

    found = set(references(document))
    assert found
    for reference in found:
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_operation_ids_are_unique(document: dict[str, Any]) -> None:
    ids = [o["operationId"] for path in document["paths"].values() for o in path.values()]
    assert len(ids) == len(set(ids)) > 15


def test_document_is_at_both_addresses(api: Metering, document: dict[str, Any]) -> None:
    answer = api.http.get("/api/swagger.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_pages_show_the_document(api: Metering, path: str) -> None:
    answer = api.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "/openapi.json" in answer.text
