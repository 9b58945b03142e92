import numpy as np
import pandas as pd
import pytest

from fusearch.data import load_data
from fusearch.data.dataset import Dataset

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": RNG.normal(size=40), "b": RNG.normal(size=40), "sex": ["f", "m"] * 20})
OPTIONS = {
    "modalities": {"t": TABLE, "s": RNG.normal(size=(40, 5, 2))},
    "targets": ["no", "yes"] * 20,
    "categorical": {"t": ["sex"]},
    "groups": [f"g{row // 2}" for row in range(40)],
}


def fingerprint(name: str = "toy", **changes: object) -> str:
    return Dataset.from_arrays(name, **{**OPTIONS, **changes}).fingerprint


def test_it_is_the_content_and_not_the_name() -> None:
    assert fingerprint() == fingerprint("other") == fingerprint(source="elsewhere")
    assert len(fingerprint()) == 16
    assert int(fingerprint(), 16) >= 0


def changed(frame: pd.DataFrame, **columns: object) -> dict[str, object]:
    return {**OPTIONS["modalities"], "t": frame.assign(**columns)}


@pytest.mark.parametrize(
    "change",
    [
        {"modalities": changed(TABLE, a=TABLE["a"] + [*[0.0] * 39, 1e-3])},
        {"modalities": changed(TABLE, a=TABLE["a"].where(TABLE.index != 3))},
        {"modalities": changed(TABLE.rename(columns={"a": "z"}))},
        {"modalities": changed(TABLE, sex=["f", "n"] * 20)},
        {"targets": ["no", "jes"] * 20},
        {"targets": ["yes", "no"] * 20},
        {"ids": [f"p{row}" for row in range(40)]},
        {"groups": [f"g{row // 4}" for row in range(40)]},
        {"seed": 1},
        {"folds": 5},
        {"present": {"s": [False] + [True] * 39}},
        {"target_name": "other"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_change_of_content_changes_it(change: dict[str, object]) -> None:
    assert fingerprint(**change) != fingerprint()


def test_every_missing_value_is_the_same() -> None:
    quiet, other = np.float32(np.nan), np.uint32(0x7FC00001).view(np.float32)
    values = RNG.normal(size=(40, 3)).astype(np.float32)
    found = []
    for nan in (quiet, other):
        values[0, 0] = nan
        found.append(Dataset.from_arrays("toy", modalities={"t": values}, targets=OPTIONS["targets"]).fingerprint)
    assert found[0] == found[1]


def test_it_does_not_change_between_releases() -> None:
    """A run is resumed, and a cache is read, by this value: a change of it must be meant."""
    assert load_data("wisconsin").fingerprint == "b3f6a2db6e0925ed"
