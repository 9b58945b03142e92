"""A user's own operator and encoder: registered in one call, shipped to other processes with the evaluator."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cloudpickle
import pytest
import torch
from device_of_tests import DEVICE
from torch import Tensor

from fusearch.data import load_data
from fusearch.errors import FusearchError
from fusearch.evaluators import OperatorLayer, StageEncoder, TokenShape, TrainingEvaluator, encoder_network, fusion_operator
from fusearch.evaluators.extension import Extensions
from fusearch.evaluators.network.encoder_network import NETWORKS
from fusearch.evaluators.network.operator_layer import LAYERS, Losses
from fusearch.metrics import METRICS, metric
from fusearch.registry import PLUGINS
from fusearch.search_space import ENCODERS, OPERATORS, Encoder, Operator


class Second(OperatorLayer):
    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out = shapes[1]

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        return xs[1]


class Shift(StageEncoder):
    def __init__(self, modality: object, width: int, dropout: float) -> None:
        super().__init__(modality, width, dropout)  # type: ignore[arg-type]  # a Modality
        self.add(torch.nn.Identity(), self.shapes[0])


def always_half(targets: object, outputs: object) -> float:
    return 0.5


@pytest.fixture
def own() -> Iterator[None]:
    fusion_operator(Operator("second_only", family="tensor"))(Second)
    encoder_network(Encoder("shift", ("tabular",), lambda _params: 1))(Shift)
    metric("always_half", direction="maximize", kinds="classification")(always_half)
    yield
    names = ((OPERATORS, "second_only"), (LAYERS, "second_only"), (ENCODERS, "shift"), (NETWORKS, "shift"), (METRICS, "always_half"))
    for registry, name in names:
        if name in registry:
            registry.remove(name)  # type: ignore[attr-defined]  # registries of several types


def test_the_entry_and_the_network_in_one_call(own: None) -> None:
    assert LAYERS["second_only"] is Second
    assert NETWORKS["shift"] is Shift
    found = Extensions.registered()
    assert [entry.name for entry, _ in found.operators] == ["second_only"]
    assert [entry.name for entry, _ in found.encoders] == ["shift"]
    assert [entry.name for entry in found.metrics] == ["always_half"]


def test_a_taken_name_is_refused(own: None) -> None:
    with pytest.raises(FusearchError, match="operator 'cat' is registered already"):
        fusion_operator(Operator("cat", family="tensor"))(Second)


@pytest.mark.slow
def test_an_evaluator_takes_them_to_another_process(own: None, tmp_path: Path) -> None:
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    try:
        payload = cloudpickle.dumps(TrainingEvaluator(load_data("wisconsin"), folds=2, epochs=1, device=DEVICE))
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    (tmp_path / "evaluator").write_bytes(payload)
    code = f"""
import cloudpickle
evaluator = cloudpickle.loads(open({str(tmp_path / "evaluator")!r}, "rb").read())
from fusearch.contracts import Budget
from fusearch.search_space import Candidate, FusionGraph
text = "mean = mean:shift | worst = worst:shift\\nF1 = second_only(mean@1, worst@1) ->"
graph = FusionGraph.parse(text, evaluator.data.modalities)
print(sorted(evaluator(Candidate(graph), Budget(), lambda step, values: None))[:2])
print(evaluator(Candidate(graph), Budget(), lambda step, values: None)["always_half"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "['accuracy', 'always_half']\n0.5", done.stderr


@pytest.mark.slow
def test_a_plug_in_file_goes_along_as_its_text(tmp_path: Path) -> None:
    plugin = tmp_path / "own_things.py"
    plugin.write_text(
        "import fusearch as fs\n"
        "from fusearch.evaluators import OperatorLayer\n"
        "from fusearch.metrics import metric\n\n\n"
        "@fs.fusion_operator(fs.Operator('first_only', family='tensor'))\n"
        "class FirstOnly(OperatorLayer):\n"
        "    def __init__(self, shapes, width):\n"
        "        super().__init__()\n"
        "        self.out = shapes[0]\n\n"
        "    def forward(self, xs, present, losses=None):\n"
        "        return xs[0]\n\n\n"
        "@metric('seven', direction='maximize', kinds='classification')\n"
        "def seven(targets, outputs):\n"
        "    return 7\n",
        encoding="utf-8",
    )
    send = (
        "import sys, cloudpickle\nfrom fusearch.data import load_data\nfrom fusearch.evaluators import TrainingEvaluator\n"
        "evaluator = TrainingEvaluator(load_data('wisconsin'), folds=2, epochs=1)\nassert 'seven' in evaluator.objectives()\n"
        "open(sys.argv[1], 'wb').write(cloudpickle.dumps(evaluator))"
    )
    receive = (
        "import sys, cloudpickle\nfrom fusearch.contracts import Budget\nfrom fusearch.search_space import Candidate, FusionGraph\n"
        "evaluator = cloudpickle.loads(open(sys.argv[1], 'rb').read())\n"
        "graph = FusionGraph.parse('F1 = first_only(mean@L, worst@L) ->', evaluator.data.modalities)\n"
        "print(evaluator(Candidate(graph), Budget(), lambda step, values: None)['seven'])"
    )
    environments = ({**os.environ, PLUGINS: str(plugin)}, {name: value for name, value in os.environ.items() if name != PLUGINS})
    for code, environment in zip((send, receive), environments, strict=True):
        command = [sys.executable, "-c", code, str(tmp_path / "evaluator")]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stderr
        plugin.unlink(missing_ok=True)  # the worker may be on another machine
    assert done.stdout.strip() == "7.0"
