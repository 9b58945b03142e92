"""What the training evaluator trains together: members, folds and recipes, and what it tells of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from toy_data import make_data

from fusearch.contracts import Budget, Evaluation, Outrun, PackEvaluator, PackNews
from fusearch.data import Dataset
from fusearch.errors import EvaluationError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.training.member import make_members
from fusearch.search_space import Candidate, FusionGraph, Recipe


def silent(_step: int, _values: Mapping[str, float]) -> None: ...


def candidate_of(data: Dataset, text: str, **recipe: object) -> Candidate:
    return Candidate(FusionGraph.parse(text, modalities=data.modalities), Recipe(**recipe))


@pytest.fixture(scope="module")
def data() -> Dataset:
    return make_data()


def folds_told(found: Sequence[Evaluation]) -> list[list[tuple[int, int]]]:
    return [[(each["fold"], each["seed"]) for each in evaluation.details["members"]] for evaluation in found]


def test_it_tells_what_is_known_after_the_first_fold_and_then_all_that_is_trained_together(data: Dataset) -> None:
    evaluator, candidate = (
        TrainingEvaluator(data, folds=3, seeds=2, epochs=2, device=DEVICE),
        candidate_of(data, "F1 = cat(a@L, b@L) ->", dropout=0.0),
    )
    evaluation, told = evaluator(candidate, Budget(), silent), list(evaluator.by_fold(candidate, Budget(), silent))
    assert (evaluation.details["pack"], told[-1].details["pack"]) == ({"members": 6}, {"members": 4})
    assert folds_told(told) == [[(fold, seed) for fold in range(folds) for seed in range(2)] for folds in (1, 3)]
    for found, folds in zip(told, (1, 3), strict=True):
        assert found["auroc"] == pytest.approx(np.mean([each["metrics"]["auroc"] for each in evaluation.details["members"][: 2 * folds]]))
    assert "macs" not in told[0], "costs come with the whole evaluation"
    assert told[-1]["auroc"] == pytest.approx(evaluation["auroc"])
    assert told[-1].arrays.keys() == evaluation.arrays.keys()


def test_of_five_folds_the_first_is_trained_alone_and_the_rest_as_a_pack(data: Dataset) -> None:
    evaluator, candidate = TrainingEvaluator(data, folds=5, epochs=2), candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8, dropout=0.0)
    epochs = list[tuple[int, float]]()
    told = evaluator.by_fold(candidate, Budget(), lambda step, values: epochs.append((step, values.get("fold", -1.0))))
    assert folds_told([next(told)]) == [[(0, 0)]]
    assert {fold for _, fold in epochs} == {0.0, -1.0}, "nothing of another fold is trained before it is asked for"
    rest = list(told)
    assert folds_told(rest) == [[(fold, 0) for fold in range(5)]]
    assert rest[0].details["pack"] == {"members": 4}
    assert [fold for _, fold in epochs if fold >= 0] == [0, 0, 1, 2, 3, 4, 1, 2, 3, 4], "those of a pack are trained side by side"


@pytest.mark.parametrize(
    ("pack", "text", "width"),
    [("off", "F1 = cat(a@L, b@L) ->", 8), ("auto", "F1 = cat(a@L, b@L) ->", 1024), ("auto", "a:identity\ntrain = convex\na@L ->", 8)],
)
def test_a_design_that_is_not_packed_is_told_fold_by_fold(data: Dataset, pack: str, text: str, width: int) -> None:
    evaluator, candidate = TrainingEvaluator(data, folds=5, epochs=1, pack=pack), candidate_of(data, text, width=width)
    told = list(evaluator.by_fold(candidate, Budget(), silent))
    assert folds_told(told) == [[(fold, 0) for fold in range(folds)] for folds in range(1, 6)]
    assert "pack" not in told[-1].details
    assert evaluator.price_of_look(candidate, Budget()) == 0.0


def test_it_is_looked_between_packs_only_where_folds_are_whole(data: Dataset) -> None:
    candidate = candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8)
    for pack, folds in ((4, [1, 3, 5]), (3, [1, 4, 5])):  # packs of 2, 4 and 4, or of 2, 3, 3 and 2 members
        evaluator = TrainingEvaluator(data, folds=5, seeds=2, epochs=1, pack=pack)
        assert [len(each) // 2 for each in folds_told(list(evaluator.by_fold(candidate, Budget(), silent)))] == folds


def test_a_look_has_its_price_where_it_parts_a_pack(data: Dataset) -> None:
    candidate = candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8)
    prices = [TrainingEvaluator(data, folds=5, seeds=seeds).price_of_look(candidate, Budget()) for seeds in (1, 3)]
    assert 0.0 < prices[0] < prices[1] < 1.0
    assert TrainingEvaluator(data, folds=5).price_of_look(candidate, Budget(), 8) < 0.5, "parts of 8 and 32 are large packs both"
    assert TrainingEvaluator(data, folds=5).price_of_look(candidate, Budget(members=1)) == 1.0, "there is nothing to spare"


def test_members_that_are_trained_together_are_those_of_the_loop(data: Dataset) -> None:
    """Apart from noise (here none) and rounding: the same rows, metrics, losses and epochs, and reports of the same epochs and members."""
    found, heard = {}, {}
    for pack in ("auto", "off", 2):
        evaluator = TrainingEvaluator(data, folds=3, seeds=2, epochs=2, pack=pack, device=DEVICE)
        told = heard[pack] = []
        candidate = candidate_of(data, "F1 = cat(a@L, b@L) ->\ntrain = staged", width=8, dropout=0.0)
        found[pack] = evaluator(candidate, Budget(members=5), lambda step, values, told=told: told.append((step, values)))
    loop, counts = found["off"], {"auto": {"pack": {"members": 5}}, 2: {"pack": {"members": 2}}, "off": {}}
    for pack, evaluation in found.items():
        assert {name: fact for name, fact in evaluation.details.items() if name == "pack"} == counts[pack]
        assert evaluation.arrays.keys() == loop.arrays.keys()
        for name, values in loop.arrays.items():
            if values.dtype.kind == "f":
                np.testing.assert_allclose(evaluation.arrays[name], values, atol=1e-3)
            else:
                assert np.array_equal(evaluation.arrays[name], values)
        epochs = sorted((values["fold"], values["seed"], values["epoch"]) for _, values in heard[pack] if "epoch" in values)
        assert epochs == sorted((values["fold"], values["seed"], values["epoch"]) for _, values in heard["off"] if "epoch" in values)
        assert [values["members"] for _, values in heard[pack] if "members" in values] == [1, 2, 3, 4, 5]
        assert [step for step, values in heard[pack] if "epoch" in values] == list(range(1, 31))


def test_which_members_are_trained_together(data: Dataset) -> None:
    small, wide = (candidate_of(data, "F1 = cat(a@L, b@L) ->", width=width) for width in (8, 1024))
    solved = candidate_of(data, "a:identity\ntrain = convex\na@L ->")

    def sizes(pack: int | str, candidate: Candidate = small, count: int = 12) -> list[int]:
        evaluator = TrainingEvaluator(data, folds=3, seeds=4, pack=pack, device=DEVICE)
        return [len(members) for _, members in evaluator.packs([candidate], make_members(3, 4, count))]

    assert sizes("auto") == [12]
    assert sizes("auto", count=4) == [4]
    assert sizes("auto", count=3) == [1] * 3
    assert sizes("auto", wide) == [1] * 12
    assert sizes("auto", solved) == [1] * 12
    assert sizes("off") == [1] * 12
    assert sizes(5) == [5, 5, 2]
    assert sizes(5, wide) == [5, 5, 2]


RATES = (1e-2, 1e-300, 3e-3, 1e-299)


def recipes_of(data: Dataset, rates: Sequence[float] = RATES) -> list[Candidate]:
    """One design with recipes of which two learn nothing."""
    return [candidate_of(data, "F1 = cat(a@L, b@L) ->", width=8, dropout=0.0, learning_rate=rate) for rate in rates]


def news_of(evaluator: TrainingEvaluator, candidates: Sequence[Candidate], **race: object) -> list[PackNews]:
    asked = {"by_fold": False, "halving": False, "goes_on": lambda _: True, **race}
    return list(evaluator.recipes(candidates, Budget(), silent, **asked))  # type: ignore[arg-type]


@pytest.mark.parametrize("pack", ["auto", "off", 2, 8])
def test_each_recipe_is_what_it_is_alone(data: Dataset, pack: int | str) -> None:
    evaluator = TrainingEvaluator(data, folds=3, epochs=2, pack=pack, device=DEVICE)
    assert isinstance(evaluator, PackEvaluator)
    candidates = recipes_of(data)
    whole = [news for news in news_of(evaluator, candidates) if news.is_last]
    assert len(whole) == 4
    for place, news in enumerate(whole):
        alone = TrainingEvaluator(data, folds=3, epochs=2, pack="off", device=DEVICE)(candidates[place], Budget(), silent)
        assert news.place == place
        assert isinstance(news.found, Evaluation)
        assert news.found.details.get("pack") == {"auto": {"members": 12}, 8: {"members": 8}, 2: {"members": 2}}.get(pack)
        for name in ("auroc", "log_loss", "macs", "parameters"):
            assert news.found[name] == pytest.approx(alone[name], abs=1e-4)
        assert [list(each["epochs"]) for each in news.found.details["members"]] == [["fusion"]] * 3
        np.testing.assert_allclose(news.found.arrays["probabilities"], alone.arrays["probabilities"], atol=1e-3)


def test_all_recipes_of_the_first_fold_come_before_the_others_and_those_that_nobody_wants_are_left_out(data: Dataset) -> None:
    evaluator, wanted = TrainingEvaluator(data, folds=3, epochs=2, device=DEVICE), {0, 1, 2}
    told = []
    asked = {"by_fold": True, "halving": False, "goes_on": wanted.__contains__}
    for news in evaluator.recipes(recipes_of(data)[:3], Budget(), silent, **asked):
        assert isinstance(news.found, Evaluation)
        told.append((news.place, len(news.found.details["members"]), news.is_last))
        if len(told) == 3:
            wanted.remove(1)
    assert told == [(0, 1, False), (1, 1, False), (2, 1, False), (0, 3, True), (2, 3, True)]


@pytest.mark.parametrize("by_fold", [False, True])
def test_recipes_that_are_outrun_are_told_at_once_and_the_others_are_trained_to_the_end(data: Dataset, by_fold: bool) -> None:
    evaluator = TrainingEvaluator(data, folds=3, epochs=9, patience=4, pack=12, device=DEVICE)
    candidates = recipes_of(data, (1e-2, 1e-6, 3e-3, 1e-7))
    news = [each for each in news_of(evaluator, candidates, by_fold=by_fold, halving=True) if each.is_last]
    assert [each.place for each in news] == [1, 3, 0, 2]
    assert [each.found for each in news[:2]] == [Outrun(8, 3, 4), Outrun(8, 4, 4)]
    assert all(isinstance(each.found, Evaluation) and len(each.found.details["members"]) == 3 for each in news[2:])


def test_a_recipe_that_fails_takes_no_other_with_it(data: Dataset) -> None:
    text = "F1 = product(a@L, b@L)\nF2 = product(F1@0, F1@0) ->"
    candidates = [candidate_of(data, text, learning_rate=rate, weight_decay=decay) for rate, decay in ((1e-3, 0.1), (10.0, 1000.0))]
    for pack in ("auto", "off"):
        news = {
            each.place: each.found for each in news_of(TrainingEvaluator(data, folds=3, epochs=20, pack=pack, device=DEVICE), candidates)
        }
        assert isinstance(news[0], Evaluation)
        assert isinstance(news[1], EvaluationError)
        assert "loss is" in str(news[1])


def test_several_recipes_are_usual_only_where_they_are_packed_on_a_gpu(data: Dataset) -> None:
    candidate = recipes_of(data)[0]
    assert TrainingEvaluator(data, pack=40, device=DEVICE).usual_recipes(candidate) == 1
    for pack, usual in (("auto", 8), ("off", 1), (40, 8)):
        assert TrainingEvaluator(data, pack=pack, device="cuda").usual_recipes(candidate) == usual
        assert TrainingEvaluator(data, pack=pack, device="cpu").usual_recipes(candidate) == 1


def test_why_members_were_trained_in_the_loop_is_told(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a stage of someone's own keeps statistics of a batch."""
    monkeypatch.setattr(
        "fusearch.evaluators.network.join.DenseBlock",
        lambda source, target, _: torch.nn.Sequential(torch.nn.Linear(source, target), torch.nn.Flatten(1), Normed(target)),
    )
    candidate = candidate_of(data, "F1 = cat(a@L, b@L; trunk=fc:1) ->", width=8)
    evaluation = TrainingEvaluator(data, folds=2, epochs=1, pack=2, device=DEVICE)(candidate, Budget(), silent)
    assert evaluation.details["pack"] == {"loop": "training changes the buffer 'joins.fusion_F1.trunks.result_0.0.2.norm.running_mean'"}


class Normed(torch.nn.Module):
    """BatchNorm of one token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(width)

    def forward(self, x_BD: torch.Tensor) -> torch.Tensor:
        normed: torch.Tensor = self.norm(x_BD)
        return normed[:, None]
