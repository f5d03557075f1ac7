"""All of v3: its routes, its shapes that no route declares, and how it tells failures."""

from fastapi import APIRouter
from pydantic import BaseModel

from monometer.api.openmeter.v3 import (
    customer_shapes,
    customers,
    entitlement_access,
    errors,
    events,
    feature_cost,
    feature_shapes,
    features,
    meter_query,
    meter_shapes,
    meters,
    paging,
)

router = APIRouter()
for part in (
    events,
    meters,
    meter_query,
    customers,
    features,
    feature_cost,
    entitlement_access,
):
    router.include_router(part.router)

# Failures, and parameters of style deepObject, are none of the framework's business.
SHAPES: tuple[type[BaseModel], ...] = (
    errors.BaseError,
    errors.BadRequestError,
    paging.PagePaginationQuery,
    paging.CursorPaginationQueryPage,
    meter_shapes.ListMetersParamsFilter,
    events.ListEventsParamsFilter,
    customer_shapes.ListCustomersParamsFilter,
    feature_shapes.ListFeatureParamsFilter,
)
