"""What the options of the commands may be, and how they are refused."""

import pytest
import typer

from monometer.cli.ingest import Format, csv_mapping, guess_format
from monometer.cli.meters import pairs
from monometer.cli.query import advanced_filter, filters


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.csv", Format.CSV),
        ("dir.ndjson/A.CSV.GZ", Format.CSV),
        ("a.ndjson", Format.NDJSON),
        ("a.jsonl.gz", Format.NDJSON),
        ("a.json", Format.NDJSON),
        ("-", Format.NDJSON),
    ],
)
def test_the_format_is_told_by_the_name(name: str, expected: Format) -> None:
    assert guess_format(name) is expected


@pytest.mark.parametrize("name", ["events", "events.parquet", "csv", "events.gz"])
def test_a_name_that_tells_no_format_asks_for_one(name: str) -> None:
    with pytest.raises(typer.BadParameter, match="say --format"):
        guess_format(name)


def test_the_source_of_csv_events_is_the_file_unless_said() -> None:
    given = {"type": "call", "subject": "acme"}
    named = csv_mapping("logs/may.csv.gz", None, given, None, None)
    assert named.constants["source"] == "may.csv"
    assert csv_mapping("-", None, given, None, None).constants["source"] == "stdin"
    said = csv_mapping("may.csv", None, {**given, "source": "pbx"}, None, None)
    assert said.constants["source"] == "pbx"
    mapped = csv_mapping("may.csv", {"source": "origin"}, given, None, None)
    assert "source" not in mapped.constants


def test_a_mapping_that_cannot_be_is_wrong_usage() -> None:
    with pytest.raises(typer.BadParameter, match="say --subject"):
        csv_mapping("may.csv", None, {"type": "call"}, None, None)
    with pytest.raises(typer.BadParameter, match="is not of the form"):
        csv_mapping("may.csv", None, {"type": "call", "subject": "s"}, ["=x"], None)


def test_pairs() -> None:
    assert pairs("--map", ["a=b", "c=d=e", "f="]) == {"a": "b", "c": "d=e", "f": ""}
    assert pairs("--map", None) is None
    for wrong in (["a"], ["=b"], ["a=b", "a=c"]):
        with pytest.raises(typer.BadParameter):
            pairs("--map", wrong)


def test_values_of_one_filter_key_are_alternatives() -> None:
    assert filters(["a=1", "b=2", "a=3"]) == {"a": ["1", "3"], "b": ["2"]}
    with pytest.raises(typer.BadParameter, match="KEY=VALUE"):
        filters(["a"])


def test_the_advanced_filter_is_passed_on_as_typed() -> None:
    text = '{"model": {"$gt": 1.10}}'
    raw = advanced_filter(text)
    assert raw is not None
    assert bytes(raw) == text.encode()
    assert advanced_filter(None) is None


@pytest.mark.parametrize("text", ["", "3", "[]", "{", '{"a":1}x', "\udc80"])
def test_an_advanced_filter_that_is_no_object_is_wrong_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="not a JSON object"):
        advanced_filter(text)
