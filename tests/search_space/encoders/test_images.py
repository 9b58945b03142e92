from __future__ import annotations

from fusearch.search_space import FusionGraph


def test_stages() -> None:
    graph = FusionGraph.parse("a:cnn(stages=4) | b:resnet | c:cnn3d\nF1 = cat(a@L, b@L, c@L) ->")
    assert [graph.num_stages(name) for name in "abc"] == [4, 5, 3]
    assert [modality.kind for modality in graph.modalities] == ["image2d", "image2d", "volume3d"]
