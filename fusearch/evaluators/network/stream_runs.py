"""The streams of a design: encoders, shared by ties, and the heads of their own class scores.

Axis letters: B batch, T tokens, D width, K outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

import fusearch.evaluators.encoders  # noqa: F401  # registers the networks
from fusearch.evaluators.network.dense_head import DenseHead, skip_depths
from fusearch.evaluators.network.encoder_network import MeanPool, StageEncoder, make_encoder, mean_tokens, pooled
from fusearch.evaluators.network.operator_layer import TokenShape, mask_absent
from fusearch.search_space import ENCODERS, OPERATORS, Depth, FusionGraph, Recipe, Stream

__all__ = ["StreamNetwork", "StreamState", "Streams", "taps_of"]

#: Where a state stands: the name of a stream and a depth.
StreamState = tuple[str, Depth]


def taps_of(graph: FusionGraph) -> dict[str, set[Depth]]:
    """Return the depths at which each stream is read; an output reads its class scores, a trunk that continues a graph its edges (@0)."""
    taps: dict[str, set[Depth]] = {stream.name: set() for stream in graph.streams}
    for fusion in graph.fusions:
        for tap in fusion.args:
            if tap.source in taps:
                taps[tap.source].add(tap.depth)
        if fusion.trunk.stream is not None and ENCODERS[graph.stream(fusion.trunk.stream).encoder].reads_links:
            taps[fusion.trunk.stream].add(0)
    for output in graph.outputs:
        if output.source.source in taps:
            taps[output.source.source].add("score")
    return taps


class ScoreHead(nn.Module):
    """Mean over tokens, then a linear layer: (B, T, D) -> (B, K).

    Args:
        shape: What it reads.
        num_outputs: Numbers for each sample.
        at_zero: Whether it starts at zero, so that a linear model starts without noise in its weights, as logistic regression does
            (decision 0040).
    """

    def __init__(self, shape: TokenShape, num_outputs: int, *, at_zero: bool) -> None:
        super().__init__()
        self.one_token, self.at_zero = shape.tokens == 1, at_zero
        self.linear = nn.Linear(shape.width, num_outputs)
        if at_zero:
            nn.init.zeros_(self.linear.weight)
            nn.init.zeros_(self.linear.bias)

    def forward(self, x_BTD: Tensor) -> Tensor:
        result: Tensor = self.linear(x_BTD.squeeze(1) if self.one_token else x_BTD.mean(dim=1))
        return result


def _make_head(encoder: StageEncoder, num_outputs: int, grid: tuple[int, ...], recipe: Recipe, *, at_zero: bool) -> nn.Module:
    """Return the head of a stream's own scores: of its embedding or, where each position of a grid has a class, of all its stages."""
    if not grid:
        return ScoreHead(pooled(encoder.shapes[-1]), num_outputs, at_zero=at_zero)
    skips = [encoder.shapes[depth] for depth in skip_depths(encoder.shapes, grid)]
    return DenseHead(encoder.shapes[-1], skips, num_outputs, grid, recipe.width)


def _scores(head: nn.Module, encoder: StageEncoder, states: Sequence[Tensor], mask_BT: Tensor | None) -> Tensor:
    """Return what the head of a stream says of its stages, (B, K)."""
    if isinstance(head, DenseHead):
        said: Tensor = head(states[-1], [states[depth] for depth in skip_depths(encoder.shapes, head.grid)])
    else:
        said = head(encoder.pool(states[-1], mask_BT))
    return said


def _make_encoder(graph: FusionGraph, stream: Stream, recipe: Recipe) -> StageEncoder:
    return make_encoder(stream.encoder, graph.modality(stream.modality), recipe.width, recipe.dropout, stream.params)


class StreamNetwork(nn.Module):
    """One stream alone, whole, with its own class scores: what it is when it is trained before the design.

    Args:
        graph: The design.
        name: The stream.
        num_outputs: Numbers for each sample.
        recipe: Width and dropout.
        grid: Grid whose positions have classes; empty: samples have.
    """

    def __init__(self, graph: FusionGraph, name: str, num_outputs: int, recipe: Recipe, grid: tuple[int, ...] = ()) -> None:
        super().__init__()
        self.stream = graph.stream(name)
        self.encoder = _make_encoder(graph, self.stream, recipe)
        self.head = _make_head(self.encoder, num_outputs, grid, recipe, at_zero=True)

    def forward(self, raw: Tensor) -> Tensor:
        """Map raw values of the modality to (B, K)."""
        last = len(self.encoder.shapes) - 1
        return _scores(self.head, self.encoder, self.encoder.states(raw, last), self.encoder.mask(raw, last))


class Streams(nn.Module):
    """Every stream of a design, as deep as something reads it. Tied streams are one encoder (and one head).

    Args:
        graph: The design.
        continued: Deepest stage of each stream that a trunk `continue(stream)` applies.
        num_outputs: Numbers for each sample.
        recipe: Width and dropout.
        classes: Whether these are scores of classes.
        grid: Grid whose positions have classes; empty: samples have.

    Attributes:
        lenders: Name of each stream -> name of the stream whose weights it has.
        skips: Name of each stream whose stages a head on the grid reads beside a fusion -> their depths.
    """

    def __init__(
        self,
        graph: FusionGraph,
        continued: Mapping[str, int],
        num_outputs: int,
        recipe: Recipe,
        *,
        classes: bool = True,
        grid: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.modality_of = {stream.name: stream.modality for stream in graph.streams}
        self.lenders = {stream.name: stream.tie or stream.name for stream in graph.streams}
        self.taps = taps_of(graph)
        self.depths = {name: max([_stages(tap, graph.num_stages(name)) for tap in taps], default=0) for name, taps in self.taps.items()}
        self.scores = TokenShape(1, num_outputs, classes=classes)
        self.encoders, self.heads = nn.ModuleDict(), nn.ModuleDict()
        joined = _scores_joined(graph)
        for lender in sorted(set(self.lenders.values()), key=list(self.lenders).index):
            network = _make_encoder(graph, graph.stream(lender), recipe)
            shared = [name for name, other in self.lenders.items() if other == lender]
            if any("score" in self.taps[name] for name in shared):
                at_zero = not any(name in joined for name in shared)
                self.heads[f"stream_{lender}"] = _make_head(network, num_outputs, grid, recipe, at_zero=at_zero)
            if not any(self.taps[name] & {"L", "score"} for name in shared):
                network.pool = MeanPool()  # nothing reads what the weights of another one would pool
            network.truncate(max(max(self.depths[name], continued.get(name, 0)) for name in shared))
            self.encoders[f"stream_{lender}"] = network
        fused = {name for output in graph.outputs if output.source.source not in self.taps for name in graph.covered(output.source.source)}
        self.skips = {name: skip_depths(self.encoder_of(name).shapes, grid, self.depths[name]) for name in sorted(fused) if grid}
        for name, depths in self.skips.items():
            self.taps[name] |= set(depths)

    def encoder_of(self, name: str) -> StageEncoder:
        """Return the encoder of a stream."""
        found: StageEncoder = self.encoders[f"stream_{self.lenders[name]}"]  # type: ignore[assignment]  # a ModuleDict holds modules
        return found

    def shape(self, state: StreamState) -> TokenShape:
        """Return what a tap carries."""
        name, depth = state
        shapes = self.encoder_of(name).shapes
        if depth == "score":
            return self.scores
        if depth == "*":
            return TokenShape(1, sum(shape.width for shape in shapes[1:]))
        return pooled(shapes[-1]) if depth == "L" else shapes[int(depth)]

    def forward(self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> dict[StreamState, Tensor]:
        """Compute every state that something reads, each stage once.

        `@L` is one vector of the last stage's tokens, `@*` the means over tokens of all stages, side by side. A stream that a sample lacks
        gives scores from zeros, the bias of its head; its other states are not masked yet.
        """
        return {
            (name, depth): values
            for name in self.taps
            for depth, values in self.states_of(name, inputs[self.modality_of[name]], present[self.modality_of[name]]).items()
        }

    def states_of(self, name: str, raw: Tensor, present_B: Tensor) -> dict[Depth, Tensor]:
        """Compute what is read of one stream, by depth, from raw values of its modality."""
        states: dict[Depth, Tensor] = {}
        if not self.taps[name]:
            return states
        encoder = self.encoder_of(name)
        depths, mask_BT = encoder.states(raw, self.depths[name]), encoder.mask(raw, self.depths[name])
        for tap in self.taps[name]:
            if tap == "score":
                head = self.heads[f"stream_{self.lenders[name]}"]
                states[tap] = _scores(head, encoder, [mask_absent(x_BTD, present_B) for x_BTD in depths], mask_BT).unsqueeze(1)
            elif tap == "L":
                states[tap] = encoder.pool(depths[-1], mask_BT)
            elif tap == "*":
                states[tap] = torch.cat(
                    [mean_tokens(x_BTD, encoder.mask(raw, depth)) for depth, x_BTD in enumerate(depths) if depth], dim=2
                )
            else:
                states[tap] = depths[int(tap)]
        return states

    def trained(self, lender: str) -> bool:
        """Whether the encoder of `lender`, or its head, holds any parameter here."""
        key = f"stream_{lender}"
        return any(True for _ in self.encoders[key].parameters()) or key in self.heads

    def load(self, lender: str, network: StreamNetwork) -> None:
        """Take over the weights of a stream that was trained alone, as far as this design has them."""
        key = f"stream_{lender}"
        encoder = self.encoders[key]
        weights = network.encoder.state_dict()
        encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()})
        if key in self.heads:
            self.heads[key].load_state_dict(network.head.state_dict())


def _stages(tap: Depth, num_stages: int) -> int:
    return tap if isinstance(tap, int) else num_stages


def _scores_joined(graph: FusionGraph) -> set[str]:
    """Return the streams whose class scores an operator other than a vote joins: products of scores at zero would never leave it."""
    fusions = [fusion for fusion in graph.fusions if not OPERATORS[fusion.operator].scores_only]
    return {tap.source for fusion in fusions for tap in fusion.args if tap.depth == "score"}
