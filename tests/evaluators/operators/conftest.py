"""A planted bug must be found by the naive twin."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fusearch.evaluators.operators import LAYERS, OperatorLayer
from fusearch.testing import OperatorSuite


@pytest.fixture
def planted() -> Callable[[type[OperatorSuite], type[OperatorLayer]], None]:
    """Put a wrong layer in the place of the right one and see the suite's naive twin fail."""

    def check(suite: type[OperatorSuite], wrong: type[OperatorLayer]) -> None:
        right = LAYERS[suite.name]
        suite().test_layer_matches_its_naive_twin()
        LAYERS.remove(suite.name)
        LAYERS.add(suite.name, wrong)
        try:
            with pytest.raises(AssertionError, match="not close"):
                suite().test_layer_matches_its_naive_twin()
        finally:
            LAYERS.remove(suite.name)
            LAYERS.add(suite.name, right)

    return check
