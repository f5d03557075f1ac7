"""The settings and what each may be: units in the names, limits in the fields."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

import limits
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel

from monometer.config.addresses import asyncpg_url, host_and_port, is_loopback
from monometer.core.access import NAMESPACE_PATTERN

KiB = 1024
MiB = 1024 * KiB
GiB = 1024 * MiB
YEAR_S = 366 * 24 * 3600
SECRET_BYTES_MIN = 32  # as many as the hash has: RFC 7518, section 3.2


class ConfigError(Exception):
    """The settings cannot be used. The message is one line naming the setting and the reason."""


class MeterConfig(BaseModel):
    """A meter as the configuration file gives it: types are checked here, a meter's rules are not.

    Reads and writes the file's own spelling (`eventType`); Python uses the field names.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    slug: str
    event_type: str
    aggregation: str
    name: str | None = None
    description: str | None = None
    value_property: str | None = None
    group_by: dict[str, str] = Field(default_factory=dict)
    event_from: AwareDatetime | None = None
    metadata: dict[str, str] = Field(default_factory=dict)


def _address(text: str) -> str:
    host_and_port(text)
    return text


def _absolute(path: Path) -> Path:
    """Made absolute at once, so that a worker in another directory finds the same data."""
    return path.expanduser().absolute()


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


def _rate(text: str) -> str:
    wrong = "must be a number and a time, as 100/second or 5000/hour"
    try:
        rate = limits.parse(text)
    except ValueError:
        raise ValueError(wrong) from None
    if rate.amount < 1 or rate.get_expiry() < 1:
        raise ValueError(wrong)
    return text


def _comma_separated(value: object) -> object:
    if isinstance(value, str):
        return tuple(part for part in (part.strip() for part in value.split(",")) if part)
    return value


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _log_level(value: object) -> object:
    level = _lower(value)
    return "warning" if level == "warn" else level


class Settings(BaseModel):
    """Everything the server may be told. Frozen; made by `load_settings`.

    Secrets (`database_url` holds a password) are left out of the repr and of every error.
    `warnings` and `notes` are for the caller to log at warning and info level.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: Annotated[str, AfterValidator(asyncpg_url)] | None = Field(None, repr=False)
    """PostgreSQL as `postgresql+asyncpg://...`; None starts the embedded one in `data_dir`."""
    data_dir: Annotated[Path, AfterValidator(_absolute)] = Field(
        default_factory=lambda: _absolute(Path("~/.local/share/monometer"))
    )
    address: Annotated[str, AfterValidator(_address)] = "127.0.0.1:8888"
    namespace: str = Field("default", pattern=NAMESPACE_PATTERN)
    workers: int = Field(1, ge=1, le=256)

    auth: Annotated[Literal["auto", "required", "off"], BeforeValidator(_lower)] = "auto"
    """Whether requests need an API key; `auto`: on every address but a loopback one."""
    admin_key: str | None = Field(None, pattern=r"^[\x21-\x7e]{32,256}$", repr=False)
    key_rate_max: Annotated[str, AfterValidator(_rate)] | None = None

    pool_connections_max: int = Field(10, ge=1, le=1000)
    pool_wait_s: float = Field(10, gt=0, le=600, allow_inf_nan=False)
    query_timeout_s: float = Field(30, gt=0, le=3600, allow_inf_nan=False)

    body_bytes_max: int = Field(16 * MiB, ge=KiB, le=GiB)
    batch_events_max: int = Field(10_000, ge=1, le=1_000_000)
    data_bytes_max: int = Field(256 * KiB, ge=1, le=64 * MiB)
    json_depth_max: int = Field(64, ge=1, le=500)
    text_bytes_max: int = Field(1024, ge=16, le=1200)
    query_rows_max: int = Field(1_000_000, ge=1, le=100_000_000)

    projections: bool = True

    queue_events_max: int = Field(100_000, ge=1, le=10_000_000)
    queue_bytes_max: int = Field(256 * MiB, ge=MiB, le=64 * GiB)
    flush_events_max: int = Field(10_000, ge=1, le=1_000_000)
    shutdown_grace_s: float = Field(30, ge=0, le=3600, allow_inf_nan=False)

    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(_log_level)
    ] = "info"
    log_format: Annotated[Literal["auto", "json", "text"], BeforeValidator(_lower)] = "auto"

    meters: tuple[MeterConfig, ...] = ()
    portal_enabled: bool | None = None
    """None: when there is a secret. An embedded database brings one."""
    portal_token_secret: Annotated[str | None, BeforeValidator(_none_if_empty)] = Field(
        None, repr=False
    )
    portal_token_expiration_s: float = Field(3600, ge=1, le=YEAR_S, allow_inf_nan=False)
    portal_cors: bool = True

    reserved_event_types: Annotated[
        tuple[Annotated[str, AfterValidator(_regex)], ...], BeforeValidator(_comma_separated)
    ] = ()

    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        """The host part of `address`; `:8888` means every IPv4 address, `0.0.0.0`."""
        return host_and_port(self.address)[0]

    @property
    def port(self) -> int:
        """The port part of `address`; 0 lets the system choose."""
        return host_and_port(self.address)[1]

    @property
    def auth_required(self) -> bool:
        return self.auth == "required" or (self.auth == "auto" and self.exposed)

    @property
    def exposed(self) -> bool:
        """Whether others than this machine may reach the server."""
        return not is_loopback(self.host)

    @property
    def portal_secret(self) -> str | None:
        """What portal tokens are signed with; None while the portal is disabled."""
        return None if self.portal_enabled is False else self.portal_token_secret

    @model_validator(mode="after")
    def _secret_is_there_and_long(self) -> Self:
        """A token can be tried against short secrets by whoever holds it, at leisure."""
        secret = self.portal_secret
        if secret is not None and len(secret.encode(errors="replace")) < SECRET_BYTES_MIN:
            raise ValueError(
                f"portal_token_secret must have at least {SECRET_BYTES_MIN} bytes"
                " (or portal_enabled be false)"
            )
        if self.portal_enabled and secret is None and self.database_url is not None:
            raise ValueError("portal_token_secret is required when portal_enabled is true")
        return self

    @model_validator(mode="after")
    def _queue_takes_any_request(self) -> Self:
        """A request within the limits must fit the empty queue, or it would wait for ever."""
        if self.queue_events_max < self.batch_events_max:
            raise ValueError("queue_events_max must not be below batch_events_max")
        if self.queue_bytes_max < self.body_bytes_max:
            raise ValueError("queue_bytes_max must not be below body_bytes_max")
        return self
