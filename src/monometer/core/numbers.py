"""Exact decimal arithmetic: which texts are numbers, and how a number is written.

Usage never passes through binary floats. Sums, products and extremes are exact; a quotient is
rounded once, by a stated rule.
"""

import re
from collections.abc import Iterable
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from functools import reduce

# Enough digits for any sum or product of the numbers that ingest lets in.
EXACT = Context(prec=20_000, Emax=100_000, Emin=-100_000, traps=[InvalidOperation, Inexact])
_ROUNDED = Context(prec=20_000, Emax=100_000, Emin=-100_000, traps=[InvalidOperation])

# A numeric string is usable when this matches all of it. Bounded on purpose: with an open pattern
# one stored "1e200000" would overflow PostgreSQL's numeric and break every query on its meter.
# `[0-9]`, not `\d`: the latter takes other scripts' digits in Python but not in PostgreSQL.
NUMBER_TEXT = r"[+-]?([0-9]{1,100}(\.[0-9]{0,100})?|\.[0-9]{1,100})([eE][+-]?[0-9]{1,3})?"
_NUMBER_TEXT = re.compile(NUMBER_TEXT)

# A JSON number may have at most this many digits before or after the point when written plainly.
PLAIN_DIGITS_MAX = 1_000

MEAN_DIGITS = 34  # IEEE 754 decimal128
QUOTIENT_PLACES = 20


def number_of_text(text: str) -> Decimal | None:
    """The number a string spells, None when it spells none (so also for NaN and Infinity)."""
    return Decimal(text) if _NUMBER_TEXT.fullmatch(text) else None


def storable(number: Decimal) -> bool:
    """Whether a JSON number, written plainly, stays within PLAIN_DIGITS_MAX on either side."""
    exponent = number.as_tuple().exponent
    return (
        isinstance(exponent, int)
        and number.adjusted() < PLAIN_DIGITS_MAX
        and exponent >= -PLAIN_DIGITS_MAX
    )


def plain(number: Decimal) -> str:
    """A number with all its digits and no more: `1.50` → `1.5`, `1E+3` → `1000`, `-0` → `0`."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def exact_sum(numbers: Iterable[Decimal]) -> Decimal:
    """The exact sum; zero of none."""
    return reduce(EXACT.add, numbers, Decimal(0))


def mean(total: Decimal, count: int) -> Decimal:
    """The mean `total / count`, rounded half-even to 34 significant digits.

    A total with more digits before the point keeps them all: a mean is exact to its units.
    """
    digits = max(MEAN_DIGITS, total.adjusted() + 1)
    return Context(prec=digits, rounding=ROUND_HALF_EVEN, Emax=100_000, Emin=-100_000).divide(
        total, Decimal(count)
    )


def quotient(dividend: Decimal, divisor: Decimal) -> Decimal | None:
    """The quotient cut to 20 decimal places; None for a zero divisor.

    Cut, not rounded: PostgreSQL's `div` is the one exact division that both readers share.
    """
    if not divisor:
        return None
    whole = _ROUNDED.divide_int(EXACT.scaleb(dividend, QUOTIENT_PLACES), divisor)
    return EXACT.scaleb(whole.to_integral_value(ROUND_DOWN), -QUOTIENT_PLACES)
