"""OpenMeter's `config.yaml` (or JSON, or TOML) and its variables, read into our settings."""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from monometer.config.openmeter_values import (
    IGNORED_METER_KEYS,
    METER_KEYS,
    duration_s,
    log_format,
    postgres_url,
)
from monometer.config.settings import ConfigError
from monometer.config.sources import Found

# File key, in lower case → our field. Keys are compared without regard to case.
FIELDS = {
    "address": "address",
    "namespace.default": "namespace",
    "meters": "meters",
    "portal.enabled": "portal_enabled",
    "portal.tokensecret": "portal_token_secret",
    "portal.tokenexpiration": "portal_token_expiration_s",
    "portal.cors.enabled": "portal_cors",
    "reservedeventtypes": "reserved_event_types",
    "telemetry.log.level": "log_level",
    "telemetry.log.format": "log_format",
    "termination.gracefulshutdowntimeout": "shutdown_grace_s",
}
POSTGRES = ("url", "host", "port", "database", "user", "password")
OPTIONS = "postgres.options"
TAKEN = frozenset(FIELDS) | {f"postgres.{key}" for key in POSTGRES} | {OPTIONS}
# OpenMeter's keys for things that do not exist here: known, so no warning; one note names them.
WITHOUT_MEANING = frozenset(
    {
        "aggregation",
        "apps",
        "balanceworker",
        "billing",
        "credits",
        "customer",
        "dedupe",
        "entitlements",
        "environment",
        "events",
        "featuregate",
        "ingest",
        "namespace.disablemanagement",
        "notification",
        "postgres.automigrate",
        "productcatalog",
        "progressmanager",
        "server",
        "sink",
        "svix",
        "taxcode",
        "telemetry.address",
        "telemetry.log.exporters",
        "telemetry.metrics",
        "telemetry.trace",
        "termination.checkinterval",
        "termination.propagationtimeout",
        "unitconfig",
    }
)
CONVERSIONS = {
    "log_format": log_format,
    "shutdown_grace_s": duration_s,
    "portal_token_expiration_s": duration_s,
}


def read_openmeter_file(
    path: Path, environ: Mapping[str, str]
) -> tuple[dict[str, Found], tuple[str, ...], tuple[str, ...]]:
    """Our settings by field, warnings (unknown keys) and notes (keys without meaning here).

    A variable named like the key path (`postgres.url` → `POSTGRES_URL`) outdoes the file, even an
    empty one. Lists of objects and `postgres.options` come from the file only.
    Raises ConfigError. Source of the keys and rules: OpenMeter's configuration reference.
    """
    leaves = dict(_leaves(_parsed(path), "", path))
    unknown = [key for key in leaves if key not in TAKEN and not _without_meaning(key)]
    ignored = sorted(set(filter(None, map(_without_meaning, leaves))))
    raw = {key: Found(leaves[key], f"{path}: {key}") for key in leaves if key in TAKEN}
    for key in TAKEN - {"meters", OPTIONS}:
        variable = key.upper().replace(".", "_")
        if variable in environ:
            raw[key] = Found(environ[variable], variable)

    found = {FIELDS[key]: value for key, value in raw.items() if key in FIELDS}
    postgres = {key: raw[f"postgres.{key}"] for key in POSTGRES if f"postgres.{key}" in raw}
    if url := postgres_url(postgres, raw.get(OPTIONS)):
        found["database_url"] = url
    for field, convert in CONVERSIONS.items():
        if field in found:
            found[field] = convert(found[field])
    warnings = [f"{path}: {key}: unknown key, ignored" for key in unknown]
    if "meters" in found:
        found["meters"], more = _meters(found["meters"])
        warnings += more
    note = f"{path}: OpenMeter keys without meaning here, ignored: {', '.join(ignored)}"
    return found, tuple(warnings), (note,) if ignored else ()


def _parsed(path: Path) -> object:
    """The file as Python values. The parsers' messages are cut to one line without the content."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    try:
        if path.suffix == ".toml":
            return tomllib.loads(text)
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ConfigError(f"{path}{place}: not YAML: {error.problem}") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        first_line = str(error).partition("\n")[0]
        raise ConfigError(f"{path}: cannot be parsed: {first_line}") from None


def _leaves(node: object, prefix: str, path: Path) -> Iterator[tuple[str, object]]:
    """Dotted lower-case key and value of each setting; a key without value counts as absent."""
    if node is None:
        return
    if not isinstance(node, dict):
        raise ConfigError(f"{path}: {prefix or 'top level'}: must be a mapping of keys to values")
    for key, value in node.items():
        name = f"{prefix}.{key}".removeprefix(".").lower()
        is_section = any(taken.startswith(f"{name}.") for taken in TAKEN)
        if is_section and name not in TAKEN:
            yield from _leaves(value, name, path)
        elif value is not None:
            yield name, value


def _without_meaning(key: str) -> str | None:
    """The entry of WITHOUT_MEANING that covers the key, if there is one."""
    covers = (known for known in WITHOUT_MEANING if f"{key}.".startswith(f"{known}."))
    return next(covers, None)


def _meters(given: Found) -> tuple[Found, list[str]]:
    """Meters with their keys in OpenMeter's spelling, and warnings; types are checked later."""
    if not isinstance(given.value, list):
        raise ConfigError(f"{given.origin}: must be a list of meters")
    meters: list[dict[str, object]] = []
    warnings: list[str] = []
    for index, meter in enumerate(given.value):
        place = f"{given.origin}[{index}]"
        if not isinstance(meter, dict):
            raise ConfigError(f"{place}: must be a mapping of keys to values")
        known: dict[str, object] = {}
        for key, value in meter.items():
            if spelling := METER_KEYS.get(str(key).lower()):
                known |= {spelling: value} if value is not None else {}
            else:
                reason = "has no meaning here" if str(key).lower() in IGNORED_METER_KEYS else None
                warnings.append(f"{place}.{key}: {reason or 'unknown key'}, ignored")
        meters.append(known)
    return given._replace(value=tuple(meters)), warnings
