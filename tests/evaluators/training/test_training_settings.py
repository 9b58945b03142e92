from __future__ import annotations

import pytest

from fusearch.errors import EvaluationError
from fusearch.evaluators.training.training_settings import TrainingSettings


@pytest.mark.parametrize("name", ["epochs", "patience", "batch_size"])
def test_settings_below_one_are_refused(name: str) -> None:
    with pytest.raises(EvaluationError, match=f"{name} is 0, expected at least 1"):
        TrainingSettings(**{name: 0})
