"""Texts that a column is to be among, as one parameter however many there are."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, any_, literal

from monometer.store.tables import TEXT


def any_of(texts: Collection[str]) -> ColumnElement[Any]:
    """What a column is compared with by `==`; of no texts, none is equal."""
    return any_(literal(list(texts), ARRAY(TEXT)))
