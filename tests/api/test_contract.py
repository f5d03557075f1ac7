"""The server's own document names the metering operations as the published contract does.

Clients are generated from these names: an operation id is a method, a parameter an argument, a
status the reply that is decoded.
"""

from typing import Any, Final

import httpx
import pytest
from tests.support.contract_schemas import SCHEMAS
from tests.support.contracts import CONTRACTS, ONE, V3, V3_CONTRACTS, Contract


@pytest.fixture(scope="module")
def document(base_url: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{base_url}/openapi.json").raise_for_status().json()
    return found


@pytest.fixture(params=(*CONTRACTS, *V3_CONTRACTS), ids=lambda contract: contract.operation_id)
def contract(request: pytest.FixtureRequest) -> Contract:
    found: Contract = request.param
    return found


@pytest.fixture
def operation(contract: Contract, document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][contract.path][contract.method]
    return found


def resolved(node: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    found = document
    for part in node["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def shows_an_example(
    node: Any, document: dict[str, Any], seen: frozenset[str] = frozenset()
) -> bool:
    """Whether the node, or a schema it refers to, carries an example."""
    if isinstance(node, list):
        return any(shows_an_example(child, document, seen) for child in node)
    if not isinstance(node, dict):
        return False
    if "$ref" in node:
        name = node["$ref"]
        return name not in seen and shows_an_example(
            resolved(node, document), document, seen | {name}
        )
    return bool(node.keys() & {"example", "examples"}) or any(
        shows_an_example(child, document, seen) for child in node.values()
    )


def test_operation_has_the_contracts_id(contract: Contract, operation: dict[str, Any]) -> None:
    assert operation["operationId"] == contract.operation_id


def test_operation_takes_every_parameter_of_the_contract_and_requires_no_other(
    contract: Contract, operation: dict[str, Any], document: dict[str, Any]
) -> None:
    parameters = [resolved(p, document) for p in operation.get("parameters", ())]
    taken = {f"{p['in']}:{p['name']}" for p in parameters}
    required = {f"{p['in']}:{p['name']}" for p in parameters if p.get("required")}
    promised = contract.parameters.split()
    assert {name.rstrip("*") for name in promised} <= taken
    assert required == {name.rstrip("*") for name in promised if name.endswith("*")}


def test_operation_succeeds_with_the_contracts_status_and_media_types(
    contract: Contract, operation: dict[str, Any]
) -> None:
    success = operation["responses"][str(contract.status)]
    assert set(success.get("content", ())) == contract.media_types


def test_operation_takes_the_contracts_body_types(
    contract: Contract, operation: dict[str, Any], document: dict[str, Any]
) -> None:
    body = resolved(operation.get("requestBody", {}), document)
    assert contract.body_types <= set(body.get("content", ()))


def test_operation_shows_an_example(
    contract: Contract, operation: dict[str, Any], document: dict[str, Any]
) -> None:
    parts = [operation.get("parameters"), operation.get("requestBody")]
    parts.append(operation["responses"][str(contract.status)])
    assert shows_an_example(parts, document)


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_has_the_contracts_name(document: dict[str, Any], name: str) -> None:
    assert name in document["components"]["schemas"]


def test_every_failure_of_an_operation_is_a_problem_document(
    operation: dict[str, Any], document: dict[str, Any]
) -> None:
    failures = {
        status: resolved(response, document)
        for status, response in operation["responses"].items()
        if not status.startswith("2")
    }
    assert "default" in failures
    assert "422" not in failures
    for status, failure in failures.items():
        assert set(failure["content"]) == {"application/problem+json"}, status


def test_only_the_portal_query_asks_for_a_portal_token(document: dict[str, Any]) -> None:
    asking = [
        (operation["operationId"], scheme)
        for item in document["paths"].values()
        for operation in item.values()
        for scheme in operation.get("security", ())
        if "PortalTokenAuth" in scheme
    ]
    assert asking == [("queryPortalMeter", {"PortalTokenAuth": []})]
    scheme = document["components"]["securitySchemes"]["PortalTokenAuth"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")


def test_filter_by_group_is_a_map_in_brackets(document: dict[str, Any]) -> None:
    query = document["paths"][f"{ONE}/query"]["get"]
    [parameter] = [p for p in query["parameters"] if p["name"] == "filterGroupBy"]
    assert (parameter["style"], parameter.get("explode", True)) == ("deepObject", True)
    assert parameter["schema"]["type"] == "object"


# The members, with those that are always there first. Subscriptions are told of, and never there.
MEMBERS: Final = {
    "Subject": "createdAt id key updatedAt / currentPeriodEnd currentPeriodStart deletedAt "
    "displayName metadata stripeCustomerId",
    "SubjectUpsert": "key / currentPeriodEnd currentPeriodStart displayName metadata "
    "stripeCustomerId",
    "Customer": "createdAt id name updatedAt / annotations billingAddress currency "
    "currentSubscriptionId deletedAt description key metadata primaryEmail subscriptions "
    "usageAttribution",
    "CustomerCreate": "name / billingAddress currency description key metadata primaryEmail "
    "usageAttribution",
    "CustomerReplaceUpdate": "name / billingAddress currency description key metadata "
    "primaryEmail usageAttribution",
    "CustomerUsageAttribution": "subjectKeys / ",
    "CustomerPaginatedResponse": "items page pageSize totalCount / ",
    "Address": " / city country line1 line2 phoneNumber postalCode state",
}


@pytest.mark.parametrize("name", MEMBERS)
def test_schema_has_the_contracts_members(document: dict[str, Any], name: str) -> None:
    schema = document["components"]["schemas"][name]
    required, optional = (set(names.split()) for names in MEMBERS[name].split("/"))
    assert set(schema["properties"]) == required | optional
    assert set(schema.get("required", ())) == required


@pytest.mark.parametrize("of", ["events", "meters", "customers", "features"])
@pytest.mark.parametrize("name", ["page", "filter"])
def test_pages_and_filters_of_v3_are_objects_in_brackets(
    document: dict[str, Any], of: str, name: str
) -> None:
    operation = document["paths"][f"{V3}/{of}"]["get"]
    [parameter] = [p for p in operation["parameters"] if p["name"] == name]
    assert (parameter["style"], parameter.get("explode", True)) == ("deepObject", True)
    shape = resolved(parameter["schema"], document)
    assert (shape["type"], shape["additionalProperties"]) == ("object", False)


@pytest.mark.parametrize("name", ["subject", "groupBy", "filterCustomerId"])
def test_lists_are_repeated_parameters(document: dict[str, Any], name: str) -> None:
    query = document["paths"][f"{ONE}/query"]["get"]
    [parameter] = [p for p in query["parameters"] if p["name"] == name]
    assert (parameter.get("style", "form"), parameter.get("explode", True)) == ("form", True)


def test_both_addresses_give_one_document(base_url: str, document: dict[str, Any]) -> None:
    assert httpx.get(f"{base_url}/api/swagger.json").raise_for_status().json() == document
