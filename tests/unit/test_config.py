"""Settings from flags and variables. The file has tests of its own."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from monometer.config import ConfigError, Settings, load_settings

SECRET = "s3cr3t"  # noqa: S105 (an example that must not appear in any message)


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def error_of(environ: Mapping[str, str], **flags: object) -> str:
    with pytest.raises(ConfigError) as caught:
        load_settings(environ, None, **flags)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings({})
    assert settings == Settings()
    assert settings.database_url is None
    assert (settings.host, settings.port) == ("127.0.0.1", 8888)
    assert settings.data_dir.is_absolute()
    assert settings.warnings == settings.notes == ()


def test_a_flag_outdoes_the_variable_and_none_is_no_flag() -> None:
    environ = {"MONOMETER_WORKERS": "3", "MONOMETER_ADDRESS": "[::1]:80"}
    settings = load_settings(environ, workers=2, address=None)
    assert (settings.workers, settings.address) == (2, "[::1]:80")


def test_own_variable_outdoes_the_plain_one() -> None:
    environ = {"DATABASE_URL": "postgres://h/plain", "MONOMETER_DATABASE_URL": "postgres://h/own"}
    assert load_settings(environ).database_url == "postgresql+asyncpg://h/own"
    del environ["MONOMETER_DATABASE_URL"]
    assert load_settings(environ).database_url == "postgresql+asyncpg://h/plain"


def test_an_empty_variable_counts_as_not_set() -> None:
    environ = dict.fromkeys(["MONOMETER_DATABASE_URL", "DATABASE_URL", "MONOMETER_WORKERS"], "")
    assert load_settings(environ) == Settings()


def test_every_setting_but_meters_has_its_variable() -> None:
    numbers = {
        name: "16"
        for name, field in Settings.model_fields.items()
        if field.annotation in (int, float) and not name.startswith(("queue_", "body_"))
    }
    environ = {f"MONOMETER_{name.upper()}": text for name, text in numbers.items()}
    settings = load_settings(environ)
    assert {name: getattr(settings, name) for name in numbers} == dict.fromkeys(numbers, 16)


def test_an_unknown_variable_of_ours_warns_and_others_do_not() -> None:
    settings = load_settings({"MONOMETER_WORKRES": "2", "PATH": "/bin"})
    assert settings.warnings == ("MONOMETER_WORKRES: no such setting, ignored",)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        (":8888", "0.0.0.0", 8888),  # noqa: S104 (the point of the example)
        ("0.0.0.0:80", "0.0.0.0", 80),  # noqa: S104 (the same)
        ("127.0.0.1:0", "127.0.0.1", 0),
        ("localhost:65535", "localhost", 65535),
        ("[::1]:8888", "::1", 8888),
        ("[::]:8888", "::", 8888),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    settings = load_settings({"MONOMETER_ADDRESS": text})
    assert (settings.host, settings.port) == (host, port)


@pytest.mark.parametrize(
    "text",
    ["8888", "localhost", "::1:8888", "[::1]", "h:65536", "h:-1", "h:٨", "1.2.3:80", "a b:80", "["],
)
def test_a_wrong_address_names_the_variable_and_the_value(text: str) -> None:
    message = error_of({"MONOMETER_ADDRESS": text})
    assert message.startswith("MONOMETER_ADDRESS: ")
    assert repr(text) in message


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("WORKERS", "0", "greater than or equal to 1"),
        ("WORKERS", "two", "integer"),
        ("WORKERS", "1.5", "integer"),
        ("BODY_BYTES_MAX", "-1", "greater than or equal to 1024"),
        ("BODY_BYTES_MAX", "16MiB", "integer"),
        ("POOL_WAIT_S", "0", "greater than 0"),
        ("POOL_WAIT_S", "nan", "finite"),
        ("QUERY_TIMEOUT_S", "inf", "finite"),
        ("LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("LOG_FORMAT", "xml", "'auto', 'json' or 'text'"),
        ("NAMESPACE", "a b", "pattern"),
        ("RESERVED_EVENT_TYPES", "ok,(", "not a regular expression"),
        ("QUEUE_EVENTS_MAX", "5", "queue_events_max must not be below batch_events_max"),
        ("BODY_BYTES_MAX", str(2**30), "queue_bytes_max must not be below body_bytes_max"),
    ],
)
def test_a_wrong_value_stops_with_one_line(name: str, text: str, reason: str) -> None:
    assert reason in error_of({f"MONOMETER_{name}": text})


def test_every_wrong_value_is_named_at_once() -> None:
    message = error_of({"MONOMETER_WORKERS": "0"}, address="nowhere")
    assert "MONOMETER_WORKERS: " in message
    assert "--address: " in message


def test_levels_and_formats_may_be_written_in_any_case() -> None:
    settings = load_settings({"MONOMETER_LOG_LEVEL": "WARN", "MONOMETER_LOG_FORMAT": "Json"})
    assert (settings.log_level, settings.log_format) == ("warning", "json")


def test_event_types_are_a_comma_separated_list() -> None:
    settings = load_settings({"MONOMETER_RESERVED_EVENT_TYPES": "^_ , sys[.],"})
    assert settings.reserved_event_types == ("^_", "sys[.]")


def test_a_relative_data_directory_is_fixed_to_where_the_start_was(tmp_path: Path) -> None:
    settings = load_settings({"MONOMETER_DATA_DIR": "some/where"})
    assert settings.data_dir == tmp_path / "some/where"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@h/d", "postgresql+asyncpg://u:p@h/d"),
        ("postgresql://u:p%40@h:1/d", "postgresql+asyncpg://u:p%40@h:1/d"),
        ("postgresql+asyncpg://h/d?ssl=require", "postgresql+asyncpg://h/d?ssl=require"),
        ("postgres://h/d?sslmode=disable", "postgresql+asyncpg://h/d?ssl=disable"),
        ("postgres:///d?host=/run/pg", "postgresql+asyncpg:///d?host=%2Frun%2Fpg"),
        ("postgres://u@:5433/d?host=/p", "postgresql+asyncpg://u@:5433/d?host=%2Fp"),
        ("postgres://h/d?channel_binding=require", "postgresql+asyncpg://h/d"),
        ("postgres://[::1]:5432/d", "postgresql+asyncpg://[::1]:5432/d"),
    ],
)
def test_database_urls(given: str, used: str) -> None:
    settings = load_settings({"DATABASE_URL": given})
    assert settings.database_url == used
    assert load_settings({"DATABASE_URL": used}).database_url == used


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        (f"mysql://u:{SECRET}@h/d", "scheme"),
        (f"postgresql+psycopg://u:{SECRET}@h/d", "scheme"),
        (f"postgres://u:{SECRET}@h:port/d", "not a PostgreSQL URL"),
        (f"postgres://u:{SECRET}@h:0/d", "port"),
        (f"postgres://u:{SECRET}@h", "database name is missing"),
        (f"postgres://u:{SECRET}@h/d?sslmode=maybe", "sslmode must be one of"),
        (f"postgres://u:{SECRET}@h/d?sslrootcert=/x", "PGSSLROOTCERT"),
        (f"postgres://u:{SECRET}@h/d?pool=5", "not supported: pool"),
        (SECRET, "not a PostgreSQL URL"),
    ],
)
def test_a_wrong_database_url_is_refused_without_being_shown(url: str, reason: str) -> None:
    message = error_of({"MONOMETER_DATABASE_URL": url})
    assert message.startswith("MONOMETER_DATABASE_URL: ")
    assert reason in message
    assert SECRET not in message


def test_a_password_is_in_no_representation() -> None:
    settings = load_settings({"DATABASE_URL": f"postgres://u:{SECRET}@h/d"})
    assert SECRET not in repr(settings)
    assert SECRET not in str(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().workers = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("address", "required"),
    [
        ("127.0.0.1:1", False),
        ("127.8.8.8:1", False),
        ("[::1]:1", False),
        ("localhost:1", False),
        ("LOCALHOST:1", False),
        (":1", True),
        ("0.0.0.0:1", True),
        ("[::]:1", True),
        ("192.168.1.1:1", True),
        ("localhost.example.com:1", True),
        ("metering.internal:1", True),
    ],
)
def test_keys_are_required_on_any_address_but_a_loopback_one(address: str, required: bool) -> None:
    assert load_settings({}, address=address).auth_required is required
    for auth in ("off", "required"):
        settings = load_settings({"MONOMETER_AUTH": auth}, address=address)
        assert settings.auth_required is (auth == "required")


@pytest.mark.parametrize("auth", ["no", "false", "on", "OFF ", "None"])
def test_switching_keys_off_takes_the_very_word(auth: str) -> None:
    assert error_of({"MONOMETER_AUTH": auth}).startswith("MONOMETER_AUTH: should be 'auto'")


@pytest.mark.parametrize("key", [SECRET, SECRET * 50, f"{SECRET} " * 5, SECRET * 5 + "\u00e9"])
def test_an_admin_key_that_may_not_be_is_not_shown(key: str) -> None:
    message = error_of({"MONOMETER_ADMIN_KEY": key})
    assert message.startswith("MONOMETER_ADMIN_KEY: ")
    assert SECRET not in message


def test_secrets_are_left_out_of_the_repr() -> None:
    assert SECRET not in repr(load_settings({"MONOMETER_ADMIN_KEY": SECRET * 6}))


@pytest.mark.parametrize("rate", ["100/second", "5 per minute", "1000/2hours"])
def test_rates(rate: str) -> None:
    assert load_settings({"MONOMETER_KEY_RATE_MAX": rate}).key_rate_max == rate


@pytest.mark.parametrize("rate", ["100", "fast", "/second", "0/second", "-1/second", "5/fortnight"])
def test_what_is_no_rate_is_refused(rate: str) -> None:
    message = error_of({"MONOMETER_KEY_RATE_MAX": rate})
    assert message.startswith("MONOMETER_KEY_RATE_MAX: must be a number and a time")
