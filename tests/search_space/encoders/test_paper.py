from __future__ import annotations

from fusearch.search_space import FusionGraph
from fusearch.search_space.encoders.paper import PAPER_WIDTHS


def test_one_stage_a_hidden_layer() -> None:
    assert [len(widths) for widths in PAPER_WIDTHS.values()] == [3, 5, 7, 9]
    for name, widths in PAPER_WIDTHS.items():
        assert FusionGraph.parse(f"a:{name}\na@L ->").num_stages("a") == len(widths)
