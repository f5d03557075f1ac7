"""The reader of expressions in SQL. `core/evaluation.py` says what each node means."""

from collections.abc import Mapping
from decimal import Decimal
from functools import reduce
from typing import Any, TypeAlias, assert_never

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Numeric,
    and_,
    any_,
    case,
    cast,
    extract,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    true,
)
from sqlalchemy import (
    Boolean as SqlBoolean,
)
from sqlalchemy import (
    Text as SqlText,
)
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from monometer.core.expression import (
    AllOf,
    AnyOf,
    Arithmetic,
    Attribute,
    Boolean,
    Case,
    Compare,
    Epoch,
    Expression,
    Joined,
    Kind,
    Like,
    Literal,
    Member,
    Not,
    Number,
    OneOf,
    Predicate,
    Slice,
    Text,
)
from monometer.core.jsonpath import Each, Path
from monometer.core.numbers import NUMBER_TEXT, QUOTIENT_PLACES
from monometer.store.tables import INSTANT, TEXT, event

Sql: TypeAlias = ColumnElement[Any]

MEMBERS_MAX = 4

_WHOLE_NUMBER_TEXT = f"^({NUMBER_TEXT})$"


class SqlReader:
    """Reads expressions as SQL over rows of `event`, or over the columns given for some of them.

    With `known`, an expression that is a key of it is that column: a stored cell has no event to
    look into, but it has what its groups came to; a meter has its members.
    """

    def __init__(self, known: Mapping[Expression, Sql] | None = None) -> None:
        self._known = known or {}

    def value(self, expression: Expression) -> Sql:  # noqa: C901, PLR0912 - an arm for each node
        """The value of `expression`; NULL for None."""
        if expression in self._known:
            return self._known[expression]
        match expression:
            case Attribute(name):
                return event.c[name]
            case Member():
                return null()
            case Text(path, missing):
                return _text(path, missing)
            case Number(path, strings):
                return _number(path, strings=strings)
            case Boolean(path):
                found = _json(path)
                is_boolean = func.jsonb_typeof(found) == "boolean"
                return case((is_boolean, cast(found, SqlBoolean)))
            case Kind(path):
                return func.jsonb_typeof(_json(path), type_=TEXT)
            case Literal(value):
                return _literal(value)
            case Arithmetic(operation, left, right):
                return _arithmetic(operation, self.value(left), self.value(right))
            case Epoch(of, whole):
                seconds: Sql = extract("epoch", self.value(of))
                return func.floor(seconds, type_=Numeric()) if whole else cast(seconds, Numeric)
            case Joined(parts):
                texts = (_text_form(self.value(part)) for part in parts)
                nothing: Sql = literal("", TEXT)
                return reduce(_joined, texts, nothing).collate("C")
            case Slice(of, start, length):
                return _slice(self.value(of), start, length)
            case Case(branches, otherwise):
                default = null() if otherwise is None else self.value(otherwise)
                if not branches:
                    return default
                tests = ((self.predicate(test), self.value(result)) for test, result in branches)
                return case(*tests, else_=default)
            case _:
                assert_never(expression)

    def predicate(self, predicate: Predicate) -> Sql:
        """A condition that is true where `predicate` holds; false or NULL where it does not."""
        match predicate:
            case Compare(comparison, left, right):
                return self.value(left).op(comparison, is_comparison=True)(self.value(right))
            case OneOf(of, values):
                return self.value(of) == any_(literal(list(values), ARRAY(TEXT)))
            case Like(of, pattern, ignore_case):
                text = self.value(of)
                if ignore_case:  # in collation "C" lower() folds ASCII letters only
                    return func.lower(text).like(func.lower(literal(pattern, TEXT)))
                return text.like(literal(pattern, TEXT))
            case AllOf(predicates):
                return and_(true(), *map(self.predicate, predicates))
            case AnyOf(predicates):
                return or_(false(), *map(self.predicate, predicates))
            case Not(negated):
                return not_(func.coalesce(self.predicate(negated), false()))
            case _:
                assert_never(predicate)


_over_events = SqlReader()
value_sql = _over_events.value
predicate_sql = _over_events.predicate


def _slice(text: Sql, start: int, length: int | None) -> Sql:
    """`right` and `left` do with a number below zero what a slice does."""
    rest = func.right(text, -start) if start < 0 else func.substr(text, start + 1)
    return (rest if length is None else func.left(rest, length)).collate("C")


def _text(path: Path, missing: str | None) -> Sql:
    kind, found = func.jsonb_typeof(_json(path)), _json_text(path)
    number = cast(func.trim_scale(cast(_json(path), Numeric)), SqlText)
    text = case(
        (kind.in_(("string", "boolean")), found),
        (kind == "number", number),
        else_=null() if missing is None else literal(missing, SqlText),
    )
    return text.collate("C")


def _number(path: Path, *, strings: bool) -> Sql:
    kind, found = func.jsonb_typeof(_json(path)), _json_text(path)
    # The type first: a pattern over every text costs half as much again. The branches are nested
    # because only a CASE promises that the cast waits for its test.
    spelled = case((found.op("~")(literal(_WHOLE_NUMBER_TEXT, SqlText)), cast(found, Numeric)))
    is_number = (kind == "number", cast(_json(path), Numeric))
    return case(is_number, (kind == "string", spelled)) if strings else case(is_number)


def _json(path: Path) -> Sql:
    """The jsonb value at `path`, NULL when absent."""
    names = [step for step in path.steps if isinstance(step, str)]
    # `->` with a text looks into objects only, and is fastest. With an integer it would take a
    # lone scalar for an array of one. A chain of many would make every statement long.
    if len(names) == len(path.steps) <= MEMBERS_MAX:
        return reduce(_member, names, event.c.data)
    return func.jsonb_path_query_first(
        event.c.data,
        cast(literal(_jsonpath(path), SqlText), JSONPATH),
        cast(literal("{}", SqlText), JSONB),
        true(),
        type_=JSONB,
    )


def _json_text(path: Path) -> Sql:
    return _json(path).op("#>>", return_type=TEXT)(cast(literal("{}", SqlText), ARRAY(SqlText)))


def _member(found: Sql, name: str) -> Sql:
    return found.op("->", return_type=JSONB())(literal(name, SqlText))


def _jsonpath(path: Path) -> str:
    """PostgreSQL's jsonpath: strict and silent, so that a step that misses gives NULL."""
    if any(isinstance(step, Each) for step in path.steps):
        return _first_scalar(path)
    return "strict $" + "".join(
        f"[{step}]" if isinstance(step, int) else f".{_quoted(str(step))}" for step in path.steps
    )


def _quoted(name: str) -> str:
    return '"{}"'.format("".join(c if c.isalnum() else f"\\u{{{ord(c):x}}}" for c in name))


def _first_scalar(path: Path) -> str:
    """The jsonpath for a path with `[*]`.

    Strict mode, since lax mode would look through arrays unasked; each step is guarded by a
    filter, since a strict path that misses would end the whole search.
    """
    parts = ["strict $"]
    for step in path.steps:
        if isinstance(step, Each):
            parts.append('? (@.type() == "array")[*]')
        elif isinstance(step, int):
            parts.append(f"? (exists (@[{step}]))[{step}]")
        else:
            parts.append(f"? (exists (@.{_quoted(step)})).{_quoted(step)}")
    parts.append('? (@.type() != "object" && @.type() != "array")')
    return " ".join(parts)


def _literal(value: object) -> Sql:
    match value:
        case bool():
            return literal(value, SqlBoolean)
        case Decimal():
            return literal(value, Numeric)
        case str():
            return literal(value, TEXT)
        case _:
            return literal(value, INSTANT)


def _text_form(value: Sql) -> Sql:
    if isinstance(value.type, Numeric):
        return cast(func.trim_scale(value), TEXT)
    return cast(value, TEXT)


def _joined(before: Sql, after: Sql) -> Sql:
    return before.op("||", return_type=TEXT)(after)


def _arithmetic(operation: str, left: Sql, right: Sql) -> Sql:
    match operation:
        case "/":
            ten = Decimal(10)
            cut = func.div(left * literal(ten**QUOTIENT_PLACES, Numeric), right, type_=Numeric())
            return case((right != 0, cut * literal(ten**-QUOTIENT_PLACES, Numeric)))
        case "%":
            return case((right != 0, func.mod(left, right, type_=Numeric())))
        case _:
            return left.op(operation, return_type=Numeric())(right)
