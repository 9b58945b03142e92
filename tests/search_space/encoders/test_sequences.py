from __future__ import annotations

from fusearch.search_space import FusionGraph


def test_stages() -> None:
    graph = FusionGraph.parse("a:tcn(stages=4) | b:gru | c:text_cnn\nF1 = cat(a@L, b@L, c@L) ->")
    assert [graph.num_stages(name) for name in "abc"] == [4, 2, 3]
    assert [modality.kind for modality in graph.modalities] == ["timeseries", "timeseries", "text"]
