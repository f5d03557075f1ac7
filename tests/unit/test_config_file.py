"""OpenMeter's configuration file and its variables."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monometer.config import ConfigError, MeterConfig, Settings, load_settings

SECRET = "s3cr3t"  # noqa: S105 (an example that must not appear in any message)
WHOLE = """
Address: ":9999"
environment: production
namespace: {default: acme, disableManagement: true}
postgres: {host: db, port: 5433, database: om, user: us, password: "p@ss", autoMigrate: ent}
reservedEventTypes: ["^_"]
telemetry:
  address: ":10000"
  log: {level: WARN, format: tint}
termination: {gracefulShutdownTimeout: 1m30s, checkInterval: 1s}
portal:
  enabled: true
  tokenSecret: s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t
  tokenExpiration: 1h30m
  cors: {enabled: false}
ingest: {kafka: {broker: "127.0.0.1:29092"}}
aggregation: {clickhouse: {address: "127.0.0.1:9000"}}
meters:
  - slug: tokens
    description: AI tokens
    eventtype: prompt
    aggregation: SUM
    valueProperty: $.tokens
    groupBy: {modelName: $.model}
    eventFrom: 2024-01-01T00:00:00Z
    metadata: {team: core}
  - {slug: calls, eventType: call, aggregation: COUNT}
"""


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def load(text: str, name: str = "om.yaml", **environ: str) -> Settings:
    path = Path(name)
    path.write_text(text)
    return load_settings(environ, path)


def error_of(text: str, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(text, **environ)
    message = str(caught.value)
    assert "\n" not in message
    assert SECRET not in message
    return message


def test_every_key_with_a_meaning_here_is_read() -> None:
    settings = load(WHOLE)
    assert settings == Settings(
        address=":9999",
        namespace="acme",
        database_url="postgresql://us:p%40ss@db:5433/om",
        reserved_event_types=("^_",),
        log_level="warning",
        log_format="text",
        shutdown_grace_s=90,
        portal_enabled=True,
        portal_token_secret="-".join([SECRET] * 5),
        portal_token_expiration_s=5400,
        portal_cors=False,
        meters=(
            MeterConfig(
                slug="tokens",
                description="AI tokens",
                event_type="prompt",
                aggregation="SUM",
                value_property="$.tokens",
                group_by={"modelName": "$.model"},
                event_from=datetime(2024, 1, 1, tzinfo=UTC),
                metadata={"team": "core"},
            ),
            MeterConfig(slug="calls", event_type="call", aggregation="COUNT"),
        ),
        notes=settings.notes,
    )


def test_known_keys_without_meaning_make_one_note_and_no_warning() -> None:
    settings = load(WHOLE)
    assert settings.warnings == ()
    (note,) = settings.notes
    assert note.endswith(
        "aggregation, environment, ingest, namespace.disablemanagement, postgres.automigrate,"
        " telemetry.address, termination.checkinterval"
    )


def test_unknown_keys_warn_with_their_place() -> None:
    settings = load(
        "addr: x\npostgres: {hots: y}\n"
        "meters: [{slug: a, eventType: b, aggregation: COUNT, id: i, windowSize: DAY, colour: red}]"
    )
    assert settings.warnings == (
        "om.yaml: addr: unknown key, ignored",
        "om.yaml: postgres.hots: unknown key, ignored",
        "om.yaml: meters[0].id: has no meaning here, ignored",
        "om.yaml: meters[0].windowSize: has no meaning here, ignored",
        "om.yaml: meters[0].colour: unknown key, ignored",
    )


def test_json_and_toml_are_read_too() -> None:
    assert load(json.dumps({"namespace": {"default": "j"}}), "c.json").namespace == "j"
    assert load('[namespace]\ndefault = "t"', "c.toml").namespace == "t"


def test_a_file_in_the_working_directory_is_read_unless_another_is_named() -> None:
    Path("config.yaml").write_text("namespace: {default: here}")
    Path("other.yaml").write_text("namespace: {default: other}")
    assert load_settings({}).namespace == "here"
    assert load_settings({"MONOMETER_CONFIG": "other.yaml"}).namespace == "other"
    named = load_settings({"MONOMETER_CONFIG": "missing.yaml"}, Path("other.yaml"))
    assert named.namespace == "other"


def test_precedence_is_flag_own_variable_openmeters_variable_file() -> None:
    path = Path("om.yaml")
    path.write_text("address: ':1'")
    environ = {"ADDRESS": ":2", "MONOMETER_ADDRESS": ":3"}
    assert load_settings({}, path).port == 1
    assert load_settings({"ADDRESS": ":2"}, path).port == 2
    assert load_settings(environ, path).port == 3
    assert load_settings(environ, path, address=":4").port == 4


def test_openmeters_variables_are_read_beside_a_file_only() -> None:
    environ = {
        "ADDRESS": "221b Baker Street",
        "POSTGRES_URL": "postgres://h/d",
        "TELEMETRY_LOG_LEVEL": "debug",
    }
    assert load_settings(environ) == Settings()
    environ["ADDRESS"] = ":5"
    settings = load("{}", **environ)
    assert (settings.port, settings.log_level) == (5, "debug")
    assert settings.database_url == "postgresql+asyncpg://h/d"


def test_an_empty_variable_of_openmeter_counts_as_set() -> None:
    settings = load("postgres: {url: 'postgres://h/d'}", POSTGRES_URL="")
    assert settings.database_url is None
    assert error_of("address: ':1'", ADDRESS="").startswith("ADDRESS: ")


def test_an_empty_file_says_nothing() -> None:
    assert load("") == load("# nothing\n") == load("postgres:\nmeters:\n") == Settings()


def test_a_unix_socket_may_be_the_host() -> None:
    settings = load("postgres: {host: /run/pg, database: d, options: {sslmode: disable}}")
    assert settings.database_url == "postgresql+asyncpg://:5432/d?host=%2Frun%2Fpg&ssl=disable"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("address: 8888", "om.yaml: address: should be a valid string, got '8888'"),
        ("address: {a: 1}", "om.yaml: address: should be a valid string"),
        ("postgres: 5", "om.yaml: postgres: must be a mapping of keys to values"),
        ("- a", "om.yaml: top level: must be a mapping of keys to values"),
        ("meters: {a: 1}", "om.yaml: meters: must be a list of meters"),
        ("meters: [a]", "om.yaml: meters[0]: must be a mapping of keys to values"),
        ("telemetry: {log: {format: xml}}", "om.yaml: telemetry.log.format: must be one of"),
        (
            "termination: {gracefulShutdownTimeout: 30}",
            "om.yaml: termination.gracefulshutdowntimeout: must be a duration such as 30s",
        ),
        ("postgres: {host: h}", "postgres.database: required"),
        ("postgres: {database: d}", "postgres.host: required"),
        (
            f"postgres: {{url: 'postgres://u:{SECRET}@h/d', host: h}}",
            "om.yaml: postgres.host: give either postgres.url or its parts, not both",
        ),
        (
            f"postgres: {{host: h, database: d, password: {SECRET}, port: x}}",
            "om.yaml: postgres.port: must be a port",
        ),
        (
            f"postgres: {{url: 'mysql://u:{SECRET}@h/d'}}",
            "om.yaml: postgres.url: the scheme must be postgresql://",
        ),
        (
            f"postgres: {{host: h, database: d, password: {SECRET}, options: {{pool: 1}}}}",
            "om.yaml: postgres.host: parameter not supported: pool",
        ),
        ("a: [", "om.yaml, line 1, column 5: not YAML"),
        ("a: !!python/object:os.system {}", "om.yaml, line 1, column 4: not YAML"),
    ],
)
def test_a_wrong_file_stops_with_one_line(text: str, message: str) -> None:
    assert error_of(text).startswith(message)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("aggregation: SUM", "meters[0].slug: Field required"),
        ("slug: 7", "meters[0].slug: should be a valid string, got '7'"),
        ("slug: a, groupBy: [x]", "meters[0].groupBy: should be a valid dictionary"),
        ("slug: a, groupBy: {x: 1}", "meters[0].groupBy.x: should be a valid string"),
        ("slug: a, eventFrom: 2024-01-01T00:00:00", "meters[0].eventFrom: should have timezone"),
        ("slug: a, eventFrom: soon", "meters[0].eventFrom: should be a valid datetime"),
    ],
)
def test_a_wrong_type_in_a_meter_is_named_by_its_place(keys: str, message: str) -> None:
    assert f"om.yaml: {message}" in error_of(f"meters: [{{eventType: e, {keys}}}]")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^nowhere\.yaml: no such file$"):
        load_settings({}, Path("nowhere.yaml"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_settings({}, tmp_path)
    Path("latin.yaml").write_bytes(b"a: \xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings({}, Path("latin.yaml"))
    Path("bad.json").write_text("{")
    with pytest.raises(ConfigError, match=r"^bad\.json: cannot be parsed"):
        load_settings({}, Path("bad.json"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("59m60s", 3600), ("1.5m", 90), ("500ms", 0.5), ("0", 0), (".5s", 0.5)],
)
def test_durations(text: str, seconds: float) -> None:
    settings = load(f"termination: {{gracefulShutdownTimeout: '{text}'}}")
    assert settings.shutdown_grace_s == pytest.approx(seconds)


def test_portals_variables_outdo_the_file() -> None:
    settings = load(
        WHOLE, PORTAL_ENABLED="false", PORTAL_TOKENSECRET="", PORTAL_CORS_ENABLED="true"
    )
    assert (settings.portal_secret, settings.portal_token_secret) == (None, None)
    assert settings.portal_cors


def test_short_secret_is_refused_unless_the_portal_is_off() -> None:
    short = f"portal: {{tokenSecret: {SECRET}}}"
    assert "must have at least 32 bytes" in error_of(short)
    assert load(short, PORTAL_ENABLED="false").portal_secret is None


def test_enabled_portal_needs_a_secret_on_a_database_of_ones_own() -> None:
    enabled = "portal: {enabled: true}"
    assert load(enabled).portal_enabled  # the embedded database brings one
    assert "portal_token_secret is required" in error_of(enabled, DATABASE_URL="postgresql://db/om")


def test_secret_is_in_no_text_of_the_settings() -> None:
    settings = load(WHOLE)
    assert SECRET not in f"{settings!r}{settings}"
    wrong = f"portal: {{tokenSecret: [{SECRET}]}}"
    assert "portal.tokensecret: should be a valid string" in error_of(wrong)
