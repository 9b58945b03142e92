"""A design as plain torch says what the network says, where fusearch cannot be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from fusearch.data import Dataset
from fusearch.errors import ExportError
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.inputs import raw_shapes, raw_values
from fusearch.evaluators.export.module_folder import MODULE_TOLERANCE, check_module, write_module
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import bind_task
from fusearch.search_space import ENCODERS, OPERATORS, Candidate, FusionGraph, Recipe, SearchSpace

ROWS = 12
#: Networks of MONAI and torch_geometric are part of their packages: the module then needs those beside torch.
PACKAGES = ("resnet", "efficientnet", "unet", "gcn", "gat")
#: Loads each folder it is given and keeps what the model says, without fusearch.
PROGRAM = """
import importlib.util, pathlib, sys
import numpy as np, torch
sys.modules["fusearch"] = None
torch.set_num_threads(1)
for folder in map(pathlib.Path, sys.argv[1:]):
    spec = importlib.util.spec_from_file_location(folder.name, folder / "model.py")
    module = sys.modules[folder.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    raw = {name: torch.from_numpy(values) for name, values in np.load(folder.parent / f"{folder.name}-raw.npz").items()}
    with torch.no_grad():
        np.save(folder.parent / f"{folder.name}-said.npy", module.load()(raw).numpy())
"""


def made(task: str = "classification", seed: int = 0) -> Dataset:
    """Two tables, one with words, a ragged series, a small image and a sequence of symbols; values and modalities are missing."""
    rng = np.random.default_rng(seed)
    series = rng.normal(size=(ROWS, 7, 3)).astype(np.float32)
    series[np.arange(7) >= rng.integers(3, 8, ROWS)[:, None]] = np.nan
    values = {
        "t": rng.normal(size=(ROWS, 4)).astype(np.float32),
        "u": rng.normal(size=(ROWS, 3)).astype(np.float32),
        "s": series,
        "i": rng.normal(size=(ROWS, 2, 8, 8)).astype(np.float32),
        "q": np.where(np.arange(6) < rng.integers(2, 7, ROWS)[:, None], rng.integers(1, 6, (ROWS, 6)), 0).astype(np.float32),
    }
    values["t"][0, 0] = np.nan
    present = {name: np.ones(ROWS, bool) for name in values}
    present["u"][::4], present["i"][1::5] = False, False
    targets = np.arange(ROWS) % 3 if task == "classification" else rng.normal(size=ROWS) * 7 + 100
    kinds = {"s": "timeseries", "i": "image2d", "q": "sequence"}
    return Dataset.from_arrays("made", modalities=values, targets=targets, task=task, kinds=kinds, present=present, splits=["train"] * ROWS)


def model_of(data: Dataset, graph: FusionGraph, networks: int = 1) -> tuple[DeployedModel, Candidate]:
    candidate = Candidate(graph, Recipe(width=8))
    task = bind_task(data.task).fit(data.targets)
    torch.manual_seed(0)
    made = [FusionNetwork.of(candidate, task) for _ in range(networks)]
    with torch.no_grad():
        for parameter in (each for network in made for each in network.parameters()):
            parameter.add_(0.3 * torch.randn_like(parameter) / parameter.shape[-1] ** 0.5)
    used = {modality.name for modality in graph.modalities}
    statistics = [part for part in data.fit_preprocessor(data.rows("train")).statistics if part.modality.name in used]
    return DeployedModel(made, statistics, task=task), candidate


def written(data: Dataset, graph: FusionGraph, folder: Path, networks: int = 1) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Write the module of a design; return raw values and what the model says of them."""
    model, candidate = model_of(data, graph, networks)
    used = [modality for modality in data.modalities if modality.name in model.modalities]
    raw = raw_values(data, used, data.rows("train"))
    write_module(model, candidate, raw_shapes(data, used), folder)
    with torch.no_grad():
        return raw, model({name: torch.from_numpy(values) for name, values in raw.items()}).numpy()


def without_fusearch(folders: list[Path], raws: list[dict[str, np.ndarray]]) -> list[np.ndarray]:
    for folder, raw in zip(folders, raws, strict=True):
        np.savez(folder.parent / f"{folder.name}-raw.npz", **raw)
    elsewhere = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([sys.executable, "-c", PROGRAM, *map(str, folders)], check=True, cwd=folders[0].parent, env=elsewhere)
    return [np.load(folder.parent / f"{folder.name}-said.npy") for folder in folders]


def compare(data: Dataset, graphs: list[FusionGraph], folder: Path) -> None:
    folders = [folder / f"design{index}" for index in range(len(graphs))]
    found = [written(data, graph, at) for graph, at in zip(graphs, folders, strict=True)]
    unit = bind_task(data.task).fit(data.targets).unit
    said = without_fusearch(folders, [raw for raw, _ in found])
    for graph, (_, expected), here in zip(graphs, found, said, strict=True):
        assert np.ptp(expected, axis=0).max() > 1e-5 * unit, f"{graph}: the samples tell nothing apart"
        assert np.abs(here - expected).max() <= MODULE_TOLERANCE * unit, str(graph)


def operator_designs(data: Dataset) -> Iterator[FusionGraph]:
    for name in OPERATORS:
        operator = OPERATORS[name]
        depth = "score" if operator.scores_only else 1
        streams = ("i:cnn", "s:gru", "t:mlp", "u:mlp")[: max(operator.min_args, min(3, operator.max_args or 3))]
        taps = ", ".join(f"{each[0]}@{depth}" for each in streams)
        yield FusionGraph.parse(f"{' | '.join(streams)}\nF1 = {name}({taps}) ->", data.modalities)


@pytest.mark.slow  # fifty networks; the drawn designs have operators of each class
@pytest.mark.timeout(600)
def test_every_operator(tmp_path: Path) -> None:
    data = made()
    compare(data, list(operator_designs(data)), tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_encoder_of_tables_series_symbols_and_small_images(tmp_path: Path) -> None:
    data = made()
    names = [
        (modality.name, name)
        for modality in data.modalities
        if modality.name != "u"
        for name in ENCODERS
        if ENCODERS[name].reads(modality.kind) and name not in PACKAGES and ENCODERS[name].lacks is None
    ]
    assert len(names) > 20
    graphs = [FusionGraph.parse(f"{modality}:{name}(size=tiny)\n{modality}@L ->", data.modalities) for modality, name in names]
    compare(data, graphs, tmp_path)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_drawn_designs(task: str, tmp_path: Path) -> None:
    data = made(task)
    rng = np.random.default_rng(1)
    space = SearchSpace(data.modalities, operators=[*OPERATORS], max_fusions=4)
    drawn = [space.sample(rng).graph for _ in range(8)]
    kept = [graph for graph in drawn if not any(stream.encoder in PACKAGES for stream in graph.streams)]
    compare(data, kept, tmp_path)


def test_ports_ties_trunks_that_go_on_and_seeds(tmp_path: Path) -> None:
    data = made()
    formulas = (
        "i:cnn | j = i:cnn(tie=i) | t:mlp\nF1 = mmtm(i@1, j@1; trunk=continue(i))\nF2 = cat(F1.i@2, t@L; trunk=rnn:1) ->",
        "s:tcn | t:mlp\nF1 = cross_attention(s@2, t@L; trunk=attention:2)\nF1 -> \nt@score -> aux",
        "t:mlp | u:mlp\nF1 = cat(t@*, u@L; trunk=conv:1) ->",
    )
    folders, raws, expected = [], [], []
    for index, formula in enumerate(formulas):
        folders.append(tmp_path / f"design{index}")
        raw, said = written(data, FusionGraph.parse(formula, data.modalities), folders[-1], networks=2)
        raws.append(raw)
        expected.append(said)
    for here, said in zip(without_fusearch(folders, raws), expected, strict=True):
        np.testing.assert_allclose(here, said, atol=MODULE_TOLERANCE)


def test_the_source_reads_as_the_design(tmp_path: Path) -> None:
    data = made()
    written(data, FusionGraph.parse("t:mlp | u:mlp\nF1 = cat(t@1, u@L)\nF2 = film(F1@1, u@1) ->", data.modalities), tmp_path / "design")
    source = (tmp_path / "design" / "model.py").read_text()
    assert not [line for line in source.splitlines() if line.startswith(("import fusearch", "from fusearch"))]
    assert "self.fusion_F1 = Cat([TokenShape(1, 8), TokenShape(1, 8)], 8, align=False)" in source
    assert 'F2 = self.fusion_F2([F1_1, u_states[1]], [present["t"] | present["u"], present["u"]])' in source
    assert "class CrossAttention" not in source
    assert "losses.add" not in source
    assert max(map(len, source.splitlines())) < 240


def test_a_module_that_says_something_else_is_refused(tmp_path: Path) -> None:
    data = made()
    model, candidate = model_of(data, FusionGraph.parse("t@L ->", data.modalities))
    used = data.modalities[:1]
    raw = raw_values(data, used, data.rows("train"))
    write_module(model, candidate, raw_shapes(data, used), tmp_path / "design")
    assert check_module(model, raw, tmp_path / "design") <= MODULE_TOLERANCE
    path = tmp_path / "design" / "model.py"
    path.write_text(path.read_text().replace("softmax(dim=-1)", "sigmoid()"))
    with pytest.raises(ExportError, match=r"module/model\.py does not reproduce the network: outputs differ by up to"):
        check_module(model, raw, tmp_path / "design")


def test_a_table_of_levels_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    levels = pd.DataFrame({"sex": rng.choice(["f", "m"], ROWS), "site": rng.choice(["a", "b", "c"], ROWS)})
    values = {"w": levels, "n": rng.normal(size=(ROWS, 2)).astype(np.float32)}
    data = Dataset.from_arrays(
        "levels", modalities=values, targets=np.arange(ROWS) % 2, categorical={"w": ["sex", "site"]}, splits=["train"] * ROWS
    )
    model, candidate = model_of(data, FusionGraph.parse("F1 = cat(w@0, n@0) ->", data.modalities))
    write_module(model, candidate, raw_shapes(data, data.modalities), tmp_path / "module")
    assert check_module(model, raw_values(data, data.modalities, data.rows("train")), tmp_path / "module") <= MODULE_TOLERANCE
