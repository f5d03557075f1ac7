"""The shapes of consumptions on the wire, and their conversions."""

from decimal import Decimal
from typing import Annotated, Any

import msgspec
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from monometer.api.openmeter.cloudevents import (
    Reception,
    Rejected,
    WireEvent,
    normal_form,
    rejection,
)
from monometer.api.problems import MalformedRequest
from monometer.api.wire import Instant, Number, left_out, number_to_wire
from monometer.core.consumed_event import NewConsumption
from monometer.core.consumption import Decision
from monometer.core.errors import FieldError
from monometer.core.numbers import NUMBER_TEXT, PLAIN_DIGITS_MAX, number_of_text, storable

AMOUNT_CHARS_MAX = 2 * PLAIN_DIGITS_MAX + 100  # and point, sign, exponent, blanks
_EXAMPLE: dict[str, Any] = {
    "id": "5c10fade-1c9e-4d6c-8275-c52c36731d3c",
    "source": "api-gateway",
    "amount": 20,
    "data": {"model": "gpt-4"},
}
_RESULT: dict[str, Any] = {
    "allowed": True,
    "hasAccess": True,
    "amount": 20,
    "exceedsLimit": False,
    "duplicate": False,
    "balance": 15,
    "usage": 65,
    "overage": 0,
    "totalAvailableGrantAmount": 80,
}


class ConsumptionInput(BaseModel):
    """A CloudEvent, and what it takes. (source, id) is unique among all events."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str = Field(min_length=1, description="Unique among the events of its source.")
    source: str = Field(min_length=1, description="What sent it, best as a URI reference.")
    type: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="The meter's event type, and no other."
    )
    subject: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="One of the owner's. Left out, the path's; of a customer its key, or without "
        "one its first subject key.",
    )
    time: Instant | None = Field(
        None, description="In the usage period up to the running minute. Left out, now."
    )
    data: dict[str, Any] | None = Field(None, description="What the meter reads.")
    amount: Annotated[
        Decimal,
        WithJsonSchema(
            {"anyOf": [{"type": "number", "minimum": 0},
                       {"type": "string", "pattern": f"^{NUMBER_TEXT}$"}, {"type": "null"}]}
        ),
    ] | None = Field(
        None,
        description="What it takes. Left out, what data says; of COUNT one. Where data has nothing "
        "at the meter's value property, it is written there.",
    )  # fmt: skip
    dryRun: bool = Field(False, description="Decide, and store nothing.")


class ConsumptionResult(BaseModel):
    """Whether it was taken, and the balance: what is left, or what was not enough."""

    model_config = ConfigDict(json_schema_extra={"examples": [_RESULT]})

    allowed: bool = Field(description="Only then the event is stored.")
    hasAccess: bool = Field(description="As the value says it, after this.")
    amount: Number
    exceedsLimit: bool = Field(
        description="Credit does not cover all of the amount. A soft limit allows it all the same."
    )
    duplicate: bool = Field(description="This was decided earlier: the first answer.")
    balance: Number = left_out()
    usage: Number = left_out()
    overage: Number = left_out()
    totalAvailableGrantAmount: Number = left_out()


CONSUME_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/ConsumptionInput"},
                "example": _EXAMPLE,
            }
        },
    }
}


class _WireConsumption(msgspec.Struct):
    id: str
    source: str
    specversion: str = "1.0"
    type: str | None = None
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    data: msgspec.Raw = msgspec.Raw()
    data_base64: msgspec.Raw = msgspec.Raw()
    amount: msgspec.Raw = msgspec.Raw()
    dryRun: bool = False


_decode = msgspec.json.Decoder(_WireConsumption).decode
_SOME = "-"  # for an attribute that was left out and is told later


def new_consumption_from_wire(body: bytes, reception: Reception) -> NewConsumption:
    """By the rules of ingest. Raises MalformedRequest, naming the field."""
    try:
        wire = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(rejection(error, body)) from None
    one = normal_form(
        WireEvent(
            id=wire.id,
            source=wire.source,
            specversion=wire.specversion,
            type=_SOME if wire.type is None else wire.type,
            subject=_SOME if wire.subject is None else wire.subject,
            time=wire.time,
            datacontenttype=wire.datacontenttype,
            data=wire.data,
            **({"data_base64": wire.data_base64} if bytes(wire.data_base64) else {}),
        ),
        reception,
    )
    if isinstance(one, Rejected):
        raise _refusal(one)
    return NewConsumption(
        id=one.id,
        source=one.source,
        type=wire.type,
        subject=wire.subject,
        time=None if wire.time is None else one.time,
        data=one.data,
        amount=_amount(bytes(wire.amount)),
        dry_run=wire.dryRun,
        received_at=reception.now,
    )


def _amount(raw: bytes) -> Decimal | None:
    """A number, or a text that spells one. Raises MalformedRequest."""
    if raw in {b"", b"null"}:
        return None
    problem = "must be a number, or a text that spells one"
    try:
        if len(raw) <= AMOUNT_CHARS_MAX:
            is_text = raw[:1] == b'"'
            amount = number_of_text(msgspec.json.decode(raw)) if is_text else Decimal(raw.decode())
            problem = "must be 0 or more" if amount is not None and amount < 0 else problem
            if amount is not None and amount >= 0 and storable(amount):
                return amount
    except (ArithmeticError, ValueError, msgspec.MsgspecError):
        pass
    if len(raw) > AMOUNT_CHARS_MAX or problem.startswith("must be a number"):
        problem += f", of at most {PLAIN_DIGITS_MAX} digits before and after the point"
    raise _refusal(Rejected("/amount", problem))


def _refusal(rejected: Rejected) -> MalformedRequest:
    return MalformedRequest(
        f'request body has an error: Error at "{rejected.field}": {rejected.reason}',
        [FieldError(field=rejected.field, message=rejected.reason)],
    )


def decision_to_wire(decision: Decision) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "allowed": decision.allowed,
        "hasAccess": decision.has_access,
        "amount": number_to_wire(decision.amount),
        "exceedsLimit": decision.exceeds_limit,
        "duplicate": decision.duplicate,
    }
    standing = decision.standing
    if standing is not None:
        wire |= {
            "balance": number_to_wire(standing.balance),
            "usage": number_to_wire(standing.usage),
            "overage": number_to_wire(standing.overage),
            "totalAvailableGrantAmount": number_to_wire(standing.total_available),
        }
    return wire
