"""Which features of a modality a design hangs on: integrated gradients, and occlusion of what has no useful gradient. By captum.

Axis letters: B samples, K outputs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from fusearch.data import Dataset, Modality
from fusearch.errors import EvaluationError
from fusearch.evaluators.explanation.importance import trained_network
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import TaskLayer
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.search_space import Candidate, FusionGraph

if TYPE_CHECKING:
    from fusearch.evaluators.evaluator import TrainingEvaluator
    from fusearch.evaluators.training.member import Member

__all__ = ["Attribution", "attribute_features", "attribution_method", "require_captum"]

Method = Literal["integrated gradients", "occlusion"]
FloatArray = npt.NDArray[np.float64]

#: Points on the way from the mean sample to the sample, for integrated gradients.
_STEPS = 64
#: Samples at a time, and rows of one forward pass.
_SAMPLES, _ROWS = 64, 256


@dataclass(frozen=True, eq=False)
class Attribution:
    """How much each feature of a modality moves the output of a design, in size.

    Attributes:
        modality: Which one.
        kind: Its kind.
        method: How it was measured.
        unit: Of what: the log odds of the predicted class, or the target in its own units.
        mean: Mean over held-out samples of the absolute attribution, then over members. One number for each column of a table, (D,);
            step and channel, (T, C); window of an image, (h, w), or of a volume, (d, h, w); token, (T,).
        spread: Standard deviation over members; 0 with one.
        names: Names of the columns of a table, else empty.
    """

    modality: str
    kind: str
    method: Method
    unit: str
    mean: FloatArray
    spread: FloatArray
    names: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON, six significant digits."""
        arrays = {"mean": _rounded(self.mean), "spread": _rounded(self.spread)}
        facts = {"modality": self.modality, "kind": self.kind, "method": self.method, "unit": self.unit, "names": list(self.names)}
        return facts | arrays


def require_captum() -> None:
    """Refuse early where captum is missing.

    Raises:
        EvaluationError: It is not installed.
    """
    try:
        import captum.attr  # noqa: F401  # only whether it is there
    except ImportError:
        raise EvaluationError(
            "feature attributions need captum, which is not installed: pip install 'fusearch[explain]', or leave them out (--no-features)"
        ) from None


def attribution_method(graph: FusionGraph, modality: Modality) -> Method:
    """Return how the features of a modality are measured.

    Occlusion for images, volumes, videos, nodes of graphs and integer codes, and for everything where a majority vote hides the gradient;
    else integrated gradients.
    """
    votes = any(fusion.operator == "vote_majority" for fusion in graph.fusions)
    layout = modality.layout
    return "occlusion" if votes or layout.channel is None or layout.linked or len(layout.positions) > 1 else "integrated gradients"


def attribute_features(
    evaluator: TrainingEvaluator,
    candidate: Candidate,
    weights: WeightStore,
    members: Sequence[Member],
    *,
    samples: int = 256,
    seed: int = 0,
) -> list[Attribution]:
    """Measure how much every feature that a design reads moves its output, on the held-out rows of each member.

    The output is what the task explains: the log odds of the class that the member predicts, the prediction of a regression. Both methods
    compare with the training mean (in a network's inputs, zero); for integer codes, with code 0. Samples that lack a modality have no part
    in its means.

    Args:
        evaluator: Gives folds and preprocessing; it knows no test rows.
        candidate: The design.
        weights: Where its trained members lie.
        members: Which of them.
        samples: Most held-out rows of a member, drawn at random.
        seed: Seed of that draw.

    Raises:
        EvaluationError: captum is not installed, or the weights were not kept.

    References:
        Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", ICML 2017.
        Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2, for occlusion.
    """
    require_captum()
    graph = candidate.graph
    names = list(dict.fromkeys(graph.stream(name).modality for name in graph.active_streams))
    methods = {name: attribution_method(graph, graph.modality(name)) for name in names}
    found: dict[str, list[FloatArray]] = {name: [] for name in names}
    for member in members:
        prepared = evaluator.prepared(member.fold)
        rng = np.random.default_rng([seed, member.fold, member.seed])
        rows = np.sort(rng.permutation(len(prepared.validation))[:samples])
        held_out = prepared.validation.take(torch.as_tensor(rows, device=prepared.validation.targets.device)).only(
            {modality.name for modality in graph.modalities}
        )
        network = trained_network(evaluator, candidate, weights, member)
        # cuDNN's recurrent layers have no gradient in evaluation mode.
        with torch.backends.cudnn.flags(enabled=False):
            for name, mean in _attribute(network, prepared.task, held_out, methods).items():
                found[name].append(prepared.task.unit * mean)
    return [_summarize(evaluator.data, name, methods[name], values) for name, values in found.items() if values]


def _attribute(network: FusionNetwork, task: TaskLayer, samples: Samples, methods: Mapping[str, Method]) -> dict[str, FloatArray]:
    """Return modality -> mean over samples of the absolute attribution; zero where no sample has the modality."""
    sums: dict[str, FloatArray] = {}
    for portion in samples.portions(_SAMPLES):
        smooth = [name for name, method in methods.items() if method == "integrated gradients"]
        parts = _integrated_gradients(network, task, portion, smooth) if smooth else {}
        for name, method in methods.items():
            if method == "occlusion":
                parts[name] = _occlusion(network, task, portion, name)
        for name, values in parts.items():
            there = portion.present[name].reshape(-1, *[1] * (values.ndim - 1))
            total = (values.abs() * there).sum(dim=0).double().cpu().numpy()
            sums[name] = sums[name] + total if name in sums else total
    return {name: total / max(1, int(samples.present[name].sum())) for name, total in sums.items()}


def _integrated_gradients(network: FusionNetwork, task: TaskLayer, samples: Samples, names: Sequence[str]) -> dict[str, Tensor]:
    from captum.attr import IntegratedGradients

    forward, held = _explained(network, task, samples, names)
    inputs = tuple(samples.inputs[name].detach().clone().requires_grad_() for name in names)
    rows = max(_ROWS, len(samples))
    values = IntegratedGradients(forward).attribute(inputs, additional_forward_args=held, n_steps=_STEPS, internal_batch_size=rows)
    return {name: value.detach() for name, value in zip(names, values, strict=True)}


def _occlusion(network: FusionNetwork, task: TaskLayer, samples: Samples, name: str) -> Tensor:
    """Return one number a window: (B, h, w) for an image, (B, T', C) for a series, (B, D) for a table."""
    from captum.attr import Occlusion

    modality = network.graph.modality(name)
    window, channels_together = _window(modality)
    forward, held = _explained(network, task, samples, [name])
    with torch.no_grad():
        (values,) = Occlusion(forward).attribute(
            (samples.inputs[name],), (window,), strides=(window,), additional_forward_args=held, perturbations_per_eval=4
        )
    # All values in a window are alike: one stands for it.
    values = values[(slice(None), *(slice(None, None, size) for size in window))]
    if channels_together is not None:
        values = values.squeeze(channels_together)
    result: Tensor = values.detach()
    return result


def _window(modality: Modality) -> tuple[tuple[int, ...], int | None]:
    """Return the sizes of a window on each axis, and the axis (the samples count) that a window spans and that goes away."""
    kind, layout = modality.entry, modality.layout
    together = None if kind.channels_apart else layout.channel_axis
    window = [1] * len(modality.shape)
    for axis, size in enumerate(modality.shape):
        if axis == together:
            window[axis] = size
        elif axis in layout.positions and kind.windows:
            window[axis] = math.ceil(size / kind.windows)
    return tuple(window), None if together is None else 1 + together


def _explained(
    network: FusionNetwork, task: TaskLayer, samples: Samples, names: Sequence[str]
) -> tuple[Callable[..., Tensor], tuple[Tensor, ...]]:
    """Return the function of those modalities that is explained, (B,), and the tensors that it takes beside them.

    captum repeats these along with the inputs; so everything that is one a sample goes in by position.
    """
    others = [name for name in samples.inputs if name not in names]
    masks = list(samples.present)
    with torch.no_grad():
        predicted = task.chosen(network(samples.inputs, samples.present))

    def forward(*tensors: Tensor) -> Tensor:
        inputs = dict(zip([*names, *others], tensors, strict=False))
        present = dict(zip(masks, tensors[len(inputs) :], strict=False))
        return task.explained(network(inputs, present), tensors[-1])

    held = (*(samples.inputs[name] for name in others), *(samples.present[name] for name in masks), predicted)
    return forward, held


def _summarize(data: Dataset, name: str, method: Method, values: Sequence[FloatArray]) -> Attribution:
    stacked = np.stack(values)
    spread = stacked.std(axis=0, ddof=1) if len(values) > 1 else np.zeros_like(stacked[0])
    names = data.columns[name].features if name in data.columns else ()
    return Attribution(name, data.modality(name).kind, method, data.task.explained, stacked.mean(axis=0), spread, names)


def _rounded(values: FloatArray) -> Any:
    if values.ndim:
        return [_rounded(part) for part in values]
    return float(f"{float(values):.6g}")
