"""The data of an event: any JSON object, kept exactly, or a reason why it cannot be kept."""

import json
from decimal import Decimal

import pytest
from tests.support.sending import Sender, event, with_data


def data_of(sender: Sender, text: str) -> object:
    body = with_data(text)
    sender.accept(body)
    found = sender.one_of(body)
    assert found["datacontenttype"] == "application/json"
    return found["data"]


def reason(sender: Sender, text: str) -> str:
    """What is said of the data, alone and as the second of two events."""
    body = with_data(text)
    [(field, message)] = sender.reasons(body).items()
    assert field == "/data"
    assert sender.reasons(f"[{json.dumps(event())}, {body}]") == {"/1/data": message}
    return message


def test_absent_data_is_absent(sender: Sender) -> None:
    sent = event()
    sender.accept(sent)
    found = sender.one_of(sent)
    assert "data" not in found
    assert "datacontenttype" not in found


def test_null_data_is_null(sender: Sender) -> None:
    body = with_data("null")
    sender.accept(body)
    found = sender.one_of(body)
    assert found["data"] is None
    assert "datacontenttype" not in found


def test_empty_object_is_data(sender: Sender) -> None:
    assert data_of(sender, "{}") == {}


@pytest.mark.parametrize("text", ["[]", '[{"a":1}]', '"text"', '""', "5", "1.5", "true", "false"])
def test_data_is_an_object(sender: Sender, text: str) -> None:
    assert reason(sender, text) == "must be a JSON object or null"


@pytest.mark.parametrize(
    "number",
    [
        "0", "-1", "9007199254740993", "-9223372036854775809", "18446744073709551616",
        "1.10", "0.10", "100.00", "3.141592653589793238462643383279502884197",
        "1" * 1000, "0." + "1" * 1000,
    ],
)  # fmt: skip
def test_number_keeps_all_its_digits(sender: Sender, number: str) -> None:
    assert data_of(sender, f'{{"n": {number}}}') == {"n": Decimal(number)}
    body = with_data(f'{{"n": {number}}}')
    sender.accept(body)
    subject = json.loads(body)["subject"]
    assert f'{{"n": {number}}}' in sender.page(filter=f'{{"subject":{{"$eq":"{subject}"}}}}').text


@pytest.mark.parametrize(
    ("number", "plain"),
    [
        ("1e3", "1000"), ("1E+3", "1000"), ("1.5e2", "150"), ("1e-3", "0.001"), ("-0", "0"),
        ("-0.0", "0"), ("1e999", f"1{'0' * 999}"), ("1e-1000", f"0.{'0' * 999}1"), ("0e999", "0"),
        ("1e0003", "1000"), ("-1.5E-01", "-0.15"),
    ],
)  # fmt: skip
def test_number_with_an_exponent_is_listed_plainly(sender: Sender, number: str, plain: str) -> None:
    assert data_of(sender, f'{{"n": {number}}}') == {"n": Decimal(plain)}


@pytest.mark.parametrize(
    "number", ["1e1000", "1e1001", "1e-1001", "-1e1001", "1" * 1001, "1e99999"]
)
def test_number_of_more_than_a_thousand_digits_is_refused(sender: Sender, number: str) -> None:
    message = "holds a number with more than 1000 digits before or after the decimal point"
    assert reason(sender, f'{{"a": [{{"n": {number}}}]}}') == message


@pytest.mark.parametrize("number", ["1" * 5000, "1" * 200_000])
def test_number_too_long_for_python_is_refused_like_the_others(sender: Sender, number: str) -> None:
    assert reason(sender, f'{{"n": {number}}}').startswith("holds a number ")


def test_exponent_out_of_all_bounds_is_refused(sender: Sender) -> None:
    assert reason(sender, '{"n": 1e99999999999999999999999}').startswith("holds a number ")


@pytest.mark.parametrize("number", ["1e99", "1e999", "1e-99"])
def test_numbers_that_swell_when_written_out_are_refused(sender: Sender, number: str) -> None:
    """Else a list of some such events would be a thousand times as large as what was sent."""
    numbers = ",".join([number] * 40_000)
    message = "must not hold numbers of more than 262144 digits in all"
    assert reason(sender, f'{{"n": [{numbers}]}}') == message
    assert data_of(sender, f'{{"n": [{number}, {number}]}}') == {"n": [Decimal(number)] * 2}


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 01}', '{"a": 1.}', '{"a": .5}', '{"a": +1}', '{"a": -}', '{"a": 1e}', '{"a": 0x1}',
        '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": nul}', '{"a": True}',
        '{"a" 1}', '{"a": 1,}', "{a: 1}", "{'a': 1}", '{"a": [1,]}', '{"a": }', '{"a": 1',
        '{"a": "\x01"}', '{"a": "\t"}', '{"a": "\n"}', r'{"a": "\q"}', r'{"a": "\u12G4"}',
        r'{"a": "\u12"}', '{"a": 1}/**/', "{} {}", "undefined",
    ],
)  # fmt: skip
def test_malformed_json_is_refused(sender: Sender, text: str) -> None:
    [(field, message)] = sender.reasons(with_data(text)).items()
    assert field == ""
    assert message.startswith("is not valid JSON: ")
    assert sender.send(f"[{with_data(text)}]").status_code == 400


@pytest.mark.parametrize(
    "data",
    [
        {"a": "\0"}, {"\0": 1}, {"a": {"b": [{"c": "x\0y"}]}}, {"a": [[{"\0x": None}]]},
    ],
)  # fmt: skip
def test_nul_anywhere_is_refused(sender: Sender, data: object) -> None:
    assert reason(sender, json.dumps(data)) == "must not contain a NUL character"


@pytest.mark.parametrize(
    "text",
    [
        r'{"a": "\ud800"}', r'{"\udfff": 1}', r'{"a": {"b": ["x\udc00y"]}}',
        r'{"a": [{"\ud800\ud800": 1}]}', r'{"a": "\ud83d\u0041"}', r'{"a": "\uDFFF"}',
    ],
)  # fmt: skip
def test_lone_surrogate_anywhere_is_refused(sender: Sender, text: str) -> None:
    assert reason(sender, text) == "must not contain a lone surrogate"


@pytest.mark.parametrize("text", [r'{"a": "\\u0000"}', r'{"a": "\\ud800"}', r'{"\\\\u0000": 1}'])
def test_what_only_looks_like_an_escape_is_kept(sender: Sender, text: str) -> None:
    assert data_of(sender, text) == json.loads(text)


def test_bad_utf8_is_refused(sender: Sender) -> None:
    body = with_data('{"a": "X"}').encode()
    for bad in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"):
        assert sender.reasons(body.replace(b"X", bad)) == {"/data": "is not valid UTF-8"}


@pytest.mark.parametrize(
    "data",
    [
        {"": ""}, {" ": " "}, {"é": "日本 😀"}, {"a": '\x7f\t\r\n"\\/'}, {"<&>": "</script>"},
        {"a": [True, False, None, [], {}, [[]], ""]}, {"a.b": {"$c": 1}}, {"a": "x" * 200_000},
        {str(i): i for i in range(1000)}, {"a": list(range(10_000))}, {"a": "[{" * 1000},
    ],
)  # fmt: skip
def test_any_object_comes_back_as_it_was(sender: Sender, data: object) -> None:
    for text in (json.dumps(data), json.dumps(data, ensure_ascii=False, indent=1)):
        assert data_of(sender, text) == data


def test_of_equal_names_the_last_one_counts(sender: Sender) -> None:
    assert data_of(sender, '{"a": 1, "b": 2, "a": {"c": 3, "c": 4}}') == {"a": {"c": 4}, "b": 2}


@pytest.mark.parametrize(
    ("hidden", "message"),
    [
        (r'"\u0000"', "must not contain a NUL character"),
        (r'"\ud800"', "must not contain a lone surrogate"),
        ("1e200000", "holds a number with more than 1000 digits before or after the decimal point"),
        ("[" * 64 + "]" * 64, "must not be nested deeper than 64 levels"),
    ],
)
def test_what_equal_names_hide_is_refused_all_the_same(
    sender: Sender, hidden: str, message: str
) -> None:
    """PostgreSQL reads it before it drops it, and would refuse the events sent along with it."""
    assert reason(sender, f'{{"a": {hidden}, "a": 1}}') == message


@pytest.mark.parametrize("brackets", ["[]", "{}"])
def test_data_of_64_levels_is_kept(sender: Sender, brackets: str) -> None:
    opening, closing = {"[]": ("[", "]"), "{}": ('{"a":', "}")}[brackets]

    def nested(levels: int) -> str:
        inside = levels - 1
        return '{"a": ' + opening * inside + "1" + closing * inside + "}"

    assert data_of(sender, nested(64)) == json.loads(nested(64))
    assert reason(sender, nested(65)) == "must not be nested deeper than 64 levels"


def test_data_of_256_kib_is_kept(sender: Sender) -> None:
    size = 256 * 1024
    text = '{"a": "' + "x" * (size - 9) + '"}'
    assert len(text) == size
    assert data_of(sender, text) == json.loads(text)
    assert reason(sender, text.replace("xx", "xxx", 1)) == f"must not be larger than {size} bytes"
