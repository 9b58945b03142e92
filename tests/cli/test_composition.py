from pathlib import Path

import pytest

from fusearch.cli.composition import compose_evaluator, compose_objectives, compose_space
from fusearch.data import Dataset, load_data
from fusearch.errors import FusearchError, SpaceError


@pytest.fixture(scope="module")
def data() -> Dataset:
    return load_data("wisconsin")


def test_objectives_left_out(data: Dataset) -> None:
    assert [objective.name for objective in compose_objectives(None, data)] == ["auroc", "macs"]


def test_options_change_the_file(data: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text("max_fusions: 2\noperators: [cat, sum]\nencoders: {mean: [ft_transformer]}\nrecipe: {width: [8]}\n", encoding="utf-8")
    space = compose_space(data, (), file=file, operators=["product"])
    assert space.settings.max_fusions == 2
    assert space.settings.operators == ("product",)
    assert space.settings.encoders["mean"] == ("ft_transformer",)
    assert space.settings.recipe.width == (8,)


def test_all_operators(data: Dataset) -> None:
    assert len(compose_space(data, (), operators=["all"]).settings.operators) >= 45


def test_encoders_of_one_modality(data: Dataset) -> None:
    assert compose_space(data, (), encoders=["mean=mlp1, mlp2"]).settings.encoders["mean"] == ("mlp1", "mlp2")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("max_fusion: 2", "did you mean 'max_fusions'?"),
        ("modalities: []", "'modalities' come from the data set"),
        ("- a", "expected the settings of a search space"),
        ("a: [", "cannot read the search space"),
    ],
)
def test_a_bad_file_is_one_line(content: str, message: str, data: Dataset, tmp_path: Path) -> None:
    file = tmp_path / "space.yaml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SpaceError) as caught:
        compose_space(data, (), file=file)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_malformed_encoder_option(data: Dataset) -> None:
    with pytest.raises(FusearchError, match="--encoder 'mean': expected MODALITY=NAME"):
        compose_space(data, (), encoders=["mean"])


def test_the_evaluator_measures_what_the_objectives_ask_for(data: Dataset) -> None:
    objectives = compose_objectives(["worst_missing_auroc", "latency_ms"], data)
    evaluator = compose_evaluator(data, objectives, folds=2)
    assert {"worst_missing_auroc", "latency_ms"} <= evaluator.objectives()
    assert compose_space(data, objectives).settings.recipe.modality_dropout == (0.0, 0.2)
    assert "latency_ms" not in compose_evaluator(data, compose_objectives(None, data)).objectives()
