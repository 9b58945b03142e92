"""Trained weights, kept beside a run, and taken over by designs that start from them (`Candidate.start`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from fusearch.errors import EvaluationError
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.layout import member_weights_file, replace_file
from fusearch.search_space import FusionGraph

if TYPE_CHECKING:
    from fusearch.evaluators.training.member import Member

__all__ = ["KeptWeights", "Takeover", "WeightStore", "joins_scores", "start_at_mean", "take_over"]


@dataclass(frozen=True)
class KeptWeights:
    """What the training of one member left behind.

    Attributes:
        streams: Name of each stream -> what it is: modality, encoder, parameters.
        weights: The state of the network.
        epochs: Phase of the training -> epochs that its weights have seen.
    """

    streams: Mapping[str, Sequence[Any]]
    weights: Mapping[str, Tensor]
    epochs: Mapping[str, int]


@dataclass(frozen=True)
class Takeover:
    """What a network took over.

    Attributes:
        weights: Names of its weights that were taken over.
        streams: Streams (of tied ones, the lender) that came whole, with their class scores -> epochs that their weights have seen.
        epochs: Most epochs that a whole design, among those that it starts from, was trained for.
    """

    weights: frozenset[str] = frozenset()
    streams: Mapping[str, int] = field(default_factory=dict)
    epochs: int = 0


class WeightStore:
    """A folder of trained weights, one safetensors file for each member of each candidate (decision 0103).

    The folder is made inside an existing one. Workers on other machines must see it: where one does not, or the disk is full, nothing is
    kept of what it trains.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def save(self, digest: str, member: Member, network: FusionNetwork, epochs: Mapping[str, int]) -> None:
        """Keep the weights of a trained network, whole or not at all."""
        # Copies: the members of a pack are parts of one memory, and a file holds each tensor by itself.
        weights = {name: values.detach().cpu().contiguous().clone() for name, values in network.state_dict().items()}
        about = {"streams": json.dumps(_describe(network.graph)), "epochs": json.dumps(dict(epochs))}
        path = self._path(digest, member)
        with suppress(OSError):
            self.folder.mkdir(exist_ok=True)
            path.parent.mkdir(exist_ok=True)
            replace_file(path, save(weights, about), durable=False)

    def holds(self, digest: str, member: Member) -> bool:
        """Whether the weights of a member were kept."""
        return self._path(digest, member).is_file()

    def load(self, digest: str, member: Member) -> KeptWeights:
        """Return the weights of a member.

        Raises:
            EvaluationError: They were not kept, or the file is damaged.
        """
        path = self._path(digest, member)
        try:
            with safe_open(path, framework="pt") as file:
                about, weights = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is no dict
        except FileNotFoundError:
            raise EvaluationError(
                f"no weights of candidate {digest} (fold {member.fold}, seed {member.seed}) in {str(self.folder)!r}: expected {path.name!r}"
            ) from None
        except SafetensorError as error:  # half of it, after a crash of the machine
            raise EvaluationError(f"weights {str(path)!r} cannot be read: {error}; remove the file, and they are trained again") from None
        return KeptWeights(json.loads(about["streams"]), weights, json.loads(about["epochs"]))

    def _path(self, digest: str, member: Member) -> Path:
        return member_weights_file(self.folder, digest, fold=member.fold, seed=member.seed)


@torch.no_grad()
def take_over(network: FusionNetwork, kept: Sequence[KeptWeights]) -> Takeover:
    """Load into a fresh network what it shares with trained ones; of several that have a part, the first gives it.

    Streams are matched by modality, encoder and parameters, whatever their names; fusions and heads by name. A weight is taken where the
    shape is the same.
    """
    own = network.state_dict()
    taken: set[str] = set()
    whole: dict[str, int] = {}
    described = _describe(network.graph)
    for lender in dict.fromkeys(network.streams.lenders.values()):
        for source in kept:
            pairs = _stream_weights(own, lender, described[lender], source)
            for name, other in pairs.items():
                own[name].copy_(source.weights[other])
            taken |= set(pairs)
            if pairs:
                prefixes = tuple(_prefixes(lender))
                if f"stream_{lender}" in network.streams.heads and pairs.keys() >= {name for name in own if name.startswith(prefixes)}:
                    whole[lender] = source.epochs.get(lender, max(source.epochs.values(), default=0))
                break
    for name, values in own.items():
        givers = [source.weights[name] for source in kept if not name.startswith("streams.") and name in source.weights]
        if givers and givers[0].shape == values.shape:
            values.copy_(givers[0])
            taken.add(name)
    return Takeover(frozenset(taken), whole, max((max(source.epochs.values(), default=0) for source in kept), default=0))


def joins_scores(graph: FusionGraph) -> bool:
    """Whether a design is one `cat` of class scores with a linear head."""
    return (
        len(graph.fusions) == 1
        and graph.fusions[0].operator == "cat"
        and graph.fusions[0].trunk.num_stages == 0
        and all(tap.depth == "score" for tap in graph.fusions[0].args)
    )


@torch.no_grad()
def start_at_mean(network: FusionNetwork) -> None:
    """Let the head of a design that joins class scores start as their mean, once the streams are trained (decision 0086)."""
    if not joins_scores(network.graph):
        return
    num_streams = len(network.graph.fusions[0].args)
    for head, columns in network.heads_of_fusions():
        weight, bias = head.linear.weight, head.linear.bias
        weight.copy_(torch.eye(network.num_outputs, device=weight.device)[list(columns)].repeat(1, num_streams) / num_streams)
        bias.zero_()


def _describe(graph: FusionGraph) -> dict[str, list[Any]]:
    return {stream.name: [stream.modality, stream.encoder, sorted(stream.params.items())] for stream in graph.streams}


def _prefixes(stream: str) -> tuple[str, str]:
    return f"streams.encoders.stream_{stream}.", f"streams.heads.stream_{stream}."


def _stream_weights(own: Mapping[str, Tensor], stream: str, described: Sequence[Any], source: KeptWeights) -> dict[str, str]:
    """Return the names of a stream's weights -> their names in `source`, for those that it has in the same shape."""
    same = [name for name, other in source.streams.items() if _plain(other) == _plain(described)]
    found: dict[str, str] = {}
    for other in sorted(same, key=lambda name: name != stream)[:1]:
        for prefix, source_prefix in zip(_prefixes(stream), _prefixes(other), strict=True):
            for name, values in own.items():
                twin = source_prefix + name.removeprefix(prefix)
                if name.startswith(prefix) and twin in source.weights and source.weights[twin].shape == values.shape:
                    found[name] = twin
    return found


def _plain(described: Sequence[Any]) -> list[Any]:
    modality, encoder, params = described
    return [modality, encoder, [list(entry) for entry in params]]
