"""Small changes of the training rows that leave what they show as it is, by the kind of a modality (decision 0098).

What changes a sample hangs on its key alone, so the plain loop, a pack and a captured step make the same of it.

Axis letters: B batch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from fusearch.data.modality import Modality
from fusearch.search_space import Recipe

__all__ = ["augmented", "moved_masks", "strengths_of", "uniform"]

#: Word of a recipe -> how strong changes are, and how likely an image is mirrored.
_STRENGTHS = {"mild": (1.0, 0.0), "mirrored": (1.0, 0.5)}

#: In the units of the standardised values: standard deviation of noise, and of the factor and of the shift of all values (of each channel).
_NOISE, _FACTOR, _LEVEL = 0.1, 0.1, 0.1

#: Largest share of an axis that an image is moved along it, largest share of the steps of a series that is hidden, share of symbols hidden.
_MOVED, _HIDDEN, _MASKED = 0.1, 0.1, 0.1

#: Code of a symbol that is not known.
_UNKNOWN = 1.0

#: Odd constants of the 64-bit finalizer `splitmix64` (Steele et al. 2014), as signed numbers.
_STEP, _FIRST, _SECOND = -0x61C8864680B583EB, -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15


def strengths_of(recipe: Recipe, device: torch.device) -> Tensor | None:
    """Return how strong the changes are that a recipe asks for, and how likely an image is mirrored, (2,); None: there are none."""
    return None if recipe.augmentation == "none" else torch.tensor(_STRENGTHS[recipe.augmentation], device=device)


def augmented(
    inputs: Mapping[str, Tensor], modalities: Mapping[str, Modality], keys_B: Tensor, strengths: Tensor, grid: Sequence[int] = ()
) -> dict[str, Tensor]:
    """Return the inputs with each sample changed as its key says; tables and nodes without an order stay as they are.

    | what | how it is changed |
    |---|---|
    | images, volumes, films | moved along each axis by up to a tenth, with its edge repeated; values scaled, shifted and noisy; mirrored |
    | series, sounds | each channel scaled, noise, a stretch of up to a tenth of the steps hidden (zero, the mean) |
    | texts, sequences | a tenth of the symbols unknown; of embeddings a tenth of the positions hidden |

    Args:
        inputs: (B, *shape) of each input.
        modalities: The modality of each input.
        keys_B: What the changes hang on, (B,) int64.
        strengths: Of `strengths_of`; zeros change nothing.
        grid: That of the masks of a dense task: images or volumes of as many axes are moved and mirrored by one draw, all alike, as
            `moved_masks` moves the masks (decision 0100).
    """
    changed = dict(inputs)
    for place, (name, modality) in enumerate(modalities.items()):
        if modality.has_grid and name in inputs:
            own_B = _mixed(keys_B + _wrapped((place + 1) * _STEP))
            moves_B = _mixed(keys_B) if _moves_with_masks(modality, grid) else own_B
            changed[name] = _inside(inputs[name], _changed(inputs[name], modality, own_B, moves_B, strengths), modality)
    return changed


def moved_masks(
    targets_BP: Tensor,
    grid: Sequence[int],
    inputs: Mapping[str, Tensor],
    modalities: Mapping[str, Modality],
    keys_B: Tensor,
    strengths: Tensor,
) -> Tensor:
    """Return masks moved and mirrored as `augmented` moves the images of their samples; where the inputs hold none, as they are.

    Args:
        targets_BP: The class at each position of the grid, row by row.
        grid: Number of positions along each axis.
        inputs: As for `augmented`.
        modalities: As for `augmented`.
        keys_B: As for `augmented`.
        strengths: As for `augmented`.
    """
    if not any(name in inputs and _moves_with_masks(modality, grid) for name, modality in modalities.items()):
        return targets_BP
    moves_B, masks = _mixed(keys_B), torch.unflatten(targets_BP, 1, tuple(grid))
    return _mirrored(_placed(masks, range(1, masks.ndim), moves_B, strengths), moves_B, strengths, -1).flatten(1)


def _moves_with_masks(modality: Modality, grid: Sequence[int]) -> bool:
    return modality.entry.has_masks and len(modality.layout.positions) == len(grid)


def _inside(x: Tensor, changed: Tensor, modality: Modality) -> Tensor:
    """Leave what stands behind the end of a sample as it is: exactly zero, by which it is known (decision 0093)."""
    axis = modality.layout.ragged_axis
    if axis is None:
        return changed
    others = [at for at in range(1, x.ndim) if at != axis + 1]
    return torch.where((x != 0).any(dim=others, keepdim=True), changed, x) if others else torch.where(x != 0, changed, x)


def _changed(x: Tensor, modality: Modality, keys_B: Tensor, moves_B: Tensor, strengths: Tensor) -> Tensor:
    layout, strength = modality.layout, strengths[0].to(x.dtype)
    axes = [axis + 1 for axis in layout.positions]
    if layout.channel is None:  # 0 stands behind the end
        hidden = uniform(keys_B, 0, x.shape[1:], x.dtype) < _MASKED * strength
        return torch.where(hidden & (x > 0), _UNKNOWN, x)
    if len(axes) == 1 and not modality.entry.channels_apart:
        return torch.where(uniform(keys_B, 0, _along(x, axes[0]), x.dtype) < _MASKED * strength, 0.0, x)
    if len(axes) == 1:
        channels = _along(x, (layout.channel_axis or 0) + 1)
        x = x * (1 + strength * _FACTOR * _spread(keys_B, 0, channels, x.dtype)) + strength * _NOISE * _spread(
            keys_B, 1, x.shape[1:], x.dtype
        )
        return torch.where(_stretch(keys_B, x, axes[0], strength), 0.0, x)
    x = _mirrored(_placed(x, axes, moves_B, strengths, layout.ragged_axis), moves_B, strengths, axes[-1])
    level = _LEVEL * _spread(keys_B, 1, (2, *_along(x, 0)), x.dtype)
    factor, shift = level.unbind(1)
    return x * (1 + strength * factor) + strength * (shift + _NOISE * _spread(keys_B, 8, x.shape[1:], x.dtype))


def _along(x: Tensor, axis: int) -> tuple[int, ...]:
    """Return the shape of one number a sample for each place on an axis of x (0: one for all)."""
    return tuple(size if at == axis else 1 for at, size in enumerate(x.shape) if at)


def _placed(x: Tensor, axes: Sequence[int], keys_B: Tensor, strengths: Tensor, ragged_axis: int | None = None) -> Tensor:
    """Move each sample along those axes; not along a ragged one of the sample, as frames would go behind its end."""
    for place, axis in enumerate(axes):
        if axis - 1 != ragged_axis:
            x = _moved(x, axis, strengths[0] * _MOVED * (2 * uniform(keys_B, 2 + place, _along(x, 0), strengths.dtype) - 1))
    return x


def _mirrored(x: Tensor, keys_B: Tensor, strengths: Tensor, axis: int) -> Tensor:
    return torch.where(uniform(keys_B, 0, _along(x, 0), strengths.dtype) < strengths[1], x.flip(axis), x)


def _moved(x: Tensor, axis: int, shares: Tensor) -> Tensor:
    """Move each sample along an axis, by a share of it, to whole places; its edge is repeated."""
    size = x.shape[axis]
    places = torch.arange(size, device=x.device).view(-1, *[1] * (x.ndim - 1 - axis))
    from_here = (places - (shares * size).round().long()).clamp(0, size - 1)
    return x.gather(axis, from_here.expand(x.shape))


def _stretch(keys_B: Tensor, x: Tensor, axis: int, strength: Tensor) -> Tensor:
    """Return which steps of each sample are hidden: a stretch of up to a share of them, anywhere."""
    size, one = x.shape[axis], _along(x, 0)
    length = (uniform(keys_B, 2, one, x.dtype) * _HIDDEN * strength * size).round()
    start = (uniform(keys_B, 3, one, x.dtype) * (size - length)).floor()
    steps = torch.arange(size, device=x.device).view(-1, *[1] * (x.ndim - 1 - axis))
    return (steps >= start) & (steps < start + length)


def _spread(keys_B: Tensor, stream: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Return numbers of mean 0 and standard deviation 1, evenly spread, (B, *shape)."""
    return (2 * uniform(keys_B, stream, shape, dtype) - 1) * 3**0.5


def uniform(keys_B: Tensor, stream: int, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    """Return numbers from 0 to 1, (B, *shape), that hang on the key of each sample and on the stream alone, 24 bits each."""
    counters = torch.arange(math.prod(shape), device=keys_B.device) * _STEP
    bits = _mixed(_mixed(keys_B + _wrapped((stream + 1) * _FIRST))[:, None] + counters)
    return ((bits >> 40) & 0xFFFFFF).to(dtype).mul(2.0**-24).view(-1, *shape)


def _mixed(x: Tensor) -> Tensor:
    """Return other 64 bits, of which each hangs on all of those that are given."""
    x = (x ^ _shifted(x, 30)) * _FIRST
    x = (x ^ _shifted(x, 27)) * _SECOND
    return x ^ _shifted(x, 31)


def _shifted(x: Tensor, places: int) -> Tensor:
    """Shift to the right, with zeros from the left."""
    return (x >> places) & ((1 << (64 - places)) - 1)


def _wrapped(number: int) -> int:
    """Return a number as 64 bits with a sign hold it."""
    return (number + (1 << 63)) % (1 << 64) - (1 << 63)
