"""The unimodal candidates, and their predictions side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fusearch.data.modality import Modality
from fusearch.errors import RunError, SpaceError, UnknownNameError
from fusearch.search.strategies import Result
from fusearch.search.strategies.unimodal import collect_predictions, unimodal_candidate, unimodal_streams
from fusearch.search_space import Candidate, FusionGraph, Recipe, SearchSpace


def test_a_table_has_the_four_networks_of_the_method_paper(space: SearchSpace) -> None:
    streams = unimodal_streams(space)
    assert [stream.name for stream in streams] == [f"{name}_mlp{size}" for name in ("rna", "meth") for size in (1, 2, 3, 4)]
    graph = unimodal_candidate(space, streams[1], Recipe()).graph
    assert str(graph) == "rna_mlp2 = rna:mlp2\nrna_mlp2@L ->"
    assert graph.labels.level == "unimodal"


def test_other_kinds_have_every_encoder_in_each_of_its_sizes() -> None:
    space = SearchSpace([Modality("cxr", "image2d", (1, 16, 16)), Modality("ecg", "timeseries", (20, 3))])
    names = [stream.name for stream in unimodal_streams(space)]
    assert len(names) == len(set(names))
    assert {"cxr_cnn_2", "cxr_cnn_3", "cxr_resnet", "ecg_gru_1", "ecg_gru_2", "ecg_tcn_2", "ecg_tcn_3"} <= set(names)
    assert not [name for name in names if "identity" in name or "flatten" in name]


def test_encoders_can_be_named(space: SearchSpace) -> None:
    names = [stream.name for stream in unimodal_streams(space, {"rna": ["mlp"]})]
    assert names == ["rna_mlp_1", "rna_mlp_2", "rna_mlp_3", "meth_mlp1", "meth_mlp2", "meth_mlp3", "meth_mlp4"]
    with pytest.raises(SpaceError, match="encoders of modality 'rnas': did you mean 'rna'"):
        unimodal_streams(space, {"rnas": ["mlp"]})
    with pytest.raises(UnknownNameError, match="unknown encoder 'mlpp'"):
        unimodal_streams(space, {"rna": ["mlpp"]})
    with pytest.raises(SpaceError, match=r"modality 'rna' \(tabular\): no encoder with a stage reads it"):
        unimodal_streams(space, {"rna": ["identity"]})


def result_of(arrays: dict[str, Any]) -> Result:
    return Result(Candidate(FusionGraph.parse("rna:mlp1\nrna@L ->")), {"accuracy": 0.5}, arrays)


def arrays(**changes: Any) -> dict[str, Any]:
    return {
        "probabilities": np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]], dtype=np.float32),
        "targets": np.array([0, 1, 1]),
        "rows": np.array([4, 5, 4]),
        "fold": np.array([0, 0, 0]),
        "seed": np.array([0, 0, 1]),
        **changes,
    }


def test_a_fold_with_a_seed_is_a_member(space: SearchSpace) -> None:
    predictions = collect_predictions(unimodal_streams(space)[3:5], [result_of(arrays()), result_of(arrays())])
    assert predictions.members.tolist() == [0, 0, 1]
    assert (predictions.names, predictions.modalities) == (("rna_mlp4", "meth_mlp1"), ("rna", "meth"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": np.array([4, 5, 6])}, "'rna_mlp4' and 'meth_mlp1' are not for the same rows"),
        ({"targets": np.array([1, 1, 1])}, "are not for the same targets"),
    ],
)
def test_predictions_of_other_rows_are_refused(space: SearchSpace, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=message):
        collect_predictions(unimodal_streams(space)[3:5], [result_of(arrays()), result_of(arrays(**changes))])


def test_an_evaluation_without_probabilities_is_refused(space: SearchSpace) -> None:
    with pytest.raises(RunError, match="'rna_mlp1' kept no 'probabilities'"):
        collect_predictions(unimodal_streams(space)[:1], [result_of({"predictions": np.zeros(3)})])
