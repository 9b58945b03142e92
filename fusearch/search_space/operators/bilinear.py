"""Products of all features with all features, in full and of low rank."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_one, order_linear_in_one

__all__: list[str] = []

for entry in (
    Operator(
        "bilinear",
        "tensor",
        max_args=2,
        symmetric=True,
        token_order=order_linear_in_one,
        equation="y_k = [x_1; 1]^T W_k [x_2; 1]; arguments wider than `width` are first projected to it",
        absent="its vector is [0; 1], which leaves the linear map of the other",
        reference="Tenenbaum & Freeman, Separating style and content with bilinear models, Neural Computation 2000",
        differs="there without the appended one, and of full vectors",
    ),
    Operator(
        "factorized_bilinear",
        "tensor",
        params={"k": Param(2, (2, 4), minimum=1)},
        symmetric=True,
        token_order=order_kept_of_one,
        equation="z = sum over k neighbours of U_1 x_1 * ... * U_n x_n; y = normalize(z / sqrt(|z| + 1e-4))",
        absent="its factor is one; zero where none is present",
        reference="Yu et al., Multi-modal factorized bilinear pooling (MFB), ICCV 2017",
        differs="two arguments and dropout there; the signed root is softened by 1e-4",
    ),
    Operator(
        "low_rank",
        "tensor",
        params={"rank": Param(4, (2, 4, 8), minimum=1)},
        symmetric=True,
        token_order=order_linear_in_one,
        equation="y = sum_r prod_m W_m^(r) [x_m; 1]",
        absent="its vector is [0; 1], which leaves the products without it",
        reference="Liu et al., Efficient low-rank multimodal fusion (LMF), ACL 2018",
    ),
    Operator(
        "outer",
        "tensor",
        params={"dim": Param(8, (4, 8), minimum=1)},
        max_args=4,
        symmetric=True,
        token_order=order_linear_in_one,
        equation="y = vec([W_1 x_1; 1] (x) ... (x) [W_n x_n; 1]); W_m to `dim` features, only where x_m has another width",
        absent="its vector is [0; 1], so that the products without it stay",
        reference="Zadeh et al., Tensor fusion network, EMNLP 2017",
        differs="vectors wider than `dim` are first projected to it",
    ),
    Operator(
        "tucker",
        "tensor",
        params={"dim": Param(16, (8, 16), minimum=1), "rank": Param(4, (2, 4), minimum=1)},
        symmetric=True,
        token_order=order_kept_of_one,
        equation="y = W_o sum_r (M_1r a_1 * ... * M_nr a_n), a_m = tanh(W_m x_m) of `dim` features",
        absent="its factors are one; zeros enter W_o where none is present",
        reference="Ben-younes et al., MUTAN: multimodal Tucker fusion, ICCV 2017",
    ),
):
    OPERATORS.add(entry.name, entry)
