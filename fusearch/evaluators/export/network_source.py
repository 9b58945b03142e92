"""The class of one design, as source: what is made for each stream and fusion, and what runs, a line each."""

from __future__ import annotations

from typing import Any

from fusearch.data.kinds import Layout
from fusearch.data.modality import Modality
from fusearch.evaluators.export.taken_source import TakenSource
from fusearch.evaluators.network.blocks import ConvBlock, DenseBlock, RecurrentBlock, TransformerBlock
from fusearch.evaluators.network.encoder_network import NETWORKS, AttentionPool, MeanPool, mean_tokens
from fusearch.evaluators.network.join import concatenate_ports
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.operator_layer import LAYERS, TokenShape, mask_absent
from fusearch.evaluators.network.stream_runs import ScoreHead
from fusearch.search_space import OPERATORS, Candidate
from fusearch.search_space.entries.encoder import POOL, WIDTH

__all__ = ["NetworkSource", "call", "names_in_source"]


def names_in_source(network: FusionNetwork) -> dict[str, str]:
    """Return the names of a network's weights -> their names in its source, of those that its main output needs."""
    used = set(network._binding.places)
    weights: dict[str, str] = {}
    heads = {head: index for index, (_, head) in enumerate(network._outputs) if head is not None and index in used}
    for key in network.state_dict():
        room, _, rest = key.partition(".")
        if room == "streams":
            part, _, rest = rest.partition(".")
            name, _, rest = rest.partition(".")
            own = name if part == "encoders" else name.replace("stream_", "score_", 1)
        elif room == "joins":
            name, _, rest = rest.partition(".")
            part, _, rest = rest.partition(".")
            own = name
            if part == "trunks":
                result, _, rest = rest.partition(".")
                own = name.replace("fusion_", "trunk_", 1) + _port(int(result.removeprefix("result_")))
        else:
            index, _, rest = rest.partition(".")
            if int(index) not in heads:
                continue
            own = f"head_{heads[int(index)]}"
        weights[key] = f"{own}.{rest}"
    return weights


def _port(result: int) -> str:
    return f"_{result}" if result else ""


def call(name: str, *args: Any, **params: Any) -> str:
    """Return a call; a text stands as it is."""
    said = [arg if isinstance(arg, str) else _literal(arg) for arg in args] + [f"{key}={value!r}" for key, value in params.items()]
    return f"{name}({', '.join(said)})"


def _literal(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, TokenShape):
        grid = [] if value.grid is None else [repr(value.grid)]
        return f"TokenShape({', '.join([str(value.tokens), str(value.width), *grid, *(['classes=True'] if value.classes else [])])})"
    if isinstance(value, Layout):
        ragged = f", ragged={value.ragged!r}" if value.ragged else ""
        return f"Layout({value.axes!r}, {value.channel!r}, {value.encoder!r}{ragged}{', linked=True' if value.linked else ''})"
    return repr(value)


class NetworkSource:
    """Writes the class of one design.

    Args:
        network: Its network.
        candidate: The design and its recipe.
        taken: Where the classes that it uses are put.
    """

    def __init__(self, network: FusionNetwork, candidate: Candidate, taken: TakenSource) -> None:
        self.network, self.graph, self.recipe, self.taken = network, candidate.graph, candidate.recipe, taken
        self.made: list[str] = []
        self.run: list[str] = []
        self.read: dict[tuple[str, int | str, int], str] = {}

    def text(self) -> str:
        """Return the source of the class."""
        self._streams()
        for name in self.graph.order:
            self._fusion(name)
        self._outputs()
        formula = "\n    ".join(str(self.graph).splitlines())
        lines = [
            "class Network(nn.Module):",
            f'    """{formula}"""',
            "",
            "    def __init__(self) -> None:",
            "        super().__init__()",
            *(f"        {line}" for line in self.made),
            "",
            "    def forward(self, inputs: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:",
            '        """Return the logits, (B, K), from prepared values, (B, *shape), and whether each sample has the modality, (B,)."""',
            *(f"        {line}" for line in self.run),
        ]
        return "\n".join(lines)

    def _streams(self) -> None:
        streams = self.network.streams
        for lender in dict.fromkeys(streams.lenders.values()):
            stream, encoder = self.graph.stream(lender), streams.encoder_of(lender)
            modality = self.graph.modality(stream.modality)
            own = {key: value for key, value in stream.params.items() if key not in (POOL, WIDTH)}
            width = int(stream.params.get(WIDTH) or self.recipe.width)
            layer = self.taken.want(NETWORKS[stream.encoder])
            self.made.append(f"self.stream_{lender} = {call(layer, self._modality(modality), width, self.recipe.dropout, **own)}")
            if isinstance(encoder.pool, AttentionPool):
                pool = self.taken.want(AttentionPool)
                self.made.append(f"self.stream_{lender}.pool = {pool}(self.stream_{lender}.shapes[-1])")
            elif isinstance(encoder.pool, MeanPool):
                self.taken.want(MeanPool)
            if len(encoder.stages) < len(encoder.shapes) - 1:
                self.made.append(f"self.stream_{lender}.truncate({len(encoder.stages)})  # nothing reads the stages beyond")
            if f"stream_{lender}" in streams.heads:
                head: ScoreHead = streams.heads[f"stream_{lender}"]  # type: ignore[assignment]  # a ModuleDict holds modules
                self.made.append(f"self.score_{lender} = {self._head(head)}")
        for name, taps in streams.taps.items():
            if taps:
                self._states(name, f"self.stream_{streams.lenders[name]}", taps)

    def _states(self, name: str, module: str, taps: set[Any]) -> None:
        streams, raw = self.network.streams, f'inputs["{self.network.streams.modality_of[name]}"]'
        depth = streams.depths[name]
        self.run.append(f"{name}_states = {module}.states({raw}, {depth})")
        masked = streams.encoder_of(name).masks
        mask = f", {module}.mask({raw}, {depth})" if masked else ""
        for tap in sorted(taps, key=str):
            if tap == "score":
                absent = self.taken.want(mask_absent)
                vector = f'{module}.pool({absent}({name}_states[-1], present["{streams.modality_of[name]}"]){mask})'
                self.run.append(f"{name}_score = self.score_{streams.lenders[name]}({vector}).unsqueeze(1)")
            elif tap == "L":
                self.run.append(f"{name}_L = {module}.pool({name}_states[-1]{mask})")
            elif tap == "*":
                mean = self.taken.want(mean_tokens)
                parts = ", ".join(f"{mean}({name}_states[{at}], {module}.mask({raw}, {at}))" for at in range(1, depth + 1))
                self.run.append(f"{name}_all = torch.cat([{parts}], dim=2)")
            self.read[name, tap, 0] = {"score": f"{name}_score", "L": f"{name}_L", "*": f"{name}_all"}.get(tap, f"{name}_states[{tap}]")

    def _modality(self, modality: Modality) -> str:
        self.taken.want(Layout)
        self.taken.want(Modality)
        codes = [modality.entry.codes] if modality.layout.channel_axis is None else []
        return call("Modality", repr(modality.name), modality.shape, modality.layout, modality.has_grid, *codes)

    def _fusion(self, name: str) -> None:
        fusion, join, arguments = self.graph.fusion(name), self.network.join(name), self.network._arguments[name]
        operator = OPERATORS[fusion.operator]
        params = dict(fusion.params)
        if operator.classifies:
            params["classes"] = max(int(params["classes"]), self.network.num_outputs)
        layer = self.taken.want(LAYERS[fusion.operator])
        self.taken.want(TokenShape)
        shapes = [arguments[index].shape for index in join.order]
        self.made.append(f"self.fusion_{name} = {call(layer, shapes, self.recipe.width, **params)}")
        if join.layer.unread:
            self.made.append(f"self.fusion_{name}.leave_out({sorted(join.layer.unread)})  # nothing reads these results")
        values = [self._value(arguments[index]) for index in join.order]
        present = [self._present(arguments[index].modalities) for index in join.order]
        self.run.append(f"{name} = self.fusion_{name}([{', '.join(values)}], [{', '.join(present)}])")
        (continuation,) = join.continuation
        for port, depth in join.depths.items():
            state = f"{name}[{port}]" if join.ports else name
            self.read[name, 0, port] = state
            stages = []
            for index in range(depth):
                after = f"{name}{_port(port)}_{index + 1}"
                if continuation is not None:
                    links = "" if continuation.links is None else f", {continuation.links[0]}_states[0]"
                    lender = self.network.streams.lenders[str(fusion.trunk.stream)]
                    applied = f"self.stream_{lender}.stage({continuation.behind + index + 1}, {state}{links})"
                else:
                    stages.append(self._stage(fusion.trunk.family, join.shapes[port][index]))
                    applied = f"self.trunk_{name}{_port(port)}[{index}]({state})"
                self.run.append(f"{after} = {applied}")
                state = self.read[name, index + 1, port] = after
            if stages:
                self.made.append(f"self.trunk_{name}{_port(port)} = nn.ModuleList([{', '.join(stages)}])")

    def _stage(self, family: str, shape: TokenShape) -> str:
        width, dropout = self.recipe.width, self.recipe.dropout
        if family == "conv":
            return call(self.taken.want(ConvBlock), shape, width, dropout)
        if family in ("fc", "rnn"):
            return call(self.taken.want(DenseBlock if family == "fc" else RecurrentBlock), shape.width, width, dropout)
        attention = call(self.taken.want(TransformerBlock), width, dropout)
        return attention if shape.width == width else f"nn.Sequential(nn.Linear({shape.width}, {width}), {attention})"

    def _value(self, argument: Any) -> str:
        parts = [self.read[argument.source, argument.depth, result] for result in argument.results]
        if len(parts) == 1:
            return parts[0]
        return call(self.taken.want(concatenate_ports), f"[{', '.join(parts)}]", list(argument.shapes))

    @staticmethod
    def _present(modalities: tuple[str, ...]) -> str:
        return " | ".join(f'present["{name}"]' for name in modalities)

    def _head(self, head: ScoreHead) -> str:
        shape = TokenShape(1 if head.one_token else 2, head.linear.in_features)
        return call(self.taken.want(ScoreHead), shape, head.linear.out_features, at_zero=True)

    def _outputs(self) -> None:
        binding, said = self.network._binding, {}
        for index, (argument, head) in enumerate(self.network._outputs):
            if index not in binding.places:
                continue  # an auxiliary head, for training alone
            if head is None:
                columns = list(binding.columns[index])
                whole = len(columns) == self.network.num_outputs
                said[index] = f"{self.read[argument.source, argument.depth, argument.results[0]]}[:, 0]" + (
                    "" if whole else f"[:, {columns}]"
                )
            else:
                self.made.append(f"self.head_{index} = {self._head(self.network.heads[head])}")  # type: ignore[arg-type]  # a ModuleList
                said[index] = f"self.head_{index}({self._value(argument)})"
        if len(said) == 1:
            self.run.append(f"return {next(iter(said.values()))}")
            return
        self.run += [f"output_{index} = {value}" for index, value in said.items()]
        places = [(output, binding.columns[output].index(column)) for column, output in enumerate(binding.places)]
        self.run.append(f"return torch.stack([{', '.join(f'output_{output}[:, {at}]' for output, at in places)}], dim=1)")
