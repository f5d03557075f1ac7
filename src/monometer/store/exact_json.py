"""JSON as text in which every number has all its digits."""

from typing import Any

import msgspec

_encode = msgspec.json.Encoder(decimal_format="number").encode


def json_text(value: Any) -> str:
    """`value` is of texts, Decimals and what is made of them."""
    return _encode(value).decode()
