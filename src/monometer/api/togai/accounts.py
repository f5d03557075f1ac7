"""`/togai/accounts`: what events name, by id or alias; each account is a subject of a customer."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.togai.customer_shapes import (
    Instant,
    TogaiAccount,
    TogaiAccountCreate,
    TogaiAccounts,
    TogaiAccountUpdate,
    TogaiAliasesToAdd,
    account_from_wire,
    account_to_wire,
    alias_to_wire,
    part_from_wire,
)
from monometer.api.togai.errors import documented
from monometer.api.togai.wire import (
    PREFIX,
    NextToken,
    PageSize,
    TogaiSuccess,
    offset_of,
    page_to_wire,
    size_of,
)
from monometer.api.wire import Text, json_response
from monometer.core.errors import InvalidInput
from monometer.services.accounts import EndedAlias

router = APIRouter(prefix=f"{PREFIX}/accounts", tags=["Togai Accounts"])

AccountId = Annotated[Text, Path(min_length=1, description="Also the subject's key.")]


class TogaiEndedAlias(BaseModel):
    """By default it ends now."""

    id: Text
    from_: Instant | None = Field(None, alias="from")


class TogaiAliasesToRemove(BaseModel):
    model_config = ConfigDict(json_schema_extra={"examples": [{"aliases": ["acme-eu-west"]}]})

    aliases: list[Text] | None = None
    accountAliases: list[TogaiEndedAlias] | None = None


class TogaiAccountAlias(BaseModel):
    id: str
    value: str
    effectiveFrom: str
    effectiveUntil: str
    createdAt: str


class TogaiAccountAliases(BaseModel):
    data: list[TogaiAccountAlias]


@router.post(
    "",
    operation_id="togaiCreateAccount",
    summary="Create an account",
    status_code=HTTPStatus.CREATED,
    response_model=TogaiAccount,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def create_account(
    services: ServicesOf, namespace: NamespaceOf, body: Annotated[TogaiAccountCreate, Body()]
) -> Response:
    """Its id becomes a subject key of the customer; what that subject has used is theirs."""
    new = account_from_wire(body)
    owned = await services.accounts.create(namespace, body.customerId, new)
    return json_response(account_to_wire(owned), HTTPStatus.CREATED)


@router.get(
    "",
    operation_id="togaiListAccounts",
    summary="List accounts",
    response_model=TogaiAccounts,
    responses=documented(),
)
async def list_accounts(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    nextToken: NextToken = None,
    pageSize: PageSize = None,
) -> Response:
    """Last updated first."""
    offset, size = offset_of(nextToken), size_of(pageSize)
    page = await services.accounts.page(namespace, offset=offset, limit=size)
    items = [account_to_wire(one) for one in page.items]
    return json_response(page_to_wire(items, page.total, offset, size))


@router.post(
    "/{id}/add_aliases",
    operation_id="togaiAddAliases",
    summary="Call an account by other names too",
    response_model=TogaiAccount,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def add_aliases(
    services: ServicesOf,
    namespace: NamespaceOf,
    id: AccountId,
    body: Annotated[TogaiAliasesToAdd, Body()],
) -> Response:
    """For events that are ingested from now on."""
    new = body.new()
    if not new:
        raise InvalidInput("aliases or accountAliases: at least one is needed")
    owned = await services.accounts.add_aliases(namespace, id, new)
    return json_response(account_to_wire(owned))


@router.post(
    "/{id}/remove_aliases",
    operation_id="togaiRemoveAliases",
    summary="Call an account by some names no more",
    response_model=TogaiAccount,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def remove_aliases(
    services: ServicesOf,
    namespace: NamespaceOf,
    id: AccountId,
    body: Annotated[TogaiAliasesToRemove, Body()],
) -> Response:
    """Those of `aliases` are gone; those of `accountAliases` end. What was ingested stays."""
    now = services.now()
    ended = [EndedAlias(one.id, one.from_ or now) for one in body.accountAliases or ()]
    owned = await services.accounts.remove_aliases(namespace, id, body.aliases or (), ended)
    return json_response(account_to_wire(owned))


@router.get(
    "/{id}/account_aliases",
    operation_id="togaiListAliases",
    summary="List the aliases of an account",
    response_model=TogaiAccountAliases,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def list_aliases(services: ServicesOf, namespace: NamespaceOf, id: AccountId) -> Response:
    """With their times. One without an end tells the end of all times."""
    owned = await services.accounts.get(namespace, id)
    return json_response({"data": [alias_to_wire(one) for one in owned.account.aliases]})


@router.get(
    "/{id}",
    operation_id="togaiGetAccount",
    summary="Get an account",
    response_model=TogaiAccount,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_account(services: ServicesOf, namespace: NamespaceOf, id: AccountId) -> Response:
    return json_response(account_to_wire(await services.accounts.get(namespace, id)))


@router.patch(
    "/{id}",
    operation_id="togaiUpdateAccount",
    summary="Change an account",
    response_model=TogaiAccount,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def update_account(
    services: ServicesOf,
    namespace: NamespaceOf,
    id: AccountId,
    body: Annotated[TogaiAccountUpdate, Body()],
) -> Response:
    owned = await services.accounts.update(namespace, id, part_from_wire(body))
    return json_response(account_to_wire(owned))


@router.delete(
    "/{id}",
    operation_id="togaiDeleteAccount",
    summary="Delete an account",
    response_model=TogaiSuccess,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_account(services: ServicesOf, namespace: NamespaceOf, id: AccountId) -> Response:
    """Its events stay, and stay its customer's."""
    await services.accounts.delete(namespace, id)
    return json_response({"success": True})
