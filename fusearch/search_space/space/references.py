"""The reference designs: what any searched design has to beat."""

from __future__ import annotations

import math

from fusearch.data.modality import Modality
from fusearch.search_space.design.graph import FusionGraph
from fusearch.search_space.design.parts import Depth, Fusion, Output, Stream, Tap, Training, Trunk
from fusearch.search_space.encoders import default_encoder
from fusearch.search_space.entries.encoder import ENCODERS, Chain
from fusearch.search_space.entries.parameter import complete_params
from fusearch.search_space.space.space_settings import SpaceSettings

__all__ = ["MAX_RAW_VALUES", "reference_designs"]

#: A modality that is no table enters the linear model only up to this many values a sample.
MAX_RAW_VALUES = 20_000


def reference_designs(settings: SpaceSettings) -> dict[str, tuple[FusionGraph, ...]]:
    """Return the designs of each role; a role that makes no sense for the modalities is left out.

    - `best_unimodal`: each modality alone, its default encoder and a head; also without an encoder (other kinds than tables flattened),
      since on few samples a linear model of one modality often beats a network (on ROSMAP's three tables it does for each). That one is
      trained by steps, and solved, as `linear` is: what the solver is worth must not be taken for what fusion is.
    - `linear`: a linear head on all raw values: the columns of tables, other modalities flattened where they are small enough. Trained by
      steps, as every design is, and solved (`train = convex`): neither is always the better one. Where the
      task solves none, by steps alone.
    - `early`: the same raw values, joined, then a trunk of two fully connected layers.
    - `penultimate`: the embeddings of all modalities, joined, and a head.
    - `late`: the mean of the class probabilities of all modalities, each trained alone.
    - `stacked`: the same models, joined by a regularized linear model of their scores on rows that they have not seen.

    A task with a class at each position of a grid has those that end in one: each modality alone; `early`, raw values of all on the grid,
    joined; `penultimate`, the last stages of all, joined; `late`.
    """
    if settings.dense:
        return _dense_designs(settings)
    encoded = [Stream(_name(settings, modality), modality.name, *_encoder(settings, modality)) for modality in settings.modalities]
    raw = [
        Stream(_name(settings, modality), modality.name, "flatten" if modality.layout.positions else "identity")
        for modality in settings.modalities
        if not modality.layout.positions or (not modality.entry.symbolic and 0 < math.prod(modality.shape) <= MAX_RAW_VALUES)
    ]
    plain = [stream for stream in raw if len(raw) > 1 and stream not in encoded]
    solved = raw if len(raw) > 1 and settings.solved else []
    alone = [_alone(settings, stream) for stream in [*encoded, *plain]] + [_alone(settings, stream, "convex") for stream in solved]
    designs = {"best_unimodal": tuple(alone)}
    trainings: tuple[Training, ...] = ("joint", "convex") if settings.solved else ("joint",)
    if len(raw) == 1:
        designs["linear"] = tuple(_alone(settings, raw[0], training) for training in trainings)
    if len(raw) > 1:
        designs["linear"] = tuple(_joined(settings, raw, 0, training=training) for training in trainings)
        designs["early"] = (_joined(settings, raw, 0, trunk=2),)
    if len(encoded) > 1:
        designs["penultimate"] = (_joined(settings, encoded, "L"),)
        designs["late"] = (_joined(settings, encoded, "score", operator="vote_mean", training="independent"),)
        designs["stacked"] = (_joined(settings, encoded, "score", operator="stacking", training="independent"),)
    return designs


def _dense_designs(settings: SpaceSettings) -> dict[str, tuple[FusionGraph, ...]]:
    encoded = [Stream(_name(settings, modality), modality.name, *_encoder(settings, modality)) for modality in settings.modalities]
    # The one that has most positions comes first, as its grid is that of the join.
    encoded.sort(key=lambda stream: -math.prod(_modality(settings, stream).positions))
    raw = [
        Stream(stream.name, stream.modality, "identity")
        for stream in encoded
        if not (modality := _modality(settings, stream)).entry.symbolic and (modality.has_grid or not modality.layout.positions)
    ]
    designs = {"best_unimodal": tuple(_alone(settings, stream) for stream in encoded)}
    if len(raw) > 1:
        designs["early"] = (_joined(settings, raw, 0, operator="cat_channels"),)
    if len(encoded) > 1:
        last = [_last(settings, stream) for stream in encoded]
        fusion = Fusion(f"{settings.prefix}1", "cat_channels", tuple(last), {}, Trunk("fc", 0))
        designs["penultimate"] = (FusionGraph(settings.modalities, tuple(encoded), (fusion,), (Output(Tap(fusion.name, "L")),), "joint"),)
        designs["late"] = (_joined(settings, encoded, "score", operator="vote_mean", training="independent"),)
    return designs


def _last(settings: SpaceSettings, stream: Stream) -> Tap:
    """Return the last stage of a stream with its positions, of a vector the embedding."""
    encoder = ENCODERS[stream.encoder]
    params = complete_params(stream.params, encoder.params, stream.encoder)
    return Tap(stream.name, encoder.num_stages(params) if _modality(settings, stream).has_grid else "L")


def _modality(settings: SpaceSettings, stream: Stream) -> Modality:
    return next(modality for modality in settings.modalities if modality.name == stream.modality)


def _name(settings: SpaceSettings, modality: Modality) -> str:
    return settings.slots[modality.name][0]


def _encoder(settings: SpaceSettings, modality: Modality) -> Chain:
    """Return the default encoder where the space has it, else the first of the space, with the parameters that the space fixes."""
    offered = settings.chains[modality.name].values()
    return next((chain for chain in offered if chain[0] == default_encoder(modality)), next(iter(offered)))


def _alone(settings: SpaceSettings, stream: Stream, training: Training = "joint") -> FusionGraph:
    return FusionGraph(settings.modalities, (stream,), (), (Output(Tap(stream.name, "L")),), training)


def _joined(
    settings: SpaceSettings, streams: list[Stream], depth: Depth, *, operator: str = "cat", trunk: int = 0, training: Training = "joint"
) -> FusionGraph:
    name = f"{settings.prefix}1"
    fusion = Fusion(name, operator, tuple(Tap(stream.name, depth) for stream in streams), {}, Trunk("fc", trunk))
    return FusionGraph(settings.modalities, tuple(streams), (fusion,), (Output(Tap(name, "L")),), training)
