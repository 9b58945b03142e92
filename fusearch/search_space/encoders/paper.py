"""The four table encoders of the method paper, with their printed widths.

Reference: Guarrasi and Soda, Multi-objective optimization determines when, which and how to fuse deep networks, Comput. Biol. Med. 2023.
"""

from __future__ import annotations

from collections.abc import Mapping

from fusearch.search_space.entries.encoder import ENCODERS, Encoder
from fusearch.search_space.entries.parameter import Value

__all__ = ["PAPER_WIDTHS"]

#: Hidden widths of each, one stage a hidden layer. The recipe's width does not apply to them.
PAPER_WIDTHS: Mapping[str, tuple[int, ...]] = {
    "mlp1": (64, 64, 32),
    "mlp2": (64, 128, 128, 64, 32),
    "mlp3": (64, 128, 256, 256, 128, 64, 32),
    "mlp4": (64, 128, 256, 512, 512, 256, 128, 64, 32),
}


def _add(name: str, widths: tuple[int, ...]) -> None:
    def num_stages(_: Mapping[str, Value]) -> int:
        return len(widths)

    ENCODERS.add(
        name,
        Encoder(
            name,
            ("tabular",),
            num_stages=num_stages,
            stages=f"fully connected layers of {'-'.join(map(str, widths))}",
            reference="Guarrasi and Soda, Comput. Biol. Med. 2023",
        ),
    )


for _name, _widths in PAPER_WIDTHS.items():
    _add(_name, _widths)
