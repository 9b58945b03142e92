"""The model files of a bundle give what the network gives, for every encoder on every layout of samples that it reads, untrained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fusearch.data import Dataset
from fusearch.data.files.linked_nodes import link_nodes
from fusearch.data.kinds import KINDS, Layout, loadable_kinds
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.inputs import raw_shapes, raw_values
from fusearch.evaluators.export.model_files import TOLERANCE, check_files, rows_to_check, write_files
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import bind_task
from fusearch.search_space import ENCODERS, FusionGraph, Recipe

ROWS = 12
SIZES = {0: (), 1: (7,), 2: (9, 8), 3: (4, 6, 5)}
#: Layout -> the kinds that have it: their networks are the same.
LAYOUTS: dict[Layout, list[str]] = {}
for _kind in loadable_kinds():
    for _layout in KINDS[_kind].layouts:
        LAYOUTS.setdefault(_layout, []).append(_kind)
#: Networks of hundreds of layers take minutes to export: of these the picture stands for the volume, whose layers `resnet` and `cnn` have.
DEEP = ("densenet", "efficientnet")
CASES = [
    (kinds[0], layout, name)
    for layout, kinds in LAYOUTS.items()
    for name in dict.fromkeys(name for kind in kinds for name in ENCODERS if ENCODERS[name].reads(kind))
    if name not in DEEP or len(layout.positions) < 3
]


def values_of(layout: Layout) -> np.ndarray:
    """Return samples of three channels, or codes, of different lengths where the layout has an end; one value is missing."""
    rng = np.random.default_rng(0)
    sizes = SIZES[len(layout.positions)]
    lengths = rng.integers(2, 5, ROWS)
    if layout.channel is None:
        codes = rng.integers(1, 6, (ROWS, *sizes))
        return np.where(np.arange(sizes[0]) < lengths[:, None], codes, 0).astype(np.float32)
    values = rng.normal(size=(ROWS, *sizes, 3)).astype(np.float32) * 3 + 1
    values = np.moveaxis(values, -1, 1 + (layout.channel_axis or 0))
    if layout.ragged_axis is not None:
        steps = np.moveaxis(values, 1 + layout.ragged_axis, 1)
        steps[np.arange(steps.shape[1]) >= lengths[:, None]] = np.nan
    values[(0,) * values.ndim] = np.nan
    return link_nodes(values, [(node, node + 1) for node in range(sizes[0] - 1)]) if layout.linked else values


@pytest.mark.slow
@pytest.mark.timeout(900)  # a deep network over volumes is a thousand nodes to export
@pytest.mark.parametrize(("kind", "layout", "name"), CASES, ids=[f"{kind}-{layout.axes}-{name}" for kind, layout, name in CASES])
def test_its_files_give_what_the_network_gives(kind: str, layout: Layout, name: str, tmp_path: Path) -> None:
    values = values_of(layout)
    data = Dataset.from_arrays("made", modalities={"m": values}, targets=np.arange(ROWS) % 3, kinds={"m": kind}, splits=["train"] * ROWS)
    graph = FusionGraph.parse(f"m:{name}(size=tiny)\nm@L ->", data.modalities)
    torch.manual_seed(0)
    network = FusionNetwork(graph, 3, Recipe(width=8))
    with torch.no_grad():
        for parameter in network.parameters():  # a fresh head is zero, and gives one number for every sample
            parameter.add_(0.3 * torch.randn_like(parameter))
    task = bind_task(data.task).fit(data.targets)
    model = DeployedModel([network], data.fit_preprocessor(data.rows("train")).statistics, task=task)
    raw = raw_values(data, data.modalities, data.rows("train"))
    with torch.no_grad():
        said = model({"m": torch.from_numpy(raw["m"])})
    assert float(said.std(dim=0).max()) > 1e-3, "the samples tell nothing apart"
    write_files(model, raw_shapes(data, data.modalities), tmp_path)
    found = check_files(model, rows_to_check(raw), tmp_path)
    assert max(found.values()) <= TOLERANCE
