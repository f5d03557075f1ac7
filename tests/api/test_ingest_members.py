"""The members of an event: which are needed, what each may be, and what comes back."""

import json

import pytest
from tests.support.sending import Sender, event, with_member

REQUIRED = ["id", "source", "specversion", "type", "subject"]
TEXTS = ["id", "source", "type", "subject"]
SURROGATES = [r"\ud800", r"a\udfff", r"\ud800\u0041", r"\udc00\ud800"]


@pytest.mark.parametrize("name", REQUIRED)
def test_required_member_is_named_when_it_is_missing(sender: Sender, name: str) -> None:
    assert sender.reasons(event(**{name: None})) == {f"/{name}": "is missing"}


@pytest.mark.parametrize("text", ["5", "null", "true", "[]", "{}", "1.5"])
@pytest.mark.parametrize("name", REQUIRED)
def test_required_member_is_a_string(sender: Sender, name: str, text: str) -> None:
    [(field, reason)] = sender.reasons(with_member(name, text)).items()
    assert field == f"/{name}"
    assert reason.startswith("Expected `str`, got ")


@pytest.mark.parametrize("name", TEXTS)
def test_required_member_is_not_empty(sender: Sender, name: str) -> None:
    assert sender.reasons(event(**{name: ""})) == {f"/{name}": "must not be empty"}


@pytest.mark.parametrize("text", ["\0", "a\0", "\0b"])
@pytest.mark.parametrize("name", TEXTS)
def test_nul_is_refused_by_index_and_field(sender: Sender, name: str, text: str) -> None:
    reasons = sender.reasons([event(), event(**{name: text})])
    assert reasons == {f"/1/{name}": "must not contain a NUL character"}


@pytest.mark.parametrize("text", SURROGATES)
@pytest.mark.parametrize("name", [*REQUIRED, "time", "datacontenttype", "extension"])
def test_lone_surrogate_is_refused_by_index_and_field(sender: Sender, name: str, text: str) -> None:
    bad = with_member(name, f'"{text}"')
    reason = "must not contain a lone surrogate"
    assert sender.reasons(bad) == {f"/{name}": reason}
    assert sender.reasons(f"[{json.dumps(event())}, {bad}]") == {f"/1/{name}": reason}


def test_lone_surrogate_in_a_members_name_is_told_without_it(sender: Sender) -> None:
    assert sender.reasons(with_member(r"a/\ud800", "1")) == {
        "/a~1?": "must not contain a lone surrogate"
    }


@pytest.mark.parametrize("name", TEXTS)
def test_texts_of_any_script_come_back_as_they_were(sender: Sender, name: str) -> None:
    sent = event()
    sent[name] += " é 日本 😀 \u200b\ufffd\uffff\x7f\t\"\\/<&>'"
    sender.accept(sent)
    assert sender.one_of(sent)[name] == sent[name]


def test_escaped_pair_is_one_character(sender: Sender) -> None:
    sent = event()
    sent["id"] += "😀"
    assert r"\ud83d\ude00" in json.dumps(sent)
    sender.accept(json.dumps(sent))
    assert sender.one_of(sent)["id"] == sent["id"]


@pytest.mark.parametrize("version", ["1.0", "0.3"])
def test_known_version_is_accepted_and_listed_as_1_0(sender: Sender, version: str) -> None:
    sent = event(specversion=version)
    sender.accept(sent)
    assert sender.one_of(sent)["specversion"] == "1.0"


@pytest.mark.parametrize("version", ["", "1", "1.1", "2.0", " 1.0", "0.2"])
def test_unknown_version_is_refused(sender: Sender, version: str) -> None:
    assert sender.reasons(event(specversion=version)) == {
        "/specversion": f"unknown version {version!r}, expected '1.0'"
    }


def test_refusal_does_not_repeat_a_long_version(sender: Sender) -> None:
    answer = sender.send(event(specversion="1" * 100_000))
    assert answer.status_code == 400
    assert len(answer.content) < 1000


@pytest.mark.parametrize("text", ["null", '"application/json"', '"Application/JSON; a=b"'])
def test_data_is_json(sender: Sender, text: str) -> None:
    sender.accept(with_member("datacontenttype", text))


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "json", "text/json"])
def test_data_of_another_type_is_refused(sender: Sender, kind: str) -> None:
    reasons = sender.reasons(event(datacontenttype=kind))
    assert reasons == {"/datacontenttype": "must be application/json"}


@pytest.mark.parametrize("text", ['"aGk="', '""', "5", "{}"])
def test_data_in_base64_is_refused(sender: Sender, text: str) -> None:
    [field] = sender.reasons(with_member("data_base64", text))
    assert field == "/data_base64"


def test_data_in_base64_that_is_null_is_none(sender: Sender) -> None:
    sender.accept(with_member("data_base64", "null"))


@pytest.mark.parametrize("text", ["null", '"https://example.com/schema"', '"/schema"'])
def test_dataschema_is_accepted_and_not_kept(sender: Sender, text: str) -> None:
    body = with_member("dataschema", text)
    sender.accept(body)
    assert "dataschema" not in sender.one_of(body)


@pytest.mark.parametrize("text", ["null", "5", "1e9999", "[]", '{"a": {}}', '"\\u0000"'])
@pytest.mark.parametrize("name", ["traceparent", "@timestamp", "", "ID", "customerId"])
def test_extension_is_accepted_and_not_kept(sender: Sender, name: str, text: str) -> None:
    body = with_member(name, text)
    sender.accept(body)
    assert set(sender.one_of(body)) == {"id", "source", "specversion", "type", "subject", "time"}


def test_of_equal_members_the_last_one_counts(sender: Sender) -> None:
    sent = event()
    text = json.dumps(sent)
    sender.accept(f'{{"subject": "first", {text[1:]}')
    assert sender.one_of(sent)["id"] == sent["id"]
    assert sender.reasons(f'{text[:-1]}, "id": ""}}') == {"/id": "must not be empty"}


@pytest.mark.parametrize("levels", [500, 940, 1_000, 100_000])
@pytest.mark.parametrize("name", [*REQUIRED, "time", "data", "extension"])
def test_deep_nesting_anywhere_is_never_a_server_error(
    sender: Sender, name: str, levels: int
) -> None:
    body = with_member(name, "[" * levels + "]" * levels)
    for form in (body, f"[{body}, {{}}]"):
        answer = sender.send(form)
        assert answer.status_code in {204, 400}
        assert len(answer.content) < 1000
    surrogate = with_member(name, "[" * levels + r'"\ud800"' + "]" * levels)
    assert sender.send(surrogate).status_code == 400


def test_too_deep_nesting_is_told_as_that(sender: Sender) -> None:
    body = with_member("extension", "[" * 100_000 + "]" * 100_000)
    assert sender.reasons(body) == {"": "is nested too deeply"}
