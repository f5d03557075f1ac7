"""What a portal token opens: the usage of its subject, in whatever form, and nothing else."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from uuid import uuid4

import pytest
from tests.support.metering import Meter, Metering, Params, at, refusal, rows_of
from tests.support.portal import PORTAL_SECRET, Portal, claims_of, reason, refused, token_of
from tests.support.server import running_server


@pytest.fixture
def ann(portal: Portal, meter: Meter) -> str:
    """A token of ann for the meter."""
    token: str = portal.create("ann", allowedMeterSlugs=[meter["slug"]])["token"]
    return token


@pytest.fixture(scope="module")
def other_process(
    server_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """A second server on the same database, with the same secret."""
    directory = tmp_path_factory.mktemp("other")
    with (
        running_server(server_database_url, directory, portal_token_secret=PORTAL_SECRET) as url,
        Metering(url) as api,
    ):
        yield Portal(api)


def test_rows_are_of_the_tokens_subject_and_name_it(portal: Portal, meter: Meter, ann: str) -> None:
    [row] = rows_of(portal.query(meter, ann))
    assert (str(row.value), row.subject) == ("3.75", "ann")


def test_windows_groups_and_filters_work(portal: Portal, meter: Meter, ann: str) -> None:
    params = {
        "windowSize": "DAY",
        "windowTimeZone": "America/New_York",
        "from": "2024-06-15T04:00:00Z",
        "to": "2024-06-18T04:00:00Z",
        "groupBy": ["model", "subject"],
        "filterGroupBy[model]": ["m1", "m2"],
        "clientId": "page-1",
    }
    rows = rows_of(portal.query(meter, ann, params))
    assert [(str(row.value), row.subject, row.group) for row in rows] == [
        ("1.5", "ann", {"model": "m1"}),
        ("2.25", "ann", {"model": "m2"}),
    ]
    advanced = {"advancedMeterGroupByFilters": '{"model": {"$eq": "m2"}}'}
    assert [str(row.value) for row in rows_of(portal.query(meter, ann, advanced))] == ["2.25"]


def test_csv_is_for_those_who_accept_it_alone(portal: Portal, meter: Meter, ann: str) -> None:
    answer = portal.query(meter, ann, accept="text/csv")
    assert answer.headers["content-type"] == "text/csv"
    [header, line] = answer.text.splitlines()
    assert header == "window_start,window_end,subject,value"
    assert line.endswith(",ann,3.750000")
    several = portal.query(meter, ann, accept="text/csv, application/json")
    assert several.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "injected",
    [
        {"subject": "bob"},
        {"subject": ["ann", "bob"]},
        {"subject": ""},
        {"subject[]": "bob"},
        {"Subject": "bob"},
        {"filterCustomerId": "01HM6ZYX00000000000000000A"},
        {"filterCustomerId": ["bob", "ann"]},
        {"customer": "bob"},
        {"customerId": "bob"},
        {"subject": "bob", "groupBy": "subject"},
    ],
)
def test_parameter_that_names_somebody_else_changes_nothing(
    portal: Portal, meter: Meter, ann: str, injected: Params
) -> None:
    assert rows_of(portal.query(meter, ann, injected)) == rows_of(portal.query(meter, ann))


@pytest.mark.parametrize(
    ("injected", "why"),
    [
        ({"filterGroupBy[subject]": "bob"}, "invalid group by filter: subject"),
        ({"filterGroupBy[customer_id]": "bob"}, "invalid group by filter: customer_id"),
        ({"filterGroupBy": "{'subject': 'bob'}"}, "filterGroupBy"),
        (
            {"advancedMeterGroupByFilters": '{"subject": {"$eq": "bob"}}'},
            "meter does not have group by: subject",
        ),
        (
            {"advancedMeterGroupByFilters": '{"model": {"$or": [{"subject": {"$ne": ""}}]}}'},
            None,
        ),
        ({"groupBy": "customer_id"}, "customer filter is required with customer_id group by"),
        (
            {"groupBy": "customer_id", "filterCustomerId": "01HM6ZYX00000000000000000A"},
            "customer filter is required with customer_id group by",
        ),
        ({"groupBy": "nope"}, "invalid group by: nope"),
    ],
)
def test_filter_on_whose_usage_it_is_reaches_nobody(
    portal: Portal, meter: Meter, ann: str, injected: Params, why: str | None
) -> None:
    answer = portal.query(meter, ann, injected)
    if why is None:
        assert {row.subject for row in rows_of(answer)} <= {"ann"}
    else:
        assert why in reason(answer)


def test_subject_of_odd_characters_is_itself(api: Metering, portal: Portal) -> None:
    odd = "a'); --\n%_\"\\ é\U0001f600"
    meter = api.create()
    api.send(meter, at(subject=odd), at(subject="a"))
    [row] = rows_of(portal.query(meter, portal.create(odd)["token"]))
    assert (row.subject, row.value) == (odd, 1)


def test_subject_without_usage_has_no_rows(portal: Portal, meter: Meter) -> None:
    assert portal.query(meter, portal.create("nobody")["token"]).json() == {"data": []}


def test_slug_that_is_not_allowed_is_refused_whether_it_exists_or_not(
    api: Metering, portal: Portal, meter: Meter, ann: str
) -> None:
    for slug in (api.create()["slug"], "no_such_meter", meter["id"], meter["id"].lower()):
        assert refused(portal.query({"slug": slug}, ann)) == "meter slug not allowed"


def test_token_for_every_meter_finds_what_there_is(portal: Portal, meter: Meter) -> None:
    token = portal.create("ann")["token"]
    assert rows_of(portal.query({"slug": meter["id"]}, token)) == rows_of(
        portal.query(meter, token)
    )
    assert portal.query({"slug": "no_such_meter"}, token).status_code == HTTPStatus.NOT_FOUND


def test_slug_that_reads_like_an_id_does_not_lead_to_the_meter_of_that_id(
    api: Metering, portal: Portal
) -> None:
    hidden = api.create()
    api.send(hidden, at(subject="ann"))
    decoy = api.create(slug=hidden["id"].lower())
    token = portal.create("ann", allowedMeterSlugs=[decoy["slug"]])["token"]
    assert portal.query(decoy, token).json() == {"data": []}
    api.http.delete(f"/api/v1/meters/{decoy['slug']}")
    assert portal.query(decoy, token).status_code == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic YTpi"}]
)
@pytest.mark.parametrize(
    "target", ["tokens/query?windowSize=FORTNIGHT", "No%20Slug/query", "x/query?from=never"]
)
def test_token_is_asked_for_before_any_parameter_is_looked_at(
    api: Metering, target: str, headers: dict[str, str]
) -> None:
    answer = api.http.get(f"/api/v1/portal/meters/{target}", headers=headers)
    assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_wrong_parameter_of_somebody_with_a_token_is_named(
    portal: Portal, meter: Meter, ann: str
) -> None:
    assert "windowSize" in reason(portal.query(meter, ann, {"windowSize": "FORTNIGHT"}))
    assert "from must be before to" in reason(
        portal.query(meter, ann, {"from": "2024-02-01T00:00:00Z", "to": "2024-01-01T00:00:00Z"})
    )


def test_portal_token_opens_no_other_method_of_the_route(
    api: Metering, meter: Meter, ann: str
) -> None:
    path = f"/api/v1/portal/meters/{meter['slug']}/query"
    answer = api.http.post(
        path, json={"subject": ["bob"]}, headers={"authorization": f"Bearer {ann}"}
    )
    assert refusal(answer)[0] == HTTPStatus.METHOD_NOT_ALLOWED


def test_token_of_the_first_openmeter_opens_its_meters(portal: Portal, meter: Meter) -> None:
    early: dict[str, object] = {
        "Namespace": None,
        "Id": None,
        "AllowedMeterSlugs": None,
        "id": str(uuid4()),
    }
    token = token_of(claims_of(**early, allowed_meter_slugs=[meter["slug"]]))
    assert [row.subject for row in rows_of(portal.query(meter, token))] == ["ann"]
    other = token_of(claims_of(**early, allowed_meter_slugs=["another"]))
    assert refused(portal.query(meter, other)) == "meter slug not allowed"
    assert portal.query(meter, token_of(claims_of(**early))).status_code == HTTPStatus.OK


def test_token_that_another_party_made_with_the_secret_is_good(
    portal: Portal, meter: Meter
) -> None:
    token = token_of(claims_of("ann", AllowedMeterSlugs=[meter["slug"]]))
    assert [row.subject for row in rows_of(portal.query(meter, token))] == ["ann"]
    assert "ann" not in [one["id"] for one in portal.listed()]


@pytest.mark.parametrize("scope", ["id", "subject", "both", "all"])
def test_token_that_another_party_made_can_be_invalidated(
    portal: Portal, meter: Meter, scope: str
) -> None:
    subject, id_ = f"eve-{scope}", str(uuid4())
    token = token_of(claims_of(subject, Id=id_))
    assert portal.query(meter, token).status_code == HTTPStatus.OK
    which = {"id": {"id": id_}, "subject": {"subject": subject}, "all": {}}
    portal.invalidate(**which.get(scope, {"id": id_, "subject": subject}))
    assert refused(portal.query(meter, token)) == "invalid token: it was invalidated"


def test_token_of_another_party_that_does_not_tell_its_age_counts_as_old(
    portal: Portal, meter: Meter
) -> None:
    portal.invalidate(subject="methuselah")
    without = token_of(claims_of("methuselah", iat=None))
    assert refused(portal.query(meter, without)) == "invalid token: it was invalidated"
    ahead = token_of(claims_of("methuselah", iat=int(time.time()) + 1))
    assert refused(portal.query(meter, ahead)) == "invalid token: it was invalidated"


def test_every_server_knows_at_once_what_another_issued_and_invalidated(
    portal: Portal, other_process: Portal, meter: Meter
) -> None:
    for _ in range(20):
        made = portal.create("ann")
        assert other_process.query(meter, made["token"]).status_code == HTTPStatus.OK
        portal.invalidate(id=made["id"])
        answer = other_process.query(meter, made["token"])
        assert refused(answer) == "invalid token: it was invalidated"


def test_token_in_the_query_string_is_none(portal: Portal, meter: Meter, ann: str) -> None:
    path = f"/api/v1/portal/meters/{meter['slug']}/query"
    for name in ("token", "access_token", "authorization", "portalToken"):
        answer = portal.api.http.get(path, params={name: ann})
        assert refused(answer) == "missing authorization header"
