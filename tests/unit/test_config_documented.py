"""docs/operations.md names every setting, with the default and the limits the code has."""

import re
from pathlib import Path

import pytest
from annotated_types import Ge, Gt, Le
from pydantic.fields import FieldInfo

from monometer.config import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "operations.md"
RESULTS = {"meters", "warnings", "notes"}  # not set by a variable


def rows() -> dict[str, tuple[str, str]]:
    """Default and limit by variable, as the table has them."""
    pattern = r"^\| `(MONOMETER_\w+)` \| (.+?) \| (.+?) \|"
    found = re.findall(pattern, DOCUMENT.read_text(), flags=re.MULTILINE)
    return {name: (default, limit) for name, default, limit in found}


def limits(field: FieldInfo) -> str | None:
    low = next((rule for rule in field.metadata if isinstance(rule, Ge | Gt)), None)
    high = next((rule.le for rule in field.metadata if isinstance(rule, Le)), None)
    match low:
        case Ge(ge=least):
            return f"{least} to {high}"
        case Gt(gt=bound):
            return f"above {bound}, to {high}"
    return None


def test_every_setting_has_a_row_and_no_row_is_left_over() -> None:
    variables = {f"MONOMETER_{name.upper()}" for name in Settings.model_fields.keys() - RESULTS}
    assert rows().keys() == variables | {"MONOMETER_CONFIG"}


@pytest.mark.parametrize("name", sorted(Settings.model_fields.keys() - RESULTS))
def test_the_row_says_what_the_code_does(name: str) -> None:
    field = Settings.model_fields[name]
    default, limit = rows()[f"MONOMETER_{name.upper()}"]
    if name == "data_dir":
        assert Path(default.strip("`")).expanduser() == Settings().data_dir
    else:
        assert default == ("none" if field.default in (None, ()) else f"`{field.default}`")
    assert limits(field) in (None, limit)
