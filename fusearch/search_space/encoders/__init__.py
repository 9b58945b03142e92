"""The encoders of fusearch, as data. Importing this package registers them; their networks live in `fusearch.evaluators.encoders`."""

from __future__ import annotations

from fusearch.data.modality import Modality
from fusearch.search_space.encoders import images, paper, raw, sequences, sets, tables
from fusearch.search_space.entries.encoder import ENCODERS

__all__ = ["default_encoder", "encoders_for", "images", "paper", "raw", "sequences", "sets", "tables"]

_DEFAULTS = {
    "tabular": "mlp",
    "image2d": "cnn",
    "volume3d": "cnn3d",
    "video": "cnn3d",
    "timeseries": "tcn",
    "audio": "tcn",
    "graph": "deepset",
}


def default_encoder(modality: Modality) -> str:
    """Return the encoder of a stream that names none.

    Text and sequences of integer codes are embedded by `text_cnn`; those that come as embeddings go through `tcn`.
    """
    if modality.kind in ("text", "sequence"):
        return "tcn" if len(modality.shape) == 2 else "text_cnn"
    return _DEFAULTS[modality.kind]


def encoders_for(modality: Modality) -> tuple[str, ...]:
    """Return the names of all registered encoders that read the modality's kind."""
    return tuple(encoder.name for encoder in ENCODERS.values() if modality.kind in encoder.kinds)
