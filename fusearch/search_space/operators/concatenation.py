"""Concatenation ⊕: nothing is mixed yet; the trunk or the head does that."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept, order_kept_of_one, order_linear_in_one, order_seen

__all__: list[str] = []

for entry in (
    Operator(
        "cat",
        "concatenation",
        params={"align": Param(False)},
        symmetric=True,
        tokens=lambda params: "args" if params["align"] else "one",
        token_params=("align",),
        absorbs=("cat",),
        token_order=lambda params, many: (order_linear_in_one if params["align"] else order_seen)(params, many),
        equation="y = [vec(x_1); ...; vec(x_n)]; with align=1 token by token: y_t = [x_1t; ...; x_nt]",
        absent="its features are zero",
        reference="Ngiam et al., Multimodal deep learning, ICML 2011",
    ),
    Operator(
        "cat_channels",
        "concatenation",
        symmetric_from=1,
        keeps="first",
        needs_grid=True,
        equation="y_t = W [x_1t; ...; x_nt] + b on the grid of the first argument, back to its width",
        absent="its channels are zero",
        reference="Ronneberger et al., U-Net, MICCAI 2015 (the join of the skip connections); review no. 30",
        differs="the 3 x 3 convolution there is 1 x 1 here; a conv trunk adds the neighbourhood",
    ),
    Operator(
        "cat_tokens",
        "concatenation",
        tokens=lambda _: "many",
        token_order=order_kept,
        tokens_of_all=lambda _: True,
        matches_features=True,
        equation="Y = [X_1 W_1; ...; X_n W_n] along the tokens; W_m only where the widths differ",
        absent="its tokens are zero",
        reference="Li et al., VisualBERT: a simple and performant baseline for vision and language, 2019",
        differs="segment and position embeddings are left out",
    ),
    Operator(
        "gated_cat",
        "concatenation",
        symmetric=True,
        absorbs=("cat",),
        token_order=order_kept_of_one,
        equation="y_t = [g_1 * x_1t; ...; g_n * x_nt], g_m = sigmoid(W_m [x_1t; ...; x_nt] + b_m)",
        absent="its features are zero, in the result and in every gate",
        reference="Kiela et al., Efficient large-scale multi-modal classification, AAAI 2018",
        differs="there one modality gates the other; here all gate all",
    ),
):
    OPERATORS.add(entry.name, entry)
