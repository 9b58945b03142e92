"""How the values of a modality come in a request: as numbers, as a text, or as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fusearch.data.files.linked_nodes import GRAPHS
from fusearch.data.files.pictures import IMAGES
from fusearch.data.files.series import RECORDINGS
from fusearch.data.files.sounds import SOUNDS
from fusearch.data.files.symbols import TEXTS
from fusearch.data.files.volumes import VOLUMES
from fusearch.serving.zipped_folder import ZIP

__all__ = ["Form", "Upload", "form_of", "uploads_of"]

#: One number or level a column, nested numbers, a text, or a file. Nested numbers may come as a file too where `uploads_of` names some.
Form = Literal["table", "array", "text", "file"]

#: Reader in `predict.py` -> how the files end that a request may hold, one a sample. A folder comes as a zip.
_UPLOADS: Mapping[str, tuple[str, ...]] = {
    "films": (".npy", ZIP),
    "graphs": GRAPHS,
    "images": IMAGES,
    "series": RECORDINGS,
    "sounds": SOUNDS,
    "texts": TEXTS,
    "volumes": (*(suffix for suffix in VOLUMES if suffix.startswith(".")), ZIP),
}


@dataclass(frozen=True)
class Upload:
    """A file of a request.

    Attributes:
        suffix: How it ends.
        content: Its bytes; of a zipped folder, the bytes of each file in it, by its name.
    """

    suffix: str
    content: bytes | Mapping[str, bytes]


def uploads_of(modality: Mapping[str, Any]) -> tuple[str, ...]:
    """Return how the files of a modality of `inputs.json` may end, one a sample; empty where its samples have no files."""
    return _UPLOADS.get(modality.get("reader", ""), ()) if {"column", "root"} <= modality.keys() else ()


def form_of(modality: Mapping[str, Any]) -> Form | None:
    """Return how the values of a modality of `inputs.json` come; None where no request can hold them."""
    files: Form | None = "file" if uploads_of(modality) else None
    if "numeric" in modality:
        return "table"
    if {"symbols", "model"} & modality.keys():
        return "text" if "column" in modality and "root" not in modality else files
    return files if {"edges", "node", "rate", "time"} & modality.keys() or modality.get("reader") == "graphs" else "array"
