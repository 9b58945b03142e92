"""What a modality is made of: one entry of facts a kind, and the only place that names the kinds (decision 0091).

Light: designs are written without loading data. The code of a kind is bound by name: formats are readers in `data/readers`, encoders are
entries of the search space.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fusearch.errors import DataError, suggestion
from fusearch.registry import Registry

__all__ = ["BUILT_IN", "KINDS", "Kind", "Layout", "check_kind", "kind_of_array", "kind_of_frame", "loadable_kinds"]


@dataclass(frozen=True)
class Layout:
    """The axes of one sample.

    Attributes:
        axes: A letter for each axis.
        channel: Letter of the axis of what is measured at each position; the other axes are positions. Of the axis of columns, where there
            are no positions. None: the values are integer codes of symbols, one a position.
        encoder: The encoder of a stream that names none.
        ragged: Letter of the axis along which samples may have fewer positions than their shape: one whose values are all missing is
            behind the end, and stays zero for the network (decision 0093).
        linked: Whether behind what is measured at a position stand its links, one to each position: a row of the adjacency matrix, with a
            number other than 0 for the position itself (decision 0094).
    """

    axes: str
    channel: str | None
    encoder: str
    ragged: str | None = None
    linked: bool = False

    def __post_init__(self) -> None:
        if not self.axes or (self.channel is not None and self.axes.count(self.channel) != 1):
            raise DataError(f"layout {self.axes!r}: channel {self.channel!r}, expected None or one letter of the axes")

    @property
    def channel_axis(self) -> int | None:
        """Axis of the channels in one sample."""
        return None if self.channel is None else self.axes.index(self.channel)

    @property
    def ragged_axis(self) -> int | None:
        """Axis of one sample along which it may end before its shape does."""
        return None if self.ragged is None else self.axes.index(self.ragged)

    @property
    def positions(self) -> tuple[int, ...]:
        """Axes of the positions; none for a vector."""
        return tuple(axis for axis, letter in enumerate(self.axes) if letter != self.channel)

    @property
    def legend(self) -> str:
        """The axes in words: `T, C`; of positions with links `V, F + V`."""
        letters = [
            f"{letter} + {self.axes[self.positions[0]]}" if self.linked and letter == self.channel else letter for letter in self.axes
        ]
        return ", ".join(letters)

    def num_measured(self, shape: tuple[int, ...]) -> int:
        """Return how many of the channels of a sample of that shape are measured, and no links."""
        channels = shape[self.channel_axis or 0]
        return channels - shape[self.positions[0]] if self.linked else channels


@dataclass(frozen=True)
class Kind:
    """What all modalities of one kind share.

    Attributes:
        name: Name in manifests.
        about: One line for the reference page of the manifest.
        layouts: Ways to lay a sample out, told apart by their number of axes; the first is that of a modality without a shape.
        formats: Names of the readers that load it. Without one it is not advertised and cannot stand in a manifest: designs over it are
            written and built in Python alone.
        word: Word for it in formulas without a data set (`image:resnet`); empty: its name.
        encoders: Encoders that read it beside its defaults and those that name it themselves.
        columns: Whether it is a table: columns with names, and levels of categories.
        ordered: Whether neighbouring positions belong together, so that positions form a grid.
        imputation: What replaces a missing value of each channel; of the columns of a table it is the median (decision 0117).
        windows: Most windows on each axis of positions by which features are explained; 0: every position by itself.
        channels_apart: Whether each channel is explained by itself.
        feature: What one explained feature is, in words.
        codes: How many codes of symbols there may be: 0 behind the end, 1 for an unknown one, then one each; an embedding has so many rows.
        from_arrays: Whether an array in memory with these axes (of a table, a data frame) is taken for it where no kind is named.
    """

    name: str
    about: str
    layouts: tuple[Layout, ...]
    formats: tuple[str, ...] = ()
    word: str = ""
    encoders: tuple[str, ...] = ()
    columns: bool = False
    ordered: bool = True
    imputation: Literal["mean", "median"] = "mean"
    windows: int = 0
    channels_apart: bool = False
    feature: str = "window"
    codes: int = 1002
    from_arrays: bool = False

    @property
    def loadable(self) -> bool:
        """Whether a manifest may name it."""
        return bool(self.formats)

    @property
    def symbolic(self) -> bool:
        """Whether its values may be codes of symbols, which are no numbers to calculate with."""
        return any(layout.channel is None for layout in self.layouts)

    @property
    def is_series(self) -> bool:
        """Whether it is steps of channels that are looked at one by one."""
        return self.ordered and self.channels_apart and any(len(layout.positions) == 1 for layout in self.layouts)

    @property
    def has_masks(self) -> bool:
        """Whether a mask may lie on its positions: those of a picture or a volume, which every sample has."""
        masked = [layout for layout in self.layouts if layout.channel is not None and layout.ragged is None]
        return self.ordered and any(len(layout.positions) in (2, 3) for layout in masked)

    @property
    def legend(self) -> str:
        """Axes of an array of samples, in words: `(N, T, C)`."""
        return " or ".join(f"(N, {layout.legend})" for layout in self.layouts)

    @property
    def long_legend(self) -> str:
        """The same with what may be left out: `(N, T, C), or (N, T) for one channel`."""
        (first, *_), short = self.layouts, ""
        if first.channel is not None and first.positions and not first.linked:
            short = f", or (N, {', '.join(first.axes[axis] for axis in first.positions)}) for one channel"
        return self.legend + short

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether a sample may have that shape."""
        found = (layout for layout in self.layouts if len(layout.axes) == len(shape))
        return min(shape, default=0) > 0 and any(layout.num_measured(shape) > 0 for layout in found)

    def layout(self, shape: tuple[int, ...]) -> Layout:
        """Return how a sample of that shape is laid out; of no shape, as kinds usually are.

        Raises:
            DataError: The kind has no such number of axes.
        """
        if not shape:
            return self.layouts[0]
        for layout in self.layouts:
            if len(layout.axes) == len(shape):
                return layout
        raise DataError(f"shape {shape} does not fit kind {self.name!r}, expected {self.legend} without N")


KINDS: Registry[Kind] = Registry("kind")


def loadable_kinds() -> list[str]:
    """Return the names of the kinds that a manifest may name."""
    return [kind.name for kind in KINDS.values() if kind.loadable]


def check_kind(name: str, place: str) -> Kind:
    """Return a kind whose values can be loaded.

    Raises:
        DataError: There is none of that name, or nothing reads it yet.
    """
    if name not in KINDS:
        raise DataError(f"{place}: unknown kind {name!r}, {suggestion(name, loadable_kinds())}")
    if not KINDS[name].loadable:
        raise DataError(f"{place}: kind {name!r} is not supported yet, expected one of: {', '.join(loadable_kinds())}")
    return KINDS[name]


def kind_of_frame() -> Kind:
    """Return the kind of a data frame without one."""
    return next(kind for kind in KINDS.values() if kind.from_arrays and kind.columns)


def kind_of_array(num_axes: int, place: str) -> Kind:
    """Return the kind of an array of samples without one.

    Raises:
        DataError: No kind has so many axes.
    """
    known = {1 + len(layout.axes): kind for kind in KINDS.values() if kind.from_arrays for layout in kind.layouts}
    if num_axes not in known:
        *most, last = [f"{axes} ({kind.name})" for axes, kind in sorted(known.items(), key=lambda item: item[0])]
        raise DataError(f"{place}: an array of {num_axes} axes, expected {', '.join(most)} or {last}")
    return known[num_axes]


_OWN = (
    Kind(
        "tabular",
        "Columns of a table: numbers, and levels of categories.",
        (Layout("D", "D", "mlp"),),
        formats=("table", "array"),
        word="table",
        columns=True,
        imputation="median",
        channels_apart=True,
        feature="column",
        from_arrays=True,
    ),
    Kind(
        "timeseries",
        "A series of equal length for every sample.",
        (Layout("TC", "C", "tcn"),),
        formats=("array", "series"),
        word="series",
        windows=32,
        channels_apart=True,
        from_arrays=True,
    ),
    Kind(
        "image2d",
        "An image of equal size for every sample: one array for all, or one file a sample.",
        (Layout("CHW", "C", "cnn"),),
        formats=("array", "images"),
        word="image",
        windows=8,
        from_arrays=True,
    ),
    Kind(
        "volume3d",
        "A volume of equal size for every sample: one array for all, or one file (or folder of DICOM slices) a sample.",
        (Layout("CDHW", "C", "cnn3d"),),
        formats=("array", "volumes"),
        word="volume",
        windows=4,
        from_arrays=True,
    ),
    Kind(
        "video",
        "A film for every sample, of equal size and of any length: one array for all, or one folder of frames (or one file) a sample.",
        (Layout("CTHW", "C", "cnn3d", ragged="T"),),
        formats=("array", "films"),
        windows=4,
    ),
    Kind(
        "audio",
        "A sound for every sample, read as log-mel features: frames of equal number.",
        (Layout("TC", "C", "tcn"),),
        formats=("sounds",),
        windows=32,
        channels_apart=True,
    ),
    Kind(
        "text",
        "A text for every sample: words, as many as there are, or what a language model has for it. Also codes of words (0 behind the end, "
        "1 unknown), or embeddings.",
        (Layout("T", None, "text_cnn"), Layout("TD", "D", "tcn", ragged="T")),
        formats=("texts", "array"),
        windows=64,
    ),
    Kind(
        "sequence",
        "A string of letters for every sample, such as DNA, RNA or a protein. Also codes of letters (0 behind the end, 1 unknown), or "
        "embeddings.",
        (Layout("T", None, "text_cnn"), Layout("TD", "D", "tcn")),
        formats=("strings", "fasta", "array"),
        windows=64,
        codes=32,
    ),
    Kind(
        "graph",
        "A graph for every sample: nodes with features, as many as there are, and the edges between them, its own or those of all.",
        (Layout("VF", "F", "gcn", ragged="V", linked=True),),
        formats=("graphs", "nodes"),
        ordered=False,
        feature="node",
    ),
)
for _kind in _OWN:
    KINDS.add(_kind.name, _kind)

#: Names of fusearch's own.
BUILT_IN = frozenset(kind.name for kind in _OWN)
