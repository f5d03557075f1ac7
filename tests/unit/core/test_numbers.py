from decimal import Decimal

import pytest

from monometer.core.numbers import mean, number_of_text, plain, quotient, storable


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("0", "0"), ("-0", "0"), ("0.00", "0"), ("-0.0", "0"), ("0E+9", "0"), ("0E-9", "0"),
        ("1", "1"), ("-1", "-1"), ("1.0", "1"), ("1.50", "1.5"), ("-1.50", "-1.5"),
        ("10", "10"), ("100", "100"), ("1E+3", "1000"), ("1.5E+1", "15"), ("1e-7", "0.0000001"),
        ("0.30000000000000004", "0.30000000000000004"),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
    ],
)  # fmt: skip
def test_a_number_is_written_with_all_its_digits_and_no_more(number: str, text: str) -> None:
    assert plain(Decimal(number)) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"), ("-1", "-1"), ("+5", "5"), ("00012", "12"), ("1.50", "1.5"), ("5.", "5"),
        (".5", "0.5"), ("-.5", "-0.5"), ("1e3", "1000"), ("1E-3", "0.001"), ("1e+2", "100"),
        ("-0", "0"), ("1e999", "1e999"), ("1e-999", "1e-999"), ("9" * 100, "9" * 100),
        ("0." + "1" * 100, "0." + "1" * 100),
    ],
)  # fmt: skip
def test_a_string_that_spells_a_number_is_that_number(text: str, number: str) -> None:
    assert number_of_text(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", " 1", "1 ", "0\n", "\n0", ".", "-", "+", "+-1", "e1", "1e", "1e+", "1.2.3",
        "1_000", "1,5", "1 000", "0x10", "0b1", "1f", "NaN", "nan", "Infinity", "-inf", "null",
        "1e1000", "1e99999", "9" * 101, "0." + "1" * 101, "\u0660", "\uff11", "½", "\u22121",
    ],
)  # fmt: skip
def test_any_other_string_is_no_number(text: str) -> None:
    assert number_of_text(text) is None


@pytest.mark.parametrize(
    ("number", "is_storable"),
    [
        ("0", True), ("1e999", True), ("9" * 1000, True), ("1e1000", False), ("9" * 1001, False),
        ("1e-1000", True), ("1e-1001", False), ("0e-1001", False), ("0e999", True),
        ("NaN", False), ("Infinity", False),
    ],
)  # fmt: skip
def test_a_number_is_storable_within_a_thousand_digits_of_the_point(
    number: str, is_storable: bool
) -> None:
    assert storable(Decimal(number)) is is_storable


@pytest.mark.parametrize(
    ("total", "count", "expected"),
    [
        ("10", 4, "2.5"),
        ("1", 3, "0." + "3" * 34),
        ("2", 3, "0." + "6" * 33 + "7"),
        ("0", 5, "0"),
        ("-7", 2, "-3.5"),
        ("1e-1000", 2, "5e-1001"),
        # A tie at the 35th digit goes to the even neighbour, down here and up there.
        ("2000000000000000000000000000000005e-33", 2, "1.000000000000000000000000000000002"),
        ("20000000000000000000000000000000010e-33", 4, "5.000000000000000000000000000000002"),
        ("20000000000000000000000000000000030e-33", 4, "5.000000000000000000000000000000008"),
        # As many digits as the total has before its point, when those are more than 34.
        ("9" * 40, 1, "9" * 40),
        ("1" + "0" * 40, 3, "3" * 40 + ".3"),
    ],
)
def test_a_mean_is_rounded_half_even_to_34_digits_or_as_many_as_its_total_has(
    total: str, count: int, expected: str
) -> None:
    assert mean(Decimal(total), count) == Decimal(expected)


@pytest.mark.parametrize(
    ("dividend", "divisor", "expected"),
    [
        ("10", "4", "2.5"),
        ("1", "3", "0." + "3" * 20),
        ("2", "3", "0." + "6" * 20),
        ("-2", "3", "-0." + "6" * 20),
        ("1", "1e21", "0"),
        ("1e999", "1e-1000", "1e1999"),
        ("0", "7", "0"),
        ("7", "0", None),
        ("7", "-0.0", None),
        ("0", "0", None),
    ],
)
def test_a_quotient_is_cut_to_20_places_and_never_by_zero(
    dividend: str, divisor: str, expected: str | None
) -> None:
    found = quotient(Decimal(dividend), Decimal(divisor))
    assert found == (None if expected is None else Decimal(expected))
