"""Changes of training rows are small, seeded, and of training rows alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.evaluators.training.augmentation import augmented, moved_masks, strengths_of, uniform
from fusearch.search_space import Recipe

CPU = torch.device("cpu")
SHAPES = {
    "tabular": (6,),
    "graph": (7, 3 + 7),
    "image2d": (2, 20, 20),
    "volume3d": (1, 12, 12, 12),
    "video": (1, 5, 12, 12),
    "timeseries": (40, 3),
    "audio": (40, 3),
    "text": (30,),
    "sequence": (30,),
}
GRIDS = [name for name in SHAPES if Modality("x", name, SHAPES[name]).has_grid]


def keys(count: int, seed: int = 0) -> Tensor:
    return torch.randint(2**62, (count,), generator=torch.Generator().manual_seed(seed))


def strengths(word: str) -> Tensor:
    found = strengths_of(Recipe(augmentation=word), CPU)  # type: ignore[arg-type]  # a word of the test
    assert found is not None
    return found


def rows(kind: str, count: int = 50) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    shape = (count, *SHAPES[kind])
    if KINDS[kind].symbolic:
        return torch.randint(2, 20, shape, generator=generator).float() * (torch.arange(SHAPES[kind][0]) < 20)
    return torch.randn(shape, generator=generator)


def change(kind: str, x: Tensor, word: str = "mild", seed: int = 0) -> Tensor:
    modality = Modality("x", kind, SHAPES[kind])
    return augmented({"x": x}, {"x": modality}, keys(len(x), seed), strengths(word))["x"]


@pytest.mark.parametrize("kind", SHAPES)
def test_what_is_changed_by_the_kind_of_a_modality(kind: str) -> None:
    x = rows(kind)
    changed = change(kind, x)
    assert changed.shape == x.shape
    assert changed.dtype == x.dtype
    assert torch.equal(changed, x) == (kind not in GRIDS), "tables and graphs stay as they are"
    assert torch.equal(changed, change(kind, x)), "the same key, the same change"
    assert torch.equal(change(kind, x[:10]), changed[:10]), "whatever rows are beside it"
    if kind in GRIDS:
        assert not torch.equal(changed, change(kind, x, seed=1))
        zero = augmented({"x": x}, {"x": Modality("x", kind, SHAPES[kind])}, keys(len(x)), torch.zeros(2))["x"]
        torch.testing.assert_close(zero, x, rtol=0, atol=0)


def test_numbers_are_spread_evenly_and_those_of_two_streams_and_keys_have_nothing_to_do_with_each_other() -> None:
    found = uniform(keys(200), 0, (50,), torch.float64)
    assert 0 <= found.min() < 1e-3
    assert 1 - 1e-3 < found.max() < 1
    assert torch.histc(found, 10, 0, 1).sub(1000).abs().max() < 150
    other = uniform(keys(200), 1, (50,), torch.float64)
    together = torch.corrcoef(torch.stack([found.flatten(), other.flatten(), found.roll(1, 0).flatten(), found.roll(1, 1).flatten()]))
    assert (together - torch.eye(4)).abs().max() < 0.05
    near = uniform(torch.arange(10_000), 0, (1,), torch.float64).flatten()
    assert abs(torch.corrcoef(torch.stack([near[1:], near[:-1]]))[0, 1]) < 0.05


def test_an_image_is_moved_by_a_tenth_at_most_and_mirrored_where_that_is_asked_for() -> None:
    x = torch.zeros(400, 1, 20, 20)
    x[:, :, 10, 4] = 100.0
    for word, sides in (("mild", {True}), ("mirrored", {True, False})):
        peaks = change("image2d", x, word).flatten(1).argmax(dim=1)
        heights, widths = peaks // 20, peaks % 20
        assert (heights.min(), heights.max()) == (8, 12)
        assert set((widths < 10).tolist()) == sides
        assert (torch.where(widths < 10, widths, 19 - widths) - 4).abs().max() == 2
    assert 150 < (change("image2d", x, "mirrored").flatten(1).argmax(dim=1) % 20 > 10).sum() < 250


def test_what_stands_behind_the_end_of_a_film_stays_zero() -> None:
    films = rows("video")
    films[:, :, 2:] = 0.0
    changed = change("video", films, "mirrored")
    assert (changed[:, :, 2:] == 0).all()
    assert (changed[:, :, :2] != films[:, :, :2]).any(dim=(1, 3, 4)).all(), "no frame is left out, and none moves to another place"


def test_noise_is_a_tenth_of_the_spread_of_the_values() -> None:
    x = torch.zeros(200, 2, 20, 20)
    assert 0.12 < change("image2d", x).std() < 0.16, "that of each value, and of the level of all"
    series = change("timeseries", torch.ones(500, 40, 3))
    assert 0.13 < series[series != 0].std() < 0.15, "that of each value, and of the factor of each channel"


def test_a_stretch_of_a_series_is_hidden_and_a_tenth_of_the_symbols_unknown() -> None:
    hidden = (change("timeseries", torch.ones(500, 40, 3)) == 0).all(dim=2).int()
    assert hidden.sum(dim=1).max() == 4
    assert hidden.sum(dim=1).min() == 0
    assert (hidden.diff(dim=1, prepend=torch.zeros(500, 1), append=torch.zeros(500, 1)) == 1).sum(dim=1).max() == 1, "one stretch"
    x = rows("text", 400)
    changed = change("text", x)
    assert set(changed[changed != x].tolist()) == {1.0}
    assert torch.equal(changed == 0, x == 0), "what is behind the end stays there"
    assert 0.09 < (changed != x).float().sum() / (x > 0).sum() < 0.11


def test_positions_of_embeddings_are_hidden_whole() -> None:
    modality = Modality("x", "text", (30, 4))
    changed = augmented({"x": torch.ones(300, 30, 4)}, {"x": modality}, keys(300), strengths("mild"))["x"]
    assert set(changed.sum(dim=2).flatten().tolist()) == {0.0, 4.0}
    assert 0.09 < (changed == 0).float().mean() < 0.11


def test_two_modalities_of_a_sample_are_changed_apart() -> None:
    x = torch.zeros(100, 2, 20, 20)
    modality = Modality("x", "image2d", SHAPES["image2d"])
    changed = augmented({"x": x, "y": x}, {"x": modality, "y": modality}, keys(100), strengths("mild"))
    assert abs(torch.corrcoef(torch.stack([changed["x"].flatten(), changed["y"].flatten()]))[0, 1]) < 0.2
    assert strengths_of(Recipe(), CPU) is None


@pytest.mark.parametrize("axes", [2, 3])
def test_masks_move_with_all_images_of_their_sample(axes: int) -> None:
    """What is moved is a position that stands out in images of two channels and of one, of the grid of the masks and of half of it."""
    grid, kind = (20, 16, 12)[:axes], "image2d" if axes == 2 else "volume3d"
    masks = torch.zeros(200, *grid, dtype=torch.uint8)
    masks[(slice(None), *(size // 3 for size in grid))] = 1
    image = 1000.0 * masks[:, None]
    inputs = {"t1": image, "t2": image.expand(-1, 2, *grid[:axes]), "b": torch.zeros(200, 3)}
    modalities = {name: Modality(name, kind, tuple(inputs[name].shape[1:])) for name in ("t1", "t2")} | {
        "b": Modality("b", "tabular", (3,))
    }
    for word in ("mild", "mirrored"):
        how = keys(200), strengths(word)
        changed = augmented(inputs, modalities, *how, grid)
        moved = moved_masks(masks.flatten(1), grid, inputs, modalities, *how)
        assert moved.dtype == masks.dtype
        assert moved.unique().tolist() == [0, 1]
        assert (moved != masks.flatten(1)).any(dim=1).float().mean() > 0.8
        for name in ("t1", "t2"):
            assert torch.equal(changed[name].mean(dim=1).flatten(1).argmax(dim=1), moved.argmax(dim=1))
        assert not torch.equal(changed["t1"], changed["t2"][:, :1]), "brightness and noise are their own"
        assert torch.equal(changed["b"], inputs["b"])
    half = torch.nn.functional.interpolate(image, scale_factor=2, mode="nearest")
    large = augmented({"t1": half}, {"t1": Modality("t1", kind, tuple(half.shape[1:]))}, *how, grid)["t1"]
    places = large[:, 0].flatten(1).argmax(dim=1) % (2 * grid[-1]) // 2
    assert (places - moved.argmax(dim=1) % grid[-1]).abs().max() <= 1, "an image of another size moves by the same share"


def test_masks_stay_where_no_image_of_their_sample_moves() -> None:
    masks, table = torch.zeros(5, 400, dtype=torch.uint8).bernoulli(0.5), Modality("b", "tabular", (3,))
    image = Modality("x", "image2d", (1, 20, 20))
    how = keys(5), strengths("mirrored")
    assert moved_masks(masks, (20, 20), {"b": torch.zeros(5, 3)}, {"b": table, "x": image}, *how) is masks, "a table, or states of a stream"
    assert not torch.equal(moved_masks(masks, (20, 20), {"x": torch.zeros(5, 1, 20, 20)}, {"x": image}, *how), masks)
