"""What is known of a design while its members are trained, and what of all of them the study is told in the end."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusearch.contracts import Evaluation, Report
from fusearch.data import Dataset, Fold
from fusearch.evaluators.training.member import Member
from fusearch.evaluators.training.members import TrainedMember
from fusearch.evaluators.training.summary import summarize

__all__ = ["RunningEvaluation"]


class RunningEvaluation:
    """The members of a design that are trained so far.

    Args:
        members: All members that will be.
        report: Told of every epoch, and of every member that is done.
    """

    def __init__(self, members: Sequence[Member], report: Report) -> None:
        self._report = report
        self._start, self._step = time.perf_counter(), 0
        self._losses: dict[tuple[Member, str], list[tuple[float, float]]] = {}
        self._done: list[TrainedMember] = []
        self._to_come = Counter(member.fold for member in members)

    @property
    def is_whole(self) -> bool:
        """Whether all members are trained."""
        return not self._to_come.total()

    def on_epoch(self, member: Member, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        """Take note of an epoch."""
        self._step += 1
        self._losses.setdefault((member, phase), []).append((values["loss"], values.get("val_loss", math.nan)))
        self._report(self._step, {**values, "epoch": float(epoch), "fold": float(member.fold), "seed": float(member.seed)})

    def add(self, trained: TrainedMember) -> None:
        """Take note of a member."""
        self._done.append(trained)
        means, _, _ = summarize([member.metrics for member in self._done])
        self._report(self._step, {**means, "members": float(len(self._done))})
        self._to_come[trained.member.fold] -= 1

    def partial(self, details: Mapping[str, Any]) -> Evaluation | None:
        """Return what is known so far where each fold that was begun is done, with these details; None where one is not."""
        if any(self._to_come[member.member.fold] for member in self._done):
            return None
        means, _, _ = summarize([member.metrics for member in self._done])
        return Evaluation(means, details={**details, "members": [member.to_dict() for member in self._done]})

    def whole(self, data: Dataset, folds: Sequence[Fold], *, costs: Mapping[str, float], details: Mapping[str, Any]) -> Evaluation:
        """Return the whole evaluation.

        Args:
            data: What was fused.
            folds: Its folds.
            costs: What the design costs.
            details: More facts that are worth keeping.
        """
        done = self._done
        metrics, spread, undefined = summarize([member.metrics for member in done])
        seconds = {"train_seconds": float(np.mean([member.seconds for member in done]))}
        phases = dict.fromkeys(phase for member in done for phase in member.fits)
        told = {
            "members": [member.to_dict() for member in done],
            "best_epochs": {phase: _median([member.fits[phase].best_epoch for member in done if phase in member.fits]) for phase in phases},
            "undefined": undefined,
            **_packed(done),
            **_alone(done),
            **details,
            "seconds": time.perf_counter() - self._start,
        }
        losses = _rectangle(self._losses, [trained.member for trained in done], list(phases))
        return Evaluation({**metrics, **seconds, **costs}, spread, told, {**_arrays(data, folds, done), "losses": losses})


def _arrays(data: Dataset, folds: Sequence[Fold], done: Sequence[TrainedMember]) -> dict[str, NDArray[Any]]:
    """Return the out-of-fold predictions, one row for each held-out row of each member."""
    rows = [folds[trained.member.fold].val for trained in done]
    lengths = [len(held_out) for held_out in rows]
    every = np.concatenate(rows)
    groups = data.groups
    return {
        "rows": every,
        "ids": data.ids[every],
        "fold": np.repeat([trained.member.fold for trained in done], lengths),
        "seed": np.repeat([trained.member.seed for trained in done], lengths),
        "targets": data.task.kept(data.targets[every]),
        **({} if groups is None else {"groups": np.unique(groups, return_inverse=True)[1][every]}),
        data.task.array: np.concatenate([trained.outputs for trained in done]).astype(np.float32),
        **({"shown_ids": data.ids[rows[0][shown]], **done[0].pictures} if (shown := done[0].pictures.get("shown")) is not None else {}),
    }


def _packed(done: Sequence[TrainedMember]) -> dict[str, Any]:
    """Return how many members were trained together and, where some were not, or their steps were not captured, why.

    Nothing of members that were trained one by one.
    """
    most = max(member.together for member in done)
    if most == 1:
        return {}
    loop = next((why for member in done for why in member.loop.values()), None)
    eager = next((why for member in done for why in member.eager.values()), None)
    return {"pack": {**({"members": most} if loop is None else {"loop": loop}), **({} if eager is None else {"eager": eager})}}


def _alone(done: Sequence[TrainedMember]) -> dict[str, Any]:
    """Return how many streams were asked for alone, and how many of these were found in the cache; nothing of joint designs."""
    counts = sum((Counter(member.alone) for member in done), Counter[str]())
    return {"streams": {"asked": counts["asked"], "found": counts["found"]}} if counts["asked"] else {}


def _rectangle(
    losses: Mapping[tuple[Member, str], Sequence[tuple[float, float]]], members: Sequence[Member], phases: Sequence[str]
) -> NDArray[np.float32]:
    """Return training and validation loss of every epoch, (members, phases, most epochs, 2); NaN where a training had ended."""
    most = max((len(each) for each in losses.values()), default=0)
    filled = np.full((len(members), len(phases), most, 2), np.nan, np.float32)
    for at, member in enumerate(members):
        for place, phase in enumerate(phases):
            told = losses.get((member, phase), ())
            filled[at, place, : len(told)] = np.reshape(told, (len(told), 2))
    return filled


def _median(values: Sequence[int]) -> int:
    return int(np.ceil(np.median(values)))
