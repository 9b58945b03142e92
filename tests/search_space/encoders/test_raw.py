from __future__ import annotations

import pytest

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.search_space import FusionGraph


@pytest.mark.parametrize("encoder", ["identity", "flatten"])
@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_may_enter_raw(encoder: str, kind: str) -> None:
    graph = FusionGraph.parse(f"a:{encoder}\na@L ->", [Modality("a", kind)])
    assert graph.num_stages("a") == 0
    assert graph.outputs[0].source.depth == 0
