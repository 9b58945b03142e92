"""`model.py` tells what it is, prepares raw values, and turns logits into what the task says."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toy_data import make_data

from fusearch.data import Dataset
from fusearch.errors import ExportError
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.inputs import raw_values
from fusearch.evaluators.export.module_source import design_source, renamed_weights
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import bind_task
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.tasks.classification import Classification


class Toy(Classification):
    """A task of someone else's."""

    kind = "toy"


def model_of(data: Dataset, networks: int = 2) -> tuple[DeployedModel, Candidate]:
    candidate = Candidate(FusionGraph.parse("F1 = cat(a@L, b@L) ->", data.modalities), Recipe(width=8))
    task = bind_task(data.task).fit(data.targets)
    made = [FusionNetwork.of(candidate, task) for _ in range(networks)]
    for network in made:
        torch.nn.init.normal_(network.heads[0].linear.weight)  # type: ignore[union-attr, arg-type]  # a head
    statistics = [part for part in data.fit_preprocessor(data.rows("search")).statistics if part.modality.name != "c"]
    return DeployedModel(made, statistics, task=task), candidate


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_it_says_what_the_model_says(task: str) -> None:
    data = make_data(task=task)
    model, candidate = model_of(data)
    source = design_source(model, candidate, {"a": (4,), "b": (3,)}, "1.2.3")
    assert source.startswith('"""' + str(candidate.graph))
    assert "A network that fusearch 1.2.3 found and trained: 2 networks" in source
    assert "It needs torch alone." in source
    space: dict[str, object] = {"__file__": "model.py"}
    exec(compile(source, "model.py", "exec"), space)  # it is what a user does
    module = space["Model"]().eval()  # type: ignore[operator]
    module.load_state_dict(renamed_weights(model))
    raw = {name: torch.from_numpy(values) for name, values in raw_values(data, data.modalities[:2], np.arange(20)).items()}
    torch.testing.assert_close(module(raw), model(raw), atol=1e-5, rtol=1e-6)


def test_a_label_stays_a_label() -> None:
    data = make_data()
    model, candidate = model_of(data)
    model.task.task = Classification("outcome", ('a"""\nraise SystemExit\n"""', "b\\"))
    source = design_source(model, candidate, {"a": (4,), "b": (3,)}, "1")
    assert "a''' raise SystemExit ''', b/" in source
    exec(compile(source, "model.py", "exec"), {"__file__": "model.py"})  # it is what a user does


def test_a_task_that_cannot_be_written_is_told() -> None:
    data = make_data()
    model, candidate = model_of(data)
    model.task.task = Toy("outcome", ("0", "1"))
    with pytest.raises(ExportError, match="format module: the task 'toy' is not written as source; take onnx or pt2"):
        design_source(model, candidate, {"a": (4,), "b": (3,)}, "1")
