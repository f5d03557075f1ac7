"""The finishing touches on the OpenAPI document that FastAPI makes of the routes."""

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from monometer.api.openmeter.consumption_shapes import ConsumptionInput
from monometer.api.openmeter.event_shapes import Event
from monometer.api.openmeter.v3 import router as v3
from monometer.api.polar.ingest import PolarEventsIngest
from monometer.api.polar.paths import PREFIX
from monometer.api.problems import Problem
from monometer.api.togai.ingest import TogaiIngest, TogaiIngestBatch

if TYPE_CHECKING:
    from pydantic import BaseModel

DESCRIPTION = """
Send usage as CloudEvents, define meters over them, and ask for exact aggregates by window and
group. An answer of 204 to events says that they are committed; the next query sees them.
"""

TAGS = [
    {"name": "Events", "description": "Usage as it happens."},
    {"name": "Meters", "description": "What is measured, and the measurements."},
    {"name": "Product Catalog", "description": "What customers are given access to."},
    {"name": "Subjects", "description": "What is known of those whose usage is measured."},
    {"name": "Customers", "description": "To whom the usage of subjects belongs."},
    {"name": "Entitlements", "description": "Usage becomes access: credit, limits, switches."},
    {"name": "Portal", "description": "Tokens that show a customer their own usage."},
    {"name": "Polar Meters", "description": "Meters and quantities, as Polar's clients ask."},
    {"name": "Polar Events", "description": "Events, as Polar's clients send and list them."},
    {"name": "Polar Customers", "description": "Customers and their meters, for Polar's clients."},
    {
        "name": "Togai Events",
        "description": "Events, and what became of them, for Togai's clients.",
    },
    {"name": "Togai Entitlements", "description": "Check and consume, for Togai's clients."},
    {"name": "Togai Event Schemas", "description": "What events declare, for Togai's clients."},
    {"name": "Togai Usage Meters", "description": "Meters with states, for Togai's clients."},
    {"name": "Togai Customers", "description": "Customers, as Togai's clients know them."},
    {"name": "Togai Accounts", "description": "What Togai's events name."},
    {"name": "Togai Metrics", "description": "Usage by periods, as Togai's clients ask."},
    {"name": "Events v3", "description": "The same events in the form of `/api/v3`."},
    {"name": "Meters v3", "description": "The same meters in the form of `/api/v3`."},
    {"name": "Customers v3", "description": "The same customers in the form of `/api/v3`."},
    {"name": "Features v3", "description": "The same features in the form of `/api/v3`."},
    {"name": "Entitlements v3", "description": "Access alone, in the form of `/api/v3`."},
    {"name": "Debug", "description": "A look at what comes in."},
    {"name": "Lookup Information", "description": "Facts that clients need."},
    {"name": "Keys", "description": "Who may do what."},
    {"name": "Operations", "description": "For those who run the server."},
]


def describe(app: FastAPI) -> None:
    """Make `app.openapi()` tell the truth where FastAPI's defaults do not."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        tags=app.openapi_tags,
        routes=app.routes,
        separate_input_output_schemas=app.separate_input_output_schemas,
    )
    schemas = document["components"]["schemas"]
    # A server on a loopback address asks for none. Which scope: docs/operations.md.
    schemes = document["components"].setdefault("securitySchemes", {})
    schemes["ApiKey"] = {"type": "http", "scheme": "bearer"}
    document["security"] = [{"ApiKey": []}, {}]
    # Shapes that no route declares to FastAPI: problems, bodies of ingest, nested parameters.
    bodies = (Event, ConsumptionInput, PolarEventsIngest, TogaiIngest, TogaiIngestBatch)
    undeclared_shapes: tuple[type[BaseModel], ...] = (Problem, *bodies, *v3.SHAPES)
    _, undeclared = models_json_schema(
        [(shape, "validation") for shape in undeclared_shapes],
        ref_template="#/components/schemas/{model}",
    )
    document["components"]["schemas"] = schemas = undeclared["$defs"] | schemas
    # Invalid requests are problems with status 400, never FastAPI's 422; Polar's has its own shape.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, item in document["paths"].items():
        for operation in item.values():
            if not path.startswith(PREFIX):
                operation["responses"].pop("422", None)
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
    return document


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is given or left out; null, which FastAPI allows for `| None`, cannot be sent."""
    kinds: list[dict[str, Any]] = [k for k in schema.get("anyOf", ()) if k != {"type": "null"}]
    if len(kinds) != 1:
        return schema
    return kinds[0] | {name: value for name, value in schema.items() if name != "anyOf"}
