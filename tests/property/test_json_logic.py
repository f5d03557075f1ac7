"""Compiled JSON-logic comes to what JSON-logic comes to when it is simply run."""

import json
from decimal import Decimal
from typing import Any
from uuid import uuid4

from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, case, literal, select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support import json_logic as oracle
from tests.support.events import NOON, event, stored

from monometer.core.errors import InvalidInput
from monometer.core.evaluation import evaluate, facts_of, holds
from monometer.core.expression import Case, Expression
from monometer.core.json_logic import number_of, parse, predicate_of
from monometer.store.expression_sql import predicate_sql, value_sql
from monometer.store.postgres_events import PostgresEventStore
from monometer.store.tables import event as event_table

TEXTS = st.sampled_from(["", "a", "ann", "b_%", "1", "1.50", "-2", "x1", "true", "null"])
NUMBERS = st.sampled_from(["0", "1", "2", "-2", "1.5", "1.50", "0.1", "100000000000000000001"])
VARIABLES = st.sampled_from(
    ["attributes.x", "attributes.y", "dimensions.d", "dimensions.e", "accountId"]
)
CONSTANTS = st.one_of(
    st.none(), st.booleans(), TEXTS, NUMBERS.map(lambda text: {"number": text})
)  # numbers are put in as they are spelled, after everything else is JSON


DATE_TEXTS = st.sampled_from(
    ["2024-06-15T12:00:00Z", "2024-06-15T14:00:00+02:00", "2024-06-14", "2023-01-01T00:00:00.25"]
)
ISO = st.sampled_from(["P1D", "PT36H", "PT0.5S", "-PT1M", "P2W"])
UNITS = st.sampled_from(["MILLIS", "SECONDS", "MINUTES", "HOURS", "DAYS"])
PLACES = st.integers(-3, 3).map(lambda n: {"number": str(n)})


def named(name: str, *arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(*arguments).map(lambda given: {name: list(given)})


DATES = st.recursive(
    st.just({"var": "timestamp"}) | named("date", DATE_TEXTS),
    lambda inner: (
        named("date.add", inner, ISO) | named("date.sub", inner, ISO) | named("date", inner)
    ),
    max_leaves=3,
)
AMOUNTS = NUMBERS.map(lambda text: {"number": text}) | VARIABLES.map(lambda name: {"var": name})
DURATIONS = named("duration.between", DATES, DATES | DATE_TEXTS) | named(
    "duration.of", AMOUNTS, UNITS
)
COMPARISONS = st.sampled_from(["==", "!=", "===", "!==", "<", "<=", ">", ">="])


def compared(left: st.SearchStrategy[Any], right: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(lambda name, a, b: {name: [a, b]}, COMPARISONS, left, right)


TIMES = st.one_of(
    named("duration.as", DURATIONS | ISO, UNITS),
    compared(DATES, DATES | DATE_TEXTS),
    compared(DATE_TEXTS, DATES),
    compared(DURATIONS, DURATIONS | ISO),
    named("!", DATES | DURATIONS),
    named("==", DURATIONS, st.none()),
    named("<", DATES, DATES, DATES),
)


def operations(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def of(names: str, least: int, most: int) -> st.SearchStrategy[Any]:
        arguments = st.lists(inner, min_size=least, max_size=most)
        return st.builds(
            lambda name, given: {name: given}, st.sampled_from(names.split()), arguments
        )

    listed = st.lists(CONSTANTS | VARIABLES.map(lambda name: {"var": name}), max_size=3)
    about = st.one_of(
        st.just({"var": ""}),
        CONSTANTS.map(lambda one: {"==": [{"var": ""}, one]}),
        CONSTANTS.map(lambda one: {">": [{"var": ""}, one]}),
    )
    return st.one_of(
        of("== != === !== < <= > >= / % -", 2, 2),
        of("< <=", 3, 3),
        of("+ * min max", 1, 3),
        of("and or", 1, 3),
        of("if ?:", 1, 4),
        of("! !! -", 1, 1),
        st.builds(lambda one, some: {"in": [one, some]}, inner, listed),
        named("substr", inner, PLACES),
        named("substr", inner, PLACES, PLACES),
        TIMES,
        st.builds(lambda part: {"in": [part, {"var": "dimensions.d"}]}, TEXTS),
        st.builds(lambda name, some, rule: {name: [some, rule]},
                  st.sampled_from(["some", "all", "none"]), listed, about),
        st.builds(lambda some, rule: {"!!": [{"filter": [some, rule]}]}, listed, about),
        st.lists(VARIABLES, min_size=1, max_size=2).map(lambda names: {"!": [{"missing": names}]}),
    )  # fmt: skip


RULES = st.recursive(
    CONSTANTS | VARIABLES.map(lambda name: {"var": name}), operations, max_leaves=12
)
DATA = st.fixed_dictionaries(
    {
        "attributes": st.dictionaries(st.sampled_from("xy"), NUMBERS.map(Decimal)),
        "dimensions": st.dictionaries(st.sampled_from("de"), TEXTS),
    }
)


def spelled(rule: Any) -> str:
    """JSON text, with the numbers as they are to be written."""
    if isinstance(rule, dict) and rule.keys() == {"number"}:
        return str(rule["number"])
    if isinstance(rule, dict):
        [(name, given)] = rule.items()
        return f"{{{json.dumps(name)}:{spelled(given)}}}"
    return f"[{','.join(map(spelled, rule))}]" if isinstance(rule, list) else json.dumps(rule)


def text_of(data: dict[str, Any]) -> str:
    attributes = ",".join(f'"{name}":{one}' for name, one in data["attributes"].items())
    return f'{{"attributes":{{{attributes}}},"dimensions":{json.dumps(data["dimensions"])}}}'


def number_or_none(parsed: Any) -> Expression:
    """A rule that never comes to a number is refused as a computation, but comes to no number."""
    try:
        return number_of(parsed)
    except InvalidInput as refused:
        assume("measures nothing" in refused.message)
        return Case(())


@given(rule=RULES, data=DATA)
def test_compiled_logic_comes_to_what_plain_logic_does(rule: Any, data: dict[str, Any]) -> None:
    try:
        parsed = parse(spelled(rule))
        test, value = predicate_of(parsed), number_or_none(parsed)
    except InvalidInput:
        assume(False)
    facts = facts_of(stored(event(subject="ann", time=NOON, data=text_of(data))))
    said = {"accountId": "ann", "timestamp": oracle.instant_of(NOON.isoformat())}
    right = oracle.run(parsed, {**data, **said})
    assert holds(test, facts) is oracle.truthy(right)
    assert evaluate(value, facts) == oracle.number(right)


@given(rules=st.lists(RULES, min_size=6, max_size=6), data=DATA)
async def test_logic_comes_to_the_same_in_sql(
    event_store: PostgresEventStore, engine: AsyncEngine, rules: list[Any], data: dict[str, Any]
) -> None:
    namespace = uuid4().hex
    one = event(namespace, subject="ann", time=NOON, data=text_of(data))
    await event_store.append([one])
    columns: list[ColumnElement[Any]] = []
    right: list[Any] = []
    for number, rule in enumerate(rules):
        try:
            parsed = parse(spelled(rule))
            test = predicate_of(parsed)
            value = number_or_none(parsed)
        except InvalidInput:
            continue  # too long, or too heavy
        holding = case((predicate_sql(test), 1), else_=0)
        columns += [holding.label(f"test_{number}"), value_sql(value).label(f"value_{number}")]
        right += [int(holds(test, facts_of(stored(one)))), evaluate(value, facts_of(stored(one)))]
    statement = select(literal(0), *columns).where(event_table.c.namespace == namespace)
    async with engine.connect() as connection:
        row = (await connection.execute(statement)).one()
    assert list(row[1:]) == right
