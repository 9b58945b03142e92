from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from fusearch.data.files.sounds import log_mel
from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source
from fusearch.data.readers.sound_files import SoundKeys
from fusearch.errors import ManifestError


def source(folder: Path, root: str = ".") -> Source:
    keys = SoundKeys(kind="audio", file="sounds.csv", column="file", root=root, rate=1000, seconds=0.1, mels=5)
    return Source("cough", KINDS["audio"], keys, folder / "sounds.csv", folder / "study.yaml", "id")


def test_what_a_table_names_is_read_as_features(tmp_path: Path) -> None:
    signal = np.random.default_rng(0).uniform(-1, 1, 100).astype(np.float32)
    wavfile.write(tmp_path / "a.wav", 1000, signal)
    (tmp_path / "sounds.csv").write_text("id,file\n1,a.wav\n2,\n", encoding="utf-8")
    rows = READERS["sounds"].read(source(tmp_path))
    assert rows.ids == ["1", "2"]
    values = rows.take(np.array([1, 0])).values
    np.testing.assert_allclose(values[1], log_mel(signal.astype(float), 1000, 5), rtol=1e-6)
    assert np.isnan(values[0]).all()


def test_silence_is_told(tmp_path: Path) -> None:
    for name, signal in (("a.wav", np.random.default_rng(0).uniform(-1, 1, 100)), ("b.wav", np.zeros(50))):
        wavfile.write(tmp_path / name, 1000, signal.astype(np.float32))
    (tmp_path / "sounds.csv").write_text("id,file\n1,a.wav\n2,b.wav\n3,\n", encoding="utf-8")
    taken = READERS["sounds"].read(source(tmp_path)).take(np.array([0, 1, 2]))
    assert taken.notes == ("1 of 3 samples have a file of one value throughout, such as silence (b.wav in line 3)",)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "sounds.csv").write_text("id,file\n1,a.wav\n", encoding="utf-8")
    with pytest.raises(ManifestError, match=r"modalities.cough.root: no folder 'other' beside the manifest"):
        READERS["sounds"].read(source(tmp_path, root="other")).take(np.array([0]))
