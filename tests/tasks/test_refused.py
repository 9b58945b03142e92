from __future__ import annotations

import numpy as np
import pytest

from fusearch.data import Dataset
from fusearch.errors import DataError
from fusearch.search_space import PUBLISHED
from fusearch.tasks import REFUSED, TASKS


def test_every_task_of_the_published_networks_is_there_or_refused() -> None:
    kinds = {study.facts.task_kind for study in PUBLISHED.values()}
    assert kinds <= {*TASKS, *REFUSED}
    assert kinds >= set(REFUSED)
    assert not set(TASKS) & set(REFUSED)


@pytest.mark.parametrize("kind", REFUSED)
def test_arrays_in_memory_are_refused_with_the_reason(kind: str) -> None:
    with pytest.raises(DataError, match=REFUSED[kind][:30]):
        Dataset.from_arrays("x", modalities={"a": np.zeros((4, 2))}, targets=np.zeros((4, 3, 3)), task=kind)
