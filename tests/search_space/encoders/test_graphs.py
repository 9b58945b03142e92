from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from fusearch.data.modality import Modality
from fusearch.errors import SpaceError
from fusearch.search_space import ENCODERS, FusionGraph
from fusearch.search_space.encoders import check_installed

GRAPH = Modality("gait", "graph", (5, 8))


def test_stages() -> None:
    graph = FusionGraph.parse("a:gcn(stages=3) | b:gat(size=base)\nF1 = cat(a@L, b@L) ->", [replace(GRAPH, name=name) for name in "ab"])
    assert [graph.num_stages(name) for name in "ab"] == [3, 4]


@pytest.fixture
def without_package() -> Iterator[None]:
    entry = replace(ENCODERS["gcn"], name="spectral", package="no_such_package")
    ENCODERS.add("spectral", entry)
    yield
    ENCODERS.remove("spectral")


def test_a_package_that_is_not_installed_is_told_in_one_line(without_package: None) -> None:
    assert ENCODERS["deepset"].lacks is None
    told = r"modality 'gait': encoder 'spectral' needs no_such_package, which is not installed: pip install 'fusearch\[graph\]'; "
    with pytest.raises(SpaceError, match=told + "encoders without it: deepset, "):
        check_installed(GRAPH, ["deepset", "spectral"])
    check_installed(GRAPH, ["deepset"])
