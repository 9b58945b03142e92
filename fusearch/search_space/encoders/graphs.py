"""Encoders of graphs: they read nodes and edges (decision 0094); `deepset` reads the nodes alone."""

from __future__ import annotations

from fusearch.search_space.encoders.raw import shortened
from fusearch.search_space.entries.encoder import ENCODERS, OWN_WIDTH, POOL, POOLING, WIDTH, Encoder
from fusearch.search_space.entries.parameter import Param

__all__ = ["GAT", "GCN"]


def _of_graphs(name: str, *, stages: str, equation: str, differs: str = "", reference: str, **params: Param) -> Encoder:
    """Add an encoder whose stages are layers of torch_geometric."""
    encoder = Encoder(
        name,
        ("graph",),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(2, choices=(2, 3), minimum=1, maximum=8), **params, POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"stages": 1}, "base": {"stages": 4}},
        names=("layer#",),
        recipe_width=True,
        reads_links=True,
        package="torch_geometric",
        extra="graph",
        first_stages=shortened(name, "stages"),
        stages=stages,
        equation=equation,
        differs=differs,
        reference=reference,
    )
    return ENCODERS.add(name, encoder)


GCN = _of_graphs(
    "gcn",
    stages="each a graph convolution: a linear layer, then the sum over a node and its neighbours by the weights of the edges and the "
    "degrees of both ends",
    equation="y_i = sum_j a_ij W x_j / sqrt(d_i d_j), a_ii = 1, d_i = max(1, sum_j a_ij)",
    differs="LayerNorm and dropout behind each layer",
    reference="Kipf and Welling, Semi-supervised classification with graph convolutional networks, ICLR 2017",
)

GAT = _of_graphs(
    "gat",
    stages="each a graph attention: a node weighs its neighbours and itself; edges have no weights here, there is one or there is none",
    equation="y_i = sum_j softmax_j(leaky_relu(a [W x_i; W x_j])) W x_j",
    differs="LayerNorm and dropout behind each layer",
    reference="Velickovic et al., Graph attention networks, ICLR 2018",
    heads=Param(4, minimum=1, maximum=16),
)
