"""What a parent process hands to its workers."""

import os

import pytest

from monometer.config import (
    MeterConfig,
    Settings,
    inherited_settings,
    load_settings,
    pass_to_workers,
    process_environ,
)


def test_a_worker_sees_its_parents_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    assert inherited_settings() is None
    settings = Settings(
        database_url="postgres://u:p@h/d",
        workers=2,
        meters=(MeterConfig(slug="a", event_type="b", aggregation="COUNT"),),
        reserved_event_types=("a,b",),
    )
    pass_to_workers(settings)
    assert inherited_settings() == settings
    assert load_settings(process_environ()).warnings == ()
