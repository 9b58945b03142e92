from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from fusearch.data.drafting.frame_folders import gather_frames
from fusearch.data.drafting.named_by_id import group_by_id


def frames(folder: Path, *names: str) -> list[Path]:
    """Write pictures, and return them in order."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (6 if "ann" in name else 4, 4)).save(folder / name)
    return sorted(folder / name for name in names)


def test_numbered_pictures_in_folders_named_by_ids_are_films_of_any_length(tmp_path: Path) -> None:
    names = [f"us/{name}/frame{number}.png" for name, count in {"ann": 5, "bob": 12, "cy": 1}.items() for number in range(count)]
    files = frames(tmp_path, *names, "cxr/ann.png", "cxr/bob.png", "cxr/cy.png")
    groups = {group.name: group for group in group_by_id(tmp_path, files, ["ann", "bob", "cy"]).groups}
    assert {name: group.reader for name, group in groups.items()} == {"us": "films", "cxr": "images"}
    assert groups["us"].files == {name: f"us/{name}" for name in ("ann", "bob", "cy")}
    assert groups["us"].keys == {"size": [4, 4]}, "they differ"


@pytest.mark.parametrize(
    "names",
    [
        [f"{kind}/{number:03d}.png" for kind in ("cat", "dog") for number in range(9)],  # folders of classes
        [f"{name}/{view}.png" for name in ("ann", "bob") for view in ("front", "side", "top", "near", "far")],
        [f"{name}/view{number}.png" for name in ("ann", "bob") for number in range(3)],  # too few to be sure
        [f"{name}/T{weighting}_{number}.png" for name in ("ann", "bob") for weighting in (1, 2) for number in range(6)],  # two series
        [f"{site}/{number}.png" for site in ("1", "2") for number in range(10, 30)],  # sites, called as two of the ids are
    ],
)
def test_other_folders_stay_pictures(tmp_path: Path, names: list[str]) -> None:
    files = frames(tmp_path, *names)
    ids = frozenset({"ann", "bob"} if "ann" in names[0] else {"1", "2", *(Path(name).stem for name in names)})
    assert gather_frames(tmp_path, files, ids) == files
