from __future__ import annotations

from pathlib import Path

import numpy as np

from fusearch.data import check_data, draft_manifest, load_data
from fusearch.data.drafting.array_labels import is_test_half, labels_in_arrays
from fusearch.data.drafting.found import Holdings

RNG = np.random.default_rng(0)


def test_labels_beside_the_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", x=RNG.normal(size=(40, 5)), z=RNG.normal(size=(40, 6, 2)), y=np.arange(40) % 2, names=np.arange(5))
    found = labels_in_arrays(Holdings(tmp_path, arrays=[tmp_path / "all.npz"]), ["y"])
    assert found is not None
    assert (found[0].columns, found[1]) == (["y"], ["y"])
    made = draft_manifest(tmp_path, targets=["y"])
    assert check_data(made.path).ok
    data = load_data(made.path)
    assert [(modality.name, modality.kind, modality.shape) for modality in data.modalities] == [
        ("x", "tabular", (5,)),
        ("z", "timeseries", (6, 2)),
    ]


def test_two_halves_are_two_manifests(tmp_path: Path) -> None:
    arrays = {f"{name}_{half}": RNG.normal(size=(rows, 4)) for name in "ab" for half, rows in (("train", 40), ("test", 12))}
    np.savez(tmp_path / "all.npz", y_train=np.arange(40) % 2, y_test=np.arange(12) % 2, **arrays)
    made = draft_manifest(tmp_path, targets=["y"], out=tmp_path / "study.yaml")
    assert ([path.name for path in made.written], made.notes) == (["study.yaml", "study_test.yaml"], ())
    data = load_data(made.path)
    assert ([modality.name for modality in data.modalities], len(data.rows("test")), len(data)) == (["a", "b"], 12, 52)
    np.testing.assert_array_equal(data.raw["a"][40:], arrays["a_test"].astype(np.float32))
    assert is_test_half("a_test")
    assert not is_test_half("a_train")
    assert not is_test_half(None)
