"""The folder `module` of a bundle: `model.py` with its weights, and the proof that it computes what the model computes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from fusearch.errors import ExportError
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.module_source import design_source, renamed_weights
from fusearch.python_file import import_file
from fusearch.search_space import Candidate
from fusearch.version import __version__

__all__ = ["MODULE", "MODULE_SOURCE", "MODULE_TOLERANCE", "check_module", "write_module"]

#: Name of the folder, and where the source lies in a bundle.
MODULE = "module"
MODULE_SOURCE = f"{MODULE}/model.py"

#: Largest difference allowed between the module and the model, in probability, or in standard deviations of the target.
MODULE_TOLERANCE = 1e-5


def write_module(model: DeployedModel, candidate: Candidate, shapes: Mapping[str, tuple[int, ...]], folder: Path) -> None:
    """Write `model.py`, which needs torch alone, and `model.safetensors` into a new folder.

    Args:
        model: The trained model.
        candidate: The design and its recipe.
        shapes: Modality -> shape of one sample's raw values.
        folder: The folder to make.

    Raises:
        ExportError: The design, or its task, cannot be written as plain torch.
    """
    source = design_source(model, candidate, shapes, __version__)
    folder.mkdir()
    (folder / "model.py").write_text(source, encoding="utf-8")
    (folder / "model.safetensors").write_bytes(save(renamed_weights(model)))


def check_module(model: DeployedModel, raw: Mapping[str, NDArray[np.float32]], folder: Path) -> float:
    """Return the largest difference between what the module and the model say of some rows, relative to the unit of the task.

    Raises:
        ExportError: It is above `MODULE_TOLERANCE`.
    """
    tensors = {name: torch.from_numpy(values) for name, values in raw.items()}
    with torch.inference_mode():
        said = import_file(folder / "model.py", "fusearch_exported_model").load()(tensors)
        difference = float((said - model(tensors)).abs().max()) / model.task.unit
    if not difference <= MODULE_TOLERANCE:
        raise ExportError(f"{MODULE_SOURCE} does not reproduce the network: outputs differ by up to {difference:.2g}")
    return difference
