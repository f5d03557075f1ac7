"""Portal tokens: made for a subject, listed, invalidated."""

import re
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import pytest
from tests.support.metering import Meter, Metering
from tests.support.portal import Portal, parts_of, reason, refused

ULID = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"


def test_token_tells_all_about_itself_once(portal: Portal, meter: Meter) -> None:
    made = portal.create("ann", allowedMeterSlugs=[meter["slug"]])
    assert set(made) == {"id", "subject", "allowedMeterSlugs", "createdAt", "expiresAt", "token"}
    assert re.fullmatch(ULID, made["id"])
    assert (made["subject"], made["allowedMeterSlugs"]) == ("ann", [meter["slug"]])
    [listed] = [one for one in portal.listed() if one["id"] == made["id"]]
    assert listed == {name: value for name, value in made.items() if name != "token"}


def test_token_is_written_as_the_newest_openmeter_writes_it(portal: Portal, meter: Meter) -> None:
    made = portal.create("ann", allowedMeterSlugs=[meter["slug"]])
    header, claims = parts_of(made["token"])
    assert header == {"alg": "HS256", "typ": "JWT"}
    created_at, expires_at = (datetime.fromisoformat(made[m]) for m in ("createdAt", "expiresAt"))
    assert claims == {
        "iss": "openmeter",
        "sub": "ann",
        "iat": int(created_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "Namespace": "default",
        "Id": made["id"],
        "AllowedMeterSlugs": [meter["slug"]],
    }


def test_without_slugs_the_list_is_empty_and_opens_every_meter(
    portal: Portal, meter: Meter
) -> None:
    made = portal.create("ann")
    assert made["allowedMeterSlugs"] == []
    assert parts_of(made["token"])[1]["AllowedMeterSlugs"] == []
    assert portal.query(meter, made["token"]).status_code == HTTPStatus.OK


def test_slugs_given_twice_are_told_once(portal: Portal, meter: Meter) -> None:
    slugs = [meter["slug"], meter["slug"]]
    assert portal.create(allowedMeterSlugs=slugs)["allowedMeterSlugs"] == slugs[:1]


def test_token_lives_for_an_hour_by_default(portal: Portal) -> None:
    made = portal.create()
    life = datetime.fromisoformat(made["expiresAt"]) - datetime.fromisoformat(made["createdAt"])
    assert timedelta(minutes=59, seconds=58) < life <= timedelta(hours=1)


def test_end_is_cut_to_whole_seconds(portal: Portal) -> None:
    made = portal.create(expiresAt="2999-01-01T02:00:00.987654+02:00")
    assert made["expiresAt"] == "2999-01-01T00:00:00Z"


@pytest.mark.parametrize("expires_at", ["2020-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"])
def test_end_in_the_past_is_refused(portal: Portal, expires_at: str) -> None:
    answer = portal.try_to_create(subject="ann", expiresAt=expires_at)
    assert "expiresAt must be in the future" in reason(answer)


def test_end_within_this_second_is_in_the_past(portal: Portal) -> None:
    now = datetime.now(UTC).replace(microsecond=999_999)  # noqa: TID251 - the server's clock too
    answer = portal.try_to_create(subject="ann", expiresAt=now.isoformat())
    assert answer.status_code == HTTPStatus.BAD_REQUEST


def test_empty_list_of_slugs_is_refused(portal: Portal) -> None:
    assert "allowedMeterSlugs" in reason(portal.try_to_create(subject="ann", allowedMeterSlugs=[]))


@pytest.mark.parametrize("slug", ["no_such_meter", "No Slug", "x" * 1000, "é"])
def test_slug_of_no_meter_is_not_found(portal: Portal, meter: Meter, slug: str) -> None:
    answer = portal.try_to_create(subject="ann", allowedMeterSlugs=[meter["slug"], slug])
    assert answer.status_code == HTTPStatus.NOT_FOUND
    assert answer.json()["detail"] == f"not found error: meter not found: {slug}"


def test_slug_of_a_deleted_meter_is_not_found(api: Metering, portal: Portal) -> None:
    gone = api.create()
    api.http.delete(f"/api/v1/meters/{gone['slug']}")
    answer = portal.try_to_create(subject="ann", allowedMeterSlugs=[gone["slug"]])
    assert answer.status_code == HTTPStatus.NOT_FOUND


def test_id_of_a_meter_is_no_slug(portal: Portal, meter: Meter) -> None:
    answer = portal.try_to_create(subject="ann", allowedMeterSlugs=[meter["id"]])
    assert answer.status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({}, "/subject"),
        ({"subject": ""}, "/subject"),
        ({"subject": None}, "/subject"),
        ({"subject": 1}, "/subject"),
        ({"subject": ["ann"]}, "/subject"),
        ({"subject": "a\0b"}, "/subject"),
        ({"subject": "\ud800"}, "/subject"),
        ({"subject": "ann", "allowedMeterSlugs": "tokens"}, "/allowedMeterSlugs"),
        ({"subject": "ann", "allowedMeterSlugs": [""]}, "/allowedMeterSlugs/0"),
        ({"subject": "ann", "allowedMeterSlugs": [None]}, "/allowedMeterSlugs/0"),
        ({"subject": "ann", "allowedMeterSlugs": ["a\0"]}, "/allowedMeterSlugs/0"),
        ({"subject": "ann", "allowedMeterSlugs": ["a"] * 101}, "/allowedMeterSlugs"),
        ({"subject": "ann", "expiresAt": "tomorrow"}, "/expiresAt"),
        ({"subject": "ann", "expiresAt": 1e300}, "/expiresAt"),
        ({"subject": "ann", "expiresAt": "9999-12-31T23:59:59-12:00"}, "/expiresAt"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_field(
    portal: Portal, members: dict[str, object], field: str
) -> None:
    answer = portal.try_to_create(**members)
    assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.text
    assert answer.json()["extensions"]["validationErrors"][0]["field"] == field


@pytest.mark.parametrize("body", ["", "[]", "null", "{", '"x"', "[" * 100_000, '{"subject":"a"'])
def test_body_that_is_no_object_is_refused(api: Metering, body: str) -> None:
    headers = {"content-type": "application/json"}
    for path in ("/api/v1/portal/tokens", "/api/v1/portal/tokens/invalidate"):
        answer = api.http.post(path, content=body, headers=headers)
        assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.text


def test_members_made_by_the_server_are_ignored_when_sent(portal: Portal) -> None:
    made = portal.create("ann", id=7, token="mine", createdAt="never", expired="no")  # noqa: S106
    assert re.fullmatch(ULID, made["id"])
    assert made["token"] != "mine"  # noqa: S105
    assert "expired" not in made


def test_subject_may_be_as_long_as_an_events(portal: Portal) -> None:
    assert portal.create("é" * 512)["subject"] == "é" * 512
    answer = portal.try_to_create(subject="é" * 513)
    assert "subject must not exceed 1024 bytes" in reason(answer)


def test_token_too_long_for_a_header_is_refused(api: Metering, portal: Portal) -> None:
    slugs = [api.create(slug=f"long_{number:0<59}")["slug"] for number in range(10, 90)]
    answer = portal.try_to_create(subject="\x01" * 1000, allowedMeterSlugs=slugs)
    assert "the token would be longer than" in reason(answer)
    assert not [one for one in portal.listed() if one["subject"] == "\x01" * 1000]


def test_list_is_newest_first_and_limited(portal: Portal) -> None:
    ids = [portal.create()["id"] for _ in range(27)]
    assert [one["id"] for one in portal.listed(3)] == ids[:-4:-1]
    default = portal.api.http.get("/api/v1/portal/tokens").json()
    assert [one["id"] for one in default] == ids[:-26:-1]


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "", "1e3", "9" * 5000])
def test_limit_is_from_1_to_100(api: Metering, limit: str) -> None:
    answer = api.http.get("/api/v1/portal/tokens", params={"limit": limit})
    assert "limit" in reason(answer)


def test_invalidated_by_id_one_token_ends(portal: Portal, meter: Meter) -> None:
    first, second = portal.create(), portal.create()
    portal.invalidate(id=first["id"])
    answer = portal.query(meter, first["token"])
    assert refused(answer) == "invalid token: it was invalidated"
    assert portal.query(meter, second["token"]).status_code == HTTPStatus.OK


def test_invalidated_by_subject_every_token_of_it_ends(portal: Portal, meter: Meter) -> None:
    first, second, other = portal.create("cleo"), portal.create("cleo"), portal.create("dan")
    portal.invalidate(subject="cleo")
    for one in (first, second):
        assert portal.query(meter, one["token"]).status_code == HTTPStatus.UNAUTHORIZED
    assert portal.query(meter, other["token"]).status_code == HTTPStatus.OK


def test_invalidated_by_id_and_subject_both_must_fit(portal: Portal, meter: Meter) -> None:
    made = portal.create("ann")
    portal.invalidate(id=made["id"], subject="bob")
    assert portal.query(meter, made["token"]).status_code == HTTPStatus.OK
    portal.invalidate(id=made["id"], subject="ann")
    assert portal.query(meter, made["token"]).status_code == HTTPStatus.UNAUTHORIZED


def test_invalidated_all_at_once_those_issued_later_are_good(portal: Portal, meter: Meter) -> None:
    before = [portal.create("ann"), portal.create("bob")]
    portal.invalidate()
    after = portal.create("ann")
    for one in before:
        assert portal.query(meter, one["token"]).status_code == HTTPStatus.UNAUTHORIZED
    assert portal.query(meter, after["token"]).status_code == HTTPStatus.OK


def test_invalidated_token_is_listed_as_expired_and_no_other_is(portal: Portal) -> None:
    gone, good = portal.create(), portal.create()
    portal.invalidate(id=gone["id"])
    listed = {one["id"]: one for one in portal.listed()}
    assert listed[gone["id"]]["expired"] is True
    assert "expired" not in listed[good["id"]]


def test_invalidating_again_or_what_nobody_knows_is_fine(portal: Portal) -> None:
    made = portal.create()
    for which in (made["id"], made["id"], "no-such-id", "x" * 256):
        portal.invalidate(id=which)
    portal.invalidate(subject="nobody")


@pytest.mark.parametrize(
    "body",
    [
        {"id": None},
        {"subject": None},
        {"id": ""},
        {"subject": ""},
        {"id": 1},
        {"id": "a\0"},
        {"subject": "\udfff"},
        {"id": "x" * 257},
        {"subject": "x" * 1025},
        {"tokenId": "x"},
        {"id": "x", "subjects": ["ann"]},
    ],
)
def test_name_that_got_lost_does_not_invalidate_every_token(
    portal: Portal, meter: Meter, body: dict[str, object]
) -> None:
    made = portal.create()
    answer = portal.api.post("/api/v1/portal/tokens/invalidate", body)
    assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.text
    assert portal.query(meter, made["token"]).status_code == HTTPStatus.OK
