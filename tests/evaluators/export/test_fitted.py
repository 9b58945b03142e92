from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from toy_data import make_data

from fusearch.errors import ExportError, RunError
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.fitted import fit_picked
from fusearch.evaluators.export.inputs import raw_values
from fusearch.inference.picked import read_pick
from fusearch.run import Run


def test_the_pick_is_trained_on_train_and_val(make_run: Callable[..., Run]) -> None:
    data = make_data()
    run = make_run(data, {"F1 = cat(a@L, b@L) ->": None, "a@L ->": "best_unimodal"})
    picked = read_pick(run.read(), "best")
    fitted = fit_picked(run, picked, data, seeds=2)
    assert isinstance(fitted.model, DeployedModel)
    assert fitted.choices[0].record.digest == run.pick("best").digest == picked.records[0].digest
    assert len(fitted.model.networks) == 2
    raw = raw_values(data, [modality for modality in data.modalities if modality.name in fitted.model.modalities], np.arange(5))
    assert fitted.model({name: torch.tensor(values) for name, values in raw.items()}).shape == (5, 2)
    with pytest.raises(ExportError, match="seeds is 0, expected at least 1"):
        fit_picked(run, picked, data, seeds=0)
    with pytest.raises(RunError):
        read_pick(run.read(), "nothing")
