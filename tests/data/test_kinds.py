from __future__ import annotations

from typing import Any

import pytest

from fusearch.data.kinds import KINDS, Kind, Layout, check_kind, kind_of_array, kind_of_frame, loadable_kinds
from fusearch.data.readers import READERS
from fusearch.errors import DataError


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_an_entry_says_all_that_is_asked(kind: Kind) -> None:
    assert KINDS[kind.name] is kind
    assert kind.about.endswith(".")
    assert len({len(layout.axes) for layout in kind.layouts}) == len(kind.layouts), "layouts are told apart by their number of axes"
    assert all(name in READERS for name in kind.formats)
    for layout in kind.layouts:
        shape = tuple(range(1, 1 + len(layout.axes)))  # of nodes with links one, and the one feature that it needs beside its link
        assert layout.ragged is None or layout.ragged_axis in layout.positions
        assert kind.fits(shape)
        assert kind.layout(shape) is layout
        others = [] if layout.channel_axis is None else [layout.channel_axis]
        assert sorted([*layout.positions, *others]) == list(range(len(layout.axes)))
    assert not kind.fits((1,) * 7)
    assert not kind.fits(tuple(0 for _ in kind.layouts[0].axes))


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if kind.loadable], ids=lambda kind: kind.name)
def test_the_formats_of_a_kind_are_told_by_their_suffixes(kind: Kind) -> None:
    suffixes = [suffix for name in kind.formats for suffix in READERS[name].suffixes]
    assert len(set(suffixes)) == len(suffixes)


def test_only_what_can_be_loaded_is_advertised() -> None:
    assert loadable_kinds() == ["audio", "graph", "image2d", "sequence", "tabular", "text", "timeseries", "video", "volume3d"]


def test_a_kind_that_nothing_reads_is_not_supported_yet() -> None:
    KINDS.add("cloud", Kind("cloud", "Points.", (Layout("PD", "D", "identity"),)))
    try:
        assert "cloud" not in loadable_kinds()
        with pytest.raises(DataError, match="x: kind 'cloud' is not supported yet, expected one of: audio, graph, "):
            check_kind("cloud", "x")
    finally:
        KINDS.remove("cloud")


def test_words_tell_one_kind() -> None:
    words = [kind.word or kind.name for kind in KINDS.values()]
    assert len(set(words)) == len(words)


def test_the_kind_of_what_is_in_memory() -> None:
    assert kind_of_frame().name == "tabular"
    assert [kind_of_array(axes, "x").name for axes in (2, 3, 4, 5)] == ["tabular", "timeseries", "image2d", "volume3d"]


def test_axes_in_words() -> None:
    assert KINDS["image2d"].legend == "(N, C, H, W)"
    assert KINDS["image2d"].long_legend == "(N, C, H, W), or (N, H, W) for one channel"
    assert KINDS["text"].legend == "(N, T) or (N, T, D)"
    assert KINDS["graph"].long_legend == "(N, V, F + V)"


def test_behind_the_features_of_a_node_stand_its_links() -> None:
    graph = KINDS["graph"]
    assert [graph.fits(shape) for shape in ((5, 6), (5, 5), (5, 3), (0, 4))] == [True, False, False, False]
    assert graph.layouts[0].num_measured((5, 8)) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_kind("tabel", "x"), r"x: unknown kind 'tabel', did you mean 'tabular'\?"),
        (
            lambda: kind_of_array(6, "x"),
            r"x: an array of 6 axes, expected 2 \(tabular\), 3 \(timeseries\), 4 \(image2d\) or 5 \(volume3d\)",
        ),
        (lambda: KINDS["tabular"].layout((2, 3)), r"shape \(2, 3\) does not fit kind 'tabular', expected \(N, D\) without N"),
        (lambda: Layout("TC", "X", "tcn"), "layout 'TC': channel 'X', expected None or one letter of the axes"),
    ],
)
def test_messages(call: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()
