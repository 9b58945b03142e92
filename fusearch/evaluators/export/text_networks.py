"""Language models of texts in a bundle: the network as ONNX and its tokenizer, so that `predict.py` does without torch (decision 0079).

Axis letters: T tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fusearch.data import Dataset
from fusearch.data.files.texts import read_tokenizer
from fusearch.data.modality import Modality
from fusearch.data.readers.language_models import LanguageModel, open_language_model
from fusearch.data.readers.symbol_files import TextKeys
from fusearch.errors import ExportError
from fusearch.evaluators.export.inputs import manifest_of
from fusearch.evaluators.export.model_files import TOLERANCE, first_line, quiet

__all__ = ["write_text_networks"]


def write_text_networks(data: Dataset, modalities: Sequence[Modality], folder: Path) -> None:
    """Write `texts/NAME.onnx` and `texts/NAME.json` for each modality that is read through a language model.

    Raises:
        ExportError: torch cannot export the network, or the file does not reproduce it.
    """
    manifest = manifest_of(data)
    if manifest is None:
        return
    for modality in modalities:
        keys = manifest.modalities[modality.name]
        if not isinstance(keys, TextKeys) or keys.model is None:
            continue
        model = open_language_model(manifest.path.parent / keys.model, keys.layers, keys.length)
        (folder / "texts").mkdir(exist_ok=True)
        _write(model, folder / "texts" / f"{modality.name}.onnx")
        tokenizer = read_tokenizer(model.document, model.name, model.length)
        (folder / "texts" / f"{modality.name}.json").write_text(tokenizer.to_str(), encoding="utf-8")


class _States(nn.Module):
    """The last states of one text."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids_1T: Tensor) -> Tensor:
        """Map tokens, (1, T), to (1, T, D)."""
        states: Any = self.network(input_ids=ids_1T)
        result: Tensor = states.last_hidden_state.float()
        return result


def _write(model: LanguageModel, path: Path) -> None:
    """Write a network for texts of any number of tokens, and compare the file with it."""
    import onnxruntime

    network, rng = _States(model.network).eval(), np.random.default_rng(0)
    lengths = sorted({1, min(2, model.length), min(7, model.length), model.length})
    size = model.network.get_input_embeddings().num_embeddings
    tokens = [rng.integers(0, size, (1, length)) for length in lengths]
    with quiet(), torch.inference_mode():
        try:
            example = torch.from_numpy(rng.integers(0, size, (1, max(2, model.length))))
            axis = torch.export.Dim("tokens", min=1, max=max(2, model.length))
            converted = torch.onnx.export(
                network,
                (example,),
                dynamo=True,
                verbose=False,
                input_names=["tokens"],
                output_names=["states"],
                dynamic_shapes=({1: axis},),
            )
            if converted is None:
                raise ExportError("torch.onnx.export returned nothing")
            document = converted.model_proto.SerializeToString()
            session = onnxruntime.InferenceSession(document, providers=["CPUExecutionProvider"])
            difference = max(float(np.abs(session.run(None, {"tokens": ids})[0] - model.run(ids)).max()) for ids in tokens)
        except Exception as error:  # torch's exporters raise what they like
            raise ExportError(
                f"torch cannot export the language model {model.name!r}: {type(error).__name__}: {first_line(error)}"
            ) from error
    if not difference <= TOLERANCE:
        raise ExportError(f"the exported language model {model.name!r} differs by {difference:.2g}, expected at most {TOLERANCE:g}")
    path.write_bytes(document)
