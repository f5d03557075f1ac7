"""Bodies and texts that no honest client sends to the meters: every answer is a clear 400."""

import json
from collections.abc import Iterator
from http import HTTPStatus

import pytest
from tests.support.metering import Metering, refusal

METERS = "/api/v1/meters"
SURROGATE = "\ud800"
UNSTORABLE = {"NUL": ("a\0b", "a NUL character"), "surrogate": (SURROGATE, "a lone surrogate")}


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


def post(api: Metering, body: str | bytes, media_type: str | None = "application/json") -> str:
    """Detail of the 400 that a raw body is answered with."""
    headers = {"content-type": media_type} if media_type else {}
    status, detail = refusal(api.http.post(METERS, content=body, headers=headers))
    assert status == HTTPStatus.BAD_REQUEST
    assert detail is not None
    return detail


@pytest.mark.parametrize("what", UNSTORABLE)
@pytest.mark.parametrize("member", ["name", "description", "eventType", "valueProperty"])
def test_text_that_cannot_be_stored_is_refused_by_name(
    api: Metering, member: str, what: str
) -> None:
    text, why = UNSTORABLE[what]
    answer = api.try_to_create("SUM", **{member: f"$.{text}"})
    detail = f'request body has an error: Error at "/{member}": must not contain {why}'
    assert refusal(answer) == (400, detail)


@pytest.mark.parametrize("what", UNSTORABLE)
@pytest.mark.parametrize("member", ["metadata", "groupBy"])
def test_key_or_value_that_cannot_be_stored_is_refused(
    api: Metering, member: str, what: str
) -> None:
    text, why = UNSTORABLE[what]
    for entries in ({text: "$.x"}, {"key": f"$.{text}"}):
        status, detail = refusal(api.try_to_create(**{member: entries}))
        assert status == HTTPStatus.BAD_REQUEST
        assert f"must not contain {why}" in str(detail)


def test_field_is_a_json_pointer(api: Metering) -> None:
    answer = api.try_to_create(metadata={"a/b~c": 1})
    [error] = answer.json()["extensions"]["validationErrors"]
    assert error == {
        "code": "invalid_field",
        "message": "Input should be a valid string",
        "severity": "critical",
        "field": "/metadata/a~1b~0c",
    }


def test_missing_body_is_told(api: Metering) -> None:
    assert post(api, b"") == "request body has an error: value is required but missing"


def test_broken_json_is_told_with_its_place(api: Metering) -> None:
    detail = post(api, '{"slug": "a",}')
    assert detail.startswith("request body has an error: not valid JSON at character 13: ")


@pytest.mark.parametrize("body", ["null", "[]", '"text"', "5", "true"])
def test_body_is_an_object(api: Metering, body: str) -> None:
    assert post(api, body) == "request body has an error: must be a JSON object"


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "nonsense", None])
def test_other_media_types_are_refused_as_bad_requests(
    api: Metering, media_type: str | None
) -> None:
    assert post(api, "{}", media_type) == (
        "request body has an error: "
        "header Content-Type has unexpected value, expected application/json"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe\xfd",
        b'{"slug": "\xff"}',
        "[" * 100_000,
        '{"slug":' * 100_000,
        '{"slug": ' + "1" * 10_000 + "}",
        '{"slug": NaN}',
        '{"slug": 1e999}',
        '{"slug": "a"} {"slug": "b"}',
    ],
    ids=["not UTF-8", "text not UTF-8", "deep list", "deep object", "huge number", "NaN", "1e999",
         "two values"],
)  # fmt: skip
def test_nothing_a_body_holds_is_a_server_error(api: Metering, body: str | bytes) -> None:
    assert post(api, body)


def test_huge_map_is_refused_with_a_short_answer(api: Metering) -> None:
    answer = api.try_to_create(metadata={f"k{number}": 0 for number in range(20_000)})
    assert refusal(answer)[0] == HTTPStatus.BAD_REQUEST
    assert len(answer.content) < 100_000


def test_many_group_keys_with_deep_paths_are_refused(api: Metering) -> None:
    answer = api.try_to_create(groupBy={"key": "$" + ".a" * 33})
    assert "more than 32 steps" in str(refusal(answer)[1])
    answer = api.try_to_create(groupBy={"key": "$." + "a" * 1023})
    assert '"/groupBy/key"' in str(refusal(answer)[1])


def test_of_equal_members_the_last_one_counts(api: Metering) -> None:
    body = '{"slug":"WRONG","slug":"last_wins","eventType":"t","aggregation":"COUNT"}'
    made = api.http.post(METERS, content=body, headers={"content-type": "application/json"})
    assert made.json()["slug"] == "last_wins"


def test_media_type_may_have_parameters(api: Metering) -> None:
    body = json.dumps({"slug": "with_charset", "eventType": "t", "aggregation": "COUNT"})
    headers = {"content-type": "application/json; charset=utf-8"}
    assert api.http.post(METERS, content=body, headers=headers).status_code == HTTPStatus.CREATED


def test_texts_of_any_script_come_back_as_they_were(api: Metering) -> None:
    texts = {"name": "größe 😀", "description": "\u202eabc\u0007", "eventType": "тип"}
    made = api.create(metadata={"ключ": "値\n"}, **texts)
    assert {name: made[name] for name in texts} == texts
    assert made["metadata"] == {"ключ": "値\n"}


@pytest.mark.parametrize(
    ("method", "path"), [("PATCH", METERS), ("POST", f"{METERS}/some"), ("DELETE", METERS)]
)
def test_wrong_method_is_a_problem_without_detail(api: Metering, method: str, path: str) -> None:
    assert refusal(api.http.request(method, path)) == (405, None)


@pytest.mark.parametrize("path", ["/", "/api", "/api/v1/nothing", f"{METERS}/", f"{METERS}/a/b"])
def test_unknown_path_is_a_problem_without_detail(api: Metering, path: str) -> None:
    assert refusal(api.http.get(path)) == (404, None)


@pytest.mark.parametrize("path", [f"{METERS}/a%00b", f"{METERS}?orderBy=%00"])
def test_nul_in_a_url_is_refused(api: Metering, path: str) -> None:
    assert refusal(api.http.get(path)) == (400, "the URL must not contain a NUL character")


def test_answers_have_their_media_type_without_a_charset(api: Metering) -> None:
    answers = [
        api.http.get(METERS),
        api.try_to_create(),
        api.http.get(f"{METERS}/{api.create()['slug']}"),
    ]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
