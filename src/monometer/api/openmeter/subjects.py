"""`/api/v1/subjects`: create or change, read and delete what is known of subjects."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Body, Path, Request, Response

from monometer.api.deps import NamespaceOf, ServicesOf
from monometer.api.event_data import DataLimits
from monometer.api.openmeter.subject_shapes import (
    Subject,
    SubjectUpsert,
    subject_to_wire,
    subject_upserts_from_wire,
)
from monometer.api.problems import documented
from monometer.api.wire import STORABLE, json_response

router = APIRouter(prefix="/api/v1/subjects", tags=["Subjects"])

SubjectIdOrKey = Annotated[
    str,
    Path(
        min_length=1,
        description="Key of a live subject, or id of any subject, a deleted one too.",
        examples=["customer-1"],
    ),
    STORABLE,
]
# A key may hold slashes: `%2F` is decoded before a route is found, and early clients send `/`.
_ONE = "/{subjectIdOrKey:any}"


@router.get(
    "",
    operation_id="listSubjects",
    summary="List subjects",
    response_model=list[Subject],
    responses=documented(),
)
async def list_subjects(services: ServicesOf, namespace: NamespaceOf) -> Response:
    """All of them, in the order of their creation, not in pages."""
    subjects = await services.subjects.subjects(namespace)
    return json_response([subject_to_wire(one) for one in subjects])


@router.post(
    "",
    operation_id="upsertSubject",
    summary="Create or change subjects",
    response_model=list[Subject],
    responses=documented(),
)
async def upsert_subject(
    request: Request,
    services: ServicesOf,
    namespace: NamespaceOf,
    body: Annotated[list[SubjectUpsert], Body()],
) -> Response:
    """By their keys, one after the other, all or none."""
    settings = services.settings
    limits = DataLimits(settings.data_bytes_max, settings.json_depth_max)
    wanted = subject_upserts_from_wire(body, await request.body(), limits)
    subjects = await services.subjects.upsert(namespace, wanted)
    return json_response([subject_to_wire(one) for one in subjects])


@router.get(
    _ONE,
    operation_id="getSubject",
    summary="Get a subject",
    response_model=Subject,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def get_subject(
    services: ServicesOf, namespace: NamespaceOf, subjectIdOrKey: SubjectIdOrKey
) -> Response:
    return json_response(
        subject_to_wire(await services.subjects.subject(namespace, subjectIdOrKey))
    )


@router.delete(
    _ONE,
    operation_id="deleteSubject",
    summary="Delete a subject",
    status_code=HTTPStatus.NO_CONTENT,
    responses=documented(HTTPStatus.NOT_FOUND),
)
async def delete_subject(
    services: ServicesOf, namespace: NamespaceOf, subjectIdOrKey: SubjectIdOrKey
) -> Response:
    """Its usage stays, its key becomes free; by id it can still be read."""
    await services.subjects.delete(namespace, subjectIdOrKey)
    return Response(status_code=HTTPStatus.NO_CONTENT)
