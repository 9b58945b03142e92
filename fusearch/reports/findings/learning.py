"""How the members of the recommended design learned, epoch by epoch, beside the best references that were trained by epochs."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fusearch.amounts import counted
from fusearch.layout import predictions_file
from fusearch.study import TrialRecord
from fusearch.trials import Trials

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Learned", "LearningPhase", "MemberLosses", "learned_sentence", "read_learned"]

#: References beside the recommended design, and how many of the best are asked for them.
_REFERENCES, _ASKED = 2, 10
#: Epochs of a curve that are told; of more, so many, spread evenly.
_MOST_EPOCHS = 200
#: What the evaluator calls the phase that trains a design as a whole.
_WHOLE = "fusion"


@dataclass(frozen=True)
class MemberLosses:
    """How one member learned.

    Attributes:
        fold: The fold that was held out.
        seed: The seed.
        epochs: Epochs that are told.
        training: Training loss of each.
        validation: Loss of the held-out rows; empty where nothing was held out.
        best: Epoch with the least loss of the held-out rows, whose weights were kept.
        best_loss: That loss.
    """

    fold: int
    seed: int
    epochs: tuple[int, ...]
    training: tuple[float, ...]
    validation: tuple[float, ...]
    best: int | None
    best_loss: float | None


@dataclass(frozen=True)
class LearningPhase:
    """One part of the training of a design.

    Attributes:
        trial: Its trial.
        digest: Its graph.
        label: What the design is called, with its trial.
        phase: What was trained: the whole design, or one stream alone.
        members: How each member learned.
    """

    trial: int
    digest: str
    label: str
    phase: str
    members: tuple[MemberLosses, ...]


@dataclass(frozen=True)
class Learned:
    """How designs learned.

    Attributes:
        designs: The recommended design, then the best references that were trained by epochs; of each its phases, the last one first.
        reason: Why nothing is told of the recommended design; None where it is.
    """

    designs: tuple[tuple[LearningPhase, ...], ...] = ()
    reason: str | None = None


def read_learned(trials: Trials, pick: TrialRecord | None, label: Callable[[TrialRecord], str]) -> Learned:
    """Read the losses that were kept of the recommended design and of the best references.

    Args:
        trials: One reading of the run.
        pick: The recommended design.
        label: What a design is called.
    """
    if pick is None:
        return Learned(reason="nothing was evaluated")
    first, reason = _phases(trials.path, pick, label)
    others: list[tuple[LearningPhase, ...]] = []
    for record in [each for each in trials.simple if each.digest != pick.digest][:_ASKED]:
        phases = _phases(trials.path, record, label)[0]
        if phases and all(phases[0].digest != each[0].digest for each in others) and len(others) < _REFERENCES:
            others.append(phases)
    return Learned(((first,) if first else ()) + tuple(others), reason)


def learned_sentence(record: TrialRecord, reason: str | None) -> str:
    """Say at which epochs the members of a design were best, and why there are no curves where there are none."""
    members = record.details.get("members")  # an evaluator of one's own may tell their number alone
    told = members if isinstance(members, list) else []
    epochs = [max(member["epochs"].values()) for member in told if member.get("epochs")]
    parts = [f"No learning curves of trial {record.number}: {reason}."] if reason is not None else []
    if epochs and max(epochs) > 1:  # a linear design is solved, not trained by steps
        spread = f"between epoch {min(epochs)} and {max(epochs)}" if min(epochs) < max(epochs) else f"at epoch {epochs[0]}"
        parts.append(f"The {counted(len(epochs), 'member')} of the recommended design were best {spread}.")
    return " ".join(parts)


def _phases(folder: Path | None, record: TrialRecord, label: Callable[[TrialRecord], str]) -> tuple[tuple[LearningPhase, ...], str | None]:
    """Return how a design learned, the last phase first, or why that is not told."""
    losses_MPE2 = _losses(folder, record)
    members, names = record.details.get("members"), record.details.get("best_epochs")
    if losses_MPE2 is None or not isinstance(members, list) or not isinstance(names, Mapping):
        return (), "no losses of single epochs were kept"
    if losses_MPE2.ndim != 4 or losses_MPE2.shape[:2] != (len(members), len(names)):
        return (), "the losses that were kept cannot be read"
    found = []
    for place, name in enumerate(names):
        told = [_member(member, losses_MPE2[at, place]) for at, member in enumerate(members)]
        known = tuple(each for each in told if each is not None)
        if known:
            phase = "the whole design" if name == _WHOLE else f"stream {name} alone"
            found.append(LearningPhase(record.number, record.digest, label(record), phase, known))
    return tuple(reversed(found)), None if found else "it is solved in one step, not trained by epochs"


def _losses(folder: Path | None, record: TrialRecord) -> NDArray[np.float32] | None:
    import numpy as np

    if folder is None:
        return None
    try:
        with np.load(predictions_file(folder, record.candidate), allow_pickle=False) as file:
            losses: NDArray[np.float32] = file["losses"]
            return losses
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _member(member: Mapping[str, Any], losses_E2: NDArray[np.float32]) -> MemberLosses | None:
    """Return how a member learned in one phase; None where it was not trained in it."""
    import numpy as np

    num_epochs = int(np.isfinite(losses_E2[:, 0]).sum())
    if not num_epochs:
        return None
    validation = losses_E2[:num_epochs, 1]
    best = int(np.argmin(validation)) if np.isfinite(validation).all() else None
    places = np.unique(np.linspace(0, num_epochs - 1, min(num_epochs, _MOST_EPOCHS)).astype(int))
    return MemberLosses(
        int(member["fold"]),
        int(member["seed"]),
        tuple(int(each) + 1 for each in places),
        _short(losses_E2[places, 0]),
        () if best is None else _short(validation[places]),
        None if best is None else best + 1,
        None if best is None else _short(validation[[best]])[0],
    )


def _short(losses: NDArray[np.float32]) -> tuple[float, ...]:
    return tuple(float(f"{loss:.4g}") for loss in losses)
