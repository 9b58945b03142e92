"""Encoders that start from weights in files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fusearch.contracts import Budget
from fusearch.data import Dataset
from fusearch.data.given_weights import GivenWeights
from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.export.refit import refit
from fusearch.evaluators.network.encoder_network import make_encoder
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.start import check_given, read_weights, start_network
from fusearch.evaluators.network.stream_runs import StreamNetwork
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.search_space import ENCODERS, Candidate, FusionGraph, Recipe

TABLES = (Modality("a", "tabular", (5,)), Modality("b", "tabular", (3,)))


def weights_of(encoder: str, modality: Modality = TABLES[0], **params: Any) -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    return make_encoder(encoder, modality, 8, 0.0, ENCODERS[encoder].complete(params, encoder)).state_dict()


def given(path: Path, weights: dict[str, torch.Tensor], encoder: str = "mlp(width=8)", freeze: int | Sequence[str] = 0) -> GivenWeights:
    if path.suffix == ".safetensors":
        save_file(weights, path)
    else:
        torch.save(weights, path)
    return GivenWeights.read("a", encoder, path, freeze)


def network_of(formula: str, modalities: Sequence[Modality] = TABLES) -> FusionNetwork:
    return FusionNetwork(FusionGraph.parse(formula, modalities), 2, Recipe(width=16))


def test_heads_at_zero_start_at_what_they_are_given() -> None:
    """Those whose scores an operator joins have a start of their own."""
    said, x = torch.tensor([0.5, -0.5]), {"a": torch.randn(4, 5), "b": torch.randn(4, 3)}
    present = {name: torch.ones(4, dtype=torch.bool) for name in x}
    for formula in ("a:mlp | b:mlp\nF1 = cat(a@L, b@L) ->", "a:mlp | b:mlp\nF1 = vote_mean(a@score, b@score) ->"):
        network = network_of(formula)
        start_network(network, [], said)
        torch.testing.assert_close(network(x, present).softmax(dim=1), said.softmax(dim=0).expand(4, 2))
    network = network_of("a:mlp | b:mlp\nF1 = product(a@score, b@score) ->")
    before = {name: values.clone() for name, values in network.streams.state_dict().items()}
    start_network(network, [], said)
    assert all(torch.equal(values, before[name]) for name, values in network.streams.state_dict().items())
    alone = StreamNetwork(network.graph, "a", 2, Recipe(width=16))
    start_network(alone, [], None)
    assert not alone(x["a"]).any()
    start_network(alone, [], said)
    torch.testing.assert_close(alone(x["a"]), said.expand(4, 2))


def test_an_output_of_one_task_starts_at_its_own_part() -> None:
    graph = FusionGraph.parse("a:mlp | b:mlp\nF1 = cat(a@L, b@L) -> one\nF2 = sum(a@1, b@1; trunk=fc:1) -> other", TABLES)
    network = FusionNetwork(graph, 3, Recipe(width=16), tasks={"one": slice(0, 1), "other": slice(1, 3)})
    start_network(network, [], torch.tensor([1.0, 2.0, 3.0]))
    x, present = {"a": torch.randn(4, 5), "b": torch.randn(4, 3)}, {name: torch.ones(4, dtype=torch.bool) for name in "ab"}
    torch.testing.assert_close(network(x, present), torch.tensor([[1.0, 2.0, 3.0]]).expand(4, 3))


@pytest.mark.parametrize("prefix", ["", "module.", "streams.encoders.stream_a."])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_a_stream_starts_from_its_file_whatever_stands_before_the_names(tmp_path: Path, suffix: str, prefix: str) -> None:
    weights = weights_of("mlp")
    stored = {**{prefix + name: values for name, values in weights.items()}, "head.weight": torch.ones(3)}
    each = given(tmp_path / f"w{suffix}", stored, freeze=["layer1"])
    check_given([each], TABLES)
    network = network_of("a:mlp(width=8) | b:mlp | c = a:mlp\nF1 = cat(a@L, b@L, c@L) ->")
    before = {name: values.clone() for name, values in network.state_dict().items()}
    start_network(network, [each], None)
    after = network.state_dict()
    for name, values in weights.items():
        torch.testing.assert_close(after[f"streams.encoders.stream_a.{name}"], values)
    others = [name for name in after if not name.startswith("streams.encoders.stream_a.")]
    assert all(torch.equal(after[name], before[name]) for name in others), "another modality, and another width, start anew"
    frozen = {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
    assert frozen == {f"streams.encoders.stream_a.{name}" for name in weights if name.startswith("stages.0.")}


def test_a_design_that_reads_fewer_stages_starts_from_those(tmp_path: Path) -> None:
    weights = weights_of("mlp", layers=3)
    network = network_of("a:mlp(width=8, layers=3) | b:mlp\nF1 = cat(a@1, b@L) ->")
    start_network(network, [given(tmp_path / "w.pt", weights, "mlp(width=8, layers=3)")], None)
    torch.testing.assert_close(network.state_dict()["streams.encoders.stream_a.stages.0.0.weight"], weights["stages.0.0.weight"])


def test_monai_names_of_a_unet_are_known(tmp_path: Path) -> None:
    from monai.networks.nets.basic_unet import BasicUNet

    image = Modality("a", "image2d", (1, 16, 16))
    theirs = BasicUNet(2, features=(8, 16, 32, 64, 128, 8), norm=("group", {"num_groups": 1}))
    each = given(tmp_path / "w.pt", theirs.state_dict(), "unet(width=8, levels=4)")
    network = network_of("a:unet(width=8, levels=4)\na@L ->", [image])
    start_network(network, [each], None)
    own = network.state_dict()["streams.encoders.stream_a.stages.2.layers.1.conv_0.conv.weight"]
    torch.testing.assert_close(own, theirs.state_dict()["down_2.convs.conv_0.conv.weight"])


@pytest.mark.parametrize(
    ("change", "encoder", "freeze", "message"),
    [
        ({"stages.0.0.weight": None}, "mlp(width=8)", 0, r"do not fit: 1 of 8 differ: stages.0.0.weight is missing$"),
        ({"stages.0.0.weight": (8, 4)}, "mlp(width=8)", 0, r"1 of 8 differ: stages.0.0.weight is \(8, 4\), expected \(8, 5\)$"),
        ({"stages.0.0.weight": torch.int64}, "mlp(width=8)", 0, r"1 of 8 differ: stages.0.0.weight is int64, expected floating-point"),
        ({"stages.0.0.weight": torch.bool}, "mlp(width=8)", 0, r"1 of 8 differ: stages.0.0.weight is bool, expected floating-point"),
        ({}, "mlp(width=16)", 0, r"differ: .*; .*; .*, and 5 more$"),
        ({}, "mlp(width=8, layers=3)", 0, r"4 of 12 differ: stages.2.0.weight is missing; .*, and 1 more$"),
        ({}, "mlp", 0, r"expected a width: 'mlp\(width=32\)'"),
        ({}, "mlp(width=8)", 3, "freeze is 3, expected 0 to 2"),
        ({}, "mlp(width=8)", ["stem"], "freeze has no stage 'stem' of 'mlp'"),
        ({}, "cnn(width=8)", 0, "encoder 'cnn' does not read tabular"),
        ({"bn1.running_mean": (8,)}, "mlp(width=8)", 0, "statistics of BatchNorm such as 'bn1.running_mean'"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(
    tmp_path: Path, change: dict[str, tuple[int, ...] | torch.dtype | None], encoder: str, freeze: int | list[str], message: str
) -> None:
    weights = {name: values for name, values in weights_of("mlp").items() if change.get(name, ()) is not None}
    weights |= {name: torch.ones(shape) for name, shape in change.items() if isinstance(shape, tuple)}
    weights |= {name: weights[name].to(dtype) for name, dtype in change.items() if isinstance(dtype, torch.dtype)}
    with pytest.raises(EvaluationError, match=message) as found:
        check_given([given(tmp_path / "w.pt", weights, encoder, freeze)], TABLES)
    assert "\n" not in str(found.value)


def test_two_encoders_under_two_names_are_refused(tmp_path: Path) -> None:
    stored = {f"{side}.{name}": values for side in ("left", "right") for name, values in weights_of("mlp").items()}
    with pytest.raises(EvaluationError, match=r"fit under several prefixes: 'left\.', 'right\.', expected one"):
        check_given([given(tmp_path / "w.pt", stored)], TABLES)


def test_a_file_of_anything_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"no weights")
    with pytest.raises(EvaluationError, match=r"weights 'w.safetensors' cannot be read, expected safetensors or"):
        read_weights(tmp_path / "w.safetensors")
    torch.save({"model": torch.nn.Linear(2, 2)}, tmp_path / "w.pt")  # a pickle of a class is never run
    with pytest.raises(
        EvaluationError, match=r"weights 'w.pt' cannot be read: it is no state dict .*; expected what `torch.save\(network.s"
    ) as found:
        read_weights(tmp_path / "w.pt")
    assert "weights_only" not in str(found.value), "torch advises to run it"
    torch.save({"epoch": 3}, tmp_path / "w.pt")
    with pytest.raises(EvaluationError, match="hold no tensors by name"):
        read_weights(tmp_path / "w.pt")
    torch.save({"x": torch.ones(3).to_sparse()}, tmp_path / "w.pt")
    with pytest.raises(EvaluationError, match="'x' is sparse or has no values"):
        read_weights(tmp_path / "w.pt")
    (tmp_path / "w.pt").write_bytes(b"")
    with pytest.raises(EvaluationError, match=r"weights 'w.pt' cannot be read"):
        read_weights(tmp_path / "w.pt")
    torch.save({1: torch.ones(2), "x": torch.ones(3)}, tmp_path / "w.pt", _use_new_zipfile_serialization=False)  # as torch did before 1.6
    assert [*read_weights(tmp_path / "w.pt")] == ["x"]


def test_weights_that_are_no_numbers_and_encoders_without_weights_are_refused(tmp_path: Path) -> None:
    weights = weights_of("mlp")
    first = next(iter(weights))
    with pytest.raises(EvaluationError, match=f"{first!r} holds values that are not finite"):
        check_given([given(tmp_path / "w.safetensors", {**weights, first: torch.full_like(weights[first], torch.nan)})], TABLES)
    with pytest.raises(EvaluationError, match="encoder 'identity' has no weights that could start from a file"):
        check_given([given(tmp_path / "v.safetensors", weights, encoder="identity")], TABLES)


@pytest.fixture
def data() -> Dataset:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    return Dataset.from_arrays("toy", modalities={"a": rng.normal(size=(60, 5)) + y[:, None], "b": rng.normal(size=(60, 3))}, targets=y)


@pytest.mark.parametrize("training", ["joint", "staged", "frozen"])
@pytest.mark.parametrize("pack", ["off", 4])
def test_frozen_stages_are_what_the_file_says_after_every_training(data: Dataset, tmp_path: Path, training: str, pack: int | str) -> None:
    weights = weights_of("mlp")
    data = data.starting_from(given(tmp_path / "w.safetensors", weights, freeze=1))
    graph = FusionGraph.parse(f"a:mlp(width=8) | b:mlp; F1 = cat(a@L, b@L) ->; train = {training}", data.modalities)
    candidate = Candidate(graph, Recipe(width=16))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        evaluator = TrainingEvaluator(data, folds=2, seeds=2, epochs=2, device="cpu", pack=pack).keeping(tmp_path)
        evaluation = evaluator(candidate, Budget(), lambda step, values: None)
    assert not evaluation.details.get("loop"), "members with frozen stages are a pack like others"
    for member in evaluator.train_members(candidate, Budget()):
        kept = WeightStore(tmp_path).load(candidate.digest, member.member).weights
        same = {name for name, values in weights.items() if torch.equal(kept[f"streams.encoders.stream_a.{name}"], values)}
        assert {name for name in weights if name.startswith("stages.0.")} <= same < set(weights)
    model = refit(data, candidate, epochs={"a": 1, "b": 1, "fusion": 1}, seeds=1)
    own = next(values for name, values in model.state_dict().items() if name.endswith("stream_a.stages.0.0.weight"))
    torch.testing.assert_close(own, weights["stages.0.0.weight"])


def test_a_file_that_changed_since_is_refused(data: Dataset, tmp_path: Path) -> None:
    each = given(tmp_path / "w.pt", weights_of("mlp"))
    torch.save({"other": torch.ones(2)}, tmp_path / "w.pt")
    with pytest.raises(EvaluationError, match=r"weights 'w.pt' have changed since the data were loaded"):
        TrainingEvaluator(data.starting_from(each))
