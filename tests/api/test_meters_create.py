"""Creating meters: what a meter may be, and the words for what it may not be."""

from collections.abc import Iterator
from http import HTTPStatus

import pytest
from tests.support.metering import Metering, refusal

AGGREGATIONS = ("SUM", "COUNT", "AVG", "MIN", "MAX", "UNIQUE_COUNT", "LATEST")
OF_VALUES = tuple(name for name in AGGREGATIONS if name != "COUNT")


@pytest.fixture(scope="module")
def api(base_url: str) -> Iterator[Metering]:
    with Metering(base_url) as metering:
        yield metering


def refused(api: Metering, aggregation: object = "COUNT", **members: object) -> str:
    """Detail of the 400 that the meter is answered with."""
    status, detail = refusal(api.try_to_create(aggregation, **members))
    assert status == HTTPStatus.BAD_REQUEST
    assert detail is not None
    return detail


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
def test_every_aggregation_makes_a_meter(api: Metering, aggregation: str) -> None:
    assert api.create(aggregation)["aggregation"] == aggregation


@pytest.mark.parametrize("aggregation", ["sum", "Sum", "MEDIAN", "", 5, ["SUM"]])
def test_other_aggregations_are_refused(api: Metering, aggregation: object) -> None:
    assert '"/aggregation"' in refused(api, aggregation)


@pytest.mark.parametrize("missing", ["slug", "eventType", "aggregation"])
def test_slug_event_type_and_aggregation_are_required(api: Metering, missing: str) -> None:
    meter = {"slug": "incomplete", "eventType": "t", "aggregation": "COUNT"}
    del meter[missing]
    status, detail = refusal(api.post("/api/v1/meters", meter))
    assert status == HTTPStatus.BAD_REQUEST
    assert detail == f'request body has an error: Error at "/{missing}": Field required'


def test_created_meter_has_every_member_that_was_set(api: Metering) -> None:
    made = api.create(
        "SUM",
        name="Tokens",
        description="Of prompts",
        valueProperty="$.tokens",
        groupBy={"model": "$.model"},
        eventFrom="2024-01-01T00:00:00Z",
        metadata={"team": "search"},
    )
    free = {"id", "slug", "eventType", "createdAt", "updatedAt"}
    assert {name: value for name, value in made.items() if name not in free} == {
        "name": "Tokens",
        "description": "Of prompts",
        "aggregation": "SUM",
        "valueProperty": "$.tokens",
        "groupBy": {"model": "$.model"},
        "eventFrom": "2024-01-01T00:00:00Z",
        "metadata": {"team": "search"},
        "annotations": None,
        "windowSize": "MINUTE",
    }
    assert free <= set(made)
    assert made["createdAt"] == made["updatedAt"]


def test_unset_members_are_left_out_but_metadata_and_annotations_are_null(api: Metering) -> None:
    made = api.create()
    assert set(made) == {
        "id", "slug", "name", "aggregation", "eventType", "windowSize",
        "metadata", "annotations", "createdAt", "updatedAt",
    }  # fmt: skip
    assert made["name"] == made["slug"]
    assert (made["metadata"], made["annotations"]) == (None, None)


def test_null_is_the_same_as_absent(api: Metering) -> None:
    optional = ("name", "description", "valueProperty", "groupBy", "eventFrom", "metadata")
    meter = {"slug": "all_null", "eventType": "all_null", "aggregation": "COUNT"}
    made = api.post("/api/v1/meters", {**meter, **dict.fromkeys(optional)})
    assert made.status_code == HTTPStatus.CREATED
    assert made.json()["name"] == "all_null"


def test_empty_group_by_is_left_out(api: Metering) -> None:
    assert "groupBy" not in api.create(groupBy={})


def test_unknown_and_read_only_members_are_ignored(api: Metering) -> None:
    made = api.create(
        id="x", annotations={"a": 1}, windowSize="DAY", createdAt="never", deletedAt=0, other=[]
    )
    assert len(made["id"]) == 26
    assert made["annotations"] is None
    assert made["windowSize"] == "MINUTE"


@pytest.mark.parametrize("slug", ["a", "0", "a_b_c", "9_lives", "a" * 64])
def test_slug_is_lower_case_runs_joined_by_single_underscores(api: Metering, slug: str) -> None:
    assert api.create(slug=slug)["slug"] == slug


@pytest.mark.parametrize(
    "slug", ["", "A", "a-b", "a__b", "_a", "a_", "a b", "é", "a\n", "a\0", "\ud800", "a" * 65, 5]
)
def test_any_other_slug_is_refused(api: Metering, slug: object) -> None:
    assert '"/slug"' in refused(api, slug=slug)


@pytest.mark.parametrize(
    ("member", "longest"), [("name", 256), ("description", 1024), ("eventType", 1024)]
)
def test_texts_are_bounded_in_characters(api: Metering, member: str, longest: int) -> None:
    text = "é" * longest
    assert api.create(**{member: text})[member] == text
    assert refused(api, **{member: text + "é"}) == (
        f'request body has an error: Error at "/{member}": '
        f"String should have at most {longest} characters"
    )
    assert refused(api, **{member: ""}) == (
        f'request body has an error: Error at "/{member}": String should have at least 1 character'
    )


@pytest.mark.parametrize("aggregation", OF_VALUES)
def test_aggregations_of_values_need_a_value_property(api: Metering, aggregation: str) -> None:
    assert refused(api, aggregation, valueProperty=None) == (
        "validation error: invalid meter aggregation: "
        "meter value property is required when the aggregation is not count"
    )


def test_count_refuses_a_value_property(api: Metering) -> None:
    assert refused(api, "COUNT", valueProperty="$.v") == (
        "validation error: invalid meter aggregation: "
        "meter value property is not allowed when the aggregation is count"
    )


def test_value_property_starts_with_the_root(api: Metering) -> None:
    assert refused(api, "SUM", valueProperty="tokens") == (
        "validation error: invalid meter aggregation: meter value property must start with $"
    )


@pytest.mark.parametrize("aggregation", ["COUNT", "SUM"])
def test_value_property_is_not_empty(api: Metering, aggregation: str) -> None:
    assert '"/valueProperty"' in refused(api, aggregation, valueProperty="")


PATHS = ("$", "$.a", "$.a.b", '$["a"]', "$['a b']", "$.a[0]", "$.a[*].b", "$.größe", "$.a-b")
WRONG_PATHS = ("$..a", "$.a[?(@.b)]", "$.a.length()", "$[1:2]", "$[-1]", "$.*", "$.", "$[a]", "$a")


@pytest.mark.parametrize("path", PATHS)
def test_plain_json_paths_are_kept_as_written(api: Metering, path: str) -> None:
    assert api.create("SUM", valueProperty=path)["valueProperty"] == path
    assert api.create(groupBy={"g": path})["groupBy"] == {"g": path}


@pytest.mark.parametrize("path", WRONG_PATHS)
def test_json_paths_that_search_or_compute_are_refused(api: Metering, path: str) -> None:
    of_value = refused(api, "SUM", valueProperty=path)
    assert of_value.startswith("validation error: invalid meter aggregation: invalid JSONPath")
    of_group = refused(api, groupBy={"g": path})
    assert of_group.startswith("validation error: invalid meter group by: invalid JSONPath")


@pytest.mark.parametrize("key", ["a", "A", "_", "_0", "camelCase", "UPPER_9", "k" * 64])
def test_group_keys_are_identifiers(api: Metering, key: str) -> None:
    assert api.create(groupBy={key: "$.x"})["groupBy"] == {key: "$.x"}


@pytest.mark.parametrize("key", ["a-b", "a.b", "9a", "a b", "é", "a\n"])
def test_any_other_group_key_is_refused(api: Metering, key: str) -> None:
    assert refused(api, groupBy={key: "$.x"}) == (
        f"validation error: invalid meter group by: meter group by key {key} is invalid, "
        "only alphanumeric and underscore characters are allowed"
    )


@pytest.mark.parametrize("key", ["", " ", "\t"])
def test_group_key_is_not_blank(api: Metering, key: str) -> None:
    assert refused(api, groupBy={key: "$.x"}) == (
        "validation error: invalid meter group by: meter group by key cannot be empty"
    )


@pytest.mark.parametrize("key", ["subject", "customer_id"])
def test_built_in_dimensions_are_not_group_keys(api: Metering, key: str) -> None:
    assert refused(api, groupBy={key: "$.x"}) == (
        f"validation error: invalid meter group by: meter group by key {key} is reserved"
    )


def test_group_value_starts_with_the_root(api: Metering) -> None:
    assert refused(api, groupBy={"k": "x"}) == (
        "validation error: invalid meter group by: meter group by value must start with $ for key k"
    )


def test_group_value_is_not_the_value_property(api: Metering) -> None:
    assert refused(api, "SUM", valueProperty="$.x", groupBy={"k": "$.x"}) == (
        "validation error: invalid meter group by: "
        "meter group by value k cannot be the same as value property"
    )


def test_every_broken_rule_is_told_on_a_line_of_its_own(api: Metering) -> None:
    detail = refused(api, "SUM", valueProperty="x", groupBy={"": "$.x", "b": "x"})
    assert detail.split("\n") == [
        "validation error: invalid meter aggregation: meter value property must start with $",
        "invalid meter group by: meter group by key cannot be empty",
        "invalid meter group by: meter group by value must start with $ for key b",
    ]


def test_a_hundred_group_keys_are_enough(api: Metering) -> None:
    keys = {f"k{i}": "$.x" for i in range(101)}
    assert "at most 100 group keys" in refused(api, groupBy=keys)
    keys.popitem()
    assert len(api.create(groupBy=keys)["groupBy"]) == 100


def test_event_from_is_kept_as_an_instant(api: Metering) -> None:
    made = api.create(eventFrom="2024-01-01T00:00:00.120+02:00")
    assert made["eventFrom"] == "2023-12-31T22:00:00.12Z"


@pytest.mark.parametrize(
    "instant",
    ["2024-01-01", "2024-01-01T00:00:00", "yesterday", "", 1704067200, "2024-02-30T00:00:00Z"],
)
def test_event_from_is_an_rfc_3339_instant(api: Metering, instant: object) -> None:
    assert '"/eventFrom"' in refused(api, eventFrom=instant)


@pytest.mark.parametrize(
    "instant", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0999-12-31T23:59:59Z"]
)
def test_event_from_lies_where_events_can(api: Metering, instant: str) -> None:
    assert refused(api, eventFrom=instant) == (
        "validation error: invalid meter event from: it must be from year 1000 on and before 9999"
    )


def test_metadata_is_a_small_map_of_texts(api: Metering) -> None:
    most = {str(number): "" for number in range(100)}
    assert api.create(metadata=most)["metadata"] == most
    assert '"/metadata"' in refused(api, metadata={**most, "100": ""})
    assert '"/metadata/k"' in refused(api, metadata={"k": 1})
    assert '"/metadata/k"' in refused(api, metadata={"k": "x" * 1025})


def test_several_meters_may_share_an_event_type(api: Metering) -> None:
    first = api.create()
    second = api.create("SUM", eventType=first["eventType"])
    api.send_values(first, "2", "3")
    assert (api.value(first), api.value(second)) == (2, 5)


def test_a_meter_counts_events_that_came_before_it(api: Metering) -> None:
    first = api.create()
    api.send_values(first, "2", "3")
    later = api.create("SUM", eventType=first["eventType"])
    assert api.value(later) == 5
