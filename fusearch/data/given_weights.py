"""Weights in a file that an encoder starts from: where they lie, whose they are, what is known of their content (decision 0036)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusearch.errors import DataError

__all__ = ["GivenWeights"]


@dataclass(frozen=True)
class GivenWeights:
    """Weights that the streams of one modality through one encoder start from.

    Attributes:
        modality: Name of the modality.
        encoder: The encoder that the weights are of, as a search space reads it: `resnet(width=64)`.
        path: The file: safetensors, or a state dict that `torch.load` reads with `weights_only`.
        digest: 16 hex digits of its content.
        freeze: How many of its first stages stay as they are, or the names of those that do.
    """

    modality: str
    encoder: str
    path: str
    digest: str
    freeze: int | tuple[str, ...] = 0

    @classmethod
    def read(cls, modality: str, encoder: str, path: str | Path, freeze: int | Sequence[str] = 0) -> GivenWeights:
        """Return what is known of a file, which is read once for its digest.

        Raises:
            DataError: There is no such file.
        """
        file = Path(path).resolve()
        return cls(modality, encoder, str(file), content_digest(file), freeze if isinstance(freeze, int) else tuple(freeze))

    @property
    def name(self) -> str:
        """The name of the file, for messages."""
        return Path(self.path).name

    def to_dict(self) -> dict[str, Any]:
        """Return what a run keeps of them, as JSON-able values: the file by its name, since its content counts."""
        freeze = self.freeze if isinstance(self.freeze, int) else list(self.freeze)
        return {"modality": self.modality, "encoder": self.encoder, "file": self.name, "digest": self.digest, "freeze": freeze}


def content_digest(path: Path) -> str:
    """Return 16 hex digits of what a file holds.

    Raises:
        DataError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:16]
    except OSError as error:
        raise DataError(f"weights {str(path)!r} cannot be read: {error.strerror}") from None
