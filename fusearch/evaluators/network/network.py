"""A design as a network: every valid `FusionGraph` compiles. Axis letters: B batch, T tokens, D width, K outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.dense_head import DenseHead, refuse_dense
from fusearch.evaluators.network.join import Continuation, Join, concatenate_ports, concatenated_shape
from fusearch.evaluators.network.operator_layer import Losses, TokenShape, mask_absent
from fusearch.evaluators.network.outputs import bind_outputs
from fusearch.evaluators.network.stream_runs import ScoreHead, Streams, StreamState
from fusearch.evaluators.tasks import TaskLayer
from fusearch.search_space import ENCODERS, OPERATORS, Candidate, FusionGraph, Output, Recipe, Tap

__all__ = ["FusionNetwork", "NetworkOutput"]


@dataclass(frozen=True)
class NetworkOutput:
    """What a network says about B samples.

    Attributes:
        main: (B, K) logits of the main task; what they say is told by its `TaskLayer`.
        auxiliary: The same of every other output of the design, in order.
        scores: The class scores of each stream that something reads.
    """

    main: Tensor
    auxiliary: list[Tensor] = field(default_factory=list)
    scores: dict[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class _Argument:
    """Where an argument or output comes from: a state of a stream, or results of a fusion at a depth."""

    source: str
    depth: int | str
    results: tuple[int, ...]
    shapes: tuple[TokenShape, ...]
    modalities: tuple[str, ...]

    @property
    def shape(self) -> TokenShape:
        return concatenated_shape(self.shapes) if len(self.shapes) > 1 else self.shapes[0]


class FusionNetwork(nn.Module):
    """The network of a design. It holds exactly the parameters that its outputs need.

    Masks go along with every tap, and each operator says what an absent argument does; what stands in an absent one never matters. A
    fusion is there where any of its arguments is. A fusion that is an output gets a head (mean over tokens, linear), unless it is a
    decision-level operator: its result is the output. So `cat` of raw tables without a trunk is logistic regression.

    Args:
        graph: The design; its modalities must have shapes.
        task_outputs: Numbers for each sample: one a class, also with two classes; one for regression.
        recipe: Width and dropout; the numbers of training stay outside.
        classes: Whether these are scores of classes, which votes join as probabilities; of other tasks they join values.
        tasks: Of several tasks, where the numbers of each stand among `task_outputs`, by the name that outputs are bound to it by.
        grid: Grid whose positions have classes, which a head goes back to; empty: samples have.

    Raises:
        DesignError: A modality has no shape, a trunk `continue` meets a shape that it cannot go on with, the outputs do not give every
            task once, or something other than a mean joins scores on a grid.

    Example:
        >>> from fusearch.data.modality import Modality
        >>> from fusearch.search_space import FusionGraph, Recipe
        >>> tables = (Modality("mrna", "tabular", (5,)), Modality("meth", "tabular", (3,)))
        >>> network = FusionNetwork(FusionGraph.parse("F1 = cat(mrna@0, meth@0) ->", modalities=tables), 2, Recipe())
        >>> sum(parameter.numel() for parameter in network.parameters())
        18
    """

    def __init__(
        self,
        graph: FusionGraph,
        task_outputs: int,
        recipe: Recipe,
        *,
        classes: bool = True,
        tasks: Mapping[str, slice] = MappingProxyType({}),
        grid: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        self.graph, self.num_outputs, self.grid = graph, task_outputs, grid
        if grid:
            refuse_dense(graph)
        depths = _depths_read(graph)
        self.streams = Streams(graph, _depths_continued(graph, depths), task_outputs, recipe, classes=classes, grid=grid)
        self._modalities = {stream.name: stream.modality for stream in graph.streams}
        self._arguments: dict[str, tuple[_Argument, ...]] = {}
        self.joins = nn.ModuleDict()
        for name in graph.order:
            fusion = graph.fusion(name)
            arguments = tuple(self._argument(tap, graph.ports_read(name, index)) for index, tap in enumerate(fusion.args))
            self._arguments[name] = arguments
            continued = graph.continued(name)
            continuation = None
            if continued is not None and fusion.trunk.stream is not None:
                reads_links = ENCODERS[graph.stream(fusion.trunk.stream).encoder].reads_links
                links = (fusion.trunk.stream, 0) if reads_links else None
                continuation = Continuation(self.streams.encoder_of(fusion.trunk.stream), *continued, links)
            shapes = [argument.shape for argument in arguments]
            numbers = 1 if grid else task_outputs  # an operator that classifies has classes of its own where those of a sample are masks
            self.joins[f"fusion_{name}"] = Join(fusion, shapes, depths[name], continuation, recipe, numbers)
        self.heads = nn.ModuleList()
        self._binding = bind_outputs(graph, task_outputs, tasks)
        self._outputs = tuple(self._output(output, index, recipe) for index, output in enumerate(graph.outputs))

    @classmethod
    def of(cls, candidate: Candidate, task: TaskLayer) -> FusionNetwork:
        """Return the network of a candidate for a task."""
        graph, recipe = candidate.graph, candidate.recipe
        return cls(graph, task.num_logits, recipe, classes=task.classes, tasks=task.logit_columns, grid=task.grid)

    def forward(self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """Return the main output, (B, K), from (B, *shape) and (B,) a modality."""
        return self.run(inputs, present).main

    def run(self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor], losses: Losses | None = None) -> NetworkOutput:
        """Return all outputs; operators that add a loss put it into `losses`."""
        return self.fuse(self.streams(inputs, present), present, losses)

    def fuse(self, states: Mapping[StreamState, Tensor], present: Mapping[str, Tensor], losses: Losses | None = None) -> NetworkOutput:
        """Return all outputs from the states of the streams, which may have been computed before."""
        found: dict[tuple[str, int | str, int], Tensor] = {(name, depth, 0): x_BTD for (name, depth), x_BTD in states.items()}
        masks: dict[tuple[str, ...], Tensor] = {}

        def mask(modalities: tuple[str, ...]) -> Tensor:
            if modalities not in masks:
                masks[modalities] = (
                    torch.stack([present[name] for name in modalities]).any(dim=0) if len(modalities) > 1 else present[modalities[0]]
                )
            return masks[modalities]

        def read(argument: _Argument) -> Tensor:
            parts = [found[argument.source, argument.depth, result] for result in argument.results]
            return concatenate_ports(parts, argument.shapes) if len(parts) > 1 else parts[0]

        for name, arguments in self._arguments.items():
            masks_read = [mask(argument.modalities) for argument in arguments]
            join = self.join(name)
            (continuation,) = join.continuation
            links = None if continuation is None or continuation.links is None else states[continuation.links]
            for (result, depth), x_BTD in join([read(argument) for argument in arguments], masks_read, losses, links).items():
                found[name, depth, result] = x_BTD
        outputs = []
        for index, (argument, head) in enumerate(self._outputs):
            if head is None:
                every_BK = found[argument.source, argument.depth, argument.results[0]][:, 0]
                outputs.append(self._binding.taken_from(index, every_BK))
            elif self.grid:
                skips = [
                    mask_absent(found[name, depth, 0], mask((self._modalities[name],))) for name, depth in self._skips(argument.source)
                ]
                outputs.append(self.heads[head](read(argument), skips))
            else:
                outputs.append(self.heads[head](read(argument)))
        main = self._binding.main_of(outputs)
        auxiliary = [outputs[index] for index in self._binding.auxiliary]
        scores = {name: x_BTD[:, 0] for (name, depth), x_BTD in states.items() if depth == "score"}
        return NetworkOutput(main, auxiliary, scores)

    def _skips(self, fusion: str) -> list[tuple[str, int]]:
        """Return the stages that a head on the grid reads beside a fusion: those of the streams that the fusion covers."""
        return [(name, depth) for name in sorted(self.graph.covered(fusion)) for depth in self.streams.skips[name]]

    def heads_of_fusions(self) -> Iterator[tuple[ScoreHead, tuple[int, ...]]]:
        """Give each head of a fusion, and which of the K numbers it gives."""
        for (_, head), columns in zip(self._outputs, self._binding.columns, strict=True):
            if head is not None:
                yield self.heads[head], columns  # type: ignore[misc]  # a ModuleList holds modules

    def join(self, fusion: str) -> Join:
        """Return the operator and trunk of a fusion."""
        found: Join = self.joins[f"fusion_{fusion}"]  # type: ignore[assignment]  # a ModuleDict holds modules
        return found

    def _argument(self, tap: Tap, ports: tuple[int, ...]) -> _Argument:
        modalities = tuple(sorted({self._modalities[name] for name in self.graph.covered(tap.source)}))
        if tap.source in self._modalities:
            return _Argument(tap.source, tap.depth, (0,), (self.streams.shape((tap.source, tap.depth)),), modalities)
        results = ports or (0,)
        depth = int(tap.depth)
        shapes = tuple(self.join(tap.source).shapes[result][depth] for result in results)
        return _Argument(tap.source, depth, results, shapes, modalities)

    def _output(self, output: Output, index: int, recipe: Recipe) -> tuple[_Argument, int | None]:
        tap = output.source
        if tap.source in self._modalities:
            return self._argument(Tap(tap.source, "score"), ()), None
        argument = self._argument(tap, self.graph.ports_of_output(index))
        if OPERATORS[self.graph.fusion(tap.source).operator].scores_only and argument.depth == 0:
            return argument, None
        if self.grid:
            skips = [self.streams.shape(state) for state in self._skips(tap.source)]
            self.heads.append(DenseHead(argument.shape, skips, self.num_outputs, self.grid, recipe.width))
        else:
            self.heads.append(ScoreHead(argument.shape, self._binding.width_of(index), at_zero=True))
        return argument, len(self.heads) - 1


def _depths_read(graph: FusionGraph) -> dict[str, dict[int, int]]:
    """Return fusion -> result -> deepest depth at which it is read."""
    depths: dict[str, dict[int, int]] = {fusion.name: {} for fusion in graph.fusions}
    reads = [(tap, graph.ports_read(fusion.name, index)) for fusion in graph.fusions for index, tap in enumerate(fusion.args)]
    reads += [(output.source, graph.ports_of_output(index)) for index, output in enumerate(graph.outputs)]
    for tap, ports in reads:
        if tap.source in depths:
            for result in ports or (0,):
                depths[tap.source][result] = max(depths[tap.source].get(result, 0), int(tap.depth))
    return depths


def _depths_continued(graph: FusionGraph, depths: Mapping[str, Mapping[int, int]]) -> dict[str, int]:
    """Return stream -> deepest of its stages that a trunk applies."""
    deepest: dict[str, int] = {}
    for fusion in graph.fusions:
        continued = graph.continued(fusion.name)
        if continued is not None and fusion.trunk.stream is not None:
            stages = max(depths[fusion.name].values(), default=0)
            if stages:
                deepest[fusion.trunk.stream] = max(deepest.get(fusion.trunk.stream, 0), continued[1] + stages)
    return deepest
