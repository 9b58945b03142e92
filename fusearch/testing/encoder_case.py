"""What a suite of encoders works with: legal shapes of each kind, networks, and the states at every depth.

Axis letters: B batch, T tokens, D width.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

import fusearch.evaluators.encoders  # noqa: F401  # registers the networks
from fusearch.data.files.linked_nodes import link_nodes
from fusearch.data.kinds import KINDS, Layout
from fusearch.data.modality import Modality
from fusearch.evaluators.network.encoder_network import StageEncoder, make_encoder
from fusearch.search_space.entries.encoder import ENCODERS, POOL, Encoder
from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["EncoderCase", "choices", "draw_shape", "kind_shapes", "ragged_samples"]


def kind_shapes(kind: str) -> tuple[tuple[int, ...], ...]:
    """Return the smallest, an uneven, a larger and a narrow shape of each layout of a kind: several positions, several channels second."""
    return tuple(shape for layout in KINDS[kind].layouts for shape in _layout_shapes(layout))


def _layout_shapes(layout: Layout) -> tuple[tuple[int, ...], ...]:
    if not layout.positions:
        return (1,), (5,), (7,)
    sizes = {1: ((1,), (6,), (9,)), 2: ((1, 1), (6, 6), (9, 2), (1, 9)), 3: ((1, 1, 1), (4, 4, 4), (5, 1, 3))}
    found = []
    for grid, channels in zip(sizes[len(layout.positions)], (1, 2, 3, 1), strict=False):
        shape = list(grid)
        if layout.channel_axis is not None:
            shape.insert(layout.channel_axis, channels)
        found.append(_with_links(layout, shape))
    return tuple(found)


def _with_links(layout: Layout, shape: Sequence[int]) -> tuple[int, ...]:
    """Return a shape with room for the links of its positions, where it has any."""
    if not layout.linked:
        return tuple(shape)
    return tuple(size + shape[layout.positions[0]] if axis == layout.channel_axis else size for axis, size in enumerate(shape))


def draw_shape(kind: str, rng: random.Random) -> tuple[int, ...]:
    """Return a legal shape of the kind, small enough to be fast."""
    layout = rng.choice(KINDS[kind].layouts)
    most = 5 if len(layout.positions) > 2 else 9
    return _with_links(layout, [rng.randint(1, most) for _ in layout.axes])


def ragged_samples(layout: Layout, total: int) -> Tensor:
    """Return five samples of a layout whose samples may end before their shape: of 3, 1, 6, 6 and 6 positions, and zeros up to `total`."""
    counts = torch.tensor([3, 1, 6, 6, 6])
    generator = torch.Generator().manual_seed(0)
    there = torch.arange(total) < counts[:, None]
    if layout.channel is None:
        values = torch.nn.functional.pad(torch.randint(1, 6, (5, 6), generator=generator).float(), (0, total - 6))
        return torch.where(there, values, 0.0)
    if layout.linked:
        features = torch.randn(5, 6, 2, generator=generator)
        features = torch.where(there[:, :6, None], features, torch.nan)
        linked = torch.as_tensor(link_nodes(features.numpy(), [(0, 1, 1), (1, 2, 0.5), (2, 4, 2), (5, 0, 1)]))
        return torch.nn.functional.pad(linked.nan_to_num(), (0, total - 6, 0, total - 6))
    axis = layout.ragged_axis or 0
    shape = [5, *(2 for _ in layout.axes)]
    shape[1 + axis] = 6
    values = torch.nn.functional.pad(torch.randn(shape, generator=generator).movedim(1 + axis, -1), (0, total - 6)).movedim(-1, 1 + axis)
    return torch.where(there.reshape(5, *(-1 if other == axis else 1 for other in range(len(layout.axes)))), values, 0.0)


def choices(param: Param) -> tuple[Value, ...]:
    """Return the values of a parameter that the search may pick, the default among them."""
    return tuple(dict.fromkeys([param.default, *(param.choices or ((False, True) if isinstance(param.default, bool) else ()))]))


class _Embedding(nn.Module):
    """The whole encoder, with the signature of an operator layer, to be exported as one."""

    def __init__(self, network: StageEncoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:  # noqa: ARG002  # the signature of a layer
        return self.network.states(xs[0], len(self.network.shapes) - 1)[-1]


class EncoderCase:
    """An encoder under test; see `EncoderSuite`."""

    name: str
    params: ClassVar[Mapping[str, Value]] = {}

    @property
    def encoder(self) -> Encoder:
        """The entry of the encoder."""
        return ENCODERS[self.name]

    def kinds(self) -> tuple[str, ...]:
        """Return the kinds that it must read."""
        return tuple(kind for kind in KINDS if self.encoder.reads(kind))

    def modalities(self) -> Iterator[Modality]:
        """Give modalities that the network must read: every kind in its smallest, uneven and drawn shapes.

        Override it where the encoder is made for some shapes only.
        """
        rng = random.Random(0)  # noqa: S311  # shapes of a test
        for kind in self.kinds():
            for shape in dict.fromkeys([*kind_shapes(kind), *(draw_shape(kind, rng) for _ in range(4))]):
                yield Modality("m", kind, shape)

    def modality(self) -> Modality:
        """Return the modality that most laws use: several positions, several channels."""
        kind = self.encoder.kinds[0]
        if self.encoder.any_kind:
            kind = max(self.kinds(), key=lambda name: len(KINDS[name].layouts[0].positions))
        return Modality("m", kind, kind_shapes(kind)[1])

    def param_sets(self) -> Iterator[dict[str, Value]]:
        """Give every combination of choices of the parameters; of many, the first 24."""
        names = list(self.encoder.params)
        product = itertools.product(*(choices(param) for param in self.encoder.params.values()))
        for values in itertools.islice(product, 24):
            yield {**dict(zip(names, values, strict=True)), **self.params}

    def stage_param_sets(self) -> Iterator[dict[str, Value]]:
        """Give the same without what happens behind the last stage: how a stream pools."""
        seen = [{name: value for name, value in params.items() if name != POOL} for params in self.param_sets()]
        yield from (params for place, params in enumerate(seen) if params not in seen[:place])

    def build(self, modality: Modality, params: Mapping[str, Value] | None = None, *, width: int = 8, seed: int = 0) -> StageEncoder:
        """Return the network in evaluation mode, without dropout."""
        complete = self.complete(params or {})
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return make_encoder(self.name, modality, width, 0.0, complete).eval()

    def complete(self, params: Mapping[str, Value]) -> dict[str, Value]:
        """Return complete parameters from those that differ from the defaults, a size among them."""
        return self.encoder.complete({**self.params, **params}, self.name)

    def inputs(self, modality: Modality, batch: int = 5) -> Tensor:
        """Return (B, *modality.shape); whole numbers from 0 where the modality is codes."""
        generator = torch.Generator().manual_seed(0)
        shape = (batch, *modality.shape)
        if self.reads_codes(modality):
            return torch.randint(0, 6, shape, generator=generator).float()
        values = torch.randn(shape, generator=generator)
        if modality.layout.linked:  # whole numbers are weights of edges, and most of them are none
            measured = modality.layout.num_measured(modality.shape)
            values[:, :, measured:] = values[:, :, measured:].round().clamp(min=0)
        return values

    def reads_codes(self, modality: Modality) -> bool:
        """Whether the values are codes of symbols, through which no gradient flows."""
        return modality.layout.channel is None

    def states(self, network: StageEncoder, raw: Tensor) -> list[Tensor]:
        """Return what a tap at each depth carries, (B, T, D) each."""
        return network.states(raw, len(network.shapes) - 1)

    def whole(self, network: StageEncoder) -> nn.Module:
        """Return raw values -> embedding as one module."""
        return _Embedding(network)
