"""The recurrent layer against torch's own cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fusearch.testing import OperatorSuite, affine


class TestRecurrent(OperatorSuite):
    name = "recurrent"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        width, rows = layer.out.width, []
        cell = {"lstm": nn.LSTMCell, "gru": nn.GRUCell}[params["cell"]](width, width).double()
        cell.weight_ih, cell.bias_ih = layer.input.weight, layer.input.bias
        cell.weight_hh, cell.bias_hh = layer.state.weight, layer.state.bias
        for t in range(len(xs[0])):
            state: Any = torch.zeros(1, width, dtype=torch.float64)
            state = (state, state) if params["cell"] == "lstm" else state
            for m, x in enumerate(xs):
                if here[m]:
                    state = cell(affine(layer.align[m].project, x[t])[None], state)
            rows.append(state[0][0] if params["cell"] == "lstm" else state[0])
        return torch.stack(rows)
