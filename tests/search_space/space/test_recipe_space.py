from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from fusearch.errors import SpaceError
from fusearch.search_space import Recipe, RecipeSpace
from fusearch.search_space.space.choosers import AnswerChooser, RandomChooser


def test_numbers_that_a_design_does_not_use_keep_their_defaults() -> None:
    space = RecipeSpace(modality_dropout=(0.3,), loss_weight=(5.0,))
    plain = space.suggest(RandomChooser(np.random.default_rng(0)), fused=False, adds_loss=False)
    assert (plain.modality_dropout, plain.loss_weight) == (Recipe().modality_dropout, Recipe().loss_weight)
    full = space.suggest(RandomChooser(np.random.default_rng(0)))
    assert (full.modality_dropout, full.loss_weight) == (0.3, 5.0)


def test_what_balances_classes_is_asked_for_where_a_space_wants_it_and_the_task_has_classes() -> None:
    space = RecipeSpace(sampling=("none", "balanced"), focal=(0.0, 2.0))
    drawn = [space.suggest(RandomChooser(np.random.default_rng(seed))) for seed in range(60)]
    assert {(each.class_weights, each.sampling) for each in drawn} == {("none", "none"), ("balanced", "none"), ("none", "balanced")}
    assert {each.focal for each in drawn} == {0.0, 2.0}
    assert all(space.suggest(AnswerChooser(space.answers(each))) == each for each in drawn)
    idle = [space.suggest(RandomChooser(np.random.default_rng(seed)), balances=False) for seed in range(20)]
    assert {(each.class_weights, each.sampling, each.focal) for each in idle} == {("none", "none", 0.0)}


def test_a_space_that_does_not_ask_is_written_as_before_there_was_anything_to_ask() -> None:
    assert {"sampling", "focal", "augmentation"}.isdisjoint(RecipeSpace().to_dict())
    asked = RecipeSpace(sampling=("none", "balanced"), focal=(0.0, 2.0))
    assert (asked.to_dict()["sampling"], asked.to_dict()["focal"]) == (["none", "balanced"], [0.0, 2.0])
    assert RecipeSpace.from_dict(json.loads(json.dumps(asked.to_dict()))) == asked


def test_answers_lead_back() -> None:
    space = RecipeSpace()
    recipe = space.suggest(RandomChooser(np.random.default_rng(3)))
    assert space.suggest(AnswerChooser(space.answers(recipe))) == recipe


def test_round_trip() -> None:
    space = RecipeSpace(width=(8,), dropout=(0.0, 0.1))
    assert RecipeSpace.from_dict(json.loads(json.dumps(space.to_dict()))) == space


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"learning_rate": (1e-2, 1e-3)}, "expected \\(smallest, largest\\)"),
        ({"learning_rate": (0.0, 1e-3)}, "both above 0"),
        ({"width": ()}, "one or more different choices"),
        ({"width": (8, 8)}, "one or more different choices"),
        ({"width": (0,)}, "width is 0"),
        ({"class_weights": ("balance",)}, "did you mean 'balanced'"),
        ({"sampling": ("classes",)}, "sampling is 'classes'"),
        ({"augmentation": ("mirror",)}, "augmentation is 'mirror', did you mean 'mirrored'"),
        ({"focal": (-1.0,)}, "focal is -1.0, expected a number from 0 to 10"),
        ({"weight_decay": (1.0, 1e9)}, "weight_decay is 1000000000.0"),
        ({"rate": (1,)}, "unknown key 'rate'"),
        ({"learning_rate": ["a", "b"]}, "learning_rate is \\['a', 'b'\\], expected \\(smallest, largest\\)"),
        ({"dropout": 0.3}, "dropout is 0.3, expected a list such as \\[0.1, 0.3, 0.5\\]"),
        ({"class_weights": "none"}, "class_weights is 'none', expected a list such as \\[none, balanced\\]"),
        (3, "recipe is 3, expected ranges by name"),
    ],
)
def test_illegal_ranges(wrong: Any, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        RecipeSpace.from_dict(wrong)
