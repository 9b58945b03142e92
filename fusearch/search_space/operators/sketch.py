"""The outer product, compressed by count sketches."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_one

__all__: list[str] = []

for entry in (
    Operator(
        "compact_bilinear",
        "tensor",
        params={"dim": Param(64, (64, 128), minimum=2)},
        token_order=order_kept_of_one,
        equation=(
            "z = ifft(fft(S_1 x_1) * ... * fft(S_n x_n)), S_m fixed count sketches to `dim` features; y = normalize(z / sqrt(|z| + 1e-4))"
        ),
        absent="its sketch is the unit impulse, which leaves the others' sketches; zero where none is present",
        reference="Fukui et al., Multimodal compact bilinear pooling, EMNLP 2016",
        differs="two arguments and 16,000 features there; the signed root is softened by 1e-4",
    ),
):
    OPERATORS.add(entry.name, entry)
