"""The event of a consumption: an ordinary one, that counts for its feature exactly the amount."""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from monometer.core import jsonpath
from monometer.core.aggregation import Aggregation
from monometer.core.entitled import Entitled
from monometer.core.errors import FieldError, InvalidInput
from monometer.core.evaluation import ABSENT, Absent, Facts, evaluate, find, holds, number
from monometer.core.event import Event, Json, parse_json
from monometer.core.expression import Literal
from monometer.core.filter import predicate_of
from monometer.core.meter import Meter
from monometer.core.numbers import PLAIN_DIGITS_MAX, plain, storable

CONSUMABLE = (Aggregation.SUM, Aggregation.COUNT)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewConsumption:
    """What a request asks for; everything but the amount is an event's, in its normal form.

    None is what was left out: `time` is then that of the decision, `type` the meter's if it has
    one, `subject` the path's, and `amount` what `data` says.
    """

    id: str
    source: str
    type: str | None
    subject: str | None
    time: datetime | None
    data: str | None
    amount: Decimal | None
    dry_run: bool
    received_at: datetime


def check_consumable(meter: Meter) -> None:
    """Raises InvalidInput for an aggregation in which one event has no amount of its own."""
    if meter.aggregation not in CONSUMABLE:
        raise InvalidInput(
            f"features of meters with {meter.aggregation} cannot be consumed: "
            "ingest the event, and ask for the value"
        )


def event_of(found: Entitled, new: NewConsumption, *, subject: str, time: datetime) -> Event:
    """The event to store. Raises InvalidInput where it would not count for the feature.

    The feature has a meter that can be consumed.
    """
    meter = found.feature.meter
    assert meter is not None  # noqa: S101 - a metered entitlement's feature has one
    event_type = meter.event_type or new.type
    if event_type is None:
        raise _wrong("/type", "is needed, since the meter takes events of every type")
    if new.type not in {None, event_type}:
        raise _wrong("/type", f"must be the meter's event type, {event_type}, or be left out")
    if subject not in found.subjects:
        raise _wrong("/subject", "is no subject of the entitlement's owner")
    data = new.data
    if meter.value_property is not None:
        data = _with_amount(meter.value_property, data, new.amount)
    return Event(
        namespace=found.entitlement.namespace,
        id=new.id,
        source=new.source,
        type=event_type,
        subject=subject,
        time=time,
        data=data,
        ingested_at=new.received_at,
    )


def amount_of(found: Entitled, event: Event, asked: Decimal | None) -> Decimal:
    """How much the event counts for the feature. Raises InvalidInput unless that is what was asked.

    Also for an event that the feature's filters, or its meter, leave out.
    """
    measure = found.feature.measure()
    assert measure is not None  # noqa: S101 - as above
    facts = Facts(
        event, event.ingested_at, ABSENT if event.data is None else parse_json(event.data)
    )
    if measure.event_from is not None and event.time < measure.event_from:
        raise _wrong("/time", f"the meter takes events from {measure.event_from.isoformat()} on")
    for name, one in sorted(found.feature.filters.items()):
        if not holds(predicate_of(one, measure.groups.get(name, Literal(""))), facts):
            raise _wrong("/data", f"does not pass the feature's filter of {name}")
    if not holds(measure.where, facts):
        raise _wrong("/data", "does not pass the filters of the meter")
    counted = _ONE if measure.value is None else evaluate(measure.value, facts)
    if not isinstance(counted, Decimal):
        raise _wrong("/amount", "is missing, and so is a number in data where the meter reads it")
    if asked is not None and asked != counted:
        raise _wrong("/amount", f"is {plain(asked)}, but the event counts {plain(counted)}")
    if counted < 0 or not storable(counted):
        raise _wrong(
            "/amount" if asked is not None else "/data",
            f"must take an amount of 0 or more, of at most {PLAIN_DIGITS_MAX} digits "
            "before and after the point",
        )
    return counted


def _with_amount(value_property: str, data: str | None, amount: Decimal | None) -> str | None:
    """`data` as it was sent, with the amount put first where it has nothing at the meter's path."""
    parsed: Json = None if data is None else parse_json(data)
    path = jsonpath.parse(value_property)
    here = find(path, parsed)
    if amount is None:
        return data
    if not isinstance(here, Absent):
        if number(here, strings=True) is None:
            raise _wrong("/data", f"has no number at {value_property}")
        return data
    members = parsed if isinstance(parsed, dict) else {}
    names = [step for step in path.steps if isinstance(step, str)]
    if len(names) < len(path.steps) or not names or names[0] in members:
        raise _wrong("/data", f"must have the amount at {value_property} by itself")
    written = plain(amount)
    for name in reversed(names):
        written = f"{{{json.dumps(name)}:{written}}}"
    return f"{written[:-1]},{data[1:]}" if members and data is not None else written


def _wrong(field: str, message: str) -> InvalidInput:
    return InvalidInput(
        f'Error at "{field}": {message}', [FieldError(field=field, message=message)]
    )
