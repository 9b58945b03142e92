"""Tensor operations ⊞: elementwise, products of all features with all features, and their low-rank forms."""

from __future__ import annotations

from fusearch.search_space.operator import OPERATORS, Operator
from fusearch.search_space.parameter import Param

__all__: list[str] = []

_PROJECTED = "P_m brings x_m to the first argument's width where it differs"

for entry in (
    Operator(
        "sum",
        "tensor",
        symmetric=True,
        keeps="first",
        equation=f"y = x_1 + P_2 x_2 + ... + P_n x_n; {_PROJECTED}",
        absent="it adds nothing",
        reference="Hazirbas et al., FuseNet: incorporating depth into semantic segmentation, ACCV 2016",
    ),
    Operator(
        "mean",
        "tensor",
        symmetric=True,
        keeps="first",
        equation=f"y = (x_1 + P_2 x_2 + ... + P_n x_n) / n; {_PROJECTED}",
        absent="the mean is over the arguments that are present; zero where none is",
        reference="Havaei et al., HeMIS: hetero-modal image segmentation, MICCAI 2016",
    ),
    Operator(
        "product",
        "tensor",
        symmetric=True,
        keeps="first",
        equation=f"y = x_1 * P_2 x_2 * ... * P_n x_n; {_PROJECTED}",
        absent="its factor is one; zero where none is present",
        reference="Antol et al., VQA: visual question answering, ICCV 2015",
    ),
    Operator(
        "max",
        "tensor",
        symmetric=True,
        keeps="first",
        equation=f"y = max(x_1, P_2 x_2, ..., P_n x_n) elementwise; {_PROJECTED}",
        absent="the maximum is over the arguments that are present; zero where none is",
        reference="Su et al., Multi-view convolutional neural networks, ICCV 2015",
    ),
    Operator(
        "difference",
        "tensor",
        params={"absolute": Param(False, (False, True))},
        max_args=2,
        keeps="first",
        equation=f"y = x_1 - P_2 x_2, or its absolute value; {_PROJECTED}",
        absent="the difference is zero where either argument is absent",
        reference="Koch et al., Siamese neural networks for one-shot image recognition, ICML workshop 2015",
    ),
    Operator(
        "outer",
        "tensor",
        params={"dim": Param(8, (4, 8), minimum=1)},
        max_args=4,
        symmetric=True,
        equation="y = vec([W_1 x_1; 1] (x) ... (x) [W_n x_n; 1]); W_m to `dim` features, only where x_m has another width",
        absent="its vector is [0; 1], so that the products without it stay",
        reference="Zadeh et al., Tensor fusion network, EMNLP 2017",
    ),
    Operator(
        "outer_cnn",
        "tensor",
        params={
            "dim": Param(16, (8, 16), minimum=1),
            "filters": Param(8, (4, 8), minimum=1),
            "kernel": Param(3, minimum=1),
            "blocks": Param(1, (1, 2), minimum=1),
            "convs": Param(1, minimum=1),
            "residual": Param(False, (False, True)),
            "pool": Param(2, minimum=1),
            "dropout": Param(0.0, minimum=0.0, maximum=0.9),
            "out": Param(0, minimum=0),
        },
        max_args=2,
        equation=(
            "y = W vec(maxpool(CNN(a b^T))), a = W_1 x_1, b = W_2 x_2 of `dim` features (W_m only where x_m has another width); "
            "CNN: `blocks` of `convs` convolutions with ReLU, each block plus its input where residual"
        ),
        absent="its vector is ones, so that the map repeats the other argument; both absent: zeros",
        reference="Seo et al., Drug approval prediction with outer product CNN (OPCNN), IEEE BIBM 2020",
    ),
    Operator(
        "bilinear",
        "tensor",
        max_args=2,
        symmetric=True,
        equation="y_k = [x_1; 1]^T W_k [x_2; 1]; arguments wider than `width` are first projected to it",
        absent="its vector is [0; 1], which leaves the linear map of the other",
        reference="Tenenbaum & Freeman, Separating style and content with bilinear models, Neural Computation 2000",
    ),
    Operator(
        "low_rank",
        "tensor",
        params={"rank": Param(4, (2, 4, 8), minimum=1)},
        symmetric=True,
        equation="y = sum_r prod_m W_m^(r) [x_m; 1]",
        absent="its vector is [0; 1], which leaves the products without it",
        reference="Liu et al., Efficient low-rank multimodal fusion (LMF), ACL 2018",
    ),
    Operator(
        "factorized_bilinear",
        "tensor",
        params={"k": Param(2, (2, 4), minimum=1)},
        symmetric=True,
        equation="z = sum over k neighbours of U_1 x_1 * ... * U_n x_n; y = normalize(z / sqrt(|z| + 1e-4))",
        absent="its factor is one; zero where none is present",
        reference="Yu et al., Multi-modal factorized bilinear pooling (MFB), ICCV 2017",
    ),
    Operator(
        "tucker",
        "tensor",
        params={"dim": Param(16, (8, 16), minimum=1), "rank": Param(4, (2, 4), minimum=1)},
        symmetric=True,
        equation="y = W_o sum_r (M_1r a_1 * ... * M_nr a_n), a_m = tanh(W_m x_m) of `dim` features",
        absent="its factors are one; zeros enter W_o where none is present",
        reference="Ben-younes et al., MUTAN: multimodal Tucker fusion, ICCV 2017",
    ),
    Operator(
        "compact_bilinear",
        "tensor",
        params={"dim": Param(64, (64, 128), minimum=2)},
        equation=(
            "z = ifft(fft(S_1 x_1) * ... * fft(S_n x_n)), S_m fixed count sketches to `dim` features; y = normalize(z / sqrt(|z| + 1e-4))"
        ),
        absent="its sketch is the unit impulse, which leaves the others' sketches; zero where none is present",
        reference="Fukui et al., Multimodal compact bilinear pooling, EMNLP 2016",
    ),
    Operator(
        "bilinear_attention",
        "tensor",
        params={
            "glimpses": Param(1, (1, 2), minimum=1),
            "hidden": Param(32, (16, 32), minimum=1),
            "k": Param(3, (1, 3), minimum=1),
        },
        max_args=2,
        equation=(
            "A = softmax over all pairs (i, j) of p . (relu(U x_i) * relu(V y_j)); "
            "b = sum_ij A_ij (U' x_i * V' y_j), summed over k neighbours; y_j <- y_j + P b a glimpse; out = sum_j y_j"
        ),
        absent="its factors are one, so that the attention is over the other's tokens; zero where none is present",
        reference="Kim et al., Bilinear attention networks (BAN), NeurIPS 2018",
    ),
    Operator(
        "recurrent",
        "tensor",
        params={"cell": Param("lstm", ("lstm", "gru"))},
        equation="h_m = cell(W_m x_m + b_m, h_(m-1)) over the arguments in order; y = h_n",
        absent="its step is skipped: the state passes unchanged",
        reference="Hayat et al., MedFuse, MLHC 2022",
    ),
):
    OPERATORS.add(entry.name, entry)
