"""Parameters that the operations of entitlements share."""

from typing import Annotated

from fastapi import Path, Query

from monometer.api.openmeter.query_shapes import WindowSize
from monometer.api.wire import STORABLE, Instant, Text

SubjectIdOrKey = Annotated[
    str,
    Path(
        min_length=1,
        description="Key of a subject, or the id of its record. It needs no record.",
        examples=["acme"],
    ),
    STORABLE,
]
EntitlementId = Annotated[
    str,
    Path(
        min_length=1,
        description="Id of an entitlement, or the key of a feature with an active one.",
        examples=["gpt4_tokens"],
    ),
    STORABLE,
]
OnlyId = Annotated[
    str,
    Path(
        min_length=1,
        description="Id of an entitlement.",
        examples=["01KDV7A0000000000000000000"],
    ),
    STORABLE,
]
Time = Annotated[
    Instant | None, Query(description="Left out, now. Usage of its running minute counts.")
]
Features = Annotated[list[Text] | None, Query(description="Ids or keys of features.")]
From = Annotated[Instant | None, Query(alias="from", description="Left out, the last reset.")]
To = Annotated[Instant | None, Query(description="Left out, now.")]
Window = Annotated[WindowSize, Query(description="Of windowedHistory.")]
WindowZone = Annotated[Text, Query(description="IANA zone that windows are aligned to.")]

# A subject's or a customer's key may hold slashes: `%2F` is decoded before a route is found.
OF_CUSTOMER = "/api/v2/customers/{customerIdOrKey:any}/entitlements"
OF_CUSTOMER_V1 = "/api/v1/customers/{customerIdOrKey:any}/entitlements"
OF_SUBJECT = "/api/v1/subjects/{subjectIdOrKey:any}/entitlements"
