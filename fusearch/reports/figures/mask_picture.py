"""Images with masks over them as one PNG, without a library that draws. Axis letters: S samples, H height, W width."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["COLOURS", "mask_picture"]

#: Red, green and blue of each class but the background, in turn: those of Okabe and Ito, told apart by colour-blind readers too.
COLOURS = ((230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167), (0, 114, 178))
_GAP, _COVER = 2, 0.55


def mask_picture(images: NDArray[np.uint8], masks: Sequence[NDArray[np.uint8]]) -> bytes:
    """Return a PNG with a row a sample: the image, then the image under each mask.

    Args:
        images: Grey, (S, H, W).
        masks: Classes, (S, H, W) each.
    """
    import numpy as np

    grey = np.repeat(images[..., None], 3, axis=3)
    columns = [grey, *(_over(grey, mask) for mask in masks)]
    apart = [np.pad(column, [(0, 0), (0, _GAP), (0, _GAP), (0, 0)], constant_values=255) for column in columns]
    pixels = np.concatenate([np.concatenate(list(column), axis=0) for column in apart], axis=1)
    return _png(np.ascontiguousarray(pixels[:-_GAP, :-_GAP]))


def _over(grey: NDArray[Any], mask: NDArray[np.uint8]) -> NDArray[Any]:
    import numpy as np

    colours = np.array([(0, 0, 0), *COLOURS], float)[np.where(mask > 0, (mask.astype(int) - 1) % len(COLOURS) + 1, 0)]
    mixed = np.where(mask[..., None] > 0, (1 - _COVER) * grey + _COVER * colours, grey)
    found: NDArray[Any] = mixed.astype(np.uint8)
    return found


def _png(pixels: NDArray[Any]) -> bytes:
    """Return colours, (H, W, 3) uint8, as a PNG file."""
    height, width = pixels.shape[:2]

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")
