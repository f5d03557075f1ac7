from decimal import Decimal
from uuid import UUID

from monometer.core.event import event_key, parse_json


def test_the_key_of_an_event_never_changes() -> None:
    """Databases hold it: another one would let every stored event in once more."""
    assert event_key("", "") == UUID("fcdf3ecf-e876-5399-56eb-77f17f503ac1").bytes
    assert event_key("my-app", "evt-1") == UUID("72b11958-a43a-96eb-5400-5e7960cc1dae").bytes
    assert event_key("é", "日本") == UUID("87270bb6-cd5e-76a9-c258-e48bc6132b05").bytes


def test_source_and_id_are_told_apart() -> None:
    pairs = [("a", "bc"), ("ab", "c"), ("", "abc"), ("abc", ""), ("1:a", "bc"), ("bc", "a")]
    assert len({event_key(*pair) for pair in pairs}) == len(pairs)


def test_numbers_of_json_keep_every_digit() -> None:
    text = "[1, 1.10, 1e3, 123456789012345678901234567890.123, 1E-400, -0]"
    numbers = ["1", "1.10", "1e3", "123456789012345678901234567890.123", "1E-400", "-0"]
    assert parse_json(text) == [Decimal(number) for number in numbers]


def test_of_equal_keys_the_last_one_wins() -> None:
    assert parse_json('{"a": 1, "b": {"a": 2}, "a": null}') == {"a": None, "b": {"a": Decimal(2)}}
