"""Subjects beyond what fits through HTTP in a test's time."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.support.events import NOON

from monometer.core.errors import InvalidInput
from monometer.services import subjects
from monometer.services.subjects import Subjects, SubjectUpsert


async def test_list_of_too_many_subjects_is_refused_by_the_limit(
    engine: AsyncEngine, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subjects, "LIST_MAX", 3)
    ids = (f"{namespace}-{number}" for number in range(10))
    kept = Subjects(engine, now=lambda: NOON, new_id=lambda: next(ids))
    await kept.upsert(namespace, [SubjectUpsert(key=key, changes={}) for key in "abc"])
    assert [one.key for one in await kept.subjects(namespace)] == ["a", "b", "c"]
    assert set(await kept.display_names(namespace, None)) == {"a", "b", "c"}
    await kept.upsert(namespace, [SubjectUpsert(key="d", changes={})])
    with pytest.raises(InvalidInput, match="more than 3 subjects"):
        await kept.subjects(namespace)
    assert await kept.display_names(namespace, None) == {}
    assert set(await kept.display_names(namespace, ["d"])) == {"d"}
