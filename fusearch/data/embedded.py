"""The embedded data sets: real data that need no file and no download."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fusearch.data.dataset import Dataset
from fusearch.registry import Registry

__all__ = ["DATA_SETS", "DIGITS_NOISE", "EmbeddedData", "data_set"]

#: Standard deviation of the Gaussian noise on each view of `digits`, where ink runs from 0 to 1.
DIGITS_NOISE = {"image": 0.4, "profile": 0.06, "zones": 0.15}


@dataclass(frozen=True)
class EmbeddedData:
    """A data set that is loaded by its name.

    Attributes:
        name: Name for `load_data`.
        summary: One line on what it holds.
        reference: Where it was published.
        load: Makes the data set.
    """

    name: str
    summary: str
    reference: str
    load: Callable[[], Dataset]


DATA_SETS: Registry[EmbeddedData] = Registry("data set")


def data_set(name: str, *, summary: str, reference: str = "") -> Callable[[Callable[[], Dataset]], Callable[[], Dataset]]:
    """Register a function without arguments as the data set `name`.

    Raises:
        FusearchError: The name is taken by another data set, when the decorator is applied.

    Example:
        >>> import numpy as np
        >>> @data_set("coin", summary="two noisy views of a coin")
        ... def coin():
        ...     side = np.arange(40) % 2
        ...     noise = np.random.default_rng(0).normal(size=(2, 40, 3))
        ...     return Dataset.from_arrays("coin", modalities={"a": side[:, None] + noise[0], "b": noise[1]}, targets=side, source="coin")
        >>> DATA_SETS["coin"].load().task.labels
        ('0', '1')
        >>> DATA_SETS.remove("coin")
    """

    def register(load: Callable[[], Dataset]) -> Callable[[], Dataset]:
        DATA_SETS.add(name, EmbeddedData(name, summary, reference, load))
        return load

    return register


@data_set(
    "wisconsin",
    summary="569 breast masses, benign or malignant: mean, standard error and worst of ten measurements of the nuclei",
    reference="Street, Wolberg & Mangasarian 1993, doi:10.1117/12.148698; scikit-learn's load_breast_cancer",
)
def _wisconsin() -> Dataset:
    import pandas as pd
    from sklearn.datasets import load_breast_cancer

    source = load_breast_cancer()
    table = pd.DataFrame(source.data, columns=[str(name).replace(" ", "_") for name in source.feature_names])
    views = {
        "mean": table.iloc[:, 0:10],
        "error": table.iloc[:, 10:20],
        "worst": table.iloc[:, 20:30],
    }
    labels = np.where(source.target == 1, "benign", "malignant")
    return Dataset.from_arrays("wisconsin", modalities=views, targets=labels, target_name="diagnosis", source="wisconsin")


@data_set(
    "digits",
    summary="1797 handwritten digits: a noisy 8 x 8 image, its projection profile as a series, its zones as a table",
    reference="Alpaydin & Kaynak 1998, UCI Optical Recognition of Handwritten Digits; scikit-learn's load_digits",
)
def _digits() -> Dataset:
    """Make views of one image, each with noise of its own: none is enough, together they are. `docs/data.md` states what each gives."""
    from sklearn.datasets import load_digits

    source = load_digits()
    clean = source.images / 16.0  # (N, 8, 8), 0 to 1
    rng = np.random.default_rng(0)
    views = {
        "image": clean[:, None],  # (N, 1, 8, 8)
        "profile": np.stack([clean.mean(axis=2), clean.mean(axis=1)], axis=-1),  # (N, 8, 2): ink of each row, ink of each column
        "zones": clean.reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)).reshape(-1, 16),  # (N, 16): ink of each 2 x 2 block
    }
    noisy = {name: view + rng.normal(scale=DIGITS_NOISE[name], size=view.shape) for name, view in views.items()}
    return Dataset.from_arrays("digits", modalities=noisy, targets=source.target, target_name="digit", source="digits")
