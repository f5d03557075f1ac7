"""A meter query as CSV: when, with which columns, and how each cell is written."""

import csv
import io
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from tests.support.metering import Meter, Metering, Params, at, refusal

DAY = {"from": "2024-06-15T00:00:00Z", "to": "2024-06-16T00:00:00Z"}
BOUNDS = "2024-06-15T00:00:00Z,2024-06-16T00:00:00Z"


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


@pytest.fixture(scope="module")
def meter(api: Metering) -> Meter:
    meter = api.create("SUM", groupBy={"model": "$.model", "kind": "$.kind"})
    api.send(
        meter,
        at(subject="ann", data={"v": 1.5, "model": "m1"}),
        at(subject="bob", data={"v": 300, "model": "m2", "kind": "in"}),
    )
    return meter


def text(api: Metering, meter: Meter, params: Params) -> str:
    answer = api.query(meter, params, accept="text/csv")
    assert answer.status_code == HTTPStatus.OK, answer.text
    assert answer.headers["content-type"] == "text/csv"
    return answer.text


def one_cell(api: Metering, value: str) -> str:
    """The value's cell over one event with this JSON text as its value."""
    meter = api.create("SUM")
    api.send_values(meter, value)
    [_, line] = text(api, meter, DAY).splitlines()
    return line.removeprefix(f"{BOUNDS},")


@pytest.mark.parametrize(
    "accept", ["text/csv", "TEXT/CSV", "text/csv ;x=y", "text/csv; charset=utf-8", "text/csv;q=0.1"]
)
def test_csv_is_for_those_who_accept_it_alone(api: Metering, meter: Meter, accept: str) -> None:
    answer = api.query(meter, accept=accept)
    assert answer.headers["content-type"] == "text/csv"


@pytest.mark.parametrize(
    "accept",
    ["", "*/*", "text/*", "application/json", "text/csv, */*", "text/csv,", "*/*, text/csv",
     "text/csvx", "text"],
)  # fmt: skip
def test_everyone_else_gets_json(api: Metering, meter: Meter, accept: str) -> None:
    answer = api.query(meter, accept=accept)
    assert answer.headers["content-type"] == "application/json"
    assert "content-disposition" not in answer.headers


def test_file_is_named_by_the_slug_even_when_asked_by_id(api: Metering, meter: Meter) -> None:
    for name in (meter["slug"], meter["id"]):
        answer = api.query({"slug": name}, accept="text/csv")
        disposition = f"attachment; filename={meter['slug']}.csv"
        assert answer.headers["content-disposition"] == disposition


def test_lines_end_in_lf_and_begin_with_the_header(api: Metering, meter: Meter) -> None:
    assert text(api, meter, DAY) == f"window_start,window_end,value\n{BOUNDS},301.500000\n"


def test_answer_without_rows_is_the_header_alone(api: Metering, meter: Meter) -> None:
    nobody = {**DAY, "subject": "nobody"}
    assert text(api, meter, nobody) == "window_start,window_end,subject,value\n"
    assert text(api, api.create("SUM"), {}) == "window_start,window_end,value\n"


def test_row_of_zero_is_a_line(api: Metering) -> None:
    assert text(api, api.create("COUNT"), DAY).endswith(f"{BOUNDS},0.000000\n")


def test_subject_comes_before_the_groups_and_groups_as_asked(api: Metering, meter: Meter) -> None:
    grouped = {**DAY, "groupBy": ["model", "subject", "kind", "model"]}
    assert text(api, meter, grouped) == (
        "window_start,window_end,subject,model,kind,value\n"
        f"{BOUNDS},ann,m1,,1.500000\n"
        f"{BOUNDS},bob,m2,in,300.000000\n"
    )


def test_filter_by_subject_adds_its_column(api: Metering, meter: Meter) -> None:
    assert text(api, meter, {**DAY, "subject": "bob"}) == (
        f"window_start,window_end,subject,value\n{BOUNDS},bob,300.000000\n"
    )


def test_times_carry_the_offset_of_the_zone(api: Metering, meter: Meter) -> None:
    zoned = {"windowSize": "HOUR", "windowTimeZone": "Asia/Kolkata"}
    [_, line] = text(api, meter, zoned).splitlines()
    assert line == "2024-06-15T17:00:00+05:30,2024-06-15T18:00:00+05:30,301.500000"


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("300", "300.000000"),
        ("0", "0.000000"),
        ("-1.5", "-1.500000"),
        ("0.123456", "0.123456"),
        ("0.1234567", "0.1234567"),
        ('"0.4567890123456789"', "0.4567890123456789"),
        ("1e21", "1000000000000000000000.000000"),
        ("1e-7", "0.0000001"),
    ],
)
def test_value_has_six_decimals_or_all_it_has(api: Metering, value: str, cell: str) -> None:
    assert one_cell(api, value) == cell


AWKWARD = ('a"b', "a,b", "a\nb", "a\r\nb", "a\rb", "\r", '"', ",", " a ", "'", "=1+1", "é😀", "#")


def test_awkward_texts_come_back_as_they_were(api: Metering) -> None:
    meter = api.create(groupBy={"g": "$.g"})
    api.send(meter, *(at(subject=one, data={"g": one}) for one in AWKWARD))
    content = text(api, meter, {"groupBy": ["g", "subject"]})
    _, *rows = csv.reader(io.StringIO(content, newline=""), strict=True)
    assert sorted(row[2] for row in rows) == sorted(AWKWARD)
    assert all(row[2] == row[3] for row in rows)


@pytest.mark.parametrize("awkward", ['a"b', "a,b", "a\nb", "a\rb"])
def test_only_awkward_texts_are_quoted(api: Metering, awkward: str) -> None:
    meter = api.create(groupBy={"g": "$.g"})
    api.send(meter, at(data={"g": awkward}), at(data={"g": "plain"}))
    doubled = awkward.replace('"', '""')
    content = api.query(meter, {**DAY, "groupBy": "g"}, accept="text/csv").content.decode()
    assert content == (
        f'window_start,window_end,g,value\n{BOUNDS},"{doubled}",1.000000\n{BOUNDS},plain,1.000000\n'
    )


def test_post_gives_csv_too(api: Metering, meter: Meter) -> None:
    path = f"/api/v1/meters/{meter['slug']}/query"
    answer = api.http.post(path, json=DAY, headers={"accept": "text/csv"})
    assert answer.text == text(api, meter, DAY)


def test_refusal_is_a_problem_document_all_the_same(api: Metering, meter: Meter) -> None:
    answer = api.query(meter, {"groupBy": "x"}, accept="text/csv")
    assert refusal(answer) == (400, "validation error: invalid group by: x")
