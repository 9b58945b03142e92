"""Which recipes leave."""

import pytest

from fusearch.contracts import Outrun
from fusearch.evaluators.training.halving import OutrunError, worse_half


@pytest.mark.parametrize(
    ("losses", "left"),
    [([0.3, 0.1, 0.4, 0.2], {0: 3, 2: 4}), ([0.3, 0.1, 0.2], {0: 3}), ([0.2, 0.2], {1: 2}), ([0.1], {}), ([], {})],
)
def test_the_worse_half_leaves_and_of_equals_the_later_ones(losses, left):
    found = worse_half(dict(enumerate(losses)), 20)
    assert found == {recipe: Outrun(20, place, len(losses)) for recipe, place in left.items()}


def test_the_reason_is_told():
    error = OutrunError(Outrun(20, 6, 8))
    assert str(error) == "stopped after epoch 20: place 6 of 8 recipes of this design by the loss of held-out rows"
