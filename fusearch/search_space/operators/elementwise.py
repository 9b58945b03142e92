"""Elementwise tensor operations ⊞; the result has the shape of the first argument."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_one, order_linear_in_one

__all__: list[str] = []

_PROJECTED = "P_m brings x_m to the first argument's width where it differs"

for entry in (
    Operator(
        "difference",
        "tensor",
        params={"absolute": Param(False, (False, True))},
        max_args=2,
        symmetric_where={"absolute": (True,)},
        keeps="first",
        repeats="nothing",
        token_order=lambda params, many: (order_kept_of_one if params["absolute"] else order_linear_in_one)(params, many),
        matches_features=True,
        equation=f"y = x_1 - P_2 x_2, or its absolute value; {_PROJECTED}",
        absent="the difference is zero where either argument is absent",
        reference="Koch et al., Siamese neural networks for one-shot image recognition, ICML workshop 2015",
        differs="there absolute=1, of tied encoders, weighed by the layer behind it",
    ),
    Operator(
        "max",
        "tensor",
        symmetric=True,
        keeps="first",
        absorbs=("max",),
        repeats="once",
        token_order=order_kept_of_one,
        matches_features=True,
        equation=f"y = max(x_1, P_2 x_2, ..., P_n x_n) elementwise; {_PROJECTED}",
        absent="the maximum is over the arguments that are present; zero where none is",
        reference="Su et al., Multi-view convolutional neural networks, ICCV 2015",
        differs="there over views of one object, by one encoder",
    ),
    Operator(
        "mean",
        "tensor",
        symmetric=True,
        keeps="first",
        repeats="share",
        token_order=order_linear_in_one,
        matches_features=True,
        equation=f"y = (x_1 + P_2 x_2 + ... + P_n x_n) / n; {_PROJECTED}",
        absent="the mean is over the arguments that are present; zero where none is",
        reference="Havaei et al., HeMIS: hetero-modal image segmentation, MICCAI 2016",
        differs="the variance over modalities, which is joined to the mean there, is left out",
    ),
    Operator(
        "product",
        "tensor",
        symmetric=True,
        keeps="first",
        absorbs=("product",),
        token_order=order_linear_in_one,
        matches_features=True,
        equation=f"y = x_1 * P_2 x_2 * ... * P_n x_n; {_PROJECTED}",
        absent="its factor is one; zero where none is present",
        reference="Antol et al., VQA: visual question answering, ICCV 2015",
    ),
    Operator(
        "sum",
        "tensor",
        symmetric=True,
        keeps="first",
        absorbs=("sum",),
        token_order=order_linear_in_one,
        matches_features=True,
        equation=f"y = x_1 + P_2 x_2 + ... + P_n x_n; {_PROJECTED}",
        absent="it adds nothing",
        reference="Hazirbas et al., FuseNet: incorporating depth into semantic segmentation, ACCV 2016",
    ),
    Operator(
        "sum_on_grid",
        "tensor",
        symmetric_from=1,
        keeps="first",
        needs_grid=True,
        equation=(
            "y_t = b + sum_m W_m x_mt on the grid of the first argument; of an argument with more axes (a volume beside an image), "
            "x_mt holds all positions along its first axes"
        ),
        absent="it adds nothing",
        reference="Li et al., Multimodal information fusion for glaucoma and diabetic retinopathy, MICCAI workshop 2022 (review no. 41)",
        differs="how the paper's learned conversion layers bring a volume to two axes is not known; here they are W_m",
    ),
):
    OPERATORS.add(entry.name, entry)
