from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from toy_data import make_data

from fusearch.errors import ExportError, RunError
from fusearch.evaluators.export.deployed import DeployedModel
from fusearch.evaluators.export.fitted import fit_pick
from fusearch.evaluators.export.inputs import raw_values
from fusearch.run import Run


def test_the_pick_is_trained_on_train_and_val(make_run: Callable[..., Run]) -> None:
    data = make_data()
    run = make_run(data, {"F1 = cat(a@L, b@L) ->": None, "a@L ->": "best_unimodal"})
    fitted = fit_pick(run, data, pick="best", seeds=2)
    assert isinstance(fitted.model, DeployedModel)
    assert fitted.choices[0].record.digest == run.pick("best").digest == fitted.picked.records[0].digest
    assert len(fitted.model.networks) == 2
    raw = raw_values(data, [modality for modality in data.modalities if modality.name in fitted.model.modalities], np.arange(5))
    assert fitted.model({name: torch.tensor(values) for name, values in raw.items()}).shape == (5, 2)
    with pytest.raises(ExportError, match="seeds is 0, expected at least 1"):
        fit_pick(run, data, pick="best", seeds=0)
    with pytest.raises(RunError):
        fit_pick(run, data, pick="nothing", seeds=1)
