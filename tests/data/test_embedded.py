import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression

from fusearch.data import DATA_SETS, Dataset, data_set, load_data
from fusearch.errors import UnknownNameError
from fusearch.testing import DataSetSuite


def accuracy(data: Dataset, names: list[str]) -> float:
    """Accuracy on val of a logistic regression on some views, fitted on train."""
    train, val = data.rows("train"), data.rows("val")
    preprocessor = data.fit_preprocessor(train)
    inputs = [np.hstack([preprocessor.transform(data, rows)[0][name].reshape(len(rows), -1) for name in names]) for rows in (train, val)]
    model = LogisticRegression(C=0.01, max_iter=500).fit(inputs[0], data.targets[train])
    return float(model.score(inputs[1], data.targets[val]))


def test_wisconsin_is_the_table_of_scikit_learn_as_three_views() -> None:
    data = load_data("wisconsin")
    source = load_breast_cancer()
    views = np.hstack([data.raw[name] for name in ("mean", "error", "worst")])
    np.testing.assert_array_equal(views, source.data.astype(np.float32))
    assert data.columns["worst"].numeric[0] == "worst_radius"
    assert [data.task.labels[code] for code in data.targets[:3]] == [
        {"benign": "benign"}.get(source.target_names[t], "malignant") for t in source.target[:3]
    ]
    assert (data.targets == 1 - source.target).all()


def test_digits_are_views_of_the_digits_with_the_noise_that_is_stated() -> None:
    data = load_data("digits")
    clean = load_digits().images / 16
    assert (data.targets == load_digits().target).all()
    assert {modality.name: (modality.kind, modality.shape) for modality in data.modalities} == {
        "image": ("image2d", (1, 8, 8)),
        "profile": ("timeseries", (8, 2)),
        "zones": ("tabular", (16,)),
    }
    noise = {
        "image": data.raw["image"][:, 0] - clean,
        "profile": data.raw["profile"] - np.stack([clean.mean(axis=2), clean.mean(axis=1)], axis=-1),
        "zones": data.raw["zones"] - clean.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16),
    }
    for name, stated in {"image": 0.4, "profile": 0.06, "zones": 0.15}.items():
        assert noise[name].std() == pytest.approx(stated, rel=0.02)
        assert noise[name].mean() == pytest.approx(0, abs=0.01)


def test_on_digits_all_views_are_worth_more_than_the_best_one() -> None:
    data = load_data("digits")
    alone = [accuracy(data, [name]) for name in ("image", "profile", "zones")]
    assert accuracy(data, ["image", "profile", "zones"]) > max(alone) + 0.05


@pytest.mark.parametrize("name", list(DATA_SETS))
class TestEveryDataSet(DataSetSuite):
    @pytest.fixture(autouse=True)
    def _named(self, name: str) -> None:
        self.name = name

    def test_it_names_where_it_was_published(self) -> None:
        assert DATA_SETS[self.name].reference


def test_a_user_adds_a_data_set_with_one_decorator() -> None:
    @data_set("coin", summary="a coin")
    def coin() -> Dataset:
        side = np.arange(40) % 2
        return Dataset.from_arrays("coin", modalities={"a": side[:, None] + np.random.default_rng(0).normal(size=(40, 2))}, targets=side)

    try:
        assert load_data("coin").name == "coin"
    finally:
        DATA_SETS.remove("coin")
    with pytest.raises(UnknownNameError, match="unknown data set 'coin'"):
        DATA_SETS["coin"]
