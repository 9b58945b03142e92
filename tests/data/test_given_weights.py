"""What is known of weights in a file."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from fusearch.data import Dataset, load_data
from fusearch.data.given_weights import GivenWeights, content_digest
from fusearch.errors import DataError, ManifestError

MANIFEST = """\
task: {kind: classification, file: labels.csv, column: y}
modalities:
  rna: {kind: tabular, file: rna.csv}
encoders:
  rna:
    - {encoder: "mlp(width=8)", weights: rna.safetensors, freeze: [layer1]}
    - {encoder: ft_transformer}
"""


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "labels.csv").write_text("y\n" + "\n".join("ab" * 20) + "\n")
    rows = "\n".join(f"{a},{b}" for a, b in rng.normal(size=(40, 2)))
    (tmp_path / "rna.csv").write_text(f"g1,g2\n{rows}\n")
    (tmp_path / "rna.safetensors").write_bytes(b"some weights")
    (tmp_path / "data.yaml").write_text(MANIFEST)
    return tmp_path / "data.yaml"


def test_a_manifest_names_encoders_and_what_they_start_from(manifest: Path) -> None:
    data = load_data(manifest)
    assert data.modalities[0].encoders == ("mlp(width=8)", "ft_transformer")
    (given,) = data.given_weights
    assert (given.modality, given.encoder, given.freeze) == ("rna", "mlp(width=8)", ("layer1",))
    assert given.digest == content_digest(manifest.parent / "rna.safetensors")
    assert pickle.loads(pickle.dumps(data)).given_weights == data.given_weights  # our own
    assert data.without_test().given_weights == data.given_weights


def test_other_weights_are_other_data(manifest: Path) -> None:
    first = load_data(manifest).fingerprint
    assert load_data(manifest).fingerprint == first
    (manifest.parent / "rna.safetensors").write_bytes(b"other weights")
    assert load_data(manifest).fingerprint != first
    manifest.write_text(MANIFEST.replace(", weights: rna.safetensors, freeze: [layer1]", ""))
    assert load_data(manifest).fingerprint != first


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("  rna:\n    - ", "  rnaa:\n    - "), "unknown modality 'rnaa', did you mean 'rna'"),
        (("weights: rna.safetensors, ", ""), "'freeze' needs the key 'weights'"),
        (("rna.safetensors", "rma.safetensors"), "encoders.rna.weights: no file 'rma.safetensors', did you mean 'rna.safetensors'"),
        (("weights:", "weigths:"), "unknown key, did you mean 'weights'"),
    ],
)
def test_a_wrong_manifest_says_where(manifest: Path, wrong: tuple[str, str], message: str) -> None:
    manifest.write_text(MANIFEST.replace(*wrong))
    with pytest.raises(ManifestError, match=message):
        load_data(manifest)


def test_arrays_in_memory_start_from_weights_too(tmp_path: Path) -> None:
    data = Dataset.from_arrays("toy", modalities={"a": np.random.default_rng(0).normal(size=(20, 3))}, targets=list("ab" * 10))
    (tmp_path / "w.pt").write_bytes(b"weights")
    given = GivenWeights.read("a", "mlp(width=4)", tmp_path / "w.pt")
    started = data.starting_from(given)
    assert started.given_weights == (given,)
    assert started.fingerprint != data.fingerprint
    with pytest.raises(DataError, match="test split was taken out"):
        data.without_test().starting_from(given)
    with pytest.raises(DataError, match=r"'.*none.pt' cannot be read"):
        GivenWeights.read("a", "mlp", tmp_path / "none.pt")
