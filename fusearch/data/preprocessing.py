"""Impute, scale and one-hot: fitted with scikit-learn on the rows that are given, and on no others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.content import Content
from fusearch.data.kinds import Layout
from fusearch.data.modality import Modality
from fusearch.data.symbol_schema import fit_codes
from fusearch.errors import DataError

__all__ = ["BOUND", "FAR", "Preprocessor", "Statistics", "fit_preprocessor"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Values that statistics of channels are fitted on at once; of more, part by part, so many in a part.
_AT_ONCE, _PART = 2**24, 2**22

#: What the scaled columns of a table are kept within, softly.
BOUND = 3.0

#: What they are cut at before, so that a square cannot overflow.
FAR = 1e6


@dataclass(frozen=True)
class Statistics:
    """What was fitted for one modality. The numbers are float32, so that a model file repeats the arithmetic exactly.

    Attributes:
        modality: The modality, with the shape after preprocessing.
        fill: What replaces a missing value, one for each numeric column or channel.
        mean: What is subtracted.
        scale: What divides.
        bound: Where it is not None, a scaled value z becomes z / sqrt(1 + (z / bound)^2): between -bound and bound.
        numeric: Names of the numeric columns (tabular only).
        categorical: Name -> levels (tabular only).
        seen: Name -> whether each level occurred in the training rows; the others are encoded as all zeros (tabular only).
        symbols: The symbols of a text or a sequence, by their position in raw values.
        codes: The code of each symbol for the network: from 2 on; 1, unknown, where it has none of its own. 0 stands behind the end.
    """

    modality: Modality
    fill: FloatArray
    mean: FloatArray
    scale: FloatArray
    bound: float | None = None
    numeric: tuple[str, ...] = ()
    categorical: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen: Mapping[str, BoolArray] = field(default_factory=dict)
    symbols: tuple[str, ...] | None = None
    codes: IntArray | None = None

    @property
    def code_table(self) -> IntArray | None:
        """Codes by raw value + 2: of what stands behind the end, of an unknown symbol, then of each symbol; None where it has none."""
        return None if self.codes is None else np.concatenate([[0, 1], self.codes])

    @property
    def number_shape(self) -> tuple[int, ...]:
        """Shape that lays the numbers of channels along their axis in a sample."""
        return tuple(-1 if axis == self.modality.layout.channel_axis else 1 for axis in range(len(self.modality.shape)))

    def transform(self, raw: FloatArray) -> FloatArray:
        """Turn raw values (n, *raw shape) into (n, *modality.shape), float32 without NaN."""
        table = self.code_table
        if table is not None:
            return table[np.where(np.isnan(raw), 0, raw + 2).astype(np.int64)].astype(np.float32)
        if not self.modality.entry.columns:
            scaled = self._scale(raw, [1, *self.number_shape])
            axis = self.modality.layout.ragged_axis
            if axis is not None:
                scaled[np.broadcast_to(_behind_the_end(raw, axis), raw.shape)] = 0
            return scaled
        blocks = [self._scale(raw[:, : len(self.numeric)], [1, -1])]
        for column, name in enumerate(self.categorical, start=len(self.numeric)):
            codes = np.arange(len(self.seen[name]), dtype=np.float32)
            blocks.append(((raw[:, column, None] == codes) & self.seen[name]).astype(np.float32))
        return np.concatenate(blocks, axis=1)

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists and numbers; the format stands in `Preprocessor.to_dict`."""
        numbers: dict[str, Any] = {name: [float(x) for x in getattr(self, name)] for name in ("fill", "mean", "scale")}
        document = {"kind": self.modality.kind, "shape": list(self.modality.shape)}
        if self.symbols is not None and self.codes is not None:
            return document | {"symbols": list(self.symbols), "codes": [int(code) for code in self.codes]}
        if not self.modality.entry.columns:
            return document | numbers
        levels = {name: list(levels) for name, levels in self.categorical.items()}
        seen = {name: [bool(x) for x in known] for name, known in self.seen.items()}
        return document | {"numeric": list(self.numeric)} | numbers | {"bound": self.bound, "categorical": levels, "seen": seen}

    @classmethod
    def from_dict(cls, name: str, document: Mapping[str, Any]) -> Statistics:
        """Read what `to_dict` wrote for the modality `name`."""
        modality = Modality(name, document["kind"], tuple(document["shape"]))
        if "symbols" in document:
            return _coded(modality, tuple(document["symbols"]), np.array(document["codes"], np.int64))
        fill, mean, scale = (np.array(document[key], np.float32) for key in ("fill", "mean", "scale"))
        return cls(
            modality,
            fill,
            mean,
            scale,
            bound=document.get("bound"),
            numeric=tuple(document.get("numeric", ())),
            categorical={key: tuple(levels) for key, levels in document.get("categorical", {}).items()},
            seen={key: np.array(known, np.bool_) for key, known in document.get("seen", {}).items()},
        )

    def _scale(self, raw: FloatArray, shape: list[int]) -> FloatArray:
        fill, mean, scale = (numbers.reshape(shape) for numbers in (self.fill, self.mean, self.scale))
        values = np.where(np.isnan(raw), fill, raw)  # one copy: of a folder of images it is what a worker has memory for
        with np.errstate(over="ignore" if self.bound else "warn"):  # what is bounded may be as far out as it likes
            values -= mean
            values /= scale
        if self.bound is not None:
            values = np.clip(values, -FAR, FAR)
            share = values * np.float32(1 / self.bound)
            values /= np.sqrt(1 + share * share)
        return np.asarray(values, np.float32)


@dataclass(frozen=True)
class Preprocessor:
    """Turns raw values into what a network reads. Made by `Dataset.fit_preprocessor`; small, picklable.

    Attributes:
        statistics: One entry for each modality, in the data set's order.

    Example:
        >>> from fusearch.data import load_data
        >>> data = load_data("wisconsin")
        >>> preprocessor = data.fit_preprocessor(data.rows("train"))
        >>> inputs, present = preprocessor.transform(data, data.rows("val"))
        >>> inputs["mean"].shape, bool(present["mean"].all())
        ((85, 10), True)
    """

    statistics: tuple[Statistics, ...]

    def transform(self, data: Content, rows: IntArray) -> tuple[dict[str, FloatArray], dict[str, BoolArray]]:
        """Return the inputs of a network for some rows of a data set.

        Returns:
            Name -> float32 without NaN, (n, *modality.shape), all zeros where the modality is missing;
            and name -> whether each sample has the modality, (n,).

        Raises:
            DataError: The data set has other modalities or columns than the one that this was fitted on.
        """
        fitted = tuple(part.modality for part in self.statistics)
        if fitted != data.modalities:
            raise DataError(
                f"data set {data.name!r} has the modalities {_names(data.modalities)}, the preprocessing was fitted on {_names(fitted)}"
            )
        for part in self.statistics:
            schema = data.columns.get(part.modality.name)
            if schema is not None and (schema.numeric, dict(schema.categorical)) != (part.numeric, dict(part.categorical)):
                raise DataError(
                    f"modality {part.modality.name!r} of {data.name!r} has other columns or levels than the preprocessing was fitted on"
                )
            symbols = data.symbols.get(part.modality.name)
            if (None if symbols is None else symbols.names) != part.symbols:
                raise DataError(f"modality {part.modality.name!r} of {data.name!r} has other symbols than the preprocessing was fitted on")
        inputs, present = {}, {}
        for part in self.statistics:
            name = part.modality.name
            present[name] = data.present[name][rows]
            inputs[name] = part.transform(data.raw[name][rows])
            inputs[name][~present[name]] = 0
        return inputs, present

    def to_dict(self) -> dict[str, Any]:
        """Return everything that rebuilds the transformation, JSON-able: `{modality name: entry}`.

        A tabular entry, for raw rows of the numeric columns followed by one code for each categorical column:

            {"kind": "tabular", "shape": [D],
             "numeric": [names], "fill": [...], "mean": [...], "scale": [...],      # one number for each numeric column
             "bound": 3.0,
             "categorical": {name: [levels]}, "seen": {name: [true or false for each level]}}

        Output columns: each numeric column as z / sqrt(1 + (z / bound)^2) of z = `((fill if missing else x) - mean) / scale`, kept within
        a million; bound null, or missing in what an older version wrote: z itself. Then, for each categorical column in order, one column
        for each level: 1 where the value is that level and the level was seen, else 0. A missing or unknown level gives all zeros.

        An entry of another kind has one number for each channel; channels are the first axis of an `image2d` sample, the last of a
        `timeseries` (`Layout.channel_axis`); integer codes of symbols stay as they are, with 0, 0 and 1:

            {"kind": "image2d", "shape": [C, H, W], "fill": [...], "mean": [...], "scale": [...]}

        That of a text or a sequence has its symbols and the code of each, fitted on the training rows (of words, the most frequent ones):

            {"kind": "text", "shape": [T], "symbols": [words], "codes": [a whole number each: 2 or more; 1, unknown]}

        Raw values are positions in `symbols`, -1 for another symbol (code 1), NaN behind the end (code 0).

        Numbers are float32 values; computing in float32, in this order, repeats `transform`, but for the last bit of the square root. A
        modality that a sample lacks is all zeros after the transformation.
        """
        return {part.modality.name: part.to_dict() for part in self.statistics}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Preprocessor:
        """Read what `to_dict` wrote."""
        return cls(tuple(Statistics.from_dict(name, entry) for name, entry in document.items()))


def fit_preprocessor(data: Content, rows: IntArray) -> Preprocessor:
    """Fit on `rows`; a modality is fitted on those of them that have it.

    Tabular: median imputation, then scaling by quartiles, softly bounded (decision 0117); levels that occur in the rows count as seen.
    Texts: the most frequent words have a code of their own (`SymbolSchema`). Other kinds: imputation as the kind says and
    standardisation channel by channel, over rows and positions.

    Raises:
        DataError: None of the rows has one of the modalities.
    """
    return Preprocessor(tuple(_fit_modality(data, modality, rows) for modality in data.modalities))


def _fit_modality(data: Content, modality: Modality, rows: IntArray) -> Statistics:
    have = rows[data.present[modality.name][rows]]
    if not len(have):
        raise DataError(f"modality {modality.name!r}: none of the {len(rows)} training rows has it, expected at least one")
    symbols = data.symbols.get(modality.name)
    if symbols is not None:
        return _coded(modality, symbols.names, fit_codes(data.raw[modality.name][have], symbols))
    if not modality.entry.columns:
        axis = modality.layout.channel_axis
        if axis is None:
            return _plain(modality)
        values = data.raw[modality.name]
        if modality.layout.linked:
            return _fit_measured(modality, values[..., : modality.layout.num_measured(modality.shape)][have])
        if len(have) * values[0].size > _AT_ONCE and modality.entry.imputation == "mean":
            return Statistics(modality, *_fit_in_parts(values, have, modality.layout))
        return Statistics(modality, *_fit_columns(_channel_columns(values[have], modality.layout), modality.entry.imputation))
    raw = data.raw[modality.name][have]
    schema = data.columns[modality.name]
    seen = {
        name: np.isin(np.arange(len(levels)), raw[:, column])
        for column, (name, levels) in enumerate(schema.categorical.items(), start=len(schema.numeric))
    }
    numbers = _fit_quartiles(raw[:, : len(schema.numeric)])
    return Statistics(modality, *numbers, BOUND, numeric=schema.numeric, categorical=dict(schema.categorical), seen=seen)


def _fit_quartiles(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return fill, mean and scale of each column of (n, columns): twice its median, and the distance of its quartiles.

    Where the quartiles are equal, half the range divides: Holzmueller, Grinsztajn and Steinwart, "Better by default: strong pre-tuned MLPs
    and boosted trees on tabular data", NeurIPS 2024 (robust scaling and smooth clipping).
    """
    missing = np.isnan(values)
    known, gaps = np.where(missing.all(axis=0), 0, values.astype(np.float64)), missing.any(axis=0)
    shares, found = (0, 0.25, 0.5, 0.75, 1), np.zeros((5, values.shape[1]))
    for columns, quantiles in ((~gaps, np.quantile), (gaps, np.nanquantile)):  # the second goes column by column
        if columns.any():
            found[:, columns] = quantiles(known[:, columns], shares, axis=0)
    low, first, median, third, high = found
    return _as_float32(median, median, np.where(third > first, third - first, (high - low) / 2))


def _fit_measured(modality: Modality, values: FloatArray) -> Statistics:
    """Return the statistics of what is measured at positions, (n, V, F); their links stay as they are, 0 where one is missing."""
    fill, mean, scale = _fit_columns(_channel_columns(values, modality.layout), modality.entry.imputation)
    links = np.zeros(modality.positions[0], np.float32)
    return Statistics(modality, np.append(fill, links), np.append(mean, links), np.append(scale, links + 1))


def _plain(modality: Modality) -> Statistics:
    """Return statistics that leave values as they are, but for zeros where they are missing."""
    zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    return Statistics(modality, zero, zero, one)


def _coded(modality: Modality, symbols: tuple[str, ...], codes: IntArray) -> Statistics:
    return replace(_plain(modality), symbols=symbols, codes=codes)


def _channel_columns(values: FloatArray, layout: Layout) -> FloatArray:
    """Return the values of each channel as a column; of ragged samples without what stands behind their ends."""
    columns = np.moveaxis(values, 1 + (layout.channel_axis or 0), -1).reshape(-1, values.shape[1 + (layout.channel_axis or 0)])
    return columns if layout.ragged is None else columns[~np.isnan(columns).all(axis=1)]


def _behind_the_end(raw: FloatArray, axis: int) -> BoolArray:
    """Return where no value of a position of that axis of a sample is there, broadcastable over the samples."""
    others = tuple(other for other in range(1, raw.ndim) if other != axis + 1)
    return np.asarray(np.isnan(raw).all(axis=others, keepdims=True))


def _fit_in_parts(values: FloatArray, rows: IntArray, layout: Layout) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what `_fit_columns` does for each channel, of more values than are copied at once: a part of the rows at a time."""
    from sklearn.preprocessing import StandardScaler

    def parts() -> Iterator[npt.NDArray[np.float64]]:
        for few in np.array_split(rows, min(len(rows), -(-len(rows) * values[0].size // min(_PART, _AT_ONCE)))):
            yield _channel_columns(values[few], layout).astype(np.float64)

    counts, sums = 0, 0.0
    for part in parts():
        counts, sums = counts + (~np.isnan(part)).sum(axis=0), sums + np.nansum(part, axis=0)
    fill = sums / np.maximum(counts, 1)
    scaler = StandardScaler()
    for part in parts():
        scaler.partial_fit(np.where(np.isnan(part), fill, part))
    return _as_float32(fill, scaler.mean_, scaler.scale_)


def _fit_columns(values: FloatArray, strategy: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return fill, mean and scale of each column of (n, columns)."""
    if not values.shape[1]:
        return (np.empty(0, np.float32),) * 3
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    imputer = SimpleImputer(strategy=strategy, keep_empty_features=True)
    scaler = StandardScaler().fit(imputer.fit_transform(values.astype(np.float64)))
    return _as_float32(imputer.statistics_, scaler.mean_, scaler.scale_)


def _as_float32(*numbers: npt.NDArray[np.float64]) -> tuple[FloatArray, FloatArray, FloatArray]:
    fill, mean, scale = (np.asarray(one, np.float32) for one in numbers)
    return fill, mean, np.where(scale > 0, scale, np.float32(1))  # a spread below the smallest float32 counts as constant


def _names(modalities: tuple[Modality, ...]) -> str:
    return ", ".join(f"{modality.name}{list(modality.shape)}" for modality in modalities)
