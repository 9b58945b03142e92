from __future__ import annotations

import copy
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from toy_tasks import class_task

import fusearch
from fusearch.data import Dataset
from fusearch.errors import ExportError
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.inputs import raw_shapes, raw_values
from fusearch.evaluators.export.model_files import ONNX, PT2, check_files, rows_to_check, write_files
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.search_space import OPERATORS, FusionGraph, Operator, Recipe
from fusearch.search_space.entries.operator import SYMBOLS


@pytest.fixture(scope="module")
def data() -> Dataset:
    rng = np.random.default_rng(0)
    # `mean` is also the name of a computation in the graph; `values` of a method of dictionaries.
    modalities = {"mean": rng.normal(3, 2, (40, 4)), "values": rng.normal(size=(40, 6, 2))}
    return Dataset.from_arrays("toy", modalities=modalities, present={"values": rng.random(40) < 0.7}, targets=np.arange(40) % 3)


@pytest.fixture(scope="module")
def model(data: Dataset) -> DeployedModel:
    torch.manual_seed(0)
    graph = FusionGraph.parse("mean:mlp | values:gru\nF1 = cat(mean@L, values@L) ->", modalities=data.modalities)
    networks = [FusionNetwork(graph, 3, Recipe(width=8)) for _ in range(2)]
    for network in networks:
        network.heads[0].linear.reset_parameters()  # a fresh head is zero
    return DeployedModel(networks, data.fit_preprocessor(data.rows("train")).statistics, task=class_task(3))


@pytest.fixture(scope="module")
def files(data: Dataset, model: DeployedModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_files(model, raw_shapes(data, data.modalities), folder)
    return folder


@pytest.fixture(scope="module")
def raw(data: Dataset) -> dict[str, np.ndarray]:
    return rows_to_check(raw_values(data, data.modalities, data.rows("search")))


def test_both_files_reproduce_the_network(files: Path, model: DeployedModel, raw: dict[str, np.ndarray]) -> None:
    assert sorted(path.name for path in files.iterdir()) == [ONNX, PT2]
    differences = check_files(model, raw, files)
    assert set(differences) == {PT2, ONNX}
    assert max(differences.values()) < 1e-5


def test_the_rows_to_check_lack_each_modality_somewhere(raw: dict[str, np.ndarray]) -> None:
    absent = {name: np.isnan(values).reshape(len(values), -1).all(axis=1) for name, values in raw.items()}
    assert len(raw["mean"]) == 32 + 3 + 3
    assert absent["mean"][32:35].all()
    assert absent["values"][35:].all()
    assert not (absent["mean"] & absent["values"])[:32].any()


def test_a_program_of_another_network_is_refused(files: Path, model: DeployedModel, raw: dict[str, np.ndarray]) -> None:
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.networks[0].heads[0].linear.bias[2] += 1
    with pytest.raises(
        ExportError, match=r"^model.pt2 does not reproduce the network: .* differ by up to 0\.\d+, expected at most 0\.0001$"
    ):
        check_files(other, raw, files)


def test_an_onnx_file_of_another_network_is_refused(files: Path, model: DeployedModel, raw: dict[str, np.ndarray], tmp_path: Path) -> None:
    shutil.copytree(files, tmp_path / "files")
    document = onnx.load(files / ONNX)
    head = next(tensor for tensor in document.graph.initializer if tensor.name.endswith("heads.0.linear.bias"))
    head.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(head) + np.float32([0, 0, 1]), head.name))
    onnx.save(document, tmp_path / "files" / ONNX)
    with pytest.raises(ExportError, match=r"^model.onnx does not reproduce the network"):
        check_files(model, raw, tmp_path / "files")


def test_a_broken_file_is_refused(files: Path, model: DeployedModel, raw: dict[str, np.ndarray], tmp_path: Path) -> None:
    shutil.copytree(files, tmp_path / "files")
    (tmp_path / "files" / ONNX).write_bytes(b"broken")
    with pytest.raises(ExportError, match=r"^a model file cannot be loaded again: "):
        check_files(model, raw, tmp_path / "files")


def test_the_onnx_file_takes_any_number_of_rows_by_name(files: Path) -> None:
    graph = onnx.load(files / ONNX).graph
    shapes = {value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in graph.input}
    assert shapes == {"raw.mean": ["batch", 4], "raw.values": ["batch", 6, 2]}
    assert [value.name for value in graph.output] == ["prediction"]


def test_nothing_but_the_model_is_in_the_files(files: Path) -> None:
    place = str(Path(fusearch.__file__).parent).encode()
    assert place not in (files / ONNX).read_bytes()
    with zipfile.ZipFile(files / PT2) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            assert place not in content, name
            # A pickle is a zip of its own (torch.save) or begins with its protocol. The archive holds raw weights, and JSON.
            assert not content.startswith((b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05")) or "/weights/weight_" in name, name
        examples = [archive.read(name) for name in archive.namelist() if "sample_inputs" in name]
    assert examples == [b""]


class _NoTrace(torch.nn.Module):
    def forward(self, inputs: dict[str, torch.Tensor], present: dict[str, torch.Tensor]) -> torch.Tensor:
        rows = inputs["mean"][inputs["mean"][:, 0] > inputs["mean"].mean().item()]
        return rows[: len(inputs["mean"]), :3]


def test_what_torch_cannot_export_is_one_line(data: Dataset, tmp_path: Path) -> None:
    statistics = data.fit_preprocessor(data.rows("train")).statistics[:1]
    with pytest.raises(ExportError, match=r"^torch cannot export this design: \w+: .+$") as caught:
        write_files(DeployedModel([_NoTrace()], statistics, task=class_task(3)), {"mean": (4,)}, tmp_path)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def fusion(number: int, operator: Operator) -> str:
    depth = "score" if operator.scores_only else "1"
    args = [f"{name}@{depth}" for name in ("image", "series", "table", "labs")][: operator.max_args]
    return f"F{number} = {operator.name}({', '.join(args)})"


@pytest.mark.slow
@pytest.mark.parametrize("family", SYMBOLS)
def test_every_operator_can_be_exported(family: str, tmp_path: Path) -> None:
    """One design holds all operators of a family, joined at the end."""
    rng = np.random.default_rng(0)
    modalities = {"image": (1, 8, 8), "series": (6, 2), "table": (5,), "labs": (4,)}
    data = Dataset.from_arrays(
        "toy",
        modalities={name: rng.normal(size=(40, *shape)) for name, shape in modalities.items()},
        present={"series": rng.random(40) < 0.8},
        targets=np.arange(40) % 3,
    )
    operators = [operator for operator in OPERATORS.values() if operator.family == family]
    lines = [fusion(number, operator) for number, operator in enumerate(operators, start=1)]
    last = ", ".join(f"F{number}@0" for number in range(1, len(lines) + 1))
    text = "\n".join(["image:cnn | series:gru | table:mlp | labs:mlp", *lines, f"F{len(lines) + 1} = cat({last}) ->"])
    network = FusionNetwork(FusionGraph.parse(text, modalities=data.modalities), 3, Recipe(width=8))
    for head in network.heads:
        head.linear.reset_parameters()  # a fresh head is zero
    used = [part for part in data.modalities if part in network.graph.modalities]
    statistics = [part for part in data.fit_preprocessor(data.rows("train")).statistics if part.modality in used]
    model = DeployedModel([network], statistics, task=class_task(3))
    write_files(model, raw_shapes(data, used), tmp_path)
    check_files(model, rows_to_check(raw_values(data, used, data.rows("search"))), tmp_path)
