"""The held-out samples whose masks a run keeps as pictures. Axis letters: S samples, H height, W width."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fusearch.layout import predictions_file
from fusearch.reports.findings.predicted import pick_and_best_simple
from fusearch.study import TrialRecord
from fusearch.trials import Trials

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ShownMasks", "read_shown_masks"]


@dataclass(frozen=True, eq=False)
class ShownMasks:
    """Some samples of one fold.

    Attributes:
        ids: Who they are, (S,).
        images: Grey, (S, H, W).
        true: Classes, (S, H, W).
        said: What each design is called -> the classes that it said.
        labels: Names of the classes, the background first.
    """

    ids: tuple[str, ...]
    images: NDArray[np.uint8]
    true: NDArray[np.uint8]
    said: dict[str, NDArray[np.uint8]]
    labels: tuple[str, ...]


def read_shown_masks(trials: Trials, pick: TrialRecord | None, label: Callable[[TrialRecord], str]) -> ShownMasks | None:
    """Read the pictures of the recommended design and of the best simple one beside it; None where there are none.

    Args:
        trials: One reading of the run.
        pick: The recommended design.
        label: What a design is called, with its trial.
    """
    import numpy as np

    task = trials.described_task or {}
    if pick is None or trials.path is None:
        return None
    found: ShownMasks | None = None
    for record in pick_and_best_simple(trials, pick):
        try:
            with predictions_file(trials.path, record.candidate).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                if "shown_images" not in file.files:
                    continue
                ids = tuple(file["shown_ids"].tolist())
                if found is None:
                    found = ShownMasks(ids, file["shown_images"], file["shown_true"], {}, tuple(task.get("labels", ())))
                if ids == found.ids:
                    found.said[label(record)] = file["shown_said"]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            continue
    return found
