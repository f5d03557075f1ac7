"""Every published client makes, lists and ends portal tokens, and asks with one."""

from typing import Any

import pytest
from tests.interop.story import EVERY, Told

# The oldest JavaScript client cannot list tokens, and has no method to ask with one.
ASKING = tuple(client for client in EVERY if client != "node-beta185")
WITH_CSV = ("node-beta232", "python-b236")
DAYS = [
    ("2024-03-09T05:00:00Z", "2024-03-10T05:00:00Z", "-acme", {"model": "gpt-4"}, 30.5),
    ("2024-03-10T05:00:00Z", "2024-03-11T04:00:00Z", "-acme", {"model": "small model"}, 30),
]


def test_token_is_made_for_a_subject_and_its_meters(told: Told) -> None:
    made: dict[str, Any] = told.value("portal create")
    assert made["subject"] == f"{told.tag}-acme"
    assert made["allowedMeterSlugs"] == [f"{told.tag}_tokens"]
    assert len(made["token"].split(".")) == 3
    assert "expired" not in made


def test_end_of_a_token_is_taken_from_the_request(told: Told) -> None:
    made = told.value("portal create lasting")
    assert made["expiresAt"].startswith("2999-01-01T00:00:00")
    assert made["allowedMeterSlugs"] == []


def test_token_that_cannot_be_made_is_refused_with_the_reason(told: Told) -> None:
    past, unknown = told.error("portal create past"), told.error("portal create unknown")
    assert (past["status"], unknown["status"]) == (400, 404)
    assert "expiresAt must be in the future" in past["detail"]
    assert f"meter not found: {told.tag}_missing" in unknown["detail"]


@pytest.mark.parametrize("told", ASKING, indirect=True)
def test_tokens_are_listed_newest_first_without_their_text(told: Told) -> None:
    listed = told.value("portal list")
    made = [told.value(f"portal create{which}")["id"] for which in (" lasting", "")]
    assert [one["id"] for one in listed] == made
    assert not [one for one in listed if one.get("token")]


@pytest.mark.parametrize("told", ASKING, indirect=True)
def test_token_shows_the_usage_of_its_subject(told: Told) -> None:
    assert told.rows("portal query") == DAYS
    [by_kind, other_kind] = told.rows("portal query filtered")
    assert (by_kind[2:], other_kind[2:]) == (
        ("-acme", {"kind": "input"}, 10),
        ("-acme", {"kind": "output"}, 20.5),
    )


@pytest.mark.parametrize("told", WITH_CSV, indirect=True)
def test_usage_comes_as_csv_too(told: Told) -> None:
    header, line = told.value("portal query csv").splitlines()
    assert header == "window_start,window_end,subject,value"
    assert line.endswith(f",{told.tag}-acme,60.500000")


@pytest.mark.parametrize("told", ASKING, indirect=True)
def test_refusal_is_read_by_the_client(told: Told) -> None:
    for step, detail in (
        ("other meter", "meter slug not allowed"),
        ("forged", "invalid token: it is malformed"),
        ("invalidated", "invalid token: it was invalidated"),
    ):
        error = told.error(f"portal query {step}")
        assert (error["status"], error["detail"]) == (401, detail)


def test_tokens_are_ended_by_id_by_subject_and_all_at_once(told: Told) -> None:
    for which in ("", " subject", " all"):
        assert told.value(f"portal invalidate{which}") is None
