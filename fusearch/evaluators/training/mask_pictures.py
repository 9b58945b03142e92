"""Pictures of a few held-out samples with what a network says of them, for the report. Axis letters: N rows, K logits, S samples shown."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from fusearch.evaluators.tasks import TaskLayer
from fusearch.evaluators.training.samples import Samples

__all__ = ["mask_pictures"]

#: Samples that are shown, and most positions of a side of a picture: at most 200 kB of a design.
_SHOWN, _SIDE = 4, 128


def mask_pictures(task: TaskLayer, samples: Samples, logits_NK: Tensor, targets: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return arrays that a run keeps of a few samples whose masks are not empty; nothing of a task without masks.

    `shown`, which of the rows they are, (S,); `shown_images`, uint8, the first channel of the first modality on the grid, (S, H, W), of
    a volume the slice with most of the mask; `shown_true` and `shown_said`, the classes there.

    Args:
        task: What is predicted.
        samples: The rows.
        logits_NK: What the network says.
        targets: Targets of the rows, as the data set holds them.
    """
    images = next((values for values in samples.inputs.values() if tuple(values.shape[2:]) == task.grid), None)
    if not task.grid or images is None:
        return {}
    held = np.flatnonzero((targets > 0).any(axis=1))
    rows = held[np.unique(np.linspace(0, len(held) - 1, min(_SHOWN, len(held))).astype(int))] if len(held) else held
    pictures = []
    for row in rows.tolist():
        true = np.asarray(targets[row]).reshape(task.grid)
        said = logits_NK[row].reshape(-1, *task.grid).argmax(dim=0).cpu().numpy().astype(np.uint8)
        image = images[row, 0].float().cpu().numpy()
        if true.ndim == 3:
            depth = int((true > 0).sum(axis=(1, 2)).argmax())
            true, said, image = true[depth], said[depth], image[depth]
        step = -(-max(true.shape) // _SIDE)
        low, high = np.quantile(image, (0.01, 0.99))
        grey = (255 * ((image - low) / max(float(high - low), 1e-12)).clip(0, 1)).astype(np.uint8)
        pictures.append([each[::step, ::step] for each in (grey, true, said)])
    if not pictures:
        return {}
    grey_S, true_S, said_S = (np.stack(each) for each in zip(*pictures, strict=True))
    return {"shown": rows, "shown_images": grey_S, "shown_true": true_S.astype(np.uint8), "shown_said": said_S}
