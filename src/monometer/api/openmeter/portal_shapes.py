"""The shapes of portal tokens on the wire, and their conversions."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from monometer.api.openmeter.filters import Ulid
from monometer.api.wire import STORABLE, Instant, instant_to_wire
from monometer.core.portal import TEXT_CHARS_MAX
from monometer.core.portal import PortalToken as RecordedToken

SLUGS_MAX = 100

_READ_ONLY: dict[str, Any] = {"readOnly": True}
_MADE_HERE = ("id", "token", "createdAt", "expired")

TOKEN_EXAMPLE: dict[str, Any] = {
    "id": "01KDV7B0000000000000000000",
    "subject": "customer-1",
    "allowedMeterSlugs": ["tokens_total"],
    "createdAt": "2026-01-01T00:00:00.123456Z",
    "expiresAt": "2026-01-01T01:00:00Z",
}

Slug = Annotated[str, Field(min_length=1), STORABLE]


class PortalToken(BaseModel):
    """Opens the usage of one subject until it expires."""

    model_config = ConfigDict(json_schema_extra={"examples": [TOKEN_EXAMPLE]})

    id: Ulid | None = Field(None, json_schema_extra=_READ_ONLY)
    subject: Annotated[str, Field(min_length=1), STORABLE]
    allowedMeterSlugs: list[str] | None = Field(None, description="Every meter when empty.")
    expiresAt: Instant | None = Field(None, description="In whole seconds.")
    expired: bool | None = Field(
        None,
        json_schema_extra=_READ_ONLY,
        description="True when it opens nothing any more; else left out.",
    )
    createdAt: Instant | None = Field(None, json_schema_extra=_READ_ONLY)
    token: str | None = Field(
        None, json_schema_extra=_READ_ONLY, description="Told once, when it is made."
    )


class PortalTokenCreate(PortalToken):
    """A token as it is asked for. Members that are made here are ignored."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"subject": "customer-1", "allowedMeterSlugs": ["tokens_total"]}]
        }
    )

    allowedMeterSlugs: list[Slug] | None = Field(
        None, min_length=1, max_length=SLUGS_MAX, description="Every meter when left out."
    )
    expiresAt: Instant | None = Field(
        None, description="Cut to whole seconds. When left out, the server's setting decides."
    )

    @model_validator(mode="before")
    @classmethod
    def _made_here(cls, members: object) -> object:
        if isinstance(members, dict):
            return {name: value for name, value in members.items() if name not in _MADE_HERE}
        return members


class PortalTokenInvalidation(BaseModel):
    """Which tokens: those of an id, of a subject, of both, or all of them when it is empty.

    Null and unknown members are refused: a name that got lost must not end every token.
    """

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"subject": "customer-1"}, {}]}
    )

    id: Annotated[str, Field(min_length=1, max_length=TEXT_CHARS_MAX), STORABLE] = Field(
        default_factory=str
    )
    subject: Annotated[str, Field(min_length=1), STORABLE] = Field(default_factory=str)


def token_to_wire(token: RecordedToken, now: datetime, text: str | None = None) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "id": token.id,
        "subject": token.subject,
        "allowedMeterSlugs": list(token.slugs),
        "createdAt": instant_to_wire(token.created_at),
        "expiresAt": instant_to_wire(token.expires_at),
    }
    if token.is_over(now):
        wire["expired"] = True
    if text is not None:
        wire["token"] = text
    return wire
