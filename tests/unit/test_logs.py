"""What a record looks like, whoever writes it. Each test reads the log of a process of its own."""

import json
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import logging, sys, warnings
import structlog
from monometer import logs

early = structlog.get_logger("early")
logs.configure(sys.argv[1], sys.argv[2])
log = structlog.get_logger("ours")
password = "s3cr3t"
log.debug("quiet")
token = logs.REQUEST_ID.set("r-1")
log.info("stored", events=3)
logging.getLogger("asyncpg").warning("lost %s", "one")
logging.getLogger("uvicorn.error").info("up", extra={"color_message": "[1mup[0m"})
logs.REQUEST_ID.reset(token)
log.info("two" + chr(10) + "lines", odd=object, surrogate=chr(0xD800))
early.info("from before")
logging.getLogger("httpx").info("noise")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("failed")
warnings.warn("old")
if logging.getLogger("uvicorn.access").hasHandlers():
    log.error("uvicorn makes records of requests too")
"""


def written(level: str, log_format: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, level, log_format],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout == ""
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    """The script's records as JSON: not a terminal, so `auto` means JSON."""
    return [json.loads(line) for line in written("info", "auto")]


def test_every_record_is_one_line_of_json_with_time_level_and_logger(
    records: list[dict[str, Any]],
) -> None:
    for record in records:
        assert record["timestamp"].endswith("Z")
        assert record["timestamp"][10] == "T"
        assert record["level"] in {"info", "warning", "error"}
        assert record["logger"]
    events = [record["event"] for record in records]
    assert events[:6] == ["stored", "lost one", "up", "two\nlines", "from before", "failed"]


def test_the_request_id_is_in_every_record_of_the_request(records: list[dict[str, Any]]) -> None:
    ids = [record.get("request_id") for record in records]
    assert ids[:4] == ["r-1", "r-1", "r-1", None]


def test_values_are_fields_and_odd_ones_do_no_harm(records: list[dict[str, Any]]) -> None:
    assert records[0]["events"] == 3
    assert records[3]["odd"] == "<class 'object'>"
    assert "color_message" not in records[2]


def test_a_traceback_is_data_without_local_variables(records: list[dict[str, Any]]) -> None:
    (exception,) = records[5]["exception"]
    assert exception["exc_type"] == "ZeroDivisionError"
    assert exception["frames"]
    assert "s3cr3t" not in json.dumps(records)


def test_a_warning_is_a_record(records: list[dict[str, Any]]) -> None:
    assert "UserWarning: old" in records[6]["event"]
    assert len(records) == 7


def test_the_level_is_the_lowest_that_is_written() -> None:
    assert [json.loads(line)["level"] for line in written("error", "json")] == ["error"]
    assert [json.loads(line)["event"] for line in written("debug", "json")].count("quiet") == 1


def test_text_is_for_people() -> None:
    text = "\n".join(written("info", "text"))
    assert "stored" in text
    assert "request_id=r-1" in text
    assert "ZeroDivisionError: division by zero" in text
    assert "s3cr3t" not in text
    assert "\x1b" not in text, "colours are for terminals"
