"""Events as the world sends them: JSON texts that are legal and mean trouble."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

from hypothesis import strategies as st
from tests.support.events import event

from monometer.core.event import Event
from monometer.core.numbers import storable

KEYS = ["v", "g", "a b", "q\"'\\", "é日", "0", "*", "", "$.v", "\n", "\u200d💥", "a_1"]
SUBJECTS = ["", "ann", "Ann", "bob", "é", "\U0001f4a5", "\uffff", "a%", "_", " ann", "null"]
TYPES = ["call", "CALL", "other"]
SOURCES = ["", "app", "a/b"]

# Instants where zones disagree about days, and a few far from today.
FAR = [datetime(1000, 1, 2, tzinfo=UTC), datetime(1969, 12, 31, 23, 59, 59, 999_999, UTC)]
DELTAS = [
    timedelta(0), timedelta(microseconds=-1), timedelta(microseconds=1), timedelta(seconds=-1),
    timedelta(minutes=-30), timedelta(minutes=15), timedelta(minutes=30), timedelta(minutes=59),
    timedelta(hours=1), timedelta(hours=-1), timedelta(hours=12), timedelta(days=1),
    timedelta(days=-1), timedelta(days=8), timedelta(days=-31),
]  # fmt: skip

texts = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8
) | st.sampled_from(SUBJECTS)

# Strings that some readers take for numbers.
NUMERIC_STRINGS = [
    "1", "1e3", "1E-3", " 1", "1 ", "0\n", "\n0", "\u0660", "\uff11", "NaN", "Infinity", "-inf",
    "1e999", "1e-999", "1e1000", "1e99999", "0x10", "+5", "-5", "+-5", ".5", "5.", ".", "", "-",
    "1_000", "1,5", "00012", "1.50", "-0", "-.0e0", "9" * 100, "9" * 101, "0." + "1" * 100,
    "0." + "1" * 101, "1e", "e1", "true", "null", "1\r\n", "\u00a01", "1e+2", "0b1",
]  # fmt: skip

NUMBERS = [
    "0", "-0", "-0.0", "0e999", "1", "1.0", "1.00", "-1", "10", "1e1", "1E+1", "0.1", "1e-1",
    "0.30000000000000004", "1e999", "-1e999", "1e-1000", "123456789012345678901234567890.5",
    "9007199254740993", "9" * 1000, "0." + "0" * 998 + "1", "1.7976931348623157e308", "5e-324",
]  # fmt: skip


def written(number: Decimal) -> str:
    return str(number)


numbers = (
    st.sampled_from(NUMBERS)
    | st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=3
    ).map(written)
    | st.decimals(allow_nan=False, allow_infinity=False).filter(storable).map(written)
)

strings = st.sampled_from(NUMERIC_STRINGS) | texts


@st.composite
def string_texts(draw: st.DrawFn, values: st.SearchStrategy[str] = strings) -> str:
    r"""A JSON string, as it is or with escapes: `"é"`, `"\u00e9"`."""
    return json.dumps(draw(values), ensure_ascii=draw(st.booleans()))


scalars = st.one_of(numbers, string_texts(), st.sampled_from(["null", "true", "false", '""']))

_key_texts = string_texts(st.sampled_from(KEYS[:4]) | st.sampled_from(KEYS))


@st.composite
def _object_texts(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    """Members with the same key are welcome: the last one counts."""
    members = draw(st.lists(st.tuples(_key_texts, values), max_size=5))
    space = draw(st.sampled_from(["", " ", "\n\t"]))
    return "{" + ",".join(f"{space}{key}:{space}{value}" for key, value in members) + "}"


def _array_texts(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(values, max_size=3).map(lambda elements: "[" + ",".join(elements) + "]")


values = st.recursive(
    scalars, lambda inner: _array_texts(inner) | _object_texts(inner), max_leaves=6
)

_members = st.tuples(_key_texts, values)
_nested = ["[]", "{}", '[1, "2"]', '{"g": "a"}', '[[], [0, "a"]]', '[{"v": null}, {"v": 2}]']
_usual_values = st.one_of(
    *[st.sampled_from(NUMBERS)] * 3,
    numbers,
    st.sampled_from([f'"{number}"' for number in NUMBERS]),
    st.sampled_from([json.dumps(text) for text in NUMERIC_STRINGS]),
    st.sampled_from(["true", "false", "null"]),
    st.sampled_from(_nested),
    values,
)


@st.composite
def _usual_objects(draw: st.DrawFn) -> str:
    """Objects with `v`, and mostly `g`, so that paths find something."""
    members = [('"v"', draw(_usual_values)), *draw(st.lists(_members, max_size=2))]
    if draw(st.integers(0, 3)):
        members.append(('"g"', draw(_usual_values)))
    return "{" + ",".join(f"{key}: {value}" for key, value in draw(st.permutations(members))) + "}"


@st.composite
def data(draw: st.DrawFn) -> str | None:
    """Data of an event: most often an object, as ingest has it."""
    match draw(st.sampled_from(["usual"] * 8 + ["object", "any", "none"])):
        case "usual":
            return draw(_usual_objects())
        case "object":
            return draw(_object_texts(values))
        case "any":
            return draw(values)
        case _:
            return draw(st.sampled_from([None, "null", "{}"]))


def times(change: datetime) -> st.SearchStrategy[datetime]:
    """Instants around one clock change, so that windows hold several, and a few far from it."""
    near = st.sampled_from([change + delta for delta in DELTAS])
    days = st.timedeltas(timedelta(days=-300), timedelta(days=300))
    return near | near | days.map(lambda delta: change + delta) | st.sampled_from(FAR)


def batches(namespace: str, moments: st.SearchStrategy[datetime]) -> st.SearchStrategy[list[Event]]:
    """A few events, whose times repeat, each with its own (source, id)."""
    one = st.builds(
        partial(event, namespace),
        id=st.text("ab", max_size=4),
        source=st.sampled_from(SOURCES),
        type=st.sampled_from(TYPES[:1] * 4 + TYPES),
        subject=st.sampled_from(SUBJECTS),
        time=moments,
        data=data(),
        ingested_at=moments,
    )
    return st.lists(one, min_size=4, max_size=12, unique_by=lambda e: (e.source, e.id))
