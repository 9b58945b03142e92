"""What is taken out of the package runs alone, and holds no more than it needs."""

from __future__ import annotations

import pytest
import torch

from fusearch.errors import ExportError
from fusearch.evaluators.encoders.images import ResNet
from fusearch.evaluators.encoders.tables import FTTransformer
from fusearch.evaluators.export.taken_source import TakenSource
from fusearch.evaluators.network.encoder_network import NETWORKS
from fusearch.evaluators.network.operator_layer import LAYERS, TokenShape
from fusearch.search_space import ENCODERS


def taken(*things: type, methods: tuple[str, ...] = ("forward",)) -> str:
    source = TakenSource({"Modality": "class Modality:\n    pass"}, {}, methods)
    for thing in things:
        source.want(thing)
    return source.text()


def test_a_layer_runs_as_it_did() -> None:
    space: dict[str, object] = {}
    exec(compile(taken(LAYERS["cross_attention"], TokenShape), "taken", "exec"), space)  # it is what a user does
    shapes = [(3, 4), (5, 6)]
    torch.manual_seed(0)
    ours = LAYERS["cross_attention"]([TokenShape(*shape) for shape in shapes], 8, heads=2, residual=True).eval()
    theirs = space["CrossAttention"]([space["TokenShape"](*shape) for shape in shapes], 8, heads=2, residual=True).eval()  # type: ignore[operator]
    theirs.load_state_dict(ours.state_dict())
    xs, present = [torch.randn(2, *shape) for shape in shapes], [torch.ones(2, dtype=torch.bool)] * 2
    assert torch.equal(ours(xs, present), theirs(xs, present))


def test_what_only_training_needs_stays_behind() -> None:
    source = taken(LAYERS["contrastive"])
    assert "class Contrastive" in source
    assert "losses is not None" not in source
    assert "Losses = Any" in source
    assert "@operator_layer" not in source
    assert "type: ignore" not in source
    assert "class TaskLayer" not in taken(LAYERS["stacking"])
    assert "def fit" not in taken(LAYERS["stacking"])


def test_definitions_stand_behind_those_that_they_need() -> None:
    source = taken(FTTransformer)
    places = [source.index(f"class {name}(") for name in ("StageEncoder", "FTTransformer")]
    assert places == sorted(places)
    assert "class MLP(" not in source
    assert source.index("MOST_TOKENS = 64") < source.index("class FeatureTokenizer")


def test_a_class_that_was_made_by_a_call_is_written_out() -> None:
    name = next(name for name in ENCODERS if NETWORKS[name].__bases__[0].__name__ == "_PaperMLP")
    source = taken(NETWORKS[name])
    assert f"class {NETWORKS[name].__name__}(_PaperMLP):" in source
    assert f"    widths = {NETWORKS[name].widths!r}" in source  # type: ignore[attr-defined]  # of this class


def test_packages_are_imported_and_sources_that_are_not_there_are_refused() -> None:
    assert "from monai.networks.nets.resnet import ResNetBlock" in taken(ResNet)
    with pytest.raises(ExportError, match=r"format module: .*Made has no source; take onnx or pt2"):
        taken(type("Made", (), {"__module__": __name__}))
