"""Query parameters of style deepObject (`filter[key][eq]=x`), which the framework does not know."""

import re
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from monometer.api.openmeter.v3.parameters import (
    InvalidParameters,
    parameter_from_pydantic,
    wrong,
)

DEPTH_MAX = 2

Shape = TypeVar("Shape", bound=BaseModel)

_MEMBERS = re.compile(r"(?:\[[^\[\]]*\])+")
_MEMBER = re.compile(r"\[([^\[\]]*)\]")


def deep_object(request: Request, name: str, shape: type[Shape]) -> Shape:
    """The parameter as `shape`. Raises InvalidParameters, naming each member as it was sent."""
    try:
        return shape.model_validate(_nested(request, name))
    except ValidationError as error:
        listed = error.errors(include_url=False, include_input=False)
        raise InvalidParameters(
            [parameter_from_pydantic(one, _bracketed(name, one["loc"]), "query") for one in listed]
        ) from None


def _nested(request: Request, name: str) -> dict[str, Any]:
    """A parameter in another form, or twice, is refused: left out, it would change the answer."""
    found: dict[str, Any] = {}
    for key, value in request.query_params.multi_items():
        if key != name and not key.startswith(f"{name}["):
            continue
        if _MEMBERS.fullmatch(key, len(name)) is None:
            raise wrong(key, f"must be sent as {name}[member]=value", source="query")
        *path, last = _MEMBER.findall(key, len(name))
        if len(path) >= DEPTH_MAX:
            raise wrong(key, f"must not have more than {DEPTH_MAX} levels", source="query")
        at: Any = found
        for member in path:
            at = at.setdefault(member, {}) if isinstance(at, dict) else at
        if not isinstance(at, dict) or last in at:
            raise wrong(key, "must be given once and in one form", source="query")
        at[last] = value
    return found


def _bracketed(name: str, path: tuple[str | int, ...]) -> str:
    return name + "".join(f"[{part}]" for part in path)


def deep_object_document(
    name: str, shape: type[BaseModel], description: str, example: dict[str, Any]
) -> dict[str, Any]:
    """The parameter in the OpenAPI document; `shape` is among its schemas by router.SHAPES."""
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "style": "deepObject",
        "explode": True,
        "schema": {"$ref": f"#/components/schemas/{shape.__name__}"},
        "example": example,
    }
