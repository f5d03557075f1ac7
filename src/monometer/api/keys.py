"""`/api/v1/keys`: API keys of the caller's namespace. They are monometer's own, in no dialect."""

from http import HTTPStatus
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from monometer.api.deps import NamespaceOf, ServicesOf, key_of
from monometer.api.openmeter.filters import ULID_PATTERN, Ulid
from monometer.api.problems import documented
from monometer.api.wire import STORABLE, Instant, instant_to_wire, json_response
from monometer.core.access import KEY_NAME_CHARS_MAX, NAMESPACE_PATTERN, ApiKey, KeyScope

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/api/v1/keys", tags=["Keys"])

Name = Annotated[str, Field(min_length=1, max_length=KEY_NAME_CHARS_MAX), STORABLE]
Scopes = Annotated[list[KeyScope], Field(min_length=1, max_length=len(KeyScope))]
KeyId = Annotated[str, Path(pattern=ULID_PATTERN, examples=["01KDV7B0000000000000000000"])]

_NEW: dict[str, Any] = {"name": "billing backend", "scopes": ["events:write", "meters:read"]}
_KEY: dict[str, Any] = {
    **_NEW,
    "id": "01KDV7B0000000000000000000",
    "namespace": "default",
    "prefix": "mm_AbCdEfGh",
    "createdAt": "2026-01-01T00:00:00.123456Z",
}


class KeyCreate(BaseModel):
    """What a new key is for."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NEW]})

    name: Name
    scopes: Scopes
    expiresAt: Instant | None = Field(None, description="In the future; by default never.")


class Key(BaseModel):
    """A key as it is kept. The key itself is told once, and not kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEY]})

    id: Ulid
    namespace: str = Field(pattern=NAMESPACE_PATTERN)
    name: Name
    prefix: str = Field(description="How the key begins.")
    scopes: Scopes
    createdAt: Instant
    expiresAt: Instant | None = None
    lastUsedAt: Instant | None = Field(None, description="Up to a minute behind.")
    revokedAt: Instant | None = None


class CreatedKey(Key):
    """A new key, told this once."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_KEY, "key": "mm_AbCdEfGh0123456789abcdefghijklmn"}]}
    )

    key: str = Field(description="Send it as `Authorization: Bearer`.")


@router.post(
    "",
    operation_id="createKey",
    summary="Create an API key",
    status_code=HTTPStatus.CREATED,
    response_model=CreatedKey,
    responses=documented(),
)
async def create_key(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    body: Annotated[KeyCreate, Body()],
) -> Response:
    """In the caller's namespace. For another namespace: `monometer key create --namespace`."""
    key, token = await services.keys.create_key(
        namespace, name=body.name, scopes=body.scopes, expires_at=body.expiresAt
    )
    _record("key.created", key, request)
    return json_response({**key_to_wire(key), "key": token}, HTTPStatus.CREATED)


@router.get(
    "",
    operation_id="listKeys",
    summary="List API keys",
    response_model=list[Key],
    responses=documented(),
)
async def list_keys(
    services: ServicesOf,
    namespace: NamespaceOf,
    *,
    includeRevoked: Annotated[bool, Query()] = False,
) -> Response:
    """The newest 1000."""
    keys = await services.keys.keys(namespace, include_revoked=includeRevoked)
    return json_response([key_to_wire(key) for key in keys])


@router.get(
    "/{keyId}",
    operation_id="getKey",
    summary="Get an API key",
    response_model=Key,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_key(services: ServicesOf, namespace: NamespaceOf, keyId: KeyId) -> Response:
    """A revoked one too."""
    return json_response(key_to_wire(await services.keys.key(namespace, keyId)))


@router.delete(
    "/{keyId}",
    operation_id="revokeKey",
    summary="Revoke an API key",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def revoke_key(
    request: Request, services: ServicesOf, namespace: NamespaceOf, keyId: KeyId
) -> Response:
    """It ends at once in this process, and within two seconds in others."""
    key = await services.keys.revoke_key(namespace, keyId)
    _record("key.revoked", key, request)
    return Response(status_code=HTTPStatus.NO_CONTENT)


def _record(what: str, key: ApiKey, request: Request) -> None:
    """Who made or ended which key, in the log; never the key itself."""
    by = key_of(request)
    log.info(what, key=key.id, namespace=key.namespace, by=None if by is None else by.id)


def key_to_wire(key: ApiKey) -> dict[str, Any]:
    """Unset members are left out."""
    instants = {
        "expiresAt": key.expires_at,
        "lastUsedAt": key.last_used_at,
        "revokedAt": key.revoked_at,
    }
    return {
        "id": key.id,
        "namespace": key.namespace,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": [scope.value for scope in KeyScope if scope in key.scopes],
        "createdAt": instant_to_wire(key.created_at),
        **{name: instant_to_wire(at) for name, at in instants.items() if at is not None},
    }
