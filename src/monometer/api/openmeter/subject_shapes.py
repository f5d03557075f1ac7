"""The shapes of subjects on the wire, and their conversions."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from monometer.api.event_data import SURROGATE, DataLimits, data_problem
from monometer.api.openmeter.filters import Ulid
from monometer.api.problems import MalformedRequest
from monometer.api.wire import STORABLE, Instant, instant_to_wire
from monometer.core import subject
from monometer.core.errors import FieldError
from monometer.core.event import TIME_END, TIME_MIN
from monometer.services.subjects import SubjectUpsert as WantedSubject

_EXAMPLE: dict[str, Any] = {
    "key": "customer-1",
    "displayName": "Customer One",
    "metadata": {"hubspotId": "123456"},
}


def _short(text: str) -> str:
    if len(text.encode()) > subject.KEY_BYTES_MAX:
        raise ValueError(f"must not be larger than {subject.KEY_BYTES_MAX} bytes")
    return text


def _storable_instant(at: datetime) -> datetime:
    if not TIME_MIN <= at < TIME_END:
        raise ValueError(f"must be from year {TIME_MIN.year} on and before {TIME_END.year}")
    return at


def _encodable(members: dict[str, Any]) -> dict[str, Any]:
    try:
        json.dumps(members, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ValueError(SURROGATE) from None
    except RecursionError:
        raise ValueError("is nested too deep") from None
    return members


SubjectKey = Annotated[str, Field(min_length=1), AfterValidator(_short), STORABLE]
_Name = Annotated[str, Field(max_length=subject.DISPLAY_NAME_CHARS_MAX), STORABLE]
_Members = Annotated[dict[str, Any], AfterValidator(_encodable)]
_Instant = Annotated[Instant, AfterValidator(_storable_instant)]


class SubjectUpsert(BaseModel):
    """What to say of a subject: a member that is left out stays, one that is null is cleared."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    key: SubjectKey = Field(description="What events call it.")
    displayName: _Name | None = None
    metadata: _Members | None = Field(None, description="Replaced as a whole.")
    currentPeriodStart: _Instant | None = None
    currentPeriodEnd: _Instant | None = None
    stripeCustomerId: _Name | None = Field(None, description="Begins with `cus_`.")


class Subject(BaseModel):
    """A subject as it is kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_EXAMPLE,
                    "id": "01KDV7B0000000000000000000",
                    "createdAt": "2026-01-01T00:00:00.123456Z",
                    "updatedAt": "2026-01-01T00:00:00.123456Z",
                }
            ]
        }
    )

    id: Ulid
    key: str
    displayName: str | None = None
    metadata: dict[str, Any] | None = None
    currentPeriodStart: Instant | None = None
    currentPeriodEnd: Instant | None = None
    stripeCustomerId: str | None = None
    createdAt: Instant
    updatedAt: Instant
    deletedAt: Instant | None = None


_NAMES = {
    "displayName": "display_name",
    "stripeCustomerId": "stripe_customer_id",
    "currentPeriodStart": "current_period_start",
    "currentPeriodEnd": "current_period_end",
}


class _Texts(msgspec.Struct):
    """What of an item is kept as the text that was sent, so that no digit is lost."""

    metadata: msgspec.Raw = msgspec.Raw(b"null")


_texts = msgspec.json.Decoder(list[_Texts])


def subject_upserts_from_wire(
    wire: Sequence[SubjectUpsert], body: bytes, limits: DataLimits
) -> list[WantedSubject]:
    """`body` is what `wire` was read from. Raises MalformedRequest for metadata above a limit."""
    try:
        texts = _texts.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedRequest(f"request body has an error: not valid JSON: {error}") from None
    return [
        WantedSubject(key=one.key, changes=dict(_changes(one, _metadata(i, text, limits))))
        for i, (one, text) in enumerate(zip(wire, texts, strict=True))
    ]


def _changes(wire: SubjectUpsert, metadata: str) -> Iterator[tuple[str, Any]]:
    for name in wire.model_fields_set:
        if name == "metadata":
            yield name, metadata
        elif name in _NAMES:
            yield _NAMES[name], getattr(wire, name)


def _metadata(index: int, text: _Texts, limits: DataLimits) -> str:
    raw = bytes(text.metadata)
    problem = data_problem(raw, limits)
    if problem is not None:
        field = FieldError(field=f"/{index}/metadata", message=problem)
        detail = f'request body has an error: Error at "{field.field}": {problem}'
        raise MalformedRequest(detail, [field])
    return "{}" if raw == b"null" else raw.decode()


def subject_to_wire(one: subject.Subject) -> dict[str, Any]:
    """`metadata` is always there; other unset members are left out."""
    instants = {
        "currentPeriodStart": one.current_period_start,
        "currentPeriodEnd": one.current_period_end,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "deletedAt": one.deleted_at,
    }
    optional = {
        "displayName": one.display_name,
        "stripeCustomerId": one.stripe_customer_id,
        **{name: at and instant_to_wire(at) for name, at in instants.items()},
    }
    return {
        "id": one.id,
        "key": one.key,
        "metadata": msgspec.Raw(one.metadata.encode()),
        **{name: value for name, value in optional.items() if value is not None},
    }
