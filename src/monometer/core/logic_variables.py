"""What a rule of JSON-logic can name: constants, and variables of an event."""

from decimal import Decimal

from monometer.core import jsonpath
from monometer.core.event import Json
from monometer.core.expression import (
    Attribute,
    Boolean,
    Case,
    Compare,
    Epoch,
    Kind,
    Literal,
    Number,
    Text,
)
from monometer.core.jsonpath import Path
from monometer.core.logic_values import ALWAYS, NULL, Piece
from monometer.core.numbers import number_of_text

TIMESTAMP = Epoch(Attribute("time"), whole=False)
_OWN = {"accountId": Attribute("subject"), "id": Attribute("id")}
_NUMBERS, _TEXTS = {"attributes", "attribute"}, {"dimensions", "dimension"}


def of_event(name: str) -> Piece | None:
    """A variable of the event itself; None where there is none of that name."""
    if name in _OWN:
        return Piece(text=_OWN[name])
    if name == "timestamp":
        return Piece(instant=TIMESTAMP)
    where, _, rest = name.partition(".")
    if rest and where in _NUMBERS:
        return Piece(number=Number(Path(("attributes", rest))))
    if rest and where in _TEXTS:
        path = Path(("dimensions", rest))
        is_text = Compare("=", Kind(path), Literal("string"))
        spelled = Case(((is_text, Number(path)),))
        return Piece(text=Case(((is_text, Text(path)),)), spelled=spelled)
    if not name.startswith(("data.", "data[")):
        return None
    path = jsonpath.parse("$" + name.removeprefix("data"))  # as the value property of a meter
    is_text = Compare("=", Kind(path), Literal("string"))
    flag = Boolean(path)
    return Piece(
        number=Number(path, strings=False),
        text=Case(((is_text, Text(path)),)),
        spelled=Case(((is_text, Number(path)),)),
        true=Compare("=", flag, Literal(True)),
        false=Compare("=", flag, Literal(False)),
    )


def constant(value: Json) -> Piece:
    match value:
        case bool():
            return Piece(true=ALWAYS) if value else Piece(false=ALWAYS)
        case Decimal():
            return Piece(number=Literal(value))
        case str():
            number = number_of_text(value)
            return Piece(text=Literal(value), spelled=None if number is None else Literal(number))
        case _:
            return NULL
