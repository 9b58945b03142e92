"""What a network starts from: weights in files (decision 0036), the shares of the classes (decision 0112).

A file is mapped into memory, and read once in a process.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from fusearch.data.given_weights import GivenWeights, content_digest
from fusearch.data.modality import Modality
from fusearch.errors import DataError, EvaluationError, suggestion
from fusearch.evaluators.network.encoder_network import StageEncoder, make_encoder
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.stream_runs import ScoreHead, StreamNetwork
from fusearch.evaluators.shape_pass import ShapePass
from fusearch.search_space import ENCODERS, Recipe
from fusearch.search_space.design.parts import Stream
from fusearch.search_space.entries.encoder import WIDTH, Chain
from fusearch.search_space.space.space_settings import read_chain

__all__ = ["check_given", "read_weights", "start_network"]

#: Keys under which programs keep a state dict beside other things.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "weights")

#: Weights that differ and are named; of the others the number is told.
_NAMED = 3


def check_given(given: Sequence[GivenWeights], modalities: Sequence[Modality]) -> None:
    """Refuse weights that do not fit their encoder, before anything is trained.

    Raises:
        EvaluationError: A modality or an encoder is not there, names or shapes differ, or there is no stage of a name to freeze.
    """
    known = {modality.name: modality for modality in modalities}
    for each in given:
        if each.modality not in known:
            raise EvaluationError(f"{_where(each)}: unknown modality {each.modality!r}, {suggestion(each.modality, known)}")
        name, stated = read_chain(each.encoder)
        entry = ENCODERS[name]
        if not entry.reads(known[each.modality].kind):
            raise EvaluationError(f"{_where(each)}: encoder {name!r} does not read {known[each.modality].kind}")
        if WIDTH in entry.params and WIDTH not in stated:
            example = f"{name}({', '.join(f'{key}={value}' for key, value in {**stated, WIDTH: Recipe.width}.items())})"
            raise EvaluationError(f"{_where(each)}: encoder {each.encoder!r} is as wide as each recipe says, expected a width: {example!r}")
        params = entry.complete(stated, _where(each))
        with ShapePass():
            whole = make_encoder(name, known[each.modality], Recipe.width, 0.0, params)
        if not any(True for _ in whole.stages.parameters()):
            raise EvaluationError(f"{_where(each)}: encoder {name!r} has no weights that could start from a file")
        for key, values in _fitting(each, whole).items():
            if values.is_floating_point() and not bool(torch.isfinite(values).all()):
                raise EvaluationError(f"{_where(each)}: {key!r} holds values that are not finite")
        _frozen(each, (name, params))


@torch.no_grad()
def start_network(network: FusionNetwork | StreamNetwork, given: Sequence[GivenWeights], logits_K: Tensor | None) -> None:
    """Give a fresh design, or a stream that is trained alone, what it starts from.

    Given weights are loaded into the encoders that they are of; stages that `freeze` names are not trained. Heads that start at zero say
    the same of every sample, such as the shares of the classes.

    Args:
        network: What starts.
        given: Weights in files.
        logits_K: What heads say, of all tasks; None: they stay at 0.

    Raises:
        EvaluationError: A file is not what it was, or lacks stages of an encoder.
    """
    for encoder, stream in _encoders(network):
        _start(encoder, stream, given)
    if logits_K is not None:
        for head, columns in _heads(network, len(logits_K)):
            if isinstance(head, ScoreHead) and head.at_zero:
                head.linear.bias.copy_(logits_K[list(columns)])


def _encoders(network: FusionNetwork | StreamNetwork) -> list[tuple[StageEncoder, Stream]]:
    if isinstance(network, StreamNetwork):
        return [(network.encoder, network.stream)]
    lenders = dict.fromkeys(network.streams.lenders.values())
    return [(network.streams.encoder_of(lender), network.graph.stream(lender)) for lender in lenders]


def _heads(network: FusionNetwork | StreamNetwork, outputs: int) -> list[tuple[nn.Module, tuple[int, ...]]]:
    """Return each head of scores, and which outputs are its own."""
    every = tuple(range(outputs))
    if isinstance(network, StreamNetwork):
        return [(network.head, every)]
    return [*((head, every) for head in network.streams.heads.values()), *network.heads_of_fusions()]


def _start(encoder: StageEncoder, stream: Stream, given: Sequence[GivenWeights]) -> None:
    own = [(each, read_chain(each.encoder)) for each in given if each.modality == stream.modality]
    same = [(each, chain) for each, chain in own if _is_of(stream, chain)]
    if not same or not len(encoder.stages):
        return
    complete = {each: ENCODERS[name].complete(stated, _where(each)) for each, (name, stated) in same}
    each, (name, _) = min(same, key=lambda one: complete[one[0]] != dict(stream.params))
    weights = _fitting(each, encoder)
    for key, values in encoder.stages.state_dict(prefix="stages.").items():
        values.copy_(weights[key])
    for index in _frozen(each, (name, complete[each])):
        if index < len(encoder.stages):
            encoder.stages[index].requires_grad_(False)


def _is_of(stream: Stream, chain: Chain) -> bool:
    """Whether a stream is through the encoder of a chain, as deep or less deep, and as wide."""
    name, stated = chain
    entry = ENCODERS[name]
    params = entry.complete(stated, name)
    shorter = entry.first_stages
    names = {name} | ({shorter(params, depth)[0] for depth in range(1, entry.num_stages(params))} if shorter is not None else set())
    return stream.encoder in names and stream.params.get(WIDTH) == params.get(WIDTH)


def _frozen(given: GivenWeights, chain: Chain) -> list[int]:
    """Return the places of the stages that stay as they are, from 0."""
    name, params = chain
    names = ENCODERS[name].stage_names(params)
    if isinstance(given.freeze, int):
        if not 0 <= given.freeze <= len(names):
            raise EvaluationError(f"{_where(given)}: freeze is {given.freeze}, expected 0 to {len(names)}, the stages of {name!r}")
        return list(range(given.freeze))
    for stage in given.freeze:
        if stage not in names:
            raise EvaluationError(f"{_where(given)}: freeze has no stage {stage!r} of {name!r}, {suggestion(stage, names)}")
    return [names.index(stage) for stage in given.freeze]


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name, mapped into memory where its format allows it.

    Raises:
        EvaluationError: It cannot be read, or holds anything but tensors.
    """
    file = Path(path)
    try:
        held = load_file(file) if file.suffix == ".safetensors" else _load_state(file)
    except pickle.UnpicklingError:  # its text advises to run what is in the file
        told = f"weights {file.name!r} cannot be read: it is no state dict of tensors alone, and nothing else in a file is run"
        hint = "expected what `torch.save(network.state_dict(), ...)` writes, or safetensors in a file that ends in .safetensors"
        raise EvaluationError(f"{told}; {hint}") from None
    except (OSError, RuntimeError, EOFError, SafetensorError) as error:
        reason = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", str(error)).split())[:200] or "it is empty"
        raise EvaluationError(f"weights {file.name!r} cannot be read, expected safetensors or a state dict of tensors: {reason}") from None
    for wrapper in _WRAPPERS:
        if isinstance(held, Mapping) and isinstance(held.get(wrapper), Mapping):
            held = held[wrapper]
    named = held.items() if isinstance(held, Mapping) else ()
    tensors = {name: values for name, values in named if isinstance(name, str) and isinstance(values, Tensor)}
    if not tensors:
        raise EvaluationError(f"weights {file.name!r} hold no tensors by name, expected a state dict")
    for name, values in tensors.items():
        if values.layout is not torch.strided or values.is_meta:
            raise EvaluationError(f"weights {file.name!r}: {name!r} is sparse or has no values, expected dense tensors")
    return tensors


def _load_state(file: Path) -> Any:
    """Read what torch has saved, mapped into memory unless it is in torch's old format."""
    if zipfile.is_zipfile(file):
        return torch.load(file, map_location="cpu", weights_only=True, mmap=True)
    return torch.load(file, map_location="cpu", weights_only=True)


@lru_cache(maxsize=8)
def _read_once(path: str, digest: str) -> dict[str, Tensor]:
    try:
        now = content_digest(Path(path))
    except DataError as error:
        raise EvaluationError(str(error)) from None
    if now != digest:
        raise EvaluationError(f"weights {Path(path).name!r} have changed since the data were loaded: digest {now}, expected {digest}")
    return read_weights(path)


def _fitting(given: GivenWeights, encoder: StageEncoder) -> dict[str, Tensor]:
    """Return the weights of an encoder's stages by its own names.

    Raises:
        EvaluationError: Names or shapes differ; the first that do are named.
    """
    own = encoder.stages.state_dict(prefix="stages.")
    if not own:
        return {}
    held = _read_once(given.path, given.digest)
    prefixes = _prefixes(held, own)
    readings = [_renamed(held, prefix, encoder) for prefix in prefixes] or [_renamed(held, "", encoder)]
    statistics = [name for name in held if name.endswith("running_mean")]
    if statistics:
        what = f"they hold statistics of BatchNorm such as {statistics[0]!r}, which no encoder has (decision 0044)"
        raise EvaluationError(f"{_where(given)} do not fit: {what}")
    whole = [found for found in readings if not _differences(found, own)]
    if len(whole) > 1:
        raise EvaluationError(f"{_where(given)} fit under several prefixes: {', '.join(map(repr, prefixes))}, expected one")
    if whole:
        return whole[0]
    faults = min((_differences(found, own) for found in readings), key=len)
    more = f", and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    raise EvaluationError(f"{_where(given)} do not fit: {len(faults)} of {len(own)} differ: {'; '.join(faults[:_NAMED])}{more}")


def _prefixes(held: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    """Return what stands before the names of an encoder in a file, such as `encoder.` or `module.`."""
    first = next(iter(own))
    return sorted({name.removesuffix(first) for name in held if name.endswith(first)}, key=len)


def _renamed(held: Mapping[str, Tensor], prefix: str, encoder: StageEncoder) -> dict[str, Tensor]:
    found = {name.removeprefix(prefix): values for name, values in held.items() if name.startswith(prefix)}
    for pattern, ours in encoder.elsewhere:
        found |= {re.sub(pattern, ours, name, count=1): values for name, values in found.items() if re.match(pattern, name)}
    return found


def _differences(found: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    faults = []
    for name, values in own.items():
        if name not in found:
            faults.append(f"{name} is missing")
        elif found[name].shape != values.shape:
            faults.append(f"{name} is {tuple(found[name].shape)}, expected {tuple(values.shape)}")
        elif values.is_floating_point() and not found[name].is_floating_point():
            faults.append(f"{name} is {str(found[name].dtype).removeprefix('torch.')}, expected floating-point numbers")
    return faults


def _where(given: GivenWeights) -> str:
    return f"weights {given.name!r} of encoder {given.encoder!r} of modality {given.modality!r}"
