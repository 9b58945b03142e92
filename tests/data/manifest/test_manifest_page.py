from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from fusearch.data.kinds import KINDS
from fusearch.data.manifest.manifest import Splits, kind_model, manifest_model
from fusearch.data.manifest.manifest_page import manifest_reference
from fusearch.data.manifest.task_keys import task_model
from fusearch.tasks import TASKS

PAGE = Path(__file__).parents[3] / "docs" / "manifest.md"
LOADABLE = [kind for kind in KINDS.values() if kind.loadable]


def test_the_page_is_not_stale() -> None:
    assert PAGE.read_text(encoding="utf-8") == manifest_reference(), "run `make reference`"


@pytest.mark.parametrize("model", [manifest_model(), *map(task_model, TASKS.values()), *map(kind_model, LOADABLE), Splits])
def test_every_key_is_on_the_page_with_its_meaning(model: type[BaseModel]) -> None:
    rows = [line.split(" | ") for line in manifest_reference().splitlines() if line.startswith("| `")]
    for name, field in model.model_fields.items():
        if name != "kind":
            assert field.description, f"{model.__name__}.{name} has no description"
            assert any(row[0] == f"| `{name}`" and row[-1] == f"{field.description} |" for row in rows)


def test_its_example_is_a_manifest() -> None:
    text = manifest_reference().split("```yaml\n")[1].split("```")[0]
    assert manifest_model().model_validate(yaml.safe_load(text)).name == "lgg"
