"""Log-mel features against the formula of the docstring, written as loops."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.io import wavfile

from fusearch.data.files.sounds import log_mel, num_frames, read_sounds
from fusearch.errors import DataError

PLACES = [f"row {row + 1}" for row in range(9)]


def naive_log_mel(signal: np.ndarray, rate: int, mels: int) -> np.ndarray:
    size, hop = round(0.025 * rate), round(0.010 * rate)
    length = 2 ** math.ceil(math.log2(2 * size))
    mel_of = [index * 2595 * math.log10(1 + rate / 2 / 700) / (mels + 1) for index in range(mels + 2)]
    edges = [700 * (10 ** (mel / 2595) - 1) for mel in mel_of]
    rows = []
    for start in range(0, len(signal) - size + 1, hop):
        frame = [signal[start + n] * (0.5 - 0.5 * math.cos(2 * math.pi * n / size)) for n in range(size)]
        power = []
        for k in range(length // 2 + 1):
            turned = sum(
                value * complex(math.cos(2 * math.pi * k * n / length), -math.sin(2 * math.pi * k * n / length))
                for n, value in enumerate(frame)
            )
            power.append(abs(turned) ** 2)
        row = []
        for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
            total = 0.0
            for k, value in enumerate(power):
                frequency = k * rate / length
                weight = (frequency - low) / (middle - low) if frequency <= middle else (high - frequency) / (high - middle)
                total += max(0.0, weight) * value
            row.append(math.log(total + 1e-6))
        rows.append(row)
    return np.array(rows)


def test_features_are_those_of_the_formula() -> None:
    signal = np.random.default_rng(0).uniform(-1, 1, 60)
    np.testing.assert_allclose(log_mel(signal, 1000, 5), naive_log_mel(signal, 1000, 5), rtol=1e-5)


@pytest.mark.parametrize(("rate", "seconds", "frames"), [(16_000, 4.0, 398), (1000, 0.05, 3), (8000, 0.3, 28)])
def test_number_of_frames(rate: int, seconds: float, frames: int) -> None:
    assert num_frames(rate, seconds) == frames == len(log_mel(np.zeros(round(rate * seconds)), rate, 4))


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int32, np.float32])
def test_every_way_to_store_samples_gives_the_same(tmp_path: Path, dtype: type) -> None:
    signal = 0.5 * np.sin(np.arange(2000) / 5)
    stored = {
        np.uint8: np.round(128 + 128 * signal),
        np.int16: np.round(32768 * signal),
        np.int32: np.round(2**31 * signal),
        np.float32: signal,
    }[dtype]
    wavfile.write(tmp_path / "a.wav", 8000, stored.astype(dtype))
    (found,) = read_sounds([tmp_path / "a.wav"], PLACES, rate=8000, seconds=0.2, mels=6)
    expected = log_mel(signal[:1600], 8000, 6)
    loud = expected.mean(axis=0).argmax()  # where the tone is, not the steps of 8 bits
    np.testing.assert_allclose(found[:, loud], expected[:, loud], atol=0.02)


def test_a_sound_is_resampled_cut_and_padded(tmp_path: Path) -> None:
    time = np.arange(44_100) / 44_100
    wavfile.write(tmp_path / "high.wav", 44_100, np.sin(2 * np.pi * 440 * time).astype(np.float32))
    wavfile.write(tmp_path / "low.wav", 8000, np.sin(2 * np.pi * 440 * np.arange(1600) / 8000).astype(np.float32))
    high, low, none = read_sounds([tmp_path / "high.wav", tmp_path / "low.wav", None], PLACES, rate=8000, seconds=0.5, mels=8)
    assert high.argmax(axis=1)[:18].tolist() == low.argmax(axis=1)[:18].tolist()
    np.testing.assert_allclose(low[20:], np.log(1e-6), rtol=1e-6)
    assert np.isnan(none).all()


def test_no_sound_at_all() -> None:
    with pytest.raises(DataError, match="no sound is named"):
        read_sounds([None, None], PLACES, rate=8000, seconds=0.5, mels=8)


def test_a_sound_that_is_no_frame_long_or_was_cut_off_is_told(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile", reason="needs fusearch[audio]")
    signal = np.random.default_rng(0).normal(0, 0.1, 4000)
    for name, length in (("a.wav", 1), ("b.flac", 1), ("c.wav", 200), ("d.flac", 4000), ("e.wav", 0)):
        soundfile.write(tmp_path / name, signal[:length], 8000)
    (tmp_path / "d.flac").write_bytes((tmp_path / "d.flac").read_bytes()[:2000])
    (tmp_path / "f.flac").touch()
    files = [tmp_path / name for name in ("a.wav", "b.flac", "c.wav", "d.flac", "e.wav", "f.flac")]
    with pytest.raises(DataError) as error:
        read_sounds(files, PLACES, rate=8000, seconds=0.5, mels=8)
    assert error.value.faults == (
        "row 1: a.wav: a sound of 1 sample at 8000 Hz, shorter than one frame of 25 ms",
        "row 2: b.flac: a sound of 1 sample at 8000 Hz, shorter than one frame of 25 ms",
        "row 4: d.flac: the file ends before its sound does: it was cut off",
        "row 5: e.wav: a sound of zero length, expected samples",
        "row 6: f.flac: an empty file, expected FLAC",
    )


def test_flac_without_soundfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.flac").write_bytes(b"fLaC")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(DataError, match=r"row 1: a.flac: reading it needs soundfile; expected `pip install 'fusearch\[audio\]'`"):
        read_sounds([tmp_path / "a.flac"], PLACES, rate=8000, seconds=0.5, mels=8)
