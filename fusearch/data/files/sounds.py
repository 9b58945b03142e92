"""Sounds as log-mel features: WAV and FLAC, one file a sample. With numpy and scipy alone; FLAC needs soundfile."""

from __future__ import annotations

import math
import struct
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.stacking import load_package
from fusearch.data.files.text import one_line
from fusearch.errors import DataError

__all__ = ["SOUNDS", "log_mel", "num_frames", "read_sounds"]

FloatArray = npt.NDArray[np.float32]
_Signal = npt.NDArray[np.float64]

#: Suffixes of a sound.
SOUNDS = (".wav", ".flac")

#: Seconds of a frame, and from one frame to the next; what is added before the logarithm.
_FRAME, _HOP, _FLOOR = 0.025, 0.010, 1e-6


def num_frames(rate: int, seconds: float) -> int:
    """Return how many frames of 25 ms, one every 10 ms, lie in so many seconds."""
    return 1 + max(0, round(rate * seconds) - round(rate * _FRAME)) // round(rate * _HOP)


def log_mel(signal: _Signal, rate: int, mels: int) -> FloatArray:
    """Return log-mel features, (T, mels): y_tm = ln(sum_k W_mk |X_tk|^2 + 1e-6).

    X_t is the discrete Fourier transform of frame t: 25 ms under a Hann window, one every 10 ms, padded with zeros to the least power of
    two that is at least twice as long. W_m rises linearly from 0 to 1 and falls again between neighbours of `mels` + 2 frequencies that
    are evenly spaced, from 0 to half of the rate, on the mel scale 2595 log10(1 + f / 700) (HTK).

    Args:
        signal: Samples from -1 to 1, at least one frame.
        rate: Samples a second.
        mels: Number of filters.
    """
    size, hop = round(rate * _FRAME), round(rate * _HOP)
    frames = np.lib.stride_tricks.sliding_window_view(signal, size)[::hop]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    length = 2 ** math.ceil(math.log2(2 * size))
    power = np.abs(np.fft.rfft(frames * window, n=length)) ** 2
    return np.log(power @ _mel_filters(rate, length, mels).T + _FLOOR).astype(np.float32)


def _mel_filters(rate: int, length: int, mels: int) -> _Signal:
    top = 2595 * math.log10(1 + rate / 2 / 700)
    edges = 700 * (10 ** (np.linspace(0, top, mels + 2) / 2595) - 1)
    rise, fall = np.diff(edges)[:-1, None], np.diff(edges)[1:, None]
    bins = np.arange(length // 2 + 1) * rate / length
    return np.maximum(0, np.minimum((bins - edges[:-2, None]) / rise, (edges[2:, None] - bins) / fall))


def read_sounds(files: Sequence[Path | None], places: Sequence[str], *, rate: int, seconds: float, mels: int) -> FloatArray:
    """Return the log-mel features of each file, (N, T, mels); NaN where a sample has none.

    A sound becomes one channel (the mean of its own), is brought to `rate` by polyphase filters, cut after `seconds` or padded with zeros.

    Args:
        files: The file of each sample.
        places: Where each is named, for messages.
        rate: Samples a second.
        seconds: Length.
        mels: Number of features a frame.

    Raises:
        DataError: A file is missing, or is no sound, or holds no sample; every such file is told. Or no file is named.
    """
    found: dict[int, FloatArray] = {}
    faults = []
    for row, file in enumerate(files):
        if file is None:
            continue
        try:
            found[row] = log_mel(_read(file, rate, seconds), rate, mels)
        except DataError as error:
            faults.append(f"{places[row]}: {error}")
        except OSError as error:
            faults.append(f"{places[row]}: {file}: {error.strerror or error}")
    if faults:
        raise DataError(*faults)
    if not found:
        raise DataError("no sound is named, expected a file for at least one sample")
    values = np.full((len(files), num_frames(rate, seconds), mels), np.nan, np.float32)
    for row, features in found.items():
        values[row] = features
    return values


def _read(path: Path, rate: int, seconds: float) -> _Signal:
    """Return the mean of the channels, at that rate and of that length."""
    resample_poly = load_package("scipy.signal", path.name).resample_poly
    signal, own_rate = _read_signal(path)
    signal = signal[: math.ceil((seconds + 1) * own_rate)]  # a second more, for the filters at the end
    if own_rate != rate:
        shared = math.gcd(own_rate, rate)
        signal = resample_poly(signal, rate // shared, own_rate // shared)
    size = round(rate * seconds)
    return np.pad(signal[:size], (0, max(0, size - len(signal))))


def _read_signal(path: Path) -> tuple[_Signal, int]:
    """Return the mean of the channels, and how many samples a second it has."""
    if not path.is_file():
        raise DataError(f"{path.name}: there is no such file in {str(path.parent)!r}")
    if path.suffix.lower() not in SOUNDS:
        raise DataError(f"{path.name}: expected a file that ends in one of: {', '.join(SOUNDS)}")
    values, rate = _read_flac(path) if path.suffix.lower() == ".flac" else _read_wav(path)
    if not values.size or rate < 1:
        raise DataError(f"{path.name}: a sound of zero length, expected samples")
    if len(values) < rate * _FRAME:
        what = f"a sound of {len(values)} sample{'s' if len(values) > 1 else ''} at {rate} Hz"
        raise DataError(f"{path.name}: {what}, shorter than one frame of {1000 * _FRAME:g} ms")
    signal = values.reshape(len(values), -1).mean(axis=1)
    if not np.isfinite(signal).all():
        raise DataError(f"{path.name}: a sample that is no finite number")
    return signal, rate


def _read_wav(path: Path) -> tuple[_Signal, int]:
    wavfile = load_package("scipy.io.wavfile", path.name)
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            rate, values = wavfile.read(path)
    except (
        ValueError,
        struct.error,
        EOFError,
        ZeroDivisionError,
        TypeError,
        UnboundLocalError,
    ) as error:  # what scipy says of a broken file
        if path.stat().st_size == 0:
            raise DataError(f"{path.name}: an empty file, expected WAV") from None
        raise DataError(f"{path.name}: cannot be read as WAV ({one_line(error)}), expected PCM or float samples") from None
    if any("EOF" in str(warning.message) for warning in told):
        raise DataError(f"{path.name}: the file ends before its sound does: it was cut off")
    if values.dtype.kind == "u":
        return (values.astype(np.float64) - 128) / 128, int(rate)
    scale = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max) + 1
    return values.astype(np.float64) / scale, int(rate)


def _read_flac(path: Path) -> tuple[_Signal, int]:
    soundfile = load_package("soundfile", path.name)
    try:
        found: tuple[Any, Any] = soundfile.read(path, dtype="float64", always_2d=True)
    except RuntimeError as error:  # what libsndfile says
        if path.stat().st_size == 0:
            raise DataError(f"{path.name}: an empty file, expected FLAC") from None
        what = one_line(error).replace(f"Error opening {str(path)!r}: ", "")
        told = "the file ends before its sound does: it was cut off" if "fseek" in what else f"cannot be read as FLAC ({what})"
        raise DataError(f"{path.name}: {told}") from None
    return np.asarray(found[0], np.float64), int(found[1])
