from __future__ import annotations

from fusearch.data.modality import Modality
from fusearch.search_space import FusionGraph


def test_stages() -> None:
    films = [Modality(name, "video", (1, 4, 6, 6)) for name in "ab"]
    graph = FusionGraph.parse("a:frame_gru(stages=2) | b:r2plus1d\nF1 = cat(a@L, b@L) ->", films)
    assert [graph.num_stages(name) for name in "ab"] == [3, 3]
