"""Series: tables in long form, a row a step, and EDF recordings, one file a sample. EDF needs pyedflib and scipy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fusearch.data.files.frames import numbers_of
from fusearch.data.files.stacking import load_package
from fusearch.data.files.text import as_text, one_line, where
from fusearch.errors import DataError, suggestion

__all__ = ["RECORDINGS", "long_series", "read_recordings", "what_recordings_share"]

FloatArray = npt.NDArray[np.float32]
_Signal = npt.NDArray[np.float64]

#: Suffixes of a recording.
RECORDINGS = (".edf", ".bdf")


def long_series(
    frame: pd.DataFrame, place: str, *, sample: str, time: str, channels: Sequence[str], length: int | None = None
) -> tuple[list[str], FloatArray]:
    """Return the samples of a table in long form, in the order in which they first appear, and their steps, (N, T, C).

    Args:
        frame: The table, with `sample` as text.
        place: What it is called in messages.
        sample: Column that names the sample of each row.
        time: Column of its time, a number or a date; it rises from row to row of a sample.
        channels: Columns of what is measured; NaN where a value is missing.
        length: Number of steps: longer samples are cut, shorter ones end in missing values. None: all have as many.

    Raises:
        DataError: A column or a name is missing, a time does not rise, or samples differ in length.
    """
    for column in (sample, time, *channels):
        if column not in frame:
            raise DataError(f"{place}: no column {column!r}, {suggestion(column, list(map(str, frame.columns)))}")
    names = as_text(frame[sample])
    if None in names:
        raise DataError(f"{place}: no {sample!r} in {where(frame.index, names.index(None))}, expected one in every row")
    codes, found = pd.factorize(np.array(names, object))
    samples = [str(name) for name in found]
    _refuse_other_order(frame, place, codes, samples, time)
    counts = np.bincount(codes)
    if length is None and counts.min() < counts.max():
        few, many = samples[int(counts.argmin())], samples[int(counts.argmax())]
        told = f"series of {counts.min()} to {counts.max()} steps (such as {few!r} and {many!r}), expected one length"
        raise DataError(f"{place}: {told}; `length: {counts.max()}` in the manifest fills shorter ones with missing values")
    steps = length or int(counts.max())
    position = pd.Series(codes).groupby(codes).cumcount().to_numpy()
    kept = position < steps
    values = np.full((len(samples), steps, len(channels)), np.nan, np.float32)
    values[codes[kept], position[kept]] = numbers_of(frame[list(channels)], place)[kept]
    return samples, values


def _refuse_other_order(frame: pd.DataFrame, place: str, codes: npt.NDArray[np.int64], samples: Sequence[str], time: str) -> None:
    """Refuse times that are none, or do not rise within a sample."""
    times = _times(frame[time])
    gone = np.flatnonzero(np.isnan(times))
    if len(gone):
        (cell,) = as_text([frame[time].iloc[gone[0]]])
        told = f"{time!r} is {'empty' if cell is None else repr(cell)} in {where(frame.index, int(gone[0]))}"
        raise DataError(f"{place}: {told}, expected a number, or a date such as 2020-01-31 10:00")
    order = np.argsort(codes, kind="stable")
    falls = np.flatnonzero((np.diff(codes[order]) == 0) & (np.diff(times[order]) <= 0))
    if len(falls):
        row, before = order[falls[0] + 1], order[falls[0]]
        how = "stands twice" if times[row] == times[before] else "goes backwards"
        told = f"time {how} for {samples[codes[row]]!r}: {frame[time].iloc[row]} in {where(frame.index, int(row))}"
        told += f" comes after {frame[time].iloc[before]} in {where(frame.index, int(before))}"
        raise DataError(f"{place}: {told}" + (f" (and {len(falls) - 1} more)" if len(falls) > 1 else ""))


def _times(cells: pd.Series[Any]) -> _Signal:
    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        stamps = cells
    else:
        numbers = np.asarray(pd.to_numeric(cells, errors="coerce"), np.float64)
        if not np.isnan(numbers).all():
            return numbers
        stamps = pd.to_datetime(cells, errors="coerce", format="ISO8601", utc=True)
    seconds = (stamps - stamps.min()).dt.total_seconds()
    return np.asarray(seconds, np.float64)


def read_recordings(
    files: Sequence[Path | None], places: Sequence[str], *, channels: Sequence[str], rate: float, seconds: float
) -> FloatArray:
    """Return the signals of each recording in their physical units, (N, T, C); NaN behind its end, and where a sample has none.

    Args:
        files: The file of each sample.
        places: Where each is named, for messages.
        channels: Labels of the signals.
        rate: Samples a second that they are brought to, by polyphase filters.
        seconds: Length; what is longer is cut.

    Raises:
        DataError: A file is missing, is no EDF, lacks a signal, or has two of its label; every such file is told. Or no file is named.
    """
    values = np.full((len(files), max(1, round(rate * seconds)), len(channels)), np.nan, np.float32)
    faults = []
    for row, file in enumerate(files):
        if file is None:
            continue
        try:
            for column, signal in enumerate(_read_recording(file, channels, rate, seconds)):
                values[row, : len(signal), column] = signal[: values.shape[1]]
        except DataError as error:
            faults.append(f"{places[row]}: {error}")
    if faults:
        raise DataError(*faults)
    if not any(files):
        raise DataError("no recording is named, expected a file for at least one sample")
    return values


def what_recordings_share(files: Sequence[Path]) -> dict[str, Any]:
    """Return the labels of the signals that all recordings have, a rate for these, and the length of the shortest recording.

    The rate is that of the fastest of these signals, in the recording where it is slowest: so no signal loses what all recordings have.

    Raises:
        DataError: A recording cannot be read, or they share no signal.
    """
    rates: dict[str, float] = {}
    seconds: list[float] = []
    for number, path in enumerate(files):
        with _opened(path) as recording:
            labels = recording.getSignalLabels()
            own = {
                label: float(rate)
                for label, rate in zip(labels, recording.getSampleFrequencies(), strict=True)
                if labels.count(label) == 1  # which of two is meant cannot be told
            }
            rates = {label: min(rate, rates.get(label, rate)) for label, rate in own.items() if not number or label in rates}
            seconds.append(float(recording.getFileDuration()))
    if not rates:
        raise DataError(f"{files[0].name} and the other recordings beside it have no signal of one name in common")
    return {"channels": list(rates), "rate": max(rates.values()), "seconds": min(seconds)}


def _read_recording(path: Path, channels: Sequence[str], rate: float, seconds: float) -> list[_Signal]:
    resample_poly = load_package("scipy.signal", path.name).resample_poly
    with _opened(path) as recording:
        labels, rates = recording.getSignalLabels(), recording.getSampleFrequencies()
        signals = []
        for channel in channels:
            if channel not in labels:
                raise DataError(f"{path.name}: no signal {channel!r}, {suggestion(channel, labels)}")
            if (times := labels.count(channel)) > 1:
                raise DataError(f"{path.name}: {times} signals are named {channel!r}, expected one: which of them is meant cannot be told")
            index = labels.index(channel)
            own = float(rates[index])
            signal = np.asarray(recording.readSignal(index), np.float64)[: int((seconds + 1) * own) + 1]
            ratio = Fraction(rate / own).limit_denominator(10_000)
            signals.append(signal if ratio == 1 else resample_poly(signal, ratio.numerator, ratio.denominator))
    if not min(map(len, signals)):
        raise DataError(f"{path.name}: a recording of zero length, expected samples")
    return signals


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Give an open recording; what is wrong with its file is one error."""
    if not path.is_file():
        raise DataError(f"{path.name}: there is no such file in {str(path.parent)!r}")
    if not path.name.lower().endswith(RECORDINGS):
        raise DataError(f"{path.name}: expected a file that ends in one of: {', '.join(RECORDINGS)}")
    pyedflib = load_package("pyedflib", path.name)
    try:
        _refuse_cut(path)
        with pyedflib.EdfReader(str(path)) as recording:
            yield recording
    except (OSError, ValueError, ZeroDivisionError) as error:
        what = one_line(error).replace(f"{path}: ", "")
        raise DataError(f"{path.name}: cannot be read as EDF ({what})") from None


def _refuse_cut(path: Path) -> None:
    """Refuse a recording that its own header says is not whole; pyedflib would print a line of its own.

    Raises:
        DataError: It is empty, has no records, or not as many bytes as its records need.
        ValueError: A number of its header is none.
    """
    size = path.stat().st_size
    if not size:
        raise DataError(f"{path.name}: an empty file, expected EDF")
    with path.open("rb") as stream:
        start = stream.read(256)
        num_signals = int(start[252:256] or b"0")
        stream.seek(256 + 216 * num_signals)  # behind what else is said of each signal
        lengths = [stream.read(8) for _ in range(num_signals)]
    head, num_records = 256 * (1 + num_signals), int(start[236:244] or b"0")
    if size < head:
        raise DataError(f"{path.name}: the file ends before its header does: it was cut off")
    if num_records < 1:
        raise DataError(f"{path.name}: its header says {num_records} records of data, expected at least one")
    needed = head + num_records * sum(map(int, lengths)) * (3 if start.startswith(b"\xff") else 2)
    if size != needed:
        told = "ends before its records do: it was cut off" if size < needed else f"has {size - needed} bytes behind its last record"
        raise DataError(f"{path.name}: the file {told}")
