from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusearch.data import Dataset, check_data, load_data
from fusearch.data.assembly import decoded
from fusearch.data.assembly.decoded import DecodedFiles, decode_once, mapped_file


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(decoded.FOLDER, str(tmp_path / "cache"))
    monkeypatch.setattr(decoded, "KEPT_FROM", 1000)
    return tmp_path / "cache"


def decode(files: list[Path | None], num: int, calls: list[str], **arguments: Any) -> DecodedFiles:
    def read(make: Any) -> DecodedFiles:
        calls.append("decoded")
        values = make((len(files), num))
        values[:] = 7
        return DecodedFiles(values, ("odd",))

    return decode_once(files, arguments, read)


def test_what_is_large_is_decoded_once_and_mapped(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "a").write_text("x")
    files, calls = [tmp_path / "a", None], list[str]()
    first = decode(files, 500, calls, size=[1])
    again = decode(files, 500, calls, size=[1])
    assert calls == ["decoded"]
    for found in (first, again):
        assert found.notes == ("odd",)
        assert (found.values == 7).all()
        assert mapped_file(np.ascontiguousarray(found.values).view()[:1]) is not None
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".npy"]


def test_another_file_time_or_argument_is_decoded_again(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1").write_text("x")
    calls = list[str]()
    decode([tmp_path / "a"], 500, calls, size=[1])
    decode([tmp_path / "a"], 500, calls, size=[2])
    (tmp_path / "a" / "2").write_text("y")
    decode([tmp_path / "a"], 500, calls, size=[2])
    assert len(calls) == 3


def test_what_is_small_or_has_no_room_stays_in_memory(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("x")
    calls = list[str]()
    assert mapped_file(decode([tmp_path / "a"], 5, calls).values) is None
    assert mapped_file(decode([tmp_path / "a"], 5, calls).values) is None
    monkeypatch.setenv(decoded.FOLDER, str(tmp_path / "a" / "no folder"))
    assert mapped_file(decode([tmp_path / "a"], 500, calls).values) is None
    assert len(calls) == 3
    assert not cache.exists()


def test_what_fails_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    def fail(make: Any) -> DecodedFiles:
        make((1, 500))
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        decode_once([tmp_path], {}, fail)
    assert list(cache.iterdir()) == []


def test_a_data_set_is_the_same_mapped_and_in_memory_and_check_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    for row in range(20):
        np.save(tmp_path / f"{row}.npy", rng.normal(size=(4, 4, 4)))
    names = ["" if row == 3 else f"{row}.npy" for row in range(20)]
    pd.DataFrame({"y": np.arange(20) % 2, "file": names}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "study.yaml").write_text(
        "task: {kind: classification, file: t.csv, column: y}\nmodalities: {ct: {kind: volume3d, file: t.csv, column: file}}\n"
    )

    def load() -> tuple[Dataset, list[str]]:
        return load_data(tmp_path / "study.yaml"), [each.what for each in check_data(tmp_path / "study.yaml").problems]

    mapped, told = load()
    held_in = check_data(tmp_path / "study.yaml").modalities["ct"]["held_in"]
    monkeypatch.setattr(decoded, "KEPT_FROM", 2**30)
    monkeypatch.setenv(decoded.FOLDER, str(tmp_path / "other"))
    held, untold = load()
    assert mapped == held
    assert (mapped_file(mapped.raw["ct"]) is None, mapped_file(held.raw["ct"]) is None) == (False, True)
    assert [what for what in told if "mapped from" in what] == [told[0]]
    assert not [what for what in untold if "mapped from" in what]
    assert (held_in, check_data(tmp_path / "study.yaml").modalities["ct"]["held_in"]) == ("disk", "memory")
