"""What a meter query refuses: with which words, and which reason first when there are several."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from tests.support.metering import Meter, Metering, Params, refusal, rows_of

NOBODY = "01HM6ZYX00000000000000000A"
EARLY, LATE = "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z"
TOGETHER = (
    "validation error: advanced meter group by filters and filter group by cannot be used together"
)


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def meter(api: Metering) -> Meter:
    return api.create("SUM", groupBy={"a": "$.a", "b": "$.b"})


def params_of(body: dict[str, Any]) -> Params:
    """The same question as parameters of a GET."""
    params: dict[str, Any] = {k: v for k, v in body.items() if k != "filterGroupBy"}
    for key, (value,) in body.get("filterGroupBy", {}).items():
        params[f"filterGroupBy[{key}]"] = value
    if "advancedMeterGroupByFilters" in body:
        params["advancedMeterGroupByFilters"] = json.dumps(body["advancedMeterGroupByFilters"])
    return params


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown group": ({"groupBy": ["a", "x"]}, 400, "validation error: invalid group by: x"),
    "empty group": ({"groupBy": [""]}, 400, "validation error: invalid group by: "),
    "unknown customer": (
        {"filterCustomerId": [NOBODY]},
        404,
        f"not found error: customer with id {NOBODY} not found",
    ),
    "unknown zone": (
        {"windowTimeZone": "Mars/Olympus"},
        400,
        "validation error: invalid time zone: unknown time zone Mars/Olympus",
    ),
    "both kinds of filter": (
        {"filterGroupBy": {"a": ["1"]}, "advancedMeterGroupByFilters": {"a": {"$eq": "1"}}},
        400,
        TOGETHER,
    ),
    "unknown filter": (
        {"filterGroupBy": {"x": ["1"]}},
        400,
        "validation error: invalid group by filter: x",
    ),
    "no period": (
        {"from": EARLY, "to": EARLY},
        400,
        "validation error: from and to cannot be equal",
    ),
    "reversed period": (
        {"from": LATE, "to": EARLY},
        400,
        "validation error: from must be before to",
    ),
    "customers not filtered": (
        {"groupBy": ["customer_id"]},
        400,
        "validation error: customer filter is required with customer_id group by",
    ),
    "empty filter value": (
        {"filterGroupBy": {"a": [""]}},
        400,
        "validation error: filter is invalid: format mismatch",
    ),
    "empty operand": (
        {"advancedMeterGroupByFilters": {"a": {"$eq": ""}}},
        400,
        "validation error: filter is invalid: format mismatch",
    ),
    "two operators": (
        {"advancedMeterGroupByFilters": {"a": {"$eq": "1", "$ne": "2"}}},
        400,
        "validation error: filter is invalid: multiple operators are set",
    ),
    "unknown advanced filter": (
        {"advancedMeterGroupByFilters": {"x": {"$eq": "1"}}},
        400,
        "validation error: meter does not have group by: x",
    ),
    "empty subject": ({"subject": ["a", ""]}, 400, "validation error: subject cannot be empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_query_is_refused_with_the_reason_by_get_and_by_post(
    api: Metering, meter: Meter, case: str
) -> None:
    body, status, detail = REFUSED[case]
    assert refusal(api.query(meter, params_of(body))) == (status, detail)
    assert refusal(api.query_by_body(meter, body)) == (status, detail)


# Each mistake, and the reason it is refused with while all those below it are there as well.
MISTAKES: dict[str, tuple[Any, str]] = {
    "groupBy": (["x"], "invalid group by: x"),
    "filterCustomerId": ([NOBODY], f"customer with id {NOBODY} not found"),
    "windowTimeZone": ("Mars/Olympus", "invalid time zone: unknown time zone Mars/Olympus"),
    "advancedMeterGroupByFilters": ({"x": {"$eq": ""}}, "cannot be used together"),
    "filterGroupBy": ({"x": [""]}, "invalid group by filter: x"),
    "from": (LATE, "from must be before to"),
}


def test_reasons_come_in_the_order_that_clients_know(api: Metering, meter: Meter) -> None:
    body = {"to": EARLY, **{member: wrong for member, (wrong, _) in MISTAKES.items()}}
    for member, (_, reason) in MISTAKES.items():
        assert reason in str(refusal(api.query_by_body(meter, body))[1])
        del body[member]
    assert api.query_by_body(meter, body).status_code == HTTPStatus.OK


def test_advanced_filter_of_no_group_is_the_last_reason(api: Metering, meter: Meter) -> None:
    body = {"from": LATE, "to": EARLY, "advancedMeterGroupByFilters": {"x": {"$eq": "1"}}}
    detail = "validation error: from must be before to"
    assert refusal(api.query_by_body(meter, body)) == (400, detail)


def test_unknown_meter_comes_before_any_of_them(api: Metering) -> None:
    answer = api.query({"slug": "nobody"}, {"groupBy": "x", "windowTimeZone": "Mars/Olympus"})
    assert refusal(answer) == (404, "not found error: meter not found: nobody")


def test_form_of_the_parameters_comes_before_the_meter(api: Metering) -> None:
    status, detail = refusal(api.query({"slug": "nobody"}, {"windowSize": "WEEK"}))
    assert status == HTTPStatus.BAD_REQUEST
    assert str(detail).startswith('parameter "windowSize" in query has an error: ')


def test_what_parameters_say_together_is_told_on_a_line_each(api: Metering, meter: Meter) -> None:
    body = {
        "from": LATE,
        "to": EARLY,
        "groupBy": ["customer_id"],
        "advancedMeterGroupByFilters": {"a": {"$eq": ""}, "b": {"$gt": "1", "$lt": "2"}},
    }
    status, detail = refusal(api.query_by_body(meter, body))
    assert status == HTTPStatus.BAD_REQUEST
    assert str(detail).split("\n") == [
        "validation error: from must be before to",
        "customer filter is required with customer_id group by",
        "filter is invalid: format mismatch",
        "filter is invalid: multiple operators are set",
    ]


@pytest.mark.parametrize("size", ["SECOND", "WEEK", "YEAR", "day", "Day", "", "1"])
def test_other_windows_are_refused(api: Metering, meter: Meter, size: str) -> None:
    status, detail = refusal(api.query(meter, {"windowSize": size}))
    assert status == HTTPStatus.BAD_REQUEST
    assert str(detail).startswith('parameter "windowSize" in query has an error: ')
    status, detail = refusal(api.query_by_body(meter, {"windowSize": size}))
    assert status == HTTPStatus.BAD_REQUEST
    assert str(detail).startswith('request body has an error: Error at "/windowSize": ')


@pytest.mark.parametrize("zone", ["", "utc", "Local", "localtime", "../UTC", "+01:00", "a\nb"])
def test_zone_is_an_iana_name(api: Metering, meter: Meter, zone: str) -> None:
    detail = f"validation error: invalid time zone: unknown time zone {zone}"
    assert refusal(api.query(meter, {"windowTimeZone": zone})) == (400, detail)


WRONG_INSTANTS = (
    "", "2024-01-01", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T00:00:00 01:00",
    "1704067200", "2024-13-01T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:00+24:00",
    "2024-01-01T00:00:00+01:60", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00",
    "9999-12-31T23:59:59-01:00", "٢٠٢٤-01-01T00:00:00Z", "2024-01-01T00:00:00Z\n",
)  # fmt: skip


@pytest.mark.parametrize("text", WRONG_INSTANTS)
def test_bounds_are_rfc_3339_instants(api: Metering, meter: Meter, text: str) -> None:
    for name in ("from", "to"):
        status, detail = refusal(api.query(meter, {name: text}))
        assert status == HTTPStatus.BAD_REQUEST
        assert str(detail).startswith(f'parameter "{name}" in query has an error: ')
        status, detail = refusal(api.query_by_body(meter, {name: text}))
        assert str(detail).startswith(f'request body has an error: Error at "/{name}": ')


@pytest.mark.parametrize("client_id", ["", "x" * 37])
def test_client_id_is_short(api: Metering, meter: Meter, client_id: str) -> None:
    assert refusal(api.query(meter, {"clientId": client_id}))[0] == HTTPStatus.BAD_REQUEST
    assert refusal(api.query_by_body(meter, {"clientId": client_id}))[0] == HTTPStatus.BAD_REQUEST
    assert api.rows(meter, {"clientId": client_id[:36] or "x"}) == []


@pytest.mark.parametrize("name", ["subject", "groupBy", "filterCustomerId"])
def test_lists_of_a_body_have_at_most_a_hundred_items(
    api: Metering, meter: Meter, name: str
) -> None:
    _, detail = refusal(api.query_by_body(meter, {name: [NOBODY] * 101}))
    assert str(detail).startswith(f'request body has an error: Error at "/{name}": List should')


def test_customers_of_a_url_are_at_most_a_hundred(api: Metering, meter: Meter) -> None:
    _, detail = refusal(api.query(meter, {"filterCustomerId": [NOBODY] * 101}))
    assert str(detail).startswith('parameter "filterCustomerId" in query has an error: ')


WRONG_BODIES: dict[str, Any] = {
    "subject": "ann", "groupBy": {"a": 1}, "filterGroupBy": {"a": "x"}, "windowTimeZone": 5,
    "from": 1704067200, "advancedMeterGroupByFilters": {"a": "x"}, "filterCustomerId": "x",
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_BODIES)
def test_member_of_the_wrong_type_is_named(api: Metering, meter: Meter, name: str) -> None:
    status, detail = refusal(api.query_by_body(meter, {name: WRONG_BODIES[name]}))
    assert status == HTTPStatus.BAD_REQUEST
    assert str(detail).startswith(f'request body has an error: Error at "/{name}')


UNSTORABLE_PLACES: dict[str, Any] = {
    "subject": ["{}"], "groupBy": ["{}"], "windowTimeZone": "{}", "filterCustomerId": ["{}"],
    "filterGroupBy": {"a": ["{}"]}, "advancedMeterGroupByFilters": {"a": {"$like": "{}"}},
}  # fmt: skip


@pytest.mark.parametrize("name", UNSTORABLE_PLACES)
@pytest.mark.parametrize("text", ["\0", "\ud800"])
def test_text_that_no_event_can_hold_is_refused_in_a_body(
    api: Metering, meter: Meter, name: str, text: str
) -> None:
    place = json.dumps(UNSTORABLE_PLACES[name]).replace("{}", json.dumps(text)[1:-1])
    status, detail = refusal(api.query_by_body(meter, {name: json.loads(place)}))
    assert status == HTTPStatus.BAD_REQUEST
    assert "must not contain a" in str(detail)


@pytest.mark.parametrize(
    "query", ["subject=%ED%A0%80", "subject=%FF", "filterGroupBy[a]=%ED%A0%80", "other=%FF&x"]
)
def test_bytes_of_a_url_that_are_no_text_match_nothing(
    api: Metering, meter: Meter, query: str
) -> None:
    answer = api.http.get(f"/api/v1/meters/{meter['slug']}/query?{query}")
    assert answer.json() == {"data": []}


def test_unknown_members_and_parameters_are_ignored(api: Metering, meter: Meter) -> None:
    assert api.query(meter, {"other": "x", "windowsize": "DAY"}).json() == {"data": []}
    body = {"other": 1, "from_": EARLY, "id": [], "slug": None}
    assert api.query_by_body(meter, body).json() == {"data": []}


def test_null_members_of_a_body_are_absent(api: Metering, meter: Meter) -> None:
    names = ("from", "to", "windowSize", "subject", "groupBy", "filterGroupBy", "clientId",
             "filterCustomerId", "advancedMeterGroupByFilters")  # fmt: skip
    assert api.query_by_body(meter, dict.fromkeys(names)).json() == {"data": []}


@pytest.mark.parametrize("body", [b"", b"null", b"{}"])
def test_no_body_asks_for_everything(api: Metering, meter: Meter, body: bytes) -> None:
    path = f"/api/v1/meters/{meter['slug']}/query"
    answer = api.http.post(path, content=body, headers={"content-type": "application/json"})
    assert rows_of(answer) == api.rows(meter)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"[]", "must be a JSON object"),
        (b"{", "not valid JSON at character 1: "),
    ],
)
def test_body_is_a_json_object(api: Metering, meter: Meter, body: bytes, detail: str) -> None:
    path = f"/api/v1/meters/{meter['slug']}/query"
    answer = api.http.post(path, content=body, headers={"content-type": "application/json"})
    status, found = refusal(answer)
    assert status == HTTPStatus.BAD_REQUEST
    assert str(found).startswith(f"request body has an error: {detail}")


def test_body_of_another_media_type_is_refused(api: Metering, meter: Meter) -> None:
    path = f"/api/v1/meters/{meter['slug']}/query"
    answer = api.http.post(path, content=b"{}", headers={"content-type": "text/plain"})
    assert "Content-Type" in str(refusal(answer)[1])
