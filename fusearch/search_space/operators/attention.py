"""Attention over tokens."""

from __future__ import annotations

from collections.abc import Sequence

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept, order_kept_of_query, order_lost

__all__: list[str] = []

_HEADS = Param(4, (1, 2, 4), minimum=1)


def _several(keys: Sequence[bool]) -> bool:
    """Whether these arguments give more than one key."""
    return len(keys) > 1 or any(keys)


for entry in (
    Operator(
        "bottleneck",
        "attention",
        params={"tokens": Param(4, (2, 4), minimum=1), "layers": Param(1, (1, 2), minimum=1), "heads": _HEADS},
        symmetric=True,
        tokens=lambda params: "many" if int(params["tokens"]) > 1 else "one",
        token_order=order_lost,
        equation="[X_m; Z_m] = transformer layer_m([X_m; Z]), Z = mean over m of Z_m; y = the bottleneck tokens Z of the last layer",
        absent="its bottleneck tokens are left out of the mean; the first ones stay where none is present",
        reference="after Nagrani et al., Attention bottlenecks for multimodal fusion (MBT), NeurIPS 2021; as published: mbt",
        differs="the paper reads a class token of each modality, not the bottleneck, adds positions and has twice the feed-forward",
    ),
    Operator(
        "co_attention",
        "attention",
        params={"heads": _HEADS},
        symmetric=True,
        ports=True,
        keeps="each",
        attention=lambda many: [_several(many[:index] + many[index + 1 :]) for index in range(len(many))],
        attention_params=("heads",),
        token_order=order_kept,
        equation="Y_m = X_m + cross attention of X_m to the tokens of all other arguments, for each m",
        absent="as a key it gets no weight; its own result is what it reads from the others",
        reference="Lu et al., ViLBERT, NeurIPS 2019",
        differs="there each block ends in a feed-forward layer, with layer normalizations; here the exchange alone",
    ),
    Operator(
        "cross_attention",
        "attention",
        params={"heads": _HEADS, "residual": Param(True)},
        symmetric_from=1,
        repeats="share",
        repeats_from=1,
        keeps="first",
        attention=lambda many: [_several(many[1:])],
        attention_params=("heads",),
        token_order=order_kept_of_query,
        equation="Y = X_1 + W_o softmax(Q K^T / sqrt(d)) V; Q = W_q X_1, K and V from the tokens of all other arguments",
        absent="as a key it gets no weight; an absent query asks with its bias alone and adds nothing itself",
        reference="Vaswani et al., Attention is all you need, NeurIPS 2017, eq. 1; Tsai et al., ACL 2019",
        differs="the attention itself; layer normalization, feed-forward and positions of a whole block are left out",
    ),
    Operator(
        "mbt",
        "attention",
        params={"tokens": Param(4, (2, 4), minimum=1), "layers": Param(2, (2, 4), minimum=2), "heads": _HEADS},
        symmetric=True,
        tokens=lambda _: "one",
        token_order=order_lost,
        equation=(
            "X_m = [class token_m; X_m W_m + b_m] + positions_m; [X_m; Z_m] = transformer layer_m([X_m; Z]), Z = mean over m of Z_m; "
            "y = mean over m of LN(class token_m) of the last layer"
        ),
        absent="its class and bottleneck tokens are left out of the means; zero where none is present",
        reference="Nagrani et al., Attention bottlenecks for multimodal fusion (MBT), NeurIPS 2021, and the authors' code",
        differs=(
            "the layers before the fusion are those of the streams; in training the authors take the mean of the modalities' losses, "
            "here the loss of their mean, with which they predict; no dropout inside; 768 features and 12 heads there, here the network's"
        ),
    ),
    Operator(
        "self_attention",
        "attention",
        params={
            "layers": Param(1, (1, 2), minimum=1),
            "heads": _HEADS,
            "dim": Param(0, minimum=0),
            "residual": Param(True),
            "pool": Param("mean", ("mean", "none", "mean_per_stream")),
        },
        tokens=lambda params: "many" if params["pool"] == "none" else "one",
        symmetric_where={"pool": ("mean",)},
        token_order=lambda params, many: (order_kept if params["pool"] == "none" else order_lost)(params, many),
        tokens_of_all=lambda params: params["pool"] == "none",
        equation=(
            "X = [X_1 W_1 + b_1; ...; X_n W_n + b_n] along the tokens; a layer: X <- X + MHA(LN X), X <- X + W_b gelu(W_a LN X); "
            "then the mean over all tokens, no pooling, or one mean an argument, concatenated"
        ),
        absent="its tokens get no weight in the attention and in the mean; unpooled they are zero",
        reference="Vaswani et al., Attention is all you need, NeurIPS 2017",
        differs="layer normalization comes first, positions are left out, and the feed-forward is twice as wide as x (four times there)",
    ),
):
    OPERATORS.add(entry.name, entry)
