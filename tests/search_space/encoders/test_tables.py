from __future__ import annotations

import pytest

from fusearch.errors import DesignError
from fusearch.search_space import FusionGraph
from fusearch.search_space.encoders.tables import PAPER_WIDTHS


def test_stages() -> None:
    assert FusionGraph.parse("a:mlp(layers=8)\na@L ->").num_stages("a") == 8
    assert FusionGraph.parse("a:ft_transformer(blocks=2)\na@L ->").num_stages("a") == 3
    with pytest.raises(DesignError, match="expected at least 1"):
        FusionGraph.from_dict(
            {
                **FusionGraph.parse("a:mlp\na@L ->").to_dict(),
                "streams": [{"name": "a", "modality": "a", "encoder": "mlp", "params": {"layers": 0}, "tie": None}],
            }
        )


def test_one_stage_a_hidden_layer() -> None:
    assert [len(widths) for widths in PAPER_WIDTHS.values()] == [3, 5, 7, 9]
    for name, widths in PAPER_WIDTHS.items():
        assert FusionGraph.parse(f"a:{name}\na@L ->").num_stages("a") == len(widths)
