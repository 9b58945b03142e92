"""The conformance suite of encoders. Built-ins and plug-ins pass the same laws.

A suite is a class of pytest tests; this module itself does not need pytest.
"""

# ruff: noqa: S101  # laws are assertions

from __future__ import annotations

import inspect
import itertools

import torch

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.evaluators.network.encoder_network import NETWORKS, make_encoder
from fusearch.evaluators.shape_pass import ShapePass
from fusearch.search_space.entries.encoder import EMBEDDING, ENCODERS, POOL, SIZE, SIZES, WIDTH
from fusearch.search_space.entries.parameter import complete_params
from fusearch.testing.deployment import check_torch_export
from fusearch.testing.encoder_case import EncoderCase, choices, kind_shapes, ragged_samples

__all__ = ["EncoderSuite"]


class EncoderSuite(EncoderCase):
    """The laws of an encoder and its network.

    Attributes:
        name: Name of the encoder.
        params: Parameters that differ from their defaults.

    Example:
        >>> class TestMyEncoder(EncoderSuite):
        ...     name = "my_encoder"
    """

    def test_entry_and_network_agree(self) -> None:
        """The entry says what its stages are, and the network takes exactly its parameters, with the same defaults."""
        assert self.encoder.kinds, "an encoder says which kinds of modality it reads"
        assert self.encoder.stages, "an encoder says what its stages are"
        accepted = list(inspect.signature(NETWORKS[self.name]).parameters.values())
        first = [parameter.name for parameter in accepted[:3]]
        assert first == ["modality", "width", "dropout"], f"{self.name}: the network's first arguments are {first}"
        taken = {parameter.name: parameter.default for parameter in accepted[3:]}
        ours = (POOL, WIDTH)  # read by who builds the network
        expected = {name: param.default for name, param in self.encoder.params.items() if name not in ours}
        assert taken == expected, f"{self.name}: the network takes {taken}, the entry has {expected}"

    def test_any_legal_shape(self) -> None:
        """For every shape, with each parameter and with each width: the stages that the entry says, states as `shapes` promises, finite."""
        first, *others = self.stage_param_sets()
        cases = [(first, 1), (first, 6), (first, 16), *((params, 6) for params in others)]
        for modality, (params, width) in itertools.product(self.modalities(), cases):
            network = self.build(modality, params, width=width)
            where = f"{self.name} of {modality.kind} {modality.shape}, {params}, width {width}"
            expected = self.encoder.num_stages(self.complete(params))
            assert len(network.shapes) == expected + 1, f"{where}: {len(network.shapes) - 1} stages, the entry says {expected}"
            with torch.no_grad():
                found = self.states(network, self.inputs(modality, batch=2))
            given, promised = [tuple(state.shape) for state in found], [(2, shape.tokens, shape.width) for shape in network.shapes]
            assert given == promised, f"{where}: states of shape {given}, `shapes` promises {promised}"
            assert all(state.isfinite().all() for state in found), f"{where}: not finite"

    def test_samples_do_not_mix(self) -> None:
        """Each sample gets what it gets alone, in any batch and in any order, in training too: no statistics over the batch."""
        modality = self.modality()
        network, raw = self.build(modality).double(), self.inputs(modality).double()  # deep ones magnify the rounding of float32
        order = torch.tensor([3, 1, 4, 0, 2])
        for each in (network.eval(), network.train()):
            together = self.states(each, raw)
            for rows in (order, order[:1], order[2:4]):
                for whole, few in zip(together, self.states(each, raw[rows]), strict=True):
                    torch.testing.assert_close(few, whole[rows])

    def test_gradients_reach_everything(self) -> None:
        """Every parameter gets a gradient that is not all zero, and so does the raw input unless it is codes."""
        modality = self.modality()
        network, raw = self.build(modality).train(), self.inputs(modality)
        raw.requires_grad_(not self.reads_codes(modality))
        last = self.states(network, raw)[-1]
        if not last.requires_grad:
            return  # codes as they are, without a parameter
        last.pow(2).sum().backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        for key, parameter in [*network.named_parameters(), *([("the input", raw)] if raw.requires_grad else [])]:
            assert parameter.grad is not None, f"{self.name}: {key} gets no gradient"
            assert parameter.grad.isfinite().all(), f"{self.name}: the gradient of {key} is not finite"
            assert parameter.grad.abs().sum() > 0, f"{self.name}: the gradient of {key} is zero"

    def test_it_is_reproducible(self) -> None:
        """The same seed gives the same weights and states; a second pass in evaluation mode the same again."""
        modality = self.modality()
        one, same = self.build(modality, seed=1), self.build(modality, seed=1)
        raw = self.inputs(modality)
        for first, again, other in zip(self.states(one, raw), self.states(one, raw), self.states(same, raw), strict=True):
            assert torch.equal(first, again), f"{self.name}: two passes differ in evaluation mode"
            assert torch.equal(first, other), f"{self.name}: the same seed gives another network"

    def test_what_is_behind_the_end_moves_nothing(self) -> None:
        """Of an encoder that masks, a ragged sample gives the same states and the same vector however much padding follows it."""
        for kind in self.kinds() if NETWORKS[self.name].masks else ():
            layout = next((layout for layout in KINDS[kind].layouts if layout.channel is None or layout.ragged is not None), None)
            if layout is None:
                continue
            short, long = ragged_samples(layout, 6), ragged_samples(layout, 13)
            for params in self.param_sets():
                first, second = (self.build(Modality("m", kind, tuple(raw.shape[1:])), params) for raw in (short, long))
                second.load_state_dict(first.state_dict())
                where, last = f"{self.name} of {kind}, {params}", len(first.shapes) - 1
                found = [self.states(first, short), self.states(second, long)]
                for few, many in zip(*found, strict=True):
                    width = few.shape[2]  # of raw values with links, those to what is behind the end come last
                    assert torch.allclose(many[:, : few.shape[1], :width], few, atol=1e-5), f"{where}: padding moves a state"
                    behind = many[:, few.shape[1] :].any() or many[:, :, width:].any()
                    assert not behind, f"{where}: there is something behind the end"
                few, many = first.pool(found[0][-1], first.mask(short, last)), second.pool(found[1][-1], second.mask(long, last))
                assert torch.allclose(many, few, atol=1e-5), f"{where}: padding moves the vector"

    def test_parameters_are_honoured(self) -> None:
        """Each choice of each parameter gives another number of stages, another shape, or other values."""
        symbols = (kind for kind in self.kinds() if KINDS[kind].symbolic)
        for name, param in self.encoder.params.items():
            modality = Modality("m", kind := next(symbols), kind_shapes(kind)[1]) if name == EMBEDDING else self.modality()
            outcomes = []
            for value in choices(param):
                network = self.build(modality, {name: value})
                outcomes.append([*self.states(network, self.inputs(modality)), *network.parameters()])
            for left, right in itertools.combinations(outcomes, 2):
                same = len(left) == len(right) and all(
                    a.shape == b.shape and torch.allclose(a, b) for a, b in zip(left, right, strict=True)
                )
                assert not same, f"{self.name}: two values of {name!r} give the same network"

    def test_sizes_grow(self) -> None:
        """A size is parameters: `small` is the default, `tiny` has fewer numbers, `base` more; where no size sets any, all are one."""
        modality = self.modality()
        complete = {size: self.encoder.complete({SIZE: size}, self.name) for size in SIZES}
        assert complete["small"] == self.encoder.complete({}, self.name), f"{self.name}: `small` is not what the defaults are"
        counts = []
        for params in complete.values():
            with ShapePass():
                counts.append(sum(parameter.numel() for parameter in self.build(modality, params).parameters()))
        expected = sorted(set(counts)) if self.encoder.sizes else [counts[0]] * len(SIZES)
        assert counts == expected, f"{self.name}: sizes {SIZES} have {counts} numbers"

    def test_every_stage_has_a_name(self) -> None:
        """The names of the stages are as many as the stages, and all different."""
        for params in self.param_sets():
            complete = self.complete(params)
            names = self.encoder.stage_names(complete)
            assert len(set(names)) == self.encoder.num_stages(complete), f"{self.name}, {params}: its stages are called {names}"

    def test_a_stated_width_is_the_width(self) -> None:
        """With a width of its own it is what it is with that width of the recipe."""
        if WIDTH not in self.encoder.params:
            return
        modality = self.modality()
        assert self.build(modality, {WIDTH: 6}, width=16).shapes == self.build(modality, width=6).shapes

    def test_the_entry_tells_how_many_tokens_a_stage_gives(self) -> None:
        """What a space knows of a stream without a network, one token or many, is what the network gives."""
        for modality, params in itertools.product(self.modalities(), self.stage_param_sets()):
            if self.encoder.tokens == "many" and modality.shape == (1,):
                continue  # of one column, one token
            for depth, shape in enumerate(self.build(modality, params).shapes):
                many = self.encoder.has_many(depth, positions=bool(modality.layout.positions))
                where = f"{self.name} of {modality.kind} {modality.shape} @{depth}"
                assert (shape.tokens > 1) == (many and not self.encoder.comes_to_one(depth, modality.positions, self.complete(params))), (
                    where
                )

    def test_first_stages_are_those_of_the_encoder_that_the_entry_names(self) -> None:
        """Of a design that reads fewer stages, the shorter encoder of the entry computes the same from the same weights."""
        if self.encoder.first_stages is None:
            return
        modality = self.modality()
        raw = self.inputs(modality)
        for params in self.param_sets():
            whole = self.build(modality, params)
            expected, weights = self.states(whole, raw), whole.state_dict()
            for depth in range(len(whole.shapes)):
                name, fewer = self.encoder.first_stages(self.complete(params), depth)
                network = make_encoder(name, modality, 8, 0.0, complete_params(fewer, ENCODERS[name].params, name)).eval()
                network.truncate(depth)
                own = network.state_dict()
                stages = {key: value for key, value in weights.items() if key in own and key.startswith("stages.")}
                network.load_state_dict({**own, **stages})
                torch.testing.assert_close(network.states(raw, depth)[-1], expected[depth])

    def test_stages_stand_alone(self) -> None:
        """Truncated at any depth, the network gives the same states up to there, and the later stages' parameters are gone."""
        modality = self.modality()
        whole, raw = self.build(modality), self.inputs(modality)
        expected = self.states(whole, raw)
        for depth in range(len(whole.shapes)):
            network = self.build(modality)
            network.truncate(depth)
            torch.testing.assert_close(network.states(raw, depth)[-1], expected[depth])
            left, needed = (sum(p.numel() for p in stages.parameters()) for stages in (network, whole.stages[:depth]))
            assert left == needed, f"{self.name}: {left} parameters are left at depth {depth}, its stages have {needed}"

    def test_cost_is_known_from_shapes(self) -> None:
        """The network is built and run on shapes alone: it reads no values, and its states have the shapes that it promises."""
        for params in self.stage_param_sets():
            modality = self.modality()
            with ShapePass():
                network = self.build(modality, params).train()
                found = self.states(network, torch.empty(2, *modality.shape))
            given, promised = [tuple(state.shape) for state in found], [(2, shape.tokens, shape.width) for shape in network.shapes]
            assert given == promised, f"{self.name}: from shapes alone states of shape {given}, `shapes` promises {promised}"

    def test_torch_export(self) -> None:
        """The exported program, with an open batch size, gives the same."""
        modality = self.modality()
        check_torch_export(self.whole(self.build(modality)), [self.inputs(modality)], [torch.ones(5, dtype=torch.bool)])
