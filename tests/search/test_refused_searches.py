"""What a search refuses before anything is written."""

import math
import socket

import numpy as np
import optuna
import pytest

from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError, ObjectiveError, RunError, SpaceError, UnknownNameError
from fusearch.search_space import SearchSpace

PATTERNED = SearchSpace([Modality(name, "tabular", (5,)) for name in "ab"], pattern="F1 = ⊕(x1^x, x2^y) →")


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"objectives": ["aurok"]}, ObjectiveError, "did you mean 'auroc'?"),
        ({"objectives": []}, ObjectiveError, "no objective is given"),
        ({"objectives": ["auroc", "auroc"]}, ObjectiveError, "objective 'auroc' stands twice"),
        ({"sampler": "tpr"}, UnknownNameError, "unknown sampler 'tpr': did you mean 'tpe'?"),
        ({"sampeler": "tpe"}, RunError, "no setting 'sampeler': did you mean 'sampler'?"),
        ({"executor": "rey"}, UnknownNameError, "unknown executor 'rey': did you mean 'ray'?"),
        ({"trials": 0}, RunError, "trials is 0, expected a whole number of at least 1"),
        ({"trials": None}, RunError, "would never end"),
        ({"reference_share": 1.5}, RunError, "reference_share is 1.5, expected a number between 0 and 1"),
        ({"start": "publisht"}, RunError, "start is 'publisht': did you mean 'published'?"),
        ({"space": PATTERNED, "strategy": "late-ensemble"}, SpaceError, "strategy 'late-ensemble' does not take one, expected strategy"),
        ({"start": "published", "strategy": "late-ensemble"}, RunError, "strategy 'late-ensemble' does not take it, expected strategy"),
        ({"cpus_per_trial": 0}, RunError, "cpus_per_trial is 0, expected more than 0"),
        ({"workers": 0}, RunError, "workers is 0, expected a whole number of at least 1"),
        ({"trials": "3"}, RunError, "trials is '3', expected a whole number of at least 1"),
        ({"trials": 2.5}, RunError, "trials is 2.5, expected a whole number"),
        ({"seed": None}, RunError, "seed is None, expected a whole number of at least 0"),
        ({"time_limit": math.nan}, RunError, "time_limit is nan, expected a number of at least 0"),
        ({"cpus_per_trial": math.nan}, RunError, "cpus_per_trial is nan, expected a number of at least 0"),
        ({"first": ["F1 = cat(a@1, b@1) ->"]}, SpaceError, "expected a FusionGraph or a Candidate; FusionGraph.parse reads a formula"),
        ({"evaluator": {"score": 1.0}}, EvaluationError, "the evaluator is {'score': 1.0}, expected a function of"),
    ],
)
def test_bad_settings_are_refused_and_nothing_is_written(search, tmp_path, settings, error, message):
    with pytest.raises(error) as caught:
        search(**settings)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_encoder_without_its_package_is_refused_and_nothing_is_written(search, tmp_path, monkeypatch):
    monkeypatch.setattr("fusearch.search_space.entries.encoder.find_spec", lambda _: None)
    graphs = [Modality("gait", "graph", (5, 8)), Modality("age", "tabular", (1,))]
    with pytest.raises(
        SpaceError, match=r"'gait': encoder 'gcn' needs torch_geometric, which is not installed: pip install 'fusearch\[graph\]'"
    ):
        search(space=SearchSpace(graphs))
    assert list(tmp_path.iterdir()) == []
    assert search(space=SearchSpace(graphs, encoders={"gait": ["deepset"]}), trials=1).records()


def test_an_objective_that_the_evaluator_lacks_is_refused_and_nothing_is_written(search, toy_evaluator, tmp_path, costed):
    with pytest.raises(ObjectiveError, match=r"'scare' is not among what the evaluator computes: did you mean 'score'\?"):
        search(costed(toy_evaluator), objectives=["scare:max"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_refused(search, tmp_path):
    (tmp_path / "run").mkdir()
    with pytest.raises(RunError, match="exists: choose another folder"):
        search()
    (tmp_path / "run").rmdir()
    search(trials=1)
    with pytest.raises(RunError, match="resume it"):
        search(trials=1)


def test_a_folder_that_cannot_be_made_is_refused(search, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match=r"cannot write run folder .*: (Not a directory|File exists)"):
        search(out=tmp_path / "file" / "run")
    with pytest.raises(RunError, match=r"cannot write run folder .*: File name too long"):
        search(out=tmp_path / ("long" * 100))


@pytest.mark.ray
@pytest.mark.parametrize("outside", [False, True])
def test_a_search_that_cannot_start_leaves_nothing(search, space, tmp_path, outside, monkeypatch):
    storage = f"sqlite:///{tmp_path}/studies.db" if outside else None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(RunError, match=rf"no Ray cluster at '{address}': .*refused"):
            search(executor="ray", address=address, storage=storage, first=[space.sample(np.random.default_rng(0))])
        monkeypatch.setenv("RAY_ADDRESS", address)  # `auto` may name a Ray that is gone
        with pytest.raises(RunError, match=rf"no Ray cluster at 'auto', '{address}': .*refused"):
            search(executor="ray", address="auto", storage=storage)
    assert not (tmp_path / "run").exists()
    if storage is not None:
        assert optuna.get_all_study_names(storage) == []
